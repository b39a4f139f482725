/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * TLB maintenance for guests. It makes all CPUs forget changed stage 2 entries, and one CPU forget a guest's stage 1.
 *
 * A TLB may hold stage 2 entries (found by IPA), pointers to tables of either stage, and entries that combine both
 * stages (found by VA, so an IPA does not find them). Hence the sequence (Arm ARM D8, "TLB maintenance"):
 *
 *     store; DSB ISHST; TLBI IPAS2E1IS for each entry; DSB ISH; TLBI VMALLE1IS; DSB ISH; ISB
 *
 * The first DSB makes walks see the store. Without the second, a CPU could make a combined entry from a stage 2 entry
 * that is about to go, after the second TLBI. The third ends when all CPUs of the Inner Shareable domain have completed
 * the TLBI, and their accesses through the old entries.
 */
#include "core/mem/tlb.h"

#include "arch/mmu.h"
#include "core/policy/errata.h"

/* What the CPU had before it entered the VMID context of another VM. */
struct saved {
    uint64_t hcr, vtcr, vttbr, tcr, sctlr;
    bool switched;
};

static void write_stage1(bool vhe, uint64_t tcr, uint64_t sctlr, bool tcr_first)
{
    /* These are EL1's by whichever name means them at EL2. TCR comes first to stop walks, and last to permit them
       again. */
    for (int i = 0; i < 2; i++) {
        if (tcr_first == !i) {
            if (vhe)
                avc_hw_write_TCR_EL12(tcr);
            else
                avc_hw_write_TCR_EL1(tcr);
        } else {
            if (vhe)
                avc_hw_write_SCTLR_EL12(sctlr);
            else
                avc_hw_write_SCTLR_EL1(sctlr);
        }
        avc_hw_isb();
    }
}

/*
 * TLBI by IPA or VMID is for the VMID in VTTBR_EL2, of the width in VTCR_EL2.VS. With HCR_EL2.{E2H,TGE} = {1,1} VMALLE1
 * is for the host's EL2&0 regime instead, so TGE must be clear. E2H stays, because EL2 runs on it. Interrupts are
 * masked, and what HCR routes to EL1 meanwhile stays pending.
 *
 * Until the context is exited, the EL1&0 regime is made of pieces: EL1 registers of the loaded vCPU or the host,
 * another VM's VMID, stage 2 perhaps off. A TLB entry that is made in that state and kept would be wrong. EL2 makes no
 * walks for that regime by rule. Cortex-A57, A72 (1319367, 1319537), A55 and A76 (1530923, 1165522) may make them for a
 * speculated AT. So walks are forbidden meanwhile, by EPD0 and EPD1, and by M for these to count.
 */
static void enter_context(struct saved *h, const struct avc_tlb_regime *regime)
{
    bool vhe;

    h->hcr = avc_hw_read_HCR_EL2();
    h->vttbr = avc_hw_read_VTTBR_EL2();
    h->vtcr = avc_hw_read_VTCR_EL2();
    vhe = h->hcr & HCR_E2H;
    h->switched = (vhe && h->hcr & HCR_TGE) || (h->vttbr ^ regime->vttbr) & VTTBR_VMID || h->vtcr != regime->vtcr;
    if (!h->switched)
        return;
    h->tcr = vhe ? avc_hw_read_TCR_EL12() : avc_hw_read_TCR_EL1();
    h->sctlr = vhe ? avc_hw_read_SCTLR_EL12() : avc_hw_read_SCTLR_EL1();
    write_stage1(vhe, h->tcr | TCR_EPD0 | TCR_EPD1, h->sctlr | SCTLR_M, true);
    avc_hw_write_VTCR_EL2(regime->vtcr);
    avc_hw_write_VTTBR_EL2(regime->vttbr);
    if (vhe && h->hcr & HCR_TGE)
        avc_hw_write_HCR_EL2(h->hcr & ~HCR_TGE);
    avc_hw_isb();
}

/* After the DSB that ends the TLBI. A TLBI uses the VMID at its execution, and no longer needs it after that DSB. */
static void exit_context(const struct saved *h)
{
    if (!h->switched)
        return;
    avc_hw_write_HCR_EL2(h->hcr);
    avc_hw_write_VTTBR_EL2(h->vttbr);
    avc_hw_write_VTCR_EL2(h->vtcr);
    avc_hw_isb();
    write_stage1(h->hcr & HCR_E2H, h->tcr, h->sctlr, false);
}

/*
 * Instruction caches that find lines by virtual address and ASID (AIVIVT), or also by VMID (VPIPT), hold translations
 * in their own way. VIPT and PIPT caches use the physical address, and need nothing here.
 */
enum icache { ICACHE_VPIPT, ICACHE_AIVIVT, ICACHE_VIPT, ICACHE_PIPT };

/* With this erratum each broadcast TLBI and its DSB are executed twice. */
static int times(const struct avc_features *f)
{
    return f->errata & AVC_ERRATUM_TLBI ? 2 : 1;
}

static void forget_all(const struct avc_features *f)
{
    for (int n = times(f); n; n--) {
        avc_hw_tlbi_vmalls12e1is();
        avc_hw_dsb_ish();
    }
}

