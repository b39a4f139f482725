/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU as an object: init, reset, power, load and put, registers, waking. run.c runs it. */
#include "core/object/vcpu.h"

#include <avc/sysreg.h>

#include "arch/pstate.h"
#include "core/core.h"
#include "hw/offsets.h"
#include "core/exit/fp.h"
#include "core/mem/vmid.h"
#include "core/object/request.h"
#include "core/policy/ctx.h"
#include "core/policy/sysreg.h"

avc_small enum avc_status avc_vcpu_init(struct avc_vcpu *vcpu, struct avc_vm *vm, const struct avc_vcpu_config *config)
{
    if (!vcpu || !vm || !config || (config->mpidr & ~MPIDR_AFFINITY))
        return AVC_EINVAL;
    if ((uintptr_t)vcpu % _Alignof(struct avc_vcpu))
        return AVC_EALIGN;
    if (vcpu->magic == AVC_MAGIC_VCPU)
        return AVC_EEXIST;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->nr_vcpus == vm->max_vcpus)
        return AVC_ENOMEM;
    if (avc_vm_vcpu_by_mpidr(vm, config->mpidr))
        return AVC_EEXIST;
    for (uint32_t n = 0; n < vm->nr_vcpus; n++)
        if (vm->vcpus[n] == vcpu) /* destroyed: its place stays taken */
            return AVC_EEXIST;

    __builtin_memset(vcpu, 0, sizeof *vcpu); /* not a compound literal, which would stand on the stack */
    vcpu->magic = AVC_MAGIC_VCPU;
    vcpu->self = vcpu;
    vcpu->self_at = (uintptr_t)&vcpu->self - FRAME_VCPU;
    vcpu->vm = vm;
    vcpu->index = vm->nr_vcpus;
    vcpu->affinity = config->mpidr;
    vcpu->mpidr = config->mpidr | MPIDR_RES1;
    vcpu->user = config->user;
    vcpu->fp = &vcpu->fp_storage;
    vm->vcpus[vm->nr_vcpus++] = vcpu;
    for (uint32_t n = 0; n < AVC_ARRAY_SIZE(vm->near); n++)
        if (!vm->near[n] ||
            (vcpu->affinity % AVC_ARRAY_SIZE(vm->near) == n && vm->near[n]->affinity % AVC_ARRAY_SIZE(vm->near) != n))
            vm->near[n] = vcpu;
    return avc_vcpu_reset(vcpu);
}

static enum avc_status check_idle(const struct avc_vcpu *vcpu)
{
    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    return avc_vcpu_is_loaded(vcpu) ? AVC_EBUSY : AVC_OK;
}

/* Resets the registers, in memory. A physical SError that run has not yet reported is none of them: the host is to
   hear of it. */
static void reset_state(struct avc_vcpu *vcpu)
{
    __builtin_memset(vcpu->x, 0, sizeof vcpu->x);
    vcpu->pc = 0;
    vcpu->pstate = SPSR_RESET;
    __builtin_memset(vcpu->fp, 0, sizeof *vcpu->fp);
    vcpu->vserror = false;
    avc_sysreg_reset(vcpu);
}

/* Keeps CPU_ON from the vCPU until another power state is stored: it answers ON_PENDING meanwhile. One that is in
   progress is short, and executed with interrupts masked. */
avc_small static void claim_power(struct avc_vcpu *vcpu)
{
    uint32_t power;

    do
        power = avc_load_seq(&vcpu->power);
    while (power == AVC_POWER_CLAIMED || !avc_cas(&vcpu->power, power, AVC_POWER_CLAIMED));
}

/* Resets the vCPU, which CPU_ON cannot switch on until the caller stores another power state. */
avc_small static enum avc_status begin_reset(struct avc_vcpu *vcpu)
{
    enum avc_status status = check_idle(vcpu);

    if (status)
        return status;
    claim_power(vcpu);
    reset_state(vcpu);
    vcpu->exit = (struct avc_exit){ .kind = AVC_KICKED, .answer = AVC_DONE }; /* there is nothing to complete */
    if (vcpu->vm->irqc) {
        uint64_t daif = avc_hw_irq_save();

        vcpu->vm->irqc->reset(vcpu);
        avc_hw_irq_restore(daif);
    }
    avc_store_seq(&vcpu->requests, AVC_REQUEST_POWER | (vcpu->serror ? AVC_REQUEST_SERROR : 0u));
    return AVC_OK;
}

enum avc_status avc_vcpu_reset(struct avc_vcpu *vcpu)
{
    enum avc_status status = begin_reset(vcpu);

    if (!status)
        avc_store_seq(&vcpu->power, AVC_POWER_OFF);
    return status;
}

/* The registers are reset, and in memory: the vCPU starts where it was told. Interrupts that others have set up for it
   stay as they are. */
avc_small static void start_here(struct avc_vcpu *vcpu)
{
    if (vcpu->vm->irqc && vcpu->vm->irqc->power_on)
        vcpu->vm->irqc->power_on(vcpu);
    vcpu->pc = vcpu->start_pc;
    vcpu->x[0] = vcpu->start_x0;
    vcpu->fresh = true;
}

enum avc_status avc_vcpu_start(struct avc_vcpu *vcpu, avc_ipa_t pc, uint64_t x0)
{
    enum avc_status status = begin_reset(vcpu);

    if (status)
        return status;
    vcpu->start_pc = pc;
    vcpu->start_x0 = x0;
    start_here(vcpu);
    avc_store_seq(&vcpu->power, AVC_POWER_PENDING);
    avc_vcpu_request(vcpu, AVC_REQUEST_POWER);
    return AVC_OK;
}

