/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stands in for vmm/boot/cpu.h on the build host. A test includes it first: the guard keeps the other one out. */
#ifndef VMM_BOOT_CPU_H
#define VMM_BOOT_CPU_H

#include <stddef.h>
#include <stdint.h>

struct vmm_cpu;
struct vmm_cpu *vmm_cpu_self(void);
void vmm_cpu_relax(void);

extern uint64_t fake_mpidr; /* of the CPU that boots */
static inline uint64_t vmm_read_MPIDR_EL1(void)
{
    return fake_mpidr;
}

/* A test of a ring sees them. */
void vmm_dma_rmb(void);
void vmm_dma_wmb(void);
void vmm_dma_mb(void);

void vmm_dsb_sy(void);
void vmm_dcache_clean(const void *p, size_t bytes);
void vmm_dcache_clean_invalidate(const void *p, size_t bytes);
void vmm_icache_invalidate(const void *p, size_t bytes);
void vmm_zero_out(void *p, size_t bytes);

#endif