static void forget_icache(const struct avc_features *f)
{
    if (CTR_L1IP(f->ctr) > ICACHE_AIVIVT)
        return;
    avc_hw_ic_ialluis();
    avc_hw_dsb_ish();
}

/* ---- changed stage 2 entries ---- */

void avc_tlb_add(struct avc_tlb_batch *b, avc_ipa_t ipa, uint64_t size)
{
    if (!b->nr || ipa < b->first)
        b->first = ipa;
    if (!b->nr || ipa + size > b->end)
        b->end = ipa + size;
    if (b->nr < AVC_TLB_IPAS)
        b->ipa[b->nr] = ipa;
    b->nr++;
}

/* Many entries share one round of maintenance. */
void avc_tlb_replace(struct avc_tlb_batch *b, uint64_t *entry, uint64_t desc, avc_ipa_t ipa, uint64_t size)
{
    avc_tlb_add(b, ipa, size);
    b->make[b->nr_makes].entry = entry;
    b->make[b->nr_makes].desc = desc;
    b->nr_makes++;
}

void avc_tlb_break(const struct avc_tlb_batch *b)
{
    for (uint32_t i = 0; i < b->nr_makes; i++)
        s2_write(b->make[i].entry, 0);
}

/* Forgets the page or block that holds one IPA. The form for the last level alone leaves cached pointers to tables. */
static void forget_one(const struct avc_tlb_batch *b, avc_ipa_t ipa)
{
    if (b->tables)
        avc_hw_tlbi_ipas2e1is(ipa >> 12);
    else
        avc_hw_tlbi_ipas2le1is(ipa >> 12);
}

#define RANGE_PAGES_MAX (UINT64_C(1) << 21) /* SCALE = 3 and NUM = 31 reach this */

/*
 * FEAT_TLBIRANGE: (NUM + 1) * 2^(5 * SCALE + 1) pages from BaseADDR. This does five bits of the number of pages at a
 * time, and an odd page by itself (Arm ARM C5.5, TLBI RIPAS2E1IS).
 */
static void forget_range(const struct avc_tlb_batch *b)
{
    uint64_t page = b->first >> 12, left = (b->end - b->first) >> 12;

    if (left & 1)
        forget_one(b, page++ << 12);
    for (unsigned scale = 0; scale < 4; scale++) {
        uint64_t num = left >> (5 * scale + 1) & 31;
        uint64_t op = TLBI_RANGE_TG_4K | TLBI_RANGE_SCALE(scale) | TLBI_RANGE_NUM(num - 1) | page;

        if (!num)
            continue;
        if (b->tables)
            avc_hw_tlbi_ripas2e1is(op);
        else
            avc_hw_tlbi_ripas2le1is(op);
        page += num << (5 * scale + 1);
    }
}

static void forget(const struct avc_tlb_batch *b, const struct avc_features *f)
{
    bool few = b->nr <= AVC_TLB_IPAS;

    if (!few && (!avc_has(f, AVC_FEAT_TLBIRANGE) || (b->end - b->first) >> 12 >= RANGE_PAGES_MAX)) {
        forget_all(f);
        return;
    }
    for (int n = times(f); n; n--) {
        if (few)
            for (uint32_t i = 0; i < b->nr; i++)
                forget_one(b, b->ipa[i]);
        else
            forget_range(b);
        avc_hw_dsb_ish();
        avc_hw_tlbi_vmalle1is();
        avc_hw_dsb_ish();
    }
}

/* The caller has the lock of the tables, so no walk by the library and no other change sees the gap between break
   and make. */
void avc_tlb_forget(const struct avc_tlb_batch *b, const struct avc_tlb_regime *regime, const struct avc_features *f)
{
    struct saved saved;

    enter_context(&saved, regime);
    forget(b, f);
    forget_icache(f);
    avc_hw_isb();
    exit_context(&saved);
}

void avc_tlb_make(struct avc_tlb_batch *b)
{
    for (uint32_t i = 0; i < b->nr_makes; i++)
        s2_write(b->make[i].entry, b->make[i].desc);
    if (b->nr_makes)
        avc_hw_dsb_ishst();
    b->nr = b->nr_makes = 0;
    b->tables = false;
}

/* ---- all of a VM, or of a CPU ---- */

void avc_tlb_flush_vm(const struct avc_tlb_regime *regime, const struct avc_features *f)
{
    struct saved saved;

    enter_context(&saved, regime);
    forget_all(f);
    forget_icache(f);
    avc_hw_isb();
    exit_context(&saved);
}

void avc_tlb_flush_local(const struct avc_tlb_regime *regime)
{
    struct saved saved;

    enter_context(&saved, regime);
    avc_hw_tlbi_vmalle1();
    avc_hw_ic_iallu();
    avc_hw_dsb_nsh();
    avc_hw_isb();
    exit_context(&saved);
}

void avc_tlb_flush_cpu(void)
{
    avc_hw_tlbi_alle1(); /* ALLE1 is for EL1&0 and all VMIDs, whatever HCR_EL2.TGE says */
    avc_hw_ic_iallu();
    avc_hw_dsb_nsh();
    avc_hw_isb();
}
