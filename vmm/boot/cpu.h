/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The CPU for C code: every system register, barrier and cache operation of the reference hypervisor. No file outside
 * of boot/ has assembly.
 */
#ifndef VMM_BOOT_CPU_H
#define VMM_BOOT_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/hcr.h"
#include "arch/pstate.h"

#define VMM_SYSREG_READ(name)                                                                                          \
    static inline uint64_t vmm_read_##name(void)                                                                       \
    {                                                                                                                  \
        uint64_t value;                                                                                                \
        __asm__ volatile("mrs %0, " #name : "=r"(value) : : "memory");                                                 \
        return value;                                                                                                  \
    }
#define VMM_SYSREG_WRITE(name)                                                                                         \
    static inline void vmm_write_##name(uint64_t value)                                                                \
    {                                                                                                                  \
        __asm__ volatile("msr " #name ", %0" : : "r"(value) : "memory");                                               \
    }
#define VMM_SYSREG(name) VMM_SYSREG_READ(name) VMM_SYSREG_WRITE(name)

VMM_SYSREG_READ(MPIDR_EL1)
VMM_SYSREG_READ(MIDR_EL1)
VMM_SYSREG_READ(CTR_EL0)
VMM_SYSREG_READ(DCZID_EL0)
VMM_SYSREG_READ(ID_AA64PFR0_EL1)
VMM_SYSREG_READ(ID_AA64MMFR0_EL1)
VMM_SYSREG_READ(ID_AA64MMFR1_EL1)
VMM_SYSREG_READ(CNTPCT_EL0)
VMM_SYSREG_READ(CNTFRQ_EL0)
/* The EL2 physical timer by its own names. With E2H=1 CNTP_... mean it at EL2 too, but these are right in both
   cases. */
VMM_SYSREG(CNTHP_CTL_EL2)
VMM_SYSREG(CNTHP_CVAL_EL2)
VMM_SYSREG(HCR_EL2)
VMM_SYSREG(SCTLR_EL2)
VMM_SYSREG(ICC_SRE_EL2)
VMM_SYSREG(ICC_PMR_EL1)
VMM_SYSREG(ICC_BPR1_EL1)
VMM_SYSREG(ICC_CTLR_EL1)
VMM_SYSREG(ICC_IGRPEN1_EL1)
VMM_SYSREG_READ(ICC_IAR1_EL1)
VMM_SYSREG_WRITE(ICC_EOIR1_EL1)
VMM_SYSREG_WRITE(ICC_DIR_EL1)
VMM_SYSREG_WRITE(ICC_SGI1R_EL1)

static inline void vmm_isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

static inline void vmm_dsb_sy(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

/* Orders stores before a store to a device that tells another party of them. */
static inline void vmm_dsb_ishst(void)
{
    __asm__ volatile("dsb ishst" : : : "memory");
}

/* Order accesses to memory that a coherent device accesses, too: it is in no Inner Shareable domain with the CPUs, but
   in the Outer Shareable one. Loads before loads and stores; stores before stores; all before all. */
static inline void vmm_dma_rmb(void)
{
    __asm__ volatile("dmb oshld" : : : "memory");
}

static inline void vmm_dma_wmb(void)
{
    __asm__ volatile("dmb oshst" : : : "memory");
}

static inline void vmm_dma_mb(void)
{
    __asm__ volatile("dmb osh" : : : "memory");
}

static inline void vmm_cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

/* IRQs of this CPU. They are masked everywhere except between these two (vmm.h). */
static inline void vmm_irq_unmask(void)
{
    __asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void vmm_irq_mask(void)
{
    __asm__ volatile("msr daifset, #2" : : : "memory");
}

static inline bool vmm_irq_masked(void)
{
    uint64_t daif;

    __asm__ volatile("mrs %0, daif" : "=r"(daif));
    return daif & SPSR_I; /* DAIF has the bit at the same place */
}

/* Waits for an interrupt. A masked one ends the wait too (DDI 0487, D1.6.2). The DSB lets others see what this CPU
   wrote while it sleeps. */
static inline void vmm_wfi(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static inline bool vmm_host_vhe(void)
{
    return vmm_read_HCR_EL2() & HCR_E2H;
}

struct vmm_cpu; /* kern/percpu.h */

/* Returns the calling CPU. boot/start.S has put it there, and nothing else writes TPIDR_EL2. */
static inline struct vmm_cpu *vmm_cpu_self(void)
{
    struct vmm_cpu *cpu;

    __asm__("mrs %0, tpidr_el2" : "=r"(cpu));
    return cpu;
}

/* Calls firmware by SMC (SMCCC), with a function id and three arguments. Returns X0 of the answer. */
uint64_t vmm_smc(uint64_t fid, uint64_t a1, uint64_t a2, uint64_t a3);

/* boot/cache.c: clean data cache lines of a range to the point of coherency. A CPU or guest with its caches off, or
   a device, then finds in memory what was written. */
void vmm_dcache_clean(const void *p, size_t bytes);
void vmm_dcache_clean_invalidate(const void *p, size_t bytes);
/* Each CPU calls this once, before it runs guests: it notes whether the CPU's instruction cache may hold lines that
   memory no longer has (CTR_EL0.DIC is 0). */
void vmm_icache_probe(void);
/* Called after a range was written and cleaned, before it may be executed: no CPU then executes what was there before.
   Where some CPU needs it, lines of the range are invalidated in the instruction caches of all CPUs, or all lines are.
   It takes some thousand instructions at most. */
void vmm_icache_invalidate(const void *p, size_t bytes);
/* Clears whole pages, with DC ZVA if the CPU allows it. The zeros are in memory, and in no cache: cleaned and
   invalidated to the point of coherency. */
void vmm_zero_out(void *p, size_t bytes);

#endif
