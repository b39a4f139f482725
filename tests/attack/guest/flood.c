/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Floods: of the console, of what the hypervisor logs (accesses to where nothing is), of the clock's alarm and the
 * UART's interrupt, of calls that nobody knows, and of vCPUs that wait for nothing.
 */
#include "attack.h"

static void console(struct cell *cell)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz flood\n";

    for (unsigned i = 0; i < sizeof(text) - 1; i++)
        mmio_write(UART, (unsigned char)text[i]);
    if (once_in(cell, 64))
        mmio_write(UART + (rnd(cell) & 0x7c), (uint32_t)rnd(cell) & ~0x80u); /* no loopback */
    mmio_read(UART + (rnd(cell) & 0xffc));
}

static void nothing(struct cell *cell)
{
    uint64_t page = rnd(cell) & 0xfffff000;

    page += once_in(cell, 2) ? UINT64_C(0x100000000) : 0;
    if (page < UINT64_C(0x80000000) && page >= UINT64_C(0x08000000))
        page = HOLE + (page & 0xfff000);
    WRITE("sctlr_el1", SCTLR_OFF); /* so that every address is one of the VM's */
    if (once_in(cell, 2))
        __asm__ volatile("ldr wzr, [%0]" ::"r"(page) : "memory");
    else
        __asm__ volatile("str wzr, [%0]" ::"r"(page) : "memory");
    WRITE("sctlr_el1", SCTLR_GOOD);
}

static void alarm(struct cell *cell)
{
    mmio_write(RTC + 0x10, 1);                                         /* IMSC */
    mmio_write(RTC + 0x04, mmio_read(RTC) + (uint32_t)below(cell, 2)); /* MR */
    mmio_write(RTC + 0x1c, 1);                                         /* ICR */
    guest_gic_enable(34);
    guest_gic_enable(33);
    mmio_write(UART + 0x38, once_in(cell, 2) ? 0x7ff : 0);
    guest_irq_unmask();
    guest_irq_mask();
}

static void round(unsigned cpu, struct cell *cell)
{
    switch (below(cell, 8)) {
    case 0:
    case 1:
        console(cell);
        break;
    case 2:
    case 3:
        nothing(cell);
        break;
    case 4:
        alarm(cell);
        break;
    case 5:
        for (unsigned n = 0; n < 16; n++)
            guest_hvc(0x87000000 | (rnd(cell) & 0xffffff), 0, 0, 0, NULL);
        break;
    case 6:
        timer_in(1 + below(cell, 3));
        guest_irq_unmask();
        for (unsigned n = 0; n < 8; n++)
            __asm__ volatile("wfe; sev; yield");
        guest_irq_mask();
        break;
    default:
        timer_in(1 + below(cell, 3));
        __asm__ volatile("wfi");
    }
}

const struct attack attack_flood = { "flood", NULL, round, false };
