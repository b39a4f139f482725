/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that uses its two banks of flash as a driver does: it asks what they are, programs, erases, reads, and
 * executes what it has programmed. A second vCPU reads all the while.
 *
 * Its last act is a mark in the second bank. A guest that finds it says so: the bank has been kept since.
 */
#include "guest.h"

#define BANK0  0x00000000ul
#define BANK1  0x04000000ul
#define BLOCK  0x40000ul
#define ALL    0xffffffffu
#define MARK   (BANK1 + 33 * BLOCK + 0x120)
#define MARKED 0x600df1a5u

#define BOTH(x) ((uint32_t)(x) << 16 | (x))

#define NORMAL 0x701ul              /* a block of memory */
#define DEVICE 0x0060000000000405ul /* a block of devices, never executed */
#define UP     (4ul << 30)          /* an address that is translated by a table in flash */

static uint64_t first[512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));

static uint32_t load(uint64_t at)
{
    return *(volatile uint32_t *)at;
}

static void store(uint64_t at, uint32_t value)
{
    *(volatile uint32_t *)at = value;
}

static void command(uint64_t at, uint8_t value)
{
    store(at, BOTH(value));
}

/* Flash is memory for loads and fetches. Stores to it arrive one by one all the same, as they trap. */
static void map(void)
{
    for (uint64_t i = 0; i < 512; i++)
        second[i] = i << 21 | (i < 64 ? NORMAL : DEVICE);
    for (unsigned i = 1; i < 4; i++)
        first[i] = (uint64_t)i << 30 | NORMAL;
    first[0] = (uintptr_t)second | 3;
    WRITE("ttbr0_el1", first);
    __asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

static bool wait(uint64_t bank, uint8_t wanted)
{
    uint32_t status;

    do
        status = load(bank);
    while ((status & BOTH(0x80)) != BOTH(0x80));
    return status == BOTH(wanted);
}

static bool erase(uint64_t at)
{
    bool good;

    command(at, 0x20);
    command(at, 0xd0);
    good = wait(at, 0x80);
    command(at, 0xff);
    return good;
}

static bool program(uint64_t at, uint32_t value)
{
    bool good;

    command(at, 0x40);
    store(at, value);
    good = wait(at, 0x80);
    command(at, 0xff);
    return good;
}

static bool write_buffer(uint64_t at, unsigned words, uint32_t seed)
{
    bool good;

    command(at, 0xe8);
    good = wait(at, 0x80);
    store(at, BOTH(words - 1));
    for (unsigned i = 0; i < words; i++)
        store(at + 4 * i, seed + i);
    command(at, 0xd0);
    good &= wait(at, 0x80);
    command(at, 0xff);
    return good;
}

/* ---- what it is ---- */

static void look(uint64_t bank)
{
    command(bank + 4 * 0x55, 0x98);
    guest_ok(load(bank + 0x40) == BOTH('Q') && load(bank + 0x44) == BOTH('R') && load(bank + 0x48) == BOTH('Y'),
             "%lx: the query answers: %x", bank, load(bank + 0x40));
    guest_ok(load(bank + 4 * 0x27) == BOTH(25) && load(bank + 4 * 0x2d) == BOTH(255) &&
                 load(bank + 4 * 0x30) == BOTH(2),
             "%lx: two chips of 32 MiB, in 256 blocks", bank);
    command(bank, 0x90);
    guest_ok(load(bank) == BOTH(0x89) && load(bank + 4) == BOTH(0x18), "%lx: Intel's: %x %x", bank, load(bank),
             load(bank + 4));
    guest_ok(*(volatile uint16_t *)(bank + 2) == 0x89 && *(volatile uint8_t *)bank == 0x89, "%lx: narrow loads", bank);
    command(bank, 0xff);
}

/* ---- what it does ---- */

static void words(uint64_t bank)
{
    uint64_t at = bank + 7 * BLOCK, x, y;
    bool good = true;

    /* What the guest before has left, or what nobody has filled. */
    guest_ok((load(at) == 0 || load(at) == ALL) && load(at + 0x8004) == load(at), "%lx: it reads at first: %x", bank,
             load(at));
    guest_ok(erase(at) && load(at) == ALL && load(at + BLOCK - 4) == ALL, "%lx: a block is erased", bank);
    for (unsigned i = 0; i < 100; i++)
        good &= program(at + 4 * i, 0xabcd0000 + i) && load(at + 4 * i) == 0xabcd0000 + i;
    guest_ok(good, "%lx: words", bank);
    guest_ok(program(at, 0xffff0000) && load(at) == 0xabcd0000, "%lx: no bit is set again", bank);
    guest_ok(write_buffer(at + 0x1000, 32, 0x11110000) && write_buffer(at + 0x2000, 1024, 0x22220000), "%lx: buffers",
             bank);
    for (unsigned i = 0; i < 32; i++)
        good &= load(at + 0x1000 + 4 * i) == 0x11110000 + i;
    for (unsigned i = 0; i < 1024; i++)
        good &= load(at + 0x2000 + 4 * i) == 0x22220000 + i;
    guest_ok(good && load(at + 0x1080) == ALL, "%lx: and what they have brought", bank);

    /* Loads and stores that no syndrome describes. */
    __asm__ volatile("ldp %0, %1, [%2]" : "=r"(x), "=r"(y) : "r"(at + 0x1000));
    guest_ok(x == 0x1111000111110000 && y == 0x1111000311110002, "%lx: a pair from the array", bank);
    __asm__ volatile("stp %w0, %w1, [%2]" ::"r"(BOTH(0x40)), "r"(0x13579bdfu), "r"(at + 0x8000) : "memory");
    guest_ok(wait(at, 0x80), "%lx: a pair is a command and a word", bank);
    __asm__ volatile("ldp %w0, %w1, [%2], #8" : "=r"(x), "=r"(y), "+r"(at));
    guest_ok((uint32_t)x == BOTH(0x80) && (uint32_t)y == BOTH(0x80), "%lx: a pair from the status", bank);
    at -= 8;
    __asm__ volatile("str %w1, [%0], #4" : "+r"(at) : "r"(BOTH(0xff)) : "memory");
    at -= 4;
    guest_ok(load(at + 0x8000) == ALL && load(at + 0x8004) == 0x13579bdf, "%lx: it is there", bank);

    command(at, 0x20);
    command(at, 0x40);
    guest_ok(wait(at, 0xb0), "%lx: a wrong sequence is an error", bank);
    command(at, 0x50);
    command(at, 0xff);
    guest_ok(load(at) == 0xabcd0000, "%lx: and nothing is erased", bank);
    guest_ok(erase(at) && load(at) == ALL && load(at + 0x2000) == ALL && load(at + 0x8004) == ALL,
             "%lx: erased once more", bank);
}

/* Code in the first bank: the second one may be the board's, where nobody executes. */
static void executes(void)
{
    uint64_t at = BANK0 + 9 * BLOCK, x;

    for (unsigned n = 1; n < 4; n++) {
        erase(at);
        program(at, 0xd2800000 | n * 11 << 5); /* MOV X0, #n * 11 */
        program(at + 4, 0xd65f03c0);           /* RET */
        __asm__ volatile("ic iallu\n\tdsb nsh\n\tisb" ::: "memory");
        __asm__ volatile("blr %1\n\tmov %0, x0" : "=&r"(x) : "r"(at) : "x0", "x30", "memory");
        guest_ok(x == n * 11, "code in flash: %lu", x);
    }
}

/* A table of the guest's own in flash. */
static void walks(void)
{
    uint64_t at = BANK1 + 11 * BLOCK;

    erase(at);
    program(at + 8, 0x40000000 | 0x200000 | NORMAL);
    program(at + 12, 0);
    first[UP >> 30] = at | 3;
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
    command(at, 0x90); /* so the bank is not mapped */
    command(at, 0xff);
    store(0x40200000, 0x1234);
    guest_ok(load(UP + 0x200000) == 0x1234, "a translation by a table in flash");
}

/* ---- another vCPU ---- */

static volatile bool stop;
static volatile uint64_t loads, strange;

/* It sees what was there, what is there, the status, or what an erasure leaves. */
static _Noreturn void watch(void)
{
    while (!stop) {
        uint32_t x = load(BANK1 + 5 * BLOCK);

        strange += x != ALL && x != 0x5a5a0000 && (x & ~BOTH(0xb0)) != 0;
        loads++;
    }
    guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
    __builtin_unreachable();
}

static void watched(void)
{
    bool good = true;

    erase(BANK1 + 5 * BLOCK);
    guest_ok(guest_cpu_on(1) == 0, "a second vCPU starts");
    while (loads < 100)
        ;
    for (unsigned i = 0; i < 200; i++)
        good &= program(BANK1 + 5 * BLOCK, 0x5a5a0000) && load(BANK1 + 5 * BLOCK) == 0x5a5a0000 &&
                (i % 16 || erase(BANK1 + 5 * BLOCK));
    stop = true;
    guest_ok(good, "it does not disturb");
    guest_ok(!strange && loads > 100, "and sees nothing strange");
}

int guest_main(unsigned cpu)
{
    map();
    if (cpu)
        watch();
    guest_ok(true, "the second bank was %s", load(MARK) == MARKED ? "kept" : "new");
    look(BANK0);
    look(BANK1);
    words(BANK0);
    words(BANK1);
    executes();
    walks();
    watched();
    guest_ok(erase(MARK) && program(MARK, MARKED) && load(MARK) == MARKED, "a mark is left");
    guest_plan();
    return 0;
}
