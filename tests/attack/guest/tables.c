/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Tables that move, and storms of TLB maintenance. All hostile vCPUs share a window of 4 MiB and its tables, and change
 * them, with and without break-before-make, while all of them load, store and translate through it. The first half
 * shows the hostile vCPUs' own pages, each word of which has a mark. So a word without it came from somewhere else.
 * The second half shows devices, holes and impossible addresses; its tables may be there, too.
 */
#include "attack.h"

#define WINDOW UINT64_C(0x80000000)
#define MARK   UINT64_C(0x6d61726b00000000)
#define PAGE   UINT64_C(4096)

static uint64_t window2[512] __attribute__((aligned(4096)));
static uint64_t window3[2][512] __attribute__((aligned(4096)));
static volatile uint64_t pages_ready;

static uint64_t scratch_page(struct cell *cell)
{
    return SCRATCH + ((FIRST_HOSTILE + below(cell, options.cpus - FIRST_HOSTILE)) << 20) + below(cell, 128) * PAGE;
}

static void begin(unsigned cpu)
{
    volatile uint64_t *page = (volatile uint64_t *)(SCRATCH + ((uint64_t)cpu << 20));

    tables_make(cpu);
    tables[cpu][0][2] = (uintptr_t)window2 | 3;
    window2[0] = (uintptr_t)window3[0] | 3;
    window2[1] = (uintptr_t)window3[1] | 3;
    if (cell_of(cpu)->starts == 1) {
        for (unsigned i = 0; i < 128 * PAGE / 8; i++)
            page[i] = MARK | i;
        __atomic_fetch_add(&pages_ready, 1, __ATOMIC_SEQ_CST);
    }
    while (pages_ready < options.cpus - FIRST_HOSTILE)
        ;
    WRITE("ttbr0_el1", (uintptr_t)tables[cpu]);
    __asm__ volatile("tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

static uint64_t strange_page(struct cell *cell)
{
    switch (below(cell, 6)) {
    case 0:
        return GICD + 0x1000 * below(cell, 8);
    case 1:
        return UART + 0x1000 * below(cell, 3);
    case 2:
        return HOLE + (rnd(cell) & 0xff000);
    case 3:
        return BEYOND + (rnd(cell) & 0xfff000);
    case 4:
        return rnd(cell) & UINT64_C(0x0000fffffffff000); /* larger than there can be, mostly */
    default:
        return GICR(FIRST_HOSTILE);
    }
}

/* In QEMU TLB maintenance stops all CPUs, so most changes go without. */
static void invalidate(struct cell *cell, uint64_t va)
{
    uint64_t operand = (va >> 12 & UINT64_C(0xfffffffffff)) | rnd(cell) << 48;

    __asm__ volatile("dsb ishst" ::: "memory");
    switch (below(cell, 12)) {
    case 0:
        __asm__ volatile("tlbi vmalle1is" ::: "memory");
        break;
    case 1:
        __asm__ volatile("tlbi vmalle1" ::: "memory");
        break;
    case 2:
        __asm__ volatile("tlbi vae1is, %0" ::"r"(operand) : "memory");
        break;
    case 3:
        __asm__ volatile("tlbi vaae1is, %0" ::"r"(operand) : "memory");
        break;
    case 4:
        __asm__ volatile("tlbi aside1is, %0" ::"r"(operand) : "memory");
        break;
    case 5:
        __asm__ volatile("tlbi vale1, %0" ::"r"(operand) : "memory");
        break;
    case 6:
        __asm__ volatile(".inst 0xd5088100 | 31" ::: "memory"); /* TLBI VMALLE1OS: FEAT_TLBIOS */
        break;
    case 7:
        __asm__ volatile("sys #0, c8, c2, #1, %0" ::"r"(rnd(cell)) : "memory"); /* TLBI RVAE1IS: FEAT_TLBIRANGE */
        break;
    default:
        __asm__ volatile("tlbi vaale1is, %0" ::"r"(operand) : "memory");
    }
    __asm__ volatile("dsb ish; isb" ::: "memory");
}

static void change(struct cell *cell)
{
    unsigned half = once_in(cell, 3), i = (unsigned)below(cell, 512);
    volatile uint64_t *entry = &window3[half][i];
    uint64_t page = half ? strange_page(cell) : scratch_page(cell);
    uint64_t attributes = 3 | 1 << 10 | 3 << 8 | (rnd(cell) & UINT64_C(0x06f00000000008d0));

    if (once_in(cell, 2)) { /* break before make */
        *entry = 0;
        invalidate(cell, WINDOW + half * 0x200000 + i * PAGE);
    }
    if (half)
        attributes = (attributes & ~(UINT64_C(3) << 8)) | (rnd(cell) & 4);
    *entry = once_in(cell, 8) ? 0 : page | attributes;
    if (once_in(cell, 4))
        invalidate(cell, WINDOW + half * 0x200000 + i * PAGE);
    if (once_in(cell, 64)) { /* tables in a device, outside of memory, and back */
        volatile uint64_t *table = &window2[1];

        *table = once_in(cell, 2) ? (uintptr_t)window3[1] | 3 : strange_page(cell) | 3;
        if (once_in(cell, 2))
            invalidate(cell, WINDOW + 0x200000);
    }
}

static uint64_t load(uint64_t at)
{
    uint64_t value = MARK; /* what a load that faults leaves */

    __asm__ volatile("ldr %0, [%1]" : "+r"(value) : "r"(at) : "memory");
    return value;
}

static void use(struct cell *cell)
{
    uint64_t at = WINDOW + below(cell, 256 * 4096 / 8) * 8 + (once_in(cell, 2) ? 0x100000 : 0), value;

    switch (below(cell, 8)) {
    case 0:
        __asm__ volatile("str %0, [%1]" ::"r"(MARK | (rnd(cell) & 0xffffffff)), "r"(at) : "memory");
        break;
    case 1:
        __asm__ volatile("at s1e1r, %0; isb; mrs x0, par_el1" ::"r"(at + below(cell, 2) * 0x200000) : "x0", "memory");
        break;
    case 2:
        __asm__ volatile("at s1e0w, %0; isb; mrs x0, par_el1" ::"r"(at + below(cell, 2) * 0x200000) : "x0", "memory");
        break;
    case 3:
        load(at + 0x200000);
        break;
    case 4:
        if (once_in(cell, 8))
            __asm__ volatile("strb wzr, [%0]" ::"r"((at + 0x200000) | (rnd(cell) & 0xff)) : "memory");
        break;
    case 5:
        __asm__ volatile("dc civac, %0" ::"r"(at + below(cell, 2) * 0x200000) : "memory");
        break;
    default:
        value = load(at);
        if (value >> 32 != MARK >> 32)
            fail("a page shows what is not its VM's", value, at);
    }
}

static void round(unsigned cpu, struct cell *cell)
{
    change(cell);
    for (unsigned n = 0; n < 4; n++)
        use(cell);
}

const struct attack attack_tables = { "tables", begin, round, false };
