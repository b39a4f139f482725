/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU as an object: init, reset, power, load and put, registers, waking. run.c runs it. */
#include <avc/sysreg.h>

#include "core/core.h"
#include "hw/offsets.h"

/* EL1h with D, A, I, F masked: PSTATE after a reset to EL1 (Arm ARM D1.5, AArch64.TakeReset) and after CPU_ON. */
#define PSTATE_RESET UINT64_C(0x3c5)

enum avc_status avc_vcpu_init(struct avc_vcpu *vcpu, struct avc_vm *vm, const struct avc_vcpu_config *config)
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

    __builtin_memset(vcpu, 0, sizeof *vcpu); /* not a compound literal: that would stand on the stack */
    vcpu->magic = AVC_MAGIC_VCPU;
    vcpu->self = vcpu;
    vcpu->self_at = (uintptr_t)&vcpu->self - FRAME_VCPU;
    vcpu->vm = vm;
    vcpu->index = vm->nr_vcpus;
    vcpu->affinity = config->mpidr;
    vcpu->mpidr = config->mpidr | AVC_BIT(31); /* MPIDR_EL1.RES1 */
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

/* Registers only; the vCPU is not loaded. */
void avc_vcpu_reset_state(struct avc_vcpu *vcpu)
{
    __builtin_memset(vcpu->x, 0, sizeof vcpu->x);
    vcpu->pc = 0;
    vcpu->pstate = PSTATE_RESET;
    __builtin_memset(vcpu->fp, 0, sizeof *vcpu->fp);
    vcpu->vserror = false;
    vcpu->serror = 0;
    vcpu->exit = (struct avc_exit){ .kind = AVC_KICKED, .answer = AVC_DONE }; /* which leaves nothing to be done */
    avc_sysreg_reset(vcpu);
    if (vcpu->vm->irqc) {
        uint64_t daif = avc_hw_irq_save();

        vcpu->vm->irqc->reset(vcpu);
        avc_hw_irq_restore(daif);
    }
}

enum avc_status avc_vcpu_reset(struct avc_vcpu *vcpu)
{
    enum avc_status status = check_idle(vcpu);

    if (status)
        return status;
    avc_vcpu_reset_state(vcpu);
    avc_store_seq(&vcpu->requests, AVC_REQUEST_POWER);
    avc_store_seq(&vcpu->power, AVC_POWER_OFF);
    return AVC_OK;
}

enum avc_status avc_vcpu_start(struct avc_vcpu *vcpu, avc_ipa_t pc, uint64_t x0)
{
    enum avc_status status = avc_vcpu_reset(vcpu);

    if (status)
        return status;
    avc_vcpu_power_on(vcpu, pc, x0);
    return AVC_OK;
}

enum avc_status avc_vcpu_destroy(struct avc_vcpu *vcpu)
{
    enum avc_status status = avc_vcpu_reset(vcpu);

    if (status)
        return status;
    vcpu->affinity = ~UINT64_C(0); /* nobody finds it any more */
    avc_store_seq(&vcpu->power, AVC_POWER_GONE);
    vcpu->magic = 0;
    return AVC_OK;
}

/* ---- power ---- */

bool avc_vcpu_power_on(struct avc_vcpu *vcpu, uint64_t pc, uint64_t x0)
{
    if (!avc_cas(&vcpu->power, AVC_POWER_OFF, AVC_POWER_CLAIMED))
        return false;
    vcpu->start_pc = pc;
    vcpu->start_x0 = x0;
    avc_store_seq(&vcpu->power, AVC_POWER_PENDING);
    avc_vcpu_request(vcpu, AVC_REQUEST_POWER);
    return true;
}

void avc_vcpu_power_off(struct avc_vcpu *vcpu)
{
    avc_fetch_or(&vcpu->requests, AVC_REQUEST_POWER);
    avc_store_seq(&vcpu->power, AVC_POWER_OFF);
}

/* ---- load and put ---- */

/* Whether run is in progress: to its own CPU, that it is asked by a claim. PC and PSTATE are in ELR_EL2 and SPSR_EL2. */
static bool in_trap(const struct avc_vcpu *vcpu)
{
    return avc_load_relaxed(&vcpu->mode) == AVC_MODE_GUEST;
}

/* State into the CPU; vcpu->pcpu is set. */
void avc_vcpu_switch_in(struct avc_vcpu *vcpu)
{
    struct avc_pcpu *p = vcpu->pcpu;

    vcpu->vttbr = avc_vmid_load(p, vcpu);
    avc_hw_load(vcpu);
    if (vcpu->vm->irqc)
        vcpu->vm->irqc->load(vcpu);
}

