/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The CPU interface's registers that trap. SGI registers always do (HCR_EL2.IMO and FMO trap them). While ICH_HCR_EL2
 * says so, ICC_DIR_EL1 does, or, on a CPU that cannot trap that alone, the registers common to both groups. The
 * hardware has all other registers.
 */
#include "emul/vgic/cpuif.h"

#include "core/claim/index.h"
#include "core/exit/complete.h"
#include "emul/vgic/lr.h"
#include "emul/vgic/op.h"

/* With one security state SGI1R makes an SGI of the group that the target has configured for it. SGI0R makes one of
   group 0 only. ASGI1R is for the other security state's group 1. There is none, so it does what SGI0R does (IHI
   0069, 12.2.9 to 12.2.14). */
enum { ICC_SGI1R = 5, ICC_ASGI1R = 6, ICC_SGI0R = 7 };

static inline void pend(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, unsigned intid, bool any_group)
{
    if (avc_likely(any_group) || !(cpu->bank.group >> intid & 1))
        avc_vgic_pend(op, &cpu->bank, intid);
}

/* Sends an SGI to the first of the list, by affinity. */
static inline void send_one(struct avc_vgic_op *op, uint64_t v, uint32_t list, bool any_group)
{
    uint16_t n = avc_vgic_cpu_named(op->vgic, (v & ICC_SGIR_AFFINITY) | (unsigned)__builtin_ctz(list));

    if (avc_likely(n != NONE))
        pend(op, &op->vgic->cpus[n], ICC_SGIR_INTID(v), any_group);
}

/* To more than one: `value` is what was written, and ANY_GROUP. `left` has those of the list that are left, or the
   number of vCPUs that are left of all. */
#define ANY_GROUP AVC_BIT(63)

static void send_step(struct avc_vgic_op *op, struct avc_vgic_work *work)
{
    uint64_t v = work->value;

    if (v & ICC_SGIR_IRM) { /* all but the writer */
        if (--work->left != op->self->index)
            pend(op, &op->vgic->cpus[work->left], ICC_SGIR_INTID(v), v & ANY_GROUP);
    } else {
        send_one(op, v, work->left, v & ANY_GROUP);
        work->left &= work->left - 1;
    }
}

static __attribute__((noinline)) void send_many(struct avc_vgic_op *op, uint64_t v, bool any_group)
{
    struct avc_vgic_work work = {
        send_step,
        .value = (v & ~ANY_GROUP) | (any_group ? ANY_GROUP : 0),
        .left = v & ICC_SGIR_IRM ? (uint32_t)op->vgic->vm->nr_vcpus : ICC_SGIR_TARGETLIST(v),
    };

    if (work.left)
        avc_vgic_work(op, &work);
}

/* Sends an SGI, and is always RESUME. */
static __attribute__((noinline)) enum avc_result send(struct avc_vgic_cpu *self, uint64_t v, bool any_group)
{
    uint32_t list = ICC_SGIR_TARGETLIST(v);
    struct avc_vgic_op op;

    avc_vgic_begin(&op, self->vgic, self);
    if (avc_unlikely(v & ICC_SGIR_IRM || list & (list - 1)))
        send_many(&op, v, any_group);
    else if (avc_likely(list))
        send_one(&op, v, list, any_group);
    avc_vgic_end(&op);
    return AVC_RESUME;
}

static enum avc_answer sgi(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    (void)ctx;
    if (!e->write)
        return AVC_FAULT; /* write-only */
    send(avc_vgic_cpu_of(vcpu), e->value, (e->key & 7) == ICC_SGI1R);
    return AVC_DONE;
}

/* The guest steps: the PC is moved last. */
static __attribute__((noinline)) enum avc_result send_stepping(struct avc_vgic_cpu *self, uint64_t v, uint64_t esr)
{
    send(self, v, true);
    return avc_complete_msr(esr);
}

/* A trapped write of ICC_SGI1R_EL1. A kernel sends SGIs to its own CPU, to run something later. Such an SGI needs
   only a list register, which it most often still has. */
static enum avc_result sgi1r(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t v = avc_gpr(vcpu, ISS_RT(esr));
    unsigned intid = ICC_SGIR_INTID(v);
    bool handled;

    (void)entry;
    if (avc_unlikely(esr & ISS_READ))
        return AVC_SLOW;
    if (avc_unlikely(!avc_pstate_step_is_plain(avc_hw_read_SPSR_EL2())))
        return send_stepping(self, v, esr);
    avc_complete_plain_step();
    if ((v & ~ICC_SGIR_INTID_MASK) != self->alone)
        return send(self, v, true);
    avc_lock(&self->vgic->lock);
    if (avc_likely(self->bank.in_lr >> intid & 1))
        handled = avc_vgic_lr_again_at(self, &self->bank, intid, false, true);
    else
        handled = avc_vgic_lr_new(self, &self->bank, intid, 0, true);
    avc_unlock(&self->vgic->lock);
    return avc_likely(handled) ? AVC_RESUME : send(self, v, true);
}

