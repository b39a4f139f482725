/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Each vCPU enters here, at EL1h with the MMU off. Switches on the identity map and FP, sets the vectors, and calls
 * guest_main(cpu).
 */
    .section .head, "ax"
    .globl _start
_start:
    mrs x19, mpidr_el1
    and x19, x19, #0xff
    adrp x0, stacks
    add x0, x0, :lo12:stacks
    add x1, x19, #1
    add x0, x0, x1, lsl #14     /* each stack has 16 KiB */
    mov sp, x0
    adr x0, vectors
    msr vbar_el1, x0
    mov x0, #(3 << 20)          /* CPACR_EL1.FPEN */
    msr cpacr_el1, x0
    adrp x0, table
    msr ttbr0_el1, x0
    mov x0, #0x04ff             /* MAIR: 0 write-back, 1 Device-nGnRE */
    msr mair_el1, x0
    movz x0, #0x3519            /* TCR: 39 bits, write-back, inner shareable, 4 KiB; EPD1; IPS 40 bits */
    movk x0, #0x0080, lsl #16
    movk x0, #0x0002, lsl #32
    msr tcr_el1, x0
    tlbi vmalle1
    dsb nsh
    isb
    ldr x0, =0x30d01805         /* SCTLR: RES1, M, C, I */
    msr sctlr_el1, x0
    isb
    mov x0, x19
    bl guest_main
    bl guest_off

    .macro vector fn
    .balign 0x80
    sub sp, sp, #272
    stp x0, x1, [sp]
    adr x0, \fn
    b common
    .endm

    .balign 0x800
vectors:
    .rept 2                     /* from SP0 and SPx */
    vector guest_sync
    vector guest_irq
    vector guest_irq
    vector guest_serror
    .endr
    .rept 2                     /* from EL0, AArch64 and AArch32 */
    vector guest_sync
    vector guest_irq
    vector guest_irq
    vector guest_serror
    .endr
    .balign 0x80
common:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    add x1, sp, #272
    stp x30, x1, [sp, #240]
    mrs x1, elr_el1
    mrs x2, spsr_el1
    stp x1, x2, [sp, #256]
    mov x3, x0
    mov x0, sp
    mrs x1, esr_el1
    mrs x2, far_el1
    blr x3
    ldp x1, x2, [sp, #256]
    msr elr_el1, x1
    msr spsr_el1, x2
    ldr x30, [sp, #240]
    ldp x28, x29, [sp, #224]
    ldp x26, x27, [sp, #208]
    ldp x24, x25, [sp, #192]
    ldp x22, x23, [sp, #176]
    ldp x20, x21, [sp, #160]
    ldp x18, x19, [sp, #144]
    ldp x16, x17, [sp, #128]
    ldp x14, x15, [sp, #112]
    ldp x12, x13, [sp, #96]
    ldp x10, x11, [sp, #80]
    ldp x8, x9, [sp, #64]
    ldp x6, x7, [sp, #48]
    ldp x4, x5, [sp, #32]
    ldp x2, x3, [sp, #16]
    ldp x0, x1, [sp], #272
    eret

    .section .rodata
    .balign 4096
table:                          /* blocks of 1 GiB: devices, memory, memory; and the second again, for EL0 */
    .quad 0x0060000000000405
    .quad 0x701 + (1 << 30)
    .quad 0x701 + (2 << 30)
    .quad 0x741 + (1 << 30)
    .skip 4096 - 32

    .section .noinit, "aw", %nobits
    .balign 16
stacks:
    .skip 8 << 14
