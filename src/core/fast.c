/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The light way of HVC and SMC: from the vector to the claim that settles it. Compiled to leave x9..x15
 * and x18 to the guest (src/meson.build); so is everything it calls. See call.h.
 *
 * HW_BACK: settled, x0..x3 in vcpu->x may have changed. HW_SLOW: nothing was done but to count the
 * exception.
 */
#include <avc/psci.h>

#include "call.h"
#include "event.h"

/* Someone's claim that takes the full way. */
uint64_t avc_fast_full(struct avc_vcpu *vcpu, uint32_t fid)
{
    (void)vcpu;
    (void)fid;
    return HW_SLOW;
}

/* Nobody's: what AVC_FAULT is for an AVC_CALL. */
uint64_t avc_fast_unknown(struct avc_vcpu *vcpu, uint32_t fid)
{
    (void)fid;
    return avc_call_answer(vcpu, AVC_SMCCC_NOT_SUPPORTED);
}

static inline uint64_t settle(struct avc_vcpu *vcpu)
{
    uint32_t fid = (uint32_t)vcpu->x[0];
    const struct avc_call_range *range = vcpu->vm->calls[avc_call_bucket(fid)];

    while (avc_unlikely(fid > range->last)) /* a list ends with UINT32_MAX */
        range++;
    return range->fast(vcpu, fid);
}

/* The immediate is for claims that take the full way; SMCCC calls have 0. */
uint64_t avc_fast_hvc(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_HVC64]);
    return settle(vcpu);
}

/* An SMC is trapped in front of it; a guest's HVC is behind itself already. */
uint64_t avc_fast_smc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t code, pstate = avc_hw_read_SPSR_EL2();

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_SMC64]);
    if (avc_unlikely(!avc_step_is_plain(pstate)))
        return HW_SLOW;
    code = settle(vcpu);
    if (avc_likely(code == HW_BACK))
        avc_hw_write_ELR_EL2(avc_hw_read_ELR_EL2() + 4);
    return code;
}
