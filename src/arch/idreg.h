/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Registers that say what a CPU is (Arm ARM DDI 0487, D24.2; G8.2 for AArch32). The number of an ID register is its
 * index in avc_features.id and avc_vm.id_regs. A field is a number, too. It combines its register and the lowest of its
 * four bits.
 */
#ifndef AVC_IDREG_H
#define AVC_IDREG_H

#include "arch/bits.h"

/* clang-format off */
/* op0 = 3, op1 = 0, CRn = 0 */
#define ID_REG(crm, op2)  (((crm)-1) * 8 + (op2))
#define ID_FIELD(reg, lo) ((reg)*64 + (lo))
#define ID_REG_OF(field)  ((field) / 64)
#define ID_LO(field)      ((field) % 64)
#define ID_MASK(field)    (UINT64_C(15) << ID_LO(field))

/* ---- registers: CRm, op2 ---- */
#define ID_PFR0      ID_REG(1, 0)
#define ID_PFR1      ID_REG(1, 1)
#define ID_DFR0      ID_REG(1, 2)
#define ID_MMFR0     ID_REG(1, 4)
#define ID_MMFR1     ID_REG(1, 5)
#define ID_MMFR2     ID_REG(1, 6)
#define ID_MMFR3     ID_REG(1, 7)
#define ID_ISAR0     ID_REG(2, 0)
#define ID_ISAR1     ID_REG(2, 1)
#define ID_ISAR2     ID_REG(2, 2)
#define ID_ISAR3     ID_REG(2, 3)
#define ID_ISAR4     ID_REG(2, 4)
#define ID_ISAR5     ID_REG(2, 5)
#define ID_MMFR4     ID_REG(2, 6)
#define ID_ISAR6     ID_REG(2, 7)
#define MVFR0        ID_REG(3, 0)
#define MVFR1        ID_REG(3, 1)
#define MVFR2        ID_REG(3, 2)
#define ID_PFR2      ID_REG(3, 4)
#define ID_MMFR5     ID_REG(3, 6)
#define ID_AA64PFR0  ID_REG(4, 0)
#define ID_AA64PFR1  ID_REG(4, 1)
#define ID_AA64DFR0  ID_REG(5, 0)
#define ID_AA64ISAR0 ID_REG(6, 0)
#define ID_AA64ISAR1 ID_REG(6, 1)
#define ID_AA64ISAR2 ID_REG(6, 2)
#define ID_AA64MMFR0 ID_REG(7, 0)
#define ID_AA64MMFR1 ID_REG(7, 1)
#define ID_AA64MMFR2 ID_REG(7, 2)
#define ID_AA64MMFR3 ID_REG(7, 3)

/* ---- fields: the lowest bit ---- */
#define ID_PFR0_State0 ID_FIELD(ID_PFR0, 0)
#define ID_PFR0_State1 ID_FIELD(ID_PFR0, 4)
#define ID_PFR0_State2 ID_FIELD(ID_PFR0, 8)
#define ID_PFR0_State3 ID_FIELD(ID_PFR0, 12)
#define ID_PFR0_DIT    ID_FIELD(ID_PFR0, 24)

#define ID_PFR1_ProgMod  ID_FIELD(ID_PFR1, 0)
#define ID_PFR1_Security ID_FIELD(ID_PFR1, 4)
#define ID_PFR1_MProgMod ID_FIELD(ID_PFR1, 8)
#define ID_PFR1_GenTimer ID_FIELD(ID_PFR1, 16)
#define ID_PFR1_GIC      ID_FIELD(ID_PFR1, 28)

#define ID_DFR0_CopDbg  ID_FIELD(ID_DFR0, 0)
#define ID_DFR0_PerfMon ID_FIELD(ID_DFR0, 24)

#define ID_PFR2_CSV3 ID_FIELD(ID_PFR2, 0)
#define ID_PFR2_SSBS ID_FIELD(ID_PFR2, 4)

#define ID_MMFR5_ETS ID_FIELD(ID_MMFR5, 0)

