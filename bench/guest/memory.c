/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The cost of a page that the VMM maps on first touch. */
#include "bench.h"

#define PAGE  4096
#define PAGES 256

static uint64_t touch(void)
{
    uint64_t before = now();

    for (unsigned n = 0; n < PAGES; n++)
        *(volatile uint32_t *)(uintptr_t)(BENCH_LAZY + PAGE * (n + 1ul));
    return now() - before;
}

/*
 * The access before the first round makes the VMM allocate the tables. The first round faults on each page, the second
 * on none. So the difference is what the faults cost.
 */
void bench_memory(void)
{
    uint64_t first;

    *(volatile uint32_t *)(uintptr_t)BENCH_LAZY;
    MARK(COUNT);
    first = touch();
    MARK(PAUSE);
    print_row("fault_map_retry", NULL, first - touch(), PAGES);
}
