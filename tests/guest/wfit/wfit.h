/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* WFIT by its word, so that the assembler need not know it. Nothing else may end the wait: timers are off. */
#ifndef WFIT_H
#define WFIT_H

#include "guest.h"

#define CALL_HAS_WFXT 0xc6000000 /* x0: whether the CPU has FEAT_WFxT */

static inline unsigned shown_wfxt(void)
{
    return READ("s3_0_c0_c6_2") & 15; /* ID_AA64ISAR2_EL1 */
}

/* Waits until CNTVCT_EL0 reaches `until`, and tells whether it has. */
static inline bool wfit(uint64_t until)
{
    register uint64_t x0 __asm__("x0") = until;

    __asm__ volatile(".inst 0xd5031020" ::"r"(x0) : "memory"); /* wfit x0 */
    return (int64_t)(READ("cntvct_el0") - until) >= 0;
}

/* A wait may end early (Arm ARM, WFIT), so it is repeated. The time limit of the test sees one that never ends. */
static inline void try_wfit(void)
{
    uint64_t now = READ("cntvct_el0"), rate = READ("cntfrq_el0"), until = now + rate / 1000;
    unsigned waits = 1;

    WRITE("cntv_ctl_el0", 0);
    WRITE("cntp_ctl_el0", 0);
    guest_ok(wfit(now / 2), "WFIT until some time ago ends");
    guest_ok(wfit(now), "WFIT until now ends");
    while (!wfit(until))
        waits++;
    guest_ok(waits < 1000, "WFIT until in a millisecond ends then: %u waits", waits);
    for (unsigned n = 0; n < 20; n++) {
        until = READ("cntvct_el0") + (rate / 100000 << n % 6);
        while (!wfit(until))
            ;
    }
    guest_ok(true, "20 more of them");
}

#endif
