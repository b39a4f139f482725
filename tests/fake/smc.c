/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake machine's firmware, and RNDRRS: see smc.h. No call may reach firmware unless a test says so. */
#include "smc.h"

#include <stdio.h>
#include <stdlib.h>
#include "hw/hw.h"

void (*fake_on_smc)(uint64_t x[18]);
unsigned fake_smc_calls;
unsigned fake_rndr_left;
uint64_t fake_rndr_next;

void fake_smc_reset(void)
{
    fake_on_smc = NULL;
    fake_smc_calls = 0;
    fake_rndr_left = 0;
    fake_rndr_next = UINT64_C(0x0123456789abcdef);
}

void avc_hw_smc(uint64_t x[18])
{
    fake_smc_calls++;
    if (!fake_on_smc) {
        fprintf(stderr, "fake firmware: reached with function %#llx\n", (unsigned long long)x[0]);
        abort();
    }
    fake_on_smc(x);
}

bool avc_hw_rndrrs(uint64_t *value)
{
    *value = 0; /* where RNDRRS has no number, it reads as 0 and sets PSTATE.Z */
    if (fake_rndr_left == 0)
        return false;
    fake_rndr_left--;
    *value = fake_rndr_next;
    fake_rndr_next = fake_rndr_next * UINT64_C(6364136223846793005) + 1442695040888963407;
    return true;
}
