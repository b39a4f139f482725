/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that maps devices as Normal memory, between pages of memory, and reaches over the ends of these pages. Each
 * page must get its own half of a load or store.
 */
#include "guest.h"

#define WINDOW   0xffffff8000000000ul /* by TTBR1_EL1 */
#define UART     0x09000000ul
#define TABLE(a) ((uint64_t)(a) | 3)
#define NORMAL   0x703ul /* a page: the attributes of the guest's memory, inner shareable, access flag */

#define DIST_CTLR 0xffffff8000001000ul /* pages of the window: memory, GICD, UART, memory */
#define UART_LAST 0xffffff8000002ffcul /* PL011's last register: a part of its identification */
#define LAST_ID   0xb1u

static uint64_t first[512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));
static uint64_t third[512] __attribute__((aligned(4096)));
static volatile uint32_t memory[2][1024] __attribute__((aligned(4096)));

static uint64_t load(uint64_t at)
{
    uint64_t value;

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return value;
}

static void store(uint64_t at, uint64_t value)
{
    __asm__ volatile("str %0, [%1]" ::"r"(value), "r"(at) : "memory");
}

static void map(void)
{
    const uint64_t pages[] = { (uintptr_t)memory[0], GUEST_DIST, UART, (uintptr_t)memory[1] };

    for (unsigned n = 0; n < 4; n++)
        third[n] = pages[n] | NORMAL;
    second[0] = TABLE((uintptr_t)third);
    first[0] = TABLE((uintptr_t)second);
    WRITE("ttbr1_el1", (uintptr_t)first);
    /* 39 bits, write-back, inner shareable, 4 KiB for both; walks by both */
    WRITE("tcr_el1", 0x3519ul | 0xb519ul << 16 | 2ul << 32);
    __asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

int guest_main(unsigned cpu)
{
    volatile uint32_t *ctlr = (volatile uint32_t *)GUEST_DIST;
    uint64_t value;
    uint32_t was;

    (void)cpu;
    map();
    was = *ctlr;
    memory[0][1023] = 0x11223344;
    memory[1][0] = 0x55667788;

    value = load(DIST_CTLR - 4);
    guest_ok(value == ((uint64_t)was << 32 | 0x11223344), "a load of memory and a device: %lx", value);
    store(DIST_CTLR - 4, (uint64_t)(was ^ 2) << 32 | 0x99aabbcc);
    guest_ok(memory[0][1023] == 0x99aabbcc && *ctlr == (was ^ 2), "a store to memory and a device: %x, %x",
             memory[0][1023], *ctlr);
    value = load(UART_LAST);
    guest_ok(value == (0x5566778800000000ul | LAST_ID), "a load of a device and memory: %lx", value);
    store(UART_LAST, 0xddeeff00ul << 32);
    guest_ok(memory[1][0] == 0xddeeff00, "a store to a device and memory: %x", memory[1][0]);

    /* What begins at the first byte of a page is not a second half. */
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(DIST_CTLR) : "memory");
    guest_ok(value == (was ^ 2), "a load of the first register, mapped as memory: %lx", value);
    __asm__ volatile("str %w0, [%1]" ::"r"(was), "r"(DIST_CTLR) : "memory");
    guest_ok(*ctlr == was, "a store to it: %x", *ctlr);
    guest_plan();
    return 0;
}
