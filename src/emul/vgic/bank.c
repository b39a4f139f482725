/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Registers that hold a bit, two bits or a byte per interrupt. They are the same in the distributor (SPIs) and in the
 * redistributors (SGIs and PPIs). IHI 0069, 12.9 and 12.11.
 *
 * A read of "pending" or "active" must know what the guest has made of interrupts in list registers. This CPU's are
 * read. Other CPUs are asked to look at theirs, and the guest does the instruction again until they have done so. A
 * write that concerns another CPU's list registers takes effect when that CPU has looked. The level of a timer is the
 * same: only the CPU that has the timer can see it, and for a vCPU that is not loaded its registers in memory tell.
 */
#include "core/policy/ctx.h"
#include "emul/vgic/lr.h"
#include "emul/vgic/op.h"
#include "emul/vgic/reg.h"
#include "emul/vgic/timer.h"

/* ---- changes of what decides whether, when and to whom an interrupt is signalled ---- */

/*
 * The enables of `bits` change. Handles those that are in list registers of self, and that no line or latch makes
 * pending besides. One that is pending there leaves its register. To the others, which the guest handles or has ended,
 * it makes no difference. Returns the rest.
 */
static uint32_t settle_enables(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits)
{
    for (uint32_t in = bits & b->in_lr & ~(b->latch | b->line | b->linked); in; in &= in - 1) {
        unsigned n = (unsigned)__builtin_ctz(in), r = b->at[n];
        uint64_t state;

        if (!avc_vgic_lr_stays(self, b, n))
            continue;
        state = avc_hw_lr_read(r) & ICH_LR_STATE;
        if (state == ICH_LR_STATE || (state && self->lr[r] & ICH_LR_HW))
            continue;
        if (state == ICH_LR_PENDING)
            avc_vgic_lr_drop(self, b, n);
        bits &= ~(in & -in);
    }
    return bits;
}

/* Changes the field to what value has, for a few interrupts. */
static void toggle_few(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t *field, uint32_t value, uint32_t few)
{
    avc_vgic_touch(op, b, few);
    avc_store_relaxed(field, (*field & ~few) | (value & few));
    avc_vgic_deliver_slow(op, b, few);
    if (avc_unlikely(few & TIMER_BITS) && avc_vgic_sleeping_timers(b))
        avc_vgic_kick(op, b->owner, false);
}

static void toggle_step(struct avc_vgic_op *op, struct avc_vgic_work *work)
{
    toggle_few(op, work->bank, work->field, (uint32_t)work->value, avc_vgic_next_few(work));
}

/* `concerned`: those of the bits that are in some state, or are timers of a vCPU that sleeps. */
static __attribute__((noinline)) enum avc_result toggle_stirred(struct avc_vgic_cpu *self, struct avc_vgic_bank *b,
                                                                uint32_t *field, uint32_t change, uint32_t concerned)
{
    uint32_t value = *field ^ change;
    struct avc_vgic_op op;

    if (field == &b->enable)
        concerned = settle_enables(self, b, concerned);
    if (avc_likely(!(concerned & (b->in_lr | b->queued)) && !avc_vgic_many(concerned))) {
        avc_store_relaxed(field, value);
        if (concerned)
            concerned = avc_vgic_deliver_here(self, b, concerned);
        if (avc_likely(!concerned)) {
            avc_unlock(&self->vgic->lock);
            return AVC_RESUME;
        }
    }
    avc_vgic_go_on(&op, self->vgic, self);
    avc_store_relaxed(field, (value & ~concerned) | (*field & concerned));
    if (avc_unlikely(avc_vgic_many(concerned)))
        avc_vgic_work(&op, &(struct avc_vgic_work){ toggle_step, b, field, value, concerned });
    else
        toggle_few(&op, b, field, value, concerned);
    avc_vgic_end(&op);
    return AVC_RESUME;
}

static inline struct avc_vgic *locked(const struct avc_vgic_cpu *self)
{
    struct avc_vgic *vgic = self->vgic;

    avc_lock(&vgic->lock);
    return vgic;
}

