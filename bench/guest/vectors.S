/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The shortest guest vectors that can call C: they save the registers that a C function may change (AAPCS64), ELR and
 * SPSR. An SVC ends the code that bench_go() runs. Any other exception except an IRQ at EL1h is a bug of the bench.
 */
#include "marks.h"
#include "rows.h"

#define SCTLR_USUAL 0x30d01805 /* the value that tests/guest/lib/start.S sets */

    .text
    .balign 0x800
    .globl bench_vectors
bench_vectors:
    .rept 4
    .balign 0x80
    b .
    .endr
    .balign 0x80
    b sync
    .balign 0x80
    sub sp, sp, #192
    stp x0, x1, [sp]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    bl bench_irq
    ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x18, x30, [sp, #144]
    b leave                     /* a vector has room for 32 instructions */
    .rept 2
    .balign 0x80
    b .
    .endr
    .balign 0x80                /* from EL0 */
    b sync
    .rept 7
    .balign 0x80
    b .
    .endr
    .balign 0x80
leave:
    ldp x16, x17, [sp, #128]
    ldp x14, x15, [sp, #112]
    ldp x12, x13, [sp, #96]
    ldp x10, x11, [sp, #80]
    ldp x8, x9, [sp, #64]
    ldp x6, x7, [sp, #48]
    ldp x4, x5, [sp, #32]
    ldp x2, x3, [sp, #16]
    ldp x0, x1, [sp]
    add sp, sp, #192
    eret

/* bench_go(code, sp, spsr, sctlr): runs the code with the exception level and interrupt masks of spsr. */
    .globl bench_go
bench_go:
    stp x18, x19, [sp, #-112]!
    stp x20, x21, [sp, #16]
    stp x22, x23, [sp, #32]
    stp x24, x25, [sp, #48]
    stp x26, x27, [sp, #64]
    stp x28, x29, [sp, #80]
    str x30, [sp, #96]
    adrp x4, stack
    mov x5, sp
    str x5, [x4, :lo12:stack]
    msr elr_el1, x0
    msr spsr_el1, x2
    tst x2, #0xc
    b.eq 1f
    mov sp, x1
1:  msr sp_el0, x1
    msr sctlr_el1, x3
    isb
    eret

/* The registers' values are not needed any more. SCTLR_EL1's usual value makes memory little-endian again. */
sync:
    mov w0, #(SCTLR_USUAL & 0xffff)
    movk w0, #(SCTLR_USUAL >> 16), lsl #16
    msr sctlr_el1, x0
    isb
    adrp x4, stack
    ldr x4, [x4, :lo12:stack]
    mov sp, x4
    mrs x0, esr_el1
    lsr x1, x0, #26
    cmp x1, #0x15               /* SVC */
    b.ne 2f
    ldp x20, x21, [sp, #16]
    ldp x22, x23, [sp, #32]
    ldp x24, x25, [sp, #48]
    ldp x26, x27, [sp, #64]
    ldp x28, x29, [sp, #80]
    ldr x30, [sp, #96]
    ldp x18, x19, [sp], #112
    ret
2:  mrs x1, elr_el1
    mrs x2, far_el1
    b bench_unexpected

    .bss
    .balign 8
stack:
    .skip 8
    .text

/* vCPU 1 begins here after PSCI CPU_ON: it has no stack, and its MMU is off. */
    .globl bench_first_instruction
bench_first_instruction:
    mrs x1, cntvct_el0
    hint #MARK_PAUSE
    ldr x0, =BENCH_TELL
    hvc #0
    ldr x0, =0x84000002         /* CPU_OFF */
    hvc #0
    b .
