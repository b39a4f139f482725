/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The search of a sealed VM's claims finds the claim that has a key, and only where no claim has the key it finds none.
 * What sealing leaves is assumed: claims are sorted and disjoint, and a bucket reaches over all claims that have a key
 * in it (tests/unit/test_claim.c tests that).
 */
#include "core/claim/claim.h"

/*@ logic integer shift_of(integer kind) =
        kind == AVC_CALL ? 26 : kind == AVC_SYSREG ? 10 : kind == AVC_MMIO ? 24 : kind == AVC_SVC ? 3 : 0;

    logic integer bucket(integer kind, integer key) =
        (key >> shift_of(kind)) < AVC_BUCKETS ? (key >> shift_of(kind)) : AVC_BUCKETS - 1;

    predicate has(struct avc_claim *c, integer key) = c->first <= key <= c->last;

    predicate sealed(struct avc_claim_index *x, integer kind) =
        \valid_read(x->claims + (0 .. x->nr - 1)) &&
        (\forall integer b; 0 <= b < AVC_BUCKETS ==> x->bucket[b].first <= x->bucket[b].end <= x->nr) &&
        (\forall integer i; 0 <= i < x->nr ==> x->claims[i].first <= x->claims[i].last) &&
        (\forall integer i, j; 0 <= i < j < x->nr ==> x->claims[i].last < x->claims[j].first) &&
        (\forall integer i, key; 0 <= i < x->nr && has(x->claims + i, key) ==>
            x->bucket[bucket(kind, key)].first <= i < x->bucket[bucket(kind, key)].end);
*/

/*@ requires kind < AVC_NR_CLAIM_KINDS;
    assigns \nothing;
    ensures in_table: \result < AVC_BUCKETS;
    ensures is: \result == bucket(kind, key);
*/
static unsigned bucket_of(enum avc_kind kind, uint64_t key);

/*@ requires \valid_read(vm) && kind < AVC_NR_CLAIM_KINDS;
    requires sealed((struct avc_claim_index *)&vm->index[kind], kind);
    assigns \nothing;
    ensures found: \result != \null ==> has((struct avc_claim *)\result, key) &&
        (\exists integer i; 0 <= i < vm->index[kind].nr && \result == vm->index[kind].claims + i);
    ensures none: \result == \null ==>
        (\forall integer i; 0 <= i < vm->index[kind].nr ==> !has((struct avc_claim *)vm->index[kind].claims + i, key));
*/
const struct avc_claim *avc_claim_find(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);

#include "core/claim/claim.c"