/* Changes these bits of the bank's `field`. The caller holds the lock. It is dropped here. */
static inline enum avc_result toggle(struct avc_vgic *vgic, struct avc_vgic_cpu *self, struct avc_vgic_bank *b,
                                     uint32_t *field, uint32_t change)
{
    uint32_t concerned;

    change &= b->valid;
    concerned = (avc_vgic_stirred_bits(b) | avc_vgic_sleeping_timers(b)) & change;
    if (avc_unlikely(concerned))
        return toggle_stirred(self, b, field, change, concerned);
    avc_store_relaxed(field, *field ^ change);
    avc_unlock(&vgic->lock);
    return AVC_RESUME;
}

AVC_VGIC_READ(group)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->group);
}

enum avc_result avc_vgic_write_group(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                                     uint64_t value)
{
    struct avc_vgic *vgic;

    (void)offset, (void)size;
    vgic = locked(self);
    return toggle(vgic, self, b, &b->group, b->group ^ (uint32_t)value);
}

AVC_VGIC_READ(enable)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->enable);
}

enum avc_result avc_vgic_write_isenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                        unsigned size, uint64_t value)
{
    struct avc_vgic *vgic;

    (void)offset, (void)size;
    vgic = locked(self);
    return toggle(vgic, self, b, &b->enable, (uint32_t)value & ~b->enable);
}

enum avc_result avc_vgic_write_icenable(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                        unsigned size, uint64_t value)
{
    struct avc_vgic *vgic;

    (void)offset, (void)size;
    vgic = locked(self);
    return toggle(vgic, self, b, &b->enable, (uint32_t)value & b->enable);
}

/* Edge or level: each interrupt has two bits, of which the upper one counts. SGIs are always edges, and PPIs levels. */
AVC_VGIC_READ(config)
{
    uint32_t v = avc_load_relaxed(&b->edge) >> (offset & 4 ? 16 : 0) & 0xffff;

    (void)self, (void)size;
    v = (v | v << 8) & 0x00ff00ff;
    v = (v | v << 4) & 0x0f0f0f0f;
    v = (v | v << 2) & 0x33333333;
    v = (v | v << 1) & 0x55555555;
    return v << 1;
}

enum avc_result avc_vgic_write_config(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                      unsigned size, uint64_t value)
{
    struct avc_vgic *vgic;
    unsigned first = offset & 4 ? 16 : 0;
    uint32_t v = (uint32_t)value >> 1 & 0x55555555;

    (void)size;
    v = (v | v >> 1) & 0x33333333;
    v = (v | v >> 2) & 0x0f0f0f0f;
    v = (v | v >> 4) & 0x00ff00ff;
    v |= v >> 8; /* 16 bits */
    vgic = locked(self);
    return toggle(vgic, self, b, &b->edge, (b->edge ^ v << first) & 0xffffu << first);
}

/* Priorities, accessed by bytes or words. */
typedef uint32_t __attribute__((may_alias)) word;

static inline void store_priority(struct avc_vgic_bank *b, unsigned n, unsigned size, uint64_t value)
{
    if (size == 1)
        avc_store_relaxed(&b->priority[n], (uint8_t)value);
    else
        avc_store_relaxed((word *)&b->priority[n], (uint32_t)value);
}

AVC_VGIC_READ(priority)
{
    const uint8_t *p = &b->priority[offset % 32];

    (void)self;
    return size == 1 ? avc_load_relaxed(p) : avc_load_relaxed((const word *)p);
}

/* Writes the priorities of `bits`, which are in list registers, into those that may stay there. Returns the others. */
static uint32_t prioritise_lrs(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits)
{
    for (uint32_t in = bits; in; in &= in - 1) {
        unsigned n = (unsigned)__builtin_ctz(in), r = b->at[n];

        if (avc_vgic_lr_stays(self, b, n)) {
            avc_vgic_lr_change(self, r, ICH_LR_PRIORITY(b->priority[n]), ICH_LR_PRIORITY_MASK);
            bits &= ~(in & -in);
        }
    }
    return bits;
}

