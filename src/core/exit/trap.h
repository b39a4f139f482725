/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The dispatch table of traps. The vector finds the row of an exception class, and calls its function. That function does what
 * it can: it completes the trap, begins an exit, or begins an event that a claim is to be asked about. What it leaves is the
 * slow function's, which can do all of it.
 *
 *   fn    called with x0..x17 and x30 saved, and with x18..x29, too, where the syndrome says that the instruction names one
 *         of them: `named` is the bit of ESR_EL2 that says so. It may read and write the saved ones only.
 *   slow  called with all registers saved. fn has returned AVC_SLOW.
 *
 * Both are plain functions of the AAPCS64. They run on run's stack with interrupts masked. ELR_EL2, SPSR_EL2, ESR_EL2, FAR_EL2
 * and HPFAR_EL2 are live. While fn runs x18 may be the guest's: a call of the host's goes through avc_hw_call_host().
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

/* struct avc_irqc_ops.irq_taken of controllers that have none, and without controller. */
enum avc_result avc_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq);

/* vm->dispatch: by the CLASS claims. */
void avc_trap_seal(struct avc_vm *vm);

/* A class that CLASS claims are asked about first: the VM has such a row for it. */
enum avc_result avc_trap_claimed(struct avc_vcpu *vcpu, uint64_t esr);

/* The function of classes that have the slow one alone: it counts. */
enum avc_result avc_trap_slow(struct avc_vcpu *vcpu, uint64_t esr);

/* The claim that was asked about the event in vcpu->exit has answered. AVC_RESUME or AVC_LEAVE. */
enum avc_result avc_trap_answered(struct avc_vcpu *vcpu, enum avc_answer answer);

#endif
