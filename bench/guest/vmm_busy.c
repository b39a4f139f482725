/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A guest of the reference hypervisor: two vCPUs on one CPU, one of which never waits. */
#include "vmm.h"

#include "code.h"

#define ROUNDS_BUSY 16
#define AHEAD       5000 /* ticks until a deadline */

/* When the vCPU that never waits got the CPU last. */
static volatile uint64_t given_at;

static void never_wait(void)
{
    uint64_t before = now();

    for (;;) {
        uint64_t at = now();

        if (at - before > 100) /* it did not have the CPU in between */
            given_at = at;
        before = at;
    }
}

static uint64_t arm_timer(unsigned n)
{
    uint64_t deadline = now() + AHEAD + n % 16;

    vmm_handled_at[0] = 0;
    WRITE("cntv_cval_el0", deadline);
    WRITE("cntv_ctl_el0", 1);
    return deadline;
}

/* From the WFI to the other vCPU's next instruction. */
static void measure_switch(void)
{
    uint64_t ticks = 0;

    guest_irq_unmask();
    for (unsigned n = 0; n < WARM + ROUNDS_BUSY; n++) {
        uint64_t before;

        arm_timer(n);
        if (n >= WARM)
            MARK(COUNT);
        before = now();
        __asm__ volatile("wfi");
        MARK(PAUSE);
        if (n >= WARM)
            ticks += given_at - before;
        while (!vmm_handled_at[0])
            ;
    }
    guest_irq_mask();
    print_row("vmm_wfi_switch", NULL, ticks, ROUNDS_BUSY);
}

/* From the deadline to the handler. The deadline comes when the guest has just executed WFI. */
static void measure_due(void)
{
    uint64_t ticks = 0;

    guest_irq_unmask();
    for (unsigned n = 0; n < WARM + ROUNDS_BUSY; n++) {
        uint64_t deadline = arm_timer(n);

        if (n >= WARM)
            MARK(COUNT);
        while (now() + 12 < deadline)
            ;
        __asm__ volatile("wfi");
        while (!vmm_handled_at[0])
            ;
        MARK(PAUSE);
        if (n >= WARM)
            ticks += vmm_handled_at[0] - deadline;
    }
    guest_irq_mask();
    print_row("vmm_wfi_due", NULL, ticks, ROUNDS_BUSY);
}

int guest_main(unsigned cpu)
{
    if (cpu)
        never_wait();
    vmm_guest_init();
    guest_cpu_on(1);
    measure_wfi("vmm_wfi_busy", ROUNDS_BUSY);
    measure_switch();
    measure_due();
    return 0;
}