static __attribute__((noinline)) enum avc_result prioritise_stirred(struct avc_vgic_cpu *self, struct avc_vgic_bank *b,
                                                                    unsigned n, unsigned size, uint64_t value)
{
    uint32_t bits = (uint32_t)((UINT64_C(1) << size) - 1) << n, in_lr = bits & b->in_lr;
    bool stored = !(bits & b->queued);
    struct avc_vgic_op op;

    if (stored) {
        store_priority(b, n, size, value);
        bits = prioritise_lrs(self, b, in_lr);
        if (avc_likely(!bits)) {
            avc_unlock(&self->vgic->lock);
            return AVC_RESUME;
        }
    }
    avc_vgic_go_on(&op, self->vgic, self);
    for (unsigned k = 0; k < size; k++, value >>= 8) {
        uint32_t bit = bits & 1u << (n + k);

        avc_vgic_touch(&op, b, bit);
        if (!stored) /* once: when others have had the lock, they may have written another one */
            store_priority(b, n + k, 1, value);
        avc_vgic_deliver(&op, b, bit);
        if (k + 1 < size)
            avc_vgic_breathe(&op);
    }
    avc_vgic_end(&op);
    return AVC_RESUME;
}

enum avc_result avc_vgic_write_priority(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                        unsigned size, uint64_t value)
{
    unsigned n = offset % 32;

    value &= GIC_PRIO_MASK * 0x01010101u;
    avc_lock(&self->vgic->lock);
    if (avc_unlikely(avc_vgic_stirred_bits(b) >> n & ((1u << size) - 1)))
        return prioritise_stirred(self, b, n, size, value);
    store_priority(b, n, size, value);
    avc_unlock(&self->vgic->lock);
    return AVC_RESUME;
}

/* ---- reads of what list registers hold ---- */

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
        bool at_hand = avc_vgic_at_hand(op, cpu);
        uint64_t lr = at_hand ? avc_vgic_lr_read(cpu, r) : cpu->lr[r];

        if (!at_hand) {
            in->elsewhere |= bit;
            in->wait |= cpu->fold_wanted;
        }
        in->pending |= lr & ICH_LR_PENDING ? bit : 0;
        in->active |= lr & ICH_LR_ACTIVE ? bit : 0;
    }
}

/* Returns the timers whose line is high of a vCPU that is not loaded. One that is off has none. Sets *wait if another
   CPU is just loading it, or putting it, so that the registers in memory may be something else. A load that has begun
   needs our lock before it ends. */
static uint32_t high_in_memory(const struct avc_vgic_cpu *cpu, bool *wait)
{
    const struct avc_vcpu *vcpu = cpu->vcpu;
    uint32_t high;

    if (!vcpu || avc_load_relaxed(&vcpu->power) != AVC_POWER_ON)
        return 0;
    *wait |= avc_vcpu_is_loaded(vcpu); /* put has not come to its end */
    high = avc_vgic_timers_high(vcpu);
    avc_fence();
    *wait |= avc_vcpu_is_loaded(vcpu);
    return high;
}

/* Returns the lines of a bank as they are now. A timer's is not what `line` says, which is what was done about it. Sets
   *ask if only another CPU can tell, and *wait until it has. */
static uint32_t lines(struct avc_vgic_op *op, struct avc_vgic_bank *b, bool *ask, bool *wait)
{
    struct avc_vgic_cpu *cpu = b->owner;
    uint32_t high;

    if (!cpu)
        return b->line;
    if (cpu == op->self) {
        if (avc_unlikely(b->in_lr & TIMER_BITS))
            avc_vgic_fallen(op, cpu);
        high = avc_vgic_timers_high(cpu->vcpu);
    } else if (cpu->loaded) {
        *ask = true;
        *wait |= cpu->fold_wanted;
        high = cpu->high;
    } else {
        high = high_in_memory(cpu, wait);
    }
    return (b->line & ~TIMER_BITS) | high;
}

