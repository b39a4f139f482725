/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Changes of stage 2 tables: map, unmap, protect.
 *
 * Each change goes over the tables twice with one function. The dry pass finds what is wrong and counts the pages that
 * the change will need. It writes nothing. The pages are then fetched without a lock, since that calls the embedder.
 * Another CPU may have changed the map meanwhile, so the dry pass is repeated. When there are enough pages, the second
 * pass cannot fail: all or nothing.
 *
 * There are two locks. `changing` orders changes. It is held over both passes, however long they are, and so with
 * interrupts as the caller has them. `lock` is for those who read the tables in a trap. It is held, with interrupts
 * masked, for what no reader may see, and that is the gap between break and make alone: commit(). Otherwise a reader
 * finds each entry old or new, and each table that an entry names complete, as a table walker of the hardware does. A
 * table that was taken out is given back after commit() has had `lock`, so no reader is in it any more.
 *
 * What the walkers of running vCPUs may see (Arm ARM D8, "Using break-before-make when updating translation table
 * entries"):
 * - invalid to valid: a store. Invalid entries are not cached. A new table is complete, and a DSB follows, before it is
 *   linked.
 * - valid to invalid: a store, then TLB maintenance. Only after that is the mapped memory, or the table, reused.
 * - permissions alone: a store over the valid entry, then TLB maintenance. It is always done, since a TLB may cache an
 *   entry that forbids as well as one that permits.
 * - memory type, or a block that becomes a table: break before make, by replace().
 */
#include "core/mem/s2.h"
#include "core/mem/tlb.h"
#include "core/mem/vmid.h"
#include "core/mem/vtcr.h"

enum what { MAP, UNMAP, PROTECT };

/* Pages that are in no table, or no longer in one, form lists. They are linked through their first entry, by PA.
   That is an invalid descriptor (bit 0), so a walker that still is in such a page finds nothing there. */
#define LIST_END UINT64_C(2)

struct change {
    struct avc_stage2 *s2;
    enum what what;
    avc_ipa_t ipa, end;
    uint64_t delta; /* MAP: PA - IPA, modulo 2^64 */
    uint64_t attrs; /* MAP, PROTECT: as in a leaf */
    bool dry;
    uint32_t need;    /* counted by the dry pass: pages, */
    bool found;       /* is there anything to unmap? */
    uint64_t pages;   /* list: to be used */
    uint64_t emptied; /* list: to be given back */
    avc_pa_t reach;   /* all bits that are set in any PA of the change */
    uint64_t absent;  /* 0: stands for each entry of a table that the dry pass would make */
    struct avc_tlb_batch tlb;
};

static enum avc_status change_range(struct change *c, uint64_t *table, unsigned level, avc_ipa_t lo, avc_ipa_t end,
                                    bool live);

/* Breaks what is to be replaced, makes the TLBs forget what was changed, and writes the second halves. A CPU that takes
   a VMID for the VM after the DSB walks the new tables: see avc_vmid_token(). */
static void commit(struct change *c)
{
    struct avc_stage2 *s2 = c->s2;
    uint64_t token, daif;

    if (!c->tlb.nr)
        return;
    daif = avc_hw_irq_save();
    avc_lock(&s2->lock);
    if (c->tlb.nr_makes)
        avc_tlb_break(&c->tlb);
    avc_hw_dsb_ishst();
    token = avc_vmid_token(s2);
    if (token)
        avc_tlb_forget(&c->tlb, &(struct avc_tlb_regime){ avc_stage2_vtcr(s2), avc_stage2_vttbr(s2, token) },
                       &s2->machine->features);
    avc_tlb_make(&c->tlb);
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
}

static void replace(struct change *c, uint64_t *entry, uint64_t desc, avc_ipa_t ipa, uint64_t size)
{
    if (avc_tlb_is_full(&c->tlb))
        commit(c);
    avc_tlb_replace(&c->tlb, entry, desc, ipa, size);
}

static void push(const struct change *c, uint64_t *list, avc_pa_t pa)
{
    s2_write(s2_table(c->s2, pa), *list);
    *list = pa;
}

static uint64_t *pop(const struct change *c, uint64_t *list, avc_pa_t *pa)
{
    uint64_t *page = s2_table(c->s2, *list);

    *pa = *list;
    *list = s2_read(page);
    return page;
}

/* Makes the bits of a leaf from attributes. Returns false if they are not a valid set. */
static bool desc_of(uint32_t attrs, uint64_t *desc)
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

static uint64_t leaf_of(avc_pa_t pa, uint64_t attrs, unsigned level)
{
    return pa | attrs | S2_VALID | (level == 3 ? S2_TABLE : 0);
}

/* ---- one entry; [lo, end) is the part of the change that lies in it ---- */

/* NOLINTBEGIN(misc-no-recursion): once a level, of which there are four: BOUNDED in bench/stack.py */

/* Fills an entry that is invalid. In the dry pass its table may not exist yet (`entry` is c->absent). */
static enum avc_status fill(struct change *c, uint64_t *entry, unsigned level, avc_ipa_t lo, avc_ipa_t end)
{
    uint64_t size = AVC_BIT(s2_shift(level)), *table = NULL;
    avc_pa_t pa = lo + c->delta;
    enum avc_status status;

    if (level && end - lo == size && !(pa & (size - 1))) {
        if (!c->dry)
            s2_write(entry, leaf_of(pa, c->attrs, level));
        return AVC_OK;
    }
    if (c->dry) {
        c->need++;
        return level == 2 ? AVC_OK : change_range(c, NULL, level + 1, lo, end, false);
    }
    table = pop(c, &c->pages, &pa);
    for (unsigned i = 0; i < 512; i++)
        s2_write(&table[i], 0);
    status = change_range(c, table, level + 1, lo, end, false);
    avc_hw_dsb_ishst();
    s2_write(entry, pa | S2_VALID | S2_TABLE);
    c->s2->tables++;
    return status;
}

/* Splits a block of which a part changes. */
static enum avc_status split(struct change *c, uint64_t *entry, uint64_t desc, unsigned level, avc_ipa_t lo,
                             avc_ipa_t end, bool live)
{
    uint64_t size = AVC_BIT(s2_shift(level)), part = size >> 9, attrs = desc & ~(S2_OA | S2_VALID | S2_TABLE);
    uint64_t *table;
    enum avc_status status;
    avc_pa_t pa;

    if (c->dry) {
        c->need++;
        if (level == 1) { /* and its 2 MiB parts that lie across an end of the change, of which there are two at most */
            avc_ipa_t first = lo & ~(part - 1), last = (end - 1) & ~(part - 1);

            c->need += lo != first || end - first < part;
            c->need += last != first && end != last + part;
        }
        return AVC_OK;
    }
    table = pop(c, &c->pages, &pa);
    for (unsigned i = 0; i < 512; i++)
        s2_write(&table[i], leaf_of((desc & S2_OA) + i * part, attrs, level + 1));
    status = change_range(c, table, level + 1, lo, end, false);
    pa |= S2_VALID | S2_TABLE;
    avc_hw_dsb_ishst();
    if (live)
        replace(c, entry, pa, lo & ~(size - 1), size);
    else
        s2_write(entry, pa);
    c->s2->tables++;
    return status;
}

static enum avc_status change_leaf(struct change *c, uint64_t *entry, uint64_t desc, unsigned level, avc_ipa_t lo,
                                   avc_ipa_t end, bool live)
{
    uint64_t size = AVC_BIT(s2_shift(level)), to;
    avc_ipa_t base = lo & ~(size - 1);

    if (c->what == MAP)
        return desc == leaf_of(base + c->delta, c->attrs, level) ? AVC_OK : AVC_EEXIST;
    c->found = true;
    to = c->what == PROTECT ? leaf_of(desc & S2_OA, c->attrs, level) : 0;
    if (to == desc)
        return AVC_OK;
    if (end - lo < size)
        return split(c, entry, desc, level, lo, end, live);
    if (c->dry)
        return AVC_OK;
    if (live && to && (to ^ desc) & S2_MEMATTR) {
        replace(c, entry, to, base, size);
        return AVC_OK;
    }
    s2_write(entry, to);
    if (live)
        avc_tlb_add(&c->tlb, base, size);
    return AVC_OK;
}

static bool is_empty(const uint64_t *table)
{
    for (unsigned i = 0; i < 512; i++)
        if (s2_read(&table[i]))
            return false;
    return true;
}

static enum avc_status change_entry(struct change *c, uint64_t *entry, unsigned level, avc_ipa_t lo, avc_ipa_t end,
                                    bool live)
{
    uint64_t desc = s2_read(entry), *table;
    enum avc_status status;

    if (s2_is_leaf(desc, level))
        return change_leaf(c, entry, desc, level, lo, end, live);
    if (!s2_is_table(desc, level)) {
        if (c->what == MAP)
            return fill(c, entry, level, lo, end);
        return c->what == PROTECT ? AVC_ENOENT : AVC_OK;
    }
    table = s2_table(c->s2, desc);
    status = change_range(c, table, level + 1, lo, end, live);
    if (c->what == UNMAP && !c->dry && is_empty(table)) {
        s2_write(entry, 0);
        c->tlb.tables = true;
        push(c, &c->emptied, desc & S2_OA);
        c->s2->tables--;
    }
    return status;
}

/* Changes the entries of a table for [lo, end), which lies in the table. table: NULL if the dry pass would make it.
   live: walkers can reach the table. */
static enum avc_status change_range(struct change *c, uint64_t *table, unsigned level, avc_ipa_t lo, avc_ipa_t end,
                                    bool live)
{
    uint64_t size = AVC_BIT(s2_shift(level));
    uint64_t mask = level == c->s2->start_level ? ~UINT64_C(0) : 511;
    enum avc_status status = AVC_OK;

    while (lo < end && !status) {
        avc_ipa_t next = (lo | (size - 1)) + 1;

        status = change_entry(c, table ? &table[lo >> s2_shift(level) & mask] : &c->absent, level, lo,
                              next < end ? next : end, live);
        lo = next;
    }
    return status;
}

/* NOLINTEND(misc-no-recursion) */

/* ---- the two passes ---- */

static enum avc_status pass(struct change *c, bool dry)
{
    c->dry = dry;
    c->need = 0;
    c->found = false;
    return change_range(c, c->s2->root, c->s2->start_level, c->ipa, c->end, true);
}

/* Tries the change. Returns AVC_ENOMEM if it needs more than `have` pages. */
static enum avc_status attempt(struct change *c, uint32_t have)
{
    enum avc_status status;

    avc_lock(&c->s2->changing);
    status = pass(c, true);
    if (!status && c->what == UNMAP && !c->found)
        status = AVC_ENOENT;
    if (!status && c->need > have)
        status = AVC_ENOMEM;
    if (!status) {
        status = pass(c, false);
        c->s2->reach |= c->reach;
        commit(c);
        /* From here on all walks see what became valid, this CPU's too (D8, "Translation table walks and barriers"). */
        avc_hw_dsb_ishst();
        avc_hw_isb();
    }
    avc_unlock(&c->s2->changing);
    return status;
}

static enum avc_status get_page(struct change *c)
{
    const struct avc_mem *mem = &c->s2->mem;
    avc_pa_t pa = 0;
    void *page = mem->get(mem->ctx, AVC_PAGE_SIZE, &pa);

    if (!page)
        return AVC_ENOMEM;
    if (((uintptr_t)page | pa) & (AVC_PAGE_SIZE - 1) || pa >> c->s2->pa_bits) {
        mem->put(mem->ctx, page, AVC_PAGE_SIZE);
        return pa >> c->s2->pa_bits ? AVC_ERANGE : AVC_EALIGN;
    }
    push(c, &c->pages, pa);
    c->reach |= pa;
    return AVC_OK;
}

static void put_pages(struct change *c, uint64_t *list)
{
    avc_pa_t pa;

    while (*list != LIST_END) {
        uint64_t *page = pop(c, list, &pa);

        c->s2->mem.put(c->s2->mem.ctx, page, AVC_PAGE_SIZE);
    }
}

/* The caller has filled in c->attrs, delta and reach, as far as the change needs them. An initialiser would clear
   all of tlb's arrays. */
static enum avc_status change(struct change *c, struct avc_stage2 *s2, enum what what, avc_ipa_t ipa, uint64_t size)
{
    enum avc_status status;
    uint32_t have = 0;

    if (s2->adopted)
        return AVC_ENOTSUP;
    c->s2 = s2;
    c->what = what;
    c->ipa = ipa;
    c->end = ipa + size;
    c->pages = c->emptied = LIST_END;
    c->absent = 0;
    c->tlb.nr = c->tlb.nr_makes = 0;
    c->tlb.tables = false;
    while ((status = attempt(c, have)) == AVC_ENOMEM) {
        for (uint32_t want = c->need; have < want; have++) {
            status = get_page(c);
            if (status)
                goto out;
        }
    }
out:
    put_pages(c, &c->pages);
    put_pages(c, &c->emptied);
    return status;
}

enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size, uint32_t attrs)
{
    struct change c;
    enum avc_status status = desc_of(attrs, &c.attrs) ? avc_stage2_check(s2, ipa, size) : AVC_EINVAL;

    if (status)
        return status;
    if (pa & (AVC_PAGE_SIZE - 1))
        return AVC_EALIGN;
    if (pa + size < pa || (pa + size - 1) >> s2->pa_bits)
        return AVC_ERANGE;
    c.delta = pa - ipa;
    c.reach = pa | (pa + size - 1);
    return change(&c, s2, MAP, ipa, size);
}

enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size)
{
    struct change c;
    enum avc_status status = avc_stage2_check(s2, ipa, size);

    c.reach = 0;
    return status ? status : change(&c, s2, UNMAP, ipa, size);
}

enum avc_status avc_stage2_protect(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size, uint32_t attrs)
{
    struct change c;
    enum avc_status status = desc_of(attrs, &c.attrs) ? avc_stage2_check(s2, ipa, size) : AVC_EINVAL;

    c.reach = 0;
    return status ? status : change(&c, s2, PROTECT, ipa, size);
}
