/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that does what takes EL2 longest, time and again, while the host takes interrupts. The host says how late its
 * handler was at worst (bench/latency.c).
 */
#include "bench.h"

#define TIMES 1000 /* interrupts that are taken during each operation */

#define DIST(offset) (*(volatile uint32_t *)(GUEST_DIST + (offset)))
#define SGIS(offset) (*(volatile uint32_t *)(GUEST_RD + 0x10000 + (offset)))
#define WORD         4          /* SPIs 32 to 63 */
#define NOWHERE      0x70000000 /* no memory, and no device */

#define PSCI_CPU_OFF       0x84000002
#define PSCI_AFFINITY_INFO 0xc4000004

void bench_irq(void)
{
}

/* ---- operations ---- */

static void nothing(void)
{
    for (unsigned n = 0; n < 100; n++)
        __asm__ volatile("nop");
}

static void call(void)
{
    guest_hvc(PSCI_AFFINITY_INFO, 3, 0, 0, NULL);
    guest_hvc(BENCH_LATENCY_TAKEN, 0, 0, 0, NULL);
}

/* 32 interrupts become pending by one write, and stop being so by another one. */
static void pend_all(void)
{
    DIST(0x200 + WORD) = 0xffffffff;
    DIST(0x280 + WORD) = 0xffffffff;
}

/* The same, by enabling and disabling them while they are pending. */
static void enable_all(void)
{
    DIST(0x180 + WORD) = 0xffffffff;
    DIST(0x200 + WORD) = 0xffffffff;
    DIST(0x100 + WORD) = 0xffffffff;
    DIST(0x180 + WORD) = 0xffffffff;
    DIST(0x280 + WORD) = 0xffffffff;
    DIST(0x100 + WORD) = 0xffffffff;
}

static void switch_off(void)
{
    DIST(0x200 + WORD) = 0xffffffff;
    DIST(0) = 0x30;
    DIST(0) = 0x37;
    DIST(0x280 + WORD) = 0xffffffff;
}

static void route_all(void)
{
    DIST(0x200 + WORD) = 0xffffffff;
    for (uint64_t intid = 32; intid < 64; intid++) /* no write-back, which has no syndrome; to 1 of N, or vCPU 0 */
        __asm__ volatile("str %0, [%1]" ::"r"((intid & 1) << 31), "r"(GUEST_DIST + 0x6000 + 8 * intid) : "memory");
    DIST(0x280 + WORD) = 0xffffffff;
}

static void send_all(void)
{
    for (uint64_t intid = 0; intid < 16; intid++) {
        guest_sgi(intid << 24 | 1ul << 40); /* to all others */
        guest_sgi(intid << 24 | 0xf);       /* to all, by a list */
    }
    SGIS(0x280) = 0xffff;
}

static void miss(void)
{
    (void)*(volatile uint32_t *)NOWHERE;
    *(volatile uint64_t *)NOWHERE = 0;
}

static void start_other(void)
{
    guest_cpu_on(1);
    guest_hvc(BENCH_LATENCY_OTHER, 0, 0, 0, NULL);
}

static const struct {
    const char *name;
    void (*fn)(void);
} operations[] = {
    { "nothing", nothing },
    { "calls", call },
    { "32 SPIs pending at once", pend_all },
    { "32 pending SPIs enabled at once", enable_all },
    { "GICD_CTLR off and on", switch_off },
    { "32 pending SPIs routed", route_all },
    { "SGIs to all", send_all },
    { "loads and stores of nothing", miss },
    { "CPU_ON and CPU_OFF", start_other },
};

static void skip(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    regs->elr += 4;
}

int guest_main(unsigned cpu)
{
    if (cpu) {
        guest_hvc(PSCI_CPU_OFF, 0, 0, 0, NULL);
        return 1;
    }
    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    guest_on_sync = skip;
    guest_gic_init();
    DIST(0x80 + WORD) = 0xffffffff;  /* IGROUPR */
    DIST(0x100 + WORD) = 0xffffffff; /* ISENABLER */
    for (uint32_t intid = 0; intid < 16; intid++)
        guest_gic_enable(intid);
    for (unsigned n = 0; n < sizeof(operations) / sizeof(operations[0]); n++) {
        uint64_t late;

        guest_hvc(BENCH_LATENCY_BEGIN, 0, 0, 0, NULL);
        while (guest_hvc(BENCH_LATENCY_TAKEN, 0, 0, 0, NULL) < TIMES)
            for (unsigned times = 0; times < 16; times++)
                operations[n].fn();
        late = guest_hvc(BENCH_LATENCY_END, 0, 0, 0, NULL);
        print_row("latency", operations[n].name, late, 1);
    }
    return 0;
}
