/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Turns claims into trap bits. A claim on an exception class, a system register or a system instruction sets the bits
 * that make the CPU trap it. If the CPU has FEAT_FGT, that is the fine-grained trap. Otherwise it is the coarser one:
 * the other registers of that trap then trap as well, and the register table emulates them. If there is neither,
 * avc_vm_claim() answers AVC_ENOTRAP.
 */
#include <avc/sysreg.h>

#include "arch/cptr.h"
#include "arch/debug.h"
#include "arch/esr.h"
#include "arch/hfgtr.h"
#include "arch/timer.h"
#include "core/policy/traps.h"

#define NONE                       0xff
#define K(op0, op1, crn, crm, op2) AVC_SYSREG_KEY(op0, op1, crn, crm, op2)

/* System registers with a fine-grained trap. The same bit traps reads and writes. Read-only registers have only the
   first. */
#define FGT_RO(key, bit)                                                                                               \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGRTR, AVC_FEAT_FGT, NONE, false, bit                                                 \
    }
#define FGT_RW(key, bit)                                                                                               \
    FGT_RO(key, bit),                                                                                                  \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGWTR, AVC_FEAT_FGT, NONE, false, bit                                                 \
    }
/* System instructions with a fine-grained trap. */
#define FGT_I(key, bit)                                                                                                \
    {                                                                                                                  \
        key, key, AVC_SYSREG, T_HFGITR, AVC_FEAT_FGT, NONE, false, bit                                                 \
    }
/* The coarser trap, for CPUs without FEAT_FGT. */
#define HCR(first, last, bits)                                                                                         \
    {                                                                                                                  \
        first, last, AVC_SYSREG, T_HCR, NONE, AVC_FEAT_FGT, false, bits                                                \
    }
#define TVM(key) HCR(key, key, HCR_TVM | HCR_TRVM)
/* A class. */
#define CLASS(ec, reg, has, bits)                                                                                      \
    {                                                                                                                  \
        ec, ec, AVC_CLASS, reg, has, NONE, false, bits                                                                 \
    }

/* Timers and counters. `clear`: the bit traps at 0. */
#define TIMER(first, last, has, clear, bit, bit_vhe)                                                                   \
    { first, last, AVC_SYSREG, T_CNTHCTL, has, NONE, clear, bit },                                                     \
    {                                                                                                                  \
        first, last, AVC_SYSREG, T_CNTHCTL_VHE, has, NONE, clear, bit_vhe                                              \
    }
#define CNTPCTSS K(3, 3, 14, 0, 5)
#define CNTVCTSS K(3, 3, 14, 0, 6)

