/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Gives exceptions to the guest. This does to PC, PSTATE and the EL1 registers what the CPU itself does on an exception
 * to EL1 (Arm ARM DDI 0487, J1.1.2, AArch64.TakeException). EL1 is always AArch64 here. EL0 may be AArch32.
 */
#include "core/exit/inject.h"

#include <avc/priv/ctx.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "arch/walk.h"
#include "core/core.h"
#include "core/object/here.h"
#include "core/policy/sysreg.h"

/* The vector's offset from VBAR_EL1 (D1.3.1.4 "Exception vectors"). The exception is synchronous: there is nothing
   more to add. */
static uint64_t vector(uint64_t pstate)
{
    if (pstate & SPSR_NRW)
        return 0x600;
    if (avc_at_el0(pstate))
        return 0x400;
    return pstate & SPSR_SP ? 0x200 : 0;
}

/*
 * PSTATE at the handler. NZCV, PAN and DIT stay. They have the same place in an AArch32 SPSR. BTYPE, IL, SS, UAO, nRW
 * and whatever this code does not know become 0. The pseudocode says so for BTYPE, IL and SS, and FEAT_UAO for UAO.
 * Features that are hidden from the guest keep their fields at 0 (FEAT_NMI's ALLINT, FEAT_GCS's EXLOCK).
 */
static uint64_t pstate_at_el1(const struct avc_vcpu *vcpu, uint64_t old)
{
    const struct avc_features *f = &vcpu->vm->features;
    uint64_t sctlr = avc_ctx_get(vcpu, AVC_CTX_SCTLR_EL1);
    uint64_t p = (old & (SPSR_NZCV | SPSR_PAN | SPSR_DIT)) | SPSR_DAIF | SPSR_EL1H;

    if (avc_has(f, AVC_FEAT_PAN) && !(sctlr & SCTLR_SPAN))
        p |= SPSR_PAN;
    if (avc_has(f, AVC_FEAT_SSBS) && sctlr & SCTLR_DSSBS)
        p |= SPSR_SSBS;
    if (avc_has(f, AVC_FEAT_MTE))
        p |= SPSR_TCO;
    return p;
}

static void take(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr)
{
    avc_ctx_set(vcpu, AVC_CTX_ESR_EL1, esr);
    avc_ctx_set(vcpu, AVC_CTX_ELR_EL1, r->pc);
    avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, r->pstate);
    r->pc = avc_ctx_get(vcpu, AVC_CTX_VBAR_EL1) + vector(r->pstate);
    r->pstate = pstate_at_el1(vcpu, r->pstate);
    avc_count(&vcpu->nr_faults);
}

/* Some classes exist twice: an even one for an exception from a lower level, and the next odd one for one from the
   same level. To EL2 all come from a lower level. The guest's own come from the level where it was. */
static unsigned class_for_el1(unsigned ec, uint64_t pstate)
{
    static const uint64_t pairs = AVC_BIT(AVC_EC_IABT_LOWER) | AVC_BIT(AVC_EC_DABT_LOWER) |
                                  AVC_BIT(AVC_EC_BREAK_LOWER) | AVC_BIT(AVC_EC_STEP_LOWER) |
                                  AVC_BIT(AVC_EC_WATCH_LOWER);

    if (!(pairs >> (ec & ~1u) & 1))
        return ec;
    return (ec & ~1u) | !avc_at_el0(pstate);
}

/* Classes besides aborts whose exceptions write FAR (D24.2.47, "FAR_EL1"). */
static const uint64_t writes_far = AVC_BIT(AVC_EC_PC_ALIGN) | AVC_BIT(AVC_EC_WATCH_LOWER) | AVC_BIT(AVC_EC_WATCH_SAME);

void avc_inject_sync(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr)
{
    take(vcpu, r, ESR_MAKE(class_for_el1(ESR_EC(esr), r->pstate), esr & ESR_IL, ESR_ISS(esr)));
}

void avc_inject_undef(struct avc_vcpu *vcpu, struct avc_regs *r, bool il)
{
    avc_count(&vcpu->nr_undef);
    (void)il; /* "IL is 1 for an exception with unknown reason" (D24.2.40, ESR_ELx.IL) */
    avc_inject_sync(vcpu, r, ESR_MAKE(AVC_EC_UNKNOWN, true, 0));
}

/*
 * EL2's syndrome has the level of stage 2 that found nothing, not the level that stage 1 had reached. HPFAR_EL2 has the
 * page of the descriptor. The address of the first level's descriptor follows from TCR_EL1, TTBRx_EL1 and the virtual
 * address. If it is in that page, the walk was at the first level. Otherwise the deeper tables would have to be read,
 * which the VMM alone can do: the last level is the likeliest.
 */
