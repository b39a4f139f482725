/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The world switch proper: what every entry into a guest and every return to the VMM must move. regs.c moves the rest
 * of the guest's state at load and put. The compiler saves the host's x19..x28 in run (hw_enter.h).
 *
 * avc_hw_switch: interrupts are masked and the CPU is in EL2h. x19 is the vCPU, x20 run's DAIF. It keeps x18, x19, x20
 * and x29, and returns the result in x0.
 *
 * Order, entering. VBAR_EL2, HCR_EL2 and CPTR_EL2 are written before ERET, which synchronises them (Arm ARM, D1.3.3,
 * "context synchronization event"). As soon as VBAR_EL2 is written, an exception at EL2 goes to avc_vectors, where it
 * ends in hal->panic. Interrupts are masked. A host with {E2H,TGE} = {1,1} has TGE cleared here. For this code the
 * change takes effect at ERET, because nothing in between makes an EL1&0 translation.
 *
 * Order, leaving (avc_leave). ELR_EL2 and SPSR_EL2 are read first, because a nested exception would overwrite them.
 * Then a pending SError is looked for, while the guest is still to blame and our vectors are in place. Then the host's
 * VBAR_EL2, CPTR_EL2 and HCR_EL2 are written, and an ISB follows. The code after it runs under the host's regime: TGE
 * selects what its TLB and AT instructions mean. It may take exceptions through its own vectors as soon as it unmasks
 * them.
 */
#include "hw/macros.inc"

    .text
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

/* x0: the result of avc_hw_switch; x1: the vCPU, all of x0..x30 saved in it; sp: run's stack. */
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