#define ID_AA64PFR0_EL0     ID_FIELD(ID_AA64PFR0, 0)
#define ID_AA64PFR0_EL1     ID_FIELD(ID_AA64PFR0, 4)
#define ID_AA64PFR0_EL2     ID_FIELD(ID_AA64PFR0, 8)
#define ID_AA64PFR0_EL3     ID_FIELD(ID_AA64PFR0, 12)
#define ID_AA64PFR0_FP      ID_FIELD(ID_AA64PFR0, 16)
#define ID_AA64PFR0_AdvSIMD ID_FIELD(ID_AA64PFR0, 20)
#define ID_AA64PFR0_GIC     ID_FIELD(ID_AA64PFR0, 24)
#define ID_AA64PFR0_RAS     ID_FIELD(ID_AA64PFR0, 28)
#define ID_AA64PFR0_SVE     ID_FIELD(ID_AA64PFR0, 32)
#define ID_AA64PFR0_MPAM    ID_FIELD(ID_AA64PFR0, 40)
#define ID_AA64PFR0_AMU     ID_FIELD(ID_AA64PFR0, 44)
#define ID_AA64PFR0_DIT     ID_FIELD(ID_AA64PFR0, 48)
#define ID_AA64PFR0_CSV2    ID_FIELD(ID_AA64PFR0, 56)
#define ID_AA64PFR0_CSV3    ID_FIELD(ID_AA64PFR0, 60)

#define ID_AA64PFR1_BT        ID_FIELD(ID_AA64PFR1, 0)
#define ID_AA64PFR1_SSBS      ID_FIELD(ID_AA64PFR1, 4)
#define ID_AA64PFR1_MTE       ID_FIELD(ID_AA64PFR1, 8)
#define ID_AA64PFR1_MPAM_frac ID_FIELD(ID_AA64PFR1, 16)
#define ID_AA64PFR1_SME       ID_FIELD(ID_AA64PFR1, 24)
#define ID_AA64PFR1_CSV2_frac ID_FIELD(ID_AA64PFR1, 32)

#define ID_AA64DFR0_DebugVer    ID_FIELD(ID_AA64DFR0, 0)
#define ID_AA64DFR0_PMUVer      ID_FIELD(ID_AA64DFR0, 8)
#define ID_AA64DFR0_BRPs        ID_FIELD(ID_AA64DFR0, 12)
#define ID_AA64DFR0_WRPs        ID_FIELD(ID_AA64DFR0, 20)
#define ID_AA64DFR0_CTX_CMPs    ID_FIELD(ID_AA64DFR0, 28)
#define ID_AA64DFR0_PMSVer      ID_FIELD(ID_AA64DFR0, 32)
#define ID_AA64DFR0_DoubleLock  ID_FIELD(ID_AA64DFR0, 36)
#define ID_AA64DFR0_TraceFilt   ID_FIELD(ID_AA64DFR0, 40)
#define ID_AA64DFR0_TraceBuffer ID_FIELD(ID_AA64DFR0, 44)
#define ID_AA64DFR0_MTPMU       ID_FIELD(ID_AA64DFR0, 48)

#define ID_AA64ISAR0_AES    ID_FIELD(ID_AA64ISAR0, 4)
#define ID_AA64ISAR0_SHA1   ID_FIELD(ID_AA64ISAR0, 8)
#define ID_AA64ISAR0_SHA2   ID_FIELD(ID_AA64ISAR0, 12)
#define ID_AA64ISAR0_CRC32  ID_FIELD(ID_AA64ISAR0, 16)
#define ID_AA64ISAR0_Atomic ID_FIELD(ID_AA64ISAR0, 20)
#define ID_AA64ISAR0_RDM    ID_FIELD(ID_AA64ISAR0, 28)
#define ID_AA64ISAR0_SHA3   ID_FIELD(ID_AA64ISAR0, 32)
#define ID_AA64ISAR0_SM3    ID_FIELD(ID_AA64ISAR0, 36)
#define ID_AA64ISAR0_SM4    ID_FIELD(ID_AA64ISAR0, 40)
#define ID_AA64ISAR0_DP     ID_FIELD(ID_AA64ISAR0, 44)
#define ID_AA64ISAR0_FHM    ID_FIELD(ID_AA64ISAR0, 48)
#define ID_AA64ISAR0_TS     ID_FIELD(ID_AA64ISAR0, 52)
#define ID_AA64ISAR0_TLB    ID_FIELD(ID_AA64ISAR0, 56)
#define ID_AA64ISAR0_RNDR   ID_FIELD(ID_AA64ISAR0, 60)

