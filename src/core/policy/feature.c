/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * ID registers: what they say the CPU has, what all CPUs have in common, and what a guest is told. A guest's ID registers
 * start from nothing: a field that is not in the table below reads as "not implemented", whatever the CPU has, and what
 * is behind it traps (traps.c). Field names and values: Arm ARM DDI 0487, D24.2.
 */
#include "core/policy/feature.h"

#include <avc/stage2.h>

#include "core/core.h"

#define ID(crm, op2) (((crm)-1) * 8 + (op2))

enum {
    PFR0_32 = ID(1, 0),
    PFR1_32 = ID(1, 1),
    DFR0_32 = ID(1, 2),
    PFR2_32 = ID(3, 4),
    PFR0 = ID(4, 0),
    PFR1 = ID(4, 1),
    DFR0 = ID(5, 0),
    ISAR0 = ID(6, 0),
    ISAR1 = ID(6, 1),
    ISAR2 = ID(6, 2),
    MMFR0 = ID(7, 0),
    MMFR1 = ID(7, 1),
    MMFR2 = ID(7, 2),
    MMFR3 = ID(7, 3),
};

static unsigned field(const uint64_t *id, unsigned reg, unsigned lo)
{
    return id[reg] >> lo & 0xf;
}

/* ---- what the CPU has ---- */

/* A feature is there when the field's value is in [first, last]. */
static const struct known {
    uint8_t feature, reg, lo, first, last;
} knowns[] = {
    { AVC_FEAT_FP, PFR0, 16, 0, 14 },        { AVC_FEAT_AA32EL0, PFR0, 0, 2, 15 },
    { AVC_FEAT_AA32EL1, PFR0, 4, 2, 15 },    { AVC_FEAT_RAS, PFR0, 28, 1, 15 },
    { AVC_FEAT_SVE, PFR0, 32, 1, 15 },       { AVC_FEAT_MPAM, PFR0, 40, 1, 15 },
    { AVC_FEAT_MPAM, PFR1, 16, 1, 15 },      { AVC_FEAT_AMU, PFR0, 44, 1, 15 },
    { AVC_FEAT_DIT, PFR0, 48, 1, 15 },       { AVC_FEAT_CSV2_2, PFR0, 56, 2, 15 },
    { AVC_FEAT_SCXTNUM, PFR0, 56, 2, 15 },   { AVC_FEAT_SCXTNUM, PFR1, 32, 2, 15 },
    { AVC_FEAT_BTI, PFR1, 0, 1, 15 },        { AVC_FEAT_SSBS, PFR1, 4, 1, 15 },
    { AVC_FEAT_MTE, PFR1, 8, 1, 15 },        { AVC_FEAT_SME, PFR1, 24, 1, 15 },
    { AVC_FEAT_PMU, DFR0, 8, 1, 14 },        { AVC_FEAT_SPE, DFR0, 32, 1, 15 },
    { AVC_FEAT_DOUBLELOCK, DFR0, 36, 0, 0 }, { AVC_FEAT_TRF, DFR0, 40, 1, 15 },
    { AVC_FEAT_TRBE, DFR0, 44, 1, 15 },      { AVC_FEAT_LSE, ISAR0, 20, 2, 15 },
    { AVC_FEAT_TLBIOS, ISAR0, 56, 1, 15 },   { AVC_FEAT_TLBIRANGE, ISAR0, 56, 2, 15 },
    { AVC_FEAT_RNDR, ISAR0, 60, 1, 15 },     { AVC_FEAT_PAUTH, ISAR1, 4, 1, 15 },
    { AVC_FEAT_PAUTH, ISAR1, 8, 1, 15 },     { AVC_FEAT_PAUTH, ISAR2, 12, 1, 15 },
    { AVC_FEAT_WFXT, ISAR2, 0, 2, 15 },      { AVC_FEAT_LPA2, MMFR0, 28, 1, 7 },
    { AVC_FEAT_FGT, MMFR0, 56, 1, 15 },      { AVC_FEAT_ECV, MMFR0, 60, 1, 15 },
    { AVC_FEAT_HAFDBS, MMFR1, 0, 1, 15 },    { AVC_FEAT_VMID16, MMFR1, 4, 2, 15 },
    { AVC_FEAT_VHE, MMFR1, 8, 1, 15 },       { AVC_FEAT_LOR, MMFR1, 16, 1, 15 },
    { AVC_FEAT_PAN, MMFR1, 20, 1, 15 },      { AVC_FEAT_XNX, MMFR1, 28, 1, 15 },
    { AVC_FEAT_HCX, MMFR1, 40, 1, 15 },      { AVC_FEAT_IESB, MMFR2, 12, 1, 15 },
    { AVC_FEAT_NV, MMFR2, 24, 1, 15 },       { AVC_FEAT_IDST, MMFR2, 36, 1, 15 },
    { AVC_FEAT_FWB, MMFR2, 40, 1, 15 },      { AVC_FEAT_TTL, MMFR2, 48, 1, 15 },
    { AVC_FEAT_BBM2, MMFR2, 52, 2, 15 },     { AVC_FEAT_EVT, MMFR2, 56, 1, 15 },
    { AVC_FEAT_TCR2, MMFR3, 0, 1, 15 },      { AVC_FEAT_S1PIE, MMFR3, 8, 1, 15 },
};

