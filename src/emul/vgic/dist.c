/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The distributor's frame (IHI 0069, 12.9): one security state (DS=1), affinity routing on (ARE=1), no message-based SPIs,
 * no extended ranges.
 *
 * Widths (12.1.3): words everywhere; bytes for priorities; doublewords for GICD_IROUTER<n>. For any other width, for what
 * is not aligned, and for reserved registers the specification leaves the choice, which is: reads as zero, write ignored.
 * GICD_*<0> of the banked registers belong to the redistributors when ARE is 1, and are reserved here.
 */
#include "emul/vgic/vgic.h"

#define IROUTER_FIELDS (MPIDR_AFFINITY | ROUTE_IRM)

/* Peripheral ID 2: architecture revision 3. Component IDs as for any such component (IHI 0069, and CoreSight). */
uint32_t avc_vgic_id_reg(uint32_t offset)
{
    switch (offset) {
    case 0xffe8:
        return 0x30;
    case 0xfff0:
        return 0x0d;
    case 0xfff4:
        return 0xf0;
    case 0xfff8:
        return 0x05;
    case 0xfffc:
        return 0xb1;
    default:
        return 0;
    }
}

static void write_ctlr(struct avc_vgic *vgic, struct avc_vgic_cpu *self, uint32_t value)
{
    struct avc_vgic_op op;

    value &= GICD_CTLR_GRP0 | GICD_CTLR_GRP1;
    avc_vgic_begin(&op, vgic, self, false);
    if (value != vgic->ctlr) {
        avc_vgic_kick_all(&op); /* folds ours before the change */
        avc_store_relaxed(&vgic->ctlr, value);
    }
    avc_vgic_end(&op);
}

static void write_route(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, unsigned n, uint64_t route)
{
    struct avc_vgic_op op;

    avc_vgic_begin(&op, self->vgic, self, false);
    if (route != ref->spis->route[n]) {
        avc_vgic_touch(&op, ref, 1u << n);
        ref->spis->route[n] = route;
        ref->spis->target[n] = avc_vgic_target(self->vgic, route);
        avc_vgic_deliver(&op, ref, 1u << n);
    }
    avc_vgic_end(&op);
}

/* 0x6000 .. 0x7fff: 8 bytes for each INTID from 0, the first 32 reserved. */
static enum avc_answer router(struct avc_vgic *vgic, struct avc_vgic_cpu *self, struct avc_exit *e, uint32_t offset)
{
    uint32_t intid = (offset - 0x6000) / 8, shift = offset & 4 ? 32 : 0;
    struct avc_vgic_ref ref;
    uint64_t route, mask = e->size == 8 ? ~UINT64_C(0) : UINT64_C(0xffffffff) << shift;

    if (intid < 32 || intid - 32 >= vgic->nr_spis)
        return avc_done(e, 0);
    ref = avc_vgic_ref_spis(vgic, intid / 32 - 1);
    route = avc_load_relaxed(&ref.spis->route[intid % 32]);
    if (!e->write)
        return avc_done(e, (route & mask) >> (e->size == 8 ? 0 : shift));
    route = (route & ~mask) | (e->value << (e->size == 8 ? 0 : shift) & mask);
    write_route(self, &ref, intid % 32, route & IROUTER_FIELDS);
    return AVC_DONE;
}

enum avc_answer avc_vgic_dist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *self;
    uint32_t offset = e->key & (AVC_VGIC_DIST_SIZE - 1), block = offset >> 7, bank;
    bool word = e->size == 4 && !(offset & 3);
    struct avc_vgic_ref ref;

    self = avc_vgic_cpu_of(vcpu);
    if (word && block == 0) {
        if (e->write && offset == 0)
            write_ctlr(vgic, self, (uint32_t)e->value);
        return avc_done(e, avc_vgic_dist_control(vgic, offset));
    }
    if (word && block < 8) { /* a bit each: 0x080 .. 0x3ff */
        bank = offset >> 2 & 31;
        if (bank - 1 >= vgic->nr_banks)
            return avc_done(e, 0);
        ref = avc_vgic_ref_spis(vgic, bank - 1);
        return avc_vgic_bank_access(self, &ref, block, e);
    }
    if ((word || e->size == 1) && offset >= 0x400 && offset < 0x800) { /* a byte each */
        bank = (offset - 0x400) >> 5;
        if (bank - 1 >= vgic->nr_banks)
            return avc_done(e, 0);
        ref = avc_vgic_ref_spis(vgic, bank - 1);
        return avc_vgic_priority_access(self, &ref, e);
    }
    if (word && offset >= 0xc00 && offset < 0xd00) { /* two bits each */
        bank = (offset - 0xc00) >> 3;
        if (bank - 1 >= vgic->nr_banks)
            return avc_done(e, 0);
        ref = avc_vgic_ref_spis(vgic, bank - 1);
        return avc_vgic_config_access(self, &ref, e);
    }
    if ((word || (e->size == 8 && !(offset & 7))) && offset >= 0x6000 && offset < 0x8000)
        return router(vgic, self, e, offset);
    if (word && offset >= 0xffd0)
        return avc_done(e, avc_vgic_id_reg(offset));
    return avc_done(e, 0);
}