#define ID_AA64ISAR1_DPB     ID_FIELD(ID_AA64ISAR1, 0)
#define ID_AA64ISAR1_APA     ID_FIELD(ID_AA64ISAR1, 4)
#define ID_AA64ISAR1_API     ID_FIELD(ID_AA64ISAR1, 8)
#define ID_AA64ISAR1_JSCVT   ID_FIELD(ID_AA64ISAR1, 12)
#define ID_AA64ISAR1_FCMA    ID_FIELD(ID_AA64ISAR1, 16)
#define ID_AA64ISAR1_LRCPC   ID_FIELD(ID_AA64ISAR1, 20)
#define ID_AA64ISAR1_GPA     ID_FIELD(ID_AA64ISAR1, 24)
#define ID_AA64ISAR1_GPI     ID_FIELD(ID_AA64ISAR1, 28)
#define ID_AA64ISAR1_FRINTTS ID_FIELD(ID_AA64ISAR1, 32)
#define ID_AA64ISAR1_SB      ID_FIELD(ID_AA64ISAR1, 36)
#define ID_AA64ISAR1_SPECRES ID_FIELD(ID_AA64ISAR1, 40)
#define ID_AA64ISAR1_BF16    ID_FIELD(ID_AA64ISAR1, 44)
#define ID_AA64ISAR1_DGH     ID_FIELD(ID_AA64ISAR1, 48)
#define ID_AA64ISAR1_I8MM    ID_FIELD(ID_AA64ISAR1, 52)

#define ID_AA64ISAR2_WFxT     ID_FIELD(ID_AA64ISAR2, 0)
#define ID_AA64ISAR2_RPRES    ID_FIELD(ID_AA64ISAR2, 4)
#define ID_AA64ISAR2_GPA3     ID_FIELD(ID_AA64ISAR2, 8)
#define ID_AA64ISAR2_APA3     ID_FIELD(ID_AA64ISAR2, 12)
#define ID_AA64ISAR2_BC       ID_FIELD(ID_AA64ISAR2, 20)
#define ID_AA64ISAR2_PAC_frac ID_FIELD(ID_AA64ISAR2, 24)
#define ID_AA64ISAR2_CLRBHB   ID_FIELD(ID_AA64ISAR2, 28)
#define ID_AA64ISAR2_PRFMSLC  ID_FIELD(ID_AA64ISAR2, 40)
#define ID_AA64ISAR2_RPRFM    ID_FIELD(ID_AA64ISAR2, 48)
#define ID_AA64ISAR2_CSSC     ID_FIELD(ID_AA64ISAR2, 52)

#define ID_AA64MMFR0_PARange   ID_FIELD(ID_AA64MMFR0, 0)
#define ID_AA64MMFR0_ASIDBits  ID_FIELD(ID_AA64MMFR0, 4)
#define ID_AA64MMFR0_BigEnd    ID_FIELD(ID_AA64MMFR0, 8)
#define ID_AA64MMFR0_SNSMem    ID_FIELD(ID_AA64MMFR0, 12)
#define ID_AA64MMFR0_BigEndEL0 ID_FIELD(ID_AA64MMFR0, 16)
#define ID_AA64MMFR0_TGran16   ID_FIELD(ID_AA64MMFR0, 20)
#define ID_AA64MMFR0_TGran64   ID_FIELD(ID_AA64MMFR0, 24)
#define ID_AA64MMFR0_TGran4    ID_FIELD(ID_AA64MMFR0, 28)
#define ID_AA64MMFR0_TGran4_2  ID_FIELD(ID_AA64MMFR0, 40)
#define ID_AA64MMFR0_ExS       ID_FIELD(ID_AA64MMFR0, 44)
#define ID_AA64MMFR0_FGT       ID_FIELD(ID_AA64MMFR0, 56)
#define ID_AA64MMFR0_ECV       ID_FIELD(ID_AA64MMFR0, 60)

