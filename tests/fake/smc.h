/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake machine's firmware and its random number generator. */
#ifndef FAKE_SMC_H
#define FAKE_SMC_H

#include "fake.h"

/* What firmware does with x[0..17]. NULL: nobody may get this far; a call ends the test. */
extern void (*fake_on_smc)(uint64_t x[18]);
extern unsigned fake_smc_calls;

/* Reads of RNDRRS that still succeed; each gives fake_rndr_next, which is then changed. */
extern unsigned fake_rndr_left;
extern uint64_t fake_rndr_next;

/* No firmware, no calls, no random numbers. */
void fake_smc_reset(void);

#endif
