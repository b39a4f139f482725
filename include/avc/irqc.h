/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* For interrupt controllers, and add-ons that are made as the library's own parts are. */
#ifndef AVC_IRQC_H
#define AVC_IRQC_H

#include <avc/event.h>
#include <avc/host.h>
#include <avc/priv/result.h>
#include <avc/priv/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The interrupt controller of a VM, seen from the core. avc/vgic.h is one. With none, avc_vcpu_set_irq() drives
 * HCR_EL2.VI alone. Every function is called with IRQs masked.
 */
struct avc_irqc_ops {
    void (*load)(struct avc_vcpu *vcpu);  /* on the CPU it is being loaded on */
    void (*put)(struct avc_vcpu *vcpu);   /* on the CPU it is being taken from */
    void (*enter)(struct avc_vcpu *vcpu); /* before entering the guest, when AVC_REQUEST_IRQC was set */
    void (*reset)(struct avc_vcpu *vcpu); /* vCPU is not loaded */
    /* a physical interrupt was fetched while it is loaded here: true when it was for this controller, which has then ended
       it by hal->irq_end. AVC_IRQ_SPURIOUS: one is pending and the host does not fetch; true when there is none any more
       that is this controller's, and there was */
    bool (*irq)(struct avc_vcpu *vcpu, avc_irq_t irq);
    bool (*pending)(struct avc_vcpu *vcpu);      /* would WFI complete now? any CPU */
    uint64_t (*deadline)(struct avc_vcpu *vcpu); /* CNTPCT at which it will have a timer interrupt, ~0 none */
    enum avc_status (*set_irq)(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level);
    /* optional: as irq, for one that was fetched (or was spurious) because it was taken from the guest of this vCPU. Settles
       it, ends it, and returns AVC_RESUME; or returns avc_vcpu_irq_host(vcpu, irq). Default: irq, and that */
    enum avc_result (*irq_taken)(struct avc_vcpu *vcpu, avc_irq_t irq);
};

/** Sets the interrupt controller. Errors: EINVAL (null, or a function other than irq is), ENOENT, ESEALED, EEXIST. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_set_irqc(struct avc_vm *vm, const struct avc_irqc_ops *ops, void *data);

/** For interrupt controllers: what avc_irqc_ops.irq_taken returns for an interrupt that is not theirs. This CPU's handler has
    it. Context: irq_taken. */
enum avc_result avc_vcpu_irq_host(struct avc_vcpu *vcpu, avc_irq_t irq);

/** For parts of the library and add-ons like them: sets request bits; if the vCPU runs its guest on another CPU, or is
    not loaded, calls wake(). Must be called without locks. Context: any. */
void avc_vcpu_request(struct avc_vcpu *vcpu, uint64_t requests);

/** For parts of the library and add-ons like them: as avc_vm_claim(), but an embedder's claim on a key wins, and no
    error comes of an overlap with one. Context: setup. */
AVC_MUST_USE enum avc_status avc_vm_claim_builtin(struct avc_vm *vm, const struct avc_claim *claim);

#ifdef __cplusplus
}
#endif
#endif
