/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What an operation does with interrupts: it touches them, changes something about them, and delivers them. touch()
 * brings them out of list registers and queues. deliver() puts those that are pending or active where they belong now:
 * into a free list register, if it is this CPU's turn, or into a queue. It also remembers which vCPUs to kick.
 *
 * A CPU alone uses the list registers of the vCPU that is loaded on it. If an interrupt in one of them changes, another
 * CPU changes it in memory, marks the register (lr_look), and kicks the vCPU. The vCPU looks in enter() before it is in
 * its guest again, brings the interrupt back, and delivers it. (An edge only has to be put into the register: lr_pend.)
 * A write to a register that waits for this sets fold_wanted. Until it is done, GICD_CTLR.RWP and GICR_CTLR.RWP read as
 * 1.
 *
 * Nothing gets lost. State is changed under the lock, and the vCPUs that it concerns are kicked after the lock is
 * dropped. A vCPU that is loaded on another CPU looks in enter(), because avc_vcpu_request() interrupts its guest. A
 * vCPU that is not loaded looks in load(). The party that takes the lock second sees what the first has written.
 *
 * Long operations. A guest can concern many interrupts or many vCPUs by one instruction. Such an operation goes on by
 * steps of a few. Between two steps each interrupt is where it belongs, and others may have the lock. If the host has
 * an interrupt then, the operation stops: what is left stays in memory (avc_vgic_cpu.work, and in queues), and a
 * request makes run return. enter() goes on with it, a step at least in each run, before the guest executes another
 * instruction. So the guest, and others, cannot tell this from an instruction that took longer: each interrupt changes
 * once, and in the order of the guest's own instructions. No instruction is done again.
 */
#ifndef AVC_VGIC_DELIVER_H
#define AVC_VGIC_DELIVER_H

#include "core/object/request.h"
#include "emul/vgic/lr.h"

/* One operation on the controller; on the stack. */
struct avc_vgic_op {
    struct avc_vgic *vgic;
    struct avc_vgic_cpu *self;  /* loaded on this CPU, so its list registers are live; or NULL */
    struct avc_vgic_cpu *kicks; /* the vCPUs to kick afterwards: a list, or NULL */
    bool fill;                  /* end() must look at self's queues; until then interrupts go there */
    bool wake;                  /* self may be blocked */
    bool host;                  /* not a trap of self's: it may be blocked */
    bool many;                  /* it has taken a while with the lock */
    bool stop;                  /* the host has an interrupt: enter() does the rest */
    uint8_t sampled;            /* timers in self's queues whose lines fill() has looked at; bit 0: INTID 27 */
};

/* Interrupts, or list registers, that are handled before others may have the lock. */
#define AVC_VGIC_FEW 3

/* Is that more than a few? */
static inline bool avc_vgic_many(uint32_t bits)
{
    if (avc_likely(!(bits & (bits - 1))))
        return false;
    for (unsigned n = 1; n < AVC_VGIC_FEW; n++)
        bits &= bits - 1;
    return bits & (bits - 1);
}

/* Lets others have the lock. Every interrupt is where it belongs. What the caller knows of the state of others, it has
   to look up again. The lock is not fair: without the ISB this CPU would have it again before the store of the one that
   frees it has reached those that wait. */
static inline void avc_vgic_breathe(struct avc_vgic_op *op)
{
    avc_unlock(&op->vgic->lock);
    avc_hw_isb();
    avc_lock(&op->vgic->lock);
}

/* Kicks those that the operation has found, without the lock. The order does not matter: a vCPU that is kicked looks at
   state, not at messages. */
static inline void avc_vgic_call_kicks(struct avc_vgic_op *op)
{
    for (struct avc_vgic_cpu *cpu = op->kicks, *following; cpu; cpu = following) {
        following = cpu->next_told;
        avc_store_release(&cpu->told, false); /* before the kick, see avc_vgic_kick() */
        avc_vcpu_request(cpu->vcpu, AVC_REQUEST_IRQC);
    }
}

/* Does the same between two steps, and kicks those that the last step has found. Returns true if the operation stops
   here. */
bool avc_vgic_pause(struct avc_vgic_op *op);
/* Goes on with self's work, until it is done or the operation stops. */
void avc_vgic_go_on_with(struct avc_vgic_op *op);
/* Begins work. Nothing is left of other work of self's. */
static inline void avc_vgic_work(struct avc_vgic_op *op, const struct avc_vgic_work *work)
{
    op->self->work = *work;
    avc_vgic_go_on_with(op);
}

/* Takes the next few of the interrupts that are left. */
static inline uint32_t avc_vgic_next_few(struct avc_vgic_work *work)
{
    uint32_t left = work->left;

    for (unsigned n = 0; n < AVC_VGIC_FEW; n++)
        left &= left - 1; /* of 0: 0 */
    left = work->left & ~left;
    work->left &= ~left;
    return left;
}

/* Are the list registers of cpu at hand? See lr.h. */
static inline bool avc_vgic_at_hand(const struct avc_vgic_op *op, const struct avc_vgic_cpu *cpu)
{
    return cpu == op->self || !cpu->loaded;
}

