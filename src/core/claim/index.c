/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The index of what guests ask for most, by hash. It has pages of device registers, system registers (claimed ones, and
 * the ID registers that nobody claims), and function ids by sixteen. Sealing the VM makes its tables, which are
 * constant afterwards, and a trap makes one probe. The tables are only an index. For a key without an entry, the search
 * that every kind of claim has finds the claim. That is so for pages that several claims share, for entries that found
 * no room, and for all but the first keys of a large claim.
 */
#include "core/claim/index.h"
#include "core/claim/claim.h"

/* Keys of one claim that get entries. They are enough for two vCPUs' redistributors, any device, and any group of
   registers. Flash and PCI windows are searched for. */
#define MAX_KEYS 64

/* What a filling of a table returns: how many keys it has left out; with this added, how many that matter. */
#define BAD (1u << 24)

/* Machines have few devices. So nearly all keys find an entry with one of a few multipliers. This fills the table with
   the multiplier with which `fill` returns least. While a few keys that matter are left out, it tries more of them. */
static void choose_hash(struct avc_vm *vm, unsigned (*fill)(struct avc_vm *vm, uint32_t hash))
{
    uint32_t hash = 0x9e3779b1, best = hash; /* 2^32 over the golden ratio, odd */
    unsigned least = ~0u, missed = ~0u;

    for (unsigned n = 0; missed && n < (least - BAD < 8 ? 256 : 64); n++, hash = (hash * 0x01000193 + 0x3c6ef372) | 1) {
        missed = fill(vm, hash);
        if (missed < least) {
            least = missed;
            best = hash;
        }
    }
    if (missed)
        fill(vm, best);
}

/* ---- devices and system registers ---- */

/* Gives entries to pages of a claim, from the nth one on, whose places are empty. Returns how many are left out. */
static unsigned put_pages(struct avc_vm *vm, const struct avc_claim *claim, unsigned nth, unsigned end)
{
    uint64_t first = (claim->first + 0xfff) >> 12;
    avc_mmio_fn *fn = avc_claim_fast(claim).mmio;
    unsigned missed = 0;

    for (; nth < end && first + nth < (claim->last + 1) >> 12; nth++) {
        struct avc_mmio_entry *entry = &vm->mmio[avc_index_at((first + nth) << 4, vm->mmio_hash)];

        missed += entry->claim != NULL;
        if (!entry->claim)
            *entry = (struct avc_mmio_entry){ (first + nth) << 4,
                                              fn          ? fn
                                              : claim->fn ? avc_mmio_ask
                                                          : avc_mmio_leave,
                                              claim };
    }
    return missed;
}

/* The library's own claims come first: guests use them most. Then come the first pages of all others. These matter. The
   others' next pages come before what large claims have behind them. */
static unsigned fill_mmio(struct avc_vm *vm, uint32_t hash)
{
    static const uint8_t turns[][3] = { { 1, 0, MAX_KEYS }, { 0, 0, 1 }, { 0, 1, 4 }, { 0, 4, MAX_KEYS } };
    const struct avc_claim_index *index = &vm->index[AVC_MMIO];
    unsigned missed = 0, matter = 0;

    vm->mmio_hash = hash;
    for (unsigned n = 0; n < AVC_INDEX_SIZE; n++)
        vm->mmio[n] = (struct avc_mmio_entry){ .hpfar = ~UINT64_C(0) };
    for (unsigned turn = 0; turn < 4; turn++) {
        for (uint32_t n = 0; n < index->nr; n++)
            if ((index->claims[n].kind & AVC_CLAIM_BUILTIN ? 1 : 0) == turns[turn][0])
                missed += put_pages(vm, &index->claims[n], turns[turn][1], turns[turn][2]);
        if (turn == 1)
            matter = missed;
    }
    return matter ? BAD + matter : missed;
}

static unsigned put_sysreg(struct avc_vm *vm, uint32_t key, bool read, struct avc_sysreg_entry entry)
{
    uint64_t esr = avc_sysreg_esr(key, read);
    struct avc_sysreg_entry *at = &vm->sysreg[avc_index_at(esr, vm->sysreg_hash)];

    if (at->esr)
        return 1;
    *at = entry;
    at->esr = (uint32_t)esr;
    at->key = key;
    return 0;
}

static unsigned fill_sysreg(struct avc_vm *vm, uint32_t hash)
{
    const struct avc_claim_index *index = &vm->index[AVC_SYSREG];
    unsigned missed = 0;

    vm->sysreg_hash = hash;
    for (unsigned n = 0; n < AVC_INDEX_SIZE; n++)
        vm->sysreg[n] = (struct avc_sysreg_entry){ 0 };
    /* Guests read these most. They come first, so that they have entries however many claims there are. */
    for (uint32_t n = 0; n < AVC_NR_ID_REGS; n++) {
        uint32_t key = AVC_SYSREG_KEY(3, 0, 0, 1, 0) + n;

        if (!avc_claim_find(vm, AVC_SYSREG, key))
            missed +=
                put_sysreg(vm, key, true, (struct avc_sysreg_entry){ .fn = avc_sysreg_id, .value = vm->id_regs[n] });
    }
    for (uint32_t n = 0; n < index->nr; n++) {
        const struct avc_claim *claim = &index->claims[n];
        union avc_fast fast = avc_claim_fast(claim);
        struct avc_sysreg_entry entry = { .fn = fast.sysreg ? fast.sysreg
                                                : claim->fn ? avc_sysreg_ask
                                                            : avc_sysreg_leave,
                                          .claim = claim };

        for (uint64_t key = claim->first; key <= claim->last && key < claim->first + MAX_KEYS; key++)
            missed += put_sysreg(vm, (uint32_t)key, false, entry) + put_sysreg(vm, (uint32_t)key, true, entry);
    }
    return missed;
}

