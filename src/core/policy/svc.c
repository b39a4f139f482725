/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * System calls, which FEAT_FGT traps for VMs with SVC claims. This file has the trap, and the switch that turns it off
 * and on again while the VM runs.
 */
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

/*
 * The trap registers of a VM are constant except for these bits. vm->traps_version tells of their changes. It is odd
 * while they are off, and grows by one with each change. The bits are stored before the version and read after it
 * (avc_hw_traps_write()), so a vCPU that has noted a version runs with the bits of that version or of a later one.
 * AVC_REQUEST_TRAPS is set last, and makes a vCPU that has read them too early read them again.
 */
static void write_bits(struct avc_vm *vm, bool on)
{
    uint64_t rest = vm->traps.hfgitr & ~SWITCHED;

    avc_store_relaxed(&vm->traps.hfgitr, on ? rest | vm->svc_traps : rest);
}

void avc_svc_seal(struct avc_vm *vm)
{
    vm->svc_traps = vm->traps.hfgitr & SWITCHED;
    write_bits(vm, !(vm->traps_version & 1));
}

enum avc_status avc_vm_trap_svc(struct avc_vm *vm, bool on)
{
    enum avc_status status = AVC_OK;
    bool changed = false, sealed;
    uint64_t daif;

    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    daif = avc_hw_irq_save();
    avc_lock(&vm->lock);
    sealed = vm->sealed;
    if (sealed ? !vm->svc_traps : vm->machine->enabled && !avc_has(&vm->machine->features, AVC_FEAT_FGT)) {
        status = AVC_ENOTRAP;
    } else if (on == (vm->traps_version & 1)) {
        changed = sealed;
        if (sealed)
            write_bits(vm, on);
        avc_store_seq(&vm->traps_version, vm->traps_version + 1);
    }
    avc_unlock(&vm->lock);
    avc_hw_irq_restore(daif);
    for (uint32_t n = 0; changed && n < vm->nr_vcpus; n++)
        if (vm->vcpus[n]->magic == AVC_MAGIC_VCPU)
            avc_vcpu_request(vm->vcpus[n], AVC_REQUEST_TRAPS);
    return status;
}
