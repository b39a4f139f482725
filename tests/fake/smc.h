/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake machine's firmware and its random number generator. */
#ifndef FAKE_SMC_H
#define FAKE_SMC_H

#include "fake.h"

/* What firmware does with x[0..17]. NULL: no call may get this far, and one ends the test. */
extern void (*fake_on_smc)(uint64_t x[18]);
extern unsigned fake_smc_calls;

/* How many reads of RNDRRS still succeed. Each returns fake_rndr_next, which is then changed. */
extern unsigned fake_rndr_left;
extern uint64_t fake_rndr_next;

/* Makes it have no firmware, no calls and no random numbers. */
void fake_smc_reset(void);

#endif
