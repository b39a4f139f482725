/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The dispatch table of traps. The vector finds the row of an exception class, and calls its function. That function
 * does what it can: it completes the trap, begins an exit, or begins an event that a claim is to be asked about. It
 * leaves everything else to the slow function, which can handle any case.
 *
 *   fn    is called with x0..x17 and x30 saved. x18..x29 are saved, too, if the syndrome says that the instruction
 *   names
 *         one of them: `named` is the bit of ESR_EL2 that says so. fn may only read and write registers that are saved.
 *   slow  is called with all registers saved, after fn has returned AVC_SLOW.
 *
 * Both are plain functions of the AAPCS64. They run on run's stack with interrupts masked. ELR_EL2, SPSR_EL2, ESR_EL2,
 * FAR_EL2 and HPFAR_EL2 are live. While fn runs, x18 may be the guest's. So fn calls the host's functions through
 * avc_hw_call_host().
 */
#ifndef AVC_TRAP_H
#define AVC_TRAP_H

#include "core/exit/complete.h"

/* What is known of an exception class. */
struct avc_trap_class {
    const char *name; /* the Arm ARM's words */
    bool step;        /* a CLASS claim's DONE moves the PC past the instruction */
    enum avc_own own; /* what the guest would have had without the trap */
    const char *reason;
};

extern const struct avc_trap_row avc_trap_rows[AVC_NR_TRAPS]; /* by class; AVC_TRAP_IRQ, _FIQ, _SERROR */

/* irq_taken for a VM without an interrupt controller, and for a controller that has none (struct avc_irqc_ops). */
enum avc_result avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq);

/* Makes vm->dispatch, from the CLASS claims. */
void avc_trap_seal(struct avc_vm *vm);

/* The function of a class that CLASS claims are asked about first. The VM has such a row for it. */
enum avc_result avc_trap_claimed(struct avc_vcpu *vcpu, uint64_t esr);

/* The function of a class that has only a slow one. It counts. */
enum avc_result avc_trap_slow(struct avc_vcpu *vcpu, uint64_t esr);

/* End the event in vcpu->exit as the claim that was asked has answered: with DONE, and with anything else but EXIT.
   Return AVC_RESUME or AVC_LEAVE. */
enum avc_result avc_trap_done(struct avc_vcpu *vcpu);
enum avc_result avc_trap_answered(struct avc_vcpu *vcpu, enum avc_answer answer);

#endif
