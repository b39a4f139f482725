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
};

#define FAKE_NR_MODELS 5
extern const struct fake_model fake_a53, fake_a57, fake_a72, fake_n1, fake_max;
extern const struct fake_model *const fake_models[FAKE_NR_MODELS];

/* Makes a CPU one of these models, from its next probe on. NULL makes it a Cortex-A72 again. Tests may change `id`. */
void fake_become(unsigned cpu, const struct fake_model *model);

#endif
