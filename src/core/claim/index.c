/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What guests ask for most, by hash: pages of device registers, and system registers, claimed ones and the ID registers that
 * nobody claims. One probe of a table that is made when the VM is sealed and constant afterwards. The tables are an index,
 * not the truth: what finds no entry of its own (pages shared by claims, more than there is room for, all but the first
 * keys of a large claim) is found by the search that every kind of claim has.
 */
#include "core/exit/event.h"

/* Of one claim: two vCPUs' redistributors, any device, any group of registers; flash and PCI windows take the search. */
#define MAX_KEYS 64

static uint64_t code_of(const struct avc_claim *claim)
{
    return claim->fn == avc_to_vmm ? HW_EXIT : (uintptr_t)claim;
}

/* Puts what finds its entry empty; returns how many did not. */
static unsigned fill_mmio(struct avc_vm *vm, uint32_t hash)
{
    const struct avc_claim_index *index = &vm->index[AVC_MMIO];
    unsigned missed = 0;

    vm->mmio_hash = hash;
    for (unsigned n = 0; n < AVC_INDEX_SIZE; n++)
        vm->mmio[n] = (struct avc_mmio_entry){ .hpfar = ~UINT64_C(0) };
    for (uint32_t n = 0; n < index->nr; n++) {
        const struct avc_claim *claim = &index->claims[n];
        uint64_t first = (claim->first + 0xfff) >> 12, end = (claim->last + 1) >> 12;
        avc_mmio_fn *light =
            claim->fn == avc_mmio_settle ? ((const struct avc_mmio *)claim->ctx)->light : avc_fast_mmio_claim;

        for (uint64_t page = first; page < end && page < first + MAX_KEYS; page++) {
            struct avc_mmio_entry *entry = &vm->mmio[avc_index_at(page << 4, hash)];

            missed += entry->claim != NULL;
            if (!entry->claim)
                *entry = (struct avc_mmio_entry){ page << 4, light, claim, code_of(claim) };
        }
    }
    return missed;
}

static unsigned put_sysreg(struct avc_vm *vm, const struct avc_claim *claim, uint32_t key, bool read, uint64_t value)
{
    uint64_t esr = avc_sysreg_esr(key, read);
    struct avc_sysreg_entry *entry = &vm->sysreg[avc_index_at(esr, vm->sysreg_hash)];

    if (entry->esr)
        return 1;
    *entry = (struct avc_sysreg_entry){ (uint32_t)esr, key, NULL, claim, value };
    if (!claim)
        return 0;
    entry->value = code_of(claim);
    entry->light = claim->fn == avc_sysreg_settle && !read ? ((const struct avc_sysreg_write *)claim->ctx)->light
                                                           : avc_fast_sysreg_claim;
    return 0;
}

static unsigned fill_sysreg(struct avc_vm *vm, uint32_t hash)
{
    const struct avc_claim_index *index = &vm->index[AVC_SYSREG];
    unsigned missed = 0;

    vm->sysreg_hash = hash;
    for (unsigned n = 0; n < AVC_INDEX_SIZE; n++)
        vm->sysreg[n] = (struct avc_sysreg_entry){ 0 };
    /* first, so that they have entries however many claims there are: what guests read most */
    for (uint32_t n = 0; n < AVC_NR_ID_REGS; n++) {
        uint32_t key = AVC_SYSREG_KEY(3, 0, 0, 1, 0) + n;

        if (!avc_claim_find(vm, AVC_SYSREG, key))
            missed += put_sysreg(vm, NULL, key, true, vm->id_regs[n]);
    }
    for (uint32_t n = 0; n < index->nr; n++)
        for (uint64_t key = index->claims[n].first;
             key <= index->claims[n].last && key < index->claims[n].first + MAX_KEYS; key++)
            missed += put_sysreg(vm, &index->claims[n], (uint32_t)key, false, 0) +
                      put_sysreg(vm, &index->claims[n], (uint32_t)key, true, 0);
    return missed;
}

/* With as few devices as machines have, nearly all keys find an entry under one of a few multipliers. */
unsigned avc_hash_choose(struct avc_vm *vm, unsigned (*fill)(struct avc_vm *vm, uint32_t hash))
{
    uint32_t hash = 0x9e3779b1, best = hash; /* 2^32 over the golden ratio, odd */
    unsigned least = ~0u, missed = ~0u;

    for (unsigned n = 0; n < 64 && missed; n++, hash = (hash * 0x01000193 + 0x3c6ef372) | 1) {
        missed = fill(vm, hash);
        if (missed < least) {
            least = missed;
            best = hash;
        }
    }
    if (missed)
        fill(vm, best);
    return least;
}

/* vCPUs have the tables' addresses in lines of their own, so that a trap finds an entry without reading the VM. */
void avc_index_seal(struct avc_vm *vm)
{
    avc_hash_choose(vm, fill_mmio);
    avc_hash_choose(vm, fill_sysreg);
    for (uint32_t n = 0; n < vm->nr_vcpus; n++) {
        struct avc_vcpu *vcpu = vm->vcpus[n];

        vcpu->call = vm->call;
        vcpu->call_hash = vm->call_hash;
        vcpu->mmio = vm->mmio;
        vcpu->mmio_hash = vm->mmio_hash;
        vcpu->sysreg = vm->sysreg;
        vcpu->sysreg_hash = vm->sysreg_hash;
    }
}

enum avc_answer avc_sysreg_settle(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_sysreg_write *write = ctx;

    return write->full(vcpu, e, NULL);
}

enum avc_answer avc_mmio_settle(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_mmio *mmio = ctx;

    return mmio->full(vcpu, e, NULL);
}
