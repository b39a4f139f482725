/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vGIC on the light way: what kernels do most, and what needs no more than a few words of memory. Whatever is not quite
 * that is left to the full way, undone. Compiled like core/fast.c: nothing here may call code that is not.
 */
#include "event.h"
#include "vgic.h"

/* ICC_SGI1R_EL1 for the writer alone, again: what kernels do to run something later on their own CPU. Its first SGI has
   found list register 1 free, when nothing else was pending: see avc_vgic_inject(). */
static uint64_t sgi1r(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_slot *slot)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t value = vcpu->x[ISS_RT(esr)];

    (void)slot;
    if ((value & ~SGI_INTID_FIELD) != self->sgi_self || !avc_light_can() ||
        !avc_vgic_again(self, 1, SGI_INTID(value), LR_PENDING))
        return HW_SLOW;
    return avc_light_done(vcpu);
}

const struct avc_sysreg_write avc_vgic_sgi1r = { sgi1r, avc_vgic_sgi };

/* Asks what there is; or switches interrupts on or off that are neither pending nor in a list register. */
static uint64_t dist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_slot *slot)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint32_t offset = (uint32_t)avc_mmio_ipa(slot, avc_hw_read_FAR_EL2()) & (AVC_VGIC_DIST_SIZE - 1), bank;

    /* a word, and not sign-extended */
    if (avc_unlikely((esr & (ISS_SSE | UINT64_C(3) << 22)) != UINT64_C(2) << 22 || offset & 3 || !avc_light_can() ||
                     avc_big_endian(vcpu, 0)))
        return HW_SLOW;
    if (!(esr & ISS_WNR)) {
        if (offset >= 0x80)
            return HW_SLOW;
        vcpu->x[ISS_SRT(esr)] = avc_vgic_dist_control(vgic, offset);
        return avc_light_done(vcpu);
    }
    bank = (offset >> 2 & 31) - 1;
    if (offset >> 8 != 1 || bank >= vgic->nr_banks ||
        !avc_vgic_enable_only(vgic, &vgic->spis[bank].bank,
                              (uint32_t)vcpu->x[ISS_SRT(esr)] & avc_vgic_valid(vgic, bank), !(offset & 0x80)))
        return HW_SLOW;
    return avc_light_done(vcpu);
}

const struct avc_mmio avc_vgic_dist = { dist, avc_vgic_dist_access };
