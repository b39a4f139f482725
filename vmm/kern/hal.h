/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The kernel's side of the library: see hal.c; and how physical interrupts reach loop.c.
 */
#ifndef VMM_KERN_HAL_H
#define VMM_KERN_HAL_H

#include <stdbool.h>
#include <stdint.h>

struct vmm_cpu;

/** Once, before the first vmm_pcpu_enable(). */
void vmm_hal_init(void);

/** On each CPU, its GIC ready: makes it one that can load vCPUs. */
void vmm_pcpu_enable(struct vmm_cpu *cpu);

/** Handles and ends an acknowledged interrupt. True: the vCPU that runs here has to leave its guest. loop.c */
bool vmm_irq_handle(uint32_t token);

/** From boot/vectors.S: an IRQ was taken while no guest runs. */
void vmm_irq_dispatch(void);

#endif
