/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The vGIC as the core sees it: attach, reset, load, put, enter, pending. */
#include "emul/vgic/vgic.h"

#define SRE AVC_BIT(0)

/* ---- reset ---- */

static void reset_bank(struct avc_vgic_bank *b, uint32_t edge)
{
    uint32_t line = b->line;

    *b = (struct avc_vgic_bank){ .edge = edge, .line = line };
}

/* Redistributor and CPU interface of a vCPU that is not loaded. Under the lock, or in setup. */
void avc_vgic_reset_cpu(struct avc_vgic *vgic, struct avc_vgic_cpu *cpu)
{
    reset_bank(&cpu->bank, 0xffff); /* SGIs are edges */
    cpu->vmcr = VMCR_FIQEN;
    for (unsigned n = 0; n < 4; n++)
        cpu->ap0[n] = cpu->ap1[n] = 0;
    cpu->waker = GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
    cpu->reading = 0;
    /* SPIs it was handling: nobody will end them now */
    for (uint32_t k = 0; k < vgic->nr_banks; k++)
        for (uint32_t bits = vgic->spis[k].bank.active; bits; bits &= bits - 1) {
            unsigned n = (unsigned)__builtin_ctz(bits);

            if (vgic->spis[k].holder[n] == cpu->index) {
                vgic->spis[k].bank.active &= ~(1u << n);
                vgic->spis[k].holder[n] = NONE;
            }
        }
}

static void meet(struct avc_vgic *vgic, struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = &vgic->cpus[vcpu->index];

    vcpu->irqc_data = cpu;
    cpu->vcpu = vcpu;
    cpu->mpidr = vcpu->mpidr & MPIDR_AFFINITY;
    cpu->sgi_self = avc_vgic_sgi_to(cpu->mpidr);
}

/* The core's, at vCPU reset: not loaded. */
static void reset(struct avc_vcpu *vcpu)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_op op;

    meet(vgic, vcpu);
    avc_vgic_begin(&op, vgic, NULL, true);
    avc_vgic_reset_cpu(vgic, avc_vgic_cpu_of(vcpu));
    for (uint32_t k = 0; k < vgic->nr_banks; k++) { /* levels it was handling are somebody's again */
        struct avc_vgic_ref ref = avc_vgic_ref_spis(vgic, k);

        avc_vgic_deliver(&op, &ref, ref.valid);
    }
    avc_vgic_end(&op);
}

static void resolve(struct avc_vgic *vgic)
{
    for (uint32_t k = 0; k < vgic->nr_banks; k++)
        for (unsigned n = 0; n < 32; n++)
            vgic->spis[k].target[n] = avc_vgic_target(vgic, vgic->spis[k].route[n]);
}

static void reset_all(struct avc_vgic *vgic)
{
    vgic->ctlr = 0;
    vgic->folds = 0;
    vgic->busy = 0;
    vgic->rotor = 0;
    for (uint32_t k = 0; k < vgic->nr_banks; k++) {
        struct avc_vgic_spis *spis = &vgic->spis[k];

        reset_bank(&spis->bank, 0);
        if (spis->bank.line)
            vgic->busy |= 1u << k;
        for (unsigned n = 0; n < 32; n++) {
            spis->route[n] = 0;
            spis->target[n] = spis->holder[n] = NONE;
        }
    }
    resolve(vgic);
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        avc_vgic_reset_cpu(vgic, &vgic->cpus[n]);
}

enum avc_status avc_vgic_reset(struct avc_vgic *vgic)
{
    enum avc_status status = AVC_OK;
    struct avc_vgic_op op;

    if (!vgic)
        return AVC_EINVAL;
    if (vgic->magic != AVC_MAGIC_VGIC)
        return AVC_ENOENT;
    avc_vgic_begin(&op, vgic, NULL, true);
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        if (vgic->cpus[n].loaded)
            status = AVC_EBUSY;
    if (status == AVC_OK)
        reset_all(vgic);
    avc_vgic_end(&op);
    return status;
}

/* ---- on and off a CPU ---- */

static void load(struct avc_vcpu *vcpu)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    struct avc_vgic_op op;

    avc_vgic_begin(&op, vgic, cpu, false);
    if (!vgic->routed) { /* the VM is sealed: all vCPUs and the features are known */
        vgic->pri_mask = (uint8_t)(0xff00 >> vgic->vm->features.pri_bits);
        for (uint32_t n = 0; n < vgic->vm->nr_vcpus; n++)
            meet(vgic, vgic->vm->vcpus[n]);
        resolve(vgic);
        vgic->routed = true;
    }
    cpu->loaded = true;
    cpu->on = avc_hw_read_MPIDR_EL1();
    cpu->hal = vcpu->pcpu->hal;
    avc_vgic_timer_load(&op);
    avc_vgic_gicv_load(&op);
    avc_vgic_end(&op);
}

static void put(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    struct avc_vgic_op op;

    avc_vgic_begin(&op, cpu->vgic, cpu, false);
    avc_vgic_gicv_put(&op);
    avc_vgic_timer_put(&op);
    cpu->loaded = false;
    avc_vgic_end(&op);
}

