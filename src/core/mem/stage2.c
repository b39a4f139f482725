/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Stage 2 tables, built by the library or adopted: how they are laid out, and where an IPA is mapped. stage2_init.c and
 * stage2_map.c build tables. A program that adopts tables does not link these two.
 *
 * Two decisions apply to all tables:
 * - Walks are Normal, Write-Back, Inner Shareable (VTCR_EL2.IRGN0, ORGN0, SH0), as the host's own mapping of the tables
 *   is. So walkers of the Inner Shareable domain are coherent with the host's stores. Barriers are enough, without
 *   cache maintenance.
 * - FEAT_S2FWB is not used: guests' memory attributes combine with ours, the same on every CPU. So what a guest sees
 *   with its caches off is what it would see on hardware. The embedder cleans loaded images to the point of coherency.
 */
#include "core/mem/s2.h"
#include "core/mem/tlb.h"
#include "core/mem/vmid.h"
#include "core/mem/vtcr.h"

/*
 * Uses the fewest levels: every level costs a guest's TLB miss up to four more memory accesses. One level resolves 9
 * bits, and up to 16 (2^4) tables may be concatenated at the start level (Arm ARM D8.2). So level 2 can start up to 34
 * bits, and level 1 up to 43. Level 0 needs a PA size of 44 bits. A CPU with an IPA size of 44 bits has that, since the
 * IPA size may not be bigger.
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

enum avc_status avc_stage2_prepare(struct avc_stage2 *s2, struct avc_machine *machine, unsigned ipa_bits, size_t *bytes)
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

enum avc_status avc_stage2_check_root(const struct avc_stage2 *s2, avc_pa_t pa, size_t bytes)
{
    if (pa & (bytes - 1))
        return AVC_EALIGN;
    return pa >> s2->pa_bits ? AVC_ERANGE : AVC_OK;
}

enum avc_status avc_stage2_adopt(struct avc_stage2 *s2, struct avc_machine *machine, const struct avc_mem *mem,
                                 avc_pa_t root_pa, unsigned ipa_bits)
{
    enum avc_status status;
    size_t bytes;

    if (mem && !mem->at)
        return AVC_EINVAL;
    status = avc_stage2_prepare(s2, machine, ipa_bits, &bytes);
    if (status)
        return status;
    status = avc_stage2_check_root(s2, root_pa, bytes);
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
    flush(s2); /* before the pages are used for anything else: CPUs may have cached tables in them */
    if (s2->give_back)
        s2->give_back(s2);
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

/* ---- lookup ---- */

static uint32_t attrs_of(uint64_t desc)
{
    uint64_t type = desc & S2_MEMATTR;

    /* MemAttr[3:2] = 0 is any kind of Device. Adopted tables may hold values that the library does not write. */
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

uint64_t avc_stage2_walk_to(const struct avc_stage2 *s2, avc_ipa_t ipa, unsigned *level)
{
    const uint64_t *table = s2->root;
    unsigned at = s2->start_level;
    uint64_t desc = s2_read(&table[ipa >> s2_shift(at)]); /* concatenated tables are one large table */

    while (s2_is_table(desc, at)) {
        table = s2_table(s2, desc);
        at++;
        desc = s2_read(&table[ipa >> s2_shift(at) & 511]);
    }
    *level = at;
    return desc;
}

void avc_stage2_fill_leaf(struct avc_stage2_leaf *leaf, avc_ipa_t ipa, uint64_t desc, unsigned level)
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
    desc = avc_stage2_walk_to(s2, ipa, &level);
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    if (!s2_is_leaf(desc, level))
        return AVC_ENOENT;
    avc_stage2_fill_leaf(&leaf, ipa, desc, level);
    if (pa)
        *pa = leaf.pa + (ipa - leaf.ipa);
    if (attrs)
        *attrs = leaf.attrs;
    if (size)
        *size = leaf.size;
    return AVC_OK;
}
