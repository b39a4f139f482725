/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * ID registers: what they say the CPU has, what all CPUs have in common, and what a guest is told. A guest's ID
 * registers start from nothing. A field that is not in the table below reads as "not implemented", whatever the CPU
 * has, and what belongs to it traps (traps.c). Field names and values: Arm ARM DDI 0487, D24.2.
 */
#include "core/policy/feature.h"

#include <avc/psci.h>
#include <avc/stage2.h>

#include "arch/idreg.h"
#include "core/core.h"
#include "core/policy/errata.h"

/* ---- what the CPU has ---- */

/* The CPU has a feature when the field's value is in [first, last]. */
/* clang-format off */
static const struct known {
    uint8_t feature;
    uint16_t field;
    uint8_t first, last;
} knowns[] = {
    { AVC_FEAT_FP,         ID_AA64PFR0_FP,           0, 14  },
    { AVC_FEAT_AA32EL0,    ID_AA64PFR0_EL0,          2, 15  },
    { AVC_FEAT_AA32EL1,    ID_AA64PFR0_EL1,          2, 15  },
    { AVC_FEAT_RAS,        ID_AA64PFR0_RAS,          1, 15  },
    { AVC_FEAT_SVE,        ID_AA64PFR0_SVE,          1, 15  },
    { AVC_FEAT_MPAM,       ID_AA64PFR0_MPAM,         1, 15  },
    { AVC_FEAT_MPAM,       ID_AA64PFR1_MPAM_frac,    1, 15  },
    { AVC_FEAT_AMU,        ID_AA64PFR0_AMU,          1, 15  },
    { AVC_FEAT_DIT,        ID_AA64PFR0_DIT,          1, 15  },
    { AVC_FEAT_CSV2_2,     ID_AA64PFR0_CSV2,         2, 15  },
    { AVC_FEAT_SCXTNUM,    ID_AA64PFR0_CSV2,         2, 15  },
    { AVC_FEAT_SCXTNUM,    ID_AA64PFR1_CSV2_frac,    2, 15  },
    { AVC_FEAT_BTI,        ID_AA64PFR1_BT,           1, 15  },
    { AVC_FEAT_SSBS,       ID_AA64PFR1_SSBS,         1, 15  },
    { AVC_FEAT_MTE,        ID_AA64PFR1_MTE,          1, 15  },
    { AVC_FEAT_SME,        ID_AA64PFR1_SME,          1, 15  },
    { AVC_FEAT_PMU,        ID_AA64DFR0_PMUVer,       1, 14  },
    { AVC_FEAT_SPE,        ID_AA64DFR0_PMSVer,       1, 15  },
    { AVC_FEAT_DOUBLELOCK, ID_AA64DFR0_DoubleLock,   0, 0  },
    { AVC_FEAT_TRF,        ID_AA64DFR0_TraceFilt,    1, 15  },
    { AVC_FEAT_TRBE,       ID_AA64DFR0_TraceBuffer,  1, 15  },
    { AVC_FEAT_LSE,        ID_AA64ISAR0_Atomic,      2, 15  },
    { AVC_FEAT_TLBIOS,     ID_AA64ISAR0_TLB,         1, 15  },
    { AVC_FEAT_TLBIRANGE,  ID_AA64ISAR0_TLB,         2, 15  },
    { AVC_FEAT_RNDR,       ID_AA64ISAR0_RNDR,        1, 15  },
    { AVC_FEAT_PAUTH,      ID_AA64ISAR1_APA,         1, 15  },
    { AVC_FEAT_PAUTH,      ID_AA64ISAR1_API,         1, 15  },
    { AVC_FEAT_PAUTH,      ID_AA64ISAR2_APA3,        1, 15  },
    { AVC_FEAT_WFXT,       ID_AA64ISAR2_WFxT,        2, 15  },
    { AVC_FEAT_LPA2,       ID_AA64MMFR0_TGran4,      1, 7  },
    { AVC_FEAT_FGT,        ID_AA64MMFR0_FGT,         1, 15  },
    { AVC_FEAT_ECV,        ID_AA64MMFR0_ECV,         1, 15  },
    { AVC_FEAT_HAFDBS,     ID_AA64MMFR1_HAFDBS,      1, 15  },
    { AVC_FEAT_VMID16,     ID_AA64MMFR1_VMIDBits,    2, 15  },
    { AVC_FEAT_VHE,        ID_AA64MMFR1_VH,          1, 15  },
    { AVC_FEAT_LOR,        ID_AA64MMFR1_LO,          1, 15  },
    { AVC_FEAT_PAN,        ID_AA64MMFR1_PAN,         1, 15  },
    { AVC_FEAT_XNX,        ID_AA64MMFR1_XNX,         1, 15  },
    { AVC_FEAT_HCX,        ID_AA64MMFR1_HCX,         1, 15  },
    { AVC_FEAT_IESB,       ID_AA64MMFR2_IESB,        1, 15  },
    { AVC_FEAT_NV,         ID_AA64MMFR2_NV,          1, 15  },
    { AVC_FEAT_IDST,       ID_AA64MMFR2_IDS,         1, 15  },
    { AVC_FEAT_FWB,        ID_AA64MMFR2_FWB,         1, 15  },
    { AVC_FEAT_TTL,        ID_AA64MMFR2_TTL,         1, 15  },
    { AVC_FEAT_BBM2,       ID_AA64MMFR2_BBM,         2, 15  },
    { AVC_FEAT_EVT,        ID_AA64MMFR2_EVT,         1, 15  },
    { AVC_FEAT_TCR2,       ID_AA64MMFR3_TCRX,        1, 15  },
    { AVC_FEAT_S1PIE,      ID_AA64MMFR3_S1PIE,       1, 15  },
};
/* clang-format on */

