/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The bench's guest under the bench's own host. vCPU 0 measures. vCPU 1 exists so that the host can switch to it. */
#include "bench.h"
#include "code.h"

int guest_main(unsigned cpu)
{
    if (cpu)
        for (;;)
            __asm__ volatile("wfi");
    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    code_init();
    guest_gic_init();
    bench_traps();
    bench_devices();
    bench_memory();
    bench_interrupts();
    return 0;
}
