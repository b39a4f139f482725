/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Stage 2 tables: making and unmaking them, and questions to them. Changes are in stage2_map.c.
 *
 * Two decisions for all of it:
 * - Walks are Normal, Write-Back, Inner Shareable (VTCR_EL2.IRGN0, ORGN0, SH0), as the host's own mapping of the tables
 * is: walkers of the Inner Shareable domain are then coherent with its stores, and barriers without cache maintenance
 * do.
 * - No FEAT_S2FWB: guests' memory attributes combine with ours, the same on every CPU, so that what a guest sees with
 * its caches off is what it would see on hardware; the embedder cleans loaded images to the point of coherency.
 */
#include "core/mem/s2.h"
#include "core/mem/tlb.h"
#include "core/mem/vmid.h"
#include "core/mem/vtcr.h"

/*
 * Fewest levels: every level is up to four memory accesses more for a guest's TLB miss. One level resolves 9 bits, and
 * up to 16 (2^4) tables may be concatenated at the start level (Arm ARM D8.2). That is level 2 up to 34 bits, level 1
 * up to 43. Level 0 needs a PA size of 44 bits, which an IPA size of 44 bits has as it may not be bigger.
 */
enum avc_status avc_stage2_root_layout(unsigned ipa_bits, unsigned *start_level, size_t *bytes)
{
    unsigned level, entry_bits;

    if (!start_level || !bytes)
        return AVC_EINVAL;
    if (ipa_bits < 32 || ipa_bits > 48)
        return AVC_ERANGE;
    level = ipa_bits <= 34 ? 2 : ipa_bits <= 43 ? 1 : 0;
    entry_bits = ipa_bits - s2_shift(level);
    *start_level = level;
    *bytes = AVC_PAGE_SIZE << (entry_bits > 9 ? entry_bits - 9 : 0);
    return AVC_OK;
}

static enum avc_status prepare(struct avc_stage2 *s2, struct avc_machine *machine, unsigned ipa_bits, size_t *bytes)
{
    unsigned have, level;
    enum avc_status status;

    if (!s2 || !machine)
        return AVC_EINVAL;
    if ((uintptr_t)s2 % _Alignof(struct avc_stage2))
        return AVC_EALIGN;
    if (s2->magic == AVC_MAGIC_STAGE2)
        return AVC_EEXIST;
    if (machine->magic != AVC_MAGIC_MACHINE)
        return AVC_ENOENT;
    have = avc_stage2_pa_bits(&machine->features);
    if (!have)
        return AVC_ESTATE;
    if (!ipa_bits)
        ipa_bits = have < 40 ? have : 40;
    if (ipa_bits > have)
        return AVC_ERANGE;
    status = avc_stage2_root_layout(ipa_bits, &level, bytes);
    if (status)
        return status;
    *s2 = (struct avc_stage2){
        .machine = machine,
        .ipa_bits = (uint8_t)ipa_bits,
        .pa_bits = (uint8_t)have,
        .start_level = (uint8_t)level,
        .root_pages = (uint32_t)(*bytes / AVC_PAGE_SIZE),
    };
    return AVC_OK;
}

static enum avc_status check_root(const struct avc_stage2 *s2, avc_pa_t pa, size_t bytes)
{
    if (pa & (bytes - 1))
        return AVC_EALIGN;
    return pa >> s2->pa_bits ? AVC_ERANGE : AVC_OK;
}

enum avc_status avc_stage2_init(struct avc_stage2 *s2, struct avc_machine *machine, const struct avc_mem *mem,
                                unsigned ipa_bits)
{
    enum avc_status status;
    avc_pa_t pa = 0;
    uint64_t *root;
    size_t bytes;

    if (!mem || !mem->get || !mem->put || !mem->at)
        return AVC_EINVAL;
    status = prepare(s2, machine, ipa_bits, &bytes);
    if (status)
        return status;
    root = mem->get(mem->ctx, bytes, &pa);
    if (!root)
        return AVC_ENOMEM;
    status = (uintptr_t)root & (bytes - 1) ? AVC_EALIGN : check_root(s2, pa, bytes);
    if (status) {
        mem->put(mem->ctx, root, bytes);
        return status;
    }
    for (size_t i = 0; i < bytes / sizeof *root; i++)
        s2_write(&root[i], 0);
    avc_hw_dsb_ishst(); /* before any CPU can be told of it */
    s2->mem = *mem;
    s2->root = root;
    s2->root_pa = s2->reach = pa;
    s2->magic = AVC_MAGIC_STAGE2;
    return AVC_OK;
}

