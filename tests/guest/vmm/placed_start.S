/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The start of placed.c. The MMU stays off. Nothing is cleared, because the loader has done so. */
    .section .head, "ax"
    .globl _start
_start:
    adrp x1, stack_top
    add x1, x1, :lo12:stack_top
    mov sp, x1
    bl placed_main              /* (x0 as it came) */
    bl guest_off

    .section .noinit, "aw", %nobits
    .balign 16
    .skip 0x4000
stack_top:
