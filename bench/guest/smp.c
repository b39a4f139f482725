/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What one vCPU does to another. Each is alone on its CPU, and the other one sleeps in a WFI that is not trapped. The
 * rows are an SGI, and writes to the distributor that name an interrupt in the other's list registers.
 *
 * In the counting mode the emulator runs one CPU until it sleeps or executes WFE, and then the other. The counter goes
 * up with the instructions of both. So a row has the instructions of the write, and those between the writer's falling
 * asleep and the other's handler, or its next instruction.
 */
#include "bench.h"
#include "code.h"

#define TO(cpu, intid) ((uint64_t)(intid) << 24 | 1ul << (cpu)) /* ICC_SGI1R_EL1, by Aff0 */
#define ANSWER         15

#define SPI     BENCH_EDGE_SPI
#define SPI_BIT (1u << SPI % 32)
#define LOW     0xd0 /* the SPI's priority */
#define MASK    0xc0 /* ICC_PMR_EL1: with this mask the SPI stays pending */

static volatile uint64_t handled_at[2], awake_at;

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

/*
 * Sleeps with interrupts masked. WFI wakes for a masked interrupt, too, so none is missed between the check and the
 * WFI.
 */
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

/* ---- an interrupt in the other's list registers ---- */

static void write_word(unsigned offset, uint64_t value)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(value), "r"((uintptr_t)GUEST_DIST + offset) : "memory");
}

static void write_byte(unsigned offset, uint64_t value)
{
    __asm__ volatile("strb %w0, [%1]" ::"r"(value), "r"((uintptr_t)GUEST_DIST + offset) : "memory");
}

/* Lets the other CPU run until it sleeps. */
static void give_way(void)
{
    for (unsigned n = 0; n < 8; n++)
        __asm__ volatile("wfe" ::: "memory");
}

/* undo: the offset to which the same value is written first. That write is not measured. */
static void measure_write(const char *member, void (*write)(unsigned, uint64_t), unsigned offset, uint64_t value,
                          unsigned undo)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < WARM + ROUNDS; n++) {
        uint64_t before, after, gone;

        if (undo)
            write(undo, value);
        give_way();
        awake_at = 0;
        if (n >= WARM)
            MARK(COUNT);
        before = now();
        write(offset, value);
        after = now();
        gone = now();
        give_way();
        MARK(PAUSE);
        if (n >= WARM)
            ticks += after - before + (awake_at ? awake_at - gone : 0);
    }
    print_row("gic_rw_other", member, ticks, ROUNDS);
}

static void writes_to_other(void)
{
    unsigned word = SPI / 32 * 4;

    write_word(0x80 + word, 0xffffffff);                  /* IGROUPR */
    write_word(0xc00 + SPI / 16 * 4, 2u << SPI % 16 * 2); /* ICFGR */
    write_byte(0x400 + SPI, LOW);                         /* IPRIORITYR */
    write_word(0x6000 + 8 * SPI, 1);                      /* IROUTER */
    write_word(0x100 + word, SPI_BIT);                    /* ISENABLER */
    write_word(0x200 + word, SPI_BIT);                    /* ISPENDR */
    measure_write("GICD_ICENABLER, enabled before", write_word, 0x180 + word, SPI_BIT, 0x100 + word);
    measure_write("GICD_ISENABLER, disabled before", write_word, 0x100 + word, SPI_BIT, 0x180 + word);
    measure_write("GICD_ICPENDR, pending before", write_word, 0x280 + word, SPI_BIT, 0x200 + word);
    measure_write("GICD_ISPENDR, not pending before", write_word, 0x200 + word, SPI_BIT, 0x280 + word);
    measure_write("GICD_IPRIORITYR, byte", write_byte, 0x400 + SPI, LOW, 0);
}

int guest_main(unsigned cpu)
{
    WRITE("vbar_el1", (uintptr_t)bench_vectors);
    guest_gic_init();
    for (uint32_t intid = 1; intid <= ANSWER; intid++)
        guest_gic_enable(intid);
    if (cpu) {
        WRITE("s3_0_c4_c6_0", MASK);
        guest_irq_unmask();
        guest_sgi(TO(0, ANSWER));
        for (;;) {
            __asm__ volatile("wfi" ::: "memory");
            awake_at = now();
        }
    }
    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    guest_cpu_on(1);
    sleep_until_answered();
    sgi_to_other("1 INTID", 1);
    sgi_to_other("2 INTIDs in turn", 2);
    sgi_to_other("4 INTIDs in turn", 4);
    writes_to_other();
    return 0;
}