void avc_feature_decode(struct avc_features *f)
{
    static const uint8_t pa_bits[16] = { 32, 36, 40, 42, 44, 48, 52, 56, 48, 48, 48, 48, 48, 48, 48, 48 };

    f->has = 0;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(knowns); n++) {
        const struct known *k = &knowns[n];
        unsigned value = avc_id_field(f->id, k->field);

        if (value >= k->first && value <= k->last)
            f->has |= AVC_BIT(k->feature);
    }
    if (f->list_regs)
        f->has |= AVC_BIT(AVC_FEAT_GICV3);
    f->pa_bits = pa_bits[avc_id_field(f->id, ID_AA64MMFR0_PARange)];
    f->breakpoints = (uint8_t)(avc_id_field(f->id, ID_AA64DFR0_BRPs) + 1);
    f->errata |= avc_errata_of(f->midr);
    f->watchpoints = (uint8_t)(avc_id_field(f->id, ID_AA64DFR0_WRPs) + 1);
}

void avc_feature_unaffected(struct avc_features *f)
{
    bool unaffected = avc_id_field(f->id, ID_AA64PFR0_CSV2) >= 3 || avc_id_field(f->id, ID_AA64MMFR1_ECBHB);

    if (unaffected && avc_workaround_of(f->workarounds, 3) == AVC_WORKAROUND_UNKNOWN)
        f->workarounds |= (uint32_t)AVC_WORKAROUND_NOT_HERE << 4;
}

/* ---- what CPUs have in common ---- */

/* Fields in which 0b1111 means "not implemented" and 0 is the first version (D24.1.3, "signed fields"). */
static bool is_signed(unsigned field)
{
    switch (field) {
    case ID_AA64PFR0_FP:
    case ID_AA64PFR0_AdvSIMD:
    case ID_AA64MMFR0_TGran64:
    case ID_AA64MMFR0_TGran4:
    case ID_AA64DFR0_PMUVer:
    case ID_AA64DFR0_DoubleLock:
    case ID_AA64DFR0_MTPMU:
    case ID_DFR0_PerfMon:
        return true;
    default:
        return false;
    }
}

static int level(const uint64_t *id, unsigned field)
{
    int value = (int)avc_id_field(id, field);

    return is_signed(field) && value >= 8 ? value - 16 : value;
}

#define NR_FIELDS   ID_FIELD(AVC_NR_ID_REGS, 0)
#define LOWER(a, b) ((a) < (b) ? (a) : (b))

