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
    const struct avc_irq_handler *irq_in_use;  /* the one that runs now */
    struct avc_irq_handler hal_handler;        /* the HAL's, as a pair */
    struct avc_vcpu *current;                  /* loaded here, or NULL */
    uint64_t mpidr;                            /* MPIDR_EL1 of the CPU */
    struct avc_features features;
    struct avc_pcpu *next;
    bool enabled;
    uint64_t vmid_active; /* of the loaded vCPU, 0: none. See vmid.c for these three */
    bool tlb_stale;       /* before the next guest all of the TLB must go: set by enable and by a VMID rollover */
    struct avc_ran {      /* who ran here last under a VMID; index: its low bits (local-TLB rule) */
        const struct avc_vcpu *vcpu;
        uint64_t vmid;
    } ran[AVC_NR_RAN];
    uint64_t host_saved[32];                     /* the host's EL2 controls from load to put; see src/hw/regs.c */
    uint64_t found_vbar, found_tpidr, found_imo; /* what our vectors have taken the place of */
    bool vectors;                                /* they stand for good */
    uint8_t dumps;                               /* exceptions nobody expected */
};

#endif
