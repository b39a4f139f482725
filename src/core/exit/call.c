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
#include "core/exit/call.h"

uint64_t avc_trap_call(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_exit_finish(vcpu, avc_call_begin(vcpu, (uint32_t)vcpu->x[0], esr), AVC_FAULT);
}

/* The light way has begun the event, and the vector has asked. */
uint64_t avc_call_answered(struct avc_vcpu *vcpu, enum avc_answer answer)
{
    struct avc_exit *e = &vcpu->exit;

    if (avc_likely(answer == AVC_DONE && !e->step)) { /* HVC */
        vcpu->x[0] = e->value;
        return avc_load_relaxed(&vcpu->requests);
    }
    answer = avc_claim_after(vcpu, e, AVC_CALL, AVC_FAULT, answer);
    return avc_exit_settle(vcpu, e, answer == AVC_PASS ? AVC_FAULT : answer) | avc_load_relaxed(&vcpu->requests);
}

/* The same function decides as on the light way; the value it left in x0 is written there again. */
enum avc_answer avc_call_settle(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_call *call = ctx;
    avc_fast_fn *fast = call->find(vcpu->vm, (uint32_t)e->key);

    if (fast(vcpu, e->key, NULL) < HW_EXIT)
        return avc_done(e, vcpu->x[0]);
    return call->full(vcpu, e, NULL);
}

/* ---- the light way's index ---- */

/* The row of an id: there already, or a new one, its entry being empty; or NULL. */
static struct avc_call_row *row_of(struct avc_vm *vm, uint32_t fid, unsigned *used)
{
    struct avc_call_entry *entry = &vm->call[avc_call_at(fid / 16, vm->call_hash)];

    if (!entry->row && *used < AVC_CALL_ROWS) {
        entry->ids = fid / 16;
        entry->row = &vm->call_rows[(*used)++];
    }
    /* the rows are the VM's own, and not constant yet */
    return entry->ids == fid / 16 ? (struct avc_call_row *)(uintptr_t)entry->row : NULL;
}

static bool put(struct avc_vm *vm, uint32_t fid, avc_fast_fn *fn, const struct avc_claim *claim, unsigned *used)
{
    struct avc_call_row *row = row_of(vm, fid, used);

    if (row) {
        row->fn[fid % 16] = fn;
        row->claim[fid % 16] = claim;
    }
    return row;
}

#define MAX_IDS 256 /* of one claim of the embedder's; a wide one is kept as a range */

/* Ids of a claim that are not in a row: the full way tells what they are. */
static void put_range(struct avc_vm *vm, const struct avc_claim *claim)
{
    if (vm->nr_call_wide < AVC_CALL_WIDE)
        vm->call_wide[vm->nr_call_wide] = (struct avc_call_range){ (uint32_t)claim->first, (uint32_t)claim->last };
    vm->nr_call_wide++;
}

/* How many of the ids found no row. */
static unsigned put_claim(struct avc_vm *vm, const struct avc_claim *claim, unsigned *used)
{
    const struct avc_call *call = claim->fn == avc_call_settle ? claim->ctx : NULL;
    unsigned missed = 0;

    if (call && call->ids) {
        for (const uint32_t *id = call->ids; *id; id++)
            if (*id >= claim->first && *id <= claim->last)
                missed += !put(vm, *id, call->find(vm, *id), claim, used);
    } else if (claim->last - claim->first < MAX_IDS) {
        for (uint64_t id = claim->first; id <= claim->last; id++) {
            avc_fast_fn *fn = claim->fn == avc_to_vmm ? avc_fast_to_vmm : avc_fast_claim;

            if (call)
                fn = call->find(vm, (uint32_t)id);
            missed += !put(vm, (uint32_t)id, fn, claim, used);
        }
    } else {
        put_range(vm, claim);
        return 0;
    }
    if (missed)
        put_range(vm, claim);
    return missed;
}

static unsigned fill(struct avc_vm *vm, uint32_t hash)
{
    const struct avc_claim_index *index = &vm->index[AVC_CALL];
    unsigned used = 0, missed = 0;

    vm->call_hash = hash;
    vm->nr_call_wide = 0;
    for (unsigned n = 0; n < AVC_CALL_INDEX_SIZE; n++)
        vm->call[n] = (struct avc_call_entry){ ~UINT64_C(0), NULL };
    for (unsigned n = 0; n < AVC_CALL_ROWS * 16; n++)
        vm->call_rows[n / 16].fn[n % 16] = avc_fast_other;
    for (unsigned own = 2; own-- > 0;) /* the library's first: guests make these calls most */
        for (uint32_t n = 0; n < index->nr; n++)
            if ((index->claims[n].fn == avc_call_settle) == own)
                missed += put_claim(vm, &index->claims[n], &used);
    return missed;
}

/*
 * A row for each 16 ids of which some are claimed, found by hash; beside them the ranges that are too wide for rows, or
 * found none. Whoever is in neither is nobody's. The full way can settle every id, so that there may be as few rows as we like.
 */
void avc_call_seal(struct avc_vm *vm)
{
    avc_hash_choose(vm, fill);
}
