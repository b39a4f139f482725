/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* TLBs that keep all that they may: see tlb.h. */
#include "tlb.h"

#include <string.h>

#include "pages.h"

#define NR_COMBINED 24
#define NR_STAGE2   16
#define NR_WALK     8
#define NR_PENDING  64

#define HCR_E2H_TGE (UINT64_C(1) << 34 | UINT64_C(1) << 27)
#define TCR_EPD     (UINT64_C(1) << 7 | UINT64_C(1) << 23)
#define OA          UINT64_C(0x0000fffffffff000)

struct combined {
    bool valid, global;
    uint16_t asid;
    uint64_t vmid, va;
    struct fake_leaf leaf;
};

struct stage2 {
    bool valid;
    uint64_t vmid;
    struct fake_leaf leaf;
};

struct walk { /* "the table of `level` for the IPAs from `ipa` on is at `table`" */
    bool valid;
    uint64_t vmid, ipa, table;
    unsigned level;
};

struct pending {
    enum fake_op op;
    uint64_t value, vmid;
    bool effect; /* false: it was for another regime */
};

static struct tlb {
    struct combined combined[NR_COMBINED];
    struct stage2 stage2[NR_STAGE2];
    struct walk walk[NR_WALK];
    struct pending pending[NR_PENDING];
    unsigned nr_pending;
    bool unsynchronised; /* a register that TLBI depends on was written after the last ISB */
} tlbs[FAKE_MAX_CPUS];

void (*fake_tlb_on_gap)(void);
uint64_t fake_tlb_home[FAKE_MAX_CPUS];
const char *fake_tlb_error;
uint64_t fake_tlb_hits, fake_tlb_walks;

static uint64_t seed;

uint64_t fake_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static void broken(const char *rule)
{
    if (!fake_tlb_error)
        fake_tlb_error = rule;
}

static uint64_t vmid_of(uint64_t vtcr, uint64_t vttbr)
{
    return vttbr >> 48 & (vtcr >> 19 & 1 ? 0xffff : 0xff);
}

/* ---- walk ---- */

static unsigned shift_of(unsigned level)
{
    return 39 - 9 * level;
}

/* Walks from a table on. `note` is told of the tables on the way. */
static bool walk_from(uint64_t table, unsigned level, uint64_t index, uint64_t ipa, struct fake_leaf *leaf,
                      void (*note)(void *ctx, unsigned level, uint64_t ipa, uint64_t table), void *ctx)
{
    for (;; level++, index = ipa >> shift_of(level) & 511) {
        uint64_t size = UINT64_C(1) << shift_of(level), desc;
        const uint64_t *page = fake_pages_at(table + index / 512 * 4096);

        if (!page) {
            broken("a walk went through memory that is no table");
            return false;
        }
        desc = __atomic_load_n(&page[index % 512], __ATOMIC_RELAXED);
        if (!(desc & 1) || (level == 3 && !(desc & 2)))
            return false;
        if (level == 3 || !(desc & 2)) {
            if (!level)
                broken("a block at level 0");
            if (desc & OA & (size - 1))
                broken("a block that is not aligned");
            if (!(desc & UINT64_C(1) << 10))
                broken("no access flag");
            leaf->ipa = ipa & ~(size - 1);
            leaf->pa = desc & OA;
            leaf->size = size;
            leaf->attrs = desc & ~(OA | 3);
            return true;
        }
        table = desc & OA;
        if (note)
            note(ctx, level + 1, ipa & ~(size - 1), table);
    }
}

static bool walk_root(uint64_t vtcr, uint64_t vttbr, uint64_t ipa, struct fake_leaf *leaf,
                      void (*note)(void *ctx, unsigned level, uint64_t ipa, uint64_t table), void *ctx)
{
    static const unsigned pa_sizes[8] = { 32, 36, 40, 42, 44, 48, 52, 0 };
    unsigned bits = 64 - (vtcr & 63), level = 2 - (vtcr >> 6 & 3);

    if (ipa >> bits)
        return false;
    if (!walk_from(vttbr & OA, level, ipa >> shift_of(level), ipa, leaf, note, ctx))
        return false;
    if ((leaf->pa + leaf->size - 1) >> pa_sizes[vtcr >> 16 & 7]) {
        broken("an output address beyond VTCR_EL2.PS");
        return false;
    }
    return true;
}

