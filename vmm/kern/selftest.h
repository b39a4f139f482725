/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Tests of the kernel on the machine itself, without a guest: option selftest[=WHAT]. */
#ifndef VMM_KERN_SELFTEST_H
#define VMM_KERN_SELFTEST_H

#include "vmm.h"

/* They replace vmm_guest_init() and vmm_vcpu_step(). */
void vmm_selftest(void);
enum vmm_step vmm_selftest_step(struct vmm_cpu *cpu, struct vmm_vcpu *vv, uint64_t *deadline);

#endif