enum avc_status avc_stage2_adopt(struct avc_stage2 *s2, struct avc_machine *machine, const struct avc_mem *mem,
                                 avc_pa_t root_pa, unsigned ipa_bits)
{
    enum avc_status status;
    size_t bytes;

    if (mem && !mem->at)
        return AVC_EINVAL;
    status = prepare(s2, machine, ipa_bits, &bytes);
    if (status)
        return status;
    status = check_root(s2, root_pa, bytes);
    if (status)
        return status;
    if (mem) {
        s2->mem = *mem;
        s2->root = mem->at(mem->ctx, root_pa);
    }
    s2->root_pa = s2->reach = root_pa;
    s2->adopted = true;
    s2->magic = AVC_MAGIC_STAGE2;
    return AVC_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): once a level, of which there are four */
static void free_tables(struct avc_stage2 *s2, uint64_t *table, unsigned level, size_t entries)
{
    for (size_t i = 0; i < entries; i++) {
        uint64_t desc = s2_read(&table[i]);
        uint64_t *child;

        if (!s2_is_table(desc, level))
            continue;
        child = s2_table(s2, desc);
        free_tables(s2, child, level + 1, 512);
        s2->mem.put(s2->mem.ctx, child, AVC_PAGE_SIZE);
    }
}

/* All that TLBs hold of a VM, stages 1 and 2, on all CPUs. */
static void flush(struct avc_stage2 *s2)
{
    uint64_t token, daif = avc_hw_irq_save();

    avc_hw_dsb_ishst();
    token = avc_vmid_token(s2);
    if (token)
        avc_tlb_flush_vm(&(struct avc_tlb_regime){ avc_stage2_vtcr(s2), avc_stage2_vttbr(s2, token) },
                         &s2->machine->features);
    avc_hw_irq_restore(daif);
}

enum avc_status avc_stage2_destroy(struct avc_stage2 *s2)
{
    if (!s2)
        return AVC_EINVAL;
    if (s2->magic != AVC_MAGIC_STAGE2)
        return AVC_ENOENT;
    if (s2->vm || avc_vmid_in_use(s2))
        return AVC_EBUSY;
    s2->magic = 0;
    flush(s2); /* before the pages can be anything else: tables in them may be cached */
    if (!s2->adopted) {
        free_tables(s2, s2->root, s2->start_level, AVC_BIT(s2->ipa_bits - s2_shift(s2->start_level)));
        s2->mem.put(s2->mem.ctx, s2->root, s2->root_pages * AVC_PAGE_SIZE);
    }
    s2->root = NULL;
    return AVC_OK;
}

enum avc_status avc_stage2_flush(struct avc_stage2 *s2)
{
    uint64_t daif;

