/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See vmm.h. */
#include "vmm.h"

#include "code.h"

#define AHEAD 50000 /* ticks until a deadline, long enough for all vCPUs to fall asleep */

volatile uint64_t vmm_handled_at[2];

void guest_putc(char c)
{
    *(volatile uint32_t *)UART_DATA = (unsigned char)c;
}

void bench_irq(void)
{
    uint64_t at = now();
    uint32_t intid = guest_gic_ack();

    if (intid == VTIMER)
        WRITE("cntv_ctl_el0", 0);
    guest_gic_eoi(intid);
    vmm_handled_at[guest_cpu()] = at;
    bench_handled(at);
}

void vmm_guest_init(void)
{
    if (guest_cpu() == 0)
        guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    code_init();
    guest_gic_init();
    for (uint32_t intid = 1; intid <= 4; intid++)
        guest_gic_enable(intid);
    guest_gic_enable(VTIMER);
}

void measure_wfi(const char *row, unsigned rounds)
{
    uint64_t ticks = 0;

    guest_irq_unmask();
    for (unsigned n = 0; n < WARM + rounds; n++) {
        uint64_t deadline = now() + AHEAD + n % 16;

        vmm_handled_at[0] = 0;
        WRITE("cntv_cval_el0", deadline);
        WRITE("cntv_ctl_el0", 1);
        if (n >= WARM)
            MARK(COUNT);
        while (!vmm_handled_at[0])
            __asm__ volatile("wfi");
        MARK(PAUSE);
        if (n >= WARM)
            ticks += vmm_handled_at[0] - deadline;
    }
    guest_irq_mask();
    print_row(row, NULL, ticks, rounds);
}
