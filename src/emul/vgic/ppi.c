/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Physical interrupts that the vGIC owns, and waiting for them. timer.h says what becomes of a timer's. */
#include "emul/vgic/ppi.h"

#include "emul/vgic/lr.h"
#include "emul/vgic/op.h"
#include "emul/vgic/timer.h"

/* ---- a physical interrupt ---- */

/* Masks a timer's acknowledged interrupt that cannot be linked, until the guest enables or ends its own. */
static void track(struct avc_vgic_op *op, uint32_t bit)
{
    struct avc_vgic_bank *b = &op->self->bank;

    avc_vgic_touch(op, b, bit);
    avc_vgic_timer_mask(op->self, bit);
    avc_vgic_deliver(op, b, bit);
}

/* No party has acknowledged. Is an interrupt of the vGIC's at the controller? If so, this makes it go away. */
static bool handle_pending(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    bool ours = avc_hw_read_ICH_MISR_EL2() & ICH_MISR_ALL;

    if (ours)
        avc_vgic_maintain(op);
    for (unsigned t = 0; t < 2; t++) {
        uint32_t bit = avc_vgic_timer_bit(t);

        if (!((self->bank.linked | self->mask_wanted) & bit) && avc_vgic_timer_is_high(self->vcpu, t)) {
            track(op, bit);
            ours = true;
        }
    }
    return ours;
}

/* The maintenance interrupt was handled. If its line is still up, all interrupts come back and are placed anew. If
   that does not help, its cause is nothing that we know: the virtual interface stays off until the vCPU has to look
   again. */
static void line_falls(struct avc_vgic_cpu *self)
{
    struct avc_vgic_op op;

    avc_hw_isb(); /* the line follows the list registers: it is low before its interrupt is ended */
    if (avc_likely(!(avc_hw_read_ICH_MISR_EL2() & ICH_MISR_ALL)))
        return;
    avc_vgic_begin(&op, self->vgic, self);
    self->spilled = true; /* fill() looks at all of them */
    op.fill = true;
    avc_vgic_end(&op);
    avc_hw_isb();
    if (avc_likely(!(avc_hw_read_ICH_MISR_EL2() & ICH_MISR_ALL)))
        return;
    avc_count(&self->baseless);
    self->spilled = true;
    self->hcr = 0;
    avc_hw_write_ICH_HCR_EL2(0);
    avc_hw_isb();
}

bool avc_vgic_irq(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint32_t intid = ICC_INTID(irq);
    bool spurious = irq == AVC_IRQ_SPURIOUS,
         timer = intid == avc_vgic_timer_phys(self, 0) || intid == avc_vgic_timer_phys(self, 1);
    bool deactivate = true, ours = true;
    struct avc_vgic_op op;

    if (!spurious && !timer && intid != avc_vgic_maintenance_phys(self))
        return false;
    if (!self->loaded) { /* it has gone off, and its interrupt was on the way; or its host has set a timer since */
        avc_vgic_timer_stop(vcpu);
        if (!spurious)
            self->hal->irq_end(self->hal->ctx, irq, true);
        return !spurious;
    }
    avc_vgic_begin(&op, self->vgic, self);
    if (spurious) {
        ours = handle_pending(&op);
    } else if (timer) {
        uint32_t bit = avc_vgic_timer_bit(intid == avc_vgic_timer_phys(self, 1));

        deactivate = !avc_vgic_link(&op, bit); /* the guest will do it */
        if (deactivate)
            track(&op, bit);
    } else {
        avc_vgic_maintain(&op);
    }
    /* The host's vector took it: its thread may be blocked. An interrupt of the host's own is no reason to wake
       anybody: it may be the one that wake() sends. */
    op.wake |= ours && avc_load_relaxed(&vcpu->mode) != AVC_MODE_GUEST;
    avc_vgic_end(&op);
    if (!timer)
        line_falls(self);
    if (!spurious)
        self->hal->irq_end(self->hal->ctx, irq, deactivate);
    return ours;
}

static __attribute__((noinline)) enum avc_result taken_other(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    const struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);

    if (irq == avc_vgic_maintenance_phys(self) || irq == avc_vgic_timer_phys(self, 0) ||
        irq == avc_vgic_timer_phys(self, 1))
        avc_vgic_irq(vcpu, irq);
    else if (irq != AVC_IRQ_SPURIOUS)
        return avc_vcpu_irq_host(vcpu, irq);
    return AVC_RESUME;
}

/* The virtual timer's interrupt only needs a list register, which it most often still has. The others take the slow
   path. */
