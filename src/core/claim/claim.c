/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Claims: who wants which event. Until the VM is sealed, the embedder's claims stand at the start of the caller's
 * storage and the library's own at its end. Sealing appends to the embedder's claims what they leave of the library's.
 * It sorts them by kind and key, and indexes each kind by buckets of keys: one search finds the claim that is asked
 * first. The library's own claims also stay at the end, whole and sorted, for an embedder's claim that passes.
 *
 * Storage: n claims of the embedder's cut b of the library's into n + b pieces at most, since each claim can make one
 * piece more. With the n claims themselves and the b whole ones that is 2n + 2b. AVC_CLAIM_SLOTS(n) holds that up to b
 * = 32.
 */
#include "core/claim/claim.h"

#include <avc/stage2.h>

#include "arch/esr.h"
#include "core/core.h"
#include "core/policy/traps.h"

static uint64_t key_max(const struct avc_vm *vm, enum avc_kind kind)
{
    switch (kind) {
    case AVC_CLASS:
        return 63;
    case AVC_CALL:
        return UINT32_MAX;
    case AVC_SYSREG:
        return 0xffff;
    case AVC_MMIO:
        return (UINT64_C(1) << vm->stage2->ipa_bits) - 1;
    default:
        return UINT64_MAX;
    }
}

static bool overlap(const struct avc_claim *a, const struct avc_claim *b)
{
    return avc_claim_kind(a) == avc_claim_kind(b) && a->first <= b->last && b->first <= a->last;
}

/* Returns the library's own claims, whole. */
static struct avc_claim *builtin(const struct avc_vm *vm)
{
    return &vm->claims[vm->max_claims - vm->nr_builtin];
}

/* Says whether the claim may be added, to the embedder's or to the library's own (`own`). */
avc_small static enum avc_status check(const struct avc_vm *vm, const struct avc_claim *claim, bool own)
{
    const struct avc_claim *others;

    if (!vm || !claim || avc_claim_kind(claim) >= AVC_NR_CLAIM_KINDS)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (claim->first > claim->last || claim->last > key_max(vm, avc_claim_kind(claim)))
        return AVC_ERANGE;
    if (vm->machine->enabled &&
        !avc_traps_can(&vm->machine->features, avc_claim_kind(claim), claim->first, claim->last))
        return AVC_ENOTRAP;
    if (vm->nr_claims + vm->nr_builtin >= vm->max_claims)
        return AVC_ENOMEM;
    others = own ? builtin(vm) : vm->claims;
    for (uint32_t n = own ? vm->nr_builtin : vm->nr_claims; n > 0; n--, others++)
        if (overlap(others, claim))
            return AVC_EEXIST;
    return AVC_OK;
}

avc_small enum avc_status avc_vm_claim(struct avc_vm *vm, const struct avc_claim *claim)
{
    enum avc_status status;

    if (!claim || claim->kind >= AVC_NR_CLAIM_KINDS)
        return AVC_EINVAL;
    status = check(vm, claim, false);
    if (!status)
        vm->claims[vm->nr_claims++] = *claim;
    return status;
}

avc_small enum avc_status avc_vm_claim_builtin(struct avc_vm *vm, const struct avc_claim *claim)
{
    enum avc_status status = check(vm, claim, true);

    if (!status) {
        struct avc_claim *own = &vm->claims[vm->max_claims - ++vm->nr_builtin];

        *own = *claim;
        own->kind |= AVC_CLAIM_BUILTIN;
    }
    return status;
}

/* ---- sealing ---- */

static bool before(const struct avc_claim *a, const struct avc_claim *b)
{
    enum avc_kind kind = avc_claim_kind(a), other = avc_claim_kind(b);

    return kind != other ? kind < other : a->first < b->first;
}

/* Shell's sort, with Knuth's gaps. It needs no recursion, no memory, and n to the power of 3/2 steps at most. */
avc_small static void sort(struct avc_claim *c, uint32_t n)
{
    uint32_t gap = 1;

    while (gap < n)
        gap = 3 * gap + 1;
    while (gap /= 3)
        for (uint32_t i = gap; i < n; i++) {
            struct avc_claim t = c[i];
            uint32_t at = i;

            for (; at >= gap && before(&t, &c[at - gap]); at -= gap)
                c[at] = c[at - gap];
            c[at] = t;
        }
}

/* Appends to claims[n..] what the embedder's claims, which are sorted, leave of `whole`. Returns the new n, or 0 if
   the storage up to `end` is too small. */
