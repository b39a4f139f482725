/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that fetches, loads and stores where it has no memory, and whose tables are where it has none. It gets an
 * external abort each time, and goes on. Its code runs in the upper half of the address space, by TTBR1_EL1, as a
 * kernel's does. So it can do without TTBR0_EL1.
 */
#include "guest.h"

#define UP       0xffffff8000000000 /* the same addresses, by TTBR1_EL1 */
#define NOWHERE  0x20000000ul       /* neither memory nor a device */
#define TABLE(a) ((uint64_t)(a) | 3)
#define MEMORY   0x701ul /* a block: Normal, inner shareable, access flag */
#define OF_EL0   0x741ul /* ... EL0's too */

#define FETCH_EL0 0x20u /* exception classes */
#define FETCH     0x21u
#define DATA      0x25u
#define STORE     0x40u /* WnR */
#define BUS       0x10u /* fault status: external abort */
#define WALK(n)   (0x14u + (n))

#define TRANSLATION(n) (0x04u + (n))

extern volatile uint32_t *guest_uart;

static uint64_t first[512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));
static volatile struct {
    uint64_t esr, far;
    unsigned number;
} got;
static uint64_t resume;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    got.esr = esr;
    got.far = far;
    got.number++;
    regs->elr = resume;
    regs->spsr = 0x3c5; /* EL1h */
}

static void use_table(uint64_t address)
{
    WRITE("ttbr0_el1", address);
    __asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

#define TRY(instructions, ...)                                                                                         \
    __asm__ volatile("adr x9, 1f\n\tstr x9, %0\n\t" instructions "\n1:"                                                \
                     : "=m"(resume)                                                                                    \
                     : "r"(address), ##__VA_ARGS__                                                                     \
                     : "x9", "x10", "x30", "memory")

static void try(const char *what, uint64_t address, unsigned class, unsigned iss)
{
    unsigned before = got.number;

    got.esr = got.far = 0;
    if (class == FETCH)
        TRY("br %1");
    else if (class == FETCH_EL0)
        TRY("msr elr_el1, %1\n\tmsr spsr_el1, %2\n\teret", "r"(0x3c0ul));
    else if (iss & STORE)
        TRY("str x10, [%1]");
    else
        TRY("ldr x10, [%1]");
    guest_ok(got.number == before + 1 && got.esr >> 26 == class && (got.esr & (STORE | 0x3f)) == iss &&
                 got.far == address,
             "%s: esr %lx far %lx", what, got.esr, got.far);
}

static _Noreturn void run(void)
{
    uint64_t old = READ("ttbr0_el1");

    guest_on_sync = on_sync;

    /* A table of zeros, since flash that nobody has filled is at 0. Walks begin at level 1. */
    use_table(0);
    try("a fetch by a table of zeros", 0x40000000, FETCH, TRANSLATION(1));
    try("a fetch of EL0 by a table of zeros", 0x40000000, FETCH_EL0, TRANSLATION(1));
    try("a load by a table of zeros", 0x40000000, DATA, TRANSLATION(1));

    /* No table at all. */
    use_table(NOWHERE + 0x5000);
    try("a fetch without a table", 0x40000000, FETCH, WALK(1));
    try("a fetch of EL0 without a table", 0x40000000, FETCH_EL0, WALK(1));
    try("a load without a table", 0x40000000, DATA, WALK(1));
    try("a store without a table", 0x40000008, DATA, STORE | WALK(1));

    first[0] = MEMORY;
    first[1] = TABLE(NOWHERE);
    first[2] = TABLE((uintptr_t)second & ~UP);
    second[1] = TABLE(NOWHERE + 0x3000);
    use_table((uintptr_t)first & ~UP);
    try("a fetch whose second table is nowhere", 0x40000ff0, FETCH, WALK(2));
    try("a load whose second table is nowhere", 0x7fffffe8, DATA, WALK(2));
    try("a fetch whose third table is nowhere", 0x80200ffc, FETCH, WALK(3));
    try("a store whose third table is nowhere", 0x803ff008, DATA, STORE | WALK(3));

    try("a fetch of nothing", NOWHERE + 0x124, FETCH, BUS);
    try("the same once more", NOWHERE + 0x124, FETCH, BUS);
    try("a load of nothing", NOWHERE + 0x128, DATA, BUS);
    try("a store of nothing", NOWHERE + 0x128, DATA, STORE | BUS);
    first[0] = OF_EL0;
    use_table((uintptr_t)first & ~UP);
    try("a fetch of nothing by EL0", NOWHERE + 0x124, FETCH_EL0, BUS);

    use_table(old);
    guest_plan();
    guest_off(0);
}

int guest_main(unsigned cpu)
{
    (void)cpu;
    WRITE("ttbr1_el1", READ("ttbr0_el1"));
    /* 39 bits, write-back, inner shareable, 4 KiB for both; walks by both */
    WRITE("tcr_el1", 0x3519ul | 0xb519ul << 16 | 2ul << 32);
    WRITE("vbar_el1", READ("vbar_el1") | UP);
    guest_uart = (volatile uint32_t *)((uintptr_t)guest_uart | UP);
    __asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb\n\tadd sp, sp, %0\n\tbr %1" ::"r"(UP), "r"((uintptr_t)run | UP)
                     : "memory");
    __builtin_unreachable();
}
