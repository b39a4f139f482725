/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* An exception return of the guest that was trapped: see eret.c. */
#ifndef AVC_ERET_H
#define AVC_ERET_H

#include "core/exit/inject.h"

void avc_eret(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr);
/* With AVC_WORK_STEP these end the step over an ERETAA, executed or not. The first is for a trap, and returns true
   when the exception was the step's own. */
bool avc_eret_stepped(struct avc_vcpu *vcpu, uint64_t esr);
void avc_eret_step_end(struct avc_vcpu *vcpu, uint64_t *pstate);

#endif
