/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The fake CPU's side of the guest's registers and of the ID registers. src/hw/regs.c and probe.c are plain C over the
 * seam, so they run here unchanged. This models the rule of HCR_EL2.E2H, and logs each access as register FAKE_NR_REGS
 * + enum avc_ctx.
 */
#include "hw_guest.h"

#include <stdio.h>
#include <stdlib.h>

#include "models.h"

static const struct fake_model *models[FAKE_MAX_CPUS];

void fake_become(unsigned cpu, const struct fake_model *model)
{
    uint64_t *reg = fake_cpus[cpu].reg;

    models[cpu] = model;
    if (!model)
        model = &fake_a72;
    reg[FAKE_MIDR_EL1] = model->midr;
    reg[FAKE_CTR_EL0] = model->ctr;
    reg[FAKE_DCZID_EL0] = model->dczid;
    reg[FAKE_CLIDR_EL1] = model->clidr;
    reg[FAKE_REVIDR_EL1] = model->revidr;
    reg[FAKE_ICH_VTR_EL2] = model->vtr;
    reg[FAKE_ICC_SRE_EL2] = 0xf;
}

uint64_t avc_hw_read_id(unsigned n)
{
    const struct fake_model *model = models[fake_cpu - fake_cpus];

    return (model ? model : &fake_a72)->id[n];
}

/* An EL1 name at EL2 with E2H=1 is the host's own register; an _EL12 or _EL02 name with E2H=0 is UNDEFINED. */
static void check(unsigned ctx, bool two, bool e2h)
{
    if (two && e2h != (fake_cpu->reg[FAKE_HCR_EL2] >> 34 & 1)) {
        fprintf(stderr, "fake: guest register %u by the wrong name for HCR_EL2.E2H=%d\n", ctx, !e2h);
        abort();
    }
}

static void note(int what, unsigned ctx, uint64_t value)
{
    fake_log_add(what, FAKE_NR_REGS + ctx, value);
}

uint64_t fake_guest_read(unsigned ctx, bool two, bool e2h)
{
    check(ctx, two, e2h);
    note(FAKE_READ, ctx, fake_cpu->ctx[ctx]);
    return fake_cpu->ctx[ctx];
}

void fake_guest_write(unsigned ctx, bool two, bool e2h, uint64_t value)
{
    check(ctx, two, e2h);
    note(FAKE_WRITE, ctx, value);
    fake_cpu->ctx[ctx] = value;
}
