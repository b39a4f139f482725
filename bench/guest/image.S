/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The arm64 boot protocol's image header (Linux, Documentation/arch/arm64/booting.rst). */
    .section .image, "ax"
    b _start
    .word 0
    .quad 0                     /* text_offset */
    .quad image_size
    .quad 2                     /* flags: little-endian, 4 KiB pages */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .word 0
