/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * From claims to trap bits. A claim on an exception class, a system register or a system instruction sets what makes the CPU trap
 * it: the fine-grained trap of FEAT_FGT where the CPU has it, else the coarser one, whose other registers then trap
 * as well and are settled by the register table. Where there is neither, avc_vm_claim() answers AVC_ENOTRAP.
 */
#include "core/policy/traps.h"

#define NONE                       0xff
#define K(op0, op1, crn, crm, op2) AVC_SYSREG_KEY(op0, op1, crn, crm, op2)

/* System registers: fine-grained for reading and for writing, at one bit number; read-only ones have the first. */
#define FGT_RO(key, bit)                                                                                               \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGRTR, AVC_FEAT_FGT, NONE, false, AVC_BIT(bit)                                        \
    }
#define FGT_RW(key, bit)                                                                                               \
    FGT_RO(key, bit),                                                                                                  \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGWTR, AVC_FEAT_FGT, NONE, false, AVC_BIT(bit)                                        \
    }
/* System instructions: fine-grained. */
#define FGT_I(key, bit)                                                                                                \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGITR, AVC_FEAT_FGT, NONE, false, AVC_BIT(bit)                                        \
    }
/* The coarser trap, for CPUs without FEAT_FGT. */
#define HCR(first, last, bits)                                                                                         \
    {                                                                                                                  \
        first, last, AVC_SYSREG, T_HCR, NONE, AVC_FEAT_FGT, false, bits                                                \
    }
#define TVM(key) HCR(key, key, AVC_BIT(26) | AVC_BIT(30)) /* TVM, TRVM */
/* A class. */
#define CLASS(ec, reg, has, bits)                                                                                      \
    {                                                                                                                  \
        ec, ec, AVC_CLASS, reg, has, NONE, false, bits                                                                 \
    }

