/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Brings pending interrupts to vCPUs: see deliver.h. */
#include "emul/vgic/deliver.h"

#include "emul/vgic/timer.h"

/*
 * A vCPU is in at most one list. If it is in the list of another operation, that operation has dropped the lock and is
 * calling back. Then its kick is still to come, and is enough. If the vCPU had taken the lock for that kick before this
 * operation, `told` would have been cleared before, and this operation would see it.
 */
void avc_vgic_kick(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool fold)
{
    if (!cpu->vcpu) /* the vCPU is not initialised yet; it looks when it is loaded */
        return;
    if (fold && cpu->loaded && !cpu->fold_wanted) {
        cpu->fold_wanted = true;
        avc_store_relaxed(&op->vgic->folds, op->vgic->folds + 1);
    }
    if (avc_load_acquire(&cpu->told))
        return;
    avc_store_relaxed(&cpu->told, true);
    cpu->next_told = op->kicks;
    op->kicks = cpu;
}

/* ---- long operations ---- */

bool avc_vgic_pause(struct avc_vgic_op *op)
{
    avc_unlock(&op->vgic->lock);
    avc_vgic_call_kicks(op);
    op->kicks = NULL;
    if (avc_hw_read_ISR_EL1() & (ISR_I | ISR_F) && op->self)
        op->fill = op->stop = true;
    avc_lock(&op->vgic->lock);
    return op->stop;
}

void avc_vgic_go_on_with(struct avc_vgic_op *op)
{
    struct avc_vgic_work *work = &op->self->work;

    if (op->self->hcr & ICH_HCR_CAUSES) {
        avc_vgic_lr_quiet(op->self);
        op->fill = true;
    }
    do
        work->step(op, work);
    while (!avc_vgic_pause(op) && work->left);
}

/* ---- touch ---- */

/* Takes an interrupt out of a list register at hand. If there are more interrupts than list registers, others may
   move up. */
static void take(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n)
{
    avc_vgic_lr_take(cpu, b, n);
    op->fill |= cpu->spilled;
}

void avc_vgic_touch_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    for (uint32_t bits = b->in_lr & mask; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);
        struct avc_vgic_cpu *cpu = avc_vgic_holder(op->vgic, b, n);

        if (avc_vgic_at_hand(op, cpu)) {
            take(op, cpu, b, n);
        } else {
            cpu->lr_look |= 1u << b->at[n];
            avc_vgic_kick(op, cpu, true);
        }
    }
    for (uint32_t bits = b->queued & mask; bits; bits &= bits - 1)
        avc_vgic_unqueue(op->vgic, b, (unsigned)__builtin_ctz(bits));
}

static inline void look(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, unsigned r)
{
    uint32_t intid = avc_vgic_lr_take_at(cpu, r);

    avc_vgic_deliver(op, avc_vgic_bank_of(cpu, intid), 1u << intid % 32);
}

void avc_vgic_look(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t lrs)
{
    op->fill |= lrs && cpu->spilled;
    for (; lrs; lrs &= lrs - 1)
        look(op, cpu, (unsigned)__builtin_ctz(lrs));
}

void avc_vgic_look_slow(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, const uint32_t *lrs)
{
    op->many |= (*lrs & (*lrs - 1)) != 0;
    op->fill |= cpu->spilled | op->many; /* none is filled again meanwhile */
    while (*lrs) {                       /* of a vCPU that is not loaded another CPU may take some back, too */
        look(op, cpu, (unsigned)__builtin_ctz(*lrs));
        if (*lrs)
            avc_vgic_breathe(op);
    }
}

void avc_vgic_pended(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    for (uint32_t lrs = self->lr_pend; lrs; lrs &= lrs - 1) {
        unsigned r = (unsigned)__builtin_ctz(lrs);
        uint32_t intid = ICH_LR_VINTID(self->lr[r]);

        if (intid < GIC_NR_PRIVATE && avc_vgic_lr_again(self, &self->bank, intid, false))
            self->bank.latch &= ~(1u << intid);
        else
            avc_vgic_look(op, self, 1u << r);
    }
    self->lr_pend = 0;
}

void avc_vgic_fold(struct avc_vgic_op *op)
{
    op->fill = true;
    avc_vgic_look_all(op, op->self, &op->self->lr_used);
}

/* ---- deliver ---- */

/* Chooses the target of an interrupt that any vCPU may take (GICD_IROUTER.IRM): the vCPU that it waits for, or the
   next one in turn that takes this group. */
