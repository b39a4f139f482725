/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Condition codes of AArch32 at EL0. A trapped instruction whose condition fails may still be reported (Arm ARM,
 * G1.12.2: it is IMPLEMENTATION DEFINED whether a conditional instruction that fails its check traps): it is a NOP then,
 * and has to be stepped over.
 */
#include "arch/esr.h"

/* Classes whose syndrome has CV and COND. All others are unconditional, or have passed their check. */
#define CONDITIONAL                                                                                                    \
    (AVC_BIT(0x01) | AVC_BIT(0x03) | AVC_BIT(0x04) | AVC_BIT(0x05) | AVC_BIT(0x06) | AVC_BIT(0x07) | AVC_BIT(0x08) |   \
     AVC_BIT(0x0c) | AVC_BIT(AVC_EC_SMC32))

/* Bit n of row c: condition c holds with N, Z, C, V = bits 3..0 of n (Arm ARM, F1.3.3 "Conditional execution"). The odd
   conditions are the opposites of the even ones before them, but for 15, which is always, too. */
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

    if (!(pstate & SPSR_NRW) || !(CONDITIONAL >> ESR_EC(esr) & 1))
        return true;
    if (ESR_EC(esr) == AVC_EC_SMC32 && esr & AVC_BIT(19)) /* CCKNOWNPASS */
        return true;
    if (esr & ISS_CV) {
        cond = ISS_COND(esr);
    } else { /* T32 may leave it to us to look at the IT block */
        it = avc_it_state(pstate);
        cond = it ? it >> 4 : 14;
    }
    return holds[cond] >> AVC_FIELD(pstate, 31, 28) & 1;
}
