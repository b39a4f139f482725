/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Vectors for CPUs on which a guest can steer indirect branches of EL2 (Spectre v2, Spectre-BHB). core/object/harden.c
 * chooses one. Each makes the guest's branch history, or all of what the branch predictor has learnt, useless before
 * the first indirect branch. The conditional branches before it are those of this loop alone.
 *
 * V_HARDEN is what harden.c says: the number of rounds, or the low half of a function id.
 */
#include "hw/vectors.inc"

    .text

    /* More taken branches than the history holds: two in each round. Arm, "Spectre-BHB", has the loop and the number
       of rounds for each CPU. The barriers keep what follows from being executed speculatively before the loop has
       ended. */
    .macro harden_loop
    ldrh w0, [sp, #V_HARDEN]
1:  b 2f
2:  subs w0, w0, #1
    b.ne 1b
    dsb nsh
    isb
    .endm

    /* CLRBHB (FEAT_CLRBHB), and an ISB behind it. */
    .macro harden_clrbhb
    hint #22
    isb
    .endm

    /* ARCH_WORKAROUND_1 or _3. Firmware keeps all but x0 to x3 (DEN0028, 7.5 and 7.7). */
    .macro harden_firmware
    ldrh w0, [sp, #V_HARDEN]
    orr w0, w0, #0x80000000
    smc #0
    .endm

    vectors avc_vectors_loop, harden_loop
    vectors avc_vectors_clrbhb, harden_clrbhb
    vectors avc_vectors_firmware, harden_firmware
