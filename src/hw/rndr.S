/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * bool avc_hw_rndrrs(uint64_t *value): gets 64 random bits from a freshly reseeded generator, on a CPU with FEAT_RNG.
 * Returns false when the generator had none in time, which the instruction says by PSTATE.Z (Arm ARM, RNDRRS). It is
 * assembly because the flags must be read before anything else can set them.
 */
    .text
    .globl avc_hw_rndrrs
    .type avc_hw_rndrrs, %function
avc_hw_rndrrs:
    mrs x1, S3_3_C2_C4_1        /* RNDRRS */
    cset w2, ne
    str x1, [x0]
    mov w0, w2
    ret
    .size avc_hw_rndrrs, . - avc_hw_rndrrs
