/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The FP and SIMD registers. The guest's come into the CPU when it first uses them, not before. They leave as the
 * host's policy says:
 *
 *   AVC_HOST_NO_FP  the host does not use them from load to put: the guest's stay until put
 *   not set         each return of run in which the guest used its own brings the host's back
 *
 * CPTR_EL2 traps EL2 as well as the guest, so this code must open it for itself, too. Its layout depends on
 * HCR_EL2.E2H. SVE and SME stay trapped all the time: writing V0..V31 zeroes the rest of a host's Z registers, which
 * AAPCS64 does not keep over a call either.
 */
#include "core/exit/fp.h"

#include "arch/cptr.h"
#include "core/exit/exit.h"
#include "core/object/here.h"

static uint64_t opened(const struct avc_vcpu *vcpu, uint64_t cptr)
{
    return vcpu->hcr & HCR_E2H ? cptr | CPTR_VHE_FPEN : cptr & ~CPTR_TFP;
}

static uint64_t trapped(const struct avc_vcpu *vcpu)
{
    return vcpu->hcr & HCR_E2H ? vcpu->vm->traps.cptr_vhe : vcpu->vm->traps.cptr;
}

void avc_fp_enter_guest(struct avc_vcpu *vcpu)
{
    vcpu->cptr = opened(vcpu, vcpu->cptr);
    avc_hw_write_CPTR_EL2(vcpu->cptr); /* it stays open: the guest needs it as well */
    avc_hw_isb();
    avc_hw_fp_save(&vcpu->host_fp);
    avc_hw_fp_load(vcpu->fp);
    vcpu->fp_live = true;
    if (!(vcpu->pcpu->hal->uses & AVC_HOST_NO_FP))
        vcpu->work |= AVC_WORK_FP;
}

void avc_fp_leave_guest(struct avc_vcpu *vcpu, bool put)
{
    uint64_t cptr;

    if (!vcpu->fp_live || (!put && vcpu->pcpu->hal->uses & AVC_HOST_NO_FP))
        return;
    /* In a trap CPTR_EL2 is the guest's, and it has to trap again from here on. */
    cptr = avc_vcpu_in_trap(vcpu) ? trapped(vcpu) : avc_hw_read_CPTR_EL2();
    avc_hw_write_CPTR_EL2(opened(vcpu, cptr));
    avc_hw_isb();
    avc_hw_fp_save(vcpu->fp);
    avc_hw_fp_load(&vcpu->host_fp);
    avc_hw_write_CPTR_EL2(cptr);
    avc_hw_isb();
    vcpu->cptr = trapped(vcpu);
    vcpu->fp_live = false;
    vcpu->work &= ~AVC_WORK_FP;
}

/*
 * CPTR_EL2 has trapped. CPACR_EL1 has the higher priority (Arm ARM D1.3.5.2), so the guest's kernel has allowed the
 * use. The guest does the instruction again, whatever its condition says. With the registers live, this trap cannot
 * happen.
 */
enum avc_result avc_trap_fp(struct avc_vcpu *vcpu, uint64_t esr)
{
    if (vcpu->fp_live || !avc_has(&vcpu->vm->features, AVC_FEAT_FP))
        return avc_exit_undefined(vcpu, esr);
    avc_fp_enter_guest(vcpu);
    return AVC_RESUME;
}
