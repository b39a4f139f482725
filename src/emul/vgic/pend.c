/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * From "pending" to a vCPU: the beginning and the end of an operation, who has to look at its list registers, input lines,
 * routes.
 *
 * Why nothing gets lost: state is changed under the lock, and the vCPUs concerned are told after it is dropped. One that is
 * loaded elsewhere looks in enter(), before it is in its guest again, for avc_vcpu_request() interrupts that; one that is
 * not loaded looks in load(). Whichever lock comes second sees what the first has written.
 */
#include "emul/vgic/vgic.h"

/* After the lock: callbacks. The order matters to nobody: a kicked vCPU looks at state, not at messages. */
void avc_vgic_end_slow(struct avc_vgic_op *op)
{
    struct avc_vgic *vgic = op->vgic;
    struct avc_vgic_cpu *self = op->self;
    uint32_t change = 0;

    if (op->folded || op->refill) {
        avc_vgic_fold(op);
        avc_vgic_refill(op);
    }
    if (self) {
        change = self->masked ^ self->mask_wanted;
        self->masked = self->mask_wanted;
    }
    avc_unlock(&vgic->lock);

    /* masks belong to this CPU, which is this thread's until interrupts are on again */
    for (unsigned t = 0; change && t < 2; t++) {
        uint32_t bit = 1u << (t ? AVC_VGIC_PTIMER_INTID : AVC_VGIC_VTIMER_INTID);

        if ((change & bit) && self->hal->irq_mask)
            self->hal->irq_mask(self->hal->ctx, self->phys[t], self->mask_wanted & bit);
    }
    if (op->wake)
        avc_vcpu_request(self->vcpu, 0);
    for (struct avc_vgic_cpu *cpu = op->kicks, *next; cpu; cpu = next) {
        next = cpu->next_told;
        avc_store_release(&cpu->told, false); /* before the kick, see avc_vgic_kick() */
        avc_vcpu_request(cpu->vcpu, AVC_REQUEST_IRQC);
    }
    if (op->restore)
        avc_hw_irq_restore(op->daif);
}

bool avc_vgic_here(const struct avc_vgic_cpu *cpu)
{
    return cpu->loaded && cpu->on == avc_hw_read_MPIDR_EL1();
}

/*
 * A vCPU is in one list at most. If it is in that of another operation, which has dropped the lock and is calling back,
 * then that kick is still to come, and will do: had the vCPU taken the lock for it before us, `told` would have been cleared
 * before that, and be seen so here.
 */
void avc_vgic_kick(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool fold)
{
    if (!cpu->vcpu) /* not initialised yet; it looks when it is loaded */
        return;
    if (fold && cpu->loaded && !cpu->fold_wanted) {
        cpu->fold_wanted = true;
        avc_store_relaxed(&op->vgic->folds, op->vgic->folds + 1);
    }
    if (cpu == op->self) {
        op->wake = true;
        return;
    }
    if (avc_load_acquire(&cpu->told))
        return;
    avc_store_relaxed(&cpu->told, true);
    cpu->next_told = op->kicks;
    op->kicks = cpu;
}

void avc_vgic_kick_all(struct avc_vgic_op *op)
{
    for (uint32_t n = 0; n < op->vgic->max_vcpus; n++) {
        struct avc_vgic_cpu *cpu = &op->vgic->cpus[n];

        if (cpu == op->self) {
            avc_vgic_fold(op);
        } else {
            avc_vgic_kick(op, cpu, true);
        }
    }
}

/* Whose list register or active interrupt it is. */
static struct avc_vgic_cpu *holder_of(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, unsigned n)
{
    if (ref->owner)
        return ref->owner;
    return ref->spis->holder[n] == NONE ? NULL : &op->vgic->cpus[ref->spis->holder[n]];
}

void avc_vgic_touch_slow(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask)
{
    for (uint32_t bits = mask; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);
        struct avc_vgic_cpu *cpu = holder_of(op, ref, n);

        if (!cpu)
            continue;
        if (cpu != op->self)
            avc_vgic_kick(op, cpu, true);
        else if (!op->folded && !avc_vgic_retire(op, ref, 1u << n))
            avc_vgic_fold(op);
    }
}

/* ---- delivery ---- */

static bool is_on(const struct avc_vgic *vgic, uint32_t n)
{
    return avc_load_relaxed(&vgic->vm->vcpus[n]->power) == AVC_POWER_ON;
}

/* For an interrupt that any vCPU may take (GICD_IROUTER.IRM): the one it waits for, or the next in turn that is on. */
static uint16_t any_target(struct avc_vgic *vgic, uint16_t waits_for)
{
    uint32_t nr = vgic->vm->nr_vcpus;

    if (waits_for != NONE && is_on(vgic, waits_for))
        return waits_for;
    for (uint32_t k = 1; k <= nr; k++) {
        uint32_t n = (vgic->rotor + k) % nr;

        if (is_on(vgic, n)) {
            vgic->rotor = n;
            return (uint16_t)n;
        }
    }
    return NONE;
}

uint16_t avc_vgic_target(const struct avc_vgic *vgic, uint64_t route)
{
    const struct avc_vcpu *vcpu;

    if (route & ROUTE_IRM)
        return NONE; /* chosen when it is pending */
    vcpu = avc_vm_vcpu_by_mpidr(vgic->vm, route & MPIDR_AFFINITY);
    return vcpu ? (uint16_t)vcpu->index : NONE;
}