avc_small static uint32_t append_rest(struct avc_vm *vm, struct avc_claim whole, uint32_t n, uint32_t end)
{
    for (uint32_t i = 0; i < vm->nr_claims; i++) {
        const struct avc_claim *taken = &vm->claims[i];

        if (!overlap(taken, &whole))
            continue;
        if (taken->first > whole.first) {
            if (n == end)
                return 0;
            vm->claims[n] = whole;
            vm->claims[n++].last = taken->first - 1;
        }
        if (taken->last >= whole.last)
            return n;
        whole.first = taken->last + 1;
    }
    if (n == end)
        return 0;
    vm->claims[n++] = whole;
    return n;
}

static unsigned bucket_of(enum avc_kind kind, uint64_t key)
{
    /* The shift keeps the order of keys, so a bucket is a run of the sorted array. It leaves the exception class;
       SMCCC's fast, 64-bit and owner bits; op0, op1 and half of CRn; 16 MiB up to 1 GiB; eight numbers. */
    static const uint8_t shift[AVC_NR_CLAIM_KINDS] = {
        [AVC_CLASS] = 0, [AVC_CALL] = 26, [AVC_SYSREG] = 10, [AVC_MMIO] = 24, [AVC_SVC] = 3,
    };
    uint64_t bucket = key >> shift[kind];

    return bucket < AVC_BUCKETS ? (unsigned)bucket : AVC_BUCKETS - 1;
}

avc_small static void index_kind(struct avc_claim_index *index, enum avc_kind kind, const struct avc_claim *claims,
                                 uint32_t n)
{
    uint32_t first = 0, end = 0;

    index->claims = claims;
    index->nr = n;
    for (unsigned b = 0; b < AVC_BUCKETS; b++) {
        while (first < n && bucket_of(kind, claims[first].last) < b)
            first++;
        while (end < n && bucket_of(kind, claims[end].first) <= b)
            end++;
        index->bucket[b].first = (uint16_t)first;
        index->bucket[b].end = (uint16_t)end;
    }
}

avc_small enum avc_status avc_claim_seal(struct avc_vm *vm)
{
    uint32_t n = vm->nr_claims, end = vm->max_claims - vm->nr_builtin, at = 0;

    /* A CPU may have been enabled after the claim was made. */
    for (uint32_t i = 0; i < n; i++)
        if (!avc_traps_can(&vm->machine->features, vm->claims[i].kind, vm->claims[i].first, vm->claims[i].last))
            return AVC_ENOTRAP;
    sort(vm->claims, n);
    sort(builtin(vm), vm->nr_builtin);
    for (uint32_t i = 0; i < vm->nr_builtin; i++) {
        n = append_rest(vm, builtin(vm)[i], n, end);
        if (!n) /* no claim is lost: both parties' claims are still there, and another try fails in the same way */
            return AVC_ENOMEM;
    }
    sort(vm->claims, n);
    vm->nr_claims = n;
    for (enum avc_kind kind = 0; kind < AVC_NR_CLAIM_KINDS; kind++) {
        uint32_t first = at;

        while (at < n && avc_claim_kind(&vm->claims[at]) == kind)
            at++;
        index_kind(&vm->index[kind], kind, &vm->claims[first], at - first);
    }
    return AVC_OK;
}

const struct avc_claim *avc_claim_find(const struct avc_vm *vm, enum avc_kind kind, uint64_t key)
{
    const struct avc_claim_index *index = &vm->index[kind];
    unsigned bucket = bucket_of(kind, key);
    uint32_t lo = index->bucket[bucket].first, end = index->bucket[bucket].end, hi = end;

    /*@ loop invariant index->bucket[bucket].first <= lo <= hi <= end;
        loop invariant \forall integer i; index->bucket[bucket].first <= i < lo ==> index->claims[i].last < key;
        loop invariant \forall integer i; hi <= i < end ==> key <= index->claims[i].last;
        loop assigns lo, hi;
        loop variant hi - lo; */
    while (lo < hi) { /* finds the first that ends at or after the key */
        uint32_t mid = lo + (hi - lo) / 2;

        if (index->claims[mid].last < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < end && index->claims[lo].first <= key ? &index->claims[lo] : NULL;
}

const struct avc_claim *avc_claim_find_builtin(const struct avc_vm *vm, enum avc_kind kind, uint64_t key)
{
    const struct avc_claim *claims = builtin(vm);
    uint32_t lo = 0, hi = vm->nr_builtin;

    while (lo < hi) { /* the same */
        uint32_t mid = lo + (hi - lo) / 2;

        if (avc_claim_kind(&claims[mid]) < kind || (avc_claim_kind(&claims[mid]) == kind && claims[mid].last < key))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < vm->nr_builtin && avc_claim_kind(&claims[lo]) == kind && claims[lo].first <= key ? &claims[lo] : NULL;
}

/* ---- ready-made ---- */

enum avc_answer avc_to_vmm(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return AVC_EXIT;
}

enum avc_answer avc_deny(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return AVC_FAULT;
}
