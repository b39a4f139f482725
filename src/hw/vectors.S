/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vectors that stand while a guest runs, and the way back into it. SP_EL2 points into the vCPU while the guest
 * runs; C runs on the stack of avc_vcpu_run().
 *
 * Four ways in:
 *   HVC      the light way: saves what C compiled for it may destroy (src/core/fast.c leaves x9..x15 and x18 alone),
 *            asks vcpu->fast; HW_SLOW goes on as any other exception
 *   sync     the full way: all registers are in memory before a trap function runs, since it may name any
 *   IRQ/FIQ  saves what C destroys; the rest only if the guest is left
 *   SError   as sync
 * What is called stands in the vCPU's trap table: a row for each exception class, and one each for IRQ, FIQ and SError. An
 * observer has a table of its own (src/core/observe.c), so that nothing here asks whether there is one.
 * All end alike: back into the guest when the function said HW_BACK or HW_BACK_ALL and nothing wants attention; else
 * avc_leave.
 *
 * The attention word is read here without ordering: whoever sets it sends an interrupt after that, which is taken right
 * after ERET if this read came too early (see avc_vcpu_request()).
 */
#include "macros.inc"

#define HW_AGAIN 3
#define HW_SLOW 4
#define EC_HVC64 0x16

    .text

    .macro entry label
    .balign 0x80
    stp x0, x1, [sp]
    b \label
    .endm

    .macro entry_sync
    .balign 0x80
    stp x0, x1, [sp]
    mrs x1, esr_el2
    lsr w0, w1, #26
    cmp w0, #EC_HVC64
    b.eq hvc
    b sync
    .endm

    .macro entry_host number
    .balign 0x80
    stp x0, x1, [sp, #-16]!
    mov x0, #\number
    b host
    .endm

    .globl avc_vectors
    .balign 0x800
avc_vectors:
    /* from EL2 with SP_EL0, which nothing of ours uses */
    entry_host 0
    entry_host 1
    entry_host 2
    entry_host 3
    /* from EL2 with SP_EL2 */
    entry_host 4
    entry_host 5
    entry_host 6
    .balign 0x80
    b host_serror
    /* from a lower level, AArch64 */
    entry_sync
    entry irq
    entry fiq
    entry serror
    /* from a lower level, AArch32 (EL0 only) */
    entry_sync
    entry irq
    entry fiq
    entry serror
    .balign 0x80

/* ---- HVC ---- */
hvc:
    stp x2, x3, [sp, #V_X(2)]
    stp x4, x5, [sp, #V_X(4)]
    stp x6, x7, [sp, #V_X(6)]
    ldr x2, [sp, #V_FAST]
    str x8, [sp, #V_X(8)]
    stp x16, x17, [sp, #V_X(16)]
    str x30, [sp, #V_X(30)]
    ldr x3, [sp, #V_HOST_SP]
    cbz x2, hvc_full
    mov x0, sp
    mov sp, x3
    blr x2
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_ATTENTION]
    orr x2, x2, x0
    cbnz x2, hvc_slow
    mov sp, x1
    ldr x30, [sp, #V_X(30)]
    ldp x16, x17, [sp, #V_X(16)]
    ldr x8, [sp, #V_X(8)]
    ldp x6, x7, [sp, #V_X(6)]
    ldp x4, x5, [sp, #V_X(4)]
    ldp x2, x3, [sp, #V_X(2)]
    ldp x0, x1, [sp]
    eret_guest

hvc_slow: /* x0: answer, x1: vCPU, sp: run's stack; x9..x15 and x18..x29 are the guest's still */
    str x9, [x1, #V_X(9)]
    stp x10, x11, [x1, #V_X(10)]
    stp x12, x13, [x1, #V_X(12)]
    stp x14, x15, [x1, #V_X(14)]
    str x18, [x1, #V_X(18)]
    save_high x1
    str x29, [x1, #V_X(29)]
    mov x29, xzr
    ldr x18, [sp, #FRAME_X18]
    cmp x0, #HW_SLOW
    b.ne leave_or_again
    mov x2, x1                  /* counted already */
    mrs x1, esr_el2
    mov w0, #EC_HVC64
    ldr x3, [x2, #V_TRAP_TABLE]
    b sync_call

hvc_full: /* the rest of save_low */
    str x9, [sp, #V_X(9)]
    stp x10, x11, [sp, #V_X(10)]
    stp x12, x13, [sp, #V_X(12)]
    stp x14, x15, [sp, #V_X(14)]
    str x18, [sp, #V_X(18)]
    mov w0, #EC_HVC64
    b sync_saved

/* ---- every other synchronous exception: w0 row of the table, which is the class; x1 ESR_EL2 ---- */
sync:
    save_low sp
sync_saved:
    mov x2, sp
    save_high x2
    str x29, [x2, #V_X(29)]
    mov x29, xzr
    ldr x3, [x2, #V_TRAP_TABLE]
    ldr x4, [x2, #V_HOST_SP]
    add x5, x2, x0, lsl #3
    mov sp, x4
    ldr x6, [x5, #V_NR_TRAPS]
    ldr x18, [sp, #FRAME_X18]
    add x6, x6, #1
    str x6, [x5, #V_NR_TRAPS]
sync_call: /* x0 row, x1 ESR_EL2, x2 vCPU, x3 table */
    ldr x3, [x3, x0, lsl #3]
    mov x0, x2
    blr x3
sync_done:
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_ATTENTION]
    cmp x0, #1
    ccmp x2, #0, #0, ls
    b.ne leave_or_again
    mov sp, x1
    cbz x0, resume
    .globl avc_resume_all
avc_resume_all: /* sp: the vCPU */
    load_high sp
resume:
    ldr x29, [sp, #V_X(29)]
    ldp x2, x3, [sp, #V_X(2)]
    ldp x4, x5, [sp, #V_X(4)]
    ldp x6, x7, [sp, #V_X(6)]
    ldp x8, x9, [sp, #V_X(8)]
    ldp x10, x11, [sp, #V_X(10)]
    ldp x12, x13, [sp, #V_X(12)]
    ldp x14, x15, [sp, #V_X(14)]
    ldp x16, x17, [sp, #V_X(16)]
    ldr x18, [sp, #V_X(18)]
    ldr x30, [sp, #V_X(30)]
    ldp x0, x1, [sp]
    eret_guest

/* x0: HW_..., x1: vCPU, everything saved, sp: run's stack. HW_BACK and HW_BACK_ALL got here for attention. */
leave_or_again:
    cmp x0, #2
    mov x2, #HW_AGAIN
    csel x0, x2, x0, lo
    b avc_leave

/* ---- interrupts: counted by what is called, and without a syndrome ---- */
irq:
    save_low sp
    ldr x3, [sp, #V_TRAP_TABLE]
    ldr x3, [x3, #T_ROW(TRAP_IRQ)]
    b irq_call
fiq:
    save_low sp
    ldr x3, [sp, #V_TRAP_TABLE]
    ldr x3, [x3, #T_ROW(TRAP_FIQ)]
irq_call:
    mov x0, sp
    ldr x4, [sp, #V_HOST_SP]
    str x29, [sp, #V_X(29)]
    mov x29, xzr
    mov sp, x4
    ldr x18, [sp, #FRAME_X18]
    blr x3
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_ATTENTION]
    orr x2, x2, x0
    cbnz x2, 1f
    mov sp, x1
    b resume
1:  save_high x1                /* C kept them */
    b leave_or_again

serror:
    save_low sp
    mrs x1, esr_el2
    mov w0, #TRAP_SERROR
    b sync_saved

/* ---- exceptions of EL2's own ---- */

/* The one that is expected: enter.S opened the window, x1 is the vCPU, x2..x6 are free. */
host_serror:
    stp x0, x1, [sp, #-16]!
    mrs x2, elr_el2
    adrp x3, avc_serror_window
    add x3, x3, :lo12:avc_serror_window
    sub x2, x2, x3
    mov x0, #7
    cmp x2, #4
    b.hi host
    mrs x2, esr_el2
    orr x2, x2, #(1 << 63)
    str x2, [x1, #V_SERROR]
    mrs x2, spsr_el2
    orr x2, x2, #(1 << 8)       /* A: one is enough */
    msr spsr_el2, x2
    ldp x0, x1, [sp], #16
    eret_guest

/* All others are bugs: x0 number of the vector, x0 and x1 pushed. */
host:
    mov x1, sp
    mrs x2, esr_el2
    mrs x3, elr_el2
    mrs x4, far_el2
    mov x29, xzr
    bl avc_trap_host            /* (vector, sp, esr, elr, far); does not return */
1:  wfi
    b 1b
