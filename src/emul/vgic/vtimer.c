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
#include <avc/priv/ctx.h>

#include "emul/vgic/vgic.h"
#include "core/policy/sysreg.h"

#define CTL_ENABLE AVC_BIT(0)
#define CTL_IMASK  AVC_BIT(1)

static const struct timer {
    uint32_t bit;
    unsigned ctl, cval; /* enum avc_ctx */
} timers[2] = {
    { 1u << AVC_VGIC_VTIMER_INTID, AVC_CTX_CNTV_CTL_EL0, AVC_CTX_CNTV_CVAL_EL0 },
    { 1u << AVC_VGIC_PTIMER_INTID, AVC_CTX_CNTP_CTL_EL0, AVC_CTX_CNTP_CVAL_EL0 },
};

/* CNTPCT_EL0 from which on the line is high: ~0 never. The vCPU is loaded here or not at all. (Arm ARM D11.2.4: unsigned,
   met when the counter has reached CVAL.) */
static uint64_t due(const struct avc_vcpu *vcpu, unsigned t)
{
    uint64_t offset = t ? 0 : vcpu->vm->cntvoff, cval;

    if ((avc_ctx_get(vcpu, timers[t].ctl) & (CTL_ENABLE | CTL_IMASK)) != CTL_ENABLE)
        return ~UINT64_C(0);
    cval = avc_ctx_get(vcpu, timers[t].cval);
    if (offset &&
        cval > ~UINT64_C(0) - offset) { /* the virtual counter wraps before the physical one, or never gets there */
        uint64_t now = avc_hw_read_CNTPCT_EL0();

        return now - offset >= cval ? now : ~UINT64_C(0);
    }
    return cval + offset;
}

static bool line_high(const struct avc_vcpu *vcpu, unsigned t)
{
    uint64_t when = due(vcpu, t);

    return when != ~UINT64_C(0) && avc_hw_read_CNTPCT_EL0() >= when;
}

/* ICC_DIR_EL1 and not the HAL: it is what the hardware would have done at the guest's end of interrupt, and priority has
   been dropped when it was linked. At EL2 the name means the physical interface (IHI 0069, "ICC_DIR_EL1"). */
void avc_vgic_timer_deactivate(struct avc_vgic_cpu *cpu, uint32_t bit)
{
    cpu->linked &= ~bit;
    avc_hw_write_ICC_DIR_EL1(cpu->phys[bit == timers[1].bit]);
}

static void mask(struct avc_vgic_cpu *cpu, uint32_t bit)
{
    cpu->mask_wanted |= bit;
    cpu->bank.line |= bit;
}

void avc_vgic_timer_unlink(struct avc_vgic_op *op, uint32_t bit)
{
    avc_vgic_timer_deactivate(op->self, bit);
    mask(op->self, bit);
}

void avc_vgic_timer_sample(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint32_t tracked = (self->mask_wanted | self->linked) & ~self->bank.in_lr;

    if (!(tracked & TIMER_BITS))
        return;
    for (unsigned t = 0; t < 2; t++) {
        uint32_t bit = timers[t].bit;

        /* While it is active the line stays "high", so that its end is worth an exit and comes here. */
        if (!(tracked & bit) || (self->bank.active & bit) || line_high(self->vcpu, t))
            continue;
        if (self->linked & bit)
            avc_vgic_timer_deactivate(self, bit);
        self->mask_wanted &= ~bit;
        self->bank.line &= ~bit;
    }
}

/* A line that is high already needs no round trip through the physical controller. */
void avc_vgic_timer_load(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    const struct avc_hal *hal = self->hal;

    self->phys[0] = hal->vtimer_ppi ? hal->vtimer_ppi : 27;
    self->phys[1] = hal->ptimer_ppi ? hal->ptimer_ppi : 30;
    self->maintenance = hal->maintenance_ppi ? hal->maintenance_ppi : 25;
    self->split = hal->eoi_split;
    self->linked = self->masked = self->mask_wanted = 0;
    self->bank.line &= ~TIMER_BITS;
    for (unsigned t = 0; t < 2; t++)
        if (line_high(self->vcpu, t))
            mask(self, timers[t].bit);
}

/* List registers are in memory. The next load starts from the timers' registers. */
void avc_vgic_timer_put(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    for (uint32_t bits = self->linked; bits; bits &= bits - 1)
        avc_vgic_timer_deactivate(self, bits & -bits);
    self->mask_wanted = 0;
    self->bank.line &= ~TIMER_BITS;
}

/* ---- a physical interrupt ---- */

/* A timer's, acknowledged. Returns whether it is to be deactivated: not when the guest will do it. */
static bool timer_fired(struct avc_vgic_op *op, uint32_t bit)
{
    struct avc_vgic_cpu *self = op->self;
    struct avc_vgic_ref ref = avc_vgic_ref_private(self);

    avc_vgic_touch(op, &ref, bit);
    if (self->split && (avc_vgic_enabled_bits(op->vgic, ref.bank) & bit) &&
        !((ref.bank->active | ref.bank->latch | self->linked) & bit)) {
        self->linked |= bit;
        avc_vgic_deliver(op, &ref, bit);
        return false;
    }
    mask(self, bit);
    avc_vgic_deliver(op, &ref, bit);
    return true;
}