static void enter(struct avc_vcpu *vcpu)
{
    struct avc_vgic_op op;

    avc_vgic_begin(&op, avc_vgic_of(vcpu), avc_vgic_cpu_of(vcpu), false);
    avc_vgic_fold(&op);
    avc_vgic_end(&op);
}

static bool pending(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    uint64_t daif = avc_hw_irq_save();
    struct avc_vgic_op op;
    bool yes;

    avc_vgic_begin(&op, cpu->vgic, NULL, false);
    if (avc_vgic_here(cpu)) {
        op.self = cpu;
        avc_vgic_fold(&op);
        avc_vgic_timer_sample(&op);
    }
    yes = avc_vgic_signals(&op, cpu, op.self) || avc_vgic_timer_pending(&op, cpu);
    avc_vgic_end(&op);
    avc_hw_irq_restore(daif);
    return yes;
}

static const struct avc_irqc_ops vgic_ops = {
    .load = load,
    .put = put,
    .enter = enter,
    .reset = reset,
    .irq = avc_vgic_timer_irq,
    .pending = pending,
    .deadline = avc_vgic_deadline,
    .set_irq = avc_vgic_set_irq,
    .irq_taken = avc_vgic_timer_taken,
};

/* ---- attach ---- */

static enum avc_status check(const struct avc_vm *vm, const struct avc_vgic_config *c)
{
    uint64_t redist_size;

    if (!vm || !c || !c->cpus || !c->max_vcpus || (c->nr_spis && !c->spis))
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->irqc)
        return AVC_EEXIST;
    if ((c->dist_base | c->redist_base) & 0xffff)
        return AVC_EALIGN;
    redist_size = (uint64_t)c->max_vcpus * AVC_VGIC_REDIST_SIZE;
    if (c->nr_spis > AVC_VGIC_MAX_SPIS || (c->nr_spis % 32 && c->nr_spis != AVC_VGIC_MAX_SPIS) ||
        c->max_vcpus > AVC_VGIC_MAX_VCPUS || c->max_vcpus < vm->max_vcpus ||
        c->dist_base > ~UINT64_C(0) - AVC_VGIC_DIST_SIZE || c->redist_base > ~UINT64_C(0) - redist_size ||
        (c->dist_base < c->redist_base + redist_size && c->redist_base < c->dist_base + AVC_VGIC_DIST_SIZE))
        return AVC_ERANGE;
    /* without SRE the list registers are UNDEFINED, even at EL2 (IHI 0069, "ICC_SRE_EL2") */
    if (!avc_has(&vm->machine->features, AVC_FEAT_GICV3) || !vm->machine->features.list_regs ||
        !(avc_hw_read_ICC_SRE_EL2() & SRE))
        return AVC_ENOTSUP;
    return AVC_OK;
}

/* ITLinesNumber, IDbits (10 bits), A3V, and RSS: SGIs to Aff0 up to 255. 1-of-N routing is there (No1N=0). */
static uint32_t typer(uint32_t nr_banks)
{
    return nr_banks | 9u << 19 | 1u << 24 | 1u << 26;
}

enum avc_status avc_vgic_attach(struct avc_vgic *vgic, struct avc_vm *vm, const struct avc_vgic_config *config)
{
    enum avc_status status = vgic ? check(vm, config) : AVC_EINVAL;
    uint32_t before;

    if (status)
        return status;
    before = vm->nr_builtin;
    *vgic = (struct avc_vgic){
        .vm = vm,
        .dist_base = config->dist_base,
        .redist_base = config->redist_base,
        .spis = config->spis,
        .cpus = config->cpus,
        .nr_spis = config->nr_spis,
        .nr_banks = (config->nr_spis + 31) / 32,
        .max_vcpus = config->max_vcpus,
        .typer = typer((config->nr_spis + 31) / 32),
    };
    for (uint32_t k = 0; k < vgic->nr_banks; k++)
        vgic->spis[k].bank = (struct avc_vgic_bank){ 0 };
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        vgic->cpus[n] = (struct avc_vgic_cpu){ .vgic = vgic, .index = n };
    for (uint32_t n = 0; n < vm->nr_vcpus; n++)
        meet(vgic, vm->vcpus[n]);
    reset_all(vgic);

    status =
        avc_vm_claim_builtin(vm, &(struct avc_claim){ AVC_MMIO | AVC_CLAIM_FAST, config->dist_base,
                                                      config->dist_base + AVC_VGIC_DIST_SIZE - 1, avc_vgic_dist_access,
                                                      (void *)(uintptr_t)&avc_vgic_dist_fast });
    if (status == AVC_OK)
        status = avc_vm_claim_builtin(
            vm, &(struct avc_claim){ AVC_MMIO, config->redist_base,
                                     config->redist_base + (uint64_t)vm->max_vcpus * AVC_VGIC_REDIST_SIZE - 1,
                                     avc_vgic_redist_access, vgic });
    if (status == AVC_OK)
        status = avc_vgic_sgi_attach(vgic);
    if (status == AVC_OK)
        status = avc_vm_set_irqc(vm, &vgic_ops, vgic);
    if (status == AVC_OK)
        vgic->magic = AVC_MAGIC_VGIC;
    else
        vm->nr_builtin = before; /* all or nothing */
    return status;
}