_Static_assert(AVC_CTX_TTBR1_EL1 == AVC_CTX_TTBR0_EL1 + 1, "avc_walk_half() is added to the first one's number");
unsigned avc_inject_walk_level(const struct avc_vcpu *vcpu, uint64_t va, avc_ipa_t ipa)
{
    uint64_t ttbr = avc_ctx_get(vcpu, AVC_CTX_TTBR0_EL1 + avc_walk_half(va));
    struct avc_walk walk;

    if (!avc_walk_begin(&walk, va, avc_ctx_get(vcpu, AVC_CTX_TCR_EL1), ttbr))
        return 3;
    return (walk.desc ^ ipa) >> 12 ? 3 : walk.level;
}

/*
 * The fault status that the guest sees. Aborts that have nothing to do with stage 2 are the guest's as they are. From
 * the guest's point of view stage 2 does not exist: the bus gave an error, on the access or on a walk.
 */
static uint32_t guest_status(uint64_t esr, unsigned level)
{
    static const uint64_t as_is = AVC_BIT(FSC_EXTERNAL) | AVC_BIT(FSC_PARITY) | AVC_BIT(FSC_ALIGNMENT) |
                                  AVC_BIT(FSC_TLB_CONFLICT) | AVC_BIT(FSC_ATOMIC) | AVC_BIT(FSC_LOCKDOWN) |
                                  AVC_BIT(FSC_EXCLUSIVE);

    if (as_is >> ISS_FSC(esr) & 1)
        return ISS_FSC(esr);
    return esr & ISS_S1PTW ? FSC_EXTERNAL_WALK + (level & 3) : FSC_EXTERNAL;
}

void avc_inject_abort(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va, unsigned level)
{
    bool fetch = ESR_EC(esr) == AVC_EC_IABT_LOWER || ESR_EC(esr) == AVC_EC_IABT_SAME;
    uint64_t keep = fetch ? ISS_FNV | ISS_EA : ISS_FNV | ISS_EA | ISS_CM | ISS_WNR;
    uint32_t status = guest_status(esr, level);

    if (status == FSC_EXTERNAL)
        keep |= ISS_SET;
    else
        keep &= ~ISS_FNV; /* RES0 unless the status is 0x10 */
    if (!(esr & ISS_FNV && status == FSC_EXTERNAL))
        avc_ctx_set(vcpu, AVC_CTX_FAR_EL1, va);
    /* IL is 1 for instruction aborts, and for data aborts without ISV. EL1's never have ISV. */
    avc_inject_sync(vcpu, r, ESR_MAKE(fetch ? AVC_EC_IABT_LOWER : AVC_EC_DABT_LOWER, true, (esr & keep) | status));
}

/* FEAT_FGT traps an SVC before it is executed, so the PC is at it. The SVC's own exception has the PC behind it, and
   PSTATE as after an instruction (J1.1.2, AArch64.CallSupervisor: SSAdvance). */
void avc_inject_svc(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr)
{
    avc_pstate_step(&r->pc, &r->pstate, esr & ESR_IL);
    avc_inject_sync(vcpu, r, ESR_MAKE(ESR_EC(esr), esr & ESR_IL, ISS_IMM16(esr)));
}

void avc_inject_exception(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va)
{
    if (writes_far >> ESR_EC(esr) & 1)
        avc_ctx_set(vcpu, AVC_CTX_FAR_EL1, va);
    avc_inject_sync(vcpu, r, esr);
}

/*
 * A virtual SError waits in HCR_EL2.VSE until the guest unmasks SErrors. The CPU clears VSE when the guest takes it
 * (D1.3.4.4 "Virtual interrupts"). The code that leaves the guest reads VSE back. With FEAT_RAS the guest's syndrome
 * comes from VSESR_EL2.
 */
void avc_inject_serror(struct avc_vcpu *vcpu, uint64_t iss)
{
    vcpu->vserror = true;
    vcpu->work |= AVC_WORK_VSE;
    vcpu->hcr |= HCR_VSE;
    avc_count(&vcpu->nr_faults);
    if (avc_has(&vcpu->vm->features, AVC_FEAT_RAS))
        avc_ctx_set(vcpu, AVC_CTX_VSESR_EL2, ESR_ISS(iss));
    if (avc_vcpu_in_trap(vcpu))
        avc_hw_write_HCR_EL2(vcpu->hcr); /* otherwise the next entry writes it */
}
