/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The kernel's side of the library: see hal.c. It also says how physical interrupts reach loop.c. */
#ifndef VMM_KERN_HAL_H
#define VMM_KERN_HAL_H

#include <stdbool.h>
#include <stdint.h>

struct vmm_cpu;

/** Called once, before the first vmm_pcpu_enable(). */
void vmm_hal_init(void);

/** Called on each CPU when its GIC is ready. Enables the CPU for vCPUs. */
void vmm_pcpu_enable(struct vmm_cpu *cpu);

/** In loop.c: handles and ends an acknowledged interrupt. Returns true when the vCPU that runs here has to leave its
    guest. */
bool vmm_irq_handle(uint32_t token);

/** Called from boot/vectors.S: an IRQ was taken while no guest runs. */
void vmm_irq_dispatch(void);

#endif
