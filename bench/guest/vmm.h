/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the guests of the reference hypervisor share. They print on its UART. */
#ifndef BENCH_VMM_H
#define BENCH_VMM_H

#include "bench.h"

#define VTIMER     27
#define VMM_UART   0x09000000
#define UART_DATA  (VMM_UART + 0x00)
#define UART_FLAGS (VMM_UART + 0x18)

/* Called on each vCPU: sets up the GIC, with the virtual timer and SGIs 1 to 4. */
void vmm_guest_init(void);

/* The time at which the last handler of each vCPU began. */
extern volatile uint64_t vmm_handled_at[2];

/* Measures from the virtual timer's deadline, in a WFI, to the handler. */
void measure_wfi(const char *row, unsigned rounds);

#endif