static const struct avc_trap_for rows[] = {
    /* ---- exception classes ---- */
    CLASS(0x01, T_HCR, NONE, AVC_BIT(13) | AVC_BIT(14)),                                     /* WFx: TWI, TWE */
    { 0x09, 0x09, AVC_CLASS, T_HCR, AVC_FEAT_PAUTH, NONE, true, AVC_BIT(40) | AVC_BIT(41) }, /* APK, API */
    CLASS(0x11, T_HFGITR, AVC_FEAT_FGT, HFGITR_SVC_EL0),                                     /* SVC of AArch32 EL0 */
    CLASS(0x15, T_HFGITR, AVC_FEAT_FGT, HFGITR_SVC_EL0 | HFGITR_SVC_EL1),                    /* SVC */
    CLASS(0x1a, T_HFGITR, AVC_FEAT_FGT, HFGITR_ERET),                                        /* ERET */
    CLASS(0x30, T_MDCR, NONE, AVC_BIT(8)),                                                   /* breakpoint: TDE */
    CLASS(0x32, T_MDCR, NONE, AVC_BIT(8)),                                                   /* software step */
    CLASS(0x34, T_MDCR, NONE, AVC_BIT(8)),                                                   /* watchpoint */
    CLASS(0x38, T_MDCR, AVC_FEAT_AA32EL0, AVC_BIT(8)),                                       /* BKPT */
    CLASS(0x3c, T_MDCR, NONE, AVC_BIT(8)),                                                   /* BRK */
    { 0, 0xffff, AVC_SVC, T_HFGITR, AVC_FEAT_FGT, NONE, false, HFGITR_SVC_EL0 },

    /* ---- registers ---- */
    FGT_RW(K(3, 0, 5, 1, 0), 0),   /* AFSR0_EL1 */
    FGT_RW(K(3, 0, 5, 1, 1), 1),   /* AFSR1_EL1 */
    FGT_RW(K(3, 0, 10, 3, 0), 3),  /* AMAIR_EL1 */
    FGT_RW(K(3, 0, 2, 2, 0), 4),   /* APDAKeyLo_EL1 */
    FGT_RW(K(3, 0, 2, 2, 1), 4),   /* APDAKeyHi_EL1 */
    FGT_RW(K(3, 0, 2, 2, 2), 5),   /* APDBKeyLo_EL1 */
    FGT_RW(K(3, 0, 2, 2, 3), 5),   /* APDBKeyHi_EL1 */
    FGT_RW(K(3, 0, 2, 3, 0), 6),   /* APGAKeyLo_EL1 */
    FGT_RW(K(3, 0, 2, 3, 1), 6),   /* APGAKeyHi_EL1 */
    FGT_RW(K(3, 0, 2, 1, 0), 7),   /* APIAKeyLo_EL1 */
    FGT_RW(K(3, 0, 2, 1, 1), 7),   /* APIAKeyHi_EL1 */
    FGT_RW(K(3, 0, 2, 1, 2), 8),   /* APIBKeyLo_EL1 */
    FGT_RW(K(3, 0, 2, 1, 3), 8),   /* APIBKeyHi_EL1 */
    FGT_RO(K(3, 1, 0, 0, 0), 9),   /* CCSIDR_EL1 */
    FGT_RO(K(3, 1, 0, 0, 1), 10),  /* CLIDR_EL1 */
    FGT_RW(K(3, 0, 13, 0, 1), 11), /* CONTEXTIDR_EL1 */
    FGT_RW(K(3, 0, 1, 0, 2), 12),  /* CPACR_EL1 */
    FGT_RW(K(3, 2, 0, 0, 0), 13),  /* CSSELR_EL1 */
    FGT_RO(K(3, 3, 0, 0, 1), 14),  /* CTR_EL0 */
    FGT_RO(K(3, 3, 0, 0, 7), 15),  /* DCZID_EL0 */
    FGT_RW(K(3, 0, 5, 2, 0), 16),  /* ESR_EL1 */
    FGT_RW(K(3, 0, 6, 0, 0), 17),  /* FAR_EL1 */
    FGT_RO(K(3, 0, 12, 1, 0), 18), /* ISR_EL1 */
    FGT_RW(K(3, 0, 10, 2, 0), 24), /* MAIR_EL1 */
    FGT_RO(K(3, 0, 0, 0, 0), 25),  /* MIDR_EL1 */
    FGT_RO(K(3, 0, 0, 0, 5), 26),  /* MPIDR_EL1 */
    FGT_RW(K(3, 0, 7, 4, 0), 27),  /* PAR_EL1 */
    FGT_RW(K(3, 0, 1, 0, 0), 29),  /* SCTLR_EL1 */
    FGT_RW(K(3, 0, 2, 0, 2), 32),  /* TCR_EL1 */
    FGT_RW(K(3, 0, 13, 0, 4), 33), /* TPIDR_EL1 */
    FGT_RW(K(3, 3, 13, 0, 3), 34), /* TPIDRRO_EL0 */
    FGT_RW(K(3, 3, 13, 0, 2), 35), /* TPIDR_EL0 */
    FGT_RW(K(3, 0, 2, 0, 0), 36),  /* TTBR0_EL1 */
    FGT_RW(K(3, 0, 2, 0, 1), 37),  /* TTBR1_EL1 */
    FGT_RW(K(3, 0, 12, 0, 0), 38), /* VBAR_EL1 */
    TVM(K(3, 0, 1, 0, 0)),
    TVM(K(3, 0, 2, 0, 0)),
    TVM(K(3, 0, 2, 0, 1)),
    TVM(K(3, 0, 2, 0, 2)),
    TVM(K(3, 0, 5, 1, 0)),
    TVM(K(3, 0, 5, 1, 1)),
    TVM(K(3, 0, 5, 2, 0)),
    TVM(K(3, 0, 6, 0, 0)),
    TVM(K(3, 0, 10, 2, 0)),
    TVM(K(3, 0, 10, 3, 0)),
    TVM(K(3, 0, 13, 0, 1)),
    { K(3, 0, 2, 1, 0), K(3, 0, 2, 3, 1), AVC_SYSREG, T_HCR, AVC_FEAT_PAUTH, AVC_FEAT_FGT, true,
      AVC_BIT(40) },                                      /* APK */
    HCR(K(3, 1, 0, 0, 0), K(3, 1, 0, 0, 1), AVC_BIT(17)), /* CCSIDR_EL1, CLIDR_EL1: TID2 */
    HCR(K(3, 2, 0, 0, 0), K(3, 2, 0, 0, 0), AVC_BIT(17)), /* CSSELR_EL1 */
    HCR(K(3, 3, 0, 0, 1), K(3, 3, 0, 0, 1), AVC_BIT(17)), /* CTR_EL0 */
    { K(3, 1, 0, 0, 2), K(3, 1, 0, 0, 2), AVC_SYSREG, T_HCR, NONE, NONE, false, AVC_BIT(17) }, /* CCSIDR2_EL1 */
    { K(3, 0, 1, 0, 2), K(3, 0, 1, 0, 2), AVC_SYSREG, T_CPTR, NONE, AVC_FEAT_FGT, false, AVC_BIT(31) }, /* TCPAC */
    { K(3, 0, 1, 0, 2), K(3, 0, 1, 0, 2), AVC_SYSREG, T_CPTR_VHE, NONE, AVC_FEAT_FGT, false, AVC_BIT(31) },

    /* ---- timers: FEAT_ECV traps the virtual ones ---- */
    { K(3, 3, 14, 0, 1), K(3, 3, 14, 0, 1), AVC_SYSREG, T_CNTHCTL, NONE, NONE, true, AVC_BIT(0) }, /* EL1PCTEN */
    { K(3, 3, 14, 0, 1), K(3, 3, 14, 0, 1), AVC_SYSREG, T_CNTHCTL_VHE, NONE, NONE, true, AVC_BIT(10) },
    { K(3, 3, 14, 0, 5), K(3, 3, 14, 0, 5), AVC_SYSREG, T_CNTHCTL, AVC_FEAT_ECV, NONE, true,
      AVC_BIT(0) }, /* CNTPCTSS */
    { K(3, 3, 14, 0, 5), K(3, 3, 14, 0, 5), AVC_SYSREG, T_CNTHCTL_VHE, AVC_FEAT_ECV, NONE, true, AVC_BIT(10) },
    { K(3, 3, 14, 2, 0), K(3, 3, 14, 2, 2), AVC_SYSREG, T_CNTHCTL, NONE, NONE, true, AVC_BIT(1) }, /* EL1PCEN */
    { K(3, 3, 14, 2, 0), K(3, 3, 14, 2, 2), AVC_SYSREG, T_CNTHCTL_VHE, NONE, NONE, true, AVC_BIT(11) },
    { K(3, 3, 14, 3, 0), K(3, 3, 14, 3, 2), AVC_SYSREG, T_CNTHCTL, AVC_FEAT_ECV, NONE, false,
      AVC_BIT(13) }, /* EL1TVT */
    { K(3, 3, 14, 3, 0), K(3, 3, 14, 3, 2), AVC_SYSREG, T_CNTHCTL_VHE, AVC_FEAT_ECV, NONE, false, AVC_BIT(13) },
    { K(3, 3, 14, 0, 2), K(3, 3, 14, 0, 2), AVC_SYSREG, T_CNTHCTL, AVC_FEAT_ECV, NONE, false,
      AVC_BIT(14) }, /* EL1TVCT */
    { K(3, 3, 14, 0, 2), K(3, 3, 14, 0, 2), AVC_SYSREG, T_CNTHCTL_VHE, AVC_FEAT_ECV, NONE, false, AVC_BIT(14) },
    { K(3, 3, 14, 0, 6), K(3, 3, 14, 0, 6), AVC_SYSREG, T_CNTHCTL, AVC_FEAT_ECV, NONE, false,
      AVC_BIT(14) }, /* CNTVCTSS */
    { K(3, 3, 14, 0, 6), K(3, 3, 14, 0, 6), AVC_SYSREG, T_CNTHCTL_VHE, AVC_FEAT_ECV, NONE, false, AVC_BIT(14) },

    /* ---- cache maintenance, address translation, TLB maintenance: op0=1 ---- */
    FGT_I(K(1, 0, 7, 1, 0), 0),                           /* IC IALLUIS */
    FGT_I(K(1, 0, 7, 5, 0), 1),                           /* IC IALLU */
    FGT_I(K(1, 3, 7, 5, 1), 2),                           /* IC IVAU */
    FGT_I(K(1, 0, 7, 6, 1), 3),                           /* DC IVAC */
    FGT_I(K(1, 3, 7, 11, 1), 7),                          /* DC CVAU */
    FGT_I(K(1, 3, 7, 12, 1), 8),                          /* DC CVAP */
    FGT_I(K(1, 3, 7, 13, 1), 9),                          /* DC CVADP */
    FGT_I(K(1, 3, 7, 14, 1), 10),                         /* DC CIVAC */
    FGT_I(K(1, 3, 7, 4, 1), 11),                          /* DC ZVA */
    FGT_I(K(1, 0, 7, 8, 0), 12),                          /* AT S1E1R */
    FGT_I(K(1, 0, 7, 8, 1), 13),                          /* AT S1E1W */
    FGT_I(K(1, 0, 7, 8, 2), 14),                          /* AT S1E0R */
    FGT_I(K(1, 0, 7, 8, 3), 15),                          /* AT S1E0W */
    FGT_I(K(1, 0, 7, 9, 0), 16),                          /* AT S1E1RP */
    FGT_I(K(1, 0, 7, 9, 1), 17),                          /* AT S1E1WP */
    FGT_I(K(1, 3, 7, 10, 1), 54),                         /* DC CVAC */
    FGT_I(K(1, 3, 7, 3, 4), 48),                          /* CFP RCTX */
    FGT_I(K(1, 3, 7, 3, 5), 49),                          /* DVP RCTX */
    FGT_I(K(1, 3, 7, 3, 7), 50),                          /* CPP RCTX */
    HCR(K(1, 0, 7, 6, 1), K(1, 0, 7, 6, 1), AVC_BIT(23)), /* by VA to the point of coherency: TPCP */
    HCR(K(1, 3, 7, 10, 1), K(1, 3, 7, 10, 1), AVC_BIT(23)),
    HCR(K(1, 3, 7, 12, 1), K(1, 3, 7, 12, 1), AVC_BIT(23)),
    HCR(K(1, 3, 7, 13, 1), K(1, 3, 7, 14, 1), AVC_BIT(23)),
    HCR(K(1, 0, 7, 1, 0), K(1, 0, 7, 5, 0), AVC_BIT(24)), /* to the point of unification: TPU */
    HCR(K(1, 3, 7, 5, 1), K(1, 3, 7, 5, 1), AVC_BIT(24)),
    HCR(K(1, 3, 7, 11, 1), K(1, 3, 7, 11, 1), AVC_BIT(24)),
    HCR(K(1, 3, 7, 4, 1), K(1, 3, 7, 4, 1), AVC_BIT(28)), /* TDZ */
    /* all of EL1's TLB maintenance at once: guests use many forms, and a claim on one by FEAT_FGT would miss the others */
    { K(1, 0, 8, 1, 0), K(1, 0, 9, 7, 7), AVC_SYSREG, T_HCR, NONE, NONE, false, AVC_BIT(25) }, /* TTLB */
};

