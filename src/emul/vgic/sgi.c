/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The CPU interface's registers that trap: SGIs always (HCR_EL2.IMO and FMO make them), deactivation and, where that alone
 * cannot be trapped, the registers common to both groups while ICH_HCR_EL2 says so. All others are the hardware's.
 */
#include "emul/vgic/vgic.h"

#define SGI_LIST(v) ((uint32_t)AVC_FIELD(v, 15, 0))
#define SGI_RS(v)   AVC_FIELD(v, 47, 44)
#define SGI_IRM     AVC_BIT(40)

/* With one security state SGI1R makes an SGI of whichever group the target has configured for it, and SGI0R one of group 0
   only; ASGI1R is the other security state's group 1, of which there is none: as SGI0R (IHI 0069, 12.2.9 to 12.2.14). */
enum { ICC_SGI1R = 5, ICC_ASGI1R = 6, ICC_SGI0R = 7 };

static void pend(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, uint32_t bit, bool any_group)
{
    struct avc_vgic_ref ref = avc_vgic_ref_private(cpu);

    if ((ref.bank->group & bit) && !any_group)
        return;
    avc_vgic_touch(op, &ref, bit);
    if (ref.bank->latch & bit)
        return; /* pending already, and told */
    ref.bank->latch |= bit;
    avc_vgic_deliver(op, &ref, bit);
}

/* Affinity 3.2.1 as in MPIDR_EL1, and Aff0 of the first of 16 in the list. */
static uint64_t base_of(uint64_t v)
{
    return AVC_FIELD(v, 55, 48) << 32 | AVC_FIELD(v, 39, 32) << 16 | AVC_FIELD(v, 23, 16) << 8 | SGI_RS(v) << 4;
}

uint64_t avc_vgic_sgi_to(uint64_t mpidr)
{
    return AVC_FIELD(mpidr, 39, 32) << 48 | AVC_FIELD(mpidr, 23, 16) << 32 | AVC_FIELD(mpidr, 15, 8) << 16 |
           AVC_FIELD(mpidr, 7, 4) << 44 | UINT64_C(1) << (mpidr & 15);
}

enum avc_answer avc_vgic_sgi(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    bool any_group = (e->key & 7) == ICC_SGI1R, all = e->value & SGI_IRM, to_self;
    uint64_t base = base_of(e->value);
    uint32_t list = SGI_LIST(e->value), bit = 1u << SGI_INTID(e->value), nr = vgic->vm->nr_vcpus;
    struct avc_vgic_op op;

    if (!e->write)
        return AVC_FAULT; /* write-only */
    (void)ctx;
    to_self = !all && (self->mpidr & ~UINT64_C(15)) == base && list >> (self->mpidr & 15) & 1;
    if (to_self)
        list &= ~(1u << (self->mpidr & 15));
    avc_vgic_begin(&op, vgic, self, false);
    if (to_self)
        pend(&op, self, bit, any_group);
    if (all || list)
        for (uint32_t n = 0; n < nr; n++) {
            struct avc_vgic_cpu *cpu = &vgic->cpus[n];

            if (cpu != self && (all || ((cpu->mpidr & ~UINT64_C(15)) == base && list >> (cpu->mpidr & 15) & 1)))
                pend(&op, cpu, bit, any_group);
        }
    avc_vgic_end(&op);
    return AVC_DONE;
}

/* ---- while ICH_HCR_EL2.TDIR or TC traps ---- */

static enum avc_answer dir(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = ctx;
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint32_t intid = (uint32_t)e->value & 0xffffff;
    struct avc_vgic_ref ref;
    struct avc_vgic_op op;

    if (!e->write)
        return AVC_FAULT;
    if (intid >= 32 + vgic->nr_spis || !(avc_hw_read_ICH_VMCR_EL2() & VMCR_EOIM))
        return AVC_DONE;
    ref = avc_vgic_ref_of(self, intid);
    avc_vgic_begin(&op, vgic, self, false);
    avc_vgic_deactivate(&op, &ref, 1u << intid % 32);
    avc_vgic_end(&op);
    return AVC_DONE;
}

