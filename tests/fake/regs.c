/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The fake CPU's side of the guest's registers and of the ID registers. src/hw/regs.c and probe.c are plain C over the
 * seam, so they run here unchanged. This models the rule of HCR_EL2.E2H, and logs each access as register FAKE_NR_REGS
 * + enum avc_ctx.
 */
#include "arch/timer.h"
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

uint64_t fake_ccsidr(void)
{
    const struct fake_model *model = models[fake_cpu - fake_cpus];
    uint64_t csselr = fake_cpu->reg[FAKE_CSSELR_EL1];

    return csselr < 3 ? (model ? model : &fake_a72)->ccsidr[csselr] : ~UINT64_C(0); /* UNKNOWN */
}

/* Level in bits 3..1, the set above the offset in a line, the way at the top of 32 bits (DDI 0487, C5.3, "DC CISW"). */
bool fake_has_set_and_way(uint64_t operand)
{
    unsigned level = operand >> 1 & 7, way_bits = 0, set_bits = 0,
             type = fake_cpu->reg[FAKE_CLIDR_EL1] >> 3 * level & 7;
    const struct fake_model *model = models[fake_cpu - fake_cpus] ? models[fake_cpu - fake_cpus] : &fake_a72;
    bool ccidx = model->id[6 * 8 + 2] >> 20 & 15;
    uint64_t ccsidr, set, way, nr_sets, nr_ways;

    if (level > 1 || type < 2 || operand >> 32 || operand & 1)
        return false;
    ccsidr = model->ccsidr[2 * level];
    nr_ways = (ccidx ? ccsidr >> 3 & 0x1fffff : ccsidr >> 3 & 0x3ff) + 1;
    nr_sets = (ccidx ? ccsidr >> 32 & 0xffffff : ccsidr >> 13 & 0x7fff) + 1;
    while (nr_ways > UINT64_C(1) << way_bits)
        way_bits++;
    while (nr_sets > UINT64_C(1) << set_bits)
        set_bits++;
    way = operand >> (32 - way_bits);
    operand &= ~UINT64_C(0) >> (32 + way_bits);
    set = operand >> ((ccsidr & 7) + 4);
    return way < nr_ways && set < nr_sets && !(operand & 0xf & ~UINT64_C(0xe)) &&
           !(operand & ((UINT64_C(1) << ((ccsidr & 7) + 4)) - 1) & ~UINT64_C(0xe));
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

/* A timer's control says whether its condition is met. */
static uint64_t istatus(unsigned cval, uint64_t ctl, uint64_t now)
{
    return ctl & CNT_CTL_ENABLE && now >= fake_cpu->ctx[cval] ? CNT_CTL_ISTATUS : 0;
}

uint64_t fake_guest_read(unsigned ctx, bool two, bool e2h)
{
    uint64_t value = fake_cpu->ctx[ctx], now = fake_cpu->reg[FAKE_CNTPCT_EL0];

    check(ctx, two, e2h);
    if (ctx == AVC_CTX_CNTV_CTL_EL0)
        value |= istatus(AVC_CTX_CNTV_CVAL_EL0, value, now - fake_cpu->reg[FAKE_CNTVOFF_EL2]);
    else if (ctx == AVC_CTX_CNTP_CTL_EL0)
        value |= istatus(AVC_CTX_CNTP_CVAL_EL0, value, now);
    note(FAKE_READ, ctx, value);
    return value;
}

void fake_guest_write(unsigned ctx, bool two, bool e2h, uint64_t value)
{
    check(ctx, two, e2h);
    note(FAKE_WRITE, ctx, value);
    fake_cpu->ctx[ctx] = value;
}
