/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * HVC and SMC of the guest, the full way; fast.c is the light one. Either is an AVC_CALL whose key
 * is W0: the upper half of X0 is not the function id's (DEN0028, 2.5 and 3.1). Nobody's call is answered
 * NOT_SUPPORTED and goes nowhere else: firmware sees a guest's call only where the embedder claimed
 * it with avc_to_firmware().
 *
 * HVC's return address is behind it, a trapped SMC's is at it (Arm ARM, D1.3.1 and HCR_EL2.TSC), so
 * that only SMC is stepped over. Neither comes from EL0, where both are UNDEFINED to EL1, nor from
 * AArch32, which guests have at EL0 only.
 */
#include "call.h"
#include "esr.h"

static struct avc_exit *begin(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_CALL, (uint32_t)vcpu->x[0], esr);

    e->imm = esr & 0xffff; /* ISS of both */
    return e;
}

uint64_t avc_trap_hvc(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_exit_finish(vcpu, begin(vcpu, esr), AVC_FAULT);
}

uint64_t avc_trap_smc(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = begin(vcpu, esr);

    e->step = true;
    return avc_exit_finish(vcpu, e, AVC_FAULT);
}

/* `fast` decides here as it does on the light way; the value it left in x0 is written there again.
 */
enum avc_answer avc_call_settle(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_call *call = ctx;

    if (call->fast(vcpu, (uint32_t)e->key) == HW_BACK)
        return avc_done(e, vcpu->x[0]);
    return call->full(vcpu, e, NULL);
}

/* ---- the light way's index ---- */

#define LIST_MAX 16 /* ranges of one bucket: a search stays short, and what is left takes the full way */

static const struct avc_call_range none = { UINT32_MAX, avc_fast_unknown }, rest = { UINT32_MAX, avc_fast_full };

static avc_fast_fn *fast_of(const struct avc_claim *claim)
{
    return claim->fn == avc_call_settle ? ((const struct avc_call *)claim->ctx)->fast : avc_fast_full;
}

/* The list of a bucket that starts at `key` and holds these n claims: at most `room` ranges. Returns how many. */
static unsigned make_list(struct avc_call_range *list, unsigned room, const struct avc_claim *claim, unsigned n,
                          uint64_t key)
{
    unsigned used = 0;

    for (; n && used + 3 <= room; n--, claim++) { /* a gap, the claim, and the end must fit */
        if (claim->first > key)
            list[used++] = (struct avc_call_range){ (uint32_t)(claim->first - 1), avc_fast_unknown };
        if (used && claim->first == key && list[used - 1].fast == fast_of(claim))
            used--; /* goes on where the last one ends, and likewise */
        list[used++] = (struct avc_call_range){ (uint32_t)claim->last, fast_of(claim) };
        key = claim->last + 1;
    }
    list[used++] = n ? rest : none;
    return used;
}

/* Whether a claim is all of a bucket. */
static bool all_of(const struct avc_claim *claim, unsigned b)
{
    return claim->first <= (uint64_t)b << AVC_CALL_BUCKET && claim->last >= ((uint64_t)(b + 1) << AVC_CALL_BUCKET) - 1;
}

/*
 * The full way can settle every id, so that the lists may be as short as they like. From the top down: fast calls, which
 * the library's own are, have bit 31 set.
 */
void avc_call_seal(struct avc_vm *vm)
{
    const struct avc_claim_index *index = &vm->index[AVC_CALL];
    unsigned used = 0;

    for (unsigned b = AVC_BUCKETS; b-- > 0;) {
        unsigned first = index->bucket[b].first, n = index->bucket[b].end - first, room = AVC_CALL_RANGES - used;

        vm->calls[b] = n ? &rest : &none;
        if (n && room >= 3 && !(all_of(&index->claims[first], b) && fast_of(&index->claims[first]) == avc_fast_full)) {
            vm->calls[b] = &vm->call_ranges[used];
            used += make_list(&vm->call_ranges[used], room < LIST_MAX ? room : LIST_MAX, &index->claims[first], n,
                              (uint64_t)b << AVC_CALL_BUCKET);
        }
    }
}