static void deliver_one(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit, struct avc_vgic_cpu *cpu)
{
    if (cpu != op->self)
        avc_vgic_kick(op, cpu, false);
    else if (op->folded || op->refill || !avc_vgic_inject(op, ref, bit))
        op->refill = true;
    /* In a list register already, but its thread may be blocked on this very CPU, and this a handler of the host's. A claim
       runs on the vCPU that is self, which is awake. */
    if (cpu == op->self && op->restore)
        avc_vgic_kick(op, cpu, false);
}

void avc_vgic_deliver(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask)
{
    struct avc_vgic_bank *b = ref->bank;
    uint32_t pending = avc_vgic_pending_bits(b) & mask;

    if (ref->owner)
        pending |= ref->owner->linked & ~b->active & mask;
    else if (pending)
        op->vgic->busy |= 1u << (ref->base / 32 - 1);
    pending &= avc_vgic_enabled_bits(op->vgic, b) & ~b->in_lr & ~b->active;
    for (; pending; pending &= pending - 1) {
        unsigned n = (unsigned)__builtin_ctz(pending);
        struct avc_vgic_cpu *cpu = ref->owner;

        if (!cpu) {
            if (ref->spis->route[n] & ROUTE_IRM)
                ref->spis->target[n] = any_target(op->vgic, ref->spis->target[n]);
            if (ref->spis->target[n] == NONE)
                continue;
            cpu = &op->vgic->cpus[ref->spis->target[n]];
        }
        deliver_one(op, ref, 1u << n, cpu);
    }
}

/* ---- lines ---- */

/* A level that changes while the interrupt is in a list register of this CPU, and the guest is handling it: all that
   hangs on the level is whether its end of interrupt is worth an exit. False: the list register says otherwise. */
static bool set_line_active(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit, bool level)
{
    struct avc_vgic_cpu *self = op->self;
    unsigned n = avc_vgic_lr_of(self, ref->base + (uint32_t)__builtin_ctz(bit));
    uint64_t lr = avc_hw_lr_read(n);

    if ((lr & (LR_STATE | LR_HW)) != LR_ACTIVE || (ref->bank->latch & bit))
        return false;
    self->lr[n] = level ? lr | LR_EOI : lr & ~LR_EOI;
    avc_hw_lr_write(n, self->lr[n]);
    return true;
}

void avc_vgic_set_line(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit, bool level)
{
    struct avc_vgic_bank *b = ref->bank;
    unsigned n = (unsigned)__builtin_ctz(bit);
    struct avc_vgic_cpu *holder = b->in_lr & bit ? holder_of(op, ref, n) : NULL;

    if (!(b->line & bit) == !level)
        return;
    if (!level) {
        b->line &= ~bit;
        if ((b->edge & bit) || !holder)
            return;
        /* Elsewhere: taken back at that CPU's next trap. It may take the interrupt until then, as it may with any
           controller when a level falls (IHI 0069, 4.1: a spurious or late one). */
        if (holder != op->self)
            avc_fetch_or(&holder->vcpu->requests, AVC_REQUEST_IRQC);
        else if (!set_line_active(op, ref, bit, false))
            avc_vgic_touch(op, ref, bit);
        return;
    }
    if (!(b->edge & bit) && holder && holder == op->self && set_line_active(op, ref, bit, true)) {
        b->line |= bit;
        return;
    }
    avc_vgic_touch(op, ref, bit);
    b->line |= bit;
    if (b->edge & bit)
        b->latch |= bit;
    avc_vgic_deliver(op, ref, bit);
}

enum avc_status avc_vgic_set_irq(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    struct avc_vgic *vgic = vm->irqc_data;
    struct avc_vgic_cpu *cpu = vcpu ? avc_vgic_cpu_of(vcpu) : NULL;
    struct avc_vgic_ref ref;
    struct avc_vgic_op op;
    uint64_t daif;
    unsigned n;

    /* SGIs come from guests, and the timers' lines are the timers' */
    if (vcpu ? intid < 16 || intid > 31 || (TIMER_BITS >> intid & 1) : intid < 32 || intid - 32 >= vgic->nr_spis)
        return AVC_ERANGE;
    ref = vcpu ? avc_vgic_ref_private(cpu) : avc_vgic_ref_spis(vgic, intid / 32 - 1);
    n = intid % 32;

    daif = avc_hw_irq_save();
    avc_vgic_begin(&op, vgic, NULL, false);
    op.restore = true;
    op.daif = daif;
    if (!vcpu) {
        uint16_t target = ref.spis->target[n], holder = ref.spis->holder[n];

        if (target != NONE && avc_vgic_here(&vgic->cpus[target]))
            cpu = &vgic->cpus[target];
        else if (holder != NONE && holder != target && avc_vgic_here(&vgic->cpus[holder]))
            cpu = &vgic->cpus[holder];
    }
    if (cpu && avc_vgic_here(cpu))
        op.self = cpu;
    avc_vgic_set_line(&op, &ref, 1u << n, level);
    avc_vgic_end(&op);
    return AVC_OK;
}