bool avc_feature_common(struct avc_features *all, const struct avc_features *one, bool fixed)
{
    uint64_t has = all->has & one->has;

    if (fixed && (has != all->has || one->errata & ~all->errata || one->list_regs < all->list_regs ||
                  one->pri_bits < all->pri_bits))
        return false;
    for (unsigned field = 0; field < NR_FIELDS; field += 4) {
        uint64_t *reg = &all->id[ID_REG_OF(field)], other = one->id[ID_REG_OF(field)], mask = ID_MASK(field);

        if (*reg == other || level(one->id, field) >= level(all->id, field))
            continue;
        if (fixed)
            return false;
        *reg = (*reg & ~mask) | (other & mask);
    }
    for (unsigned n = 0; n < 32; n += 2) {
        uint32_t mask = 3u << n;

        if ((one->workarounds & mask) >= (all->workarounds & mask))
            continue;
        if (fixed)
            return false;
        all->workarounds = (all->workarounds & ~mask) | (one->workarounds & mask);
    }
    if (fixed)
        return true;
    all->errata |= one->errata;
    all->list_regs = LOWER(all->list_regs, one->list_regs);
    all->pri_bits = LOWER(all->pri_bits, one->pri_bits);
    avc_feature_decode(all);
    all->has &= has;
    return true;
}

/* ---- what a guest is told ---- */

/* UPTO shows the CPU's value, but at most `value`. SIGNED does the same for a field whose 0b1111 is "not
   implemented". FIXED shows `value`. */
enum { UPTO, SIGNED, FIXED };
#define ALL 15

