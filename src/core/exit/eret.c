/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Emulates ERET for VMs in which a CLASS claim has it trapped (HFGITR_EL2.ERET). When the claim passes, this code
 * returns as the CPU would have done (Arm ARM DDI 0487, J1.1.2, AArch64.ExceptionReturn and IllegalExceptionReturn).
 *
 * ERETAA and ERETAB authenticate ELR_EL1 with a key and an address layout of EL1. Only the CPU can do that. So it
 * executes them under a single step, with the trap off. The instruction changes PSTATE.SS from 1 to 0, whatever it does
 * otherwise. The Software Step exception then comes before the next instruction (D2.11.3). So SS tells whether an
 * exception that interrupts the step came before the instruction or after it. An interrupted step is given up: at the
 * next trap, and whenever run looks outside of the guest. If the instruction was not executed, it traps again.
 */
#include <avc/priv/ctx.h>

#include "core/exit/eret.h"

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/policy/sysreg.h"

/* Is a return from EL1 to this mode illegal? */
static bool is_illegal(const struct avc_vcpu *vcpu, uint64_t spsr)
{
    uint64_t mode = spsr & SPSR_M;

    if (spsr & SPSR_NRW) /* EL1 is AArch64, so AArch32 is User mode at EL0 or nothing */
        return mode != 0 || !avc_has(&vcpu->vm->features, AVC_FEAT_AA32EL0);
    return mode != SPSR_EL0T && mode != SPSR_EL1T && mode != SPSR_EL1H;
}

void avc_eret(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr)
{
    uint64_t pc, spsr;

    /* Only EL1 executes it. */
    if (avc_at_el0(r->pstate) || (esr & ISS_ERETA && !avc_has(&vcpu->vm->features, AVC_FEAT_PAUTH))) {
        avc_inject_undef(vcpu, r, esr & ESR_IL);
        return;
    }
    if (esr & ISS_ERETA) {
        r->pstate |= SPSR_SS;
        vcpu->work |= AVC_WORK_STEP;
        avc_hw_step_begin(vcpu);
        return;
    }
    pc = avc_ctx_get(vcpu, AVC_CTX_ELR_EL1);
    spsr = avc_ctx_get(vcpu, AVC_CTX_SPSR_EL1);
    if (is_illegal(vcpu, spsr)) {
        /* The guest stays at this EL, with IL set: the next instruction takes the Illegal Execution state exception. */
        uint64_t keep = SPSR_NRW | SPSR_M, take = SPSR_NZCV | SPSR_PAN | SPSR_DAIF;

        pc &= spsr & SPSR_T32 ? ~UINT64_C(1) : ~UINT64_C(3);
        spsr = (r->pstate & keep) | (spsr & take) | SPSR_IL;
    } else if (spsr & SPSR_NRW) {
        pc = (uint32_t)pc & (spsr & SPSR_T32 ? ~UINT64_C(1) : ~UINT64_C(3));
    }
    r->pc = pc;
    r->pstate = spsr;
}

void avc_eret_step_end(struct avc_vcpu *vcpu, uint64_t *pstate)
{
    bool done = !(*pstate & SPSR_SS);

    vcpu->work &= ~AVC_WORK_STEP;
    avc_hw_step_end(vcpu);
    *pstate &= ~SPSR_SS;
    if (done && avc_at_el0(*pstate)) /* a guest that steps its own EL0 */
        *pstate |= avc_ctx_get(vcpu, AVC_CTX_SPSR_EL1) & SPSR_SS;
}

bool avc_eret_stepped(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t pstate = avc_hw_read_SPSR_EL2();

    avc_eret_step_end(vcpu, &pstate);
    avc_hw_write_SPSR_EL2(pstate);
    return ESR_EC(esr) == AVC_EC_STEP_LOWER;
}