static __attribute__((noinline)) uint64_t read_inside(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, bool active)
{
    uint64_t id = (uintptr_t)b + active, value = AVC_VGIC_RETRY;
    struct inside in = { 0 };
    struct avc_vgic_op op;
    uint32_t line = 0;
    bool ask = false;

    avc_vgic_begin(&op, self->vgic, self);
    if (!active)
        line = lines(&op, b, &ask, &in.wait);
    look_inside(&op, b, &in);
    if ((in.elsewhere || ask) && self->reading != id) { /* each is asked once, or it would never end */
        self->reading = id;
        avc_vgic_touch_slow(&op, b, in.elsewhere);
        if (ask)
            avc_vgic_kick(&op, b->owner, true);
    } else if (!in.wait) {
        self->reading = 0;
        if (active)
            value = b->active | (in.active & ~b->drop_active);
        else
            value = b->latch | (line & ~b->edge) | (in.pending & b->moved & ~b->drop_pending);
    }
    avc_vgic_end(&op);
    return value;
}

static __attribute__((noinline)) enum avc_result load_inside(struct avc_vcpu *vcpu, uint64_t esr,
                                                             struct avc_vgic_bank *b, bool active)
{
    uint64_t value = read_inside(avc_vgic_cpu_of(vcpu), b, active);

    return value == AVC_VGIC_RETRY ? AVC_RESUME : avc_complete_load_of(vcpu, esr, value);
}

/* The timers of a vCPU that is on no CPU are off, as its registers in memory say. */
static inline bool timers_off(const struct avc_vgic_cpu *cpu)
{
    const struct avc_vcpu *vcpu = cpu->vcpu;
    uint64_t ctl;

    if (avc_unlikely(avc_load_acquire(&vcpu->pcpu) != NULL)) /* set before it is loaded here, until after it was put */
        return false;
    ctl = vcpu->ctx[AVC_CTX_CNTV_CTL_EL0] | vcpu->ctx[AVC_CTX_CNTP_CTL_EL0];
    avc_fence();
    return avc_likely(!(ctl & CNT_CTL_ENABLE)) && avc_likely(!avc_load_acquire(&vcpu->pcpu));
}

/* Reads the state if it is at hand: no list register has a part of it, and the lines of timers can be told. Otherwise
   it returns false. */
static inline bool read_state(const struct avc_vcpu *vcpu, struct avc_vgic_bank *b, bool active, uint32_t *value)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    struct avc_vgic *vgic = self->vgic;
    bool found = true;

    avc_lock(&vgic->lock);
    *value = b->active;
    if (!active) {
        uint32_t line = b->line & ~b->edge;

        if (b->owner == self) {
            line = (line & ~TIMER_BITS) | avc_vgic_timers_high_in_trap(vcpu);
        } else if (b->owner) {
            line &= ~TIMER_BITS;
            found = timers_off(b->owner);
        }
        *value = b->latch | line;
    }
    found &= !b->in_lr;
    if (avc_likely(found))
        self->reading = 0;
    avc_unlock(&vgic->lock);
    return found;
}

/* ---- pending and active ---- */

#define READ_STATE(name, is_active)                                                                                    \
    uint64_t avc_vgic_read_##name(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)  \
    {                                                                                                                  \
        (void)offset, (void)size;                                                                                      \
        return read_inside(self, b, is_active);                                                                        \
    }                                                                                                                  \
    enum avc_result avc_vgic_load_##name(struct avc_vcpu *vcpu, uint64_t esr, struct avc_vgic_bank *b,                 \
                                         uint32_t offset)                                                              \
    {                                                                                                                  \
        uint32_t value;                                                                                                \
                                                                                                                       \
        (void)offset;                                                                                                  \
        if (avc_unlikely(!read_state(vcpu, b, is_active, &value)))                                                     \
            return load_inside(vcpu, esr, b, is_active);                                                               \
        return avc_complete_load_word(vcpu, esr, value);                                                               \
    }

READ_STATE(pending, false)
READ_STATE(active, true)

/*
 * The four writes of state. An interrupt in a list register of this CPU is most often changed there. Otherwise it comes
 * back into memory, is changed, and is delivered.
 */
