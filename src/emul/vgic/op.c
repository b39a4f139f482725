/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Operations: their end, how list registers are filled, and whether a vCPU has an interrupt for its guest.
 *
 * If there are more interrupts than list registers, active ones come first, because the guest's end of interrupt must
 * find them. But one list register is kept for the highest pending one, which may preempt. EOIcount (LRENPIE) and
 * trapped ICC_DIR_EL1 writes (TDIR) end active ones that are left out. While pending ones are left out, the maintenance
 * interrupt says when the ones in list registers are taken (NPIE), and when a group is switched on or off.
 */
#include "emul/vgic/op.h"

#include "core/object/here.h"
#include "core/object/request.h"
#include "emul/vgic/lr.h"
#include "emul/vgic/timer.h"

/* ---- fill list registers ---- */

#define FIRST_TIMER AVC_VGIC_VTIMER_INTID

/* Returns the next in order: active, then pending. NONE: no candidate. */
static uint32_t next(const struct avc_vgic_op *op, uint64_t vmcr)
{
    if (op->self->queue.level[AVC_VGIC_ACTIVE])
        return avc_vgic_first_active(op->self);
    return avc_vgic_first_pending(op->vgic, op->self, vmcr);
}

/* A timer that fill() has not seen in the queue was enabled by another CPU since, which could not see the line. If that
   is low, the timer is not pending. Then r stays free until enter(), for that CPU kicks self. */
static void put(struct avc_vgic_op *op, uint32_t intid, unsigned r)
{
    struct avc_vgic_bank *b = avc_vgic_bank_of(op->self, intid);

    avc_vgic_unqueue(op->vgic, b, intid % 32);
    if (intid < GIC_NR_PRIVATE && avc_unlikely(TIMER_BITS >> intid & 1) &&
        !(op->sampled >> (intid - FIRST_TIMER) & 1)) {
        avc_vgic_timer_sample(op->self, 1u << intid);
        if (!((b->active | avc_vgic_pending_bits(b)) >> intid & 1))
            return;
    }
    avc_vgic_lr_put(op->self, b, intid % 32, r);
}

/* Chooses, when all list registers are free and more waits than fits. */
static void choose(struct avc_vgic_op *op, uint64_t vmcr)
{
    struct avc_vgic_cpu *self = op->self;
    uint32_t free = self->lr_all, intid, keep;

    self->spilled = true;
    keep = avc_vgic_first_pending(op->vgic, self, vmcr) == NONE ? 0 : 1;
    for (; free && (intid = avc_vgic_first_active(self)) != NONE; free &= free - 1) {
        if (keep && !(free & (free - 1)))
            break;
        put(op, intid, (unsigned)__builtin_ctz(free));
        avc_vgic_breathe(op);
    }
    for (; free && (intid = avc_vgic_first_pending(op->vgic, self, vmcr)) != NONE; free &= free - 1) {
        put(op, intid, (unsigned)__builtin_ctz(free));
        avc_vgic_breathe(op);
    }
    avc_vgic_lr_control(self, vmcr, avc_vgic_first_pending(op->vgic, self, vmcr) != NONE,
                        avc_vgic_first_active(self) != NONE);
}

/* Takes back the interrupts that the guest has ended. */
static void look_through(struct avc_vgic_op *op)
{
    for (uint32_t lrs = avc_vgic_lr_through(op->self), rest; lrs; lrs = rest) {
        rest = lrs & (lrs - 1);
        rest &= rest - 1; /* two at a time */
        avc_vgic_look(op, op->self, lrs & ~rest);
        if (rest)
            avc_vgic_breathe(op);
    }
}

