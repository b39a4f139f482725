/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The library's own view of a vCPU: see vcpu.c. */
#ifndef AVC_VCPU_IN_H
#define AVC_VCPU_IN_H

#include "core/object/here.h"

/* Take the guest's state out of the CPU where it is loaded, and bring it in again. In between, memory holds all of
   it. Interrupts are masked. */
void avc_vcpu_switch_out(struct avc_vcpu *vcpu);
void avc_vcpu_switch_in(struct avc_vcpu *vcpu);
/* Sets all registers to their reset values, in memory. */
void avc_vcpu_reset_state(struct avc_vcpu *vcpu);

#endif
