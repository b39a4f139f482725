/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* ./avc run --stat: what took the guest to EL2, how often and for how long. Without it init and print do nothing. */
#ifndef VMM_GUEST_STAT_H
#define VMM_GUEST_STAT_H

/** Gives each vCPU an observer. The vCPUs are initialised and have not run. */
void vmm_stat_init(void);

/** Called when vmm_options.stat is set: a vCPU was loaded on this CPU, or is about to be put. */
void vmm_stat_loaded(unsigned vcpu);
void vmm_stat_put(unsigned vcpu);

/** Logs the table of each vCPU, and of all. Any CPU may call it. A vCPU that runs meanwhile is shown as it is just
    then. */
void vmm_stat_print(void);

#endif