static uint16_t any_target(struct avc_vgic *vgic, uint16_t waits_for, unsigned group)
{
    uint32_t nr = (uint32_t)vgic->vm->nr_vcpus;

    if (waits_for != NONE && vgic->cpus[waits_for].takes >> group & 1)
        return waits_for;
    for (uint32_t k = 1; k <= nr; k++) {
        uint32_t n = (vgic->rotor + k) % nr;

        if (vgic->cpus[n].takes >> group & 1) {
            vgic->rotor = n;
            return (uint16_t)n;
        }
    }
    return NONE;
}

/* Returns the vCPU that is to take an SPI, or that handles it. NULL: none. */
static inline __attribute__((always_inline)) struct avc_vgic_cpu *spi_cpu(struct avc_vgic *vgic,
                                                                          struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    uint16_t cpu;

    if (spis->route[n] & GICD_IROUTER_IRM && !(b->active >> n & 1))
        spis->target[n] = any_target(vgic, spis->target[n], b->group >> n & 1);
    cpu = b->active >> n & 1 ? spis->holder[n] : avc_vgic_target(vgic, spis, n);
    return cpu == NONE ? NULL : &vgic->cpus[cpu];
}

unsigned avc_vgic_last_pending(const struct avc_vgic_cpu *self, uint64_t vmcr, uint32_t *priority)
{
    uint32_t lrs = self->lr_used & ~(self->lr_look | self->lr_pend);
    unsigned last = ~0u;

    *priority = 0;
    for (; lrs; lrs &= lrs - 1) { /* at most 16 */
        unsigned r = (unsigned)__builtin_ctz(lrs);
        uint64_t lr = avc_hw_lr_read(r);
        uint32_t p = vmcr & (lr & ICH_LR_GROUP ? ICH_VMCR_VENG1 : ICH_VMCR_VENG0) ? lr >> 48 & 0xff : 0x100;

        if ((lr & ICH_LR_STATE) == ICH_LR_STATE)
            return ~0u;
        if (lr & ICH_LR_PENDING && p >= *priority) {
            last = r;
            *priority = p;
        }
    }
    return last;
}

/*
 * Delivers pending interrupt n to self, which has no list register for it. If self has more than its registers hold,
 * what waits in its queues comes after all that is pending in these, and the maintenance interrupt tells when that is
 * taken. So the interrupt waits, too, or takes the place of one of them. Returns false if all must be placed anew.
 */
static __attribute__((noinline)) bool deliver_spilled(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n)
{
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2();
    unsigned group = b->group >> n & 1, r;
    uint32_t last;

    if (self->vgic->any) /* a change of the groups may still be to be seen: see avc_vgic_taker_changed() */
        return false;
    if (b->active >> n & 1 || !(vmcr >> group & 1) || (self->spilled && !(self->hcr & ICH_HCR_NPIE))) /* VENG0, VENG1 */
        return false;
    r = avc_vgic_last_pending(self, vmcr, &last);
    if (r == ~0u)
        return false;
    if (b->priority[n] < last) {
        uint32_t intid = avc_vgic_lr_take_at(self, r);
        struct avc_vgic_bank *other = avc_vgic_bank_of(self, intid);

        if ((avc_vgic_pending_bits(other) & other->enable) >> intid % 32 & 1)
            avc_vgic_queue(self, other, intid % 32);
        avc_vgic_lr_put(self, b, n, r);
    } else {
        avc_vgic_queue(self, b, n);
    }
    if (!self->spilled)
        avc_vgic_lr_control(self, vmcr, true, false);
    return true;
}

/* Delivers to self: into a list register, if there is one for everything that waits. */
static inline void deliver_here(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_cpu *self = op->self;
    unsigned r = op->fill || self->spilled ? ~0u : avc_vgic_lr_free(self, false);

    if (avc_likely(r != ~0u)) {
        avc_vgic_lr_put(self, b, n, r);
    } else if (op->fill || !deliver_spilled(self, b, n)) {
        avc_vgic_queue(self, b, n);
        op->fill = true;
    }
    /* It may be in a list register already. But the vCPU's thread may be blocked on this very CPU, if a handler of
       the host called this. */
    op->wake |= op->host;
}

/* Delivers interrupt n, which is pending and enabled, or active, and in no list register and no queue. */
static void deliver_one(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_cpu *cpu = b->owner ? b->owner : spi_cpu(op->vgic, b, n);
    bool waits = !(b->active >> n & 1) && !(op->vgic->ctlr >> (b->group >> n & 1) & 1); /* its group is off */

    if (avc_unlikely(!cpu))
        return;
    if (cpu == op->self && !waits) {
        deliver_here(op, b, n);
        return;
    }
    avc_vgic_queue(cpu, b, n);
    if (!waits)
        avc_vgic_kick(op, cpu, false);
}