#define ID_AA64MMFR1_HAFDBS   ID_FIELD(ID_AA64MMFR1, 0)
#define ID_AA64MMFR1_VMIDBits ID_FIELD(ID_AA64MMFR1, 4)
#define ID_AA64MMFR1_VH       ID_FIELD(ID_AA64MMFR1, 8)
#define ID_AA64MMFR1_HPDS     ID_FIELD(ID_AA64MMFR1, 12)
#define ID_AA64MMFR1_LO       ID_FIELD(ID_AA64MMFR1, 16)
#define ID_AA64MMFR1_PAN      ID_FIELD(ID_AA64MMFR1, 20)
#define ID_AA64MMFR1_XNX      ID_FIELD(ID_AA64MMFR1, 28)
#define ID_AA64MMFR1_ETS      ID_FIELD(ID_AA64MMFR1, 36)
#define ID_AA64MMFR1_HCX      ID_FIELD(ID_AA64MMFR1, 40)
#define ID_AA64MMFR1_AFP      ID_FIELD(ID_AA64MMFR1, 44)
#define ID_AA64MMFR1_nTLBPA   ID_FIELD(ID_AA64MMFR1, 48)
#define ID_AA64MMFR1_TIDCP1   ID_FIELD(ID_AA64MMFR1, 52)
#define ID_AA64MMFR1_ECBHB    ID_FIELD(ID_AA64MMFR1, 60)

#define ID_AA64MMFR2_CnP     ID_FIELD(ID_AA64MMFR2, 0)
#define ID_AA64MMFR2_UAO     ID_FIELD(ID_AA64MMFR2, 4)
#define ID_AA64MMFR2_LSM     ID_FIELD(ID_AA64MMFR2, 8)
#define ID_AA64MMFR2_IESB    ID_FIELD(ID_AA64MMFR2, 12)
#define ID_AA64MMFR2_VARange ID_FIELD(ID_AA64MMFR2, 16)
#define ID_AA64MMFR2_CCIDX   ID_FIELD(ID_AA64MMFR2, 20)
#define ID_AA64MMFR2_NV      ID_FIELD(ID_AA64MMFR2, 24)
#define ID_AA64MMFR2_ST      ID_FIELD(ID_AA64MMFR2, 28)
#define ID_AA64MMFR2_AT      ID_FIELD(ID_AA64MMFR2, 32)
#define ID_AA64MMFR2_IDS     ID_FIELD(ID_AA64MMFR2, 36)
#define ID_AA64MMFR2_FWB     ID_FIELD(ID_AA64MMFR2, 40)
#define ID_AA64MMFR2_TTL     ID_FIELD(ID_AA64MMFR2, 48)
#define ID_AA64MMFR2_BBM     ID_FIELD(ID_AA64MMFR2, 52)
#define ID_AA64MMFR2_EVT     ID_FIELD(ID_AA64MMFR2, 56)
#define ID_AA64MMFR2_E0PD    ID_FIELD(ID_AA64MMFR2, 60)

#define ID_AA64MMFR3_TCRX  ID_FIELD(ID_AA64MMFR3, 0)
#define ID_AA64MMFR3_S1PIE ID_FIELD(ID_AA64MMFR3, 8)

/* ---- others ---- */

/* MPIDR_EL1, and all that names a CPU like it: Aff3 in bits 39..32, Aff2..Aff0 in 23..0 */
#define MPIDR_AFFINITY (AVC_BITS(39, 32) | AVC_BITS(23, 0))
#define MPIDR_RES1     AVC_BIT(31)

