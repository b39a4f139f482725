/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's view of what a trip to EL2 costs. vCPU 0 measures; vCPU 1 is there to be switched to. */
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
