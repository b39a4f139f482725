/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The redistributors' frames (IHI 0069, 12.10 and 12.11): per vCPU an RD frame and an SGI frame of 64 KiB each, no LPIs. Any
 * vCPU may access all of them. Widths as in dist.c; GICR_TYPER is read by words or as a doubleword.
 *
 * GICR_WAKER: the handshake works, and nothing depends on it: a vCPU that runs is awake. A guest that was written to run
 * after firmware, which has woken the redistributor, finds interrupts working either way.
 */
#include "emul/vgic/vgic.h"

#define CTLR_RWP (1u << 3)

/* Processor_Number, Last, and the affinity. */
static uint64_t typer(const struct avc_vgic *vgic, const struct avc_vgic_cpu *cpu)
{
    uint64_t m = cpu->mpidr, affinity = AVC_FIELD(m, 39, 32) << 24 | (m & 0xffffff);

    return affinity << 32 | (uint64_t)cpu->index << 8 | (cpu->index == vgic->vm->nr_vcpus - 1 ? 1u << 4 : 0);
}

static enum avc_answer rd_frame(const struct avc_vgic *vgic, struct avc_vgic_cpu *cpu, struct avc_exit *e,
                                uint32_t offset)
{
    if (e->size == 8)
        return avc_done(e, offset == 0x8 ? typer(vgic, cpu) : 0);
    switch (offset) {
    case 0x0:
        return avc_done(e, avc_load_relaxed(&cpu->fold_wanted) ? CTLR_RWP : 0);
    case 0x4:
        return avc_done(e, AVC_VGIC_IIDR);
    case 0x8:
        return avc_done(e, typer(vgic, cpu) & 0xffffffff);
    case 0xc:
        return avc_done(e, typer(vgic, cpu) >> 32);
    case 0x14:
        if (e->write)
            avc_store_relaxed(&cpu->waker, e->value & GICR_WAKER_SLEEP ? GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP : 0);
        return avc_done(e, avc_load_relaxed(&cpu->waker));
    default:
        return avc_done(e, offset >= 0xffd0 ? avc_vgic_id_reg(offset) : 0);
    }
}

static enum avc_answer sgi_frame(struct avc_vgic_cpu *self, struct avc_vgic_cpu *cpu, struct avc_exit *e,
                                 uint32_t offset)
{
    struct avc_vgic_ref ref = avc_vgic_ref_private(cpu);

    if (e->size == 4 && offset >= 0x80 && offset < 0x400 && !(offset & 0x7f))
        return avc_vgic_bank_access(self, &ref, offset >> 7, e);
    if (e->size <= 4 && e->size != 2 && offset >= 0x400 && offset < 0x420)
        return avc_vgic_priority_access(self, &ref, e);
    if (e->size == 4 && (offset == 0xc00 || offset == 0xc04))
        return avc_vgic_config_access(self, &ref, e);
    return avc_done(e, 0);
}

enum avc_answer avc_vgic_redist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = ctx;
    uint64_t at = e->key - vgic->redist_base;
    uint32_t index = (uint32_t)(at / AVC_VGIC_REDIST_SIZE), offset = at & 0xffff;
    struct avc_vgic_cpu *cpu;

    if (index >= vgic->vm->nr_vcpus)
        return AVC_PASS; /* room for vCPUs that were not made: nothing is there */
    cpu = &vgic->cpus[index];
    if (offset & (e->size - 1u))
        return avc_done(e, 0);
    if (at & 0x10000)
        return sgi_frame(avc_vgic_cpu_of(vcpu), cpu, e, offset);
    if (e->size < 4)
        return avc_done(e, 0);
    return rd_frame(vgic, cpu, e, offset);
}
