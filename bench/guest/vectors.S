/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The least that a guest's vector does before and after C: the registers that the procedure call standard lets a function
 * change, ELR and SPSR. Anything but an IRQ from EL1h is a bug of the bench.
 */
#include "marks.h"
#include "rows.h"

    .text
    .balign 0x800
    .globl bench_vectors
bench_vectors:
    .rept 5
    .balign 0x80
    b .
    .endr
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
    .rept 10
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

/* vCPU 1, as PSCI CPU_ON starts it: no stack, MMU off. */
    .globl bench_first_instruction
bench_first_instruction:
    mrs x1, cntvct_el0
    hint #MARK_PAUSE
    ldr x0, =BENCH_TELL
    hvc #0
    ldr x0, =0x84000002         /* CPU_OFF */
    hvc #0
    b .