/* Returns the same, if it is not a matter of the route alone. */
static __attribute__((noinline)) struct avc_vgic_cpu *spi_cpu_odd(struct avc_vgic *vgic, struct avc_vgic_bank *b,
                                                                  unsigned n)
{
    return spi_cpu(vgic, b, n);
}

static inline struct avc_vgic_cpu *spi_cpu_of_many(struct avc_vgic *vgic, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

    if (avc_unlikely(b->active >> n & 1 || spis->route[n] & GICD_IROUTER_IRM) || spis->target[n] == NONE)
        return spi_cpu_odd(vgic, b, n);
    return &vgic->cpus[spis->target[n]];
}

/* The same for many of a bank. List registers are chosen once for all, in the end. */
static __attribute__((noinline)) void deliver_many(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits)
{
    struct avc_vgic_list list = { 0 };

    op->fill = op->many = true;
    for (; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits), at = avc_vgic_queue_of(b, n);
        struct avc_vgic_cpu *cpu = b->owner;

        if (!cpu) {
            cpu = spi_cpu_of_many(op->vgic, b, n);
            if (avc_unlikely(!cpu))
                continue;
            avc_vgic_spis_of(b)->holder[n] = (uint16_t)cpu->index;
        }
        if (cpu != list.cpu || at != list.at) {
            avc_vgic_list_of(&list, cpu, at);
            if (cpu == op->self)
                op->wake |= op->host;
            else if (at / GIC_PRIO_LEVELS == AVC_VGIC_ACTIVE || op->vgic->ctlr >> at / GIC_PRIO_LEVELS & 1)
                avc_vgic_kick(op, cpu, false); /* its group is on */
        }
        avc_vgic_list_add(&list, b, n);
        b->queued |= 1u << n;
    }
}

static inline bool more_than_two(uint32_t bits)
{
    bits &= bits - 1;
    return bits & (bits - 1);
}

void avc_vgic_deliver_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    uint32_t bits;

    mask &= ~(b->in_lr | b->queued);
    if (mask & TIMER_BITS && b->owner && b->owner == op->self) /* those whose line software tracks */
        avc_vgic_timer_sample(op->self, mask & TIMER_BITS);
    bits = (b->active | (avc_vgic_pending_bits(b) & b->enable)) & mask;
    if (more_than_two(bits)) {
        deliver_many(op, b, bits);
        return;
    }
    for (; bits; bits &= bits - 1)
        deliver_one(op, b, (unsigned)__builtin_ctz(bits));
}

/* Does SPI n go to self, and to no other, and does nobody handle it? */
static inline bool spi_is_ours(const struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

    return avc_vgic_target(self->vgic, spis, n) == self->index && !(spis->route[n] & GICD_IROUTER_IRM) &&
           spis->holder[n] == NONE;
}

uint32_t avc_vgic_deliver_here(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits)
{
    uint32_t timers = b->owner ? TIMER_BITS : 0, pending = avc_vgic_pending_bits(b); /* timers may want a look first */

    if (self->spilled || (b->owner && b->owner != self))
        return bits;
    bits &= b->active | (pending & b->enable) | timers;
    for (uint32_t todo = bits & pending & avc_vgic_enabled_bits(self->vgic, b) & ~(b->active | timers); todo;
         todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo), r;

        if (!b->owner && !spi_is_ours(self, b, n))
            continue;
        r = avc_vgic_lr_free(self, false);
        if (r == ~0u)
            break;
        avc_vgic_lr_put(self, b, n, r);
        bits &= ~(todo & -todo);
    }
    return bits;
}

/* ---- SPIs that any vCPU may take ---- */

/* Returns those of the bank that wait for no vCPU, and could, or for one that does not take them. Those that a vCPU is
   handling stay. */
static uint32_t misplaced(const struct avc_vgic *vgic, struct avc_vgic_bank *b)
{
    const struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    uint32_t placed = b->in_lr | b->queued, found = 0, takers = 0;

    for (uint32_t n = 0; n < vgic->nr_vcpus; n++)
        takers |= vgic->cpus[n].takes;
    for (uint32_t bits = (placed | (avc_vgic_pending_bits(b) & b->enable)) & ~b->active; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits), group = b->group >> n & 1;
        bool any = spis->route[n] & GICD_IROUTER_IRM;

        if (placed >> n & 1 ? any && !(vgic->cpus[spis->holder[n]].takes >> group & 1) : !any || takers >> group & 1)
            found |= bits & -bits;
    }
    return found;
}

