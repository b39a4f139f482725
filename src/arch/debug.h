/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Self-hosted debug, and EL2's control over it and over the performance monitors (Arm ARM DDI 0487, D24.3). */
#ifndef AVC_DEBUG_H
#define AVC_DEBUG_H

#include "arch/bits.h"

/* clang-format off */
/* MDCR_EL2 */
#define MDCR_HPMN   AVC_BITS(4, 0)   /* counters that EL1 and EL0 may use */
#define MDCR_TPMCR  AVC_BIT(5)       /* traps PMCR_EL0 */
#define MDCR_TPM    AVC_BIT(6)       /* traps performance monitors */
#define MDCR_HPME   AVC_BIT(7)       /* counters from HPMN on count */
#define MDCR_TDE    AVC_BIT(8)       /* debug exceptions go to EL2 */
#define MDCR_TDA    AVC_BIT(9)       /* traps debug registers */
#define MDCR_TDOSA  AVC_BIT(10)      /* traps the OS lock's registers */
#define MDCR_TDRA   AVC_BIT(11)      /* traps the debug ROM's address */
#define MDCR_E2PB   AVC_BITS(13, 12) /* whose the profiling buffer is; 0: EL2's, and EL1's accesses trap */
#define MDCR_TPMS   AVC_BIT(14)      /* traps statistical profiling */
#define MDCR_HPMD   AVC_BIT(17)      /* counters below HPMN do not count at EL2 */
#define MDCR_TTRF   AVC_BIT(19)      /* traps trace filter controls */
#define MDCR_HCCD   AVC_BIT(23)      /* the cycle counter does not count at EL2 */
#define MDCR_E2TB   AVC_BITS(25, 24) /* whose the trace buffer is; 0: EL2's, and EL1's accesses trap */
#define MDCR_HLP    AVC_BIT(26)      /* counters from HPMN on overflow at 64 bits */
#define MDCR_TDCC   AVC_BIT(27)      /* traps the debug communications channel */
#define MDCR_MTPME  AVC_BIT(28)      /* counting of other threads is allowed */
#define MDCR_HPMFZO AVC_BIT(29)      /* counters from HPMN on freeze on overflow */

/* MDSCR_EL1 */
#define MDSCR_SS   AVC_BIT(0)  /* software step */
#define MDSCR_TDCC AVC_BIT(12) /* traps EL0's use of the debug communications channel */
#define MDSCR_KDE  AVC_BIT(13) /* debug exceptions from the level that they are taken to */
#define MDSCR_MDE  AVC_BIT(15) /* breakpoints, watchpoints */

/* OSLAR_EL1, OSLSR_EL1 */
#define OSLAR_OSLK AVC_BIT(0) /* locks */
#define OSLSR_OSLK AVC_BIT(1) /* is locked */
#define OSLSR_OSLM AVC_BIT(3) /* bits 3 and 0, 0b10: there is an OS lock */

/* DBGBCR<n>_EL1: a breakpoint. HMC, SSC and PMC together select Exception levels. */
#define DBGBCR_E       AVC_BIT(0)                /* enable */
#define DBGBCR_PMC     AVC_BITS(2, 1)            /* privilege */
#define DBGBCR_BAS     AVC_BITS(8, 5)            /* byte address select, for AArch32 */
#define DBGBCR_BAS_LOW (AVC_BIT(5) | AVC_BIT(7)) /* BAS[0], BAS[2]: of each halfword the first byte */
#define DBGBCR_LBN     AVC_BITS(19, 16)          /* linked breakpoint */
#define DBGBCR_BT      AVC_BITS(23, 20)          /* type */

/* DBGWCR<n>_EL1: a watchpoint. HMC, SSC and PAC likewise. */
#define DBGWCR_E    AVC_BIT(0)       /* enable */
#define DBGWCR_PAC  AVC_BITS(2, 1)   /* privilege */
#define DBGWCR_LSC  AVC_BITS(4, 3)   /* loads, stores */
#define DBGWCR_BAS  AVC_BITS(12, 5)  /* byte address select */
#define DBGWCR_LBN  AVC_BITS(19, 16) /* linked breakpoint */
#define DBGWCR_WT   AVC_BIT(20)      /* linked */
#define DBGWCR_MASK AVC_BITS(28, 24) /* address mask */

/* DBGDIDR of AArch32: what ID_AA64DFR0_EL1 says, in other places */
#define DBGDIDR_RES1        AVC_BIT(15)
#define DBGDIDR_VERSION(v)  AVC_PUT(v, 16)
#define DBGDIDR_CTX_CMPS(v) AVC_PUT(v, 20)
#define DBGDIDR_BRPS(v)     AVC_PUT(v, 24)
#define DBGDIDR_WRPS(v)     AVC_PUT(v, 28)
/* clang-format on */

#endif
