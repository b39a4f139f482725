/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Interrupts, from what causes them to the first C instruction of the guest's handler, the guest's own vector included;
 * and another vCPU's first instruction.
 */
#include "bench.h"

#define VTIMER 27
#define TIMES  100

#define SGI_TO_SELF (1ul << 24 | 1) /* ICC_SGI1R_EL1: INTID 1, Aff0 0 */
#define CPU_ON      0xc4000003

static volatile uint64_t handled_at, ended_at;
static volatile unsigned again; /* how often the level interrupt is still to come */
static uint64_t level_ticks;

static void level(uint64_t at)
{
    MARK(PAUSE);
    if (ended_at)
        level_ticks += at - ended_at;
    if (!--again)
        guest_hvc(BENCH_LOWER, 0, 0, 0, NULL);
    else
        MARK(COUNT);
    ended_at = now();
}

void bench_irq(void)
{
    uint64_t at = now();
    uint32_t intid = guest_gic_ack();

    if (intid == VTIMER)
        WRITE("cntv_ctl_el0", 0);
    else if (intid == BENCH_LEVEL_SPI)
        level(at);
    guest_gic_eoi(intid);
    handled_at = at;
}

static uint64_t wait_handled(uint64_t since)
{
    while (!handled_at)
        ;
    return handled_at - since;
}

/* From the write that makes it pending. */
static void sgi_to_self(void)
{
    uint64_t ticks = 0;

    MARK(COUNT);
    for (unsigned n = 0; n < TIMES; n++) {
        uint64_t before;

        handled_at = 0;
        before = now();
        WRITE("s3_0_c12_c11_5", SGI_TO_SELF);
        ticks += wait_handled(before);
    }
    MARK(PAUSE);
    print_row("sgi_self", ticks, TIMES);
}

/* At deadlines that meet the loop in different places. */
static uint64_t set_timer(unsigned n)
{
    uint64_t deadline = now() + READ("cntfrq_el0") / 200000 + n % 16;

    handled_at = 0;
    WRITE("cntv_cval_el0", deadline);
    WRITE("cntv_ctl_el0", 1);
    return deadline;
}

static void timer(void)
{
    uint64_t ticks = 0;

    MARK(COUNT);
    for (unsigned n = 0; n < TIMES; n++)
        ticks += wait_handled(set_timer(n));
    MARK(PAUSE);
    print_row("vtimer", ticks, TIMES);
}

/* With another vCPU on this CPU, which waits as well. The first time it is that one which is loaded. */
static void timer_in_wfi(void)
{
    uint64_t ticks = 0;

    guest_cpu_on(1);
    for (unsigned n = 0; n < TIMES + 1; n++) {
        uint64_t deadline;

        if (n == 1)
            MARK(COUNT);
        deadline = set_timer(n);
        while (!handled_at)
            __asm__ volatile("wfi");
        if (n)
            ticks += handled_at - deadline;
    }
    MARK(PAUSE);
    print_row("wfi", ticks, TIMES);
}

static void from_vmm(void)
{
    uint64_t ticks = 0;

    MARK(COUNT);
    for (unsigned n = 0; n < TIMES; n++) {
        uint64_t before;

        handled_at = 0;
        before = now();
        guest_hvc(BENCH_PULSE, 0, 0, 0, NULL);
        ticks += wait_handled(before);
    }
    MARK(PAUSE);
    print_row("inject", ticks, TIMES);
}

/* A line that stays up: from the end of one to the handler of the next. */
static void level_again(void)
{
    again = TIMES + 1;
    guest_hvc(BENCH_RAISE, 0, 0, 0, NULL);
    while (again)
        ;
    print_row("level_again", level_ticks, TIMES);
}

/* On this CPU: the call, the hypercall that yields, and the switch. */
static void cpu_on(void)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < TIMES; n++) {
        uint64_t before;

        MARK(COUNT);
        before = now();
        guest_hvc(CPU_ON, 1, (uintptr_t)bench_first_instruction, 0, NULL);
        guest_hvc(BENCH_YIELD, 0, 0, 0, NULL);
        ticks += guest_hvc(BENCH_TOLD, 0, 0, 0, NULL) - before;
    }
    print_row("cpu_on", ticks, TIMES);
}

void bench_interrupts(void)
{
    volatile uint32_t *icfgr = (volatile uint32_t *)(GUEST_DIST + 0xc00 + BENCH_EDGE_SPI / 16 * 4);

    WRITE("vbar_el1", (uintptr_t)bench_vectors);
    *icfgr |= 2u << BENCH_EDGE_SPI % 16 * 2;
    guest_gic_enable(1);
    guest_gic_enable(VTIMER);
    guest_gic_enable(BENCH_EDGE_SPI);
    guest_gic_enable(BENCH_LEVEL_SPI);
    guest_irq_unmask();
    sgi_to_self();
    timer();
    from_vmm();
    level_again();
    cpu_on();
    timer_in_wfi();
    guest_irq_mask();
}
