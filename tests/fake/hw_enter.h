/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The other side of src/hw/target/hw_enter.h: guest.c enters a guest made of the exceptions that it takes. */
#ifndef AVC_HW_ENTER_H
#define AVC_HW_ENTER_H

#include "hw/hw.h"

static inline uint64_t avc_hw_enter_begin(void)
{
    return avc_hw_irq_save();
}

unsigned avc_hw_enter(struct avc_vcpu **vcpu, uint64_t *daif, uint64_t requests);

#endif