static bool applies(const struct avc_trap_for *row, const struct avc_features *f)
{
    return (row->has == NONE || avc_has(f, (enum avc_feature_bit)row->has)) &&
           (row->lacks == NONE || !avc_has(f, (enum avc_feature_bit)row->lacks));
}

const struct avc_trap_for *avc_trap_for(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last,
                                        unsigned *at)
{
    while (*at < AVC_ARRAY_SIZE(rows)) {
        const struct avc_trap_for *row = &rows[(*at)++];

        if (row->kind == kind && applies(row, f) && (kind == AVC_SVC || (row->first <= last && first <= row->last)))
            return row;
    }
    return NULL;
}

/* What traps with no claim at all: by the rows of traps.c, or because the exception has nowhere else to go. */
static const struct {
    uint8_t kind, has;
    uint16_t first, last;
} always[] = {
    { AVC_CLASS, AVC_FEAT_AA32EL0, 0x03, 0x06 }, /* MCR, MRC, MCRR, LDC */
    { AVC_CLASS, NONE, 0x07, 0x07 },             /* FP */
    { AVC_CLASS, AVC_FEAT_AA32EL0, 0x08, 0x08 }, /* VMRS */
    { AVC_CLASS, AVC_FEAT_AA32EL0, 0x0c, 0x0c }, /* MRRC, cp14 */
    { AVC_CLASS, NONE, 0x16, 0x18 },             /* HVC, SMC, MSR and MRS */
    { AVC_CLASS, AVC_FEAT_SVE, 0x19, 0x19 },
    { AVC_CLASS, AVC_FEAT_SME, 0x1d, 0x1d },
    { AVC_CLASS, NONE, 0x20, 0x20 }, /* instruction abort */
    { AVC_CLASS, NONE, 0x24, 0x24 }, /* data abort */

    { AVC_SYSREG, NONE, K(1, 0, 7, 6, 2), K(1, 0, 7, 6, 2) },               /* DC ISW: TSW */
    { AVC_SYSREG, NONE, K(1, 0, 7, 10, 2), K(1, 0, 7, 10, 2) },             /* DC CSW */
    { AVC_SYSREG, NONE, K(1, 0, 7, 14, 2), K(1, 0, 7, 14, 2) },             /* DC CISW */
    { AVC_SYSREG, NONE, K(2, 0, 0, 0, 0), K(2, 0, 15, 15, 7) },             /* debug: TDA, TDOSA, TDRA */
    { AVC_SYSREG, NONE, K(2, 1, 0, 0, 0), K(2, 1, 15, 15, 7) },             /* trace: TTA */
    { AVC_SYSREG, NONE, K(2, 3, 0, 1, 0), K(2, 3, 0, 5, 0) },               /* comms channel: TDA */
    { AVC_SYSREG, NONE, K(3, 0, 0, 0, 6), K(3, 0, 0, 7, 7) },               /* REVIDR_EL1: TID1; ID registers: TID3 */
    { AVC_SYSREG, NONE, K(3, 1, 0, 0, 7), K(3, 1, 0, 0, 7) },               /* AIDR_EL1: TID1 */
    { AVC_SYSREG, NONE, K(3, 0, 1, 0, 1), K(3, 0, 1, 0, 1) },               /* ACTLR_EL1: TACR */
    { AVC_SYSREG, AVC_FEAT_SVE, K(3, 0, 1, 2, 0), K(3, 0, 1, 2, 0) },       /* ZCR_EL1: TZ */
    { AVC_SYSREG, AVC_FEAT_TRF, K(3, 0, 1, 2, 1), K(3, 0, 1, 2, 1) },       /* TRFCR_EL1: TTRF */
    { AVC_SYSREG, AVC_FEAT_MTE, K(3, 0, 1, 0, 5), K(3, 0, 1, 0, 6) },       /* RGSR_EL1, GCR_EL1: ATA */
    { AVC_SYSREG, AVC_FEAT_GICV3, K(3, 0, 4, 6, 0), K(3, 0, 4, 6, 0) },     /* ICC_PMR_EL1 */
    { AVC_SYSREG, AVC_FEAT_RAS, K(3, 0, 5, 3, 0), K(3, 0, 5, 5, 7) },       /* error records: TERR */
    { AVC_SYSREG, AVC_FEAT_SPE, K(3, 0, 9, 9, 0), K(3, 0, 9, 10, 7) },      /* TPMS, E2PB */
    { AVC_SYSREG, AVC_FEAT_TRBE, K(3, 0, 9, 11, 0), K(3, 0, 9, 11, 7) },    /* E2TB */
    { AVC_SYSREG, AVC_FEAT_PMU, K(3, 0, 9, 14, 0), K(3, 0, 9, 14, 7) },     /* TPM */
    { AVC_SYSREG, AVC_FEAT_LOR, K(3, 0, 10, 4, 0), K(3, 0, 10, 4, 7) },     /* TLOR */
    { AVC_SYSREG, AVC_FEAT_GICV3, K(3, 0, 12, 8, 0), K(3, 0, 12, 12, 7) },  /* ICC_...: FMO, IMO, ICH_HCR_EL2 */
    { AVC_SYSREG, AVC_FEAT_SCXTNUM, K(3, 0, 13, 0, 7), K(3, 0, 13, 0, 7) }, /* EnSCXT */
    { AVC_SYSREG, AVC_FEAT_PMU, K(3, 3, 9, 12, 0), K(3, 3, 9, 14, 7) },     /* TPM */
    { AVC_SYSREG, AVC_FEAT_SCXTNUM, K(3, 3, 13, 0, 7), K(3, 3, 13, 0, 7) },
    { AVC_SYSREG, AVC_FEAT_AMU, K(3, 3, 13, 2, 0), K(3, 3, 13, 15, 7) }, /* TAM */
    { AVC_SYSREG, AVC_FEAT_PMU, K(3, 3, 14, 8, 0), K(3, 3, 14, 15, 7) },
};

/* Implementation defined registers and instructions: op0 1 or 3, CRn 11 or 15 (HCR_EL2.TIDCP). */
static bool impl_defined(uint64_t first, uint64_t last)
{
    for (unsigned n = 0; n < 32; n++) {
        uint32_t from = AVC_SYSREG_KEY(n & 16 ? 3 : 1, n & 7, n & 8 ? 15 : 11, 0, 0);

        if (from <= last && first <= from + 0x7f)
            return true;
    }
    return false;
}

bool avc_trap_always(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last)
{
    if (kind == AVC_SYSREG && impl_defined(first, last))
        return true;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(always); n++)
        if (always[n].kind == kind && always[n].first <= last && first <= always[n].last &&
            (always[n].has == NONE || avc_has(f, (enum avc_feature_bit)always[n].has)))
            return true;
    return false;
}
