/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Calls (HVC, SMC) that the library settles itself, on two ways.
 *
 * The light way: the vector has saved x0..x8, x16, x17 and x30 only, and calls avc_fast_hvc(). What
 * it runs is compiled to leave x9..x15 and x18 alone, and calls nothing that is not. The full way:
 * any register may be named and any function called. A claim of the library's own brings a struct
 * avc_call: `fast` decides, on both ways alike, and whatever it leaves open is done by `full`.
 */
#ifndef AVC_CALL_H
#define AVC_CALL_H

#include "core.h"

/* Writes x0..x3 of the vCPU and says HW_BACK; or touches nothing and says HW_SLOW. Bounded, and
   without calls to code that is not compiled for the light way. */
typedef uint64_t avc_fast_fn(struct avc_vcpu *vcpu, uint32_t fid);

struct avc_call {
    avc_fast_fn *fast;
    avc_claim_fn *full; /* never called for an id that `fast` settles */
};

/* The claim function of both ways; ctx: const struct avc_call. */
avc_claim_fn avc_call_settle;

/* fast.c: for ids that others claimed, and that nobody did. */
avc_fast_fn avc_fast_full, avc_fast_unknown;

/* The bucket of a call: avc_claim_bucket(AVC_CALL, fid) for code that may not call it. Type, width,
   and the upper four bits of the owner (DEN0028, table 2-1). */
#define AVC_CALL_BUCKET 26
static inline unsigned avc_call_bucket(uint32_t fid)
{
    return fid >> AVC_CALL_BUCKET;
}

/* Result of a call: negative ones are sign-extended whatever the width of the convention
 * (DEN0028, 5.1 leaves the upper half of a 32-bit one open, 5.2 asks for it in NOT_SUPPORTED). */
static inline uint64_t avc_call_answer(struct avc_vcpu *vcpu, int64_t value)
{
    vcpu->x[0] = (uint64_t)value;
    return HW_BACK;
}

#endif
