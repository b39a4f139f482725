/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Memory on first touch. */
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

/* The second time all are there, and so are the tables before the first. */
void bench_memory(void)
{
    uint64_t first;

    *(volatile uint32_t *)(uintptr_t)BENCH_LAZY;
    MARK(COUNT);
    first = touch();
    MARK(PAUSE);
    print_row("fault_map_retry", NULL, first - touch(), PAGES);
}
