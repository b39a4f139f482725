/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Self-hosted debug at EL1: a breakpoint, a watchpoint, single steps and BRK. One of two vCPUs uses them. The other
 * executes the same code, and must not notice.
 */
#include "guest.h"

#define EC_BREAKPOINT 0x31
#define EC_STEP       0x33
#define EC_WATCHPOINT 0x35
#define EC_BRK        0x3c

static volatile unsigned turn;
static volatile uint64_t watched[2];
static volatile unsigned hits[2][64];
static volatile uint64_t last_elr, last_far;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    unsigned ec = (unsigned)(esr >> 26);

    hits[guest_cpu()][ec]++;
    last_elr = regs->elr;
    last_far = far;
    switch (ec) {
    case EC_BREAKPOINT: /* disables it, to get past the instruction */
        WRITE("dbgbcr0_el1", READ("dbgbcr0_el1") & ~UINT64_C(1));
        break;
    case EC_WATCHPOINT:
        WRITE("dbgwcr0_el1", READ("dbgwcr0_el1") & ~UINT64_C(1));
        break;
    case EC_STEP:
        if (hits[guest_cpu()][EC_STEP] < 5)
            regs->spsr |= 1 << 21; /* steps once more */
        else
            WRITE("mdscr_el1", READ("mdscr_el1") & ~UINT64_C(1));
        break;
    case EC_BRK:
        regs->elr += 4;
        break;
    default:
        guest_printf("Bail out! esr %lx at %lx\n", esr, regs->elr);
        guest_off(1);
    }
}

static void pass_to(unsigned cpu, unsigned me)
{
    turn = cpu;
    while (turn != me)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
}

__attribute__((noinline)) static uint64_t victim(uint64_t x)
{
    __asm__ volatile("nop; nop; nop" ::: "memory");
    return x + 1;
}

static void through(unsigned cpu)
{
    victim(cpu);
    watched[0] = cpu;
    watched[1] = cpu;
}

static void second(void)
{
    __asm__ volatile("msr daifclr, #8; isb" ::: "memory"); /* D */
    WRITE("oslar_el1", 0);
    for (;;) {
        through(1);
        pass_to(0, 1);
    }
}

int guest_main(unsigned cpu)
{
    volatile unsigned *hit = hits[0];
    uint64_t steps;

    guest_on_sync = on_sync;
    if (cpu)
        second();

    guest_ok(guest_cpu_on(1) == 0, "a second vCPU");
    __asm__ volatile("msr daifclr, #8; isb" ::: "memory");
    guest_ok(READ("oslsr_el1") == 0xa, "the OS lock is set after a reset");
    WRITE("dbgbvr0_el1", (uintptr_t)victim);
    WRITE("dbgbcr0_el1", 0x1e3); /* EL1, enabled */
    WRITE("mdscr_el1", 0xa000);  /* MDE, KDE */
    through(0);
    guest_ok(hit[EC_BREAKPOINT] == 0, "no breakpoint while the OS lock is set");
    WRITE("oslar_el1", 0);
    pass_to(1, 0);
    guest_ok(hits[1][EC_BREAKPOINT] == 0, "the other vCPU goes through it");
    through(0);
    guest_ok(hit[EC_BREAKPOINT] == 1 && last_elr == (uintptr_t)victim, "a breakpoint");
    through(0);
    guest_ok(hit[EC_BREAKPOINT] == 1, "no longer when it is switched off");

    WRITE("dbgwvr0_el1", (uintptr_t)&watched[1]);
    WRITE("dbgwcr0_el1", 0x1ff3); /* eight bytes, stores, EL1 */
    pass_to(1, 0);
    guest_ok(hits[1][EC_WATCHPOINT] == 0, "the other vCPU writes to it");
    through(0);
    guest_ok(hit[EC_WATCHPOINT] == 1 && last_far == (uintptr_t)&watched[1] && watched[1] == 0, "a watchpoint");

    /* Single steps. Only an exception return takes SPSR_EL1.SS, so a BRK begins them. */
    WRITE("mdscr_el1", 0xa001);
    __asm__ volatile("brk #1; nop; nop; nop; nop; nop; nop; nop; nop" ::: "memory");
    steps = hit[EC_STEP];
    guest_ok(hit[EC_BRK] == 1, "BRK is the guest's own");
    guest_ok(steps == 5, "five single steps: %lu", (unsigned long)steps);
    pass_to(1, 0);
    guest_ok(hits[1][EC_STEP] == 0 && hits[1][EC_BREAKPOINT] == 0, "none of it on the other vCPU");
    guest_plan();
    return 0;
}
