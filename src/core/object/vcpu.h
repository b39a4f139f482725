/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The library's own view of a vCPU: see vcpu.c. */
#ifndef AVC_VCPU_IN_H
#define AVC_VCPU_IN_H

#include "core/object/here.h"

/* Was the vCPU switched on by CPU_ON, and has still the registers of before? For a caller that has seen power PENDING
   the answer is exact. For others a CPU_ON of this moment may come a moment later. */
static inline bool avc_vcpu_is_stale(const struct avc_vcpu *vcpu)
{
    return !avc_load_relaxed(&vcpu->fresh) && avc_load_seq(&vcpu->power) == AVC_POWER_PENDING;
}
/* Gives such a vCPU the registers that it starts with. It is loaded here or nowhere. Interrupts are masked. */
void avc_vcpu_freshen(struct avc_vcpu *vcpu);

#endif
