/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Everything happens inside an operation. begin() takes the VM's lock. end() fills the list registers if that is due,
 * and drops the lock. Only then it calls back: it wakes vCPUs and masks PPIs.
 */
#ifndef AVC_VGIC_OP_H
#define AVC_VGIC_OP_H

#include "emul/vgic/deliver.h"
#include "hw/hw.h"

/* Handles ends of interrupt that found no list register, if self has more active interrupts than list registers. */
void avc_vgic_catch_up(struct avc_vgic_op *op);

/* From now on `cpu` is self: it is loaded on this CPU. */
static inline void avc_vgic_op_here(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu)
{
    op->self = cpu;
    if (avc_unlikely(cpu->spilled))
        avc_vgic_catch_up(op);
}

/* Begin an operation. Interrupts are masked. self is the vCPU that is in a trap on this CPU, or is being loaded or
   put, or NULL. The caller of the first already has the lock. */
static inline void avc_vgic_go_on(struct avc_vgic_op *op, struct avc_vgic *vgic, struct avc_vgic_cpu *self)
{
    *op = (struct avc_vgic_op){ .vgic = vgic };
    if (self)
        avc_vgic_op_here(op, self);
}

static inline void avc_vgic_begin(struct avc_vgic_op *op, struct avc_vgic *vgic, struct avc_vgic_cpu *self)
{
    avc_lock(&vgic->lock);
    avc_vgic_go_on(op, vgic, self);
}

void avc_vgic_end_slow(struct avc_vgic_op *op);
static inline void avc_vgic_end(struct avc_vgic_op *op)
{
    const struct avc_vgic_cpu *self = op->self;

    if (avc_unlikely(op->fill || op->wake || op->kicks || (self && self->masked != self->mask_wanted)))
        avc_vgic_end_slow(op);
    else
        avc_unlock(&op->vgic->lock);
}

/* Begins an operation for any caller that has something for a guest, in a trap or not. end_any() gets what this
   returns. */
static inline uint64_t avc_vgic_begin_any(struct avc_vgic_op *op, struct avc_vgic *vgic)
{
    uint64_t daif = avc_hw_irq_save();

    avc_vgic_begin(op, vgic, NULL);
    op->host = true;
    return daif;
}

static inline void avc_vgic_end_any(struct avc_vgic_op *op, uint64_t daif)
{
    avc_vgic_end(op);
    avc_hw_irq_restore(daif);
}

/* Is `cpu` the one of the VM's vCPUs that is loaded on this CPU? Interrupts are masked, the lock is held. */
static inline bool avc_vgic_here(const struct avc_vgic_cpu *cpu)
{
    return cpu->loaded && cpu->on == avc_hw_read_MPIDR_EL1();
}

/* GICD_CTLR was written: work that makes all vCPUs but self look at their list registers. `left` is their number. */
avc_vgic_step_fn avc_vgic_ask_step;
/* Does what other CPUs have asked of self. */
void avc_vgic_asked(struct avc_vgic_op *op);
/* self was kicked, or has work left: does what other CPUs have asked for, and goes on. */
void avc_vgic_enter(struct avc_vgic_op *op);
/* Does all that is left of self's work. */
void avc_vgic_finish(struct avc_vgic_cpu *self);
/* Handles self's list registers that have raised the maintenance interrupt. */
void avc_vgic_maintain(struct avc_vgic_op *op);
/* Would the vCPU signal an interrupt to its guest now? Any CPU may ask. `through`: list registers at hand whose
   interrupt the guest has ended. */
bool avc_vgic_signals(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t through);
/* Returns the priority of what the guest is handling, or 0xff for nothing. */
uint32_t avc_vgic_running(const uint64_t ap0[4], const uint64_t ap1[4], unsigned pre_bits);

#endif
