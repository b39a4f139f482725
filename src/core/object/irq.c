/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Interrupts, for those who have any to give: a VM's controller, its input lines, and the host's vector. */
#include "core/object/pcpu.h"

enum avc_status avc_vm_set_irqc(struct avc_vm *vm, const struct avc_irqc_ops *ops, void *data)
{
    if (!vm || !ops || !ops->load || !ops->put || !ops->enter || !ops->reset || !ops->pending || !ops->deadline ||
        !ops->set_irq)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM)
        return AVC_ENOENT;
    if (vm->sealed)
        return AVC_ESEALED;
    if (vm->irqc)
        return AVC_EEXIST;
    vm->irqc = ops;
    if (ops->irq)
        vm->irq = ops->irq;
    if (ops->irq_taken)
        vm->irq_taken = ops->irq_taken;
    vm->irqc_data = data;
    return AVC_OK;
}

enum avc_status avc_vm_set_irq(struct avc_vm *vm, uint32_t intid, bool level)
{
    if (!vm)
        return AVC_EINVAL;
    if (vm->magic != AVC_MAGIC_VM || !vm->irqc)
        return AVC_ENOENT;
    return vm->irqc->set_irq(vm, NULL, intid, level);
}

enum avc_answer avc_pcpu_irq(struct avc_pcpu *p)
{
    const struct avc_hal *hal = p->hal;
    struct avc_vcpu *vcpu = p->current; /* loaded, but waiting in the VMM */
    avc_irq_t irq;

    if (!hal->irq_fetch) /* the guest's own goes away without being acknowledged, as in trap.c */
        return vcpu && vcpu->vm->irq(vcpu, AVC_IRQ_SPURIOUS) ? AVC_DONE : AVC_PASS;
    irq = hal->irq_fetch(hal->ctx);
    if (irq == AVC_IRQ_SPURIOUS)
        return AVC_DONE;
    if (vcpu && vcpu->vm->irq(vcpu, irq)) /* one of the vCPU's timers */
        return AVC_DONE;
    return avc_pcpu_handle(p, irq);
}
