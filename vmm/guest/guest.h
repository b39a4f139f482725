/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest machine: what the files of this folder share. */
#ifndef VMM_GUEST_GUEST_H
#define VMM_GUEST_GUEST_H

#include <avc/decoder.h>
#include <avc/stage2.h>
#include <avc/vgic.h>

#include "dev/fwcfg.h"
#include "dev/pl011.h"
#include "dev/pl031.h"
#include "dev/pl061.h"
#include "fdt.h"
#include "flash.h"
#include "image.h"
#include "map.h"
#include "pvtime.h"
#include "ram.h"
#include "strace.h"
#include "virtio/slots.h"
#include "vmm.h"

#define VMM_MAX_RESETS 3 /* in a run; one more is a crash */

#define VMM_GUEST_CLAIMS (12 + VMM_STRACE_CLAIMS)
#define VMM_GUEST_SPIS   256 /* as the `virt` machine has */

/** A hypercall for tests and benches, answered in the VMM's loop: X1 + X2. */
#define VMM_CALL_ADD 0xFFFF

struct vmm_guest {
    struct avc_vm vm;
    struct avc_stage2 stage2;
    struct avc_vgic vgic;
    struct avc_vgic_cpu vgic_cpu[VMM_MAX_VCPUS];
    struct avc_vgic_spis vgic_spis[VMM_GUEST_SPIS / 32];
    struct avc_decoder decoder;
    struct avc_decoder_cpu decoder_cpu[VMM_MAX_VCPUS];
    struct avc_claim claim[AVC_CLAIM_SLOTS(VMM_GUEST_CLAIMS)];
    struct avc_vcpu *vcpu_list[VMM_MAX_VCPUS];
    struct vmm_vcpu vcpu[VMM_MAX_VCPUS];
    unsigned nr_vcpus;

    struct vmm_ram ram;
    struct vmm_pl011 uart;
    struct vmm_pl031 rtc;
    struct vmm_fwcfg fwcfg;
    struct vmm_pvtime pvtime;
    struct vmm_pl061 gpio;
    struct vmm_slots slots;
    struct vmm_flash flash[2];
    struct vmm_nor vars;   /* what the second one is on, with flash-vars */
    struct vmm_task alarm; /* the RTC's, which runs when the alarm is due */

    struct vmm_image image;
    struct vmm_layout layout;
    uint8_t *first_dtb, *dtb; /* for the first start, with random seeds, and for those after a reset */
    unsigned resets;
};

extern struct vmm_guest vmm_guest;

/** Puts everything into its state after power-on, and starts the guest again. A step calls it after put. If it
    returns true, the step ends with VMM_STEP_BLOCK. If it returns false, the step ends with VMM_STEP_YIELD. */
bool vmm_guest_reset(void);

/** Logs what the guest was doing and ends the run. The vCPU is loaded on this CPU. */
_Noreturn void vmm_guest_crash(struct vmm_vcpu *vv, const struct avc_exit *e, const char *why);

/** Answers an exit of kind MMIO or STAGE2 that is a device's, if it is. Returns false if it is nobody's. The vCPU is
    loaded on this CPU. */
bool vmm_guest_device_exit(struct avc_exit *e);

#endif
