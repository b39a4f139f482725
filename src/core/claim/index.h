/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The index of what guests ask for most, and what an index entry says: which function handles it. There are three kinds of
 * them. A claim of the library's own brings its function (AVC_CLAIM_FAST). A claim with a function of its own gets one that
 * begins the event and says AVC_ASK, so that the claim is asked with all registers saved. A claim without a function gets
 * one that begins the event and says AVC_LEAVE.
 */
#ifndef AVC_INDEX_H
#define AVC_INDEX_H

#include "arch/esr.h"
#include "core/core.h"

_Static_assert(offsetof(struct avc_mmio_entry, hpfar) == 0 && offsetof(struct avc_mmio_entry, fn) == 8 &&
                   offsetof(struct avc_sysreg_entry, esr) == 0 && offsetof(struct avc_sysreg_entry, fn) == 8 &&
                   offsetof(struct avc_call_entry, ids) == 0 && offsetof(struct avc_call_entry, row) == 8,
               "pairs: what an entry is compared with, and what is next");

/* Where a key is in a table of AVC_INDEX_SIZE. */
static inline uint64_t avc_index_at(uint64_t key, uint64_t hash)
{
    return (uint32_t)key * (uint32_t)hash >> 24;
}

/* Where the row of an id is. */
static inline uint64_t avc_call_at(uint64_t ids, uint64_t hash)
{
    return (uint32_t)ids * (uint32_t)hash >> 26;
}

/* The entry of the page that HPFAR_EL2 says, and its function; false: there is none. */
static inline bool avc_mmio_find(const struct avc_vcpu *vcpu, const struct avc_mmio_entry **entry, avc_mmio_fn **fn)
{
    uint64_t hpfar = avc_hw_read_HPFAR_EL2(), first, second;

    *entry = avc_hw_opaque(&vcpu->mmio[avc_index_at(hpfar, vcpu->mmio_hash)]);
    first = avc_hw_load_pair(*entry, &second);
    *fn = (avc_mmio_fn *)(uintptr_t)second;
    return avc_likely(first == hpfar);
}

static inline avc_ipa_t avc_mmio_ipa(const struct avc_mmio_entry *entry, uint64_t va)
{
    return entry->hpfar << 8 | (va & 0xfff);
}

/* The entry of a trapped MSR or MRS, and its function; false: there is none. */
static inline bool avc_sysreg_find(const struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry **entry,
                                   avc_sysreg_fn **fn)
{
    uint32_t what = (uint32_t)esr & ~(uint32_t)ISS_RT_MASK;
    uint64_t first, second;

    *entry = avc_hw_opaque(&vcpu->sysreg[avc_index_at(what, vcpu->sysreg_hash)]);
    first = avc_hw_load_pair(*entry, &second);
    *fn = (avc_sysreg_fn *)(uintptr_t)second;
    return avc_likely((uint32_t)first == what);
}

/* The row that an id is in; false: it is in none. */
static inline bool avc_call_find(const struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row **row)
{
    const void *entry = avc_hw_opaque(&vcpu->call[avc_call_at(fid / 16, vcpu->call_hash)]);
    uint64_t second, ids = avc_hw_load_pair(entry, &second);

    *row = (const struct avc_call_row *)(uintptr_t)second;
    return avc_likely(ids == fid / 16);
}

/* Calls that the library handles itself, brought by a claim of its own. */
struct avc_call {
    avc_call_fn *(*find)(const struct avc_vm *vm, uint32_t fid); /* what handles an id in this VM */
    const uint32_t *ids; /* those that are not just unknown, ended by 0; NULL: any of the claim's */
};

/* What a claim of the library's own brings; NULL of other claims. */
static inline union avc_fast avc_claim_fast(const struct avc_claim *claim)
{
    return claim->kind & AVC_CLAIM_FAST ? *(const union avc_fast *)claim->ctx : (union avc_fast){ NULL };
}

/* What handles what is claimed with a function, or without; reads of ID registers that nobody claims. */
avc_mmio_fn avc_mmio_ask, avc_mmio_leave;
avc_sysreg_fn avc_sysreg_ask, avc_sysreg_leave, avc_sysreg_id;
/* call.c: likewise; ids that nobody claims, that are in no row; and those that the slow path handles. */
avc_call_fn avc_call_ask, avc_call_ask_range, avc_call_leave, avc_call_unknown, avc_call_other, avc_call_slow;

/* vm->mmio, vm->sysreg and vm->call from the sealed claims and vm->id_regs. The vCPUs learn where they are. */
void avc_index_seal(struct avc_vm *vm);

#endif