static const union avc_fast sgi1r_fast = { .sysreg = sgi1r };

/* ---- while ICH_HCR_EL2.TDIR or TC traps ---- */

static enum avc_answer dir(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint32_t intid = ICC_INTID(e->value), bit = 1u << intid % 32;
    struct avc_vgic_bank *b;
    struct avc_vgic_op op;

    (void)ctx;
    if (!e->write)
        return AVC_FAULT;
    if (intid >= GIC_FIRST_SPI + vgic->nr_spis || !(avc_hw_read_ICH_VMCR_EL2() & ICH_VMCR_VEOIM))
        return AVC_DONE;
    b = avc_vgic_bank_of(self, intid);
    avc_vgic_begin(&op, vgic, self);
    avc_vgic_touch(&op, b, bit);
    avc_vgic_make_inactive(&op, b, bit);
    avc_vgic_end(&op);
    return AVC_DONE;
}

/* ICC_PMR_EL1, ICC_CTLR_EL1 and ICC_RPR_EL1 are in ICH_VMCR_EL2 and the active priorities, live. */
static enum avc_answer pmr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2(), priority;

    (void)vcpu, (void)ctx;
    if (!e->write)
        return avc_done(e, ICH_VMCR_VPMR(vmcr));
    priority = e->value & 0xff00 >> ICH_VTR_PRIBITS(avc_hw_read_ICH_VTR_EL2());
    avc_hw_write_ICH_VMCR_EL2((vmcr & ~ICH_VMCR_VPMR_MASK) | ICH_VMCR_VPMR_PUT(priority));
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

static enum avc_answer ctlr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2(), vtr = avc_hw_read_ICH_VTR_EL2();
    struct avc_vgic_op op;

    (void)ctx;
    if (!e->write) /* the hardware has the rest */
        return avc_done(e, (vmcr & ICH_VMCR_VCBPR ? ICC_CTLR_CBPR : 0) |
                               (vmcr & ICH_VMCR_VEOIM ? ICC_CTLR_EOIMODE : 0) |
                               ICC_CTLR_PRIBITS(ICH_VTR_PRIBITS(vtr) - 1) | ICC_CTLR_IDBITS(ICH_VTR_IDBITS(vtr)) |
                               ICC_CTLR_SEIS(ICH_VTR_SEIS(vtr)) | ICC_CTLR_A3V(ICH_VTR_A3V(vtr)));
    vmcr &= ~(ICH_VMCR_VCBPR | ICH_VMCR_VEOIM);
    vmcr |= (e->value & ICC_CTLR_CBPR ? ICH_VMCR_VCBPR : 0) | (e->value & ICC_CTLR_EOIMODE ? ICH_VMCR_VEOIM : 0);
    avc_vgic_begin(&op, vgic, self);
    avc_hw_write_ICH_VMCR_EL2(vmcr);
    op.fill = true; /* EOImode decides what traps */
    avc_vgic_end(&op);
    return AVC_DONE;
}

enum avc_status avc_vgic_cpuif_attach(struct avc_vgic *vgic)
{
    static const struct {
        uint32_t key;
        avc_claim_fn *fn;
        const union avc_fast *fast;
    } claims[] = {
        { AVC_SYSREG_KEY(3, 0, 12, 11, ICC_SGI1R), sgi, &sgi1r_fast },
        { AVC_SYSREG_KEY(3, 0, 12, 11, ICC_ASGI1R), sgi, NULL },
        { AVC_SYSREG_KEY(3, 0, 12, 11, ICC_SGI0R), sgi, NULL },
        { AVC_SYSREG_KEY(3, 0, 12, 11, 1), dir, NULL },
        { AVC_SYSREG_KEY(3, 0, 12, 11, 3), rpr, NULL },
        { AVC_SYSREG_KEY(3, 0, 12, 12, 4), ctlr, NULL },
        { AVC_SYSREG_KEY(3, 0, 4, 6, 0), pmr, NULL },
    };
    enum avc_status status = AVC_OK;

    for (unsigned n = 0; n < AVC_ARRAY_SIZE(claims) && status == AVC_OK; n++)
        status = avc_vm_claim_builtin(vgic->vm, &(struct avc_claim){ AVC_SYSREG | (claims[n].fast ? AVC_CLAIM_FAST : 0),
                                                                     claims[n].key, claims[n].key, claims[n].fn,
                                                                     (void *)(uintptr_t)claims[n].fast });
    return status;
}