enum avc_status avc_vcpu_destroy(struct avc_vcpu *vcpu)
{
    enum avc_status status = begin_reset(vcpu);

    if (status)
        return status;
    avc_store_relaxed(&vcpu->affinity, ~UINT64_C(0)); /* nobody finds it any more */
    avc_store_seq(&vcpu->power, AVC_POWER_GONE);
    vcpu->magic = 0;
    return AVC_OK;
}

/* Bring the state into the CPU, and take it out. vcpu->pcpu is set. */
static void switch_in(struct avc_vcpu *vcpu)
{
    struct avc_pcpu *p = vcpu->pcpu;

    vcpu->vttbr = avc_vmid_load(p, vcpu);
    avc_hw_load(vcpu);
    if (vcpu->vm->irqc)
        vcpu->vm->irqc->load(vcpu);
}

static inline __attribute__((always_inline)) void switch_out(struct avc_vcpu *vcpu)
{
    if (vcpu->vm->irqc)
        vcpu->vm->irqc->put(vcpu);
    if (avc_unlikely(vcpu->fp_live))
        avc_fp_leave_guest(vcpu, true);
    avc_hw_put(vcpu);
    avc_vmid_put(vcpu->pcpu, vcpu);
}

/*
 * avc_vcpu_start() resets the registers at once: the vCPU is its caller's. CPU_ON may not, since it is the vCPU of
 * another thread, which may have it loaded. So the first call of that thread's that looks at the registers does: load,
 * get, set or run. What the thread sets from then on counts.
 *
 * The exit is the VMM's until the next run. It belongs to the vCPU's earlier life, so completing it moves no PC.
 */
avc_small void avc_vcpu_freshen(struct avc_vcpu *vcpu)
{
    bool loaded = vcpu->live >> AVC_GROUP_XLAT & 1; /* load calls this before it brings the state in */

    if (loaded)
        switch_out(vcpu);
    reset_state(vcpu);
    start_here(vcpu);
    if (loaded)
        switch_in(vcpu);
    vcpu->exit.step = false;
}

/* ---- load and put ---- */

enum avc_status avc_vcpu_load(struct avc_vcpu *vcpu, struct avc_pcpu *p)
{
    const struct avc_hal *hal;
    struct avc_pcpu *nowhere = NULL;
    enum avc_status status;
    uint64_t daif;

    if (!vcpu || !p)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU || p->magic != AVC_MAGIC_PCPU)
        return AVC_ENOENT;
    if (!p->enabled || p->mpidr != avc_hw_read_MPIDR_EL1())
        return AVC_ESTATE;
    if (p->machine != vcpu->vm->machine)
        return AVC_EINVAL;
    hal = p->hal;
    if ((!hal->wake && (vcpu->vm->nr_vcpus > 1 || vcpu->vm->irqc)) || (!hal->irq_mask && vcpu->vm->irqc))
        return AVC_EHAL;
    status = avc_load_acquire(&vcpu->vm->sealed) ? AVC_OK : avc_vm_seal(vcpu->vm);
    if (status)
        return status;

    daif = avc_hw_irq_save();
    if (p->current ||
        !__atomic_compare_exchange_n(&vcpu->pcpu, &nowhere, p, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        avc_hw_irq_restore(daif);
        return AVC_EBUSY;
    }
    p->current = vcpu;
    avc_vcpu_set_where(vcpu, p->mpidr,
                       (vcpu->vserror ? AVC_WORK_VSE : 0) |
                           (hal->uses & (AVC_HOST_SP_EL0 | AVC_HOST_TPIDR | AVC_HOST_PAUTH) ? AVC_WORK_HOST : 0));
    vcpu->dispatch = vcpu->vm->dispatch;
    if (avc_unlikely(avc_vcpu_is_stale(vcpu)))
        avc_vcpu_freshen(vcpu);
    if (vcpu->observe) /* run takes the observer up, or drops it */
        avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_WATCH);
    switch_in(vcpu);
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

enum avc_status avc_vcpu_put(struct avc_vcpu *vcpu)
{
    uint64_t daif;

    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    if (!vcpu->pcpu)
        return AVC_ESTATE;
    if (!avc_vcpu_here(vcpu))
        return AVC_EBUSY;
    if (avc_vcpu_in_run(vcpu))
        return AVC_ESTATE;
    daif = avc_hw_irq_save();
    switch_out(vcpu);
    vcpu->pcpu->current = NULL;
    avc_vcpu_set_where(vcpu, 0, 0);
    avc_store_release(&vcpu->pcpu, NULL); /* the CPU that loads it next sees all that was saved */
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

void avc_vcpu_trap_wfx(struct avc_vcpu *vcpu, bool trap)
{
    enum avc_wfx wfx = trap ? AVC_WFX_TRAPPED : AVC_WFX_FREE;

    if (vcpu->wfx == wfx)
        return;
    vcpu->wfx = wfx;
    if (avc_vcpu_is_loaded(vcpu)) {
        vcpu->hcr &= ~(HCR_TWI | HCR_TWE);
        vcpu->hcr |= trap ? HCR_TWI | (vcpu->vm->traps.hcr & HCR_TWE) : 0;
    }
}

struct avc_vm *avc_vcpu_vm(const struct avc_vcpu *vcpu)
{
    return vcpu->vm;
}

void *avc_vcpu_user(const struct avc_vcpu *vcpu)
{
    return vcpu->user;
}