bool fake_stage2_walk(uint64_t vtcr, uint64_t vttbr, uint64_t ipa, struct fake_leaf *leaf)
{
    return walk_root(vtcr, vttbr, ipa, leaf, NULL, NULL);
}

/* ---- cache ---- */

struct noter {
    struct tlb *tlb;
    uint64_t vmid;
};

static void keep_walk(void *ctx, unsigned level, uint64_t ipa, uint64_t table)
{
    struct noter *n = ctx;

    if (fake_random() % 4 == 0)
        n->tlb->walk[fake_random() % NR_WALK] = (struct walk){ true, n->vmid, ipa, table, level };
}

static void keep_stage2(struct tlb *t, uint64_t vmid, const struct fake_leaf *leaf)
{
    /* Entries that overlap may only differ in permissions. If not, the library has missed a break-before-make. */
    for (unsigned i = 0; i < NR_STAGE2; i++) {
        const struct fake_leaf *old = &t->stage2[i].leaf;

        if (t->stage2[i].valid && t->stage2[i].vmid == vmid && old->ipa < leaf->ipa + leaf->size &&
            leaf->ipa < old->ipa + old->size &&
            (old->size != leaf->size || old->pa != leaf->pa || (old->attrs ^ leaf->attrs) & 0x33c))
            broken("two entries in conflict: made before it was broken");
    }
    t->stage2[fake_random() % NR_STAGE2] = (struct stage2){ true, vmid, *leaf };
}

static bool find_stage2(struct tlb *t, uint64_t vmid, uint64_t vtcr, uint64_t vttbr, uint64_t ipa,
                        struct fake_leaf *leaf)
{
    struct noter noter = { t, vmid };
    unsigned start = (unsigned)(fake_random() % NR_STAGE2);
    bool again = fake_random() % 8 == 0; /* a walker may fetch it again though it is there */

    for (unsigned n = 0; n < NR_STAGE2 && !again; n++) {
        const struct stage2 *s = &t->stage2[(start + n) % NR_STAGE2];

        if (s->valid && s->vmid == vmid && ipa - s->leaf.ipa < s->leaf.size) {
            *leaf = s->leaf;
            fake_tlb_hits++;
            return true;
        }
    }
    fake_tlb_walks++;
    for (unsigned n = 0; n < NR_WALK; n++) {
        const struct walk *w = &t->walk[n];

        if (w->valid && w->vmid == vmid && (ipa ^ w->ipa) >> shift_of(w->level - 1) == 0) {
            if (!walk_from(w->table, w->level, ipa >> shift_of(w->level) & 511, ipa, leaf, keep_walk, &noter))
                return false;
            keep_stage2(t, vmid, leaf);
            return true;
        }
    }
    if (!walk_root(vtcr, vttbr, ipa, leaf, keep_walk, &noter))
        return false;
    if (fake_random() % 2)
        keep_stage2(t, vmid, leaf);
    return true;
}

bool fake_tlb_access(unsigned cpu, const struct fake_s1 *s1, struct fake_leaf *leaf)
{
    struct tlb *t = &tlbs[cpu];
    uint64_t vttbr = fake_cpus[cpu].reg[FAKE_VTTBR_EL2], vtcr = fake_cpus[cpu].reg[FAKE_VTCR_EL2];
    uint64_t vmid = vmid_of(vtcr, vttbr);
    unsigned start = (unsigned)(fake_random() % NR_COMBINED);

    for (unsigned n = 0; n < NR_COMBINED; n++) {
        const struct combined *c = &t->combined[(start + n) % NR_COMBINED];

        if (c->valid && c->vmid == vmid && c->va == s1->va && (c->global || c->asid == s1->asid)) {
            *leaf = c->leaf;
            fake_tlb_hits++;
            return true;
        }
    }
    if (!find_stage2(t, vmid, vtcr, vttbr, s1->ipa, leaf))
        return false;
    leaf->pa += s1->ipa - leaf->ipa; /* stage 1 maps pages */
    leaf->ipa = s1->ipa;
    leaf->size = 4096;
    t->combined[fake_random() % NR_COMBINED] = (struct combined){ true, s1->global, s1->asid, vmid, s1->va, *leaf };
    return true;
}

