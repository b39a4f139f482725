/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One CPU and small VMs for it, for examples whose subject comes after that. 01-minimal does the same by hand. Each VM
 * has 2 MiB of memory with a HOST_GUEST() at its start, one vCPU, the library's PSCI, and a call by which it prints.
 */
#ifndef HOST_VM_H
#define HOST_VM_H

#include <avc/avc.h>
#include <avc/psci.h>
#include <avc/stage2.h>

#include "host.h"

struct host_vm {
    struct avc_vm vm;
    struct avc_vcpu vcpu;
    struct avc_stage2 stage2;
    struct avc_vcpu *vcpus[1];
    struct avc_claim claims[AVC_CLAIM_SLOTS(8)];
    const char *ram; /* the guest's memory as the host sees it */
};

#define HOST_VM_RAM   0x40000000 /* where the guest sees it */
#define HOST_VM_SIZE  (2 << 20)
#define HOST_VM_PRINT 0x86000000 /* what the guest's macro `print` calls, see host.h */

extern struct avc_machine host_machine;
extern struct avc_pcpu host_pcpu;

/* panic, wake and log of host.h. They are enough if the host takes no interrupts. */
extern const struct avc_hal host_hal;

/* Makes the machine, and enables this CPU with that HAL. */
void host_vm_cpu(const struct avc_hal *hal);
/* Makes a VM, and puts the guest's program into its memory. Claims may follow. */
void host_vm_make(struct host_vm *vm, const void *guest, size_t size);
/* Starts the guest, and loads its vCPU on this CPU, which seals the VM. */
void host_vm_start(struct host_vm *vm);
/* Runs the guest to its next exit. Returns NULL when it has powered itself off: its vCPU is no longer loaded. */
struct avc_exit *host_vm_run(struct host_vm *vm);

#endif
