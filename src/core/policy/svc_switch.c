/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The switch that turns a VM's traps of system calls off, and on again, while the VM runs.
 *
 * The trap registers of a VM are constant except for these bits. vm->traps_version tells of their changes. It is odd
 * while they are off, and grows by one with each change. The bits are stored before the version and read after it
 * (avc_hw_traps_write()), so a vCPU that has noted a version runs with the bits of that version or of a later one.
 * AVC_REQUEST_TRAPS is set last, and makes a vCPU that has read them too early read them again.
 */
#include "core/policy/svc.h"

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
            avc_svc_write(vm, on);
        avc_store_seq(&vm->traps_version, vm->traps_version + 1);
    }
    avc_unlock(&vm->lock);
    avc_hw_irq_restore(daif);
    for (uint32_t n = 0; changed && n < vm->nr_vcpus; n++)
        if (vm->vcpus[n]->magic == AVC_MAGIC_VCPU)
            avc_vcpu_request(vm->vcpus[n], AVC_REQUEST_TRAPS);
    return status;
}
