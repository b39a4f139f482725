/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's clock: Arm PrimeCell RTC PL031 (DDI 0224), counting the host's seconds. */
#ifndef VMM_DEV_PL031_H
#define VMM_DEV_PL031_H

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

/** Prepares the device. DR shows `now`. ->mmio.irq may be set afterwards. */
void vmm_pl031_init(struct vmm_pl031 *rtc, uint64_t base, uint32_t now, uint64_t (*seconds)(void *ctx), void *ctx);

/** Resets it to its power-on state, except for the time, which goes on. */
void vmm_pl031_reset(struct vmm_pl031 *rtc);

/** Raises the alarm if it is time. Returns the value of seconds() at which it must be called again, UINT64_MAX for
    never. Any CPU may call it. */
uint64_t vmm_pl031_poll(struct vmm_pl031 *rtc);

#endif