    if (!s2)
        return AVC_EINVAL;
    if (s2->magic != AVC_MAGIC_STAGE2)
        return AVC_ENOENT;
    daif = avc_hw_irq_save();
    avc_lock(&s2->lock);
    flush(s2);
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

/* ---- questions ---- */

bool avc_stage2_desc(uint32_t attrs, uint64_t *desc)
{
    uint32_t type = attrs & ~AVC_RWX;

    if ((type != AVC_NORMAL && type != AVC_DEVICE && type != AVC_NC) || (attrs & (AVC_R | AVC_X)) == AVC_X ||
        (type == AVC_DEVICE && attrs & AVC_X))
        return false;
    *desc = S2_AF | S2_INNER |
            (type == AVC_DEVICE ? S2_DEVICE
             : type == AVC_NC   ? S2_NC
                                : S2_NORMAL) |
            (attrs & AVC_R ? S2_READ : 0) | (attrs & AVC_W ? S2_WRITE : 0) | (attrs & AVC_X ? 0 : S2_NEVER);
    return true;
}

static uint32_t attrs_of(uint64_t desc)
{
    uint64_t type = desc & S2_MEMATTR;

    /* MemAttr[3:2] = 0 is Device of any kind; adopted tables may hold what we do not write */
    return (type >> 4 ? 0 : AVC_DEVICE) | (type == S2_NC ? AVC_NC : 0) | (desc & S2_READ ? AVC_R : 0) |
           (desc & S2_WRITE ? AVC_W : 0) | (desc & S2_XN ? 0 : AVC_X);
}

enum avc_status avc_stage2_check(const struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size)
{
    if (!s2 || !size)
        return AVC_EINVAL;
    if (s2->magic != AVC_MAGIC_STAGE2)
        return AVC_ENOENT;
    if ((ipa | size) & (AVC_PAGE_SIZE - 1))
        return AVC_EALIGN;
    if (ipa + size < ipa || ipa >> s2->ipa_bits || (ipa + size - 1) >> s2->ipa_bits)
        return AVC_ERANGE;
    return AVC_OK;
}

/* Where the walk of an IPA ends, be the entry valid or not. With the lock. */
static uint64_t walk_to(const struct avc_stage2 *s2, avc_ipa_t ipa, unsigned *level)
{
    const uint64_t *table = s2->root;
    unsigned at = s2->start_level;
    uint64_t desc = s2_read(&table[ipa >> s2_shift(at)]); /* concatenated tables are one big one */

    while (s2_is_table(desc, at)) {
        table = s2_table(s2, desc);
        at++;
        desc = s2_read(&table[ipa >> s2_shift(at) & 511]);
    }
    *level = at;
    return desc;
}

static void fill_leaf(struct avc_stage2_leaf *leaf, avc_ipa_t ipa, uint64_t desc, unsigned level)
{
    leaf->size = AVC_BIT(s2_shift(level));
    leaf->ipa = ipa & ~(leaf->size - 1);
    leaf->pa = desc & S2_OA & ~(leaf->size - 1); /* a block's lower bits may hold nT (FEAT_BBM) */
    leaf->attrs = attrs_of(desc);
}

enum avc_status avc_stage2_lookup(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t *pa, uint32_t *attrs, uint64_t *size)
{
    struct avc_stage2_leaf leaf;
    uint64_t daif, desc;
    unsigned level;

    if (!s2)
        return AVC_EINVAL;
    if (s2->magic != AVC_MAGIC_STAGE2)
        return AVC_ENOENT;
    if (ipa >> s2->ipa_bits)
        return AVC_ERANGE;
    if (!s2->root)
        return AVC_ENOTSUP;
    daif = avc_hw_irq_save();
    avc_lock(&s2->lock);
    desc = walk_to(s2, ipa, &level);
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    if (!s2_is_leaf(desc, level))
        return AVC_ENOENT;
    fill_leaf(&leaf, ipa, desc, level);
    if (pa)
        *pa = leaf.pa + (ipa - leaf.ipa);
    if (attrs)
        *attrs = leaf.attrs;
    if (size)
        *size = leaf.size;
    return AVC_OK;
}

/* The next leaf at or above *pos and below end; *pos moves behind it, or behind the emptiness seen so far. */
static bool next_leaf(struct avc_stage2 *s2, avc_ipa_t *pos, avc_ipa_t end, struct avc_stage2_leaf *leaf)
{
    uint64_t daif = avc_hw_irq_save();
    bool found = false;

    avc_lock(&s2->lock);
    for (unsigned n = 0; n < 512 && *pos < end && !found; n++) { /* bounded: interrupts are masked */
        unsigned level;
        uint64_t desc = walk_to(s2, *pos, &level);

        found = s2_is_leaf(desc, level);
        if (found)
            fill_leaf(leaf, *pos, desc, level);
        *pos = (*pos | (AVC_BIT(s2_shift(level)) - 1)) + 1;
    }
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    return found;
}

enum avc_status avc_stage2_walk(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size,
                                enum avc_status (*fn)(void *ctx, const struct avc_stage2_leaf *leaf), void *ctx)
{
    enum avc_status status = fn ? avc_stage2_check(s2, ipa, size) : AVC_EINVAL;
    avc_ipa_t end = ipa + size;

    if (!status && !s2->root)
        status = AVC_ENOTSUP;
    while (!status && ipa < end) {
        struct avc_stage2_leaf leaf;

        if (next_leaf(s2, &ipa, end, &leaf))
            status = fn(ctx, &leaf);
    }
    return status;
}