#define STEPS_A_BANK (1 + (32 + AVC_VGIC_FEW - 1) / AVC_VGIC_FEW)

/* It stops, and some that wait may go to other vCPUs. These go on with it if self does not: it may go off. They do in
   enter(), or when the host asks whether they have work. */
static void leave_to_others(struct avc_vgic_op *op)
{
    for (uint32_t n = 0; n < op->vgic->nr_vcpus; n++)
        if (op->vgic->cpus[n].takes && &op->vgic->cpus[n] != op->self)
            avc_vgic_kick(op, &op->vgic->cpus[n], false);
}

/* It looks at each bank once, at most. Who has begun anew meanwhile goes on with that, or leaves it to others. */
void avc_vgic_settle(struct avc_vgic_op *op, bool whole)
{
    struct avc_vgic *vgic = op->vgic;

    for (uint32_t steps = vgic->nr_banks * STEPS_A_BANK; avc_vgic_unsettled(vgic) && steps; steps--) {
        if (vgic->unsettled_bits) {
            struct avc_vgic_bank *b = avc_vgic_spi_bank(vgic, vgic->unsettled + 1);
            struct avc_vgic_work some = { .left = vgic->unsettled_bits };
            uint32_t few = avc_vgic_next_few(&some);

            vgic->unsettled_bits = some.left;
            avc_vgic_touch(op, b, few);
            avc_vgic_deliver(op, b, few);
        } else {
            vgic->unsettled_bits = misplaced(vgic, avc_vgic_spi_bank(vgic, vgic->unsettled--));
        }
        if (avc_vgic_unsettled(vgic) && avc_vgic_pause(op) && !whole) {
            leave_to_others(op);
            break;
        }
    }
}

/* IHI 0069, "1 of N model", GICR_WAKER: not a vCPU that is asleep, or has the group disabled. */
static uint8_t taken_by(const struct avc_vgic_cpu *cpu)
{
    bool on = cpu->vcpu && avc_load_relaxed(&cpu->vcpu->power) == AVC_POWER_ON;

    return on && !(cpu->waker & GICR_WAKER_SLEEP) ? cpu->groups : 0;
}

void avc_vgic_taker_changed_slow(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint64_t vmcr)
{
    uint8_t before = cpu->takes;

    cpu->groups = vmcr & (ICH_VMCR_VENG0 | ICH_VMCR_VENG1);
    cpu->takes = taken_by(cpu);
    if (before != cpu->takes)
        avc_vgic_unsettle(op->vgic);
    avc_vgic_settle(op, false);
}

void avc_vgic_any_begins(struct avc_vgic_op *op)
{
    op->vgic->any = true;
    for (uint32_t n = 0; n < op->vgic->vm->nr_vcpus; n++) {
        struct avc_vgic_cpu *cpu = &op->vgic->cpus[n];

        if (cpu == op->self) {
            op->fill = true;
        } else if (cpu->loaded) {
            avc_vgic_kick(op, cpu, false);
        } else {
            cpu->groups = cpu->vmcr & (ICH_VMCR_VENG0 | ICH_VMCR_VENG1);
            cpu->takes = taken_by(cpu);
        }
    }
}

/* ---- edges and lines ---- */

/* Makes an interrupt in a list register pending. Returns true when nothing else is to be done. */
static bool pend_in_lr(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_cpu *cpu = avc_vgic_holder(op->vgic, b, n);
    const struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

    if (!avc_vgic_at_hand(op, cpu)) {
        b->latch |= 1u << n;
        cpu->lr_pend |= 1u << b->at[n];
        avc_vgic_kick(op, cpu, false);
        return true;
    }
    /* It is another vCPU's turn: the SPI was routed away while active, or goes to the next vCPU. */
    if (!b->owner && (spis->target[n] != cpu->index || spis->route[n] & GICD_IROUTER_IRM))
        return false;
    if (!avc_vgic_lr_again(cpu, b, n, false))
        return false;
    if (cpu != op->self)
        avc_vgic_kick(op, cpu, false);
    return true;
}

void avc_vgic_pend_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    uint32_t bit = 1u << n;

    if (b->latch & bit)
        return; /* it is pending already, and its vCPU knows */
    if (b->in_lr & bit) {
        if (avc_likely(pend_in_lr(op, b, n)))
            return;
        take(op, avc_vgic_holder(op->vgic, b, n), b, n);
    }
    b->latch |= bit;
    if (avc_likely(b->enable & ~(b->active | b->queued) & bit))
        deliver_one(op, b, n);
    else
        avc_vgic_deliver(op, b, bit); /* an active one may have been taken out of a list register */
}

