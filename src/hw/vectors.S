/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The world switch proper: the entry into a guest, the vectors that stand while it runs, and the two ways on from a
 * trap, into the guest again and back to run. SP_EL2 points into the vCPU while the guest runs. C runs on the stack of
 * avc_vcpu_run(). What is here is what every entry and every return must move. regs.c moves the rest of the guest's
 * state at load and put.
 *
 * A synchronous exception has a row in the vCPU's dispatch table (core/exit/trap.h). The vector saves x0..x17 and x30,
 * which is all that the AAPCS64 lets C destroy, and calls the row's function. It saves x18..x29 as well when the
 * syndrome says that the instruction names one of them. The function's result (avc/priv/result.h) says what comes next:
 *
 *   RESUME  the vector returns into the guest, unless something is requested of the vCPU
 *   LEAVE   run returns vcpu->exit
 *   ASK     the vector saves the rest, and asks the claim vcpu->asked about the event in vcpu->exit
 *   SLOW    the vector saves the rest, and calls the row's slow function
 *
 * An IRQ has one function only, and C keeps x19..x28 for it. FIQ and SError are rare: the vector saves all registers.
 *
 * The vector reads requests without ordering. A CPU that sets a request sends an interrupt afterwards. If this read
 * came too early, the interrupt is taken right after ERET (see avc_vcpu_request()).
 *
 * vectors.inc has the table itself; vectors_harden.S has others for CPUs that need more (core/object/harden.c).
 */
#include "hw/vectors.inc"

    /* where other tables go on, too */
    .irp label, named, resume, rest, irq, fiq, serror, host, el2_serror
    .globl avc_vectors_\label
    .endr

    .text

    vectors avc_vectors

/* ---- entry ---- */

/*
 * avc_hw_switch: interrupts are masked and the CPU is in EL2h. x19 is the vCPU, x20 run's DAIF. It keeps x18, x19, x20
 * and x29, and returns the result in x0.
 *
 * VBAR_EL2, HCR_EL2 and CPTR_EL2 are written before ERET, which synchronises them (Arm ARM, D1.3.3, "context
 * synchronization event"). As soon as VBAR_EL2 is written, an exception at EL2 goes to avc_vectors, where it ends in
 * hal->panic. Interrupts are masked. A host with {E2H,TGE} = {1,1} has TGE cleared here. For this code the change takes
 * effect at ERET, because nothing in between makes an EL1&0 translation.
 */
    .globl avc_hw_switch
    .type avc_hw_switch, %function
    .balign 64
