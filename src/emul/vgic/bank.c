/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Registers that hold a bit, two bits or a byte per interrupt: the same in the distributor (SPIs) and in the redistributors
 * (SGIs and PPIs). IHI 0069, 12.9 and 12.11.
 *
 * A read of "pending" or "active" must know what the guest has made of interrupts in list registers. This CPU's are folded;
 * for those of other CPUs a fold is asked for, and the guest does the instruction again until that has happened, with
 * interrupts on in between. A write that concerns another CPU's list registers takes effect when that CPU has folded;
 * until then GICD_CTLR.RWP and GICR_CTLR.RWP read as 1.
 */
#include "emul/vgic/vgic.h"

enum { GROUP = 1, ISENABLE, ICENABLE, ISPEND, ICPEND, ISACTIVE, ICACTIVE };

static void write_group(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    uint32_t change = (ref->bank->group ^ v) & ref->valid;

    avc_vgic_touch(op, ref, change);
    ref->bank->group ^= change;
    avc_vgic_deliver(op, ref, change);
}

static void write_isenable(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    uint32_t change = v & ~ref->bank->enable;

    avc_vgic_touch(op, ref, change); /* an active one may now also be pending */
    ref->bank->enable |= change;
    if (ref->owner && (change & TIMER_BITS)) { /* what a masked timer did meanwhile: sampled in refill() */
        if (ref->owner == op->self)
            op->refill = true;
        else
            avc_vgic_kick(op, ref->owner, false);
        return;
    }
    avc_vgic_deliver(op, ref, change);
}

static void write_icenable(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    uint32_t change = v & ref->bank->enable;

    avc_vgic_touch(op, ref, change);
    ref->bank->enable &= ~change;
}

static void write_ispend(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    avc_vgic_touch(op, ref, v);
    ref->bank->latch |= v;
    avc_vgic_deliver(op, ref, v);
}

static void write_icpend(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    avc_vgic_touch(op, ref, v);
    ref->bank->latch &= ~v;
    ref->bank->drop_pending |= v & ref->bank->in_lr; /* elsewhere; this CPU's are in memory */
    avc_vgic_deliver(op, ref, v);
}

static void write_isactive(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    uint32_t bits;

    avc_vgic_touch(op, ref, v);
    for (bits = ref->spis ? v & ~ref->bank->in_lr & ~ref->bank->active : 0; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits);
        uint16_t target = ref->spis->target[n];

        /* the vCPU that would have taken it is the one that will end it; with none, any will do */
        ref->spis->holder[n] = target == NONE ? (uint16_t)op->self->index : target;
        if (ref->spis->holder[n] == op->self->index)
            op->refill = true;
        else
            avc_vgic_kick(op, &op->vgic->cpus[ref->spis->holder[n]], false);
    }
    ref->bank->active |= v;
    if (ref->spis)
        op->vgic->busy |= 1u << (ref->base / 32 - 1);
    else if (ref->owner == op->self)
        op->refill = true;
    else
        avc_vgic_kick(op, ref->owner, false);
}

void avc_vgic_make_inactive(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    uint32_t elsewhere = v & ref->bank->in_lr, bits;

    if (ref->owner && ref->owner == op->self) {
        for (bits = v & ref->bank->active & ref->owner->linked; bits; bits &= bits - 1)
            avc_vgic_timer_deactivate(ref->owner, bits & -bits);
    } else if (ref->owner) {
        uint32_t linked = v & ref->bank->active & ref->owner->linked & ~ref->bank->in_lr;

        if (linked)
            avc_vgic_kick(op, ref->owner, true);
        elsewhere |= linked;
    }
    ref->bank->drop_active |= elsewhere;
    for (bits = ref->spis ? v & ref->bank->active & ~ref->bank->in_lr : 0; bits; bits &= bits - 1)
        ref->spis->holder[__builtin_ctz(bits)] = NONE;
    ref->bank->active &= ~v;
    avc_vgic_deliver(op, ref, v & ~elsewhere);
}

void avc_vgic_deactivate(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v)
{
    avc_vgic_touch(op, ref, v);
    avc_vgic_make_inactive(op, ref, v);
}

static void (*const writers[8])(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t v) = {
    [GROUP] = write_group,   [ISENABLE] = write_isenable, [ICENABLE] = write_icenable,      [ISPEND] = write_ispend,
    [ICPEND] = write_icpend, [ISACTIVE] = write_isactive, [ICACTIVE] = avc_vgic_deactivate,
};

/* ---- reading what list registers hold ---- */

/* Bits of `mask` whose list register, as last written or folded, has this state. */
static uint32_t in_shadow(const struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask, uint64_t state)
{
    uint32_t found = 0;

    for (; mask; mask &= mask - 1) {
        unsigned n = (unsigned)__builtin_ctz(mask);
        const struct avc_vgic_cpu *cpu = ref->owner;
        unsigned r;

        if (!cpu && ref->spis->holder[n] != NONE)
            cpu = &op->vgic->cpus[ref->spis->holder[n]];
        r = cpu ? avc_vgic_lr_of(cpu, ref->base + n) : AVC_VGIC_MAX_LRS;
        if (r < AVC_VGIC_MAX_LRS && (cpu->lr[r] & state))
            found |= 1u << n;
    }
    return found;
}

