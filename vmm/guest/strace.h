/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The option strace: the guest's system calls in the log, one line each. */
#ifndef VMM_GUEST_STRACE_H
#define VMM_GUEST_STRACE_H

#include "vmm.h"

/** How many of the VM's claims it takes: see VMM_GUEST_CLAIMS. */
#define VMM_STRACE_CLAIMS 65 /* a call for each name that may be given, and ERET */

/** Claims what the option asks for. Without the option it does nothing. If the CPU or a name cannot be traced, it
    ends in vmm_exit(VMM_EXIT_USAGE). It is called before the first load. */
void vmm_strace_init(struct avc_vm *vm);

/** Writes the lines of what this vCPU has done. It is called when run has returned AVC_KICKED, before the vCPU runs
    again. */
void vmm_strace_show(struct avc_vcpu *vcpu);

/** Forgets all calls, for the VM's reset. No vCPU is loaded. */
void vmm_strace_reset(void);

#endif