/* MIDR_EL1. An implementer of 0 is reserved for software. */
#define MIDR_IMPLEMENTER(v) AVC_FIELD(v, 31, 24)
/* Implementer and part number, without variant and revision; and these two, as the r and p of rNpN */
#define MIDR_PART           (AVC_BITS(31, 24) | AVC_BITS(15, 4))
#define MIDR_REVISION(midr) (AVC_FIELD(midr, 23, 20) << 4 | AVC_FIELD(midr, 3, 0))
#define MIDR_ARM(part)      (UINT64_C(0x41000000) | (part) << 4)
#define MIDR_CORTEX_A53     MIDR_ARM(0xd03)
#define MIDR_CORTEX_A55     MIDR_ARM(0xd05)
#define MIDR_CORTEX_A57     MIDR_ARM(0xd07)
#define MIDR_CORTEX_A72     MIDR_ARM(0xd08)
#define MIDR_CORTEX_A76     MIDR_ARM(0xd0b)
#define MIDR_NEOVERSE_N1    MIDR_ARM(0xd0c)
#define MIDR_CORTEX_A77     MIDR_ARM(0xd0d)
#define MIDR_CORTEX_A76AE   MIDR_ARM(0xd0e)
#define MIDR_NEOVERSE_V1    MIDR_ARM(0xd40)
#define MIDR_CORTEX_A78     MIDR_ARM(0xd41)
#define MIDR_CORTEX_A78AE   MIDR_ARM(0xd42)
#define MIDR_CORTEX_X1      MIDR_ARM(0xd44)
#define MIDR_CORTEX_A510    MIDR_ARM(0xd46)
#define MIDR_CORTEX_A710    MIDR_ARM(0xd47)
#define MIDR_CORTEX_X2      MIDR_ARM(0xd48)
#define MIDR_NEOVERSE_N2    MIDR_ARM(0xd49)
#define MIDR_CORTEX_A78C    MIDR_ARM(0xd4b)
#define MIDR_CORTEX_X1C     MIDR_ARM(0xd4c)
#define MIDR_CORTEX_A715    MIDR_ARM(0xd4d)
#define MIDR_CORTEX_X3      MIDR_ARM(0xd4e)
#define MIDR_NEOVERSE_V2    MIDR_ARM(0xd4f)
#define MIDR_CORTEX_A720    MIDR_ARM(0xd81)
#define MIDR_CORTEX_X4      MIDR_ARM(0xd82)
#define MIDR_NEOVERSE_V3AE  MIDR_ARM(0xd83)
#define MIDR_NEOVERSE_V3    MIDR_ARM(0xd84)
#define MIDR_CORTEX_X925    MIDR_ARM(0xd85)
#define MIDR_C1_ULTRA       MIDR_ARM(0xd8c)
#define MIDR_C1_PREMIUM     MIDR_ARM(0xd90)
#define MIDR_OLYMPUS        UINT64_C(0x4e000100) /* NVIDIA */
#define MIDR_KRYO_4XX_GOLD  UINT64_C(0x51008040)
#define MIDR_COBALT_100     UINT64_C(0x6d00d490) /* Microsoft: a Neoverse N2 */
#define MIDR_AMPERE1        UINT64_C(0xc000ac30)

/* CTR_EL0 */
#define CTR_IMINLINE(ctr) AVC_FIELD(ctr, 3, 0)   /* log2 of the words of an instruction cache line */
#define CTR_L1IP(ctr)     AVC_FIELD(ctr, 15, 14) /* how the instruction cache is indexed and tagged */
#define CTR_L1IP_PIPT     3
#define CTR_DMINLINE(ctr) AVC_FIELD(ctr, 19, 16) /* log2 of the words of a data cache line */
#define CTR_DIC           AVC_BIT(29)            /* new instructions need no invalidation of instruction caches */

/* DCZID_EL0 */
#define DCZID_BS(dczid) AVC_FIELD(dczid, 3, 0) /* log2 of the words that DC ZVA clears */
#define DCZID_DZP       AVC_BIT(4)             /* DC ZVA is prohibited */

/* CurrentEL */
#define CURRENTEL_EL(el) AVC_FIELD(el, 3, 2)
/* clang-format on */

#ifndef __ASSEMBLER__
/* Return a field of its register's value, and a field of all registers. */
static inline unsigned avc_id_value(uint64_t reg, unsigned field)
{
    return reg >> ID_LO(field) & 15;
}

static inline unsigned avc_id_field(const uint64_t *id, unsigned field)
{
    return avc_id_value(id[ID_REG_OF(field)], field);
}
#endif

#endif