avc_hw_switch:
    stp x29, x30, [sp, #-FRAME_SIZE]!
    mov x0, sp
    stp x19, x0, [sp, #FRAME_VCPU]
    stp x18, x20, [sp, #FRAME_X18]
    str x0, [x19, #V_HOST_SP]
    ldp x3, x4, [x19, #V_VBAR]  /* and HCR_EL2 */
    ldr x5, [x19, #V_CPTR]
    ldp x1, x2, [x19, #V_PC]
    msr vbar_el2, x3
    msr hcr_el2, x4
    msr cptr_el2, x5
    msr elr_el2, x1
    msr spsr_el2, x2
    mov sp, x19
    .globl avc_resume_all
avc_resume_all: /* sp: the vCPU */
    load_high sp
    ldr x30, [sp, #V_X(30)]
    load_low sp
    eret_guest
    .size avc_hw_switch, . - avc_hw_switch

/* ---- exceptions of EL2's own ---- */

/* The SError that is expected: avc_leave has opened the window. x1 is the vCPU, x2..x6 are free. */
avc_vectors_el2_serror:
    stp x0, x1, [sp, #-16]!
    mrs x2, elr_el2
    adrp x3, avc_serror_window
    add x3, x3, :lo12:avc_serror_window
    sub x2, x2, x3
    mov x0, #7
    cmp x2, #4
    b.hi avc_vectors_host
    mrs x2, esr_el2
    orr x2, x2, #(1 << 63)
    str x2, [x1, #V_SERROR]
    mrs x2, spsr_el2
    orr x2, x2, #SPSR_A         /* one is enough */
    msr spsr_el2, x2
    ldp x0, x1, [sp], #16
    eret_guest

/* Any other exception at EL2 is a bug. x0: number of the vector; x0 and x1 are pushed. */
avc_vectors_host:
    mov x1, sp
    mrs x2, esr_el2
    mrs x3, elr_el2
    mrs x4, far_el2
    mov x29, xzr
    bl avc_trap_host            /* (vector, sp, esr, elr, far); does not return */
1:  wfi
    b 1b

/* ---- after the function; x0..x17 and x30 are saved; sp: run's stack ---- */
avc_vectors_resume:
    ldr x1, [sp, #FRAME_VCPU]
    ldr x2, [x1, #V_REQUESTS]
    cbnz x2, requested
    mov sp, x1
    ldr x30, [sp, #V_X(30)]
    load_low sp
    eret_guest

requested:
    save_high x1
again: /* x1: vCPU, all registers saved */
    mov x0, #RESULT_AGAIN
    b avc_leave

/* ---- the instruction names one of x16..x31; x0..x17 and x30 are saved; x5: run's stack ---- */
avc_vectors_named:
    save_high sp
    mov x0, sp
    mov sp, x5
    blr x3
    ldr x1, [sp, #FRAME_VCPU]
    cbnz x0, all_saved
resume_all: /* x1: vCPU, all registers saved */
    ldr x2, [x1, #V_REQUESTS]
    cbnz x2, again
    mov sp, x1
    b avc_resume_all

avc_vectors_rest: /* x0: LEAVE, ASK or SLOW */
    ldr x1, [sp, #FRAME_VCPU]
    save_high x1

/* ---- all registers are saved; x0: result; x1: vCPU; sp: run's stack ---- */

/* What is called here may be the host's code. It gets the host's x18. It gets 0 in x29: a host that walks frames must
   not follow the guest's. */
all_saved:
    tbz x0, #RESULT_CALLS_BIT, avc_leave
    mov x29, xzr
    ldr x18, [sp, #FRAME_X18]
    tbnz x0, #0, slow
    ldr x3, [x1, #V_ASKED]
    mov x0, x1
    ldp x4, x2, [x3, #C_FN]
    add x1, x1, #V_EXIT
    blr x4                      /* (vCPU, event, ctx) */
    cbnz w0, not_done
    ldr x0, [sp, #FRAME_VCPU]
    bl avc_trap_done
called:
    ldr x1, [sp, #FRAME_VCPU]
    cbz x0, resume_all
    b avc_leave

otherwise:
    mov w1, w0
    ldr x0, [sp, #FRAME_VCPU]
    bl avc_trap_answered
    b called

slow:
    mov x0, x1
    mrs x1, esr_el2
    ldr x2, [x0, #V_DISPATCH]
    lsr w3, w1, #26
    add x2, x2, x3, lsl #T_SHIFT
    ldr x3, [x2, #T_SLOW]
call: /* x0: vCPU, x1: ESR_EL2, x3: a function that needs all registers saved */
    blr x3
    b called

not_done:
    ldr x1, [sp, #FRAME_VCPU]
    cmp w0, #ANSWER_EXIT
    b.ne otherwise
    mov w2, #ANSWER_FAULT       /* the VMM finds the architecture's answer, not the claim's */
    strb w2, [x1, #V_EXIT + 1]
    mov x0, #RESULT_LEAVE       /* falls into avc_leave */

/*
 * x0: the result of avc_hw_switch; x1: the vCPU, all of x0..x30 saved in it; sp: run's stack.
 *
 * ELR_EL2 and SPSR_EL2 are read first, because a nested exception would overwrite them. Then a pending SError is looked
 * for, while the guest is still to blame and our vectors are in place. Then the host's VBAR_EL2, CPTR_EL2 and HCR_EL2
 * are written, and an ISB follows. The code after it runs under the host's regime: TGE selects what its TLB and AT
 * instructions mean. It may take exceptions through its own vectors as soon as it unmasks them.
 */
    .globl avc_leave
    .type avc_leave, %function
avc_leave:
    mrs x2, elr_el2
    mrs x3, spsr_el2
    stp x2, x3, [x1, #V_PC]
    mrs x4, hcr_el2             /* the CPU clears HCR_EL2.VSE when the guest takes its virtual SError (D1.3.4.4) */
    str x4, [x1, #V_VBAR + 8]
    dsb sy                      /* an SError that the guest's own accesses have caused is pending after this */
    isb                         /* ISR_EL1 is read after the DSB */
    mrs x5, isr_el1
    tbnz x5, #8, take_serror    /* ISR_EL1.A */
leave_host:
    ldp x3, x4, [x1, #V_HOST_VBAR] /* and HCR_EL2 */
    ldr x5, [x1, #V_HOST_CPTR]
    msr vbar_el2, x3
    msr hcr_el2, x4
    msr cptr_el2, x5
    isb
    mov x19, x1
    ldp x18, x20, [sp, #FRAME_X18]
    ldp x29, x30, [sp], #FRAME_SIZE
    ret
    .size avc_leave, . - avc_leave

/* Takes the SError here, where avc_vectors knows it. The vector writes it into the vCPU (x1) when ELR_EL2 is one of
   the two instructions at which an SError can be taken. The first is the ISB: PSTATE is written at once (D1.3.3).
   The second is the one after the ISB, where the SError is taken at the latest. If it has gone away by then, nothing
   happens. */
take_serror:
    msr daifclr, #4
    .globl avc_serror_window
avc_serror_window:
    isb
    msr daifset, #4
    ldr x2, [x1, #V_SERROR]
    cbz x2, leave_host
    orr x0, x0, #RESULT_SERROR
    b leave_host

/* ---- interrupts: C keeps x19..x28 ---- */
avc_vectors_irq:
    save_low sp
    str x18, [sp, #V_X(18)]
    stp x29, x30, [sp, #V_X(29)]
    ldp x4, x3, [sp, #V_HOST_SP] /* and the dispatch table */
    ldr x3, [x3, #T_ROW(TRAP_IRQ)]
    mov x0, sp
    mov sp, x4
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
    blr x3
    ldr x1, [sp, #FRAME_VCPU]
    cbnz x0, irq_leave
    ldr x2, [x1, #V_REQUESTS]
    cbnz x2, irq_requested
    mov sp, x1
    ldr x18, [sp, #V_X(18)]
    ldp x29, x30, [sp, #V_X(29)]
    load_low sp
    eret_guest

irq_requested:
    mov x0, #RESULT_AGAIN
irq_leave: /* x18 and x29 are saved */
    stp x19, x20, [x1, #V_X(19)]
    stp x21, x22, [x1, #V_X(21)]
    stp x23, x24, [x1, #V_X(23)]
    stp x25, x26, [x1, #V_X(25)]
    stp x27, x28, [x1, #V_X(27)]
    b avc_leave

/* A FIQ has no syndrome. */
avc_vectors_fiq:
    mov x2, #T_ROW(TRAP_FIQ)
    b asynchronous
avc_vectors_serror:
    mov x2, #T_ROW(TRAP_SERROR)
asynchronous:
    save_low sp
    save_high sp
    str x30, [sp, #V_X(30)]
    mrs x1, esr_el2
    ldp x4, x3, [sp, #V_HOST_SP] /* and the dispatch table */
    ldr x3, [x3, x2]
    mov x0, sp
    mov sp, x4
    ldr x18, [sp, #FRAME_X18]
    mov x29, xzr
    b call
