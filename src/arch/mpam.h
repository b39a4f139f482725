/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Memory partitioning and monitoring: what hides it from EL1 (DDI 0598). */
#ifndef AVC_MPAM_H
#define AVC_MPAM_H

#include "arch/bits.h"

/* clang-format off */
/* MPAMIDR_EL1 */
#define MPAMIDR_HAS_HCR  AVC_BIT(17) /* there is MPAMHCR_EL2 */
#define MPAMIDR_HAS_TIDR AVC_BIT(58) /* MPAM2_EL2.TIDR works */

/* MPAM2_EL2 */
#define MPAM2_TRAPMPAM1EL1 AVC_BIT(48) /* traps MPAM1_EL1 */
#define MPAM2_TRAPMPAM0EL1 AVC_BIT(49) /* traps MPAM0_EL1 */
#define MPAM2_TIDR         AVC_BIT(58) /* traps MPAMIDR_EL1 */

/* MPAMHCR_EL2 */
#define MPAMHCR_TRAP_MPAMIDR_EL1 AVC_BIT(31) /* traps MPAMIDR_EL1 */
/* clang-format on */

#endif
