/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Vectors that stand at EL2 for good, for a kernel that has none: avc_pcpu_install_vectors(). TPIDR_EL2 is the CPU's
 * struct avc_pcpu. An IRQ goes to avc_pcpu_irq() on the interrupted stack. Anything else is a bug and ends in a dump.
 *
 * While a guest runs, the vectors of vectors.S stand instead. So no exception from below EL2 comes here.
 *
 * The interrupt's frame holds everything that AAPCS64 lets C destroy, and what a nested exception would overwrite. Its
 * first two words are a frame record: a handler that walks the stack finds the interrupted code.
 */
#include "hw/macros.inc"

#define IRQ_X(n)  (16 + 8 * (n)) /* x0..x18 */
#define IRQ_ELR   176            /* and SPSR_EL2 behind it */
#define IRQ_FRAME 192            /* a multiple of 16: SP stays aligned (SCTLR_EL2.SA) */

    .text

    .macro entry_bug number
    .balign 0x80
    stp x0, x1, [sp, #-16]!
    mov x0, #\number
    b bug
    .endm

    .globl avc_host_vectors
    .balign 0x800
avc_host_vectors:
    /* from EL2 with SP_EL0, which a kernel on these vectors does not use */
    entry_bug 0
    entry_bug 1
    entry_bug 2
    entry_bug 3
    /* from EL2 with SP_EL2 */
    entry_bug 4
    .balign 0x80
    stp x29, x30, [sp, #-IRQ_FRAME]!
    mov x29, sp
    b irq
    entry_bug 6
    entry_bug 7
    /* from a lower level, AArch64 and AArch32 */
    entry_bug 8
    entry_bug 9
    entry_bug 10
    entry_bug 11
    entry_bug 12
    entry_bug 13
    entry_bug 14
    entry_bug 15                /* what follows needs no room of its own */

irq:
    stp x0, x1, [sp, #IRQ_X(0)]
    stp x2, x3, [sp, #IRQ_X(2)]
    stp x4, x5, [sp, #IRQ_X(4)]
    stp x6, x7, [sp, #IRQ_X(6)]
    stp x8, x9, [sp, #IRQ_X(8)]
    stp x10, x11, [sp, #IRQ_X(10)]
    stp x12, x13, [sp, #IRQ_X(12)]
    stp x14, x15, [sp, #IRQ_X(14)]
    stp x16, x17, [sp, #IRQ_X(16)]
    str x18, [sp, #IRQ_X(18)]
    mrs x1, elr_el2
    mrs x2, spsr_el2
    stp x1, x2, [sp, #IRQ_ELR]
    mrs x0, tpidr_el2
    bl avc_pcpu_irq
    msr daifset, #15            /* a handler may have unmasked interrupts */
    ldp x1, x2, [sp, #IRQ_ELR]
    msr elr_el2, x1
    msr spsr_el2, x2
    ldp x0, x1, [sp, #IRQ_X(0)]
    ldp x2, x3, [sp, #IRQ_X(2)]
    ldp x4, x5, [sp, #IRQ_X(4)]
    ldp x6, x7, [sp, #IRQ_X(6)]
    ldp x8, x9, [sp, #IRQ_X(8)]
    ldp x10, x11, [sp, #IRQ_X(10)]
    ldp x12, x13, [sp, #IRQ_X(12)]
    ldp x14, x15, [sp, #IRQ_X(14)]
    ldp x16, x17, [sp, #IRQ_X(16)]
    ldr x18, [sp, #IRQ_X(18)]
    ldp x29, x30, [sp], #IRQ_FRAME
    eret_guest

/* x0: number of the vector, x0 and x1 pushed. */
bug:
    add x1, sp, #16
    mrs x2, esr_el2
    mrs x3, elr_el2
    mrs x4, far_el2
    mrs x5, tpidr_el2
    mov x29, xzr
    bl avc_host_trap            /* (vector, sp, esr, elr, far, pcpu); does not return */
1:  wfi
    b 1b
