/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * uint64_t patterned_wait(uint64_t loops): unmasks IRQs for this many loops, with a pattern in NZCV and in all general
 * registers except x19 and SP. Bit n of the result says that x<n> has changed; bit 63, that NZCV has.
 */
    .text

    .macro pattern reg, value
    movz \reg, #(0x6b00 + \value)
    movk \reg, #0xbeef, lsl #32
    .endm

    .globl patterned_wait
patterned_wait:
    stp x29, x30, [sp, #-112]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    str x18, [sp, #96]
    mov x19, x0
    mov x0, #(5 << 28)          /* Z and V */
    msr nzcv, x0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,20,21,22,23,24,25,26,27,28,29,30
    pattern x\n, \n
    .endr
    msr daifclr, #2
1:  sub x19, x19, #1
    cbnz x19, 1b
    msr daifset, #2
    stp x0, x1, [sp, #-16]!     /* frees two registers */
    mrs x0, nzcv
    mov x1, #(5 << 28)
    cmp x0, x1
    cset x0, ne
    lsl x19, x0, #63
    ldp x0, x1, [sp], #16
    stp x20, x21, [sp, #-16]!
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,22,23,24,25,26,27,28,29,30
    pattern x20, \n
    cmp x\n, x20
    cset x20, ne
    orr x19, x19, x20, lsl #\n
    .endr
    ldp x0, x1, [sp], #16
    pattern x2, 20
    cmp x0, x2
    cset x2, ne
    orr x19, x19, x2, lsl #20
    pattern x2, 21
    cmp x1, x2
    cset x2, ne
    orr x0, x19, x2, lsl #21
    ldr x18, [sp, #96]
    ldp x27, x28, [sp, #80]
    ldp x25, x26, [sp, #64]
    ldp x23, x24, [sp, #48]
    ldp x21, x22, [sp, #32]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #112
    ret
