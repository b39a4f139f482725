/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest program. The build passes its file's name. */
    .section .rodata
    .globl test_guest, test_guest_end
    .balign 16
test_guest:
    .incbin GUEST_IMAGE
test_guest_end:
