/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * An SGI from one vCPU to another, each alone on its CPU, the receiver asleep in a WFI that is not trapped. In the counting
 * mode the emulator runs one CPU at a time, and the counter goes up with the instructions of each: so the sum over both
 * CPUs is what the sender takes for the write, and what passes from the sender's falling asleep to the receiver's handler.
 */
#include "bench.h"
#include "code.h"

#define TO(cpu, intid) ((uint64_t)(intid) << 24 | 1ul << (cpu)) /* ICC_SGI1R_EL1, by Aff0 */
#define ANSWER         15

static volatile uint64_t handled_at[2];

void bench_irq(void)
{
    uint64_t at = now();
    unsigned cpu = guest_cpu();

    guest_gic_eoi(guest_gic_ack());
    handled_at[cpu] = at;
    if (cpu) {
        MARK(PAUSE);
        guest_sgi(TO(0, ANSWER));
    }
}

/* Asleep with interrupts masked, so that none is missed between the look and WFI, which wakes for a masked one, too. */
static uint64_t sleep_until_answered(void)
{
    uint64_t since = 0, at;

    while (!handled_at[0]) {
        __asm__ volatile("mrs %0, cntvct_el0; wfi" : "=r"(at)::"memory");
        since = since ? since : at;
        guest_irq_unmask();
        guest_irq_mask();
    }
    handled_at[0] = 0;
    return since;
}

static void sgi_to_other(const char *member, unsigned intids)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < WARM + ROUNDS; n++) {
        uint64_t sgi = TO(1, 1 + n % intids), before, asleep, after;

        if (n >= WARM)
            MARK(COUNT);
        before = now();
        WRITE("s3_0_c12_c11_5", sgi);
        after = now();
        asleep = sleep_until_answered();
        if (n >= WARM)
            ticks += after - before + handled_at[1] - asleep;
    }
    print_row("sgi_other", member, ticks, ROUNDS);
}

int guest_main(unsigned cpu)
{
    WRITE("vbar_el1", (uintptr_t)bench_vectors);
    guest_gic_init();
    for (uint32_t intid = 1; intid <= ANSWER; intid++)
        guest_gic_enable(intid);
    if (cpu) {
        guest_irq_unmask();
        guest_sgi(TO(0, ANSWER));
        for (;;)
            __asm__ volatile("wfi");
    }
    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    guest_cpu_on(1);
    sleep_until_answered();
    sgi_to_other("1 INTID", 1);
    sgi_to_other("2 INTIDs in turn", 2);
    sgi_to_other("4 INTIDs in turn", 4);
    return 0;
}
