/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The vGIC as the core sees it: attach, reset, load, put, enter, pending. */
#include "core/object/request.h"
#include "emul/vgic/cpuif.h"
#include "emul/vgic/frame.h"
#include "emul/vgic/lr.h"
#include "emul/vgic/op.h"
#include "emul/vgic/ppi.h"
#include "emul/vgic/timer.h"

/* ---- reset ---- */

static void unqueue_bank(struct avc_vgic *vgic, struct avc_vgic_bank *b)
{
    for (uint32_t bits = b->queued; bits; bits &= bits - 1)
        avc_vgic_unqueue(vgic, b, (unsigned)__builtin_ctz(bits));
}

static void reset_interface(struct avc_vgic_cpu *cpu)
{
    cpu->vmcr = ICH_VMCR_VFIQEN;
    for (unsigned n = 0; n < 4; n++)
        cpu->ap0[n] = cpu->ap1[n] = 0;
    cpu->reading = 0;
    if (cpu->work.left && cpu->work.step == avc_vgic_ask_step)
        cpu->vgic->folds--;
    cpu->work.left = 0; /* it was in the middle of an instruction */
}

/* Resets the redistributor and the CPU interface of a vCPU that is not loaded. */
static void reset_cpu(struct avc_vgic *vgic, struct avc_vgic_cpu *cpu)
{
    unqueue_bank(vgic, &cpu->bank);
    while (cpu->lr_used)
        avc_vgic_lr_take_at(cpu, (unsigned)__builtin_ctz(cpu->lr_used));
    avc_vgic_reset_bank(&cpu->bank, 0xffff); /* SGIs are edges */
    cpu->waker = GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
    reset_interface(cpu);
}

static void meet(struct avc_vgic *vgic, struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = &vgic->cpus[vcpu->index];

    vcpu->irqc_data = cpu;
    cpu->vcpu = vcpu;
    cpu->name = avc_vgic_name(vcpu->mpidr);
    cpu->alone = (cpu->name & ICC_SGIR_AFFINITY) | UINT64_C(1) << (cpu->name & 15);
}

/* Called by the core at vCPU reset. The vCPU is not loaded. */
static void reset(struct avc_vcpu *vcpu)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *cpu;
    struct avc_vgic_op op;
    uint64_t daif;
    uint32_t intid;

    meet(vgic, vcpu);
    cpu = avc_vgic_cpu_of(vcpu);
    daif = avc_vgic_begin_any(&op, vgic);
    avc_vgic_look_all(&op, cpu, &cpu->lr_used);
    /* SPIs that it was handling: no guest will end them now. */
    while ((intid = avc_vgic_first_active(cpu)) != NONE) {
        struct avc_vgic_bank *b = avc_vgic_bank_of(cpu, intid);

        avc_vgic_unqueue(vgic, b, intid % 32);
        b->active &= ~(1u << intid % 32);
        if (!b->owner)
            avc_vgic_spis_of(b)->holder[intid % 32] = NONE;
    }
    reset_cpu(vgic, cpu);
    avc_vgic_unsettle(vgic); /* it handled some levels, which can now go to another */
    avc_vgic_taker_changed(&op, cpu, cpu->vmcr);
    avc_vgic_settle(&op, true);
    avc_vgic_end_any(&op, daif);
}

static void reset_all(struct avc_vgic *vgic)
{
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        reset_cpu(vgic, &vgic->cpus[n]);
    for (uint32_t k = 0; k < vgic->nr_banks; k++) {
        struct avc_vgic_spis *spis = &vgic->spis[k];

        unqueue_bank(vgic, &spis->bank);
        avc_vgic_reset_bank(&spis->bank, 0);
        for (unsigned n = 0; n < 32; n++) {
            spis->route[n] = 0;
            spis->target[n] = spis->holder[n] = NONE;
        }
    }
    vgic->any = false;
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        vgic->cpus[n].takes = 0;
    vgic->ctlr = 0;
    vgic->folds = vgic->unsettled = vgic->unsettled_bits = 0;
    vgic->rotor = 0;
}

uint64_t avc_vgic_baseless(const struct avc_vcpu *vcpu)
{
    return vcpu->irqc_data ? avc_load_relaxed(&avc_vgic_cpu_of(vcpu)->baseless) : 0;
}

enum avc_status avc_vgic_reset(struct avc_vgic *vgic)
{
    enum avc_status status = AVC_OK;
    struct avc_vgic_op op;
    uint64_t daif;

    if (!vgic)
        return AVC_EINVAL;
    if (vgic->magic != AVC_MAGIC_VGIC)
        return AVC_ENOENT;
    daif = avc_vgic_begin_any(&op, vgic);
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        if (vgic->cpus[n].vcpu && avc_vcpu_is_loaded(vgic->cpus[n].vcpu))
            status = AVC_EBUSY;
    if (status == AVC_OK)
        reset_all(vgic);
    avc_vgic_end_any(&op, daif);
    return status;
}

