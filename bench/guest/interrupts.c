/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Interrupts: from the cause to the first C instruction of the guest's handler, the guest's own vector included. And
 * CPU_ON: from the call to another vCPU's first instruction.
 */
#include "bench.h"
#include "code.h"
#include "state.h"

#define VTIMER 27
#define CPU_ON 0xc4000003

static volatile uint64_t handled_at, ended_at;
static volatile unsigned again; /* how often the level interrupt has still to come */
static uint64_t level_ticks;

static void level_once_more(uint64_t at)
{
    MARK(PAUSE);
    if (ended_at)
        level_ticks += at - ended_at;
    if (!--again)
        guest_hvc(BENCH_LOWER, BENCH_LEVEL_SPI, 0, 0, NULL);
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
    else if (again)
        level_once_more(at);
    else if (intid >= BENCH_LEVEL_SPI && intid < BENCH_FILL_SPI)
        guest_hvc(BENCH_LOWER, intid, 0, 0, NULL);
    guest_gic_eoi(intid);
    handled_at = at;
    bench_handled(at);
}

/* ---- SGIs to self ---- */

static unsigned in_turn; /* the number of INTIDs */

/* The value of ICC_SGI1R_EL1 for round n: one of the INTIDs from 1 on, to the vCPU with Aff0 = 0. */
static uint64_t sgi_of(unsigned n)
{
    return (uint64_t)(1 + n % in_turn) << 24 | 1;
}

static void sgi(const char *family, const char *member, unsigned rt, unsigned intids)
{
    struct op op = { .insn = { MSR(ICC_SGI1R_EL1, rt), ISB }, .nr = 1, .rt = rt, .mode = AT_EL1_IRQ, .vary = sgi_of };

    op.set[0].reg = rt;
    in_turn = intids;
    measure_irq(family, member, &op);
}

static void sgi_to_self(void)
{
    for (unsigned rt = 0; rt < ZR; rt++)
        sgi("sgi_self", reg_name('x', rt), rt, 1);
    sgi("sgi_self", "2 INTIDs in turn", 0, 2);
    sgi("sgi_self", "4 INTIDs in turn", 0, 4);
    sgi("sgi_self", "2 INTIDs in turn, x24", 24, 2);
    sgi("sgi_self", "4 INTIDs in turn, x24", 24, 4);
    for (unsigned n = 1; n < NR_STATES; n++) {
        state_enter(n);
        sgi(states[n].full ? "sgi_self_full" : "sgi_self", states[n].name, 0, 1);
        sgi(states[n].full ? "sgi_self_full" : "sgi_self", state_name(n, "4 INTIDs in turn, x24"), 24, 4);
        state_leave(n);
    }
}

/* ---- the virtual timer ---- */

static uint64_t wait_handled(uint64_t since)
{
    while (!handled_at)
        ;
    return handled_at - since;
}

/* Varies the deadline, so that it meets the waiting loop in different places. */
static uint64_t set_timer(unsigned n)
{
    uint64_t deadline = now() + READ("cntfrq_el0") / 200000 + n % 16;

    handled_at = 0;
    WRITE("cntv_cval_el0", deadline);
    WRITE("cntv_ctl_el0", 1);
    return deadline;
}

/* sgis: an SGI comes in front of each deadline, with this many INTIDs in turn. 0: no SGI. */
static void timer(const char *family, const char *member, unsigned sgis)
{
    uint64_t ticks = 0;

    guest_irq_unmask();
    for (unsigned n = 0; n < WARM + ROUNDS; n++) {
        uint64_t deadline;

        if (sgis)
            guest_sgi((uint64_t)(1 + n % sgis) << 24 | 1);
        deadline = set_timer(n);
        if (n >= WARM)
            MARK(COUNT);
        deadline = wait_handled(deadline);
        MARK(PAUSE);
        if (n >= WARM)
            ticks += deadline;
    }
    guest_irq_mask();
    print_row(family, member, ticks, ROUNDS);
}

