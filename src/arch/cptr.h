/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Which registers of FP, SIMD, SVE, SME, trace and activity monitors trap: CPTR_EL2 (Arm ARM DDI 0487, D24.2). */
#ifndef AVC_CPTR_H
#define AVC_CPTR_H

#include "arch/bits.h"

/* clang-format off */
/* with HCR_EL2.E2H = 0 */
#define CPTR_TZ    AVC_BIT(8)  /* traps SVE; RES1 without it */
#define CPTR_TFP   AVC_BIT(10) /* traps FP and SIMD */
#define CPTR_TSM   AVC_BIT(12) /* traps SME; RES1 without it */
#define CPTR_TTA   AVC_BIT(20) /* traps trace registers */
#define CPTR_TAM   AVC_BIT(30) /* traps activity monitors */
#define CPTR_TCPAC AVC_BIT(31) /* traps CPACR_EL1 */
#define CPTR_RES1  (AVC_BITS(7, 0) | AVC_BIT(9) | AVC_BIT(13))

/* with HCR_EL2.E2H = 1, laid out like CPACR_EL1. A field of two bits: 0b11 does not trap */
#define CPTR_VHE_ZEN   AVC_BITS(17, 16) /* SVE */
#define CPTR_VHE_FPEN  AVC_BITS(21, 20) /* FP and SIMD */
#define CPTR_VHE_SMEN  AVC_BITS(25, 24) /* SME */
#define CPTR_VHE_TTA   AVC_BIT(28)      /* traps trace registers */
#define CPTR_VHE_TAM   AVC_BIT(30)      /* traps activity monitors */
#define CPTR_VHE_TCPAC AVC_BIT(31)      /* traps CPACR_EL1 */
/* clang-format on */

#endif
