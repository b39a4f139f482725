/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Cache maintenance by address, clearing of pages, and calls to firmware.
 */
#include <stdatomic.h>
#include <string.h>

#include "arch/idreg.h"
#include "boot/cpu.h"

static uint64_t dcache_line(void)
{
    return 4ull << CTR_DMINLINE(vmm_read_CTR_EL0());
}

static uint64_t icache_line(void)
{
    return 4ull << CTR_IMINLINE(vmm_read_CTR_EL0());
}

void vmm_dcache_clean(const void *p, size_t bytes)
{
    uint64_t line = dcache_line(), end = (uintptr_t)p + bytes;

    for (uint64_t a = (uintptr_t)p & ~(line - 1); a < end; a += line)
        __asm__ volatile("dc cvac, %0" : : "r"(a) : "memory");
    vmm_dsb_sy();
}

void vmm_dcache_clean_invalidate(const void *p, size_t bytes)
{
    uint64_t line = dcache_line(), end = (uintptr_t)p + bytes;

    for (uint64_t a = (uintptr_t)p & ~(line - 1); a < end; a += line)
        __asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
    vmm_dsb_sy();
}

/* Some CPU wants its instruction cache invalidated. An invalidation reaches all CPUs, so the one that executes it asks
   for all of them. */
static _Atomic bool stale_lines;

void vmm_icache_probe(void)
{
    if (!(vmm_read_CTR_EL0() & CTR_DIC))
        atomic_store_explicit(&stale_lines, true, memory_order_relaxed);
}

void vmm_icache_invalidate(const void *p, size_t bytes)
{
    uint64_t line = icache_line(), end = (uintptr_t)p + bytes;

    if (!atomic_load_explicit(&stale_lines, memory_order_relaxed))
        bytes = 0;
    /* Beyond some thousand lines, invalidating everything costs less than line by line. It is also the only sure way if
       the cache is indexed by virtual addresses (CTR_EL0.L1Ip is VIPT) and the code will run at other addresses. */
    if (bytes > 1 << 18 || (bytes && CTR_L1IP(vmm_read_CTR_EL0()) != CTR_L1IP_PIPT))
        __asm__ volatile("ic ialluis" : : : "memory");
    else if (bytes)
        for (uint64_t a = (uintptr_t)p & ~(line - 1); a < end; a += line)
            __asm__ volatile("ic ivau, %0" : : "r"(a) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* A line takes three instructions, without as many again for the loop. */
#define EIGHT_TIMES(x) x x x x x x x x

void vmm_zero_out(void *p, size_t bytes)
{
    uint64_t dczid = vmm_read_DCZID_EL0();
    uint64_t line = dcache_line(), end = (uintptr_t)p + bytes, a = (uintptr_t)p;

    if (dczid & DCZID_DZP || 4ull << DCZID_BS(dczid) != line || (a | bytes) & (8 * line - 1)) {
        memset(p, 0, bytes);
        vmm_dcache_clean_invalidate(p, bytes);
        return;
    }
    while (a < end)
        __asm__ volatile(EIGHT_TIMES("dc zva, %0\n\tdc civac, %0\n\tadd %0, %0, %1\n\t")
                         : "+r"(a)
                         : "r"(line)
                         : "memory");
    vmm_dsb_sy();
}

uint64_t vmm_smc(uint64_t fid, uint64_t a1, uint64_t a2, uint64_t a3)
{
    register uint64_t x0 __asm__("x0") = fid;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;

    /* SMCCC 1.0 lets the callee destroy X4-X17. */
    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
                       "memory", "cc");
    return x0;
}
