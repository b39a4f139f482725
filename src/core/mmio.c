/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * MMIO claims by page. A device register is found by one probe of a table: hashed by page, filled when the VM is sealed,
 * constant afterwards. The table is an index, not the truth: what finds no slot of its own (pages shared by claims, more
 * than there is room for, all but the first pages of a large claim) is found by the search that every kind of claim has.
 */
#include "event.h"

#define MAX_PAGES 64 /* of one claim: two vCPUs' redistributors, any device; flash and PCI windows take the search */

static uint64_t page_of(avc_ipa_t ipa)
{
    return ipa >> 12;
}

static avc_mmio_fn *fast_of(const struct avc_claim *claim)
{
    return claim->fn == avc_mmio_settle ? ((const struct avc_mmio *)claim->ctx)->fast : NULL;
}

/* Each whole page of each claim, in the claims' order, gets its slot if that is empty. Returns how many did not. */
static unsigned fill(struct avc_vm *vm)
{
    const struct avc_claim_index *index = &vm->index[AVC_MMIO];
    unsigned missed = 0;

    for (unsigned n = 0; n < AVC_MMIO_SLOTS; n++)
        vm->mmio[n] = (struct avc_mmio_slot){ .page = ~UINT64_C(0) };
    for (uint32_t n = 0; n < index->nr; n++) {
        const struct avc_claim *claim = &index->claims[n];
        uint64_t first = page_of(claim->first + 0xfff), end = page_of(claim->last + 1);

        for (uint64_t page = first; page < end && page < first + MAX_PAGES; page++) {
            struct avc_mmio_slot *slot = &vm->mmio[avc_mmio_slot(vm, page)];

            if (slot->claim)
                missed++;
            else
                *slot = (struct avc_mmio_slot){ page, claim, fast_of(claim), 0 };
        }
    }
    return missed;
}

/* Of a few multipliers the one under which most pages find a slot; with as few devices as machines have, all do. */
void avc_mmio_seal(struct avc_vm *vm)
{
    uint32_t best = 0, hash = 0x9e3779b1; /* 2^32 over the golden ratio, odd */
    unsigned least = ~0u;

    for (unsigned n = 0; n < 32 && least; n++, hash = hash * 0x01000193 + 0x3c6ef372) {
        unsigned missed;

        vm->mmio_hash = hash | 1;
        missed = fill(vm);
        if (missed < least) {
            least = missed;
            best = vm->mmio_hash;
        }
    }
    if (vm->mmio_hash != best) {
        vm->mmio_hash = best;
        fill(vm);
    }
}

enum avc_answer avc_mmio_settle(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_mmio *mmio = ctx;

    return mmio->full(vcpu, e, NULL);
}
