/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vectors that stand while a guest runs, and the way back into it. SP_EL2 points into the vCPU while the guest
 * runs; C runs on the stack of avc_vcpu_run().
 *
 * The ways in:
 *   light    HVC, SMC, system registers and data aborts: saves what C compiled for it may destroy (src/core/exit/fast.c leaves
 *            x8..x15 and x18 alone) and calls the one function of the class. It settles the trap, or says how to go on with
 *            all registers saved: HW_SLOW as on the full way, or which claim to ask
 *   full     every other synchronous exception, SError, and FIQ: all registers are in memory before a trap function runs, since
 *            it may name any
 *   IRQ      saves what C destroys; the rest only if the guest is left
 * Which way a class goes is looked up in the vCPU's `ways`, and what the full way calls in its trap table: a row for each
 * exception class, and one each for IRQ, FIQ and SError. A claim on a class sends it the full way (src/core/claim/claim.c), and
 * observers have tables of their own (src/core/exit/observe.c), so that nothing here asks whether there are any.
 * All end alike: back into the guest when the function said HW_BACK and nothing wants requests; else avc_leave. On the
 * light way C has folded requests into what it returns.
 *
 * The requests word is read here without ordering: whoever sets it sends an interrupt after that, which is taken right
 * after ERET if this read came too early (see avc_vcpu_request()).
 */
#include "hw/macros.inc"

