/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The FP and SIMD registers, moved on first use: see fp.c. */
#ifndef AVC_FP_H
#define AVC_FP_H

#include "core/core.h"

avc_trap_fn avc_trap_fp;

void avc_fp_enter_guest(struct avc_vcpu *vcpu); /* in a trap: brings the guest's in, and opens CPTR_EL2 */
/* For run's return, and for put (`put`): takes the guest's out and brings the host's in, if the host's policy asks
   for it now. Interrupts are masked. */
void avc_fp_leave_guest(struct avc_vcpu *vcpu, bool put);

#endif
