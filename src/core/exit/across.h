/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Accesses that the syndrome describes, and that may cross the end of a page: see across.c. */
#ifndef AVC_ACROSS_H
#define AVC_ACROSS_H

#include "core/exit/trap.h"

/* May this access, which the syndrome describes, lie in two pages? */
bool avc_access_may_cross(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far);

/* The function of data aborts in a VM whose decoder has `across_pages`. */
avc_trap_fn avc_trap_dabt_across;

#endif
