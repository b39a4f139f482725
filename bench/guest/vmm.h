/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the guests have in common that run under the reference hypervisor, and print on its UART. */
#ifndef BENCH_VMM_H
#define BENCH_VMM_H

#include "bench.h"

#define VTIMER     27
#define VMM_UART   0x09000000
#define UART_DATA  (VMM_UART + 0x00)
#define UART_FLAGS (VMM_UART + 0x18)

/* On each vCPU: the GIC, with the virtual timer and SGIs 1 to 4. */
void vmm_guest_init(void);

/* By vCPU: when its last handler began. */
extern volatile uint64_t vmm_handled_at[2];

/* From the virtual timer's deadline, in a WFI, to the handler. */
void measure_wfi(const char *row, unsigned rounds);

#endif