enum avc_result avc_vgic_irq_taken(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    struct avc_vgic_bank *b = &self->bank;
    const struct avc_hal *hal = self->hal;
    bool linked;

    if (avc_unlikely(irq != avc_vgic_timer_phys(self, 0)))
        return taken_other(vcpu, irq);
    avc_lock(&self->vgic->lock);
    if (avc_likely(b->in_lr >> AVC_VGIC_VTIMER_INTID & 1))
        linked = avc_vgic_lr_again_at(self, b, AVC_VGIC_VTIMER_INTID, true, true);
    else
        linked = self->hal->eoi_split &&
                 avc_vgic_lr_new(self, b, AVC_VGIC_VTIMER_INTID, ICH_LR_HW | ICH_LR_PINTID((uint32_t)irq), true);
    avc_unlock(&self->vgic->lock);
    if (avc_unlikely(!linked))
        return taken_other(vcpu, irq);
    hal->irq_end(hal->ctx, irq, false); /* priority drops; the guest's end of interrupt deactivates it */
    return AVC_RESUME;
}

/* ---- waiting ---- */

/* Returns the timers whose interrupt would reach the guest: it is enabled, and the guest is not handling it. `through`:
   list registers of self whose interrupt the guest has ended. */
static inline uint32_t wanted(const struct avc_vgic_cpu *cpu, uint32_t through)
{
    const struct avc_vgic_bank *b = &cpu->bank;
    uint32_t bits = avc_vgic_enabled_bits(cpu->vgic, b) & ~b->active & TIMER_BITS;

    for (uint32_t in = bits & b->in_lr; in; in &= in - 1)
        if (!(through >> b->at[__builtin_ctz(in)] & 1))
            bits &= ~(in & -in);
    return bits;
}

/* Returns the CNTPCT_EL0 at which the first of these timers' lines is high; ~0: never. */
static inline uint64_t first_due(const struct avc_vcpu *vcpu, uint32_t timers)
{
    uint64_t first = ~UINT64_C(0);

    for (unsigned t = 0; t < 2; t++) {
        uint64_t when = timers & avc_vgic_timer_bit(t) ? avc_vgic_timer_due(vcpu, t) : ~UINT64_C(0);

        if (when < first)
            first = when;
    }
    return first != ~UINT64_C(0) && avc_hw_read_CNTPCT_EL0() >= first ? 0 : first;
}

/* The vCPU is loaded here. Is there nothing for it but its timers? Usually the guest has ended what was in its list
   registers, and no other CPU has asked for anything. */
static inline bool only_timers(const struct avc_vgic_cpu *cpu)
{
    if (cpu->fold_wanted | cpu->lr_look | cpu->lr_pend | cpu->spilled | cpu->vgic->any || avc_vgic_queues(cpu))
        return false;
    avc_hw_isb(); /* ICH_ELRSR_EL2 must not call a list register empty that was written a moment ago: see lr.h */
    return cpu->lr_used == avc_vgic_lr_through(cpu);
}

bool avc_vgic_pending(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    uint64_t daif = avc_hw_irq_save();
    uint32_t through = 0;
    struct avc_vgic_op op;
    bool yes;

    avc_lock(&cpu->vgic->lock);
    if (avc_likely(avc_vgic_here(cpu)) && avc_likely(only_timers(cpu))) {
        yes = !first_due(vcpu, wanted(cpu, cpu->lr_used));
        avc_unlock(&cpu->vgic->lock);
        avc_hw_irq_restore(daif);
        return yes;
    }
    avc_vgic_go_on(&op, cpu->vgic, NULL);
    if (avc_vgic_here(cpu)) {
        avc_vgic_op_here(&op, cpu);
        /* The host may let it wait, and run it no sooner than it has work. So what others have left is done now. */
        if (cpu->fold_wanted | cpu->lr_look | cpu->lr_pend || op.vgic->any)
            avc_vgic_enter(&op);
        if (cpu->lr_used) {
            avc_vgic_maintain(&op);
            avc_hw_isb(); /* as above */
            through = avc_vgic_lr_through(cpu);
            if (cpu->bank.in_lr & TIMER_BITS && cpu->lr_used != through)
                avc_vgic_fallen(&op, cpu);
        }
    }
    if (!cpu->loaded)
        avc_vgic_look_all(&op, cpu, &cpu->lr_look);
    if (avc_unlikely(avc_vgic_unsettled(op.vgic))) /* some may have to come to it */
        avc_vgic_settle(&op, true);
    yes = avc_vgic_signals(&op, cpu, through) ||
          (op.self == cpu || !cpu->loaded ? !first_due(vcpu, wanted(cpu, through)) : false);
    avc_vgic_end(&op);
    avc_hw_irq_restore(daif);
    return yes;
}

uint64_t avc_vgic_deadline(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    uint32_t through = cpu->bank.in_lr & TIMER_BITS ? avc_vgic_lr_through(cpu) : 0;

    return first_due(vcpu, wanted(cpu, through));
}
