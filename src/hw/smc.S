/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * void avc_hw_smc(uint64_t x[18]): makes an SMC to the host's firmware, with x0..x17 in and out.
 *
 * SMCCC 1.2 gives results in x0..x17. Firmware of 1.0 may destroy x4..x17, which are written back all the same. Every
 * version keeps x18..x30 and SP_EL2 (DEN0028, 3.1). SMC is UNDEFINED where there is no EL3: the caller knows that
 * firmware is there.
 */
    .text
    .globl avc_hw_smc
    .type avc_hw_smc, %function
avc_hw_smc:
    stp x29, x30, [sp, #-32]!
    mov x29, sp
    str x0, [sp, #16]
    ldp x16, x17, [x0, #128]
    ldp x14, x15, [x0, #112]
    ldp x12, x13, [x0, #96]
    ldp x10, x11, [x0, #80]
    ldp x8, x9, [x0, #64]
    ldp x6, x7, [x0, #48]
    ldp x4, x5, [x0, #32]
    ldp x2, x3, [x0, #16]
    ldp x0, x1, [x0]
    smc #0
    ldr x30, [sp, #16]
    stp x16, x17, [x30, #128]
    stp x14, x15, [x30, #112]
    stp x12, x13, [x30, #96]
    stp x10, x11, [x30, #80]
    stp x8, x9, [x30, #64]
    stp x6, x7, [x30, #48]
    stp x4, x5, [x30, #32]
    stp x2, x3, [x30, #16]
    stp x0, x1, [x30]
    ldp x29, x30, [sp], #32
    ret
    .size avc_hw_smc, . - avc_hw_smc
