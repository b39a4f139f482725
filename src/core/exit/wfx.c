/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * WFI and WFE, and with FEAT_WFxT their forms with a time-out. The vCPU waits in the VMM. If there is a reason to
 * complete the instruction at once, that is done here. Both may complete early (Arm ARM D1.6.2 "Wait for Interrupt").
 * So a race that is decided the wrong way costs the guest one more turn of its idle loop, and no more.
 */
#include "core/exit/wfx.h"

#include "core/exit/exit.h"

/* A virtual SError or an interrupt completes the instruction. An interrupt that is masked wakes WFI as well, but not
   WFE (Arm ARM D1.6.1). So a guest that delays with interrupts masked gives its CPU away in each WFE. */
static bool is_woken(struct avc_vcpu *vcpu, bool event)
{
    const struct avc_irqc_ops *irqc = vcpu->vm->irqc;
    uint64_t masks = SPSR_I | SPSR_F;

    if (vcpu->vserror) {
        if (avc_hw_read_HCR_EL2() & HCR_VSE)
            return true;
        vcpu->vserror = false; /* the guest has taken it since it was entered */
    }
    if (event && (avc_hw_read_SPSR_EL2() & masks) == masks)
        return false;
    return irqc ? irqc->pending(vcpu) : vcpu->irq_line || vcpu->fiq_line;
}

/* Returns the CNTPCT_EL0 at which WFIT and WFET give up: when CNTVCT_EL0 reaches Xn. */
static uint64_t timeout(const struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t now = avc_hw_read_CNTPCT_EL0(), until;

    if (!(esr & ISS_TI_TIMEOUT) || !(esr & ISS_RV))
        return ~UINT64_C(0);
    until = avc_vcpu_gpr(vcpu, ISS_RN(esr));
    if (until <= now - vcpu->vm->cntvoff)
        return 0;
    until -= now - vcpu->vm->cntvoff; /* from now on */
    return until > ~UINT64_C(0) - now ? ~UINT64_C(0) : now + until;
}

enum avc_result avc_trap_wfx(struct avc_vcpu *vcpu, uint64_t esr)
{
    bool event = esr & ISS_TI_EVENT;
    struct avc_exit *e = avc_exit_begin(vcpu, event ? AVC_WFE : AVC_WFI, esr & ISS_TI_TIMEOUT ? 1 : 0, esr);
    uint64_t deadline;

    e->answer = AVC_DONE;
    e->step = true;
    if (!avc_condition_passed(esr, avc_hw_read_SPSR_EL2()) || is_woken(vcpu, event))
        return avc_exit_end(vcpu, e, AVC_DONE);
    /* In a VM that did not ask for it, WFE traps only for a CLASS claim. That claim has passed. */
    if (event && !(vcpu->vm->flags & AVC_VM_TRAP_WFE))
        return avc_exit_end(vcpu, e, AVC_DONE);
    e->value = timeout(vcpu, esr);
    if (e->value)
        deadline = avc_vcpu_deadline(vcpu);
    else
        return avc_exit_end(vcpu, e, AVC_DONE);
    if (deadline < e->value)
        e->value = deadline;
    return avc_exit_end(vcpu, e, AVC_EXIT);
}