/* ---- load and put ---- */

static uint64_t redist_typer(const struct avc_vgic_cpu *cpu)
{
    uint64_t mpidr = cpu->vcpu->mpidr, affinity = AVC_FIELD(mpidr, 39, 32) << 24 | (mpidr & 0xffffff);

    return GICR_TYPER_AFFINITY(affinity) | GICR_TYPER_NUMBER(cpu->index) |
           (cpu->index == cpu->vgic->nr_vcpus - 1 ? GICR_TYPER_LAST : 0);
}

/* The VM is sealed, so all vCPUs are known. */
static void meet_all(struct avc_vgic_op *op)
{
    struct avc_vgic *vgic = op->vgic;

    vgic->nr_vcpus = (uint32_t)vgic->vm->nr_vcpus;
    for (uint32_t n = 0; n < vgic->nr_vcpus; n++) {
        meet(vgic, vgic->vm->vcpus[n]);
        vgic->cpus[n].typer = redist_typer(&vgic->cpus[n]);
    }
    avc_vgic_cpus_index(vgic);
    vgic->routed = true;
    avc_vgic_unsettle(vgic);
    avc_vgic_settle(op, true);
}

/* Returns the timers whose physical interrupt, if it comes, can be linked. Then it is not made pending in its place: a
   link lets the guest end the interrupt without a maintenance interrupt. */
static inline uint32_t linkable(const struct avc_vgic_cpu *cpu)
{
    const struct avc_vgic_bank *b = &cpu->bank;

    if (!cpu->hal->eoi_split || !cpu->hal->irq_fetch)
        return 0;
    return avc_vgic_enabled_bits(cpu->vgic, b) & ~(b->active | b->latch | b->linked | b->line) & TIMER_BITS;
}

/* A vCPU that is off has no guest that could use list registers, and none that would ever look at them for another
   CPU. So as far as this controller is concerned it is not loaded, wherever the core has loaded it: see power_off(). */
static void load(struct avc_vcpu *vcpu)
{
    struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    uint64_t on = avc_hw_read_MPIDR_EL1();
    struct avc_vgic_op op;
    uint32_t high;

    avc_vgic_begin(&op, vgic, NULL);
    if (avc_unlikely(!vgic->routed))
        meet_all(&op);
    cpu->hal = vcpu->pcpu->hal;
    if (avc_load_seq(&vcpu->power) == AVC_POWER_OFF) {
        avc_vgic_end(&op);
        return;
    }
    op.self = cpu;
    op.fill = true; /* interrupts wait until the interface is there */
    avc_vgic_look_all(&op, cpu, &cpu->lr_look);
    if (avc_unlikely(cpu->on != on)) /* the new CPU may have fewer list registers */
        avc_vgic_look(&op, cpu, avc_vgic_lr_moved(cpu));
    cpu->on = on;
    cpu->loaded = true;
    avc_vgic_lr_load(cpu);
    high = avc_vgic_timer_load(cpu);
    if (high)
        high &= ~linkable(cpu);
    if (avc_unlikely((avc_vgic_stirred_bits(&cpu->bank) & TIMER_BITS) | high)) {
        avc_vgic_touch(&op, &cpu->bank, TIMER_BITS);
        avc_vgic_timer_mask(cpu, high);
        avc_vgic_deliver(&op, &cpu->bank, TIMER_BITS);
    }
    op.fill = avc_vgic_queues(cpu);
    /* Nothing is left for enter() to do. A request that is seen here was made after the change that it is for, and the
       lock was free in between: so this has looked at that change. */
    if (avc_load_relaxed(&vcpu->requests) & AVC_REQUEST_IRQC && cpu->tds && !vgic->any &&
        !(cpu->lr_look | cpu->lr_pend | cpu->fold_wanted | cpu->work.left))
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_IRQC);
    avc_vgic_end(&op);
}

/* The virtual timer is in a list register. If the guest has ended its interrupt, this frees the register: such a timer
   needs no more before its vCPU leaves. The register itself is read, since ICH_ELRSR_EL2 may not yet know of one that
   was written a moment ago. */
static inline void timer_is_through(struct avc_vgic_cpu *cpu)
{
    unsigned r = cpu->bank.at[AVC_VGIC_VTIMER_INTID];

    if (avc_hw_lr_read(r) & ICH_LR_STATE || cpu->lr[r] & ICH_LR_EOI ||
        ((cpu->bank.active | cpu->bank.latch | cpu->bank.line) >> AVC_VGIC_VTIMER_INTID & 1))
        return;
    avc_vgic_lr_evict(cpu, r);
    cpu->lr_used &= ~(1u << r);
}

