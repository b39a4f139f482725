/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The fake machine as tests see it: CPUs, their registers, an ordering log. */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avc/avc.h>

#include "hw/hw.h"

#define FAKE_MAX_CPUS 4

/* One entry of the ordering log. */
struct fake_event {
    enum { FAKE_READ, FAKE_WRITE, FAKE_OP } what;
    unsigned which; /* enum fake_reg or enum fake_op */
    uint64_t value;
};

struct fake_cpu {
    uint64_t reg[FAKE_NR_REGS];
    uint64_t ctx[AVC_NR_CTX]; /* the guest's EL1/EL0 registers, live; index: enum avc_ctx */
    bool masked;              /* DAIF */
};

extern struct fake_cpu fake_cpus[FAKE_MAX_CPUS];
extern struct fake_cpu *fake_cpu; /* the one that executes now */

/* Hooks that a test may set. They are called after the log entry is made. */
extern void (*fake_on_write)(enum fake_reg reg, uint64_t value);
extern void (*fake_on_read)(enum fake_reg reg, uint64_t *value);
extern void (*fake_on_op)(enum fake_op op, uint64_t value);

/* Sets all CPUs to reset values (a Cortex-A72-like one), empties the log, clears the hooks. CPU 0 executes. */
void fake_reset(void);
void fake_use_cpu(unsigned n);

/* The log. */
extern struct fake_event fake_log[];
extern size_t fake_log_len;
void fake_log_clear(void);
void fake_log_add(int what, unsigned which, uint64_t value);
/* Returns the index of the first entry at or after `from` that matches, or -1. */
long fake_log_find(size_t from, int what, unsigned which);

#endif
