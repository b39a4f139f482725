/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Reads and writes list register n, 0..15. The number is part of the register's name, so each register needs an
 * instruction of its own. hw_inline.h calls these functions and says what they destroy: x0, x1, x2, and no memory.
 *
 *   avc_hw_lr_read   x0: n; returns its value in x0
 *   avc_hw_lr_write  x0: n; x1: the value
 */
    .text
    .globl avc_hw_lr_read
    .type avc_hw_lr_read, %function
avc_hw_lr_read:
    adr x1, 1f
    add x1, x1, x0, lsl #3
    br x1
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    mrs x0, S3_4_C12_C12_\n         /* ICH_LR0_EL2..ICH_LR7_EL2 */
    ret
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    mrs x0, S3_4_C12_C13_\n         /* ICH_LR8_EL2..ICH_LR15_EL2 */
    ret
    .endr
    .size avc_hw_lr_read, . - avc_hw_lr_read

    .globl avc_hw_lr_write
    .type avc_hw_lr_write, %function
avc_hw_lr_write:
    adr x2, 1f
    add x2, x2, x0, lsl #3
    br x2
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    msr S3_4_C12_C12_\n, x1
    ret
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    msr S3_4_C12_C13_\n, x1
    ret
    .endr
    .size avc_hw_lr_write, . - avc_hw_lr_write