/* ICC_PMR_EL1, ICC_CTLR_EL1, ICC_RPR_EL1: in ICH_VMCR_EL2 and the active priorities, live. */
static enum avc_answer pmr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_vgic *vgic = ctx;
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2();

    (void)vcpu;
    if (!e->write)
        return avc_done(e, VMCR_PMR(vmcr));
    avc_hw_write_ICH_VMCR_EL2((vmcr & ~(UINT64_C(0xff) << 24)) | (e->value & vgic->pri_mask) << 24);
    return AVC_DONE;
}

static enum avc_answer rpr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t ap0[4] = { 0 }, ap1[4] = { 0 };

    (void)ctx;
    if (e->write)
        return AVC_FAULT;
    avc_hw_apr_read(ap0, ap1, self->nr_apr);
    return avc_done(e, avc_vgic_running(ap0, ap1, self->pre_bits));
}

#define CTLR_CBPR    AVC_BIT(0)
#define CTLR_EOIMODE AVC_BIT(1)

static enum avc_answer ctlr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = ctx;
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2(), vtr = avc_hw_read_ICH_VTR_EL2();
    struct avc_vgic_op op;

    if (!e->write) /* PRIbits, IDbits, SEIS and A3V are the hardware's */
        return avc_done(e, (vmcr & VMCR_CBPR ? CTLR_CBPR : 0) | (vmcr & VMCR_EOIM ? CTLR_EOIMODE : 0) |
                               AVC_FIELD(vtr, 31, 29) << 8 | AVC_FIELD(vtr, 25, 23) << 11 |
                               AVC_FIELD(vtr, 22, 22) << 14 | AVC_FIELD(vtr, 21, 21) << 15);
    vmcr &= ~(VMCR_CBPR | VMCR_EOIM);
    vmcr |= (e->value & CTLR_CBPR ? VMCR_CBPR : 0) | (e->value & CTLR_EOIMODE ? VMCR_EOIM : 0);
    avc_vgic_begin(&op, vgic, self, false);
    avc_hw_write_ICH_VMCR_EL2(vmcr);
    avc_vgic_fold(&op); /* what traps depends on EOImode */
    avc_vgic_end(&op);
    return AVC_DONE;
}

enum avc_status avc_vgic_sgi_attach(struct avc_vgic *vgic)
{
    static const struct {
        uint32_t first, last;
        avc_claim_fn *fn;
    } claims[] = {
        { AVC_SYSREG_KEY(3, 0, 12, 11, ICC_ASGI1R), AVC_SYSREG_KEY(3, 0, 12, 11, ICC_SGI0R), avc_vgic_sgi },
        { AVC_SYSREG_KEY(3, 0, 12, 11, 1), AVC_SYSREG_KEY(3, 0, 12, 11, 1), dir },
        { AVC_SYSREG_KEY(3, 0, 12, 11, 3), AVC_SYSREG_KEY(3, 0, 12, 11, 3), rpr },
        { AVC_SYSREG_KEY(3, 0, 12, 12, 4), AVC_SYSREG_KEY(3, 0, 12, 12, 4), ctlr },
        { AVC_SYSREG_KEY(3, 0, 4, 6, 0), AVC_SYSREG_KEY(3, 0, 4, 6, 0), pmr },
    };
    const uint32_t key = AVC_SYSREG_KEY(3, 0, 12, 11, ICC_SGI1R);
    enum avc_status status =
        avc_vm_claim_builtin(vgic->vm, &(struct avc_claim){ AVC_SYSREG | AVC_CLAIM_FAST, key, key, avc_vgic_sgi,
                                                            (void *)(uintptr_t)&avc_vgic_sgi1r_fast });

    for (unsigned n = 0; n < AVC_ARRAY_SIZE(claims) && status == AVC_OK; n++)
        status = avc_vm_claim_builtin(
            vgic->vm, &(struct avc_claim){ AVC_SYSREG, claims[n].first, claims[n].last, claims[n].fn, vgic });
    return status;
}
