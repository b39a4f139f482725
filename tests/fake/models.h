/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* CPUs that the fake can be: their identification. It is a Cortex-A72 unless a test says otherwise. */
#ifndef FAKE_MODELS_H
#define FAKE_MODELS_H

#include "fake.h"

struct fake_model {
    const char *name;
    uint64_t midr, ctr, dczid, clidr, revidr, vtr;
    uint64_t id[AVC_NR_ID_REGS]; /* as in struct avc_features */
    uint64_t ccsidr[3];          /* CCSIDR_EL1 by CSSELR_EL1: L1 data, L1 instructions, L2 */
};

#define FAKE_NR_MODELS 5
extern const struct fake_model fake_a53, fake_a57, fake_a72, fake_n1, fake_max;
extern const struct fake_model *const fake_models[FAKE_NR_MODELS];

/* Makes a CPU one of these models, from its next probe on. NULL makes it a Cortex-A72 again. Tests may change `id`. */
void fake_become(unsigned cpu, const struct fake_model *model);

/* CCSIDR_EL1 of the CPU that executes, as its CSSELR_EL1 selects. */
uint64_t fake_ccsidr(void);
/* Has the CPU that executes the set, way and level that DC CISW names? */
bool fake_has_set_and_way(uint64_t operand);

#endif