static const struct avc_trap_for rows[] = {
    /* ---- exception classes ---- */
    CLASS(AVC_EC_WFX, T_HCR, NONE, HCR_TWI | HCR_TWE),
    { AVC_EC_PAUTH, AVC_EC_PAUTH, AVC_CLASS, T_HCR, AVC_FEAT_PAUTH, NONE, true, HCR_APK | HCR_API },
    CLASS(AVC_EC_SVC32, T_HFGITR, AVC_FEAT_FGT, HFGITR_SVC_EL0),
    CLASS(AVC_EC_SVC64, T_HFGITR, AVC_FEAT_FGT, HFGITR_SVC_EL0 | HFGITR_SVC_EL1),
    CLASS(AVC_EC_ERET, T_HFGITR, AVC_FEAT_FGT, HFGITR_ERET),
    CLASS(AVC_EC_BREAK_LOWER, T_MDCR, NONE, MDCR_TDE),
    CLASS(AVC_EC_STEP_LOWER, T_MDCR, NONE, MDCR_TDE),
    CLASS(AVC_EC_WATCH_LOWER, T_MDCR, NONE, MDCR_TDE),
    CLASS(AVC_EC_BKPT32, T_MDCR, AVC_FEAT_AA32EL0, MDCR_TDE),
    CLASS(AVC_EC_BRK64, T_MDCR, NONE, MDCR_TDE),
    { 0, 0xffff, AVC_SVC, T_HFGITR, AVC_FEAT_FGT, NONE, false, HFGITR_SVC_EL0 },

    /* ---- registers ---- */
    FGT_RW(AVC_REG_AFSR0_EL1, HFGTR_AFSR0_EL1),
    FGT_RW(AVC_REG_AFSR1_EL1, HFGTR_AFSR1_EL1),
    FGT_RW(AVC_REG_AMAIR_EL1, HFGTR_AMAIR_EL1),
    FGT_RW(AVC_REG_APDAKeyLo_EL1, HFGTR_APDAKey),
    FGT_RW(AVC_REG_APDAKeyHi_EL1, HFGTR_APDAKey),
    FGT_RW(AVC_REG_APDBKeyLo_EL1, HFGTR_APDBKey),
    FGT_RW(AVC_REG_APDBKeyHi_EL1, HFGTR_APDBKey),
    FGT_RW(AVC_REG_APGAKeyLo_EL1, HFGTR_APGAKey),
    FGT_RW(AVC_REG_APGAKeyHi_EL1, HFGTR_APGAKey),
    FGT_RW(AVC_REG_APIAKeyLo_EL1, HFGTR_APIAKey),
    FGT_RW(AVC_REG_APIAKeyHi_EL1, HFGTR_APIAKey),
    FGT_RW(AVC_REG_APIBKeyLo_EL1, HFGTR_APIBKey),
    FGT_RW(AVC_REG_APIBKeyHi_EL1, HFGTR_APIBKey),
    FGT_RO(K(3, 1, 0, 0, 0), HFGTR_CCSIDR_EL1),
    FGT_RO(AVC_REG_CLIDR_EL1, HFGTR_CLIDR_EL1),
    FGT_RW(AVC_REG_CONTEXTIDR_EL1, HFGTR_CONTEXTIDR_EL1),
    FGT_RW(AVC_REG_CPACR_EL1, HFGTR_CPACR_EL1),
    FGT_RW(AVC_REG_CSSELR_EL1, HFGTR_CSSELR_EL1),
    FGT_RO(AVC_REG_CTR_EL0, HFGTR_CTR_EL0),
    FGT_RO(AVC_REG_DCZID_EL0, HFGTR_DCZID_EL0),
    FGT_RW(AVC_REG_ESR_EL1, HFGTR_ESR_EL1),
    FGT_RW(AVC_REG_FAR_EL1, HFGTR_FAR_EL1),
    FGT_RO(K(3, 0, 12, 1, 0), HFGTR_ISR_EL1),
    FGT_RW(AVC_REG_MAIR_EL1, HFGTR_MAIR_EL1),
    FGT_RO(AVC_REG_MIDR_EL1, HFGTR_MIDR_EL1),
    FGT_RO(AVC_REG_MPIDR_EL1, HFGTR_MPIDR_EL1),
    FGT_RW(AVC_REG_PAR_EL1, HFGTR_PAR_EL1),
    FGT_RW(AVC_REG_SCTLR_EL1, HFGTR_SCTLR_EL1),
    FGT_RW(AVC_REG_TCR_EL1, HFGTR_TCR_EL1),
    FGT_RW(AVC_REG_TPIDR_EL1, HFGTR_TPIDR_EL1),
    FGT_RW(AVC_REG_TPIDRRO_EL0, HFGTR_TPIDRRO_EL0),
    FGT_RW(AVC_REG_TPIDR_EL0, HFGTR_TPIDR_EL0),
    FGT_RW(AVC_REG_TTBR0_EL1, HFGTR_TTBR0_EL1),
    FGT_RW(AVC_REG_TTBR1_EL1, HFGTR_TTBR1_EL1),
    FGT_RW(AVC_REG_VBAR_EL1, HFGTR_VBAR_EL1),
    TVM(AVC_REG_SCTLR_EL1),
    TVM(AVC_REG_TTBR0_EL1),
    TVM(AVC_REG_TTBR1_EL1),
    TVM(AVC_REG_TCR_EL1),
    TVM(AVC_REG_AFSR0_EL1),
    TVM(AVC_REG_AFSR1_EL1),
    TVM(AVC_REG_ESR_EL1),
    TVM(AVC_REG_FAR_EL1),
    TVM(AVC_REG_MAIR_EL1),
    TVM(AVC_REG_AMAIR_EL1),
    TVM(AVC_REG_CONTEXTIDR_EL1),
    { AVC_REG_APIAKeyLo_EL1, AVC_REG_APGAKeyHi_EL1, AVC_SYSREG, T_HCR, AVC_FEAT_PAUTH, AVC_FEAT_FGT, true, HCR_APK },
    { AVC_REG_SCXTNUM_EL1, AVC_REG_SCXTNUM_EL1, AVC_SYSREG, T_HCR, AVC_FEAT_CSV2_2, NONE, true, HCR_ENSCXT },
    { AVC_REG_SCXTNUM_EL0, AVC_REG_SCXTNUM_EL0, AVC_SYSREG, T_HCR, AVC_FEAT_CSV2_2, NONE, true, HCR_ENSCXT },
    HCR(K(3, 1, 0, 0, 0), K(3, 1, 0, 0, 1), HCR_TID2), /* CCSIDR_EL1, CLIDR_EL1 */
    HCR(AVC_REG_CSSELR_EL1, AVC_REG_CSSELR_EL1, HCR_TID2),
    HCR(AVC_REG_CTR_EL0, AVC_REG_CTR_EL0, HCR_TID2),
    { K(3, 1, 0, 0, 2), K(3, 1, 0, 0, 2), AVC_SYSREG, T_HCR, NONE, NONE, false, HCR_TID2 }, /* CCSIDR2_EL1 */
    { AVC_REG_CPACR_EL1, AVC_REG_CPACR_EL1, AVC_SYSREG, T_CPTR, NONE, AVC_FEAT_FGT, false, CPTR_TCPAC },
    { AVC_REG_CPACR_EL1, AVC_REG_CPACR_EL1, AVC_SYSREG, T_CPTR_VHE, NONE, AVC_FEAT_FGT, false, CPTR_VHE_TCPAC },

    /* ---- timers: FEAT_ECV traps the virtual ones. With E2H=0 and with E2H=1 ---- */
    TIMER(AVC_REG_CNTPCT_EL0, AVC_REG_CNTPCT_EL0, NONE, true, CNTHCTL_EL1PCTEN, CNTHCTL_VHE_EL1PCTEN),
    TIMER(CNTPCTSS, CNTPCTSS, AVC_FEAT_ECV, true, CNTHCTL_EL1PCTEN, CNTHCTL_VHE_EL1PCTEN),
    TIMER(AVC_REG_CNTP_TVAL_EL0, AVC_REG_CNTP_CVAL_EL0, NONE, true, CNTHCTL_EL1PCEN, CNTHCTL_VHE_EL1PTEN),
    TIMER(AVC_REG_CNTV_TVAL_EL0, AVC_REG_CNTV_CVAL_EL0, AVC_FEAT_ECV, false, CNTHCTL_EL1TVT, CNTHCTL_EL1TVT),
    TIMER(AVC_REG_CNTVCT_EL0, AVC_REG_CNTVCT_EL0, AVC_FEAT_ECV, false, CNTHCTL_EL1TVCT, CNTHCTL_EL1TVCT),
    TIMER(CNTVCTSS, CNTVCTSS, AVC_FEAT_ECV, false, CNTHCTL_EL1TVCT, CNTHCTL_EL1TVCT),

    /* ---- cache maintenance, address translation, TLB maintenance: op0=1 ---- */
    FGT_I(K(1, 0, 7, 1, 0), HFGITR_ICIALLUIS),
    FGT_I(K(1, 0, 7, 5, 0), HFGITR_ICIALLU),
    FGT_I(K(1, 3, 7, 5, 1), HFGITR_ICIVAU),
    FGT_I(K(1, 0, 7, 6, 1), HFGITR_DCIVAC),
    FGT_I(K(1, 3, 7, 11, 1), HFGITR_DCCVAU),
    FGT_I(K(1, 3, 7, 12, 1), HFGITR_DCCVAP),
    FGT_I(K(1, 3, 7, 13, 1), HFGITR_DCCVADP),
    FGT_I(K(1, 3, 7, 14, 1), HFGITR_DCCIVAC),
    FGT_I(K(1, 3, 7, 4, 1), HFGITR_DCZVA),
    FGT_I(K(1, 0, 7, 8, 0), HFGITR_ATS1E1R),
    FGT_I(K(1, 0, 7, 8, 1), HFGITR_ATS1E1W),
    FGT_I(K(1, 0, 7, 8, 2), HFGITR_ATS1E0R),
    FGT_I(K(1, 0, 7, 8, 3), HFGITR_ATS1E0W),
    FGT_I(K(1, 0, 7, 9, 0), HFGITR_ATS1E1RP),
    FGT_I(K(1, 0, 7, 9, 1), HFGITR_ATS1E1WP),
    FGT_I(K(1, 3, 7, 10, 1), HFGITR_DCCVAC),
    FGT_I(K(1, 3, 7, 3, 4), HFGITR_CFPRCTX),
    FGT_I(K(1, 3, 7, 3, 5), HFGITR_DVPRCTX),
    FGT_I(K(1, 3, 7, 3, 7), HFGITR_CPPRCTX),
    HCR(K(1, 0, 7, 6, 1), K(1, 0, 7, 6, 1), HCR_TPCP), /* by VA to the point of coherency */
    HCR(K(1, 3, 7, 10, 1), K(1, 3, 7, 10, 1), HCR_TPCP),
    HCR(K(1, 3, 7, 12, 1), K(1, 3, 7, 12, 1), HCR_TPCP),
    HCR(K(1, 3, 7, 13, 1), K(1, 3, 7, 14, 1), HCR_TPCP),
    HCR(K(1, 0, 7, 1, 0), K(1, 0, 7, 5, 0), HCR_TPU), /* to the point of unification */
    HCR(K(1, 3, 7, 5, 1), K(1, 3, 7, 5, 1), HCR_TPU),
    HCR(K(1, 3, 7, 11, 1), K(1, 3, 7, 11, 1), HCR_TPU),
    HCR(K(1, 3, 7, 4, 1), K(1, 3, 7, 4, 1), HCR_TDZ),
    /* All of EL1's TLB maintenance at once. Guests use many forms, and a claim on one of them by FEAT_FGT would miss
       the others. */
    { K(1, 0, 8, 1, 0), K(1, 0, 9, 7, 7), AVC_SYSREG, T_HCR, NONE, NONE, false, HCR_TTLB },
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

/* What traps without a claim. The rows of traps.c trap it, or the exception goes to EL2 anyway. */
static const struct {
    uint8_t kind, has;
    uint16_t first, last;
} always[] = {
    { AVC_CLASS, AVC_FEAT_AA32EL0, AVC_EC_CP15, AVC_EC_CP14_LS },
    { AVC_CLASS, NONE, AVC_EC_FP, AVC_EC_FP },
    { AVC_CLASS, AVC_FEAT_AA32EL0, AVC_EC_VMRS, AVC_EC_VMRS },
    { AVC_CLASS, AVC_FEAT_AA32EL0, AVC_EC_CP14_64, AVC_EC_CP14_64 },
    { AVC_CLASS, NONE, AVC_EC_HVC64, AVC_EC_SYSREG },
    { AVC_CLASS, AVC_FEAT_SVE, AVC_EC_SVE, AVC_EC_SVE },
    { AVC_CLASS, AVC_FEAT_SME, AVC_EC_SME, AVC_EC_SME },
    { AVC_CLASS, NONE, AVC_EC_IABT_LOWER, AVC_EC_IABT_LOWER },
    { AVC_CLASS, NONE, AVC_EC_DABT_LOWER, AVC_EC_DABT_LOWER },

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
