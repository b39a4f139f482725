/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A guest with two vCPUs on one CPU, which reads how much time was stolen from each: DEN0057, as Linux does it. */
#include "guest.h"

#define ARCH_FEATURES 0x80000001u
#define PV_FEATURES   0xc5000020u
#define PV_ST         0xc5000021u

static volatile uint64_t faults;
static volatile bool stop;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    (void)esr;
    (void)far;
    faults++;
    regs->elr += 4;
}

static uint64_t stolen(uint64_t at) /* ns */
{
    return *(volatile uint64_t *)(at + 8);
}

static uint64_t now(void) /* ns */
{
    uint64_t ticks = READ("cntvct_el0"), hz = READ("cntfrq_el0");

    return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

/* Computes for so long, and says how much of it was stolen, in percent. */
static uint64_t compute(uint64_t at, uint64_t ms)
{
    uint64_t begin = now(), before = stolen(at);

    while (now() - begin < ms * 1000000)
        ;
    return (stolen(at) - before) * 100 / (now() - begin);
}

static _Noreturn void other(void)
{
    while (!stop)
        ;
    guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
    __builtin_unreachable();
}

int guest_main(unsigned cpu)
{
    uint64_t at, before, share;

    if (cpu)
        other();
    guest_on_sync = on_sync;
    guest_ok(guest_hvc(ARCH_FEATURES, PV_FEATURES, 0, 0, NULL) == 0 &&
                 guest_smc(ARCH_FEATURES, PV_FEATURES, 0, 0, NULL) == 0,
             "the service is announced");
    guest_ok((int32_t)guest_hvc(ARCH_FEATURES, 0x80008000, 0, 0, NULL) != -99, "other features are the library's");
    guest_ok(guest_hvc(PV_FEATURES, PV_FEATURES, 0, 0, NULL) == 0 && guest_hvc(PV_FEATURES, PV_ST, 0, 0, NULL) == 0 &&
                 (int64_t)guest_hvc(PV_FEATURES, PV_ST + 1, 0, 0, NULL) == -1,
             "and has two functions");
    at = guest_hvc(PV_ST, 0, 0, 0, NULL);
    guest_ok(at % 64 == 0 && *(volatile uint64_t *)at == 0, "revision and attributes are 0, at %lx", at);
    *(volatile uint64_t *)(at + 8) = 7;
    guest_ok(faults == 1 && stolen(at) < 1000000000, "nobody writes there: %lu", faults);

    before = stolen(at);
    share = compute(at, 100);
    guest_ok(share < 10 && stolen(at) >= before, "alone: %lu %% stolen", share);
    guest_ok(guest_cpu_on(1) == 0, "the other vCPU starts");
    share = compute(at, 400);
    guest_ok(share > 25 && share < 75, "two that compute, on one CPU: %lu %% stolen", share);
    stop = true;
    while (guest_hvc(0xc4000004, 1, 0, 0, NULL) != 1) /* AFFINITY_INFO */
        ;
    share = compute(at, 100);
    guest_ok(share < 10, "alone again: %lu %% stolen", share);
    guest_plan();
    return 0;
}
