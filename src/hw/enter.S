/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The world switch proper: what every entry into a guest and every return to the VMM must move. All the rest of the
 * guest's state is moved by regs.c at load and put.
 *
 * uint64_t avc_hw_enter(struct avc_vcpu *v): interrupts masked, EL2h.
 *
 * Order, entering. VBAR_EL2, HCR_EL2 and CPTR_EL2 are written before ERET, which synchronises them (Arm ARM, D1.3.3,
 * "context synchronization event"). From the write of VBAR_EL2 on an exception at EL2 goes to avc_vectors, where it ends
 * in hal->panic; interrupts are masked. With {E2H,TGE} = {1,1} at the host, clearing TGE only takes effect at ERET as far
 * as this code is concerned: nothing between makes an EL1&0 translation.
 *
 * Order, leaving (avc_leave). ELR_EL2 and SPSR_EL2 first: a nested exception would overwrite them. A pending SError is
 * looked for while the guest is still to blame and our vectors are in place. Then the host's VBAR_EL2, CPTR_EL2 and
 * HCR_EL2, and an ISB: code behind this runs under the host's regime (TGE selects what its TLB and AT instructions mean)
 * and may take exceptions through its vectors as soon as it unmasks them.
 */
#include "macros.inc"

    .text
    .globl avc_hw_enter
    .type avc_hw_enter, %function
    .balign 64
avc_hw_enter:
    stp x29, x30, [sp, #-FRAME_SIZE]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    ldp x1, x2, [x0, #V_SELF]
    stp x1, x2, [sp, #FRAME_VCPU]
    str x18, [sp, #FRAME_X18]
    mov x3, sp
    str x3, [x0, #V_HOST_SP]
    adrp x4, avc_vectors
    add x4, x4, :lo12:avc_vectors
    ldr x5, [x0, #V_HCR]
    ldr x6, [x0, #V_CPTR]
    ldp x1, x2, [x0, #V_PC]
    msr vbar_el2, x4
    msr hcr_el2, x5
    msr cptr_el2, x6
    msr elr_el2, x1
    msr spsr_el2, x2
    mov sp, x0
    b avc_resume_all
    .size avc_hw_enter, . - avc_hw_enter

/* x0: what avc_hw_enter() returns; x1: the vCPU, all of x0..x30 saved in it; sp: run's stack; x18: the host's again. */
    .globl avc_leave
    .type avc_leave, %function
avc_leave:
    mrs x2, elr_el2
    mrs x3, spsr_el2
    stp x2, x3, [x1, #V_PC]
    mrs x4, hcr_el2             /* HCR_EL2.VSE falls when the guest takes its virtual SError (D1.3.4.4) */
    str x4, [x1, #V_HCR]
    dsb sy                      /* what the guest's own accesses have still to report is pending now, not later */
    isb                         /* and ISR_EL1 is read after that */
    mrs x5, isr_el1
    tbnz x5, #8, take_serror    /* ISR_EL1.A */
leave_host:
    ldr x4, [x1, #V_HOST_VBAR]
    ldr x5, [x1, #V_HCR + 8]
    ldr x6, [x1, #V_CPTR + 8]
    msr vbar_el2, x4
    msr hcr_el2, x5
    msr cptr_el2, x6
    isb
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #FRAME_SIZE
    ret
    .size avc_leave, . - avc_leave

/* Let it be taken here, where avc_vectors knows what it is: an SError is written into the vCPU (x1) when ELR_EL2 is one of
   the two instructions that find it unmasked: the ISB (PSTATE is written at once, D1.3.3), and the one behind it, before
   which it is taken at the latest. If it was gone again, nothing happens. */
take_serror:
    msr daifclr, #4
    .globl avc_serror_window
avc_serror_window:
    isb
    msr daifset, #4
    b leave_host
