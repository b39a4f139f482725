/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A guest that waits for its power button, as Linux's gpio-keys does: both edges, by an interrupt of the PL061. */
#include "guest.h"

#define GPIO(offset) (*(volatile uint32_t *)(0x09030000ul + (offset)))
#define IBE          0x408
#define IE           0x410
#define MIS          0x418
#define IC           0x41c
#define KEY          (1u << 3)
#define LEVEL        GPIO(4 * KEY)

static volatile unsigned edges, seen[2];

static void on_irq(struct guest_regs *regs)
{
    uint32_t intid = guest_gic_ack();

    (void)regs;
    if (intid == 32 + 7 && GPIO(MIS) == KEY) {
        GPIO(IC) = KEY;
        seen[edges & 1] = LEVEL;
        edges++;
    }
    guest_gic_eoi(intid);
}

static void wait_for(unsigned number)
{
    guest_irq_mask();
    while (edges < number) {
        __asm__ volatile("wfi");
        guest_irq_unmask();
        guest_irq_mask();
    }
}

int guest_main(unsigned cpu)
{
    (void)cpu;
    guest_on_irq = on_irq;
    guest_gic_init();
    *(volatile uint64_t *)(0x08006000ul + 8 * 39) = 0; /* GICD_IROUTER: to this vCPU */
    guest_gic_enable(39);
    GPIO(IBE) = KEY;
    GPIO(IE) = KEY;
    guest_ok(LEVEL == 0, "the button is up");
    guest_printf("press it\n");
    wait_for(2);
    guest_ok(seen[0] == KEY && seen[1] == 0 && LEVEL == 0, "down, and up again: %x %x", seen[0], seen[1]);
    guest_ok(edges == 2 && GPIO(MIS) == 0, "two interrupts: %u", edges);
    guest_plan();
    return 0;
}
