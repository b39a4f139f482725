/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * slot_run(): into instructions that nobody has written, and back. Whatever exception ends them, no register can be
 * relied upon but MPIDR_EL1. The MMU is switched off first, so that tables and TCR_EL1 can be made good. All values
 * come from immediates and addresses, because memory may not be read before that.
 */
#include "attack.h"

    .text
    .globl slot_run
slot_run:
    stp x19, x20, [x0, #SLOT_FRAME]
    stp x21, x22, [x0, #SLOT_FRAME + 16]
    stp x23, x24, [x0, #SLOT_FRAME + 32]
    stp x25, x26, [x0, #SLOT_FRAME + 48]
    stp x27, x28, [x0, #SLOT_FRAME + 64]
    stp x29, x30, [x0, #SLOT_FRAME + 80]
    mov x1, sp
    str x1, [x0, #SLOT_FRAME_SP]
    adr x1, slot_vectors
    msr vbar_el1, x1
    mrs x1, mpidr_el1
    and x1, x1, #0xff
    adrp x2, tables
    add x2, x2, :lo12:tables
    add x2, x2, x1, lsl #TABLES_SHIFT
    add x2, x2, #SLOT_TABLE, lsl #12
    mov x1, #1
    orr x2, x2, x1, lsl #48     /* ASID 1 */
    msr ttbr0_el1, x2           /* the ISB before the registers are loaded makes it count */
    ldr x1, [x0, #SLOT_PC]
    msr elr_el1, x1
    ldr x1, [x0, #SLOT_PSTATE]
    msr spsr_el1, x1
    ldr x1, [x0, #SLOT_SP]
    msr sp_el0, x1
    mov sp, x1
    isb
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldr x1, [x0, #SLOT_SCTLR]
    cbnz x1, 1f
    ldp x0, x1, [x0]
    eret
1:  mov x0, x1                  /* x0 and x1 are this value then */
    msr sctlr_el1, x0
    isb
    eret

slot_exit:
    mov x0, #(SCTLR_OFF & 0xffff)
    movk x0, #(SCTLR_OFF >> 16), lsl #16
    msr sctlr_el1, x0
    msr mdscr_el1, xzr
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    mov x0, #0x04ff             /* as lib/start.S has it */
    msr mair_el1, x0
    movz x0, #0x3519
    movk x0, #0x0080, lsl #16
    movk x0, #0x0002, lsl #32
    msr tcr_el1, x0
    mrs x1, mpidr_el1
    and x1, x1, #0xff
    adrp x0, tables
    add x0, x0, :lo12:tables
    add x0, x0, x1, lsl #TABLES_SHIFT
    msr ttbr0_el1, x0
    isb
    tlbi vmalle1
    dsb nsh
    isb
    mov x0, #(SCTLR_GOOD & 0xffff)
    movk x0, #(SCTLR_GOOD >> 16), lsl #16
    msr sctlr_el1, x0
    isb
    adrp x0, cells
    add x0, x0, :lo12:cells
    add x0, x0, x1, lsl #CELL_SHIFT
    mrs x1, esr_el1
    mrs x2, elr_el1
    stp x1, x2, [x0, #SLOT_ESR]
    mrs x1, far_el1
    str x1, [x0, #SLOT_FAR]
    msr spsel, #1
    ldr x1, [x0, #SLOT_FRAME_SP]
    mov sp, x1
    ldp x19, x20, [x0, #SLOT_FRAME]
    ldp x21, x22, [x0, #SLOT_FRAME + 16]
    ldp x23, x24, [x0, #SLOT_FRAME + 32]
    ldp x25, x26, [x0, #SLOT_FRAME + 48]
    ldp x27, x28, [x0, #SLOT_FRAME + 64]
    ldp x29, x30, [x0, #SLOT_FRAME + 80]
    ret

    .balign 0x800
slot_vectors:
    .rept 16
    .balign 0x80
    b slot_exit
    .endr
