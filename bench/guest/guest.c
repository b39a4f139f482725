/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's view of what a trip to EL2 costs: each row is a loop of one operation, measured with the virtual counter,
 * less the same loop without it. In the emulator's counting mode an instruction takes one nanosecond. Prints lines of
 * "row<TAB>instructions", in hundredths, for bench.py.
 */
#include "guest.h"

#include "rows.h"

#define ROUNDS 1000

static uint64_t frequency;

static uint64_t now(void)
{
    return READ("cntvct_el0");
}

/* In instructions times 100. */
static uint64_t scaled(uint64_t ticks, uint64_t empty, unsigned rounds)
{
    return (ticks - empty) * (100000000000 / frequency) / rounds;
}

static void print_row(const char *name, uint64_t cost)
{
    guest_printf("row\t%s\t%lu\n", name, cost);
}

/* The operation stands in the loop itself: no call around it. */
#define ROW(name, setup, operation)                                                                                    \
    do {                                                                                                               \
        uint64_t before_, empty_, full_;                                                                               \
        register uint64_t n_ __asm__("x20");                                                                           \
                                                                                                                       \
        before_ = now();                                                                                               \
        for (n_ = 0; n_ < ROUNDS; n_++)                                                                                \
            __asm__ volatile(setup ::"r"(device), "r"(gicd), "r"(loop_device) : "x0", "x1", "x2", "x3", "memory");     \
        empty_ = now() - before_;                                                                                      \
        before_ = now();                                                                                               \
        for (n_ = 0; n_ < ROUNDS; n_++)                                                                                \
            __asm__ volatile(setup operation ::"r"(device), "r"(gicd), "r"(loop_device)                                \
                             : "x0", "x1", "x2", "x3", "memory");                                                      \
        full_ = now() - before_;                                                                                       \
        print_row(name, scaled(full_, empty_, ROUNDS));                                                                \
    } while (0)

static volatile uint64_t handled_at;

static void on_irq(struct guest_regs *regs)
{
    uint32_t intid;

    handled_at = now();
    intid = guest_gic_ack();
    WRITE("cntv_ctl_el0", 2);
    guest_gic_eoi(intid);
}

/* From the write that makes it pending to the handler's first C statement; the counter ticks coarsely on some models. */
static void sgi_to_self(void)
{
    uint64_t sum = 0;

    guest_gic_enable(1);
    guest_irq_unmask();
    for (unsigned n = 0; n < 100; n++) {
        uint64_t before = now();

        handled_at = 0;
        WRITE("s3_0_c12_c11_5", 1ul << 24 | 1);
        while (!handled_at)
            ;
        sum += handled_at - before;
    }
    guest_irq_mask();
    print_row("SGI to self, to the handler", scaled(sum, 0, 100));
}

static void timer(void)
{
    uint64_t sum = 0;

    guest_gic_enable(27);
    guest_irq_unmask();
    for (unsigned n = 0; n < 100; n++) {
        uint64_t deadline = now() + 3000 * frequency / 1000000000 + n % 16;

        handled_at = 0;
        WRITE("cntv_cval_el0", deadline);
        WRITE("cntv_ctl_el0", 1);
        while (!handled_at)
            ;
        sum += handled_at - deadline;
    }
    guest_irq_mask();
    print_row("virtual timer, deadline to the handler", scaled(sum, 0, 100));
}

int guest_main(unsigned cpu)
{
    const uint64_t device = BENCH_DEVICE, loop_device = BENCH_LOOP_DEVICE, gicd = GUEST_DIST;

    frequency = READ("cntfrq_el0");
    guest_gic_init();
    guest_on_irq = on_irq;
    ROW("HVC, PSCI_VERSION", "mov x0, #0x84000000\n", "hvc #0\n");
    ROW("HVC, PSCI_FEATURES", "mov x0, #0x84000000\norr x0, x0, #2\nadd x0, x0, #8\nmov x1, #0x84000000\n", "hvc #0\n");
    ROW("HVC, AFFINITY_INFO", "mov x0, #0xc4000000\nadd x0, x0, #4\nmov x1, #0\nmov x2, #0\n", "hvc #0\n");
    ROW("HVC, SMCCC_VERSION", "mov x0, #0x80000000\n", "hvc #0\n");
    ROW("HVC, unknown id", "mov x0, #0x86000000\nadd x0, x0, #0x40\n", "hvc #0\n");
    ROW("SMC, PSCI_VERSION", "mov x0, #0x84000000\n", "smc #0\n");
    ROW("hypercall 0xffff, by the VMM's loop", "mov x0, #0xffff\nmov x1, #1\nmov x2, #2\n", "hvc #0\n");
    ROW("MRS ID_AA64PFR0_EL1", "", "mrs x0, id_aa64pfr0_el1\n");
    ROW("MRS ID_AA64ISAR2_EL1", "", "mrs x0, s3_0_c0_c6_2\n");
    ROW("GICD_TYPER, read", "", "ldr w0, [%1, #4]\n");
    ROW("GICD_ISENABLER1, write of a changing bit", "mov w0, #16\nstr w0, [%1, #0x184]\n", "str w0, [%1, #0x104]\n");
    ROW("device register, read, by a claim", "", "ldr w0, [%0, #0x18]\n");
    ROW("device register, read, by the VMM's loop", "", "ldr w0, [%2]\n");
    ROW("GICD_TYPER and device in turn, a pair", "", "ldr w0, [%1, #4]\nldr w0, [%0, #0x18]\n");
    sgi_to_self();
    timer();
    return 0;
}