void avc_vcpu_switch_out(struct avc_vcpu *vcpu)
{
    if (vcpu->vm->irqc)
        vcpu->vm->irqc->put(vcpu);
    avc_fp_leave_guest(vcpu, true);
    avc_hw_put(vcpu);
    avc_vmid_put(vcpu->pcpu, vcpu);
}

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
    status = avc_vm_seal(vcpu->vm);
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
    avc_observe_choose(vcpu);
    avc_vcpu_switch_in(vcpu);
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
    if (in_trap(vcpu))
        return AVC_ESTATE;
    daif = avc_hw_irq_save();
    avc_vcpu_switch_out(vcpu);
    vcpu->pcpu->current = NULL;
    avc_vcpu_set_where(vcpu, 0, 0);
    avc_store_release(&vcpu->pcpu, NULL); /* all that was saved is seen by the CPU that loads it next */
    avc_hw_irq_restore(daif);
    return AVC_OK;
}

/* ---- waking ---- */

/*
 * The kick and the ways it can race.
 *
 * The kicker sets a bit of `requests` and then calls wake(); run stores mode GUEST and then reads `requests`, masked,
 * before it enters, with a DMB between the two. So either run sees the bit, or the kicker's wake() comes after the entry,
 * and the interrupt that it sends makes the guest exit. An interrupt sent between run's check and ERET stays pending, since
 * IRQs are masked, and is taken as soon as the guest runs.
 *
 * wake() is left out only where it cannot be needed: in a trap of the vCPU itself, whose way back to the guest reads
 * `requests`. Everywhere else, a vCPU between two runs included, the VMM may be about to block it: it sets "blocked"
 * first and asks avc_vcpu_has_work() then, and wake() takes "blocked" back.
 *
 * The DSB orders the bit before a doorbell that is a system register write (ICC_SGI1R_EL1), which no barrier of the
 * memory model orders with it (Arm ARM B2.3.12).
 */
void avc_vcpu_request(struct avc_vcpu *vcpu, uint64_t requests)
{
    const struct avc_hal *hal;

    avc_fetch_or(&vcpu->requests, requests & AVC_REQUEST_ALL);
    if (avc_load_relaxed(&vcpu->mode) == AVC_MODE_GUEST && avc_vcpu_here(vcpu))
        return;
    hal = avc_machine_hal(vcpu->vm->machine);
    if (!hal || !hal->wake)
        return;
    avc_hw_dsb_ishst();
    hal->wake(hal->ctx, vcpu);
}

void avc_vcpu_kick(struct avc_vcpu *vcpu)
{
    avc_vcpu_request(vcpu, AVC_REQUEST_KICK);
}

void avc_vcpu_trap_wfx(struct avc_vcpu *vcpu, bool trap)
{
    vcpu->wfx = trap ? AVC_WFX_TRAPPED : AVC_WFX_FREE;
    if (avc_vcpu_is_loaded(vcpu)) {
        vcpu->hcr &= ~(HCR_TWI | HCR_TWE);
        vcpu->hcr |= trap ? HCR_TWI | (vcpu->vm->traps.hcr & HCR_TWE) : 0;
    }
}

bool avc_vcpu_has_work(struct avc_vcpu *vcpu)
{
    uint32_t power = avc_load_seq(&vcpu->power);

    if (avc_load_relaxed(&vcpu->serror)) /* run will tell */
        return true;
    if (power != AVC_POWER_ON)
        return power == AVC_POWER_PENDING || (avc_load_seq(&vcpu->requests) & AVC_REQUEST_KICK);
    if (avc_load_seq(&vcpu->requests) & AVC_REQUEST_KICK)
        return true;
    return vcpu->vm->irqc ? vcpu->vm->irqc->pending(vcpu) : vcpu->irq_line || vcpu->fiq_line;
}

uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu)
{
    if (avc_load_seq(&vcpu->power) != AVC_POWER_ON)
        return ~UINT64_C(0);
    return vcpu->vm->irqc ? vcpu->vm->irqc->deadline(vcpu) : ~UINT64_C(0);
}

enum avc_status avc_vcpu_set_irq(struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    if (vcpu->vm->irqc)
        return vcpu->vm->irqc->set_irq(vcpu->vm, vcpu, intid, level);
    if (intid > 1)
        return AVC_ERANGE;
    avc_store_seq(intid == 0 ? &vcpu->irq_line : &vcpu->fiq_line, level);
    avc_vcpu_request(vcpu, AVC_REQUEST_IRQC);
    return AVC_OK;
}

/* ---- registers ---- */

static enum avc_status check_mine(const struct avc_vcpu *vcpu)
{
    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    return vcpu->pcpu && !avc_vcpu_here(vcpu) ? AVC_EBUSY : AVC_OK;
}

