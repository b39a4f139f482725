/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * struct avc_exit *poisoned_run(struct avc_vcpu *vcpu, uint64_t lost[1])
 *
 * Calls avc_vcpu_run() with a pattern in FPCR, in x18, and in every register that AAPCS64 keeps over a call. *lost says
 * which of them came back changed: bit n for x<n> (n = 18..29), bit n + 32 for d<n> (n = 8..15), bit 63 for FPCR.
 */
    .arch armv8-a+fp+simd
    .text

    .macro pattern reg, value
    movz \reg, #(0x5a00 + \value)
    movk \reg, #0xfeed, lsl #32
    .endm

    .macro check_x n
    pattern x9, \n
    cmp x\n, x9
    cset x9, ne
    orr x10, x10, x9, lsl #\n
    .endm

    .macro check_d n
    pattern x9, \n
    fmov x11, d\n
    cmp x11, x9
    cset x9, ne
    orr x10, x10, x9, lsl #(32 + \n)
    .endm

    .globl poisoned_run
poisoned_run:
    stp x29, x30, [sp, #-192]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mrs x9, fpcr
    stp x1, x9, [sp, #160]
    str x18, [sp, #176]
    .irp n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    pattern x\n, \n
    .endr
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    pattern x9, \n
    fmov d\n, x9
    .endr
    mov x9, #(3 << 22)          /* FPCR.RMode: towards zero */
    msr fpcr, x9
    bl avc_vcpu_run
    mov x10, #0
    .irp n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    check_x \n
    .endr
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    check_d \n
    .endr
    mrs x9, fpcr
    cmp x9, #(3 << 22)
    cset x9, ne
    orr x10, x10, x9, lsl #63
    ldr x18, [sp, #176]
    ldp x1, x9, [sp, #160]
    msr fpcr, x9
    str x10, [x1]
    ldp d14, d15, [sp, #144]
    ldp d12, d13, [sp, #128]
    ldp d10, d11, [sp, #112]
    ldp d8, d9, [sp, #96]
    ldp x27, x28, [sp, #80]
    ldp x25, x26, [sp, #64]
    ldp x23, x24, [sp, #48]
    ldp x21, x22, [sp, #32]
    ldp x19, x20, [sp, #16]
    ldp x29, x30, [sp], #192
    ret
