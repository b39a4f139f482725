/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * PSTATE as an exception saves it, and what an instruction does to it. SPSR_EL2 (Arm ARM DDI 0487, C5.2.20), SPSR_EL1,
 * vcpu->pstate and AVC_REG_PSTATE have the same layout. M[4] selects one of two layouts: guests are AArch32 at EL0
 * only.
 */
#ifndef AVC_PSTATE_H
#define AVC_PSTATE_H

#include "arch/bits.h"

/* clang-format off */
/* both layouts */
#define SPSR_M      AVC_BITS(3, 0)   /* M[3:0]: mode */
#define SPSR_NRW    AVC_BIT(4)       /* M[4]: AArch32 */
#define SPSR_F      AVC_BIT(6)       /* masks FIQ */
#define SPSR_I      AVC_BIT(7)       /* masks IRQ */
#define SPSR_A      AVC_BIT(8)       /* masks SError */
#define SPSR_IL     AVC_BIT(20)      /* illegal execution state */
#define SPSR_SS     AVC_BIT(21)      /* software step: one instruction before the exception */
#define SPSR_PAN    AVC_BIT(22)      /* privileged access never */
#define SPSR_V      AVC_BIT(28)      /* overflow */
#define SPSR_C      AVC_BIT(29)      /* carry */
#define SPSR_Z      AVC_BIT(30)      /* zero */
#define SPSR_N      AVC_BIT(31)      /* negative */
#define SPSR_NZCV   AVC_BITS(31, 28) /* all four */
/* AArch64 */
#define SPSR_SP     AVC_BIT(0)       /* M[0]: SP_ELx; 0: SP_EL0 */
#define SPSR_EL     AVC_BITS(3, 2)   /* M[3:2]: the Exception level */
#define SPSR_EL0T   UINT64_C(0)      /* M[3:0] of EL0 */
#define SPSR_EL1T   UINT64_C(4)      /* ... of EL1 with SP_EL0 */
#define SPSR_EL1H   UINT64_C(5)      /* ... of EL1 with SP_EL1 */
#define SPSR_D      AVC_BIT(9)       /* masks debug exceptions */
#define SPSR_DAIF   AVC_BITS(9, 6)   /* all four */
#define SPSR_BTYPE  AVC_BITS(11, 10) /* kind of the indirect branch just taken */
#define SPSR_SSBS   AVC_BIT(12)      /* speculative store bypass is safe */
#define SPSR_UAO    AVC_BIT(23)      /* user access override */
#define SPSR_DIT    AVC_BIT(24)      /* data-independent timing */
#define SPSR_TCO    AVC_BIT(25)      /* tag check override */
/* after a reset to EL1 (Arm ARM D1.5, AArch64.TakeReset), and where PSCI starts a CPU */
#define SPSR_RESET  (SPSR_DAIF | SPSR_EL1H)
/* AArch32 */
#define SPSR_T32    AVC_BIT(5)       /* T: instruction set */
#define SPSR_E      AVC_BIT(9)       /* big-endian */
#define SPSR_IT_7_2 AVC_BITS(15, 10) /* IT[7:2] */
#define SPSR_SSBS32 AVC_BIT(23)      /* SSBS */
#define SPSR_IT_1_0 AVC_BITS(26, 25) /* IT[1:0] */
/* clang-format on */

#ifndef __ASSEMBLER__
#include <stdbool.h>

/* Is the guest at EL0? */
static inline bool avc_at_el0(uint64_t pstate)
{
    return pstate & SPSR_NRW || !(pstate & SPSR_EL);
}

/* Returns IT[7:0] of T32. */
static inline unsigned avc_it_state(uint64_t pstate)
{
    return (unsigned)(AVC_FIELD(pstate, 15, 10) << 2 | AVC_FIELD(pstate, 26, 25));
}

/* Does the end of an instruction add 4 to the PC and change nothing else? */
static inline bool avc_pstate_step_is_plain(uint64_t pstate)
{
    return !(pstate & (SPSR_NRW | SPSR_SS | SPSR_BTYPE));
}

/* Moves PC and PSTATE behind an instruction of 4 bytes (il) or 2. */
void avc_pstate_step(uint64_t *pc, uint64_t *pstate, bool il);

/*
 * Is the trapped instruction to be executed? An AArch32 instruction whose condition fails may trap all the same
 * (IMPLEMENTATION DEFINED; Arm ARM, G1.12.2). Then it is a NOP, and the trap steps over it. AArch64 instructions always
 * pass.
 */
bool avc_condition_passed(uint64_t esr, uint64_t pstate);

#endif

#endif
