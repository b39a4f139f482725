/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's clock: Arm PrimeCell RTC PL031 (DDI 0224), counting the host's seconds. */
#ifndef VMM_DEV_PL031_H
#define VMM_DEV_PL031_H

#include <avc/state.h>

#include "mmio.h"

#define VMM_PL031_SIZE 0x1000

struct vmm_pl031 {
    struct vmm_mmio mmio;           /* first, because the claim's ctx is this struct */
    uint64_t (*seconds)(void *ctx); /* a clock that never stops or jumps; any origin */
    void *ctx;
    uint32_t offset; /* what DR shows beyond seconds() */
    uint32_t mr, lr, imsc;
    uint64_t alarm; /* seconds() at which MR will match; UINT64_MAX: it has matched */
    bool ris;
};

/** Its state as values; vmm_pl031_state says which records they are. */
struct vmm_pl031_values {
    uint64_t base;
    uint32_t dr; /* when they were taken; who restores later adds the seconds that have gone by, if the guest is to see
                    them */
    uint32_t mr, lr;
    uint8_t imsc, ris;
    uint8_t armed; /* DR has not reached MR since MR or DR was set */
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_pl031_state;

/** Prepares the device. DR shows `now`. ->mmio.irq may be set afterwards. */
void vmm_pl031_init(struct vmm_pl031 *rtc, uint64_t base, uint32_t now, uint64_t (*seconds)(void *ctx), void *ctx);

/** Resets it to its power-on state, except for the time, which goes on. */
void vmm_pl031_reset(struct vmm_pl031 *rtc);

/** Raises the alarm if it is time. Returns the value of seconds() at which it must be called again, UINT64_MAX for
    never. Any CPU may call it. */
uint64_t vmm_pl031_poll(struct vmm_pl031 *rtc);

/** Tells its state. Any CPU may call it. */
void vmm_pl031_get(struct vmm_pl031 *rtc, struct vmm_pl031_values *values);

/** Takes a state over, and makes the line follow it. Then the caller calls vmm_pl031_poll(). Returns false, and changes
    nothing, if no device can be in that state, or if it is one at another base. Any CPU may call it. */
bool vmm_pl031_set(struct vmm_pl031 *rtc, const struct vmm_pl031_values *values);

#endif