static void put(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    struct avc_vgic_op op;

    if (!cpu->loaded)
        return;
    avc_vgic_begin(&op, cpu->vgic, cpu);
    op.fill = true; /* nothing may go into a list register now */
    if (cpu->lr_look | cpu->lr_pend | cpu->fold_wanted)
        avc_vgic_asked(&op);
    if (cpu->lr_used)
        avc_vgic_maintain(&op);
    if (cpu->bank.in_lr >> AVC_VGIC_VTIMER_INTID & 1)
        timer_is_through(cpu);
    if (avc_unlikely(avc_vgic_stirred_bits(&cpu->bank) & TIMER_BITS || cpu->mask_wanted)) {
        avc_vgic_touch(&op, &cpu->bank, TIMER_BITS);
        avc_vgic_timer_put(cpu);
        avc_vgic_deliver(&op, &cpu->bank, TIMER_BITS);
    }
    avc_vgic_lr_save(cpu);
    cpu->loaded = false;
    avc_vgic_taker_changed(&op, cpu, cpu->vmcr);
    op.fill = false;           /* all of it is in queues, and in list registers in memory */
    if (avc_unlikely(op.stop)) /* nobody else may take what is left */
        avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_IRQC);
    avc_vgic_end(&op);
}

/* The CPU interface and the timers go with the vCPU's power. Interrupts that it has not taken wait in memory, where
   every CPU can reach them. */
static void power_off(struct avc_vcpu *vcpu)
{
    avc_vgic_timer_stop(vcpu);
    put(vcpu);
}

/* Resets the CPU interface. The redistributor belongs to the distributor's side, which stays on: what other vCPUs have
   written there is kept, and what is pending or active remains so (IHI 0069, 12.10; DEN0022, 6.4). The vCPU is not
   loaded. */
static void power_on(struct avc_vcpu *vcpu)
{
    struct avc_vgic_cpu *cpu = avc_vgic_cpu_of(vcpu);
    struct avc_vgic_op op;
    uint64_t daif = avc_vgic_begin_any(&op, cpu->vgic);

    avc_vgic_look_all(&op, cpu, &cpu->lr_used);
    reset_interface(cpu);
    avc_vgic_taker_changed(&op, cpu, cpu->vmcr);
    avc_vgic_end_any(&op, daif);
}

static void enter(struct avc_vcpu *vcpu)
{
    struct avc_vgic_op op;

    avc_vgic_begin(&op, avc_vgic_of(vcpu), avc_vgic_cpu_of(vcpu));
    avc_vgic_enter(&op);
    avc_vgic_end(&op);
}

/* ---- input lines ---- */

/* Returns the vCPU on this CPU to which an SPI goes, or which has it. */
static inline struct avc_vgic_cpu *spi_here(const struct avc_vgic *vgic, struct avc_vgic_bank *b, unsigned n)
{
    uint16_t target = avc_vgic_target(vgic, avc_vgic_spis_of(b), n), holder = avc_vgic_spis_of(b)->holder[n];

    if (target != NONE && avc_vgic_here(&vgic->cpus[target]))
        return &vgic->cpus[target];
    return holder != NONE && holder != target && avc_vgic_here(&vgic->cpus[holder]) ? &vgic->cpus[holder] : NULL;
}

/* The line of interrupt n has changed. Does what is to be done if this is to write a list register of self, which is
   loaded on this CPU, and no more. Otherwise it returns false. */
static inline bool line_here(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, bool level)
{
    const struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    bool edge = b->edge >> n & 1;

    if (b->in_lr >> n & 1) {
        if (!edge)
            return avc_vgic_level(self, b, n);
        return avc_vgic_lr_stays(self, b, n) && avc_vgic_lr_again_at(self, b, n, false, true);
    }
    if (!b->owner && (spis->target[n] != self->index || spis->route[n] & GICD_IROUTER_IRM))
        return false;
    if (!level)
        return !((b->latch | b->active | b->queued) >> n & 1);
    return avc_vgic_lr_new(self, b, n, edge ? 0 : ICH_LR_EOI, false);
}

static __attribute__((noinline)) void line_elsewhere(struct avc_vgic *vgic, struct avc_vgic_cpu *self,
                                                     struct avc_vgic_bank *b, unsigned n, bool level)
{
    struct avc_vgic_op op;

    avc_vgic_go_on(&op, vgic, self);
    op.host = true;
    avc_vgic_line_changed(&op, b, n, level);
    avc_vgic_end(&op);
}

