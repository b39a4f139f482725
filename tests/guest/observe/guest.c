/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Measures what each kind of exit costs before an observer was ever set, with one, and after it was removed. In the
 * emulator's counting mode a tick is an instruction. The first and the last cost must be equal.
 */
#include "guest.h"

#include "phases.h"

#define ROUNDS 64

enum { HVC, HVC_UNKNOWN, SMC, MRS, GICD, DEVICE, LOOP, SGI, TIMER, NR_ROWS };
static const char *const names[NR_ROWS] = {
    "HVC",
    "HVC of an unknown id",
    "SMC",
    "MRS of an ID register",
    "GICD_TYPER read",
    "device read, by a claim",
    "hypercall, by the VMM's loop",
    "SGI to self",
    "virtual timer's interrupt",
};
enum { NEVER, WATCHED, OFF, WATCHED_AGAIN, OFF_AGAIN, NR_PHASES };
static uint64_t cost[NR_PHASES][NR_ROWS];

static volatile uint64_t handled_at;

static uint64_t now(void)
{
    __asm__ volatile("isb");
    return READ("cntvct_el0");
}

static void on_irq(struct guest_regs *regs)
{
    handled_at = now();
    WRITE("cntv_ctl_el0", 2);
    guest_gic_eoi(guest_gic_ack());
}

#define ROW(row, operation)                                                                                            \
    do {                                                                                                               \
        uint64_t before_ = now();                                                                                      \
                                                                                                                       \
        for (register uint64_t n_ __asm__("x20") = 0; n_ < ROUNDS; n_++)                                               \
            __asm__ volatile(operation ::"r"(device), "r"(gicd) : "x0", "x1", "x2", "x3", "memory");                   \
        cost_now[row] = now() - before_;                                                                               \
    } while (0)

/* Not inlined, so that the code is the same each time. */
static __attribute__((noinline)) void measure(uint64_t *cost_now)
{
    const uint64_t device = CLAIMED_DEVICE, gicd = GUEST_DIST;

    ROW(HVC, "mov x0, #0x84000000\nhvc #0\n");
    ROW(HVC_UNKNOWN, "mov x0, #0x86000000\nadd x0, x0, #0x40\nhvc #0\n");
    ROW(SMC, "mov x0, #0x84000000\nsmc #0\n");
    ROW(MRS, "mrs x0, id_aa64pfr0_el1\n");
    ROW(GICD, "ldr w0, [%1, #4]\n");
    ROW(DEVICE, "ldr w0, [%0, #0x18]\n");
    ROW(LOOP, "mov x0, #0xffff\nmov x1, #1\nmov x2, #2\nhvc #0\n");
    cost_now[SGI] = cost_now[TIMER] = 0;
    guest_irq_unmask();
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t before = now();

        handled_at = 0;
        guest_sgi(1ul << 24 | 1);
        while (!handled_at)
            ;
        cost_now[SGI] += handled_at - before;
    }
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t deadline = now() + 3000;

        handled_at = 0;
        WRITE("cntv_cval_el0", deadline);
        WRITE("cntv_ctl_el0", 1);
        while (!handled_at)
            ;
        cost_now[TIMER] += handled_at - deadline;
    }
    guest_irq_mask();
}

int guest_main(unsigned cpu)
{
    guest_gic_init();
    guest_on_irq = on_irq;
    guest_gic_enable(1);
    guest_gic_enable(27);
    measure(cost[NEVER]); /* once before, so that what happens only on first use does not count */
    for (unsigned phase = 0; phase < NR_PHASES; phase++) {
        if (phase != NEVER)
            guest_ok(!guest_hvc(CALL_OBSERVE, phase == WATCHED || phase == WATCHED_AGAIN, 0, 0, NULL),
                     "observer's numbers, phase %u", phase);
        measure(cost[phase]);
    }
    for (unsigned row = 0; row < NR_ROWS; row++) {
        uint64_t a = cost[NEVER][row], b = cost[WATCHED][row], c = cost[OFF][row];

        guest_printf("# %s: %lu never observed, %lu observed, %lu switched off (%u times)\n", names[row], a, b, c,
                     ROUNDS);
        guest_ok(a == c && a == cost[OFF_AGAIN][row], "%s costs the same, never observed and switched off", names[row]);
        guest_ok(b > a && b == cost[WATCHED_AGAIN][row], "%s was observed", names[row]);
    }
    guest_plan();
    return 0;
}
