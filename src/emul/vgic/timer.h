/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL1 virtual and physical timers' interrupts, PPIs 27 and 30. The timers themselves are the guest's while its vCPU is
 * loaded; what is here is how their level-triggered line reaches it. A timer PPI of a loaded vCPU is in one of three states:
 *
 *   idle    not masked, not active at the physical controller: should the line rise, the host is interrupted
 *   linked  the physical interrupt has been acknowledged, is active, and the guest's own end of interrupt deactivates it:
 *           list register with HW=1. The line is looked at by the hardware again after that. Needs hal->eoi_split
 *   masked  at the physical controller; the line is looked at here, when the guest enables or ends the interrupt
 *
 * Linked becomes masked where the guest's end cannot come, or not on this CPU (put), and masked becomes idle as soon as the
 * line is found low. So an interrupt that finds itself disabled is not lost: it is masked, and sampled when it is enabled;
 * and no physical PPI stays active when its guest has left the CPU.
 */
#ifndef AVC_VGIC_TIMER_H
#define AVC_VGIC_TIMER_H

#include "emul/vgic/state.h"

/* 0: the virtual timer, 1: the physical one */
static inline uint32_t avc_vgic_timer_bit(unsigned t)
{
    return 1u << (t ? AVC_VGIC_PTIMER_INTID : AVC_VGIC_VTIMER_INTID);
}

/* CNTPCT_EL0 from which on the line is high: ~0 never. The vCPU is loaded here or not at all. */
uint64_t avc_vgic_timer_due(const struct avc_vcpu *vcpu, unsigned t);
bool avc_vgic_timer_is_high(const struct avc_vcpu *vcpu, unsigned t);

/* Masked at the physical controller (when the operation ends), the line taken for high: software tracks it from now. */
static inline void avc_vgic_timer_mask(struct avc_vgic_cpu *self, uint32_t bit)
{
    self->mask_wanted |= bit;
    self->bank.line |= bit;
}

/* The physical interrupt of a linked one is ended here: the guest can no longer do it, or need not. */
void avc_vgic_timer_deactivate(struct avc_vgic_cpu *self, uint32_t bit);
/* The link is given up; software tracks the line from now. */
void avc_vgic_timer_unlink(struct avc_vgic_cpu *self, uint32_t bit);
/* Of `bits`, which are in no list register and no queue, those whose line software tracks: is it still high? */
void avc_vgic_timer_sample(struct avc_vgic_cpu *self, uint32_t bits);

/* The vCPU comes to this CPU, and leaves it; its list registers are empty, and the timers in no queue. */
void avc_vgic_timer_load(struct avc_vgic_cpu *self);
void avc_vgic_timer_put(struct avc_vgic_cpu *self);

#endif