static enum avc_status set_irq(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    struct avc_vgic *vgic = vm->irqc_data;
    struct avc_vgic_cpu *self;
    struct avc_vgic_bank *b;
    unsigned n = intid % 32;
    uint64_t daif;

    /* SGIs come from guests, and the timers drive their own lines. */
    if (vcpu ? intid - GIC_NR_SGIS >= GIC_NR_PRIVATE - GIC_NR_SGIS || TIMER_BITS >> intid & 1
             : intid - GIC_FIRST_SPI >= vgic->nr_spis)
        return AVC_ERANGE;
    b = vcpu ? &avc_vgic_cpu_of(vcpu)->bank : avc_vgic_spi_bank(vgic, intid / 32);
    daif = avc_hw_irq_save();
    avc_lock(&vgic->lock);
    if ((b->line >> n & 1) == level || (!level && b->edge >> n & 1)) { /* the end of an edge changes nothing */
        if (!level)
            b->line &= ~(1u << n);
        avc_unlock(&vgic->lock);
        avc_hw_irq_restore(daif);
        return AVC_OK;
    }
    b->line ^= 1u << n;
    self = !vcpu ? spi_here(vgic, b, n) : avc_vgic_here(b->owner) ? b->owner : NULL;
    if (self && avc_likely(line_here(self, b, n, level))) {
        avc_unlock(&vgic->lock);
        if (level) /* the vCPU's thread may be blocked on this very CPU, if a handler of the host called this */
            avc_vcpu_request(self->vcpu, 0);
    } else {
        line_elsewhere(vgic, self, b, n, level);
    }
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

static const struct avc_irqc_ops vgic_ops = {
    .load = load,
    .put = put,
    .enter = enter,
    .reset = reset,
    .irq = avc_vgic_irq,
    .pending = avc_vgic_pending,
    .deadline = avc_vgic_deadline,
    .set_irq = set_irq,
    .irq_taken = avc_vgic_irq_taken,
    .power_off = power_off,
    .power_on = power_on,
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
    /* Without SRE the list registers are UNDEFINED, even at EL2 (IHI 0069, "ICC_SRE_EL2"). */
    if (!avc_has(&vm->machine->features, AVC_FEAT_GICV3) || !vm->machine->features.list_regs ||
        !(avc_hw_read_ICC_SRE_EL2() & ICC_SRE_SRE))
        return AVC_ENOTSUP;
    return AVC_OK;
}

/* INTIDs of 10 bits. 1-of-N routing is there (No1N is 0). */
static uint32_t typer(uint32_t nr_banks)
{
    return GICD_TYPER_ITLINESNUMBER(nr_banks) | GICD_TYPER_IDBITS(9) | GICD_TYPER_A3V | GICD_TYPER_RSS;
}

static void init(struct avc_vgic *vgic, struct avc_vm *vm, const struct avc_vgic_config *config)
{
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
    for (uint32_t k = 0; k < vgic->nr_banks; k++) {
        uint32_t left = vgic->nr_spis - 32 * k; /* INTIDs 1020..1023 are not interrupts */

        vgic->spis[k].bank =
            (struct avc_vgic_bank){ .base = 32 * k + GIC_FIRST_SPI, .valid = left < 32 ? (1u << left) - 1 : ~0u };
    }
    for (uint32_t n = 0; n < vgic->max_vcpus; n++)
        vgic->cpus[n] = (struct avc_vgic_cpu){
            .vgic = vgic,
            .index = n,
            .bank = { .owner = &vgic->cpus[n], .valid = ~0u },
        };
    for (uint32_t n = 0; n < vm->nr_vcpus; n++)
        meet(vgic, vm->vcpus[n]);
    avc_vgic_cpus_index(vgic);
    reset_all(vgic);
}

static enum avc_status claim(struct avc_vm *vm, avc_ipa_t base, uint64_t size, avc_claim_fn *fn,
                             const union avc_fast *fast)
{
    return avc_vm_claim_builtin(
        vm, &(struct avc_claim){ AVC_MMIO | AVC_CLAIM_FAST, base, base + size - 1, fn, (void *)(uintptr_t)fast });
}

enum avc_status avc_vgic_attach(struct avc_vgic *vgic, struct avc_vm *vm, const struct avc_vgic_config *config)
{
    enum avc_status status = vgic ? check(vm, config) : AVC_EINVAL;
    uint32_t before;

    if (status)
        return status;
    before = vm->nr_builtin;
    init(vgic, vm, config);
    status = claim(vm, config->dist_base, AVC_VGIC_DIST_SIZE, avc_vgic_dist_access, &avc_vgic_dist_fast);
    if (status == AVC_OK)
        status = claim(vm, config->redist_base, (uint64_t)vm->max_vcpus * AVC_VGIC_REDIST_SIZE, avc_vgic_redist_access,
                       &avc_vgic_redist_fast);
    if (status == AVC_OK)
        status = avc_vgic_cpuif_attach(vgic);
    if (status == AVC_OK)
        status = avc_vm_set_irqc(vm, &vgic_ops, vgic);
    if (status == AVC_OK)
        vgic->magic = AVC_MAGIC_VGIC;
    else
        vm->nr_builtin = before; /* all or nothing */
    return status;
}