void avc_feature_decode(struct avc_features *f)
{
    static const uint8_t pa_bits[16] = { 32, 36, 40, 42, 44, 48, 52, 56, 48, 48, 48, 48, 48, 48, 48, 48 };

    f->has = 0;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(knowns); n++) {
        const struct known *k = &knowns[n];
        unsigned value = field(f->id, k->reg, k->lo);

        if (value >= k->first && value <= k->last)
            f->has |= AVC_BIT(k->feature);
    }
    if (f->list_regs)
        f->has |= AVC_BIT(AVC_FEAT_GICV3);
    f->pa_bits = pa_bits[field(f->id, MMFR0, 0)];
    f->breakpoints = (uint8_t)(field(f->id, DFR0, 12) + 1);
    f->watchpoints = (uint8_t)(field(f->id, DFR0, 20) + 1);
}

/* ---- what CPUs have in common ---- */

/* Fields in which 0b1111 means "not implemented" and 0 the first version (D24.1.3, "signed fields"). */
static bool is_signed(unsigned reg, unsigned lo)
{
    return (reg == PFR0 && (lo == 16 || lo == 20)) || (reg == MMFR0 && (lo == 24 || lo == 28)) ||
           (reg == DFR0 && (lo == 8 || lo == 36 || lo == 48)) || (reg == DFR0_32 && lo == 24);
}

static int level(const uint64_t *id, unsigned reg, unsigned lo)
{
    int value = (int)field(id, reg, lo);

    return is_signed(reg, lo) && value >= 8 ? value - 16 : value;
}

#define LOWER(a, b) ((a) < (b) ? (a) : (b))

void avc_feature_common(struct avc_features *all, const struct avc_features *one)
{
    uint64_t has = all->has & one->has;

    for (unsigned reg = 0; reg < AVC_NR_ID_REGS; reg++)
        for (unsigned lo = 0; lo < 64; lo += 4)
            if (level(one->id, reg, lo) < level(all->id, reg, lo))
                all->id[reg] = (all->id[reg] & ~(UINT64_C(0xf) << lo)) | (one->id[reg] & UINT64_C(0xf) << lo);
    all->list_regs = LOWER(all->list_regs, one->list_regs);
    all->pri_bits = LOWER(all->pri_bits, one->pri_bits);
    for (unsigned n = 0; n < 32; n += 2)
        if ((one->workarounds >> n & 3) < (all->workarounds >> n & 3))
            all->workarounds = (all->workarounds & ~(3u << n)) | (one->workarounds & 3u << n);
    avc_feature_decode(all);
    all->has &= has;
}

bool avc_feature_covers(const struct avc_features *cpu, const struct avc_features *needed)
{
    for (unsigned reg = 0; reg < AVC_NR_ID_REGS; reg++)
        for (unsigned lo = 0; lo < 64; lo += 4)
            if (level(cpu->id, reg, lo) < level(needed->id, reg, lo))
                return false;
    for (unsigned n = 0; n < 32; n += 2)
        if ((cpu->workarounds >> n & 3) < (needed->workarounds >> n & 3))
            return false;
    return (needed->has & ~cpu->has) == 0 && cpu->list_regs >= needed->list_regs && cpu->pri_bits >= needed->pri_bits;
}

/* ---- what a guest is told ---- */

/* UPTO: the CPU's, but at most `value`. SIGNED: the same for fields with 0b1111 for "not implemented". FIXED: `value`. */
enum { UPTO, SIGNED, FIXED };
#define ALL 15

