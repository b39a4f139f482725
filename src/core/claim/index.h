/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The index of what guests ask for most. An index entry says which function handles an access. There are three kinds. A
 * claim of the library's own brings its function (AVC_CLAIM_FAST). A claim with a function of its own gets one that
 * begins the event and returns AVC_ASK, so that the claim is asked with all registers saved. A claim without a function
 * gets one that begins the event and returns AVC_LEAVE.
 */
#ifndef AVC_INDEX_H
#define AVC_INDEX_H

#include "arch/esr.h"
#include "core/core.h"

_Static_assert(offsetof(struct avc_mmio_entry, hpfar) == 0 && offsetof(struct avc_mmio_entry, fn) == 8 &&
                   offsetof(struct avc_sysreg_entry, esr) == 0 && offsetof(struct avc_sysreg_entry, fn) == 8 &&
                   offsetof(struct avc_call_entry, ids) == 0 && offsetof(struct avc_call_entry, row) == 8,
               "pairs: what an entry is compared with, and what is next");

/* Returns the place of a key in a table of AVC_INDEX_SIZE. */
static inline uint64_t avc_index_at(uint64_t key, uint64_t hash)
{
    return (uint32_t)key * (uint32_t)hash >> 24;
}

/* Returns the place of an id's entry in vm->call. */
static inline uint64_t avc_call_at(uint64_t ids, uint64_t hash)
{
    return (uint32_t)ids * (uint32_t)hash >> 26;
}

/* Finds the entry of the page in HPFAR_EL2, and its function. Returns false if there is none. */
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

/* Finds the entry of a trapped MSR or MRS, and its function. Returns false if there is none. */
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

/* Finds the row that an id is in. Returns false if it is in none. */
static inline bool avc_call_find(const struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row **row)
{
    const void *entry = avc_hw_opaque(&vcpu->call[avc_call_at(fid / 16, vcpu->call_hash)]);
    uint64_t second, ids = avc_hw_load_pair(entry, &second);

    *row = (const struct avc_call_row *)(uintptr_t)second;
    return avc_likely(ids == fid / 16);
}

/* What a claim of the library's own on calls brings: how the library handles them. */
struct avc_call {
    avc_call_fn *(*find)(const struct avc_vm *vm, uint32_t fid); /* finds an id's function in this VM */
    const uint32_t *ids; /* the ids it knows, ended by 0; NULL: all that the claim covers */
};

/* Returns what a claim of the library's own brings, or NULL for other claims. */
static inline union avc_fast avc_claim_fast(const struct avc_claim *claim)
{
    return claim->kind & AVC_CLAIM_FAST ? *(const union avc_fast *)claim->ctx : (union avc_fast){ NULL };
}

/* Handle accesses to what is claimed with a function, or without one, and reads of ID registers that nobody claims. */
avc_mmio_fn avc_mmio_ask, avc_mmio_leave;
avc_sysreg_fn avc_sysreg_ask, avc_sysreg_leave, avc_sysreg_id;
/* call.c: handle ids that are claimed with a function, or without one, ids that nobody claims, ids that are in no
   row, and ids that the slow path handles. */
avc_call_fn avc_call_ask, avc_call_ask_range, avc_call_leave, avc_call_unknown, avc_call_other, avc_call_slow;

/* Makes vm->mmio, vm->sysreg and vm->call from the sealed claims and vm->id_regs. Tells the vCPUs where they are. */
void avc_index_seal(struct avc_vm *vm);

#endif