/* Nobody has acknowledged anything: is one of ours at the controller? Then it is settled so that it goes away. */
static bool settle(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    bool ours = avc_hw_read_ICH_MISR_EL2() & 0xff;

    if (ours)
        avc_vgic_fold(op);
    for (unsigned t = 0; t < 2; t++) {
        uint32_t bit = timers[t].bit;

        if (!((self->linked | self->mask_wanted) & bit) && line_high(self->vcpu, t)) {
            struct avc_vgic_ref ref = avc_vgic_ref_private(self);

            avc_vgic_touch(op, &ref, bit);
            mask(self, bit);
            avc_vgic_deliver(op, &ref, bit);
            ours = true;
        }
    }
    return ours;
}

static bool irq_slow(struct avc_vcpu *vcpu, struct avc_vgic_cpu *self, avc_irq_t irq, uint32_t intid)
{
    struct avc_vgic_op op;
    bool deactivate = true, ours = true;

    avc_vgic_begin(&op, self->vgic, self, false);
    if (irq == AVC_IRQ_SPURIOUS)
        ours = settle(&op);
    else if (intid == self->maintenance)
        avc_vgic_fold(&op);
    else
        deactivate = timer_fired(&op, timers[intid == self->phys[1]].bit);
    if (avc_load_relaxed(&vcpu->mode) != AVC_MODE_GUEST) /* taken by the host's vector: its thread may be blocked */
        avc_vgic_kick(&op, self, false);
    avc_vgic_end(&op);
    if (irq == AVC_IRQ_SPURIOUS || intid == self->maintenance)
        avc_hw_isb(); /* the maintenance line follows the list registers: low before its interrupt is ended */
    if (irq != AVC_IRQ_SPURIOUS)
        self->hal->irq_end(self->hal->ctx, irq, deactivate);
    return ours;
}

bool avc_vgic_timer_irq(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint32_t intid = irq & 0xffffff; /* ICC_IAR1_EL1.INTID */

    if (irq != AVC_IRQ_SPURIOUS && intid != self->phys[0] && intid != self->phys[1] && intid != self->maintenance)
        return false;
    return self->loaded && irq_slow(vcpu, self, irq, intid);
}

/* Priority drops; the guest's end of interrupt deactivates it. */
static inline enum avc_result end_linked(const struct avc_hal *hal, avc_irq_t irq)
{
    hal->irq_end(hal->ctx, irq, false);
    return AVC_RESUME;
}

static __attribute__((noinline)) enum avc_result taken_other(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    return irq == AVC_IRQ_SPURIOUS || avc_vgic_timer_irq(vcpu, irq) ? AVC_RESUME : avc_vcpu_irq_host(vcpu, irq);
}

static __attribute__((noinline)) enum avc_result taken_first(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);

    return avc_vgic_vtimer_first(self) ? end_linked(self->hal, irq) : taken_other(vcpu, irq);
}

/* The virtual timer's, taken from its guest: linked, and in its list register as it was the last time, or for the first. */
enum avc_result avc_vgic_timer_taken(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);

    if (avc_unlikely(irq != self->phys[0]))
        return taken_other(vcpu, irq);
    return avc_likely(avc_vgic_vtimer_again(self)) ? end_linked(self->hal, irq) : taken_first(vcpu, irq);
}

/* ---- waiting ---- */

/* A timer's interrupt that would reach the guest: enabled, and not being handled. */
static bool wanted(const struct avc_vgic_cpu *cpu, uint32_t bit)
{
    return (avc_vgic_enabled_bits(cpu->vgic, &cpu->bank) & ~cpu->bank.active & ~cpu->bank.in_lr) & bit;
}

/* Not counting what is pending in the controller already. */
bool avc_vgic_timer_pending(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu)
{
    if (cpu->loaded && cpu != op->self)
        return false;
    for (unsigned t = 0; t < 2; t++)
        if (wanted(cpu, timers[t].bit) && line_high(cpu->vcpu, t))
            return true;
    return false;
}

uint64_t avc_vgic_deadline(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    uint64_t first = ~UINT64_C(0);

    if (cpu->bank.in_lr & TIMER_BITS) { /* is the guest through with it? */
        struct avc_vgic_op op;

        avc_vgic_begin(&op, cpu->vgic, cpu, true);
        avc_vgic_fold(&op);
        avc_vgic_end(&op);
    }
    for (unsigned t = 0; t < 2; t++) {
        uint64_t when = wanted(cpu, timers[t].bit) ? due(vcpu, t) : ~UINT64_C(0);

        if (when < first)
            first = when;
    }
    if (first != ~UINT64_C(0) && avc_hw_read_CNTPCT_EL0() >= first)
        return 0;
    return first;
}
