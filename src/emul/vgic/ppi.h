/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Physical interrupts: the timers', and the maintenance interrupt; and when a timer's is due next. */
#ifndef AVC_VGIC_PPI_H
#define AVC_VGIC_PPI_H

#include "emul/vgic/state.h"

/* As in struct avc_irqc_ops. */
bool avc_vgic_irq(struct avc_vcpu *vcpu, avc_irq_t irq);
enum avc_result avc_vgic_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq);
bool avc_vgic_pending(struct avc_vcpu *vcpu);
uint64_t avc_vgic_deadline(struct avc_vcpu *vcpu);

#endif
