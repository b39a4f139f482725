/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * uint64_t bench_svc(uint64_t number, uint64_t rounds): at EL0, so many system calls that never reach EL1, and how many
 * ticks they took, two instructions of the loop for each included. One that nobody has claimed ends it, through vectors
 * of its own.
 */
    .text
    .globl bench_svc
bench_svc:
    mrs x3, vbar_el1
    adrp x2, vectors
    add x2, x2, :lo12:vectors
    msr vbar_el1, x2
    mov x2, #2                  /* CNTKCTL_EL1.EL0VCTEN */
    msr cntkctl_el1, x2
    adr x2, 1f
    msr elr_el1, x2
    msr spsr_el1, xzr           /* EL0t */
    isb
    eret
1:  mov x8, x0
    mrs x9, cntvct_el0
2:  svc #0
    subs x1, x1, #1
    b.ne 2b
    mrs x0, cntvct_el0
    sub x0, x0, x9
    mov x8, #-1
    svc #0
    b .

    .balign 0x800
vectors:
    .space 0x400
    msr vbar_el1, x3            /* from EL0, AArch64, synchronous: it is over; x30 and SP are as they were */
    isb
    ret
    .balign 0x800
