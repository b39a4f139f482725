/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * More vCPUs than CPUs, and most of them wait. A vCPU that waits may be loaded, or put because a sibling has its CPU.
 * Either way each interrupt wakes it, its own timer does, what another vCPU asks of it is answered, and it goes off and
 * comes back.
 */
#include "guest.h"

#define OTHERS 3
#define ROUNDS 60

#define SGI_WAKE  1
#define SGI_TIMER 2 /* arm the timer, and wait for it */
#define SGI_OFF   3
#define VTIMER    27

#define GICD      ((volatile uint32_t *)GUEST_DIST)
#define GICR(cpu) ((volatile uint32_t *)(GUEST_RD + 0x20000ul * (cpu) + 0x10000))
#define CTLR_RWP  (1u << 31)
#define CTLR_ON   0x12 /* ARE, group 1 */
#define ISPENDR0  (0x200 / 4)

#define CPU_OFF       0x84000002
#define AFFINITY_INFO 0xc4000004

static struct seen {
    volatile unsigned started, sgis, timers, spurious;
    volatile bool off;
} seen[OTHERS + 1];

static void on_irq(struct guest_regs *regs)
{
    struct seen *mine = &seen[guest_cpu()];
    uint32_t intid = guest_gic_ack();

    (void)regs;
    switch (intid) {
    case SGI_WAKE:
        mine->sgis++;
        break;
    case SGI_TIMER:
        WRITE("cntv_cval_el0", READ("cntvct_el0") + READ("cntfrq_el0") / 5000);
        WRITE("cntv_ctl_el0", 1);
        break;
    case SGI_OFF:
        mine->off = true;
        break;
    case VTIMER:
        WRITE("cntv_ctl_el0", 0);
        mine->timers++;
        break;
    default:
        mine->spurious++;
        return;
    }
    guest_gic_eoi(intid);
}

static _Noreturn void wait_for_ever(unsigned cpu)
{
    seen[cpu].off = false;
    seen[cpu].started++;
    for (;;) {
        guest_irq_mask();
        if (seen[cpu].off)
            guest_hvc(CPU_OFF, 0, 0, 0, NULL);
        __asm__ volatile("wfi" ::: "memory");
        guest_irq_unmask();
    }
}

static void send(unsigned cpu, unsigned intid)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    guest_sgi((uint64_t)intid << 24 | 1ul << cpu);
}

/* Waits until a number is more than it was. It gives up after some seconds. */
static bool goes_up(const volatile unsigned *number, unsigned was)
{
    uint64_t end = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

    while (*number == was)
        if (READ("cntvct_el0") > end)
            return false;
    return true;
}

static bool sgis_and_timers(bool timers)
{
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned cpu = 1 + n % OTHERS;
        const volatile unsigned *number = timers ? &seen[cpu].timers : &seen[cpu].sgis;
        unsigned was = *number;

        send(cpu, timers ? SGI_TIMER : SGI_WAKE);
        if (!goes_up(number, was))
            return false;
    }
    return true;
}

/* All at once. Some of them wait for the same CPU. */
static bool broadcasts(void)
{
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned was[OTHERS + 1];

        for (unsigned cpu = 1; cpu <= OTHERS; cpu++)
            was[cpu] = seen[cpu].sgis;
        guest_sgi((uint64_t)SGI_WAKE << 24 | UINT64_C(1) << 40);
        for (unsigned cpu = 1; cpu <= OTHERS; cpu++)
            if (!goes_up(&seen[cpu].sgis, was[cpu]))
                return false;
    }
    return true;
}

/* These need a look at the list registers of vCPUs that wait. A write is complete when RWP reads as 0. */
static bool requests(void)
{
    uint64_t end = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

    for (unsigned n = 0; n < ROUNDS; n++) {
        GICD[0] = CTLR_ON & ~2u;
        while (GICD[0] & CTLR_RWP)
            if (READ("cntvct_el0") > end)
                return false;
        GICD[0] = CTLR_ON;
        while (GICD[0] & CTLR_RWP)
            if (READ("cntvct_el0") > end)
                return false;
        (void)GICR(1 + n % OTHERS)[ISPENDR0];
    }
    return true;
}

static bool off_and_on(void)
{
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned cpu = 1 + n % OTHERS, was = seen[cpu].started;
        uint64_t end = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

        send(cpu, SGI_OFF);
        while (guest_hvc(AFFINITY_INFO, cpu, 0, 0, NULL) != 1)
            if (READ("cntvct_el0") > end)
                return false;
        if (guest_cpu_on(cpu) || !goes_up(&seen[cpu].started, was))
            return false;
    }
    return sgis_and_timers(false);
}

int guest_main(unsigned cpu)
{
    guest_on_irq = on_irq;
    guest_gic_init();
    for (unsigned intid = SGI_WAKE; intid <= SGI_OFF; intid++)
        guest_gic_enable(intid);
    guest_gic_enable(VTIMER);
    if (cpu)
        wait_for_ever(cpu);
    for (unsigned n = 1; n <= OTHERS; n++)
        guest_ok(guest_cpu_on(n) == 0 && goes_up(&seen[n].started, 0), "vCPU %u starts", n);
    guest_ok(sgis_and_timers(false), "SGIs wake them in turn");
    guest_ok(sgis_and_timers(true), "their own timers wake them");
    guest_ok(broadcasts(), "one SGI wakes them all");
    guest_ok(requests(), "GICD_CTLR.RWP falls while they wait");
    guest_ok(sgis_and_timers(true) && broadcasts(), "they wake afterwards");
    guest_ok(off_and_on(), "they go off, and come back");
    guest_ok(seen[1].spurious + seen[2].spurious + seen[3].spurious <= ROUNDS, "%u interrupts without an INTID",
             seen[1].spurious + seen[2].spurious + seen[3].spurious);
    guest_plan();
    return 0;
}
