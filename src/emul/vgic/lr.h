/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * List registers: an interrupt goes into one, and comes back. If a vCPU is loaded here, its list registers are the
 * CPU's. If it is not loaded, they are in memory, lr[], as they were when it was put, and as they will be when it is
 * loaded. Both kinds are called "at hand": no guest instruction changes them now, and no other CPU writes them. List
 * registers of a vCPU that is loaded on another CPU are not at hand.
 *
 * When the guest has ended an interrupt, it stays in its list register until the register or the interrupt is needed.
 * Most interrupts come again.
 *
 * There are no barriers here, and ICH_ELRSR_EL2 may say what was so before the last writes. A list register is used
 * when the guest runs, and the exception return synchronises (IHI 0069, 8.1.6 "Observability of the effects of accesses
 * to the GIC registers"; Arm ARM, "Context synchronization event").
 */
#ifndef AVC_VGIC_LR_H
#define AVC_VGIC_LR_H

#include "emul/vgic/state.h"
#include "hw/ich.h"

/* Reads a list register at hand. */
static inline uint64_t avc_vgic_lr_read(const struct avc_vgic_cpu *cpu, unsigned r)
{
    return avc_likely(cpu->loaded) ? avc_hw_lr_read(r) : cpu->lr[r];
}

static inline void avc_vgic_lr_set(struct avc_vgic_cpu *cpu, unsigned r, uint64_t lr)
{
    cpu->lr[r] = lr;
    if (avc_likely(cpu->loaded))
        avc_hw_lr_write(r, lr);
}

/* The part that all functions share that fill a list register. `lr` has the INTID, the state, and what belongs to
   it. */
static inline void avc_vgic_lr_write(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, unsigned r,
                                     uint64_t lr)
{
    lr |= ICH_LR_PRIORITY(b->priority[n]) | (b->group >> n & UINT64_C(1)) * ICH_LR_GROUP;
    b->in_lr |= 1u << n;
    b->at[n] = (uint8_t)r;
    self->lr[r] = lr;
    self->lr_used |= 1u << r;
    avc_hw_lr_write(r, lr);
}

/* Puts interrupt n of the bank, which is in memory and in no queue, into list register r, which is free. */
void avc_vgic_lr_put(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, unsigned r);
/* Takes interrupt n back from a list register of cpu, at hand, with what the guest has made of it. */
void avc_vgic_lr_take(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n);
/* Does the same for the interrupt in list register r. Returns its INTID. */
uint32_t avc_vgic_lr_take_at(struct avc_vgic_cpu *cpu, unsigned r);

/* Does the same for an interrupt that the guest has ended, and about which nothing in memory has changed. There is
   nothing to deliver, and the caller fills the register again. */
static inline void avc_vgic_lr_evict(struct avc_vgic_cpu *self, unsigned r)
{
    uint32_t intid = ICH_LR_VINTID(self->lr[r]), keep = ~(1u << intid % 32);
    struct avc_vgic_bank *b = avc_vgic_bank_of(self, intid);

    b->in_lr &= keep;
    b->moved &= keep;
    b->linked &= keep; /* the guest's end of interrupt has ended the physical one */
    if (intid >= GIC_NR_PRIVATE) {
        struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

        spis->holder[intid % 32] = NONE;
        if (spis->route[intid % 32] & GICD_IROUTER_IRM)
            spis->target[intid % 32] = NONE;
    }
}

/* Returns list registers in use whose interrupt the guest has ended, and that ask for no maintenance interrupt. */
static inline uint32_t avc_vgic_lr_through(const struct avc_vgic_cpu *self)
{
    return (uint32_t)avc_hw_read_ICH_ELRSR_EL2() & self->lr_used;
}

/* Returns the first of `lrs`, which are some, from list register `next` on, around. */
static inline unsigned avc_vgic_lr_from(uint32_t lrs, unsigned next)
{
    lrs = lrs >> (next & 31) | lrs << (-next & 31);
    return (next + (unsigned)__builtin_ctz(lrs)) & 31;
}

/* Chooses one of those for another interrupt, in turn, or returns ~0. It takes the virtual timer's, which comes most
   often, only if there is no other. Nothing in memory has changed about its interrupt, or the register would be
   marked. `fresh`: this trap has written no list register, so that what ICH_ELRSR_EL2 says is so. Otherwise a register
   that was written a moment ago may still be said to be empty: only a read of itself tells. */
static inline unsigned avc_vgic_lr_victim(struct avc_vgic_cpu *self, bool fresh)
{
    uint32_t through = avc_vgic_lr_through(self) & ~(self->lr_look | self->lr_pend), others;
    unsigned next = self->lr_next, r;

    if (avc_unlikely(!through))
        return ~0u;
    if (self->bank.in_lr >> AVC_VGIC_VTIMER_INTID & 1) {
        others = through & ~(1u << self->bank.at[AVC_VGIC_VTIMER_INTID]);
        through = avc_likely(others) ? others : through;
    }
    r = avc_vgic_lr_from(through, next);
    while (!fresh && avc_unlikely(avc_hw_lr_read(r) & ICH_LR_STATE)) {
        through &= ~(1u << r);
        if (!through)
            return ~0u;
        r = avc_vgic_lr_from(through, next);
    }
    self->lr_next = (uint8_t)(r + 1);
    return r;
}

/* Returns a list register of self that is free, or ~0. If none is, it frees one. `fresh`: see above. */
static inline unsigned avc_vgic_lr_free(struct avc_vgic_cpu *self, bool fresh)
{
    uint32_t free = ~self->lr_used & self->lr_all;
    unsigned r;

    if (avc_likely(free))
        return (unsigned)__builtin_ctz(free);
    r = avc_vgic_lr_victim(self, fresh);
    if (r != ~0u)
        avc_vgic_lr_evict(self, r);
    return r;
}

/* Rewrites list register r of self, which is loaded: the guest's state in it, and what was written else. (If the guest
   had ended the interrupt before the vCPU came here, the CPU's register has no state, and anything else.) */
static inline void avc_vgic_lr_change(struct avc_vgic_cpu *self, unsigned r, uint64_t set, uint64_t clear)
{
    uint64_t lr = (self->lr[r] & ~ICH_LR_STATE) | (avc_hw_lr_read(r) & ICH_LR_STATE);

    avc_vgic_lr_set(self, r, (lr & ~clear) | set);
}

/* Takes interrupt n back from a list register of self, where it is pending and no more. */
static inline void avc_vgic_lr_drop(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n)
{
    unsigned r = b->at[n];
    uint32_t bit = 1u << n;

    self->lr_used &= ~(1u << r);
    b->in_lr &= ~bit;
    b->latch |= b->moved & bit;
    b->moved &= ~bit;
    if (!b->owner)
        avc_vgic_spis_of(b)->holder[n] = NONE;
    avc_vgic_lr_set(self, r, 0);
}

/* Does interrupt n, in a list register of cpu, concern that register only? It does if no other CPU has asked for
   anything, nothing waits for a register, and an SPI stays with this vCPU. */
static inline bool avc_vgic_lr_stays(const struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n)
{
    const struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

    if (cpu->spilled || ((cpu->lr_look | cpu->lr_pend) >> b->at[n] & 1))
        return false;
    if (b->owner)
        return b->owner == cpu;
    return spis->holder[n] == cpu->index && spis->target[n] == cpu->index && !(spis->route[n] & GICD_IROUTER_IRM);
}

/*
 * Sets and clears ICH_LR<n>_EL2.State of those of `bits` that are in list registers of self, and that may stay there:
 * they are not linked, and no level brings them back at their end. Returns the others.
 */
static inline uint32_t avc_vgic_lr_edit(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits, uint64_t set,
                                        uint64_t clear)
{
    uint32_t in = bits & b->in_lr & ~b->latch; /* latched: active, and pending while its group is off */

    if (set & ICH_LR_PENDING)
        in &= avc_vgic_enabled_bits(self->vgic, b);
    for (; in; in &= in - 1) {
        unsigned n = (unsigned)__builtin_ctz(in), r = b->at[n];
        uint32_t bit = in & -in;

        if (!avc_vgic_lr_stays(self, b, n) || self->lr[r] & (ICH_LR_HW | ICH_LR_EOI))
            continue;
        if (set & ICH_LR_PENDING)
            b->moved |= bit;
        if (clear & ICH_LR_PENDING)
            b->moved &= ~bit;
        avc_vgic_lr_change(self, r, set, clear);
        bits &= ~bit;
    }
    return bits;
}

/*
 * Interrupt n of the bank, which is in a list register at hand, comes again. It is made pending once more, as it was
 * written, or pending and active. Returns false if it must come back into memory first: another CPU has changed
 * something about it, or the register was written with more than a pending state. `hw`: it is linked. Then the guest
 * must have ended the last one (IHI 0069, ICH_LR<n>_EL2.State: never pending and active with HW=1).
 *
 * Some changes would make a new list register differ: of group, priority, route or GICD_CTLR. Each of these has touched
 * the interrupt, so that it has left this register, or has marked the register from another CPU. So has a write that
 * disabled a pending or linked interrupt.
 */
static inline __attribute__((always_inline)) bool
avc_vgic_lr_again_at(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n, bool hw, bool loaded)
{
    unsigned r = b->at[n];
    uint64_t was = cpu->lr[r], lr;

    if (avc_unlikely(cpu->lr_look >> r & 1) || avc_unlikely(cpu->spilled)) /* spilled: others may come first */
        return false;
    lr = loaded ? avc_hw_lr_read(r) : cpu->lr[r];
    if (avc_unlikely(hw ? !(was & ICH_LR_HW) || (lr & ICH_LR_STATE) : (was & (ICH_LR_HW | ICH_LR_EOI)) != 0))
        return false;
    if (avc_unlikely(!(avc_vgic_enabled_bits(cpu->vgic, b) >> n & 1)))
        return false;
    if (!hw)
        b->moved |= 1u << n;
    lr = (was & ~ICH_LR_ACTIVE) | (lr & ICH_LR_ACTIVE) | ICH_LR_PENDING;
    cpu->lr[r] = lr;
    if (loaded)
        avc_hw_lr_write(r, lr);
    return true;
}

static inline bool avc_vgic_lr_again(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n, bool hw)
{
    return avc_likely(cpu->loaded) ? avc_vgic_lr_again_at(cpu, b, n, hw, true)
                                   : avc_vgic_lr_again_at(cpu, b, n, hw, false);
}

/*
 * Interrupt n of the bank comes to self, which is loaded, and is in no list register. Makes it pending in one. `lr` has
 * its link, or says that it is a level. Returns false if the slow path must find out how and when it is signalled: it
 * was pending or active already, or no register is to be had. (One that is enabled, and pending or active, is in a list
 * register or in a queue between operations.)
 */
static inline bool avc_vgic_lr_new(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, uint64_t lr,
                                   bool fresh)
{
    uint32_t bit = 1u << n;
    bool own = b == &self->bank;
    unsigned r;

    if ((b->queued | (lr & ICH_LR_HW ? b->linked | b->line : 0)) & bit ||
        !(avc_vgic_enabled_bits(self->vgic, b) & bit) || self->spilled)
        return false;
    r = avc_vgic_lr_free(self, fresh);
    if (r == ~0u)
        return false;
    if (lr & ICH_LR_HW)
        b->linked |= bit;
    else if (!(lr & ICH_LR_EOI))
        b->moved |= bit;
    if (!own)
        avc_vgic_spis_of(b)->holder[n] = (uint16_t)self->index;
    avc_vgic_lr_write(self, b, n, r, lr | ICH_LR_PENDING | (own ? n : b->base + n));
    return true;
}

/* Sets ICH_HCR_EL2: maintenance interrupts and traps, by what did not get a list register. */
void avc_vgic_lr_control(struct avc_vgic_cpu *self, uint64_t vmcr, bool more_pending, bool more_active);

/* Switches maintenance interrupts off, in the middle of an operation that changes list registers: the library would
   take its own interrupt for the host's. The guest does not run until the list registers have been filled, and
   avc_vgic_lr_control() was called. */
void avc_vgic_lr_quiet(struct avc_vgic_cpu *self);

/* Finds out what this CPU has, before `cpu` is loaded on it. Returns the list registers in use that the CPU lacks. */
uint32_t avc_vgic_lr_moved(struct avc_vgic_cpu *cpu);
/* Move the virtual interface into the CPU, and out of it. */
void avc_vgic_lr_load(struct avc_vgic_cpu *self);
void avc_vgic_lr_save(struct avc_vgic_cpu *self);

#endif
