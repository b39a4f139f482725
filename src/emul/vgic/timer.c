/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The levels of the timers' lines, and what becomes of the physical interrupts: see timer.h. */
#include "emul/vgic/timer.h"

#include <avc/sysreg.h>

#include "arch/timer.h"
#include "core/policy/ctx.h"
#include "hw_guest.h"

/* A timer's register: in the CPU, or where put has left it. */
#define TIMER_REG(vcpu, name)                                                                                          \
    ((vcpu)->live >> AVC_GROUP_TIMER & 1 ? avc_hw_guest_read_##name((vcpu)->hcr & HCR_E2H)                             \
                                         : (vcpu)->ctx[AVC_CTX_##name])

/* Arm ARM D11.2.4: the condition is unsigned, and met when the counter has reached CVAL. */
uint64_t avc_vgic_timer_due(const struct avc_vcpu *vcpu, unsigned t)
{
    uint64_t offset = t ? 0 : vcpu->vm->cntvoff, cval, now;
    uint64_t ctl = t ? TIMER_REG(vcpu, CNTP_CTL_EL0) : TIMER_REG(vcpu, CNTV_CTL_EL0);

    if ((ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE)
        return ~UINT64_C(0);
    cval = t ? TIMER_REG(vcpu, CNTP_CVAL_EL0) : TIMER_REG(vcpu, CNTV_CVAL_EL0);
    if (avc_likely(cval <= ~UINT64_C(0) - offset))
        return cval + offset;
    now = avc_hw_read_CNTPCT_EL0(); /* the virtual counter wraps before the physical one, or never gets there */
    return now - offset >= cval ? now : ~UINT64_C(0);
}

bool avc_vgic_timer_is_high(const struct avc_vcpu *vcpu, unsigned t)
{
    uint64_t when = avc_vgic_timer_due(vcpu, t);

    return when != ~UINT64_C(0) && avc_hw_read_CNTPCT_EL0() >= when;
}

uint32_t avc_vgic_timers_high(const struct avc_vcpu *vcpu)
{
    return (avc_vgic_timer_is_high(vcpu, 0) ? avc_vgic_timer_bit(0) : 0) |
           (avc_vgic_timer_is_high(vcpu, 1) ? avc_vgic_timer_bit(1) : 0);
}

/* This writes ICC_DIR_EL1 and does not ask the HAL. The hardware would have done the same at the guest's end of
   interrupt, and the priority was dropped when the interrupt was linked. At EL2 the name means the physical
   interface (IHI 0069, "ICC_DIR_EL1"). */
void avc_vgic_timer_deactivate(struct avc_vgic_cpu *self, uint32_t bit)
{
    self->bank.linked &= ~bit;
    avc_hw_write_ICC_DIR_EL1(avc_vgic_timer_phys(self, bit == avc_vgic_timer_bit(1)));
}

void avc_vgic_timer_unlink(struct avc_vgic_cpu *self, uint32_t bit)
{
    avc_vgic_timer_deactivate(self, bit);
    avc_vgic_timer_mask(self, bit);
}

void avc_vgic_timer_sample(struct avc_vgic_cpu *self, uint32_t bits)
{
    bits &= self->mask_wanted | self->bank.linked;
    for (unsigned t = 0; bits && t < 2; t++) {
        uint32_t bit = avc_vgic_timer_bit(t);

        /* While it is active the line stays "high", so that its end is worth an exit and comes here. */
        if (!(bits & bit) || (self->bank.active & bit) || avc_vgic_timer_is_high(self->vcpu, t))
            continue;
        if (self->bank.linked & bit)
            avc_vgic_timer_deactivate(self, bit);
        self->mask_wanted &= ~bit;
        self->bank.line &= ~bit;
    }
}

uint32_t avc_vgic_timer_load(struct avc_vgic_cpu *self)
{
    self->masked = self->mask_wanted = 0;
    return avc_vgic_timers_high(self->vcpu);
}

/* The next load starts from the timers' registers. */
void avc_vgic_timer_put(struct avc_vgic_cpu *self)
{
    for (uint32_t bits = self->bank.linked; bits; bits &= bits - 1)
        avc_vgic_timer_deactivate(self, bits & -bits);
    self->mask_wanted = 0;
    self->bank.line &= ~TIMER_BITS;
}

/* Until its reset the vCPU's timers would interrupt the host, which has nobody to give that to. */
void avc_vgic_timer_stop(struct avc_vcpu *vcpu)
{
    avc_hw_guest_write_CNTV_CTL_EL0(vcpu->hcr & HCR_E2H, 0);
    avc_hw_guest_write_CNTP_CTL_EL0(vcpu->hcr & HCR_E2H, 0);
    avc_hw_isb(); /* the lines fall before the host can take an interrupt */
}
