/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Calls a function of the host in a trap whose vector has not saved x18 and x29. Both are still the guest's. The host
 * gets its own x18, the platform register, from run's frame. It gets 0 in x29: a host that walks frames must not follow
 * the guest's.
 */
#include "hw/offsets.h"

    .text
    .globl avc_hw_call_host
    .type avc_hw_call_host, %function
avc_hw_call_host: /* (function, its three arguments, run's stack) */
    stp x29, x30, [sp, #-32]!
    str x18, [sp, #16]
    mov x9, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    ldr x18, [x4, #FRAME_X18]
    mov x29, xzr
    blr x9
    ldr x18, [sp, #16]
    ldp x29, x30, [sp], #32
    ret
    .size avc_hw_call_host, . - avc_hw_call_host