/* Puts what waits into list registers that are free. Returns the INTID of what comes next and has none, or NONE. */
static uint32_t place(struct avc_vgic_op *op, uint64_t vmcr)
{
    struct avc_vgic_cpu *self = op->self;
    uint32_t free = ~self->lr_used & self->lr_all, intid;
    bool looked = false;

    while ((intid = next(op, vmcr)) != NONE) {
        if (!free) {
            if (looked) /* ICH_ELRSR_EL2 may not know yet what was written since */
                break;
            looked = true;
            look_through(op);
            free = ~self->lr_used & self->lr_all;
            continue; /* others have had the lock, and may have taken it back */
        }
        put(op, intid, (unsigned)__builtin_ctz(free));
        free &= free - 1;
        avc_vgic_breathe(op);
    }
    return intid;
}

/* Does it come after all that is pending in list registers, so that it may wait for these? */
static bool comes_last(struct avc_vgic_cpu *self, uint32_t intid, uint64_t vmcr)
{
    const struct avc_vgic_bank *b = avc_vgic_bank_of(self, intid);
    uint32_t last;

    return avc_vgic_last_pending(self, vmcr, &last) != ~0u && b->priority[intid % 32] >= last &&
           vmcr >> (b->group >> intid % 32 & 1) & 1; /* VENG0, VENG1 */
}

/* Looks at timers that wait in a queue, and whose lines software tracks. Their lines may have fallen. */
static void resample(struct avc_vgic_op *op)
{
    struct avc_vgic_bank *b = &op->self->bank;
    uint32_t timers = b->queued & TIMER_BITS, tracked;

    if (avc_likely(!timers))
        return;
    tracked = (op->self->mask_wanted | b->linked) & timers;
    if (tracked) {
        avc_vgic_touch_slow(op, b, tracked);
        avc_vgic_deliver_slow(op, b, tracked);
        timers &= b->queued;
    }
    op->sampled = (uint8_t)(timers >> FIRST_TIMER);
}

/* Puts what waits for self into list registers. */
static void fill(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2();

    op->fill = true; /* interrupts that are delivered now wait their turn */
    if (!op->stop && !(op->many && avc_vgic_pause(op)))
        avc_vgic_taker_changed(op, self, vmcr);
    if (avc_unlikely(op->stop)) {
        avc_vgic_lr_quiet(self);
        return;
    }
    avc_vgic_breathe(op);
    resample(op);
    /* With all of them free it may be that the last fill() stopped before it chose. */
    if (!self->spilled || (self->lr_used && !(self->queue.level[AVC_VGIC_ACTIVE] | self->lr_look | self->lr_pend))) {
        uint32_t intid = place(op, vmcr);

        if (intid == NONE || (!self->queue.level[AVC_VGIC_ACTIVE] && comes_last(self, intid, vmcr))) {
            avc_vgic_lr_control(self, vmcr, intid != NONE, false);
            return;
        }
    }
    if (self->lr_used) {
        avc_vgic_lr_quiet(self);
        avc_vgic_breathe(op);
        avc_vgic_fold(op);
        if (avc_vgic_pause(op)) /* the next time nothing has to be taken back */
            return;
    }
    choose(op, vmcr);
}

/* ---- ends of interrupt that found no list register ---- */

void avc_vgic_catch_up(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint64_t count = self->hcr & ICH_HCR_LRENPIE ? ICH_HCR_EOICOUNT(avc_hw_read_ICH_HCR_EL2()) : 0;

    if (!count)
        return;
    op->fill = true;
    self->hcr = ~UINT64_C(0); /* writing it clears EOIcount */
    for (; count; count--) {  /* at most 31 */
        uint32_t intid = avc_vgic_first_active(self);
        struct avc_vgic_bank *b;

        if (intid == NONE)
            break;
        b = avc_vgic_bank_of(self, intid);
        avc_vgic_unqueue(op->vgic, b, intid % 32);
        avc_vgic_make_inactive(op, b, 1u << intid % 32);
    }
}

/* ---- the end of an operation ---- */

