/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A GICv3 and the architected timers, for the guests of a VM. "GIC" below is the Arm GIC Architecture Specification,
 * IHI 0069.
 *
 * The guest finds one distributor, with one security state (GICD_CTLR.DS is 1) and with affinity routing always on; a
 * redistributor for each vCPU; the CPU interface as system registers, which are the CPU's own virtual ones; and the EL1
 * virtual and physical timers as PPIs 27 and 30. It finds no LPIs, no ITS, no extended ranges and no message-based
 * SPIs.
 *
 * Interrupts come in by avc_vm_set_irq() (SPIs, INTID 32 and up) and avc_vcpu_set_irq() (PPIs, INTID 16 to 31). While
 * the VM runs an embedder calls nothing else. What the host has to provide: a GICv3 whose system registers are on at
 * EL2 (ICC_SRE_EL2.SRE); the PPIs of the timers and of the maintenance interrupt, enabled at that GIC on each CPU that
 * loads vCPUs; and in struct avc_hal: wake, irq_mask, and either both irq_fetch and irq_end or none of them.
 *
 * If the guest switches a timer off, or moves it on, while its interrupt is pending in a list register, the interrupt
 * stays pending there until a trap of the guest looks at it: a WFI, or a read of GICR_ISPENDR0. If the guest takes it
 * before, it has no cause, which a guest has to expect of a level that falls late.
 *
 * Each VM has one lock. The library holds it with interrupts masked and for a bounded time: for a few interrupts, and
 * what the list registers of a CPU hold. It makes no callback meanwhile.
 *
 * A guest can concern many interrupts or vCPUs by one instruction. If the host has an interrupt meanwhile (ISR_EL1),
 * avc_vcpu_run() returns AVC_KICKED in the middle, and the next run goes on before the guest executes anything.
 */
#ifndef AVC_VGIC_H
#define AVC_VGIC_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVC_VGIC_DIST_SIZE   0x10000 /* bytes of the distributor's frame */
#define AVC_VGIC_REDIST_SIZE 0x20000 /* bytes of one redistributor: RD frame, SGI frame */
#define AVC_VGIC_MAX_SPIS    988     /* INTIDs 32..1019; their storage comes in banks of 32 */
#define AVC_VGIC_MAX_VCPUS   512

/** INTIDs of the timers, as the guest sees them; its device tree says the same. */
#define AVC_VGIC_VTIMER_INTID 27
#define AVC_VGIC_PTIMER_INTID 30

/* Objects: the caller gives the storage, the library fills it. */
struct avc_vgic;      /* the interrupt controller of one VM */
struct avc_vgic_cpu;  /* one vCPU's redistributor and CPU interface */
struct avc_vgic_spis; /* 32 SPIs */

/** How the controller is made. The arrays are borrowed until avc_vm_destroy(). */
struct avc_vgic_config {
    avc_ipa_t dist_base;        /* IPA of the distributor, aligned to 64 KiB */
    avc_ipa_t redist_base;      /* IPA of the first vCPU's redistributor, aligned to 64 KiB; the others follow */
    uint32_t nr_spis;           /* 988, or a multiple of 32 up to 960 */
    uint32_t max_vcpus;         /* as the VM's */
    struct avc_vgic_spis *spis; /* (nr_spis + 31) / 32 entries; may be NULL for none */
    struct avc_vgic_cpu *cpus;  /* max_vcpus entries */
};

/**
 * Gives the VM this interrupt controller: claims the IPAs of its frames and the registers of the CPU interface that
 * trap. A VM without it has no interrupt controller, and its timers have no interrupts.
 * Errors: EINVAL, EALIGN (a base), ERANGE (nr_spis, max_vcpus; or frames overlap or wrap), ENOENT, ESEALED, EEXIST (the
 * VM has a controller), ENOMEM (max_claims), ENOTSUP (the enabled CPUs have no virtual CPU interface of a GICv3, or
 * ICC_SRE_EL2.SRE is 0 on the calling one). Context: setup, after the first avc_pcpu_enable(), before the VM is sealed.
 */
AVC_MUST_USE enum avc_status avc_vgic_attach(struct avc_vgic *vgic, struct avc_vm *vm,
                                             const struct avc_vgic_config *config);

/**
 * Resets the distributor, the redistributors and the CPU interfaces, for a VM that is being reset. The input lines keep
 * their levels, because these are the devices'. avc_vcpu_reset() resets the redistributor and CPU interface of one
 * vCPU. A guest's CPU_ON resets the CPU interface alone: what other vCPUs have written to the redistributor, or made
 * pending there, is kept. Errors: EINVAL, ENOENT, EBUSY (a vCPU is loaded). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_vgic_reset(struct avc_vgic *vgic);

/**
 * Returns how often a cause of this vCPU's maintenance interrupt was there although the list registers and ICH_VMCR_EL2
 * say that it is not, since avc_vgic_attach(). The library switches such a cause off, so that it cannot keep a CPU
 * busy. What the cause was to tell is found out at the vCPU's next trap that has to do with interrupts. 0 on hardware
 * that follows the specification. Context: any.
 */
uint64_t avc_vgic_baseless(const struct avc_vcpu *vcpu);

#ifdef __cplusplus
}
#endif

#include <avc/priv/vgic.h>

#endif
