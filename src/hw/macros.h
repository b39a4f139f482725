/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Moves of the guest's general registers, for vectors.S and enter.S. `base` is the vCPU. */
#include "offsets.h"

    /* x2..x17, x18, x30: with x0 and x1, all that AAPCS64 lets C destroy, and the platform register */
    .macro save_low base
    stp x2, x3, [\base, #V_X(2)]
    stp x4, x5, [\base, #V_X(4)]
    stp x6, x7, [\base, #V_X(6)]
    stp x8, x9, [\base, #V_X(8)]
    stp x10, x11, [\base, #V_X(10)]
    stp x12, x13, [\base, #V_X(12)]
    stp x14, x15, [\base, #V_X(14)]
    stp x16, x17, [\base, #V_X(16)]
    str x18, [\base, #V_X(18)]
    str x30, [\base, #V_X(30)]
    .endm

    /* what C keeps; x29 apart, because it is cleared for C: a host that walks frames must not follow the guest's */
    .macro save_high base
    stp x19, x20, [\base, #V_X(19)]
    stp x21, x22, [\base, #V_X(21)]
    stp x23, x24, [\base, #V_X(23)]
    stp x25, x26, [\base, #V_X(25)]
    stp x27, x28, [\base, #V_X(27)]
    .endm

    .macro load_high base
    ldp x19, x20, [\base, #V_X(19)]
    ldp x21, x22, [\base, #V_X(21)]
    ldp x23, x24, [\base, #V_X(23)]
    ldp x25, x26, [\base, #V_X(25)]
    ldp x27, x28, [\base, #V_X(27)]
    .endm

    /* and no speculation past the return (straight-line speculation; Arm's CVE-2020-13844 guidance) */
    .macro eret_guest
    eret
    dsb nsh
    isb
    .endm
