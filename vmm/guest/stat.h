/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* ./avc run --stat: what took the guest to EL2, how often and for how long. Without the option all of it does nothing. */
#ifndef VMM_GUEST_STAT_H
#define VMM_GUEST_STAT_H

/** An observer for each vCPU; they are initialised and have not run. */
void vmm_stat_init(void);

/** A vCPU was loaded on this CPU, and is about to be put. */
void vmm_stat_loaded(unsigned vcpu);
void vmm_stat_put(unsigned vcpu);

/** The table, in the log: of each vCPU, and of all. Any CPU; vCPUs that run meanwhile are in it as they are found. */
void vmm_stat_print(void);

#endif