#define EC_HVC64 0x16
#define EC_SYSREG 0x18
#define EC_DABT_LOWER 0x24

    .text

    .macro entry label
    .balign 0x80
    stp x0, x1, [sp]
    b \label
    .endm

    .macro entry_sync
    .balign 0x80
    stp x0, x1, [sp]
    stp x2, x3, [sp, #V_X(2)]
    mrs x1, esr_el2
    ldr x2, [sp, #V_WAYS]
    lsr w0, w1, #26
    ldr x2, [x2, x0, lsl #3]
    br x2
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
    /* The one that is expected: enter.S opened the window, x1 is the vCPU, x2..x6 are free. */
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
    /* from a lower level, AArch64 */
    entry_sync
    entry irq
    entry fiq
    entry serror
    /* from a lower level, AArch32 (EL0 only) */
    entry_sync
    entry irq
    entry fiq
    entry serror                /* what follows needs no room of its own */

/* ---- the light way; x0..x3 are saved, x0: class, x1: ESR_EL2. `not_settled`: x0 has HW_... or requests ---- */
    .macro save_light_rest base
    stp x8, x9, [\base, #V_X(8)]
    stp x10, x11, [\base, #V_X(10)]
    stp x12, x13, [\base, #V_X(12)]
    stp x14, x15, [\base, #V_X(14)]
    save_high \base
    .endm

    .macro light function, not_settled
    stp x4, x5, [sp, #V_X(4)]
    stp x6, x7, [sp, #V_X(6)]
    stp x16, x17, [sp, #V_X(16)]
    str x30, [sp, #V_X(30)]
    ldr x3, [sp, #V_HOST_SP]
    mov x0, sp
    mov sp, x3
    bl \function
    cbnz x0, \not_settled
    ldr x1, [sp, #FRAME_VCPU]
    mov sp, x1
    ldr x30, [sp, #V_X(30)]
    ldp x16, x17, [sp, #V_X(16)]
    ldp x6, x7, [sp, #V_X(6)]
    ldp x4, x5, [sp, #V_X(4)]
    ldp x2, x3, [sp, #V_X(2)]
    ldp x0, x1, [sp]
    eret_guest
    .endm

hvc:
    light avc_fast_hvc, light_slow
smc:
    light avc_fast_smc, light_slow

/* One that names a general register which stays in the CPU (ISS.Rt and ISS.SRT are not 0..7) goes the full way. */
sysreg:
    tst x1, #(0x18 << 5)
    b.ne full
    light avc_fast_sysreg, sysreg_then
dabt:
    tst x1, #(0x18 << 16)
    b.ne full
    light avc_fast_dabt, dabt_then

/* x0: a claim, which is asked about the event that is in the vCPU; or as at light_slow. x8..x15 and x18..x29 are the guest's
   still; sp: run's stack. */
    .macro then
    lsr x1, x0, #12
    cbz x1, light_slow
    mov x3, x0
    ldr x0, [sp, #FRAME_VCPU]
    save_light_rest x0
    .endm

/* x0: vCPU, x3: the claim; everything saved */
    .macro ask
    ldp x4, x2, [x3, #C_FN]
    add x1, x0, #V_EXIT
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
    blr x4                      /* (vCPU, event, ctx) */
    mov w1, w0
    ldr x0, [sp, #FRAME_VCPU]
    .endm

    .macro asked /* x0: HW_EXIT, perhaps with requests, or requests */
    ldr x1, [sp, #FRAME_VCPU]
    cbnz x0, asked_leave
    mov sp, x1
    b avc_resume_all
    .endm

dabt_then:
    then
    ask
    bl avc_mmio_answered
    asked
sysreg_then:
    then
    adr x19, avc_sysreg_answered /* a linker says so if it is ever further away than 1 MiB */
ask_other: /* x19: what it has answered goes there */
    ask
    blr x19
    asked

asked_leave:
    tbz x0, #HW_EXIT_BIT, again
    mov x0, #HW_EXIT
    b avc_leave

light_slow: /* x0: HW_EXIT, a claim on a call, HW_SLOW, or requests */
    ldr x1, [sp, #FRAME_VCPU]
    save_light_rest x1
    cmp x0, #HW_EXIT
    b.eq avc_leave              /* likewise */
    b.lo again
    mov x3, x0
    mov x0, x1
    cmp x3, #HW_SLOW
    adr x19, avc_call_answered  /* likewise */
    b.ne ask_other
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
    mrs x1, esr_el2
    ldr x4, [x0, #V_TRAP_TABLE]
    lsr w3, w1, #26
    ldr x3, [x4, x3, lsl #3]
    b full_call

/* ---- all other classes: x0..x3 are saved, x0: row of the table, which is the class; x1: ESR_EL2 ---- */
full:
    save_low sp
    save_high sp
    add x3, sp, x0, lsl #3
    ldr x5, [sp, #V_TRAP_TABLE]
    ldr x4, [x3, #V_NR_TRAPS]
    ldr x6, [sp, #V_HOST_SP]
    add x4, x4, #1
    str x4, [x3, #V_NR_TRAPS]
    ldr x3, [x5, x0, lsl #3]
    mov x0, sp
    mov sp, x6
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
full_call: /* x0: vCPU, x1: ESR_EL2; x3: function */
    blr x3
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_REQUESTS]
    orr x2, x2, x0
    cbnz x2, leave_or_again
    mov sp, x1
    b avc_resume_all

/* x0: HW_..., x1: vCPU, everything saved, sp: run's stack. HW_BACK got here for requests. */
leave_or_again:
    cbnz x0, avc_leave
again:
    mov x0, #HW_AGAIN
    b avc_leave

/* ---- interrupts: counted by what is called, and without a syndrome. C keeps x19..x28. ---- */
irq:
    stp x2, x3, [sp, #V_X(2)]
    stp x4, x5, [sp, #V_X(4)]
    stp x6, x7, [sp, #V_X(6)]
    stp x8, x9, [sp, #V_X(8)]
    stp x10, x11, [sp, #V_X(10)]
    stp x12, x13, [sp, #V_X(12)]
    stp x14, x15, [sp, #V_X(14)]
    stp x16, x17, [sp, #V_X(16)]
    str x18, [sp, #V_X(18)]
    stp x29, x30, [sp, #V_X(29)]
    ldr x3, [sp, #V_TRAP_TABLE]
    ldr x4, [sp, #V_HOST_SP]
    ldr x3, [x3, #T_ROW(TRAP_IRQ)]
    mov x0, sp
    mov sp, x4
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
    blr x3
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_REQUESTS]
    orr x2, x2, x0
    cbnz x2, irq_leave
    mov sp, x1
    ldp x4, x5, [sp, #V_X(4)]
    ldp x6, x7, [sp, #V_X(6)]
    ldp x8, x9, [sp, #V_X(8)]
    ldp x10, x11, [sp, #V_X(10)]
    ldp x12, x13, [sp, #V_X(12)]
    ldp x14, x15, [sp, #V_X(14)]
    ldp x16, x17, [sp, #V_X(16)]
    ldr x18, [sp, #V_X(18)]
    ldp x29, x30, [sp, #V_X(29)]
    ldp x2, x3, [sp, #V_X(2)]
    ldp x0, x1, [sp]
    eret_guest

irq_leave:
    stp x19, x20, [x1, #V_X(19)]
    stp x21, x22, [x1, #V_X(21)]
    stp x23, x24, [x1, #V_X(23)]
    stp x25, x26, [x1, #V_X(25)]
    stp x27, x28, [x1, #V_X(27)]
    b leave_or_again

/* as rare as they are they go the full way; a FIQ has no syndrome */
fiq:
    stp x2, x3, [sp, #V_X(2)]
    mov w0, #TRAP_FIQ
    b full

serror:
    stp x2, x3, [sp, #V_X(2)]
    mrs x1, esr_el2
    mov w0, #TRAP_SERROR
    b full

/* ---- exceptions of EL2's own ---- */

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

/* ---- the ways of the 64 exception classes ---- */
    .section .rodata
    .balign 8
    .globl avc_ways_light
avc_ways_light:
    .rept EC_HVC64
    .quad full
    .endr
    .quad hvc
    .quad smc
    .quad sysreg
    .rept EC_DABT_LOWER - EC_SYSREG - 1
    .quad full
    .endr
    .quad dabt
    .rept 63 - EC_DABT_LOWER
    .quad full
    .endr
    .globl avc_ways_full
avc_ways_full:
    .rept 64
    .quad full
    .endr
