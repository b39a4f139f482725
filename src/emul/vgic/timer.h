/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL1 virtual and physical timers' interrupts, PPIs 27 and 30. The guest has the timers themselves while its vCPU
 * is loaded. This is about how their level-triggered line reaches it. A timer PPI of a loaded vCPU is in one of three
 * states:
 *
 *   idle    not masked, not active at the physical controller: if the line rises, the host is interrupted
 *   linked  the physical interrupt has been acknowledged and is active. The guest's own end of interrupt deactivates
 *           it: the list register has HW=1. After that the hardware looks at the line again. Needs hal->eoi_split
 *   masked  at the physical controller: software looks at the line, when the guest enables or ends the interrupt
 *
 * Linked becomes masked if the guest's end cannot come, or not on this CPU (put). Masked becomes idle as soon as the
 * line is found low. So an interrupt that finds itself disabled is not lost: it is masked, and sampled when it is
 * enabled. And no physical PPI stays active when its guest has left the CPU.
 */
#ifndef AVC_VGIC_TIMER_H
#define AVC_VGIC_TIMER_H

#include "arch/timer.h"
#include "emul/vgic/state.h"
#include "hw_guest.h"

/* 0: the virtual timer, 1: the physical one */
static inline uint32_t avc_vgic_timer_bit(unsigned t)
{
    return 1u << (t ? AVC_VGIC_PTIMER_INTID : AVC_VGIC_VTIMER_INTID);
}

/* Returns the CNTPCT_EL0 from which on the line is high, ~0 for never. The vCPU is loaded here or not at all. */
uint64_t avc_vgic_timer_due(const struct avc_vcpu *vcpu, unsigned t);
bool avc_vgic_timer_is_high(const struct avc_vcpu *vcpu, unsigned t);
/* Does the same for both, as bits of their PPIs. */
uint32_t avc_vgic_timers_high(const struct avc_vcpu *vcpu);

/* The same of a vCPU in a trap. The CPU compares: CNTVOFF_EL2 counts, which it need not when the host's HCR_EL2.TGE = 1
   is back. */
static inline uint32_t avc_vgic_timers_high_in_trap(const struct avc_vcpu *vcpu)
{
    const uint64_t all = CNT_CTL_ENABLE | CNT_CTL_IMASK | CNT_CTL_ISTATUS, high = CNT_CTL_ENABLE | CNT_CTL_ISTATUS;
    bool e2h = vcpu->hcr & HCR_E2H;
    uint64_t v = avc_hw_guest_read_CNTV_CTL_EL0(e2h) & all, p = avc_hw_guest_read_CNTP_CTL_EL0(e2h) & all;

    if (avc_likely(v != high && p != high))
        return 0;
    return (v == high ? avc_vgic_timer_bit(0) : 0) | (p == high ? avc_vgic_timer_bit(1) : 0);
}

/* Masks it at the physical controller (when the operation ends), and takes the line for high: software tracks it
   from now on. */
static inline void avc_vgic_timer_mask(struct avc_vgic_cpu *self, uint32_t bit)
{
    self->mask_wanted |= bit;
    self->bank.line |= bit;
}

/* Ends the physical interrupt of a linked one here: the guest can no longer do it, or need not. */
void avc_vgic_timer_deactivate(struct avc_vgic_cpu *self, uint32_t bit);
/* Removes the link. Software tracks the line from now on. */
void avc_vgic_timer_unlink(struct avc_vgic_cpu *self, uint32_t bit);
/* Looks at the lines that software tracks, of `bits`, which are in no list register and no queue. Are they still
   high? */
void avc_vgic_timer_sample(struct avc_vgic_cpu *self, uint32_t bits);

/* The vCPU comes to this CPU. Returns the timers whose lines are high. */
uint32_t avc_vgic_timer_load(struct avc_vgic_cpu *self);
/* The vCPU leaves it. The timers are in no list register and no queue. */
void avc_vgic_timer_put(struct avc_vgic_cpu *self);
/* The vCPU goes off, on this CPU. */
void avc_vgic_timer_stop(struct avc_vcpu *vcpu);

#endif
