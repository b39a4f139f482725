/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* System calls, which FEAT_FGT traps for VMs with SVC claims. svc_switch.c turns the trap off and on again. */
#include "core/policy/svc.h"

#include "arch/hfgtr.h"
#include "core/exit/exit.h"

#define SWITCHED (HFGITR_ERET | HFGITR_SVC_EL0 | HFGITR_SVC_EL1)

/* Handles a system call that nobody claims: the guest's kernel gets it. */
enum avc_result avc_trap_svc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t pstate = avc_hw_read_SPSR_EL2();
    struct avc_exit *e;

    if (!avc_at_el0(pstate)) /* it is the kernel's own, trapped for a CLASS claim */
        return avc_complete_own(vcpu, esr, AVC_OWN_SVC);
    e = avc_exit_begin(vcpu, AVC_SVC, pstate & SPSR_NRW ? (uint32_t)vcpu->x[7] : vcpu->x[8], esr);
    e->answer = AVC_PASS;
    e->own = AVC_OWN_SVC;
    e->imm = (uint16_t)esr;
    e->step = true;
    return avc_exit_offer(vcpu, e, AVC_PASS);
}

/* Takes the bits into the VM's trap registers, or out of them. */
void avc_svc_write(struct avc_vm *vm, bool on)
{
    uint64_t rest = vm->traps.hfgitr & ~SWITCHED;

    avc_store_relaxed(&vm->traps.hfgitr, on ? rest | vm->svc_traps : rest);
}

void avc_svc_seal(struct avc_vm *vm)
{
    vm->svc_traps = vm->traps.hfgitr & SWITCHED;
    avc_svc_write(vm, !(vm->traps_version & 1));
}
