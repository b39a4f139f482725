/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* States of the interrupt controller: which interrupts are pending or active while something else is measured. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

enum held { PENDING, ACTIVE }; /* how a list register holds an interrupt */
#define NR_STATES 8            /* state 0: no other interrupt */

extern const struct state {
    const char *name;
    void (*enter)(void);
    bool full; /* all list registers are in use */
} states[NR_STATES];

/* Sets priorities and routes of the SGIs and SPIs that the bench uses. */
void state_init(void);
/* Interrupts stay masked from the call of state_enter() to the return of state_leave(). */
void state_enter(unsigned n);
void state_leave(unsigned n);
/* Returns "state, form". */
const char *state_name(unsigned n, const char *form);

/* Makes an interrupt of this vCPU pending or active, and ends it. */
void state_bring(uint32_t intid, enum held held);
void state_take_away(uint32_t intid, enum held held);

#endif
