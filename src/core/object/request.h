/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What others ask of a vCPU: see request.c. */
#ifndef AVC_REQUEST_H
#define AVC_REQUEST_H

#include "core/core.h"

/* PSCI CPU_ON: changes OFF to PENDING, sets the start state, and wakes the vCPU. If the vCPU was not OFF, it does
   nothing and returns false. */
bool avc_vcpu_power_on(struct avc_vcpu *vcpu, uint64_t pc, uint64_t x0);
/* PSCI CPU_OFF, called by the vCPU itself in a trap: this run and the next return AVC_CPU_OFF. */
void avc_vcpu_power_off(struct avc_vcpu *vcpu);

/* Calls hal->irq_mask() of the CPU where the vCPU is loaded, which is the calling one. It may be called in a trap. */
void avc_vcpu_irq_mask(struct avc_vcpu *vcpu, uint32_t intid, bool masked);

#endif
