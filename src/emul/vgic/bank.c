/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Registers that hold a bit, two bits or a byte per interrupt: the same in the distributor (SPIs) and in the redistributors
 * (SGIs and PPIs). IHI 0069, 12.9 and 12.11.
 *
 * A read of "pending" or "active" must know what the guest has made of interrupts in list registers. This CPU's are read;
 * other CPUs are asked to look at theirs, and the guest does the instruction again until that has happened. A write that
 * concerns another CPU's list registers takes effect when that CPU has looked.
 */
#include "emul/vgic/lr.h"
#include "emul/vgic/op.h"
#include "emul/vgic/reg.h"
#include "emul/vgic/timer.h"

/* ---- group and enable ---- */

uint64_t avc_vgic_read_group(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->group);
}

void avc_vgic_write_group(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                          uint64_t value)
{
    struct avc_vgic_op op;
    uint32_t change;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    change = (b->group ^ (uint32_t)value) & b->valid;
    avc_vgic_touch(&op, b, change);
    b->group ^= change;
    avc_vgic_deliver(&op, b, change);
    avc_vgic_end(&op);
}

uint64_t avc_vgic_read_isenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->enable);
}

uint64_t avc_vgic_read_icenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    return avc_vgic_read_isenable(self, b, offset, size);
}

static inline void write_enable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t value, bool set)
{
    struct avc_vgic_op op;
    uint32_t change;

    avc_vgic_begin(&op, self->vgic, self);
    change = (set ? ~b->enable : b->enable) & value & b->valid;
    avc_vgic_touch(&op, b, change); /* an active one may now also be pending, or no longer */
    b->enable ^= change;
    avc_vgic_deliver(&op, b, change);
    avc_vgic_end(&op);
}

void avc_vgic_write_isenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                             uint64_t value)
{
    (void)offset, (void)size;
    write_enable(self, b, (uint32_t)value, true);
}

void avc_vgic_write_icenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                             uint64_t value)
{
    (void)offset, (void)size;
    write_enable(self, b, (uint32_t)value, false);
}

/* ---- reading what list registers hold ---- */

/* What the list registers of the bank's interrupts say, by bit. */
struct inside {
    uint32_t pending, active; /* of all; another CPU's as last written */
    uint32_t elsewhere;       /* those in other CPUs' */
    bool wait;                /* another CPU has not looked yet */
};

static void look_inside(const struct avc_vgic_op *op, struct avc_vgic_bank *b, struct inside *in)
{
    for (uint32_t bits = b->in_lr; bits; bits &= bits - 1) {
        unsigned n = (unsigned)__builtin_ctz(bits), r = b->at[n];
        uint32_t bit = 1u << n;
        const struct avc_vgic_cpu *cpu = avc_vgic_holder(op->vgic, b, n);
        uint64_t lr = cpu == op->self ? avc_hw_lr_read(r) : cpu->lr[r];

        if (cpu != op->self) {
            in->elsewhere |= bit;
            in->wait |= cpu->fold_wanted;
        }
        in->pending |= lr & ICH_LR_PENDING ? bit : 0;
        in->active |= lr & ICH_LR_ACTIVE ? bit : 0;
    }
}

static uint64_t read_state(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, bool active)
{
    uint64_t id = (uintptr_t)b + active, value = AVC_VGIC_RETRY;
    struct inside in = { 0 };
    struct avc_vgic_op op;

    avc_vgic_begin(&op, self->vgic, self);
    if (avc_unlikely(b->in_lr)) {
        look_inside(&op, b, &in);
        if (in.elsewhere && self->reading != id) { /* asked once, or it would never end */
            self->reading = id;
            avc_vgic_touch_slow(&op, b, in.elsewhere);
            in.wait = true;
        }
    }
    if (avc_likely(!in.wait)) {
        self->reading = 0;
        if (active)
            value = b->active | (in.active & ~b->drop_active);
        else
            value = b->latch | (b->line & ~b->edge) | (b->linked & ~b->active & ~b->in_lr) |
                    (in.pending & (b->moved | b->linked) & ~b->drop_pending);
    }
    avc_vgic_end(&op);
    return value;
}

/* ---- pending ---- */

uint64_t avc_vgic_read_ispend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)offset, (void)size;
    return read_state(self, b, false);
}

uint64_t avc_vgic_read_icpend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    return avc_vgic_read_ispend(self, b, offset, size);
}

