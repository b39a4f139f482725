/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The call of vectors.S. tests/fake/hw_enter.h is the other side. Only run.c includes it. */
#ifndef AVC_HW_ENTER_H
#define AVC_HW_ENTER_H

#include "hw/hw.h"

/* Calls avc_hw_irq_save(). The value is in the register in which avc_hw_enter() wants it: see docs/compilers.md. */
static inline uint64_t avc_hw_enter_begin(void)
{
    register uint64_t x20 __asm__("x20") = avc_hw_irq_save();

    __asm__("" : "+r"(x20));
    return x20;
}

/*
 * Enters the guest, unless something is requested of the vCPU. Comes back when a trap function's result is not RESUME.
 * Returns RESULT_LEAVE or RESULT_AGAIN, perhaps with RESULT_SERROR. Interrupts are masked, the vCPU is loaded.
 *
 * The compiler sees one instruction that destroys registers, not a function: see docs/compilers.md. vectors.S gives
 * back in registers that calls keep what run needs afterwards. It also keeps x18 and x29.
 */
static inline unsigned avc_hw_enter(struct avc_vcpu **vcpu, uint64_t *daif, uint64_t requests)
{
    register uint64_t x0 __asm__("x0") = RESULT_AGAIN;
    register uint64_t x1 __asm__("x1") = requests;
    register struct avc_vcpu *x19 __asm__("x19") = *vcpu;
    register uint64_t x20 __asm__("x20") = *daif;

    __asm__ volatile("cbnz x1, 1f\n\t"
                     "bl avc_hw_switch\n"
                     "1:"
                     : "+r"(x0), "+r"(x1), "+r"(x19), "+r"(x20)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc", "memory");
    *vcpu = x19;
    *daif = x20;
    return (unsigned)x0;
}

#endif