/* clang-format off */
static const struct shown {
    uint16_t field;
    uint8_t how, value;
} shown[] = {
    { ID_AA64PFR0_EL0,         UPTO,   2   }, /* AArch32 too */
    { ID_AA64PFR0_EL1,         UPTO,   1   }, /* AArch64 only: HCR_EL2.RW */
    { ID_AA64PFR0_FP,          SIGNED, 1   },
    { ID_AA64PFR0_AdvSIMD,     SIGNED, 1   },
    { ID_AA64PFR0_RAS,         UPTO,   1   }, /* ESB and DISR; no records (ERRIDR_EL1=0) */
    { ID_AA64PFR0_DIT,         UPTO,   1   },
    { ID_AA64PFR0_CSV2,        UPTO,   3   }, /* without SCXTNUM 1: see csv2() */
    { ID_AA64PFR0_CSV3,        UPTO,   1   },
    { ID_AA64PFR1_BT,          UPTO,   1   },
    { ID_AA64PFR1_SSBS,        UPTO,   2   },
    { ID_AA64DFR0_DebugVer,    UPTO,   9   },
    { ID_AA64DFR0_BRPs,        UPTO,   ALL },
    { ID_AA64DFR0_WRPs,        UPTO,   ALL },
    { ID_AA64DFR0_CTX_CMPs,    UPTO,   ALL },
    { ID_AA64DFR0_DoubleLock,  FIXED,  15  }, /* not implemented */
    { ID_AA64ISAR0_AES,        UPTO,   2   },
    { ID_AA64ISAR0_SHA1,       UPTO,   1   },
    { ID_AA64ISAR0_SHA2,       UPTO,   2   },
    { ID_AA64ISAR0_CRC32,      UPTO,   1   },
    { ID_AA64ISAR0_Atomic,     UPTO,   2   },
    { ID_AA64ISAR0_RDM,        UPTO,   1   },
    { ID_AA64ISAR0_SHA3,       UPTO,   1   },
    { ID_AA64ISAR0_SM3,        UPTO,   1   },
    { ID_AA64ISAR0_SM4,        UPTO,   1   },
    { ID_AA64ISAR0_DP,         UPTO,   1   },
    { ID_AA64ISAR0_FHM,        UPTO,   1   },
    { ID_AA64ISAR0_TS,         UPTO,   2   },
    { ID_AA64ISAR0_TLB,        UPTO,   2   }, /* outer shareable, range */
    { ID_AA64ISAR0_RNDR,       UPTO,   1   },
    { ID_AA64ISAR1_DPB,        UPTO,   2   },
    { ID_AA64ISAR1_APA,        UPTO,   ALL },
    { ID_AA64ISAR1_API,        UPTO,   ALL },
    { ID_AA64ISAR1_JSCVT,      UPTO,   1   },
    { ID_AA64ISAR1_FCMA,       UPTO,   1   },
    { ID_AA64ISAR1_LRCPC,      UPTO,   2   },
    { ID_AA64ISAR1_GPA,        UPTO,   1   },
    { ID_AA64ISAR1_GPI,        UPTO,   1   },
    { ID_AA64ISAR1_FRINTTS,    UPTO,   1   },
    { ID_AA64ISAR1_SB,         UPTO,   1   },
    { ID_AA64ISAR1_SPECRES,    UPTO,   1   },
    { ID_AA64ISAR1_BF16,       UPTO,   1   },
    { ID_AA64ISAR1_DGH,        UPTO,   1   },
    { ID_AA64ISAR1_I8MM,       UPTO,   1   },
    { ID_AA64ISAR2_WFxT,       UPTO,   2   },
    { ID_AA64ISAR2_RPRES,      UPTO,   1   },
    { ID_AA64ISAR2_GPA3,       UPTO,   1   },
    { ID_AA64ISAR2_APA3,       UPTO,   ALL },
    { ID_AA64ISAR2_BC,         UPTO,   1   },
    { ID_AA64ISAR2_PAC_frac,   UPTO,   1   },
    { ID_AA64ISAR2_CLRBHB,     UPTO,   1   },
    { ID_AA64ISAR2_PRFMSLC,    UPTO,   1   },
    { ID_AA64ISAR2_RPRFM,      UPTO,   1   },
    { ID_AA64ISAR2_CSSC,       UPTO,   1   },
    { ID_AA64MMFR0_ASIDBits,   UPTO,   2   },
    { ID_AA64MMFR0_BigEnd,     UPTO,   1   },
    { ID_AA64MMFR0_SNSMem,     UPTO,   1   },
    { ID_AA64MMFR0_BigEndEL0,  UPTO,   1   },
    { ID_AA64MMFR0_TGran16,    UPTO,   1   }, /* 48 bits */
    { ID_AA64MMFR0_TGran64,    SIGNED, 0   },
    { ID_AA64MMFR0_TGran4,     SIGNED, 0   }, /* 48 bits */
    { ID_AA64MMFR0_ExS,        UPTO,   1   },
    { ID_AA64MMFR0_ECV,        UPTO,   1   }, /* without CNTPOFF */
    { ID_AA64MMFR1_HAFDBS,     UPTO,   2   },
    { ID_AA64MMFR1_HPDS,       UPTO,   2   },
    { ID_AA64MMFR1_PAN,        UPTO,   3   },
    { ID_AA64MMFR1_ETS,        UPTO,   3   },
    { ID_AA64MMFR1_AFP,        UPTO,   1   },
    { ID_AA64MMFR1_nTLBPA,     UPTO,   1   },
    { ID_AA64MMFR1_TIDCP1,     UPTO,   1   },
    { ID_AA64MMFR1_ECBHB,      UPTO,   1   },
    { ID_AA64MMFR2_CnP,        UPTO,   1   },
    { ID_AA64MMFR2_UAO,        UPTO,   1   },
    { ID_AA64MMFR2_LSM,        UPTO,   1   },
    { ID_AA64MMFR2_IESB,       UPTO,   1   },
    { ID_AA64MMFR2_VARange,    UPTO,   1   },
    { ID_AA64MMFR2_CCIDX,      UPTO,   1   }, /* CCSIDR_EL1 is the CPU's */
    { ID_AA64MMFR2_ST,         UPTO,   1   },
    { ID_AA64MMFR2_AT,         UPTO,   1   },
    { ID_AA64MMFR2_IDS,        UPTO,   1   }, /* the CPU decides */
    { ID_AA64MMFR2_TTL,        UPTO,   1   },
    { ID_AA64MMFR2_BBM,        UPTO,   2   },
    { ID_AA64MMFR2_E0PD,       UPTO,   1   },
};
/* clang-format on */

/* AArch32, if a guest's EL0 has it. The masks say which bits are shown as they are. The other bits are system state
   of EL1, or a feature that is hidden (AMU, MTE, PMU, trace, virtualisation, the GIC's field). */