static void ispend(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits)
{
    b->latch |= bits;
    avc_vgic_deliver(op, b, bits);
}

static void icpend(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits)
{
    b->latch &= ~bits;
    b->drop_pending |= bits & b->in_lr; /* those left are in other CPUs' list registers */
    avc_vgic_deliver(op, b, bits);
}

static void isactive(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits)
{
    for (uint32_t idle = b->owner ? 0 : bits & ~b->in_lr & ~b->active; idle; idle &= idle - 1) {
        struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
        unsigned n = (unsigned)__builtin_ctz(idle);

        /* The vCPU that would have taken it will end it. If there is none, any vCPU will do. */
        spis->holder[n] = avc_vgic_target(op->vgic, spis, n);
        if (spis->holder[n] == NONE)
            spis->holder[n] = (uint16_t)op->self->index;
    }
    b->active |= bits;
    avc_vgic_deliver(op, b, bits);
}

typedef void change_fn(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits);

static inline void change_step(struct avc_vgic_op *op, struct avc_vgic_work *work, change_fn *fn)
{
    uint32_t few = avc_vgic_next_few(work);

    avc_vgic_touch(op, work->bank, few);
    fn(op, work->bank, few);
}

#define CHANGE_STEP(name, fn)                                                                                          \
    static void name(struct avc_vgic_op *op, struct avc_vgic_work *work)                                               \
    {                                                                                                                  \
        change_step(op, work, fn);                                                                                     \
    }

CHANGE_STEP(ispend_step, ispend)
CHANGE_STEP(icpend_step, icpend)
CHANGE_STEP(isactive_step, isactive)
CHANGE_STEP(icactive_step, avc_vgic_make_inactive)

static __attribute__((noinline)) enum avc_result change_stirred(struct avc_vgic_cpu *self, struct avc_vgic_bank *b,
                                                                uint32_t bits, change_fn *fn, avc_vgic_step_fn *step)
{
    struct avc_vgic_op op;

    avc_vgic_go_on(&op, self->vgic, self);
    if (avc_unlikely(avc_vgic_many(bits))) {
        avc_vgic_work(&op, &(struct avc_vgic_work){ step, b, .left = bits });
    } else {
        avc_vgic_touch(&op, b, bits);
        fn(&op, b, bits);
    }
    avc_vgic_end(&op);
    return AVC_RESUME;
}

static inline enum avc_result change(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits, uint64_t set,
                                     uint64_t clear, change_fn *fn, avc_vgic_step_fn *step)
{
    avc_lock(&self->vgic->lock);
    bits &= set ? b->valid : avc_vgic_stirred_bits(b); /* one that is neither pending nor active needs no clearing */
    if (avc_unlikely(bits & b->in_lr))
        bits = avc_vgic_lr_edit(self, b, bits, set, clear);
    if (avc_unlikely(bits))
        return change_stirred(self, b, bits, fn, step);
    avc_unlock(&self->vgic->lock);
    return AVC_RESUME;
}

enum avc_result avc_vgic_write_ispend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                      unsigned size, uint64_t value)
{
    (void)offset, (void)size;
    return change(self, b, (uint32_t)value, ICH_LR_PENDING, 0, ispend, ispend_step);
}

enum avc_result avc_vgic_write_icpend(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                      unsigned size, uint64_t value)
{
    (void)offset, (void)size;
    return change(self, b, (uint32_t)value, 0, ICH_LR_PENDING, icpend, icpend_step);
}

enum avc_result avc_vgic_write_isactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                        unsigned size, uint64_t value)
{
    (void)offset, (void)size;
    return change(self, b, (uint32_t)value, ICH_LR_ACTIVE, 0, isactive, isactive_step);
}

enum avc_result avc_vgic_write_icactive(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                        unsigned size, uint64_t value)
{
    (void)offset, (void)size;
    return change(self, b, (uint32_t)value, 0, ICH_LR_ACTIVE, avc_vgic_make_inactive, icactive_step);
}
