/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Exceptions into the guest: see inject.c. The functions work on values, and reach EL1 registers through
   avc_ctx_get() and _set(). */
#ifndef AVC_INJECT_H
#define AVC_INJECT_H

#include "core/core.h"

struct avc_regs { /* the PC and PSTATE that are worked on */
    uint64_t pc, pstate;
};
void avc_inject_undef(struct avc_vcpu *vcpu, struct avc_regs *r, bool il); /* EC 0x00 */
/* Injects the abort that EL2 took with this syndrome, as the guest's own. Stage 2 faults become external aborts. Of one
   on a table walk, `level` is the level of stage 1 that the guest reads in its syndrome. */
void avc_inject_abort(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va, unsigned level);
/* Returns the level of stage 1 whose descriptor lies in the page `ipa`, in a walk for `va`. */
unsigned avc_inject_walk_level(const struct avc_vcpu *vcpu, uint64_t va, avc_ipa_t ipa);
void avc_inject_sync(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr); /* ELR_EL1 = pc, as is */
void avc_inject_svc(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr);  /* pc: of the SVC that FGT trapped */
/* Injects the exception that EL2 took, as the guest's own. */
void avc_inject_exception(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va);
void avc_inject_serror(struct avc_vcpu *vcpu, uint64_t iss); /* HCR_EL2.VSE */

#endif
