/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What else there is in the interrupt controller while something is measured. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

enum held { PENDING, ACTIVE }; /* in a list register */
#define NR_STATES 8            /* 0: nothing */

extern const struct state {
    const char *name;
    void (*enter)(void);
    bool full; /* all list registers hold something */
} states[NR_STATES];

/* Priorities, SGIs and SPIs of the bench. */
void state_init(void);
/* Interrupts are masked, then and between. */
void state_enter(unsigned n);
void state_leave(unsigned n);
/* "state, form" */
const char *state_name(unsigned n, const char *form);

/* An interrupt of this vCPU. */
void state_bring(uint32_t intid, enum held held);
void state_take_away(uint32_t intid, enum held held);

#endif
