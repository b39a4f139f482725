/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The step over an instruction, and conditions of AArch32, for any PSTATE and syndrome. */
#include "arch/pstate.h"

#include "arch/pstate.c"

void prove_step(uint64_t pc, uint64_t pstate, uint8_t il)
{
    uint64_t a64 = pstate & ~SPSR_NRW, a32 = SPSR_NRW, to = pc;

    avc_pstate_step(&to, &a64, il & 1);
    avc_pstate_step(&to, &pstate, il & 1);
    to = pc;
    avc_pstate_step(&to, &a32, il & 1);
    /*@ assert wraps: to <= 0xffffffff; */
}

void prove_condition(uint64_t esr, uint64_t pstate)
{
    (void)avc_condition_passed(esr, pstate);
}