/* Makes that vCPU, which is not self, call enter(). `fold`: a register write waits until it has looked at its list
   registers. */
void avc_vgic_kick(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool fold);

/* Called before anything about interrupts `mask` of the bank changes. Brings them into memory, or asks the CPUs
   that have them. */
void avc_vgic_touch_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask);
static inline void avc_vgic_touch(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    if (avc_unlikely((b->in_lr | b->queued) & mask))
        avc_vgic_touch_slow(op, b, mask);
}

/* Called after the change. Delivers those interrupts of `mask` that are pending and enabled, or active, and in no
   list register and no queue. */
void avc_vgic_deliver_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask);
static inline void avc_vgic_deliver(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    if (avc_unlikely(avc_vgic_stirred_bits(b) & mask))
        avc_vgic_deliver_slow(op, b, mask);
}

/* Delivers those of `bits` for which a list register of self is all that it takes, outside of an operation. They are in
   no list register and no queue. Returns the others. */
uint32_t avc_vgic_deliver_here(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bits);

/* Returns the list register of self with the pending interrupt that comes last, and sets *priority. If its group is off
   at the CPU interface, that is more than any other. Returns ~0 if there is none, or if one is pending and active: its
   turn will come when nothing tells. */
unsigned avc_vgic_last_pending(const struct avc_vgic_cpu *self, uint64_t vmcr, uint32_t *priority);

/*
 * SPIs that any vCPU may take (GICD_IROUTER.IRM) go to one that is on, awake, and has their group enabled at its CPU
 * interface. From the first such route on (vgic->any) every loaded vCPU has maintenance interrupts armed that say when
 * it enables or disables a group. So what others know of it is wrong for a moment only, and the vCPU that looks puts it
 * right: it passes on what it does not take, and finds what nobody has taken.
 */
/* The first SPI is routed to any vCPU. */
void avc_vgic_any_begins(struct avc_vgic_op *op);
/* Called when that vCPU may take other groups than before: its power, GICR_WAKER or ICH_VMCR_EL2 have changed. */
void avc_vgic_taker_changed_slow(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint64_t vmcr);
static inline void avc_vgic_taker_changed(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint64_t vmcr)
{
    if (avc_unlikely(op->vgic->any))
        avc_vgic_taker_changed_slow(op, cpu, vmcr);
}
/* Delivers SPIs that have waited for a vCPU, or that wait for one that does not take them. Goes on where the last one
   has stopped. `whole`: an interrupt of the host's does not stop it. */
void avc_vgic_settle(struct avc_vgic_op *op, bool whole);
/* All SPIs are to be looked at. */
static inline void avc_vgic_unsettle(struct avc_vgic *vgic)
{
    vgic->unsettled = vgic->nr_banks;
    vgic->unsettled_bits = 0;
}

static inline bool avc_vgic_unsettled(const struct avc_vgic *vgic)
{
    return vgic->unsettled | vgic->unsettled_bits;
}

/* Takes what is in these list registers of cpu, which are at hand, back into memory and delivers it. */
void avc_vgic_look(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t lrs);
/* Does the same for those of `lrs`, a field of cpu's, one after the other. None of them is filled again. */
void avc_vgic_look_slow(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, const uint32_t *lrs);
static inline void avc_vgic_look_all(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, const uint32_t *lrs)
{
    if (avc_unlikely(*lrs))
        avc_vgic_look_slow(op, cpu, lrs);
}
/* Takes back all list registers of self, and queues what was in them. */
void avc_vgic_fold(struct avc_vgic_op *op);

/* Handles edges that other CPUs have put on interrupts in list registers of self. */
void avc_vgic_pended(struct avc_vgic_op *op);

/* Handles an edge of interrupt n, which is edge-triggered. */
void avc_vgic_pend_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n);
static inline void avc_vgic_pend(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    /* The usual one is a private interrupt that is still in a list register of this CPU. */
    if (avc_likely(b->in_lr >> n & 1) && b->owner == op->self && avc_likely(avc_vgic_lr_again(op->self, b, n, false)))
        return;
    avc_vgic_pend_slow(op, b, n);
}
/* The level of an input has changed. The end of an edge changes nothing. */
void avc_vgic_line_changed(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n, bool level);
/* Follows the line of level-sensitive interrupt n, in a list register of cpu, at hand. Writes whether it is
   pending, and whether its end is worth an exit. Returns false when there is more to do. */
bool avc_vgic_level(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n);
/* Takes back timers whose interrupt is pending in a list register of cpu, which is loaded here, and whose line has
   fallen. Otherwise a guest that waits with interrupts masked would not wait, and one that looks would not see it. */
void avc_vgic_fallen(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu);
/* Makes interrupts inactive that were touched. */
void avc_vgic_make_inactive(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits);
/* The timer's physical interrupt has come. Links it and delivers it. Returns false if it cannot be linked. */
bool avc_vgic_link(struct avc_vgic_op *op, uint32_t bit);

#endif