/* The guest's V registers, FPCR and FPSR, out of the CPU. They come back with the guest's next use of one. */
static struct avc_fp *fp_in_memory(struct avc_vcpu *vcpu)
{
    uint64_t daif = avc_hw_irq_save();

    avc_fp_leave_guest(vcpu, true);
    avc_hw_irq_restore(daif);
    return vcpu->fp;
}

enum avc_status avc_vcpu_get(struct avc_vcpu *vcpu, uint32_t reg, uint64_t *value)
{
    enum avc_status status = value ? check_mine(vcpu) : AVC_EINVAL;

    if (status)
        return status;
    if (reg >= AVC_REG_X0 && reg <= AVC_REG_X30)
        *value = vcpu->x[reg - AVC_REG_X0];
    else if (reg == AVC_REG_PC)
        *value = in_trap(vcpu) ? avc_hw_read_ELR_EL2() : vcpu->pc;
    else if (reg == AVC_REG_PSTATE)
        *value = in_trap(vcpu) ? avc_hw_read_SPSR_EL2() : vcpu->pstate;
    else if (reg == AVC_REG_FPCR)
        *value = fp_in_memory(vcpu)->fpcr;
    else if (reg == AVC_REG_FPSR)
        *value = fp_in_memory(vcpu)->fpsr;
    else
        return avc_sysreg_get(vcpu, reg, value);
    return AVC_OK;
}

/* What a guest's PSTATE may be made of: AArch64 EL0t, EL1t, EL1h, and AArch32 User where the CPUs have it; never EL2,
   whatever the caller says. Anything else would be an illegal return, which is taken in EL2. */
static bool pstate_ok(const struct avc_vcpu *vcpu, uint64_t pstate)
{
    uint64_t mode = pstate & 0x1f;

    return mode == 0x0 || mode == 0x4 || mode == 0x5 ||
           (mode == 0x10 && avc_has(&vcpu->vm->machine->features, AVC_FEAT_AA32EL0));
}

enum avc_status avc_vcpu_set(struct avc_vcpu *vcpu, uint32_t reg, uint64_t value)
{
    enum avc_status status = check_mine(vcpu);

    if (status)
        return status;
    if (reg >= AVC_REG_X0 && reg <= AVC_REG_X30) {
        vcpu->x[reg - AVC_REG_X0] = value;
    } else if (reg == AVC_REG_PC) {
        vcpu->pc = value;
        if (in_trap(vcpu)) {
            vcpu->exit.pc = value; /* where DONE steps from */
            avc_hw_write_ELR_EL2(value);
        }
    } else if (reg == AVC_REG_PSTATE) {
        if (!pstate_ok(vcpu, value))
            return AVC_EINVAL;
        vcpu->pstate = value;
        if (in_trap(vcpu))
            avc_hw_write_SPSR_EL2(value);
    } else if (reg == AVC_REG_FPCR) {
        fp_in_memory(vcpu)->fpcr = value;
    } else if (reg == AVC_REG_FPSR) {
        fp_in_memory(vcpu)->fpsr = value;
    } else {
        return avc_sysreg_set(vcpu, reg, value);
    }
    return AVC_OK;
}

enum avc_status avc_vcpu_get_fp(struct avc_vcpu *vcpu, uint32_t n, uint64_t value[2])
{
    enum avc_status status = value ? check_mine(vcpu) : AVC_EINVAL;
    struct avc_fp *fp;

    if (status)
        return status;
    if (n > 31)
        return AVC_ENOENT;
    fp = fp_in_memory(vcpu);
    value[0] = fp->v[n][0];
    value[1] = fp->v[n][1];
    return AVC_OK;
}

enum avc_status avc_vcpu_set_fp(struct avc_vcpu *vcpu, uint32_t n, const uint64_t value[2])
{
    enum avc_status status = value ? check_mine(vcpu) : AVC_EINVAL;
    struct avc_fp *fp;

    if (status)
        return status;
    if (n > 31)
        return AVC_ENOENT;
    fp = fp_in_memory(vcpu);
    fp->v[n][0] = value[0];
    fp->v[n][1] = value[1];
    return AVC_OK;
}

void avc_vcpu_set_return_value(struct avc_vcpu *vcpu, uint64_t value)
{
    avc_done(&vcpu->exit, value);
}

struct avc_vm *avc_vcpu_vm(const struct avc_vcpu *vcpu)
{
    return vcpu->vm;
}

void *avc_vcpu_user(const struct avc_vcpu *vcpu)
{
    return vcpu->user;
}

bool avc_vcpu_is_loaded(const struct avc_vcpu *vcpu)
{
    return avc_load_acquire(&vcpu->pcpu) != NULL;
}