/* ---- calls ---- */

/* Returns the row of an id. If its entry is empty, the id gets a new row. NULL: there is no room. */
static struct avc_call_row *row_of(struct avc_vm *vm, uint32_t fid, unsigned *used)
{
    struct avc_call_entry *entry = &vm->call[avc_call_at(fid / 16, vm->call_hash)];

    if (!entry->row && *used < AVC_CALL_ROWS) {
        entry->ids = fid / 16;
        entry->row = &vm->call_rows[(*used)++];
    }
    /* The rows are the VM's own, and not constant yet. */
    return entry->ids == fid / 16 ? (struct avc_call_row *)(uintptr_t)entry->row : NULL;
}

static bool put_call(struct avc_vm *vm, uint32_t fid, avc_call_fn *fn, const struct avc_claim *claim, unsigned *used)
{
    struct avc_call_row *row = row_of(vm, fid, used);

    if (row) {
        row->fn[fid % 16] = fn;
        row->claim[fid % 16] = claim;
    }
    return row;
}

#define MAX_IDS 256 /* of one claim of the embedder's; a wider one is kept as a range */

/* Has fn handle all ids that none of the first nr ranges has. */
static void end_ranges(struct avc_vm *vm, unsigned nr, avc_call_fn *fn)
{
    vm->call_wide[nr] = (struct avc_call_range){ .first = 0, .span = UINT32_MAX, .fn = fn };
}

/* Keeps the range of a claim whose ids are not all in rows. If there are more such claims than there is room for,
   the slow path searches for all of them. */
static void put_range(struct avc_vm *vm, const struct avc_claim *claim)
{
    unsigned nr = 0;

    while (vm->call_wide[nr].claim)
        nr++;
    if (nr == AVC_CALL_WIDE || vm->call_wide[nr].fn == avc_call_slow) {
        end_ranges(vm, 0, avc_call_slow);
        return;
    }
    vm->call_wide[nr] = (struct avc_call_range){
        .first = (uint32_t)claim->first,
        .span = (uint32_t)(claim->last - claim->first),
        .fn = avc_claim_fast(claim).call ? avc_call_slow
              : claim->fn                ? avc_call_ask_range
                                         : avc_call_leave,
        .claim = claim,
    };
    end_ranges(vm, nr + 1, avc_call_unknown);
}

/* Puts the ids of a claim into rows. Returns how many of them found none. */
static unsigned put_calls(struct avc_vm *vm, const struct avc_claim *claim, unsigned *used)
{
    const struct avc_call *call = avc_claim_fast(claim).call;
    unsigned missed = 0;

    if (call && call->ids) {
        for (const uint32_t *id = call->ids; *id; id++)
            if (*id >= claim->first && *id <= claim->last)
                missed += !put_call(vm, *id, call->find(vm, *id), claim, used);
    } else if (claim->last - claim->first < MAX_IDS) {
        for (uint64_t id = claim->first; id <= claim->last; id++) {
            avc_call_fn *fn = call ? call->find(vm, (uint32_t)id) : claim->fn ? avc_call_ask : avc_call_leave;

            missed += !put_call(vm, (uint32_t)id, fn, claim, used);
        }
    } else {
        put_range(vm, claim);
        return 0;
    }
    if (missed)
        put_range(vm, claim);
    return missed;
}

static unsigned fill_calls(struct avc_vm *vm, uint32_t hash)
{
    const struct avc_claim_index *index = &vm->index[AVC_CALL];
    unsigned used = 0, missed = 0;

    vm->call_hash = hash;
    end_ranges(vm, 0, avc_call_unknown);
    for (unsigned n = 0; n < AVC_CALL_INDEX_SIZE; n++)
        vm->call[n] = (struct avc_call_entry){ ~UINT64_C(0), NULL };
    for (unsigned n = 0; n < AVC_CALL_ROWS * 16; n++)
        vm->call_rows[n / 16].fn[n % 16] = avc_call_other;
    for (unsigned own = 2; own-- > 0;) /* the library's own first: guests make these calls most */
        for (uint32_t n = 0; n < index->nr; n++)
            if ((index->claims[n].kind & AVC_CLAIM_BUILTIN ? 1u : 0u) == own)
                missed += put_calls(vm, &index->claims[n], &used);
    return missed;
}

/* vCPUs have the tables' addresses among their own members, so that a trap finds an entry without reading the VM. */
void avc_index_seal(struct avc_vm *vm)
{
    choose_hash(vm, fill_calls);
    choose_hash(vm, fill_mmio);
    choose_hash(vm, fill_sysreg);
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
