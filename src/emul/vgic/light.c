/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vGIC on the light way: what kernels do most, and what needs no more than a few words of memory. Whatever is not quite
 * that is left to the full way, undone. Compiled like core/exit/fast.c: nothing here may call code that is not.
 */
#include "core/claim/index.h"
#include "core/exit/complete.h"
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
static enum avc_result sgi1r(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t value = avc_vcpu_gpr(vcpu, (unsigned)ISS_RT(esr));

    (void)entry;
    if (esr & ISS_READ || (value & ~SGI_INTID_FIELD) != self->sgi_self || !again(self, SGI_INTID(value)))
        return AVC_SLOW;
    return avc_complete_msr(esr);
}

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
static enum avc_result dist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint32_t offset = (uint32_t)avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) & (AVC_VGIC_DIST_SIZE - 1), bank;

    if (avc_unlikely(!avc_mmio_is_word(esr) || offset & 3))
        return AVC_SLOW;
    if (!(esr & ISS_WNR)) {
        if (offset >= 0x80)
            return AVC_SLOW;
        return avc_complete_load(vcpu, esr, avc_vgic_dist_control(vgic, offset));
    }
    bank = (offset >> 2 & 31) - 1;
    if (offset >> 8 != 1 || bank >= vgic->nr_banks ||
        !enable_only(vgic, &vgic->spis[bank].bank, (uint32_t)avc_mmio_stored(vcpu, esr) & avc_vgic_valid(vgic, bank),
                     !(offset & 0x80)))
        return AVC_SLOW;
    return avc_complete_store(esr);
}

const union avc_fast avc_vgic_dist_fast = { .mmio = dist }, avc_vgic_sgi1r_fast = { .sysreg = sgi1r };
