/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The generic timer: CNTHCTL_EL2, and the control register that each timer has (Arm ARM DDI 0487, D24.10). */
#ifndef AVC_TIMER_H
#define AVC_TIMER_H

#include "arch/bits.h"

/* clang-format off */
/* CNTHCTL_EL2, whatever HCR_EL2.E2H says */
#define CNTHCTL_EVNTEN       AVC_BIT(2)     /* event stream */
#define CNTHCTL_EVNTDIR      AVC_BIT(3)     /* ... from the falling edge */
#define CNTHCTL_EVNTI        AVC_BITS(7, 4) /* ... of this counter bit */
#define CNTHCTL_EL1TVT       AVC_BIT(13)    /* traps the virtual timer (FEAT_ECV) */
#define CNTHCTL_EL1TVCT      AVC_BIT(14)    /* traps the virtual counter (FEAT_ECV) */
#define CNTHCTL_EVNTIS       AVC_BIT(17)    /* EVNTI counts from bit 8 on (FEAT_ECV) */
/* with E2H = 0 */
#define CNTHCTL_EL1PCTEN     AVC_BIT(0)     /* 0: traps the physical counter */
#define CNTHCTL_EL1PCEN      AVC_BIT(1)     /* 0: traps the physical timer */
/* with E2H = 1. The first four control EL0 while HCR_EL2.TGE = 1: the host's. */
#define CNTHCTL_VHE_EL0PCTEN AVC_BIT(0)     /* 0: traps the physical counter */
#define CNTHCTL_VHE_EL0VCTEN AVC_BIT(1)     /* 0: traps the virtual counter */
#define CNTHCTL_VHE_EL0VTEN  AVC_BIT(8)     /* 0: traps the virtual timer */
#define CNTHCTL_VHE_EL0PTEN  AVC_BIT(9)     /* 0: traps the physical timer */
#define CNTHCTL_VHE_EL1PCTEN AVC_BIT(10)    /* 0: traps the physical counter */
#define CNTHCTL_VHE_EL1PTEN  AVC_BIT(11)    /* 0: traps the physical timer */

/* CNTP_CTL_EL0, CNTV_CTL_EL0, CNTHP_CTL_EL2 */
#define CNT_CTL_ENABLE   AVC_BIT(0)
#define CNT_CTL_IMASK    AVC_BIT(1) /* no interrupt */
#define CNT_CTL_WRITABLE (CNT_CTL_ENABLE | CNT_CTL_IMASK)
#define CNT_CTL_ISTATUS  AVC_BIT(2) /* the condition is met; 0 while the timer is off */
/* clang-format on */

#endif
