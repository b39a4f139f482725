/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The light way of an HVC: from the vector to the claim that settles it. Compiled to leave x9..x15
 * and x18 to the guest (src/meson.build); so is everything it calls. See call.h.
 *
 * HW_BACK: settled, x0..x3 in vcpu->x may have changed. HW_SLOW: nothing was done but to count the
 * exception.
 */
#include <avc/psci.h>

#include "call.h"
#include "esr.h"

/* Of the n claims of fid's bucket the one that holds fid, or NULL. */
static inline const struct avc_claim *search(const struct avc_claim *c, size_t n, uint32_t fid)
{
    while (avc_unlikely(n > 4)) {
        size_t half = n / 2;

        if (c[half - 1].last < fid) {
            c += half;
            n -= half;
        } else {
            n = half;
        }
    }
    for (; n; n--, c++)
        if (fid <= c->last)
            return fid >= c->first ? c : NULL;
    return NULL;
}

uint64_t avc_fast_hvc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint32_t fid = (uint32_t)vcpu->x[0];
    const struct avc_claim_index *index = &vcpu->vm->index[AVC_CALL];
    unsigned bucket = avc_call_bucket(fid);
    size_t first = index->bucket[bucket].first;
    const struct avc_claim *c;

    (void)esr; /* the immediate is for claims that take the full way; SMCCC calls have 0 */
    vcpu->exits[AVC_EC_HVC64]++;
    c = search(index->claims + first, index->bucket[bucket].end - first, fid);
    if (!c)
        return avc_call_answer(vcpu, AVC_SMCCC_NOT_SUPPORTED);
    if (c->fn != avc_call_settle)
        return HW_SLOW;
    return ((const struct avc_call *)c->ctx)->fast(vcpu, fid);
}
