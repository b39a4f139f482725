/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU on the inside: see vcpu.c. */
#ifndef AVC_VCPU_IN_H
#define AVC_VCPU_IN_H

#include "core/object/here.h"

/* Guest state out of the CPU it is loaded on, and in again; between, memory holds all of it. Masked. */
void avc_vcpu_switch_out(struct avc_vcpu *vcpu);
void avc_vcpu_switch_in(struct avc_vcpu *vcpu);
/* All registers to their reset values, in memory. */
void avc_vcpu_reset_state(struct avc_vcpu *vcpu);

#endif
