/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The FP and SIMD registers, moved on first use: see fp.c. */
#ifndef AVC_FP_H
#define AVC_FP_H

#include "core/core.h"

avc_trap_fn avc_trap_fp;

void avc_fp_enter_guest(struct avc_vcpu *vcpu); /* in a trap: the guest's into the CPU, untrapped */
/* Run's return, and (`put`) put: the guest's out and the host's in, as the host's policy asks. Masked. */
void avc_fp_leave_guest(struct avc_vcpu *vcpu, bool put);

#endif
