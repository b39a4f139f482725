/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What others ask of a vCPU: see request.c. */
#ifndef AVC_REQUEST_H
#define AVC_REQUEST_H

#include "core/core.h"

/* PSCI CPU_ON: OFF -> PENDING, start state set, vCPU woken; false, and nothing done, when it was not OFF. */
bool avc_vcpu_power_on(struct avc_vcpu *vcpu, uint64_t pc, uint64_t x0);
/* PSCI CPU_OFF, by the vCPU itself in a trap: the next run (and this one's exit) says AVC_CPU_OFF. */
void avc_vcpu_power_off(struct avc_vcpu *vcpu);

/* Calls hal->irq_mask() of the CPU where the vCPU is loaded, which is this one: in a trap, too. */
void avc_vcpu_irq_mask(struct avc_vcpu *vcpu, uint32_t intid, bool masked);

#endif