/* ---- forget ---- */

static void drop_combined(struct tlb *t, uint64_t vmid, bool all)
{
    for (unsigned i = 0; i < NR_COMBINED; i++)
        if (all || t->combined[i].vmid == vmid)
            t->combined[i].valid = false;
}

static void drop_stage2(struct tlb *t, uint64_t vmid, bool all, uint64_t ipa, uint64_t size, bool last_level)
{
    for (unsigned i = 0; i < NR_STAGE2; i++) {
        const struct fake_leaf *l = &t->stage2[i].leaf;

        if (all || (t->stage2[i].vmid == vmid && l->ipa < ipa + size && ipa < l->ipa + l->size))
            t->stage2[i].valid = false;
    }
    for (unsigned i = 0; i < NR_WALK && !last_level; i++) {
        const struct walk *w = &t->walk[i];
        uint64_t covers = w->valid ? UINT64_C(1) << shift_of(w->level - 1) : 0;

        if (all || (w->vmid == vmid && w->ipa < ipa + size && ipa < w->ipa + covers))
            t->walk[i].valid = false;
    }
}

static void drop_range(struct tlb *t, const struct pending *p, bool last_level)
{
    uint64_t scale = p->value >> 44 & 3, num = p->value >> 39 & 31;

    if ((p->value >> 46 & 3) != 1)
        broken("range TLBI of another granule");
    drop_stage2(t, p->vmid, false, (p->value & 0x1fffffffff) << 12, (num + 1) << (5 * scale + 1) << 12, last_level);
}

static void drop(struct tlb *t, const struct pending *p)
{
    switch (p->op) {
    case FAKE_OP_tlbi_alle1:
    case FAKE_OP_tlbi_alle1is:
        drop_combined(t, 0, true);
        drop_stage2(t, 0, true, 0, 0, false);
        break;
    case FAKE_OP_tlbi_vmalls12e1:
    case FAKE_OP_tlbi_vmalls12e1is:
        drop_combined(t, p->vmid, false);
        drop_stage2(t, p->vmid, false, 0, UINT64_MAX, false);
        break;
    case FAKE_OP_tlbi_vmalle1:
    case FAKE_OP_tlbi_vmalle1is:
        drop_combined(t, p->vmid, false);
        break;
    case FAKE_OP_tlbi_ipas2e1is:
    case FAKE_OP_tlbi_ipas2le1is:
        drop_stage2(t, p->vmid, false, (p->value & 0xfffffffff) << 12, 4096, p->op == FAKE_OP_tlbi_ipas2le1is);
        break;
    case FAKE_OP_tlbi_ripas2e1is:
    case FAKE_OP_tlbi_ripas2le1is:
        drop_range(t, p, p->op == FAKE_OP_tlbi_ripas2le1is);
        break;
    default:
        break;
    }
}

static bool is_local(enum fake_op op)
{
    return op == FAKE_OP_tlbi_alle1 || op == FAKE_OP_tlbi_vmalle1 || op == FAKE_OP_tlbi_vmalls12e1;
}

static bool is_tlbi(enum fake_op op)
{
    return is_local(op) || op == FAKE_OP_tlbi_alle1is || op == FAKE_OP_tlbi_vmalls12e1is ||
           op == FAKE_OP_tlbi_vmalle1is || op == FAKE_OP_tlbi_ipas2e1is || op == FAKE_OP_tlbi_ipas2le1is ||
           op == FAKE_OP_tlbi_ripas2e1is || op == FAKE_OP_tlbi_ripas2le1is;
}

static void gap(unsigned cpu)
{
    const uint64_t *reg = fake_cpus[cpu].reg;
    uint64_t vmid = vmid_of(reg[FAKE_VTCR_EL2], reg[FAKE_VTTBR_EL2]);
    bool vhe = reg[FAKE_HCR_EL2] >> 34 & 1;
    uint64_t tcr = vhe ? reg[FAKE_TCR_EL12] : reg[FAKE_TCR_EL1];
    uint64_t sctlr = vhe ? reg[FAKE_SCTLR_EL12] : reg[FAKE_SCTLR_EL1];

    /* The speculative-AT errata: a walk with another VM's VMID leaves an entry that belongs to none. */
    if (vmid && vmid != fake_tlb_home[cpu] && (reg[FAKE_HCR_EL2] & HCR_E2H_TGE) != HCR_E2H_TGE &&
        ((tcr & TCR_EPD) != TCR_EPD || !(sctlr & 1)))
        broken("walks are possible with a foreign VMID");
    if (fake_tlb_on_gap)
        fake_tlb_on_gap();
}

