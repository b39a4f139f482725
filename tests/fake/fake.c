/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake machine: registers, CPUs, log. See fake.h. */
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

#define LOG_SIZE 65536

struct fake_cpu fake_cpus[FAKE_MAX_CPUS];
struct fake_cpu *fake_cpu = &fake_cpus[0];
struct fake_event fake_log[LOG_SIZE];
size_t fake_log_len;
void (*fake_on_write)(enum fake_reg reg, uint64_t value);
void (*fake_on_read)(enum fake_reg reg, uint64_t *value);
void (*fake_on_op)(enum fake_op op, uint64_t value);

void fake_log_add(int what, unsigned which, uint64_t value)
{
    size_t at = fake_log_len < LOG_SIZE ? fake_log_len : 0; /* long random tests do not read the log, nor do threads */

    fake_log[at].what = what;
    fake_log[at].which = which;
    fake_log[at].value = value;
    fake_log_len = at + 1;
}

uint64_t fake_read(enum fake_reg reg)
{
    uint64_t value = fake_cpu->reg[reg];

    if (reg == FAKE_DAIF)
        value = fake_cpu->masked ? 0x3c0 : 0;
    if (reg == FAKE_CCSIDR_EL1)
        value = fake_ccsidr();
    fake_log_add(FAKE_READ, reg, value);
    if (fake_on_read)
        fake_on_read(reg, &value);
    return value;
}

void fake_write(enum fake_reg reg, uint64_t value)
{
    fake_cpu->reg[reg] = value;
    fake_log_add(FAKE_WRITE, reg, value);
    if (fake_on_write)
        fake_on_write(reg, value);
}

void fake_op(enum fake_op op, uint64_t value)
{
    if (op == FAKE_OP_irq_disable)
        fake_cpu->masked = true;
    if (op == FAKE_OP_irq_restore)
        fake_cpu->masked = value & 0x80;
    if (op == FAKE_OP_dc_cisw && !fake_has_set_and_way(value)) {
        fprintf(stderr, "fake: DC CISW %llx at EL2: this CPU has no such line, and may take it as UNDEFINED\n",
                (unsigned long long)value);
        abort();
    }
    fake_log_add(FAKE_OP, op, value);
    if (fake_on_op)
        fake_on_op(op, value);
}

void fake_reset(void)
{
    memset(fake_cpus, 0, sizeof fake_cpus);
    for (unsigned n = 0; n < FAKE_MAX_CPUS; n++) {
        fake_cpus[n].reg[FAKE_MPIDR_EL1] = 0x80000000 | n;
        fake_cpus[n].reg[FAKE_MIDR_EL1] = 0x410fd083;
        fake_cpus[n].reg[FAKE_CURRENTEL] = 2 << 2;
        fake_cpus[n].reg[FAKE_CTR_EL0] = 0x8444c004;
        fake_cpus[n].reg[FAKE_ICC_SRE_EL2] = 0xf;
        fake_cpus[n].reg[FAKE_CNTFRQ_EL0] = 1000000000;
        fake_cpus[n].reg[FAKE_ICH_VTR_EL2] = 0x90180003; /* 4 list registers, 5 priority bits */
    }
    fake_on_write = NULL;
    fake_on_read = NULL;
    fake_on_op = NULL;
    fake_log_len = 0;
    fake_use_cpu(0);
}

void fake_use_cpu(unsigned n)
{
    fake_cpu = &fake_cpus[n];
}

void fake_log_clear(void)
{
    fake_log_len = 0;
}

long fake_log_find(size_t from, int what, unsigned which)
{
    for (size_t i = from; i < fake_log_len; i++)
        if ((int)fake_log[i].what == what && fake_log[i].which == which)
            return (long)i;
    return -1;
}