static const struct shown {
    uint8_t reg, lo, how, value;
    const char *what;
} shown[] = {
    { PFR0, 0, UPTO, 2, "EL0, AArch32 too" },
    { PFR0, 4, UPTO, 1, "EL1, AArch64 only: HCR_EL2.RW" },
    { PFR0, 16, SIGNED, 1, "FP" },
    { PFR0, 20, SIGNED, 1, "AdvSIMD" },
    { PFR0, 28, UPTO, 1, "RAS: ESB and DISR; no records (ERRIDR_EL1=0)" },
    { PFR0, 48, UPTO, 1, "DIT" },
    { PFR0, 56, UPTO, 1, "CSV2, without SCXTNUM" },
    { PFR0, 60, UPTO, 1, "CSV3" },
    { PFR1, 0, UPTO, 1, "BT" },
    { PFR1, 4, UPTO, 2, "SSBS" },
    { DFR0, 0, UPTO, 9, "DebugVer" },
    { DFR0, 12, UPTO, ALL, "BRPs" },
    { DFR0, 20, UPTO, ALL, "WRPs" },
    { DFR0, 28, UPTO, ALL, "CTX_CMPs" },
    { DFR0, 36, FIXED, 15, "DoubleLock: not implemented" },
    { ISAR0, 4, UPTO, 2, "AES" },
    { ISAR0, 8, UPTO, 1, "SHA1" },
    { ISAR0, 12, UPTO, 2, "SHA2" },
    { ISAR0, 16, UPTO, 1, "CRC32" },
    { ISAR0, 20, UPTO, 2, "Atomic" },
    { ISAR0, 28, UPTO, 1, "RDM" },
    { ISAR0, 32, UPTO, 1, "SHA3" },
    { ISAR0, 36, UPTO, 1, "SM3" },
    { ISAR0, 40, UPTO, 1, "SM4" },
    { ISAR0, 44, UPTO, 1, "DP" },
    { ISAR0, 48, UPTO, 1, "FHM" },
    { ISAR0, 52, UPTO, 2, "TS" },
    { ISAR0, 56, UPTO, 2, "TLB: outer shareable, range" },
    { ISAR0, 60, UPTO, 1, "RNDR" },
    { ISAR1, 0, UPTO, 2, "DPB" },
    { ISAR1, 4, UPTO, ALL, "APA" },
    { ISAR1, 8, UPTO, ALL, "API" },
    { ISAR1, 12, UPTO, 1, "JSCVT" },
    { ISAR1, 16, UPTO, 1, "FCMA" },
    { ISAR1, 20, UPTO, 2, "LRCPC" },
    { ISAR1, 24, UPTO, 1, "GPA" },
    { ISAR1, 28, UPTO, 1, "GPI" },
    { ISAR1, 32, UPTO, 1, "FRINTTS" },
    { ISAR1, 36, UPTO, 1, "SB" },
    { ISAR1, 40, UPTO, 1, "SPECRES" },
    { ISAR1, 44, UPTO, 1, "BF16" },
    { ISAR1, 48, UPTO, 1, "DGH" },
    { ISAR1, 52, UPTO, 1, "I8MM" },
    { ISAR2, 0, UPTO, 2, "WFxT" },
    { ISAR2, 4, UPTO, 1, "RPRES" },
    { ISAR2, 8, UPTO, 1, "GPA3" },
    { ISAR2, 12, UPTO, ALL, "APA3" },
    { ISAR2, 20, UPTO, 1, "BC" },
    { ISAR2, 24, UPTO, 1, "PAC_frac" },
    { ISAR2, 28, UPTO, 1, "CLRBHB" },
    { ISAR2, 40, UPTO, 1, "PRFMSLC" },
    { ISAR2, 48, UPTO, 1, "RPRFM" },
    { ISAR2, 52, UPTO, 1, "CSSC" },
    { MMFR0, 4, UPTO, 2, "ASIDBits" },
    { MMFR0, 8, UPTO, 1, "BigEnd" },
    { MMFR0, 12, UPTO, 1, "SNSMem" },
    { MMFR0, 16, UPTO, 1, "BigEndEL0" },
    { MMFR0, 20, UPTO, 1, "TGran16, 48 bits" },
    { MMFR0, 24, SIGNED, 0, "TGran64" },
    { MMFR0, 28, SIGNED, 0, "TGran4, 48 bits" },
    { MMFR0, 44, UPTO, 1, "ExS" },
    { MMFR0, 60, UPTO, 1, "ECV, without CNTPOFF" },
    { MMFR1, 0, UPTO, 2, "HAFDBS" },
    { MMFR1, 12, UPTO, 2, "HPDS" },
    { MMFR1, 20, UPTO, 3, "PAN" },
    { MMFR1, 36, UPTO, 3, "ETS" },
    { MMFR1, 44, UPTO, 1, "AFP" },
    { MMFR1, 48, UPTO, 1, "nTLBPA" },
    { MMFR1, 52, UPTO, 1, "TIDCP1" },
    { MMFR1, 60, UPTO, 1, "ECBHB" },
    { MMFR2, 0, UPTO, 1, "CnP" },
    { MMFR2, 4, UPTO, 1, "UAO" },
    { MMFR2, 8, UPTO, 1, "LSM" },
    { MMFR2, 12, UPTO, 1, "IESB" },
    { MMFR2, 16, UPTO, 1, "VARange" },
    { MMFR2, 20, UPTO, 1, "CCIDX: CCSIDR_EL1 is the CPU's" },
    { MMFR2, 28, UPTO, 1, "ST" },
    { MMFR2, 32, UPTO, 1, "AT" },
    { MMFR2, 36, UPTO, 1, "IDS: it is the CPU that decides" },
    { MMFR2, 48, UPTO, 1, "TTL" },
    { MMFR2, 52, UPTO, 2, "BBM" },
    { MMFR2, 60, UPTO, 1, "E0PD" },
};

