/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Fine-grained traps (FEAT_FGT; Arm ARM DDI 0487, D24.2). HFGRTR_EL2 is for reads and HFGWTR_EL2 for writes: a register
 * has the same bit in both. HFGITR_EL2 is for instructions.
 */
#ifndef AVC_HFGTR_H
#define AVC_HFGTR_H

#include "arch/bits.h"

/* clang-format off */
/* HFGRTR_EL2, HFGWTR_EL2. r: only reads */
#define HFGTR_AFSR0_EL1      AVC_BIT(0)
#define HFGTR_AFSR1_EL1      AVC_BIT(1)
#define HFGTR_AMAIR_EL1      AVC_BIT(3)
#define HFGTR_APDAKey        AVC_BIT(4)
#define HFGTR_APDBKey        AVC_BIT(5)
#define HFGTR_APGAKey        AVC_BIT(6)
#define HFGTR_APIAKey        AVC_BIT(7)
#define HFGTR_APIBKey        AVC_BIT(8)
#define HFGTR_CCSIDR_EL1     AVC_BIT(9)  /* r */
#define HFGTR_CLIDR_EL1      AVC_BIT(10) /* r */
#define HFGTR_CONTEXTIDR_EL1 AVC_BIT(11)
#define HFGTR_CPACR_EL1      AVC_BIT(12)
#define HFGTR_CSSELR_EL1     AVC_BIT(13)
#define HFGTR_CTR_EL0        AVC_BIT(14) /* r */
#define HFGTR_DCZID_EL0      AVC_BIT(15) /* r */
#define HFGTR_ESR_EL1        AVC_BIT(16)
#define HFGTR_FAR_EL1        AVC_BIT(17)
#define HFGTR_ISR_EL1        AVC_BIT(18) /* r */
#define HFGTR_MAIR_EL1       AVC_BIT(24)
#define HFGTR_MIDR_EL1       AVC_BIT(25) /* r */
#define HFGTR_MPIDR_EL1      AVC_BIT(26) /* r */
#define HFGTR_PAR_EL1        AVC_BIT(27)
#define HFGTR_SCTLR_EL1      AVC_BIT(29)
#define HFGTR_TCR_EL1        AVC_BIT(32)
#define HFGTR_TPIDR_EL1      AVC_BIT(33)
#define HFGTR_TPIDRRO_EL0    AVC_BIT(34)
#define HFGTR_TPIDR_EL0      AVC_BIT(35)
#define HFGTR_TTBR0_EL1      AVC_BIT(36)
#define HFGTR_TTBR1_EL1      AVC_BIT(37)
#define HFGTR_VBAR_EL1       AVC_BIT(38)

/* HFGITR_EL2 */
#define HFGITR_ICIALLUIS AVC_BIT(0)
#define HFGITR_ICIALLU   AVC_BIT(1)
#define HFGITR_ICIVAU    AVC_BIT(2)
#define HFGITR_DCIVAC    AVC_BIT(3)
#define HFGITR_DCCVAU    AVC_BIT(7)
#define HFGITR_DCCVAP    AVC_BIT(8)
#define HFGITR_DCCVADP   AVC_BIT(9)
#define HFGITR_DCCIVAC   AVC_BIT(10)
#define HFGITR_DCZVA     AVC_BIT(11)
#define HFGITR_ATS1E1R   AVC_BIT(12)
#define HFGITR_ATS1E1W   AVC_BIT(13)
#define HFGITR_ATS1E0R   AVC_BIT(14)
#define HFGITR_ATS1E0W   AVC_BIT(15)
#define HFGITR_ATS1E1RP  AVC_BIT(16)
#define HFGITR_ATS1E1WP  AVC_BIT(17)
#define HFGITR_CFPRCTX   AVC_BIT(48)
#define HFGITR_DVPRCTX   AVC_BIT(49)
#define HFGITR_CPPRCTX   AVC_BIT(50)
#define HFGITR_ERET      AVC_BIT(51)
#define HFGITR_SVC_EL0   AVC_BIT(52)
#define HFGITR_SVC_EL1   AVC_BIT(53)
#define HFGITR_DCCVAC    AVC_BIT(54)
/* clang-format on */

#endif
