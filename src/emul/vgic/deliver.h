/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What an operation does with interrupts: touch them, change something about them, deliver them. touch() brings them out of
 * list registers and queues, deliver() puts those that are pending or active where they belong now: into a free list register,
 * if it is this CPU's turn, or into a queue; and remembers whom to tell.
 *
 * The list registers of a vCPU that is loaded elsewhere are its CPU's. What is changed about an interrupt in one of them is
 * changed in memory, the register is marked (lr_look), and the vCPU is kicked: it looks in enter() before it is in its guest
 * again, brings the interrupt back, and delivers it. (An edge needs no more than to be put into the register: lr_pend.) A write to a register that waits for this sets fold_wanted;
 * until it is done GICD_CTLR.RWP and GICR_CTLR.RWP read as 1.
 *
 * Why nothing gets lost: state is changed under the lock, and the vCPUs concerned are told after it is dropped. One that is
 * loaded elsewhere looks in enter(), for avc_vcpu_request() interrupts its guest; one that is not loaded looks in load().
 * Whichever lock comes second sees what the first has written.
 */
#ifndef AVC_VGIC_DELIVER_H
#define AVC_VGIC_DELIVER_H

#include "emul/vgic/lr.h"

/* One operation on the controller; on the stack. */
struct avc_vgic_op {
    struct avc_vgic *vgic;
    struct avc_vgic_cpu *self;  /* loaded on this CPU, its list registers are live; or NULL */
    struct avc_vgic_cpu *kicks; /* others that are to be kicked afterwards: a list, or NULL */
    bool fill;                  /* self's queues are to be looked at; until then interrupts go there */
    bool wake;                  /* self may be blocked */
    bool host;                  /* not a trap of self's: it may be blocked */
};

/* Its list registers are at hand: see lr.h. */
static inline bool avc_vgic_at_hand(const struct avc_vgic_op *op, const struct avc_vgic_cpu *cpu)
{
    return cpu == op->self || !cpu->loaded;
}

/* enter() wanted on that vCPU; `fold`: and somebody waits until it has looked at its list registers. */
void avc_vgic_kick(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool fold);

/* Before anything about interrupts `mask` of the bank changes: into memory, or their CPUs are asked. */
void avc_vgic_touch_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask);
static inline void avc_vgic_touch(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    if (avc_unlikely((b->in_lr | b->queued) & mask))
        avc_vgic_touch_slow(op, b, mask);
}

/* After it: those that are pending and enabled, or active, and not there yet, go where they belong. */
void avc_vgic_deliver_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask);
static inline void avc_vgic_deliver(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t mask)
{
    if (avc_unlikely(avc_vgic_stirred_bits(b) & mask))
        avc_vgic_deliver_slow(op, b, mask);
}

/* What is in these list registers of cpu, at hand, back into memory and delivered. */
void avc_vgic_look(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t lrs);
/* All of self's, and what was in them into queues. */
void avc_vgic_fold(struct avc_vgic_op *op);

/* Edges of interrupts in list registers of self that have come on other CPUs. */
void avc_vgic_pended(struct avc_vgic_op *op);

/* An edge of interrupt n, which is edge-triggered. */
void avc_vgic_pend_slow(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n);
static inline void avc_vgic_pend(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n)
{
    /* a private one, in a list register of this CPU: most come again */
    if (avc_likely(b->in_lr >> n & 1) && b->owner == op->self && avc_likely(avc_vgic_lr_again(op->self, b, n, false)))
        return;
    avc_vgic_pend_slow(op, b, n);
}
/* The level of an input has changed; the end of an edge is nothing to anybody. */
void avc_vgic_line_changed(struct avc_vgic_op *op, struct avc_vgic_bank *b, unsigned n, bool level);
/* Level-sensitive interrupt n, in a list register of cpu, at hand: pending or not, by its line, and whether its end is worth an
   exit. False: there is more to it. */
bool avc_vgic_level(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n);
/* Makes interrupts inactive that were touched. */
void avc_vgic_make_inactive(struct avc_vgic_op *op, struct avc_vgic_bank *b, uint32_t bits);
/* The timer's physical interrupt has come: linked, if it can be, and delivered. False: it is not. */
bool avc_vgic_link(struct avc_vgic_op *op, uint32_t bit);

#endif