void avc_vgic_write_ispend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                           uint64_t value)
{
    uint32_t bits = (uint32_t)value & b->valid;
    struct avc_vgic_op op;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    avc_vgic_touch(&op, b, bits);
    b->latch |= bits;
    avc_vgic_deliver(&op, b, bits);
    avc_vgic_end(&op);
}

void avc_vgic_write_icpend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                           uint64_t value)
{
    uint32_t bits = (uint32_t)value & b->valid;
    struct avc_vgic_op op;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    avc_vgic_touch(&op, b, bits);
    b->latch &= ~bits;
    b->drop_pending |= bits & b->in_lr; /* elsewhere; this CPU's are in memory */
    avc_vgic_deliver(&op, b, bits);
    avc_vgic_end(&op);
}

/* ---- active ---- */

uint64_t avc_vgic_read_isactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)offset, (void)size;
    return read_state(self, b, true);
}

uint64_t avc_vgic_read_icactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    return avc_vgic_read_isactive(self, b, offset, size);
}

void avc_vgic_write_isactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                             uint64_t value)
{
    uint32_t bits = (uint32_t)value & b->valid;
    struct avc_vgic_op op;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    avc_vgic_touch(&op, b, bits);
    for (uint32_t idle = b->owner ? 0 : bits & ~b->in_lr & ~b->active; idle; idle &= idle - 1) {
        struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
        unsigned n = (unsigned)__builtin_ctz(idle);

        /* the vCPU that would have taken it is the one that will end it; with none, any will do */
        spis->holder[n] = spis->target[n] == NONE ? (uint16_t)self->index : spis->target[n];
    }
    b->active |= bits;
    avc_vgic_deliver(&op, b, bits);
    avc_vgic_end(&op);
}

void avc_vgic_write_icactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                             uint64_t value)
{
    uint32_t bits = (uint32_t)value & b->valid;
    struct avc_vgic_op op;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    avc_vgic_touch(&op, b, bits);
    if (avc_vgic_stirred_bits(b) & bits)
        avc_vgic_make_inactive(&op, b, bits);
    avc_vgic_end(&op);
}

/* ---- priorities: byte or word ---- */

typedef uint32_t __attribute__((may_alias)) word;

uint64_t avc_vgic_read_priority(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    const uint8_t *p = &b->priority[offset % 32];

    (void)self;
    return size == 1 ? avc_load_relaxed(p) : avc_load_relaxed((const word *)p);
}

void avc_vgic_write_priority(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                             uint64_t value)
{
    unsigned n = offset % 32;
    uint8_t *p = &b->priority[n];
    uint32_t bits = ((1u << size) - 1) << n & b->valid; /* all or none of a word are interrupts */
    struct avc_vgic_op op;

    value &= GIC_PRIO_MASK * 0x01010101u;
    if (!bits || value == avc_vgic_read_priority(self, b, offset, size))
        return;
    avc_vgic_begin(&op, self->vgic, self);
    avc_vgic_touch(&op, b, bits);
    if (size == 1)
        avc_store_relaxed(p, (uint8_t)value);
    else
        avc_store_relaxed((word *)p, (uint32_t)value);
    avc_vgic_deliver(&op, b, bits);
    avc_vgic_end(&op);
}

/* ---- edge or level: two bits each, the upper one counts. SGIs are edges and PPIs levels, fixed. ---- */

uint64_t avc_vgic_read_config(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    uint32_t v = avc_load_relaxed(&b->edge) >> (offset & 4 ? 16 : 0) & 0xffff;

    (void)self, (void)size;
    v = (v | v << 8) & 0x00ff00ff;
    v = (v | v << 4) & 0x0f0f0f0f;
    v = (v | v << 2) & 0x33333333;
    v = (v | v << 1) & 0x55555555;
    return v << 1;
}

void avc_vgic_write_config(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                           uint64_t value)
{
    unsigned first = offset & 4 ? 16 : 0;
    uint32_t edge = (uint32_t)value >> 1 & 0x55555555, change;
    struct avc_vgic_op op;

    (void)size;
    edge = (edge | edge >> 1) & 0x33333333;
    edge = (edge | edge >> 2) & 0x0f0f0f0f;
    edge = (edge | edge >> 4) & 0x00ff00ff;
    edge = (edge | edge >> 8) & 0x0000ffff;
    avc_vgic_begin(&op, self->vgic, self);
    change = (b->edge ^ edge << first) & b->valid & 0xffffu << first;
    avc_vgic_touch(&op, b, change);
    b->edge ^= change;
    avc_vgic_deliver(&op, b, change);
    avc_vgic_end(&op);
}
