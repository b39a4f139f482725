/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Calls (HVC, SMC) that the library settles itself, on two ways.
 *
 * The light way: the vector has saved x0..x7, x16, x17 and x30 only, and calls avc_fast_hvc() or _smc(). What
 * it runs is compiled to leave x8..x15 and x18 alone, and calls nothing that is not. The full way:
 * any register may be named and any function called. A claim of the library's own brings a struct
 * avc_call: what `find` finds decides, on both ways alike, and whatever it leaves open is done by `full`. Other claims are asked by
 * the vector, about an event that has begun on the light way, or from the trap table's function on the full one.
 */
#ifndef AVC_CALL_H
#define AVC_CALL_H

#include "core/exit/event.h"

/* An avc_fast_fn writes x0..x3 of the vCPU and returns its requests; or begins the event and returns HW_EXIT, or the claim
   to be asked; or touches nothing and says HW_SLOW. Bounded, and without calls to code that is not compiled for the light
   way. What `find` finds does the first or the last. */
struct avc_call {
    avc_fast_fn *(*find)(const struct avc_vm *vm, uint32_t fid); /* what decides about an id in this VM */
    avc_claim_fn *full;                                          /* never called for an id that it settles */
    /* the ids that are not just unknown, ended by 0, or NULL: any of the claim's */
    const uint32_t *ids;
};

/* The claim function of both ways; ctx: const struct avc_call. */
avc_claim_fn avc_call_settle;

/* fast.c: 0 for an answer; for ids that take the full way, that others claimed, that the VMM did, that nobody did, and that have
   no row. */
avc_fast_fn avc_fast_zero, avc_fast_full, avc_fast_claim, avc_fast_to_vmm, avc_fast_unknown, avc_fast_other;

/* The entry of the row that an id is in. */
static inline uint64_t avc_call_at(uint64_t ids, uint64_t hash)
{
    return (uint32_t)ids * (uint32_t)hash >> 26;
}

/* ISS of HVC and SMC is the immediate. Their classes differ in one bit; SMC alone is to be stepped over. */
static inline struct avc_exit *avc_call_begin(struct avc_vcpu *vcpu, uint64_t fid, uint64_t esr)
{
    uint64_t step = esr << 22 & EVENT_STEP;
    struct avc_exit *e = avc_event_begin(vcpu, EVENT(AVC_CALL, AVC_FAULT) + step, fid, 0, esr);

    _Static_assert((AVC_EC_SMC64 ^ AVC_EC_HVC64) == 1 && AVC_EC_SMC64 & 1, "bit 26 of ESR_EL2");
    e->imm = (uint16_t)esr;
    return e;
}

/* Result of a call: negative ones are sign-extended whatever the width of the convention
 * (DEN0028, 5.1 leaves the upper half of a 32-bit one open, 5.2 asks for it in NOT_SUPPORTED). */
static inline uint64_t avc_call_answer(struct avc_vcpu *vcpu, int64_t value)
{
    vcpu->x[0] = (uint64_t)value;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* loaded last, it needs no register to wait in */
    return avc_load_relaxed(&vcpu->requests);
}

#endif
