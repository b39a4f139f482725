/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * uint64_t bench_svc(uint64_t number, uint64_t rounds): executes this many system calls at EL0, none of which reaches
 * EL1. Returns how many ticks they took, with two instructions of the loop for each. A system call that nobody has
 * claimed ends the loop, through vectors of its own.
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
    msr vbar_el1, x3            /* the last SVC arrives from AArch64 EL0; x30 and SP have not changed */
    isb
    ret
    .balign 0x800