static void timers(void)
{
    timer("vtimer", "alone", 0);
    timer("vtimer", "an SGI before each", 1);
    timer("vtimer", "4 SGIs in turn, one before each", 4);
    for (unsigned n = 1; n < NR_STATES; n++) {
        state_enter(n);
        timer(states[n].full ? "vtimer_full" : "vtimer", states[n].name, 0);
        timer(states[n].full ? "vtimer_full" : "vtimer", state_name(n, "an SGI before each"), 1);
        state_leave(n);
    }
}

/* Another vCPU of this CPU waits as well. In the first round, which does not count, that one is loaded. */
static void timer_in_wfi(void)
{
    uint64_t ticks = 0;

    guest_cpu_on(1);
    guest_irq_unmask();
    for (unsigned n = 0; n < ROUNDS + 1; n++) {
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
    guest_irq_mask();
    print_row("wfi", NULL, ticks, ROUNDS);
}

/* ---- SPIs that the VMM's loop injects ---- */

static uint32_t first_spi;

static uint64_t spi_of(unsigned n)
{
    return first_spi + n % in_turn;
}

static void inject(const char *family, const char *member, uint32_t call, unsigned intids)
{
    struct op op = { .insn = { HVC, ISB }, .set = { { 1, 0 }, { 0, call }, { 2, 0 }, { 3, 0 } }, .nr = 4, .rt = ZR };

    op.mode = AT_EL1_IRQ;
    op.vary = spi_of;
    first_spi = call == BENCH_PULSE ? BENCH_EDGE_SPI : BENCH_LEVEL_SPI;
    in_turn = intids;
    measure_irq(family, member, &op);
}

static void from_vmm(void)
{
    static const char *const edges[] = { "an edge", "edges of 2 in turn", "edges of 3 in turn", "edges of 4 in turn" };
    static const char *const levels[] = { "a level", "levels of 2 in turn", "levels of 3 in turn",
                                          "levels of 4 in turn" };

    for (unsigned n = 1; n <= 4; n++)
        inject("inject", edges[n - 1], BENCH_PULSE, n);
    for (unsigned n = 1; n <= 4; n++)
        inject("inject", levels[n - 1], BENCH_RAISE, n);
    for (unsigned n = 1; n < NR_STATES; n++) {
        state_enter(n);
        inject(states[n].full ? "inject_full" : "inject", state_name(n, "edges of 4 in turn"), BENCH_PULSE, 4);
        inject(states[n].full ? "inject_full" : "inject", state_name(n, "levels of 4 in turn"), BENCH_RAISE, 4);
        state_leave(n);
    }
}

/* The line of a level interrupt stays up: from the end of one interrupt to the handler of the next. */
static void level_again(void)
{
    again = ROUNDS + 1;
    guest_irq_unmask();
    guest_hvc(BENCH_RAISE, BENCH_LEVEL_SPI, 0, 0, NULL);
    while (again)
        ;
    guest_irq_mask();
    print_row("level_again", NULL, level_ticks, ROUNDS);
}

/* CPU_ON of a vCPU on this CPU: the call, the hypercall that yields to it, and the switch. */
static void cpu_on(void)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t before;

        MARK(COUNT);
        before = now();
        guest_hvc(CPU_ON, 1, (uintptr_t)bench_first_instruction, 0, NULL);
        guest_hvc(BENCH_YIELD, 0, 0, 0, NULL);
        ticks += guest_hvc(BENCH_TOLD, 0, 0, 0, NULL) - before;
    }
    print_row("cpu_on", NULL, ticks, ROUNDS);
}

/* The host measures the time and returns it. */
static void put_load(const char *family, const char *member)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < ROUNDS; n++)
        ticks += guest_hvc(BENCH_PUT_LOAD, 0, 0, 0, NULL);
    print_row(family, member, ticks, ROUNDS);
}

static void put_loads(void)
{
    for (unsigned n = 0; n < NR_STATES; n++) {
        state_enter(n);
        put_load(states[n].full ? "put_load_full" : "put_load", states[n].name);
        state_leave(n);
    }
}

void bench_interrupts(void)
{
    state_init();
    guest_gic_enable(VTIMER);
    sgi_to_self();
    timers();
    from_vmm();
    level_again();
    put_loads();
    bench_gic();
    cpu_on();
    timer_in_wfi();
}