#define WHOLE UINT32_MAX
static const struct shown32 {
    uint8_t reg;
    uint32_t mask;
} shown32[] = {
    { ID_PFR0, ID_MASK(ID_PFR0_State0) | ID_MASK(ID_PFR0_State1) | ID_MASK(ID_PFR0_State2) | ID_MASK(ID_PFR0_State3) |
                   ID_MASK(ID_PFR0_DIT) },
    { ID_PFR1,
      ID_MASK(ID_PFR1_ProgMod) | ID_MASK(ID_PFR1_Security) | ID_MASK(ID_PFR1_MProgMod) | ID_MASK(ID_PFR1_GenTimer) },
    { ID_PFR2, ID_MASK(ID_PFR2_CSV3) | ID_MASK(ID_PFR2_SSBS) },
    { ID_DFR0, ID_MASK(ID_DFR0_CopDbg) },
    { ID_MMFR0, WHOLE },
    { ID_MMFR1, WHOLE },
    { ID_MMFR2, WHOLE },
    { ID_MMFR3, WHOLE },
    { ID_MMFR4, WHOLE },
    { ID_MMFR5, ID_MASK(ID_MMFR5_ETS) },
    { ID_ISAR0, WHOLE },
    { ID_ISAR1, WHOLE },
    { ID_ISAR2, WHOLE },
    { ID_ISAR3, WHOLE },
    { ID_ISAR4, WHOLE },
    { ID_ISAR5, WHOLE },
    { ID_ISAR6, WHOLE },
    { MVFR0, WHOLE },
    { MVFR1, WHOLE },
    { MVFR2, WHOLE },
};

static uint64_t show(const struct avc_features *f, const struct shown *s)
{
    int has = (int)avc_id_field(f->id, s->field), most = s->value;

    if (s->how == FIXED)
        return s->value;
    if (s->how == SIGNED && has >= 8)
        return (uint64_t)has;
    return (uint64_t)LOWER(has, most);
}

/* Returns the smallest PARange that has room for all of the IPA space, and at most the CPU's. */
static uint64_t pa_range(const struct avc_features *f, unsigned ipa_bits)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
    unsigned most = avc_id_field(f->id, ID_AA64MMFR0_PARange);
    unsigned n = 0;

    while (n < most && n < AVC_ARRAY_SIZE(bits) - 1 && bits[n] < ipa_bits)
        n++;
    return n;
}

/*
 * Does a trap of WFIT not say that it is one? QEMU (10.0) gives the syndrome of WFI, without TI and Rn, so nobody knows
 * when the wait is to end. Its own CPU is the one with FEAT_WFxT, and has implementer 0. Where the VM's WFI does not
 * trap, WFIT waits in the CPU and is right.
 */
static bool loses_wfit(const struct avc_vm *vm)
{
    return !MIDR_IMPLEMENTER(vm->features.midr) && !(vm->flags & AVC_VM_NO_WFI);
}

/* CSV2 of 2 and 3 says that there are SCXTNUM_EL1 and SCXTNUM_EL0. */
static uint64_t csv2(const struct avc_features *f, uint64_t pfr0)
{
    uint64_t one = UINT64_C(1) << ID_LO(ID_AA64PFR0_CSV2);

    return (pfr0 & ID_MASK(ID_AA64PFR0_CSV2)) <= one || avc_has(f, AVC_FEAT_CSV2_2)
               ? pfr0
               : (pfr0 & ~ID_MASK(ID_AA64PFR0_CSV2)) | one;
}

void avc_feature_guest_ids(struct avc_vm *vm)
{
    const struct avc_features *f = &vm->features;
    uint64_t *id = vm->id_regs;
    bool gic = vm->irqc && avc_has(f, AVC_FEAT_GICV3);

    for (unsigned reg = 0; reg < AVC_NR_ID_REGS; reg++)
        id[reg] = 0;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(shown); n++)
        id[ID_REG_OF(shown[n].field)] |= show(f, &shown[n]) << ID_LO(shown[n].field);
    id[ID_AA64PFR0] = csv2(f, id[ID_AA64PFR0]);
    id[ID_AA64MMFR0] |= pa_range(f, vm->stage2->ipa_bits);
    if (loses_wfit(vm))
        id[ID_AA64ISAR2] &= ~ID_MASK(ID_AA64ISAR2_WFxT);
    if (gic)
        id[ID_AA64PFR0] |= UINT64_C(1) << ID_LO(ID_AA64PFR0_GIC);
    if (!avc_has(f, AVC_FEAT_AA32EL0))
        return; /* "if no Exception level uses AArch32, these are UNKNOWN": zero */
    for (size_t n = 0; n < AVC_ARRAY_SIZE(shown32); n++)
        id[shown32[n].reg] = f->id[shown32[n].reg] & shown32[n].mask;
    if (gic)
        id[ID_PFR1] |= UINT64_C(1) << ID_LO(ID_PFR1_GIC);
}
