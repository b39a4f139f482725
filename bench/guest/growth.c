/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The operations whose cost is to be the same however much there is beside them; bench/growth.c says how much. */
#include "bench.h"

#define CALL_SETUP    "mov x0, %0\nmov x1, %1\nmov x2, #0\nmov x3, #0\n"
#define AFFINITY_INFO 0xc4000004

/* svc.S */
uint64_t bench_svc(uint64_t number, uint64_t rounds);

/* vectors.S is linked, and not used. */
void bench_irq(void)
{
}

int guest_main(unsigned cpu)
{
    uint64_t last = guest_hvc(GROWTH_LAST_CALL, 0, 0, 0, NULL);

    guest_printf("frequency\t%lu\n", READ("cntfrq_el0"));
    ROW("flat/PSCI_VERSION", CALL_SETUP, "hvc #0\n", 0x84000000, 0);
    ROW("call, the first claim", CALL_SETUP, "hvc #0\n", GROWTH_CALLS, 0);
    ROW("flat/ID_AA64PFR0_EL1", "", "mrs x0, s3_0_c0_c4_0\n", 0, 0);
    ROW("flat/system register, the first claim", "", "mrs x0, s3_0_c11_c0_0\n", 0, 0);
    ROW("flat/GICD_TYPER", "", "ldr w0, [%0, #4]\n", GUEST_DIST, 0);
    ROW("flat/device, the first claim", "", "ldr w0, [%0, #0x18]\n", GROWTH_DEVICES, 0);
    ROW("search/unknown id", CALL_SETUP, "hvc #0\n", 0x86000040, 0);
    ROW("search/call, the last claim", CALL_SETUP, "hvc #0\n", last, 0);
    ROW("search/AFFINITY_INFO of the last vCPU", CALL_SETUP, "hvc #0\n", AFFINITY_INFO,
        guest_hvc(GROWTH_LAST_VCPU, 0, 0, 0, NULL));
    ROW("search/system register, the last claim", "", "mrs x0, s3_7_c15_c15_7\n", 0, 0);
    if (guest_hvc(GROWTH_SVC, 0, 0, 0, NULL)) { /* the CPU can trap them */
        print_row("search/system call, the first claim", bench_svc(0, ROUNDS), ROUNDS);
        print_row("search/system call, the last claim", bench_svc(guest_hvc(GROWTH_LAST_SVC, 0, 0, 0, NULL), ROUNDS),
                  ROUNDS);
    }
    ROW("search/device, half a page", "", "ldr w0, [%0, #0x18]\n", GROWTH_LAST_DEVICE, 0);
    return 0;
}
