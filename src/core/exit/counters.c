/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU's counters, for any CPU to read. */
#include <avc/observe.h>

#include "core/core.h"

void avc_vcpu_counters(const struct avc_vcpu *vcpu, struct avc_counters *out)
{
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++)
        out->traps[n] = avc_load_relaxed(&vcpu->nr_traps[n]);
    for (unsigned n = 0; n < AVC_NR_KINDS; n++)
        out->exits[n] = avc_load_relaxed(&vcpu->nr_exits[n]);
    out->undecoded = avc_load_relaxed(&vcpu->nr_isv0);
    out->faults = avc_load_relaxed(&vcpu->nr_faults);
    out->undefined = avc_load_relaxed(&vcpu->nr_undef);
    out->unclaimed = avc_load_relaxed(&vcpu->nr_unclaimed);
}
