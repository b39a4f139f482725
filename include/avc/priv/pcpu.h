/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_pcpu. */
#ifndef AVC_PRIV_PCPU_H
#define AVC_PRIV_PCPU_H

#include <avc/feature.h>
#include <avc/host.h>

#define AVC_NR_RAN 16

struct avc_pcpu {
    uint64_t magic;
    struct avc_machine *machine;
    const struct avc_hal *hal;
    const struct avc_irq_handler *irq_handler; /* never NULL once initialised; swapped atomically */
    const struct avc_irq_handler
        *irq_in_use;                    /* the one that is being called; a hazard pointer, see src/core/object/pcpu.c */
    struct avc_irq_handler hal_handler; /* made of the HAL's members */
    struct avc_vcpu *current;           /* loaded here, or NULL */
    uint64_t mpidr;                     /* MPIDR_EL1 of the CPU */
    struct avc_features features;
    struct avc_pcpu *next;
    bool enabled;
    uint64_t vmid_active; /* the loaded vCPU's VMID; 0: none. See src/core/mem/vmid.c for this and the next three */
    uint64_t vmid_kept;   /* the VMID that was loaded when this generation of VMIDs began; 0: none */
    bool tlb_stale;  /* all TLB entries of guests must go before the next load: after enable and after a rollover */
    struct avc_ran { /* which vCPU ran here last with a VMID, by the VMID's low bits */
        const struct avc_vcpu *vcpu;
        uint64_t vmid;
    } ran[AVC_NR_RAN];
    struct avc_cache {       /* its data and unified caches, by level: see src/core/policy/setway.c */
        uint32_t sets, ways; /* 0 sets: there is none */
        uint8_t set_shift, way_bits;
    } cache[7];
    uint64_t guest_vbar;                         /* VBAR_EL2 while a guest runs: see src/core/object/harden.c */
    uint16_t harden;                             /* an argument of the vectors there */
    uint64_t host_saved[32];                     /* the host's EL2 controls from load to put; see src/hw/regs.c */
    uint64_t host_ctx[48];                       /* its EL1 and EL0 registers meanwhile, by enum avc_ctx */
    uint64_t found_vbar, found_tpidr, found_imo; /* what the library's vectors have replaced */
    bool vectors;                                /* they are installed */
    uint8_t dumps;                               /* dumps of unexpected exceptions, which are limited */
};

#endif
