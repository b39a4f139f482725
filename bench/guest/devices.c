/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Emulated registers, and memory on first touch. */
#include "bench.h"

#define GICD_ICENABLER1 ((volatile uint32_t *)(GUEST_DIST + 0x184))
#define GICD_ISENABLER1 ((volatile uint32_t *)(GUEST_DIST + 0x104))
#define REPEAT          30
#define PAGE            4096
#define PAGES           256

/* Each of the 32 bits once, none of them enabled before. */
static void enable_each(void)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < REPEAT; n++) {
        uint64_t before, after;

        MARK(COUNT);
        before = now();
        __asm__ volatile("mov w0, #1\n"
                         "0: str w0, [%0]\n"
                         "lsl w0, w0, #1\n"
                         "cbnz w0, 0b" ::"r"(GICD_ISENABLER1)
                         : "x0", "memory");
        after = now();
        MARK(PAUSE);
        *GICD_ICENABLER1 = ~0u;
        ticks += after - before - 2 * 32; /* LSL and CBNZ are the loop's */
    }
    print_row("isenabler", ticks, 32 * REPEAT);
}

static uint64_t touch(void)
{
    uint64_t before = now();

    for (unsigned n = 0; n < PAGES; n++)
        *(volatile uint32_t *)(uintptr_t)(BENCH_LAZY + PAGE * (n + 1ul));
    return now() - before;
}

/* The second time all are there, and so are the tables before the first. */
static void first_touch(void)
{
    uint64_t first;

    *(volatile uint32_t *)(uintptr_t)BENCH_LAZY;
    MARK(COUNT);
    first = touch();
    MARK(PAUSE);
    print_row("fault_map_retry", first - touch(), PAGES);
}

void bench_devices(void)
{
    ROW("gicd_typer", "", "ldr w0, [%0, #4]\n", GUEST_DIST, 0);
    enable_each();
    ROW("device", "", "ldr w0, [%0, #0x18]\n", BENCH_DEVICE, 0);
    ROW("device_loop", "", "ldr w0, [%0, #0x18]\n", BENCH_LOOP_DEVICE, 0);
    ROW("pair", "", "ldr w0, [%0, #4]\nldr w0, [%1, #0x18]\n", GUEST_DIST, BENCH_DEVICE);
    ROW("pl011_status", "", "ldr w0, [%0, #0x18]\n", BENCH_PL011, 0);
    ROW("pl011_out", "mov w0, #65\n", "str w0, [%0]\n", BENCH_PL011, 0);
    first_touch();
}