static bool folds_wanted(const struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask)
{
    if (ref->owner)
        return mask && ref->owner->fold_wanted;
    for (; mask; mask &= mask - 1) {
        uint16_t holder = ref->spis->holder[__builtin_ctz(mask)];

        if (holder != NONE && op->vgic->cpus[holder].fold_wanted)
            return true;
    }
    return false;
}

static enum avc_answer read_state(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, bool active,
                                  struct avc_exit *e)
{
    struct avc_vgic_bank *b = ref->bank;
    uint32_t inside, value;

    if (op->self->reading != e->key + 1) {
        avc_vgic_touch(op, ref, ref->valid);
        avc_vgic_deliver(op, ref, ref->valid);
        if (b->in_lr & ref->valid && folds_wanted(op, ref, b->in_lr)) {
            op->self->reading = e->key + 1;
            return AVC_RETRY;
        }
    } else if (folds_wanted(op, ref, b->in_lr)) {
        return AVC_RETRY;
    } else if (!ref->owner || ref->owner == op->self) { /* ours may have been filled since */
        uint32_t mine = 0, bits;

        for (bits = b->in_lr; bits; bits &= bits - 1)
            if (ref->owner || ref->spis->holder[__builtin_ctz(bits)] == op->self->index)
                mine |= bits & -bits;
        avc_vgic_touch(op, ref, mine);
        avc_vgic_deliver(op, ref, mine);
    }
    op->self->reading = 0;
    inside = b->in_lr & ref->valid;
    if (active)
        value = b->active | in_shadow(op, ref, inside & ~b->drop_active, LR_ACTIVE);
    else
        value = avc_vgic_pending_bits(b) | (ref->owner ? ref->owner->linked & ~b->active & ~inside : 0) |
                in_shadow(op, ref, inside & ~b->drop_pending, LR_PENDING);
    return avc_done(e, value & ref->valid);
}

enum avc_answer avc_vgic_bank_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, unsigned block,
                                     struct avc_exit *e)
{
    struct avc_vgic_op op;
    enum avc_answer answer = AVC_DONE;

    if (!e->write && block <= ICENABLE)
        return avc_done(e, avc_load_relaxed(block == GROUP ? &ref->bank->group : &ref->bank->enable));
    avc_vgic_begin(&op, self->vgic, self, false);
    if (e->write)
        writers[block](&op, ref, (uint32_t)e->value & ref->valid);
    else
        answer = read_state(&op, ref, block >= ISACTIVE, e);
    avc_vgic_end(&op);
    return answer;
}

/* ---- priorities: byte or word ---- */

enum avc_answer avc_vgic_priority_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, struct avc_exit *e)
{
    unsigned first = e->key & 31; /* the registers of a bank are 32 bytes, aligned */
    struct avc_vgic_bank *b = ref->bank;
    struct avc_vgic_op op;
    uint64_t value = 0;
    uint32_t change = 0;

    if (!e->write) {
        for (unsigned i = 0; i < e->size; i++)
            value |= (uint64_t)avc_load_relaxed(&b->priority[first + i]) << 8 * i;
        return avc_done(e, value);
    }
    avc_vgic_begin(&op, self->vgic, self, false);
    for (unsigned i = 0; i < e->size; i++) {
        uint8_t priority = (uint8_t)(e->value >> 8 * i) & self->vgic->pri_mask;

        if ((ref->valid >> (first + i) & 1) && priority != b->priority[first + i]) {
            b->priority[first + i] = priority;
            change |= 1u << (first + i);
        }
    }
    avc_vgic_touch(&op, ref, change);
    avc_vgic_deliver(&op, ref, change);
    avc_vgic_end(&op);
    return AVC_DONE;
}

/* ---- edge or level: two bits each, the upper one counts. SGIs are edges and PPIs levels, fixed. ---- */

enum avc_answer avc_vgic_config_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, struct avc_exit *e)
{
    struct avc_vgic_bank *b = ref->bank;
    unsigned first = e->key & 4 ? 16 : 0;
    struct avc_vgic_op op;
    uint32_t value = 0, edge = 0, change;

    if (!e->write) {
        for (unsigned i = 0; i < 16; i++)
            value |= (b->edge >> (first + i) & 1) << (2 * i + 1);
        return avc_done(e, value);
    }
    if (ref->owner)
        return AVC_DONE;
    for (unsigned i = 0; i < 16; i++)
        edge |= (uint32_t)(e->value >> (2 * i + 1) & 1) << (first + i);
    change = (b->edge ^ edge) & ref->valid & (0xffffu << first);
    avc_vgic_begin(&op, self->vgic, self, false);
    avc_vgic_touch(&op, ref, change);
    b->edge ^= change;
    avc_vgic_deliver(&op, ref, change);
    avc_vgic_end(&op);
    return AVC_DONE;
}
