/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The FP and SIMD registers: the guest's come into the CPU when it first uses them, not before, and go when the host's
 * policy says so.
 *
 *   AVC_HOST_NO_FP  the host leaves them alone from load to put: the guest's stay until put
 *   not set         the host's are back at each return of run in which the guest used its own
 *
 * CPTR_EL2 decides for EL2 as well as for the guest, so that this code has to open it for itself, too. Its layout hangs on
 * HCR_EL2.E2H. SVE and SME stay trapped all the time: writing V0..V31 zeroes the rest of a host's Z registers, which
 * AAPCS64 does not keep over a call either.
 */
#include "arch/esr.h"

#define CPTR_TFP  AVC_BIT(10)         /* E2H=0: traps FP and SIMD */
#define CPTR_FPEN (UINT64_C(3) << 20) /* E2H=1: 0b11 traps nothing */

static uint64_t opened(const struct avc_vcpu *v, uint64_t cptr)
{
    return v->hcr & HCR_E2H ? cptr | CPTR_FPEN : cptr & ~CPTR_TFP;
}

static uint64_t trapped(const struct avc_vcpu *v)
{
    return v->hcr & HCR_E2H ? v->vm->traps.cptr_vhe : v->vm->traps.cptr;
}

void avc_fp_enter_guest(struct avc_vcpu *v)
{
    v->cptr = opened(v, v->cptr);
    avc_hw_write_CPTR_EL2(v->cptr); /* stays: the guest needs it as well */
    avc_hw_isb();
    avc_hw_fp_save(&v->host_fp);
    avc_hw_fp_load(v->fp);
    v->fp_live = true;
    if (!(v->pcpu->hal->uses & AVC_HOST_NO_FP))
        v->work |= AVC_WORK_FP;
}

void avc_fp_leave_guest(struct avc_vcpu *v, bool put)
{
    uint64_t cptr;
    bool in_trap;

    if (!v->fp_live || (!put && v->pcpu->hal->uses & AVC_HOST_NO_FP))
        return;
    /* asked by a claim, behind our vectors: CPTR_EL2 is the guest's, and it has to trap again from here on */
    in_trap = avc_hw_read_VBAR_EL2() != v->host_vbar;
    cptr = in_trap ? trapped(v) : avc_hw_read_CPTR_EL2();
    avc_hw_write_CPTR_EL2(opened(v, cptr));
    avc_hw_isb();
    avc_hw_fp_save(v->fp);
    avc_hw_fp_load(&v->host_fp);
    avc_hw_write_CPTR_EL2(cptr);
    avc_hw_isb();
    v->cptr = trapped(v);
    v->fp_live = false;
    v->work &= ~AVC_WORK_FP;
}

/*
 * CPTR_EL2 has trapped. CPACR_EL1 has the higher priority (Arm ARM D1.3.5.2), so the guest's kernel has allowed the use.
 * The instruction is done again, whatever its condition says. A trap with the registers live cannot be.
 */
uint64_t avc_trap_fp(struct avc_vcpu *v, uint64_t esr)
{
    if (v->fp_live || !avc_has(&v->vm->features, AVC_FEAT_FP))
        return avc_trap_undef(v, esr);
    avc_fp_enter_guest(v);
    return HW_BACK;
}
