/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Where a vCPU is loaded, and whether that is the calling CPU. */
#ifndef AVC_HERE_H
#define AVC_HERE_H

#include "core/core.h"

/* on, on_aff3, mode and work are one doubleword. It equals MPIDR_EL1 when the vCPU is loaded on the calling CPU, run
   is not in progress, and run has nothing rare to do at its entry and exit. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && offsetof(struct avc_vcpu, on) % 8 == 0 &&
                   offsetof(struct avc_vcpu, on_aff3) == offsetof(struct avc_vcpu, on) + 4 &&
                   offsetof(struct avc_vcpu, mode) == offsetof(struct avc_vcpu, on) + 5 &&
                   offsetof(struct avc_vcpu, work) == offsetof(struct avc_vcpu, on) + 6,
               "a doubleword: MPIDR_EL1 has its fields in bits 39..0");
static inline uint64_t avc_vcpu_where(const struct avc_vcpu *vcpu)
{
    return avc_load_relaxed((const avc_word *)&vcpu->on);
}

static inline void avc_vcpu_set_where(struct avc_vcpu *vcpu, uint64_t mpidr, unsigned work)
{
    avc_store_relaxed((avc_word *)&vcpu->on, mpidr | (uint64_t)work << 48);
}

/* Is the vCPU loaded on the calling CPU? That CPU alone writes its own number there and takes it away. */
static inline bool avc_vcpu_here(const struct avc_vcpu *vcpu)
{
    return !((avc_vcpu_where(vcpu) ^ avc_hw_read_MPIDR_EL1()) << 24);
}

/* Is run in progress? Then this run, or its end, sees what is requested. */
static inline bool avc_vcpu_in_run(const struct avc_vcpu *vcpu)
{
    return avc_load_relaxed(&vcpu->mode) == AVC_MODE_GUEST;
}

/*
 * Is the calling CPU in a trap of this vCPU? Our vectors stand from the entry into the guest to the exit alone. Then PC
 * and PSTATE are in ELR_EL2 and SPSR_EL2, HCR_EL2 and CPTR_EL2 are the guest's, and so may be x18 and x29. Run's frame
 * is there. What run does before and after has the host's registers, although run is in progress: PC and PSTATE are in
 * memory, and ELR_EL2 may be that of an SError on the way out.
 */
static inline bool avc_vcpu_in_trap(const struct avc_vcpu *vcpu)
{
    return avc_hw_read_VBAR_EL2() == vcpu->vbar && avc_vcpu_here(vcpu);
}

#endif