/* Masks belong to this CPU. It is this thread's until interrupts are unmasked again. */
static __attribute__((noinline)) void mask(const struct avc_vgic_cpu *self, uint32_t change)
{
    for (unsigned t = 0; t < 2; t++) {
        uint32_t bit = avc_vgic_timer_bit(t);

        if ((change & bit) && self->hal->irq_mask)
            avc_vcpu_irq_mask(self->vcpu, avc_vgic_timer_phys(self, t), self->mask_wanted & bit);
    }
}

/* Calls back, after the lock. */
void avc_vgic_end_slow(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint32_t change = 0;

    if (op->fill && self)
        fill(op);
    if (self) {
        change = self->masked ^ self->mask_wanted;
        self->masked = self->mask_wanted;
    }
    avc_unlock(&op->vgic->lock);

    if (avc_unlikely(change))
        mask(self, change);
    avc_vgic_call_kicks(op);
    if (self && op->stop) /* the host looks for its interrupt: now, or when run has returned */
        avc_fetch_or(&self->vcpu->requests, AVC_REQUEST_IRQC | (avc_vcpu_in_run(self->vcpu) ? AVC_REQUEST_KICK : 0));
    if (self && op->wake)
        avc_vcpu_request(self->vcpu, 0);
}

/* ---- requests of other CPUs, and list registers ---- */

void avc_vgic_ask_step(struct avc_vgic_op *op, struct avc_vgic_work *work)
{
    struct avc_vgic *vgic = op->vgic;

    for (unsigned n = 0; n < AVC_VGIC_FEW && work->left; n++) {
        struct avc_vgic_cpu *cpu = &vgic->cpus[--work->left];

        if (cpu != op->self) {
            cpu->lr_look |= cpu->lr_used;
            avc_vgic_kick(op, cpu, true);
        }
    }
    if (!work->left)
        avc_store_relaxed(&vgic->folds, vgic->folds - 1);
}

/* Deactivates physical interrupts of timers that were to be made inactive while their own interrupt was in memory
   here. Lets the register write that waits go on. */
static __attribute__((noinline)) void fold_wanted(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    struct avc_vgic_bank *b = &self->bank;
    uint32_t ended = b->drop_active & b->linked & TIMER_BITS;

    avc_vgic_touch(op, b, ended);
    for (uint32_t bits = ended; bits; bits &= bits - 1)
        avc_vgic_timer_deactivate(self, bits & -bits);
    b->drop_active = 0;
    avc_vgic_deliver(op, b, ended);
    avc_vgic_fallen(op, self);
    self->high = avc_vgic_timers_high(self->vcpu);
    self->fold_wanted = false;
    avc_store_relaxed(&op->vgic->folds, op->vgic->folds - 1);
}

void avc_vgic_asked(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    avc_vgic_look_all(op, self, &self->lr_look);
    avc_vgic_pended(op);
    if (avc_unlikely(self->fold_wanted))
        fold_wanted(op);
}

void avc_vgic_enter(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    avc_vgic_asked(op);
    if (avc_unlikely(self->work.left))
        avc_vgic_go_on_with(op);
    op->fill |= avc_vgic_queues(self) || self->spilled || !self->tds || op->vgic->any;
}

void avc_vgic_finish(struct avc_vgic_cpu *self)
{
    struct avc_vgic_op op;

    avc_vgic_begin(&op, self->vgic, self);
    while (self->work.left)
        avc_vgic_go_on_with(&op);
    avc_vgic_end(&op);
}

void avc_vgic_maintain(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    for (uint32_t lrs = (uint32_t)avc_hw_read_ICH_EISR_EL2() & self->lr_used; lrs; lrs &= lrs - 1) {
        unsigned r = (unsigned)__builtin_ctz(lrs);
        uint32_t intid = ICH_LR_VINTID(self->lr[r]);
        struct avc_vgic_bank *b = avc_vgic_bank_of(self, intid);

        if ((b->edge | b->linked | (b->owner ? TIMER_BITS : 0)) >> intid % 32 & 1 ||
            !avc_vgic_level(self, b, intid % 32))
            avc_vgic_look(op, self, 1u << r);
    }
    op->fill |= self->spilled || op->vgic->any;
}