/* AArch32, where a guest's EL0 has it: bits shown as they are. What the masks leave out is system state of EL1 or a
   feature that is hidden (AMU, MTE, PMU, trace, virtualisation, the GIC's field). */
static const struct shown32 {
    uint8_t reg;
    uint32_t mask;
} shown32[] = {
    { PFR0_32, 0x0f00ffff },  { PFR1_32, 0x000f0fff },  { DFR0_32, 0x0000000f },  { ID(1, 4), 0xffffffff },
    { ID(1, 5), 0xffffffff }, { ID(1, 6), 0xffffffff }, { ID(1, 7), 0xffffffff }, { ID(2, 0), 0xffffffff },
    { ID(2, 1), 0xffffffff }, { ID(2, 2), 0xffffffff }, { ID(2, 3), 0xffffffff }, { ID(2, 4), 0xffffffff },
    { ID(2, 5), 0xffffffff }, { ID(2, 6), 0xffffffff }, { ID(2, 7), 0xffffffff }, { ID(3, 0), 0xffffffff },
    { ID(3, 1), 0xffffffff }, { ID(3, 2), 0xffffffff }, { PFR2_32, 0x000000ff },  { ID(3, 6), 0x0000000f },
};

static uint64_t show(const struct avc_features *f, const struct shown *s)
{
    int has = (int)field(f->id, s->reg, s->lo), most = s->value;

    if (s->how == FIXED)
        return s->value;
    if (s->how == SIGNED && has >= 8)
        return (uint64_t)has;
    return (uint64_t)LOWER(has, most);
}

/* The smallest PARange that has room for the IPA space, so that all of it can be used, and none that the CPU lacks. */
static uint64_t pa_range(const struct avc_features *f, unsigned ipa_bits)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
    unsigned most = field(f->id, MMFR0, 0);
    unsigned n = 0;

    while (n < most && n < AVC_ARRAY_SIZE(bits) - 1 && bits[n] < ipa_bits)
        n++;
    return n;
}

void avc_feature_guest_ids(struct avc_vm *vm)
{
    const struct avc_features *f = &vm->features;
    uint64_t *id = vm->id_regs;
    bool gic = vm->irqc && avc_has(f, AVC_FEAT_GICV3);

    for (unsigned reg = 0; reg < AVC_NR_ID_REGS; reg++)
        id[reg] = 0;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(shown); n++)
        id[shown[n].reg] |= show(f, &shown[n]) << shown[n].lo;
    id[MMFR0] |= pa_range(f, vm->stage2->ipa_bits);
    if (gic)
        id[PFR0] |= UINT64_C(1) << 24;
    if (!avc_has(f, AVC_FEAT_AA32EL0))
        return; /* "if no Exception level uses AArch32, these are UNKNOWN": zero */
    for (size_t n = 0; n < AVC_ARRAY_SIZE(shown32); n++)
        id[shown32[n].reg] = f->id[shown32[n].reg] & shown32[n].mask;
    if (gic)
        id[PFR1_32] |= UINT64_C(1) << 28;
}
