/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A guest of the reference hypervisor: two vCPUs on one CPU, one of which never waits. */
#include "vmm.h"

int guest_main(unsigned cpu)
{
    if (cpu)
        for (;;)
            ;
    vmm_guest_init();
    guest_cpu_on(1);
    measure_wfi("vmm_wfi_busy", 16);
    return 0;
}