/* ---- does it signal? ---- */

uint32_t avc_vgic_running(const uint64_t ap0[4], const uint64_t ap1[4], unsigned pre_bits)
{
    for (unsigned n = 0; n < 4; n++)
        if ((uint32_t)(ap0[n] | ap1[n]))
            return (32 * n + (unsigned)__builtin_ctz((uint32_t)(ap0[n] | ap1[n]))) << (8 - pre_bits) & 0xff;
    return 0xff;
}

/* What the CPU interface of a vCPU does with pending interrupts. The vCPU is loaded here, or not at all. */
struct interface {
    uint64_t vmcr;
    uint32_t running;
};

/* Does it preempt? IHI 0069, 4.8: it is above the mask, and in a higher preemption group than what runs. */
static bool preempts(const struct interface *i, uint32_t priority, bool group1)
{
    uint64_t vmcr = i->vmcr;
    uint32_t bpr = (uint32_t)(group1 && !(vmcr & ICH_VMCR_VCBPR) ? ICH_VMCR_VBPR1(vmcr) : ICH_VMCR_VBPR0(vmcr) + 1);

    return vmcr & (group1 ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0) && priority < ICH_VMCR_VPMR(vmcr) &&
           (i->running == 0xff || (priority & (0xffu << bpr)) < i->running);
}

static struct interface interface_of(const struct avc_vgic_cpu *cpu, bool live)
{
    uint64_t ap0[4] = { 0 }, ap1[4] = { 0 };

    if (!live)
        return (struct interface){ cpu->vmcr, avc_vgic_running(cpu->ap0, cpu->ap1, cpu->pre_bits) };
    avc_hw_apr_read(ap0, ap1, cpu->nr_apr);
    return (struct interface){ avc_hw_read_ICH_VMCR_EL2(), avc_vgic_running(ap0, ap1, cpu->pre_bits) };
}

/* Does one of `lrs`, list registers at hand, signal? */
static bool lr_signals(const struct avc_vgic_cpu *cpu, uint32_t lrs)
{
    struct interface i = interface_of(cpu, cpu->loaded);

    for (; lrs; lrs &= lrs - 1) {
        uint64_t lr = avc_vgic_lr_read(cpu, (unsigned)__builtin_ctz(lrs));

        if ((lr & ICH_LR_STATE) == ICH_LR_PENDING && preempts(&i, lr >> 48 & 0xff, lr & ICH_LR_GROUP))
            return true;
    }
    return false;
}

static bool queue_signals(const struct avc_vgic *vgic, const struct avc_vgic_cpu *cpu)
{
    struct interface i = interface_of(cpu, cpu->loaded);

    for (unsigned g = 0; g < 2; g++) {
        uint32_t level = avc_vgic_waiting(vgic, cpu, g);

        if (level && preempts(&i, (uint32_t)__builtin_ctz(level) << GIC_PRIO_SHIFT, g))
            return true;
    }
    return false;
}

bool avc_vgic_signals(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t through)
{
    bool waits = avc_vgic_waiting(op->vgic, cpu, 0) | avc_vgic_waiting(op->vgic, cpu, 1);
    uint32_t lrs = cpu->lr_used & ~through;

    if (avc_vgic_at_hand(op, cpu))
        return (lrs && lr_signals(cpu, lrs)) || (waits && queue_signals(op->vgic, cpu));
    /* Another CPU has the registers, so they cannot be seen. A yes that is wrong costs a wake-up. */
    for (; lrs; lrs &= lrs - 1)
        if (cpu->lr[__builtin_ctz(lrs)] & ICH_LR_PENDING)
            return true;
    return waits;
}
