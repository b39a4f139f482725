/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * List registers of the vCPU that is loaded on this CPU ("self"): an interrupt goes into one, and comes back into memory. No
 * guest instruction changes a list register in between, and no other CPU writes one.
 *
 * A list register whose interrupt the guest is through with keeps it, until somebody needs the register or the interrupt:
 * most come again.
 *
 * No barriers here: a list register is used when the guest runs, and the exception return synchronises (IHI 0069, 8.1.6
 * "Observability of the effects of accesses to the GIC registers"; Arm ARM, "Context synchronization event").
 */
#ifndef AVC_VGIC_LR_H
#define AVC_VGIC_LR_H

#include "emul/vgic/state.h"
#include "hw/ich.h"

/* Interrupt n of the bank, which is in memory and in no queue, goes into list register r, which is free. */
void avc_vgic_lr_put(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, unsigned r);
/* Interrupt n, which is in a list register of self, comes back, with what the guest has made of it. */
void avc_vgic_lr_take(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n);
/* The same for whatever is in list register r: its INTID. */
uint32_t avc_vgic_lr_take_at(struct avc_vgic_cpu *self, unsigned r);

/* Those in use whose interrupt the guest is through with, and that ask for no maintenance interrupt. */
static inline uint32_t avc_vgic_lr_through(const struct avc_vgic_cpu *self)
{
    return (uint32_t)avc_hw_read_ICH_ELRSR_EL2() & self->lr_used;
}

/*
 * Interrupt n of the bank, which is in a list register of self, comes again: pending once more, as it was written, or pending and
 * active. False: it must come back into memory first, for another CPU has changed something about it, or the register was
 * written as something else than just pending. `hw`: it is linked; then the guest must be through with the last one (IHI
 * 0069, ICH_LR<n>_EL2.State: never pending and active with HW=1).
 *
 * Whatever else would make a new list register differ (enable, group, priority, route, GICD_CTLR) has touched the interrupt, so
 * that it is no longer in this one, or has marked the register from another CPU.
 */
static inline bool avc_vgic_lr_again(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, bool hw)
{
    unsigned r = b->at[n];
    uint64_t was = self->lr[r], lr;

    if (avc_unlikely(self->lr_look >> r & 1) || avc_unlikely(self->spilled)) /* spilled: others may come first */
        return false;
    lr = avc_hw_lr_read(r);
    if (avc_unlikely(hw ? !(was & ICH_LR_HW) || (lr & ICH_LR_STATE) : (was & (ICH_LR_HW | ICH_LR_EOI)) != 0))
        return false;
    if (!hw)
        b->moved |= 1u << n;
    was = (was & ~ICH_LR_ACTIVE) | (lr & ICH_LR_ACTIVE) | ICH_LR_PENDING;
    self->lr[r] = was;
    avc_hw_lr_write(r, was);
    return true;
}

/* ICH_HCR_EL2: maintenance interrupts and traps, by what did not get a list register. */
void avc_vgic_lr_control(struct avc_vgic_cpu *self, uint64_t vmcr, bool more_pending, bool more_active);

/* What of the interface is not in list registers: in, and out. After load everything is in memory. */
void avc_vgic_lr_load(struct avc_vgic_cpu *self);
void avc_vgic_lr_save(struct avc_vgic_cpu *self);

#endif
