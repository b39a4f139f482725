/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the end of an instruction does to PSTATE, and whether AArch32 executes the instruction at all. */
#include "arch/pstate.h"

#include "arch/esr.h"

/* ITAdvance() of the pseudocode (F1.7.2 and J1.3.4). */
static uint64_t it_advance(uint64_t pstate)
{
    uint64_t it = avc_it_state(pstate);

    it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
    return (pstate & ~(SPSR_IT_7_2 | SPSR_IT_1_0)) | (it >> 2) << 10 | (it & 3) << 25;
}

void avc_pstate_step(uint64_t *pc, uint64_t *pstate, bool il)
{
    if (*pstate & SPSR_NRW) {
        *pc = (uint32_t)(*pc + (il ? 4 : 2));
        *pstate = it_advance(*pstate);
    } else {
        *pc += 4;
        *pstate &= ~SPSR_BTYPE;
    }
    *pstate &= ~SPSR_SS;
}

/* Classes whose syndrome has CV and COND. Instructions of other classes are unconditional, or have passed their
   condition. */
static const uint64_t conditional = AVC_BIT(AVC_EC_WFX) | AVC_BIT(AVC_EC_CP15) | AVC_BIT(AVC_EC_CP15_64) |
                                    AVC_BIT(AVC_EC_CP14) | AVC_BIT(AVC_EC_CP14_LS) | AVC_BIT(AVC_EC_FP) |
                                    AVC_BIT(AVC_EC_VMRS) | AVC_BIT(AVC_EC_CP14_64) | AVC_BIT(AVC_EC_SMC32);

/* Bit n of row c: condition c holds with N, Z, C, V = bits 3..0 of n (Arm ARM, F1.3.3 "Conditional execution").
   Each odd condition is the opposite of the even one before it. Condition 15 is different: it always holds, like
   14. */
static const uint16_t holds[16] = {
    0xf0f0, /* EQ: Z */
    0x0f0f, /* NE */
    0xcccc, /* CS: C */
    0x3333, /* CC */
    0xff00, /* MI: N */
    0x00ff, /* PL */
    0xaaaa, /* VS: V */
    0x5555, /* VC */
    0x0c0c, /* HI: C and not Z */
    0xf3f3, /* LS */
    0xaa55, /* GE: N = V */
    0x55aa, /* LT */
    0x0a05, /* GT: N = V and not Z */
    0xf5fa, /* LE */
    0xffff, /* AL */
    0xffff,
};

bool avc_condition_passed(uint64_t esr, uint64_t pstate)
{
    unsigned cond, it;

    if (!(pstate & SPSR_NRW) || !(conditional >> ESR_EC(esr) & 1))
        return true;
    if (ESR_EC(esr) == AVC_EC_SMC32 && esr & ISS_CCKNOWNPASS)
        return true;
    if (esr & ISS_CV) {
        cond = ISS_COND(esr);
    } else { /* the CPU may leave it to the trap to look at the IT block of T32 */
        it = avc_it_state(pstate);
        cond = it ? it >> 4 : 14;
    }
    return holds[cond] >> AVC_FIELD(pstate, 31, 28) & 1;
}