bool avc_vgic_level(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n)
{
    unsigned r = b->at[n];
    uint64_t lr;

    if ((b->latch | b->moved | b->linked) >> n & 1 || !avc_vgic_lr_stays(cpu, b, n)) /* ISPENDR has made it pending */
        return false;
    lr = (cpu->lr[r] & ~ICH_LR_STATE) | (avc_vgic_lr_read(cpu, r) & ICH_LR_ACTIVE);
    if (!(b->line >> n & 1))
        lr &= ~ICH_LR_EOI;
    else if (avc_likely(avc_vgic_enabled_bits(cpu->vgic, b) >> n & 1))
        lr |= ICH_LR_EOI | (lr & ICH_LR_ACTIVE ? 0 : ICH_LR_PENDING);
    else if (b->enable >> n & 1) /* its group is off, and may be on before its end */
        return false;
    avc_vgic_lr_set(cpu, r, lr);
    return true;
}

/* Follows the level of a level-sensitive interrupt that is in a list register. If the register is another CPU's and
   the level falls, that CPU takes the interrupt back at its next trap. Until then the guest may take it, as it may
   with any controller when a level falls (IHI 0069, 4.1: a spurious or late one). Returns true when nothing else is
   to be done. */
static bool line_in_lr(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n, bool level)
{
    struct avc_vgic_cpu *cpu = avc_vgic_holder(op->vgic, b, n);

    if (!avc_vgic_at_hand(op, cpu)) {
        cpu->lr_look |= 1u << b->at[n];
        if (level)
            avc_vgic_kick(op, cpu, false);
        else
            avc_fetch_or(&cpu->vcpu->requests, AVC_REQUEST_IRQC);
        return true;
    }
    if (!avc_vgic_level(cpu, b, n))
        return false;
    if (level && cpu != op->self)
        avc_vgic_kick(op, cpu, false);
    return true;
}

void avc_vgic_line_changed(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n, bool level)
{
    uint32_t bit = 1u << n;

    if (b->edge & bit) {
        avc_vgic_pend_slow(op, b, n);
        return;
    }
    if ((b->in_lr & bit) && line_in_lr(op, b, n, level))
        return;
    avc_vgic_touch(op, b, bit);
    avc_vgic_deliver(op, b, bit);
}

void avc_vgic_fallen(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu)
{
    struct avc_vgic_bank *b = &cpu->bank;

    for (uint32_t bits = b->in_lr & TIMER_BITS & ~avc_vgic_timers_high(cpu->vcpu); bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);

        if ((avc_vgic_lr_read(cpu, b->at[n]) & ICH_LR_STATE) == ICH_LR_PENDING) {
            avc_vgic_touch(op, b, 1u << n);
            avc_vgic_deliver(op, b, 1u << n);
        }
    }
}

/* ---- ends ---- */

void avc_vgic_make_inactive(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits)
{
    uint32_t elsewhere = bits & b->in_lr, linked = bits & b->active & b->linked;

    if (linked && b->owner == op->self) {
        for (; linked; linked &= linked - 1)
            avc_vgic_timer_deactivate(op->self, linked & -linked);
    } else if (linked & ~elsewhere) { /* its CPU must end the physical interrupt */
        avc_vgic_kick(op, b->owner, true);
        elsewhere |= linked;
    }
    b->drop_active |= elsewhere;
    for (uint32_t out = b->owner ? 0 : bits & b->active & ~b->in_lr; out; out &= out - 1)
        avc_vgic_spis_of(b)->holder[__builtin_ctz(out)] = NONE;
    if (avc_vgic_sleeping_timers(b) & bits & b->active)
        avc_vgic_kick(op, b->owner, false);
    b->active &= ~bits;
    avc_vgic_deliver(op, b, bits & ~elsewhere);
}

bool avc_vgic_link(struct avc_vgic_op *op, uint32_t bit)
{
    struct avc_vgic_cpu *self = op->self;
    struct avc_vgic_bank *b = &self->bank;
    unsigned n = (unsigned)__builtin_ctz(bit);

    if (b->in_lr & bit)
        take(op, self, b, n);
    if (!self->hal->eoi_split || !(avc_vgic_enabled_bits(op->vgic, b) & bit) ||
        ((b->active | b->latch | b->linked | b->line) & bit))
        return false;
    b->linked |= bit;
    deliver_here(op, b, n);
    return true;
}
