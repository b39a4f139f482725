/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A vCPU's registers by id: its owner reads and sets them. */
#include <avc/sysreg.h>

#include "arch/pstate.h"
#include "core/exit/fp.h"
#include "core/object/vcpu.h"
#include "core/policy/sysreg.h"

/* Checks that the vCPU is the caller's. If it was switched on meanwhile, its registers are those that it starts with.
   For a run in progress its end sees to that. */
static enum avc_status check_mine(struct avc_vcpu *vcpu)
{
    uint64_t daif;

    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    if (vcpu->pcpu && !avc_vcpu_here(vcpu))
        return AVC_EBUSY;
    if (avc_vcpu_is_stale(vcpu) && !avc_vcpu_in_run(vcpu)) {
        daif = avc_hw_irq_save();
        avc_vcpu_freshen(vcpu);
        avc_hw_irq_restore(daif);
    }
    return AVC_OK;
}

/* Moves the guest's V registers, FPCR and FPSR out of the CPU. They come back when the guest next uses one. */
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
        *value = avc_vcpu_in_trap(vcpu) ? avc_hw_read_ELR_EL2() : vcpu->pc;
    else if (reg == AVC_REG_PSTATE)
        *value = avc_vcpu_in_trap(vcpu) ? avc_hw_read_SPSR_EL2() : vcpu->pstate;
    else if (reg == AVC_REG_FPCR)
        *value = fp_in_memory(vcpu)->fpcr;
    else if (reg == AVC_REG_FPSR)
        *value = fp_in_memory(vcpu)->fpsr;
    else
        return avc_sysreg_get(vcpu, reg, value);
    return AVC_OK;
}

/* Checks a guest's PSTATE. It may be AArch64 EL0t, EL1t or EL1h, or AArch32 User if the CPUs have it. It is never
   EL2, whatever the caller says. Any other value would make the return illegal, and that exception would be taken in
   EL2. */
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
        if (avc_vcpu_in_trap(vcpu)) {
            vcpu->exit.pc = value; /* DONE steps from here */
            avc_hw_write_ELR_EL2(value);
        }
    } else if (reg == AVC_REG_PSTATE) {
        if (!pstate_ok(vcpu, value))
            return AVC_EINVAL;
        vcpu->pstate = value;
        if (avc_vcpu_in_trap(vcpu))
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
