/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Accesses of the guest to where it has neither memory nor a device. */
#ifndef VMM_GUEST_NOTHING_H
#define VMM_GUEST_NOTHING_H

#include "vmm.h"

/** Answers an exit of kind MMIO or STAGE2 for an address where nothing is: the guest gets the external abort that a bus
    would give. It is logged, once for each page. The run ends if the guest cannot take the abort, because its own
    vector is not in its memory either. The vCPU is loaded on this CPU. */
void vmm_nothing_there(struct vmm_vcpu *vv, struct avc_exit *e);

#endif
