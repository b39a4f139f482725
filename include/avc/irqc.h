/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * For authors of an interrupt controller, and of add-ons that work like parts of the library. An embedder who uses the
 * library's own controller (avc/vgic.h) needs nothing of this.
 */
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
 * The interrupt controller of a VM, as the library's core calls it. In a VM without one, avc_vcpu_set_irq() drives
 * HCR_EL2.VI and VF, and there is nothing else. The library calls all functions with IRQs masked. Those for a loaded
 * vCPU run on the CPU where it is loaded.
 */
struct avc_irqc_ops {
    /** Required. The vCPU is being loaded on, or put from, the calling CPU. */
    void (*load)(struct avc_vcpu *vcpu);
    void (*put)(struct avc_vcpu *vcpu);
    /** Required. The library is about to enter the guest, and AVC_REQUEST_IRQC was requested since the last time. */
    void (*enter)(struct avc_vcpu *vcpu);
    /** Required. The host resets the vCPU; its state is in memory. */
    void (*reset)(struct avc_vcpu *vcpu);
    /** Optional. The host has fetched this physical interrupt while the vCPU is loaded here. Returns true if it
        belongs to this controller, which has then ended it by hal->irq_end. If `irq` is AVC_IRQ_SPURIOUS, the host
        does not fetch and some interrupt is pending: returns true if the controller had a pending interrupt of its
        own, and none of its own is pending any more. NULL: no interrupt is the controller's. */
    bool (*irq)(struct avc_vcpu *vcpu, avc_irq_t irq);
    /** Required. Tells whether a WFI of the vCPU would complete now. Context: any. */
    bool (*pending)(struct avc_vcpu *vcpu);
    /** Required. Returns the CNTPCT_EL0 at which a timer of the vCPU will have an interrupt; ~0: never. */
    uint64_t (*deadline)(struct avc_vcpu *vcpu);
    /** Required. avc_vm_set_irq(), with `vcpu` NULL, or avc_vcpu_set_irq(). Context: any. */
    enum avc_status (*set_irq)(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level);
    /** Optional. As irq, for an interrupt that was taken from the guest of this vCPU, or for AVC_IRQ_SPURIOUS. It
        handles and ends an interrupt of the controller's and returns AVC_RESUME, or returns avc_vcpu_irq_host(vcpu,
        irq). NULL: the library calls irq, and does the same by its result. */
    enum avc_result (*irq_taken)(struct avc_vcpu *vcpu, avc_irq_t irq);
    /** Optional. A call of PSCI has switched the vCPU off, on the CPU where it is loaded. No instruction of its guest
        runs until power_on, and no request but that is served. It may be put and loaded meanwhile. Context: in a trap
        of the vCPU. */
    void (*power_off)(struct avc_vcpu *vcpu);
    /** Optional. The vCPU starts, as avc_vcpu_start() or a call of PSCI has asked; its state is in memory. What a CPU's
        reset resets is to be reset; what other vCPUs may have set up for it before is to stay. */
    void (*power_on)(struct avc_vcpu *vcpu);
};

/**
 * Gives the VM an interrupt controller. `ops` is borrowed while the VM exists. `data` is the controller's own. Errors:
 * EINVAL (also: a required function is missing), ENOENT, ESEALED, EEXIST (it has one). Context: setup, before the VM is
 * sealed.
 */
AVC_MUST_USE enum avc_status avc_vm_set_irqc(struct avc_vm *vm, const struct avc_irqc_ops *ops, void *data);

/** Hands an interrupt to this CPU's handler. irq_taken returns what this returns. Context: in irq_taken. */
enum avc_result avc_vcpu_irq_host(struct avc_vcpu *vcpu, avc_irq_t irq);

/**
 * Sets requests of the vCPU, AVC_REQUEST_... of avc/priv/vcpu.h: the library does what they ask for before it enters
 * the guest next. Calls the HAL's wake() if the vCPU is in its guest on another CPU, or is not in it.
 * Context: any, without a lock that wake() takes.
 */
void avc_vcpu_request(struct avc_vcpu *vcpu, uint64_t requests);

/**
 * Adds a claim for a part of the library or an add-on. It is like avc_vm_claim(), but an embedder's claim may overlap
 * it: the embedder's is asked first.
 * Errors: as avc_vm_claim(); EEXIST for an overlap with another claim of this sort only. Context: setup, before the VM
 * is sealed.
 */
AVC_MUST_USE enum avc_status avc_vm_claim_builtin(struct avc_vm *vm, const struct avc_claim *claim);

#ifdef __cplusplus
}
#endif
#endif