static void complete(unsigned cpu, bool nsh_only)
{
    struct tlb *t = &tlbs[cpu];

    while (t->nr_pending) {
        unsigned i = (unsigned)(fake_random() % t->nr_pending);
        struct pending p = t->pending[i];

        t->pending[i] = t->pending[--t->nr_pending];
        if (!p.effect)
            continue;
        if (is_local(p.op))
            drop(t, &p);
        else if (nsh_only)
            broken("a broadcast TLBI ended by a DSB NSH");
        else
            for (unsigned n = 0; n < FAKE_MAX_CPUS; n++)
                drop(&tlbs[n], &p);
        if (t->nr_pending)
            gap(cpu);
    }
}

static void on_op(enum fake_op op, uint64_t value)
{
    unsigned cpu = (unsigned)(fake_cpu - fake_cpus);
    struct tlb *t = &tlbs[cpu];
    const uint64_t *reg = fake_cpu->reg;

    if (op == FAKE_OP_isb)
        t->unsynchronised = false;
    if (is_tlbi(op)) {
        if (t->unsynchronised)
            broken("TLBI without an ISB after what it depends on was written");
        if (t->nr_pending == NR_PENDING) {
            broken("many TLBIs without a DSB");
            return;
        }
        t->pending[t->nr_pending++] =
            (struct pending){ op, value, vmid_of(reg[FAKE_VTCR_EL2], reg[FAKE_VTTBR_EL2]),
                              (reg[FAKE_HCR_EL2] & HCR_E2H_TGE) != HCR_E2H_TGE || op == FAKE_OP_tlbi_alle1 };
    } else if (op == FAKE_OP_dsb_ish || op == FAKE_OP_dsb_sy || op == FAKE_OP_dsb_nsh) {
        complete(cpu, op == FAKE_OP_dsb_nsh);
    }
    gap(cpu);
}

static void on_write(enum fake_reg reg, uint64_t value)
{
    struct tlb *t = &tlbs[fake_cpu - fake_cpus];

    (void)value;
    if (reg != FAKE_VTTBR_EL2 && reg != FAKE_VTCR_EL2 && reg != FAKE_HCR_EL2)
        return;
    t->unsynchronised = true;
    if (t->nr_pending)
        broken("the context changed before the DSB that ends a TLBI");
}

void fake_tlb_guest_flush(unsigned cpu)
{
    for (unsigned n = 0; n < FAKE_MAX_CPUS; n++)
        drop_combined(&tlbs[n], vmid_of(fake_cpus[cpu].reg[FAKE_VTCR_EL2], fake_cpus[cpu].reg[FAKE_VTTBR_EL2]), false);
}

unsigned fake_tlb_count(unsigned cpu, uint64_t vmid)
{
    const struct tlb *t = &tlbs[cpu];
    unsigned n = 0;

    for (unsigned i = 0; i < NR_COMBINED; i++)
        n += t->combined[i].valid && t->combined[i].vmid == vmid;
    for (unsigned i = 0; i < NR_STAGE2; i++)
        n += t->stage2[i].valid && t->stage2[i].vmid == vmid;
    for (unsigned i = 0; i < NR_WALK; i++)
        n += t->walk[i].valid && t->walk[i].vmid == vmid;
    return n;
}

void fake_tlb_reset(uint64_t new_seed)
{
    memset(tlbs, 0, sizeof tlbs);
    memset(fake_tlb_home, 0, sizeof fake_tlb_home);
    seed = new_seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    fake_tlb_on_gap = NULL;
    fake_tlb_error = NULL;
    fake_tlb_hits = fake_tlb_walks = 0;
    fake_on_op = on_op;
    fake_on_write = on_write;
}
