/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vGIC on the light way: what kernels do most, and what needs no more than a few words of memory. Whatever is not quite
 * that is left to the full way, undone. Compiled like core/exit/fast.c: nothing here may call code that is not.
 */
#include "core/exit/event.h"
#include "emul/vgic/vgic.h"

/* An SGI comes again whose last one the guest is through with, and whose list register, 1, nobody has looked at since. Safe
   without the lock for the reasons of avc_vgic_vtimer_again(). */
static bool again(struct avc_vgic_cpu *self, uint32_t intid)
{
    uint64_t lr = self->lr[1];

    if (!(self->bank.in_lr >> intid & 1) || LR_VINTID(lr) != intid ||
        (lr & (LR_STATE | LR_HW | LR_EOI)) != LR_PENDING || !(self->lr_used >> 1 & 1) || self->spilled ||
        avc_load_relaxed(&self->fold_wanted) || avc_hw_read_ICH_LR1_EL2() & LR_STATE)
        return false;
    avc_hw_write_ICH_LR1_EL2(lr);
    return true;
}

/* ICC_SGI1R_EL1 for the writer alone, again: what kernels do to run something later on their own CPU. Its first SGI has
   found list register 1 free, when nothing else was pending: see avc_vgic_inject(). */
static uint64_t sgi1r(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t value = vcpu->x[ISS_RT(esr)];

    (void)entry;
    if ((value & ~SGI_INTID_FIELD) != self->sgi_self || !avc_light_can() || !again(self, SGI_INTID(value)))
        return HW_SLOW;
    return avc_light_done(vcpu);
}

const struct avc_sysreg_write avc_vgic_sgi1r = { sgi1r, avc_vgic_sgi };

/* The usual write to an enable register of SPIs: none of these is pending or in a list register. False: the long way. */
static bool enable_only(struct avc_vgic *vgic, struct avc_vgic_bank *b, uint32_t bits, bool set)
{
    bool simple;

    avc_lock(&vgic->lock);
    simple = !(bits & (b->in_lr | b->latch | b->line));
    if (simple)
        b->enable = set ? b->enable | bits : b->enable & ~bits;
    avc_unlock(&vgic->lock);
    return simple;
}

/* Asks what there is; or switches interrupts on or off that are neither pending nor in a list register. */
static uint64_t dist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint32_t offset = (uint32_t)avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) & (AVC_VGIC_DIST_SIZE - 1), bank;

    if (avc_unlikely(!avc_mmio_is_word(esr) || offset & 3 || !avc_light_can() || !avc_sctlr_is_little(avc_sctlr(vcpu))))
        return HW_SLOW;
    if (!(esr & ISS_WNR)) {
        if (offset >= 0x80)
            return HW_SLOW;
        vcpu->x[ISS_SRT(esr)] = avc_vgic_dist_control(vgic, offset);
        return avc_light_done(vcpu);
    }
    bank = (offset >> 2 & 31) - 1;
    if (offset >> 8 != 1 || bank >= vgic->nr_banks ||
        !enable_only(vgic, &vgic->spis[bank].bank, (uint32_t)vcpu->x[ISS_SRT(esr)] & avc_vgic_valid(vgic, bank),
                     !(offset & 0x80)))
        return HW_SLOW;
    return avc_light_done(vcpu);
}

const struct avc_mmio avc_vgic_dist = { dist, avc_vgic_dist_access };
