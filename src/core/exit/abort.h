/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Data and instruction aborts that stage 2 sends to EL2: see abort.c. */
#ifndef AVC_ABORT_H
#define AVC_ABORT_H

#include "core/claim/index.h"
#include "core/exit/exit.h"
#include "core/exit/inject.h"
#include "core/policy/errata.h"

avc_trap_fn avc_trap_dabt, avc_trap_abort;

/* PAR_EL1, with the barriers of an erratum (docs/errata.md). */
static inline uint64_t avc_read_par(const struct avc_vcpu *vcpu)
{
    bool erratum = vcpu->pcpu->features.errata & AVC_ERRATUM_PAR;
    uint64_t par;

    if (erratum)
        avc_hw_dmb_sy();
    par = avc_hw_read_PAR_EL1();
    if (erratum)
        avc_hw_dmb_sy();
    return par;
}

/* Ends an access to a device as its claim has answered. AVC_PASS ends it as an access to where nothing is. */
enum avc_result avc_mmio_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

#endif
