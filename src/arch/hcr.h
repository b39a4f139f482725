/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What EL2 takes of a guest: HCR_EL2, HCRX_EL2 and HSTR_EL2 (Arm ARM DDI 0487, D24.2). */
#ifndef AVC_HCR_H
#define AVC_HCR_H

#include "arch/bits.h"

/* clang-format off */
/* HCR_EL2 */
#define HCR_VM     AVC_BIT(0)  /* stage 2 translation */
#define HCR_SWIO   AVC_BIT(1)  /* DC ISW is DC CISW */
#define HCR_FMO    AVC_BIT(3)  /* physical FIQs to EL2, virtual ones to EL1 */
#define HCR_IMO    AVC_BIT(4)  /* IRQs likewise */
#define HCR_AMO    AVC_BIT(5)  /* SErrors likewise */
#define HCR_VF     AVC_BIT(6)  /* a virtual FIQ is pending */
#define HCR_VI     AVC_BIT(7)  /* a virtual IRQ is pending */
#define HCR_VSE    AVC_BIT(8)  /* a virtual SError is pending */
#define HCR_FB     AVC_BIT(9)  /* EL1's local TLB and instruction cache maintenance is broadcast */
#define HCR_BSU_IS AVC_BIT(10) /* BSU, bits 11..10: barriers reach the Inner Shareable domain at least */
#define HCR_DC     AVC_BIT(12) /* stage 1 off: memory is cacheable */
#define HCR_TWI    AVC_BIT(13) /* traps WFI */
#define HCR_TWE    AVC_BIT(14) /* traps WFE */
#define HCR_TID1   AVC_BIT(16) /* traps REVIDR_EL1, AIDR_EL1, SMIDR_EL1 */
#define HCR_TID2   AVC_BIT(17) /* traps CTR_EL0, CCSIDR_EL1, CCSIDR2_EL1, CLIDR_EL1, CSSELR_EL1 */
#define HCR_TID3   AVC_BIT(18) /* traps the ID registers */
#define HCR_TSC    AVC_BIT(19) /* traps SMC */
#define HCR_TIDCP  AVC_BIT(20) /* traps IMPLEMENTATION DEFINED registers and instructions */
#define HCR_TACR   AVC_BIT(21) /* traps ACTLR_EL1 */
#define HCR_TSW    AVC_BIT(22) /* traps cache maintenance by set and way */
#define HCR_TPCP   AVC_BIT(23) /* traps cache maintenance to the point of coherency or persistence */
#define HCR_TPU    AVC_BIT(24) /* traps cache maintenance to the point of unification */
#define HCR_TTLB   AVC_BIT(25) /* traps EL1's TLB maintenance */
#define HCR_TVM    AVC_BIT(26) /* traps writes of the registers that control stage 1 */
#define HCR_TGE    AVC_BIT(27) /* EL0 belongs to EL2 */
#define HCR_TDZ    AVC_BIT(28) /* traps DC ZVA */
#define HCR_TRVM   AVC_BIT(30) /* traps reads of the registers that control stage 1 */
#define HCR_RW     AVC_BIT(31) /* EL1 is AArch64 */
#define HCR_E2H    AVC_BIT(34) /* EL2 Host */
#define HCR_TLOR   AVC_BIT(35) /* traps LORegion registers */
#define HCR_TERR   AVC_BIT(36) /* traps error record registers */
#define HCR_APK    AVC_BIT(40) /* 0: traps the keys of pointer authentication */
#define HCR_API    AVC_BIT(41) /* 0: traps its instructions */
#define HCR_ENSCXT AVC_BIT(53) /* 0: traps SCXTNUM_EL1 and SCXTNUM_EL0 */
#define HCR_ATA    AVC_BIT(56) /* 0: no access to allocation tags */
#define HCR_TID5   AVC_BIT(58) /* traps GMID_EL1 */

/* HCRX_EL2 */
#define HCRX_TALLINT AVC_BIT(6) /* traps writes of ALLINT */

/* HSTR_EL2, for AArch32 */
#define HSTR_T15 AVC_BIT(15) /* traps coproc 0b1111 with CRn or CRm 15 */
/* clang-format on */

#endif
