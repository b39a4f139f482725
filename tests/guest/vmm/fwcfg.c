/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that reads the configuration device as firmware does: by its registers and by DMA. The kernel that it finds
 * there is this program. Besides, it looks at what identifies the machine's other devices.
 */
#include "guest.h"

#define CFG     0x09020000ul
#define RAM     0x40000000ul
#define RAM_END (RAM + (64ul << 20)) /* --memory 64 */

#define SIGNATURE 0x00
#define RAM_SIZE  0x03
#define NB_CPUS   0x05
#define SIZE      0x08
#define KERNEL    0x11
#define CMDLINE   0x15
#define FILES     0x19

#define ERROR  1u
#define READ_  2u
#define SKIP   4u
#define SELECT 8u
#define WRITE_ 16u

static void select(uint16_t key)
{
    *(volatile uint16_t *)(CFG + 8) = __builtin_bswap16(key);
}

static void read_bytes(void *to, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ((uint8_t *)to)[i] = *(volatile uint8_t *)CFG;
}

static volatile struct {
    uint32_t control, length;
    uint64_t address;
} request __attribute__((aligned(4096)));

static uint32_t transfer(uint32_t control, uint32_t length, uint64_t address)
{
    uint64_t at = (uintptr_t)&request;

    request.control = __builtin_bswap32(control);
    request.length = __builtin_bswap32(length);
    request.address = __builtin_bswap64(address);
    __asm__ volatile("dmb oshst" ::: "memory");
    *(volatile uint32_t *)(CFG + 16) = __builtin_bswap32((uint32_t)(at >> 32));
    *(volatile uint32_t *)(CFG + 20) = __builtin_bswap32((uint32_t)at);
    __asm__ volatile("dmb osh" ::: "memory");
    return __builtin_bswap32(request.control);
}

static bool same(const void *a, const void *b, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (((const volatile uint8_t *)a)[i] != ((const volatile uint8_t *)b)[i])
            return false;
    return true;
}

static uint32_t size_of_kernel(void)
{
    uint32_t size;

    select(SIZE);
    read_bytes(&size, 4);
    return size;
}

static void registers(void)
{
    const uint32_t *head = (const uint32_t *)(RAM + 0x200000); /* where vmm puts an Image */
    uint64_t value = 0, next;
    char text[8] = "";

    read_bytes(text, 4);
    guest_ok(same(text, "QEMU", 4), "selected after reset: the signature %s", text);
    select(RAM_SIZE);
    read_bytes(&value, 8);
    guest_ok(value == RAM_END - RAM, "memory: %lx", value);
    select(NB_CPUS);
    value = *(volatile uint16_t *)CFG;
    guest_ok(value == 2, "CPUs: %lu", value);
    select(KERNEL);
    __asm__ volatile("ldp %w0, %w1, [%2]" : "=r"(value), "=r"(next) : "r"(CFG));
    guest_ok(value == head[0] && next == head[1], "a pair from the kernel: %lx %lx", value, next);
    select(CMDLINE);
    read_bytes(text, 6);
    guest_ok(same(text, "a,b c\0", 6), "the command line: %s", text);
    select(FILES);
    read_bytes(&value, 4);
    guest_ok((uint32_t)value == 0, "files: %u", __builtin_bswap32((uint32_t)value));
    guest_ok(*(volatile uint64_t *)(CFG + 16) == __builtin_bswap64(0x51454d5520434647), "DMA is there");
}

/* What was loaded has been written to at run time, but not at its beginning. */
static void dma(uint64_t to, const char *what)
{
    uint32_t size = size_of_kernel();

    guest_ok(transfer((uint32_t)KERNEL << 16 | SELECT | READ_, size, to) == 0 && size > 4096, "%s: %u bytes", what,
             size);
    guest_ok(same((void *)to, (void *)(RAM + 0x200000), 4096), "%s: they are this program's", what);
}

static void errors(void)
{
    static const struct {
        const char *what;
        uint32_t control, length;
        uint64_t address;
    } rows[] = {
        { "below memory", READ_, 16, RAM - 8 },
        { "beyond memory", READ_, 16, RAM_END - 8 },
        { "at a device", READ_, 4, 0x09000000 },
        { "nowhere", READ_, 1, ~0ul },
        { "in flash", READ_, 4, 0 },
        { "all there is", READ_, 0xffffffff, RAM_END - 0x100000 },
        { "a write", WRITE_, 4, RAM_END - 0x100000 },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t result = transfer((uint32_t)KERNEL << 16 | SELECT | rows[i].control, rows[i].length, rows[i].address);

        guest_ok(result == ERROR, "a transfer %s is an error: %x", rows[i].what, result);
    }
    *(volatile uint64_t *)(CFG + 16) = ~0ul;
    *(volatile uint64_t *)(CFG + 16) = __builtin_bswap64(RAM - 1);
    guest_ok(transfer((uint32_t)SIGNATURE << 16 | SELECT | READ_, 4, RAM_END - 16) == 0 &&
                 same((void *)(RAM_END - 16), "QEMU", 4),
             "requests that are nowhere do nothing");
}

static volatile bool stop;
static volatile uint64_t transfers;

static _Noreturn void disturb(void)
{
    while (!stop) {
        select((uint16_t)(transfers % 32));
        (void)*(volatile uint64_t *)CFG;
        transfers++;
    }
    guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
    __builtin_unreachable();
}

static void disturbed(void)
{
    unsigned good = 0;

    guest_ok(guest_cpu_on(1) == 0, "a second vCPU starts");
    while (transfers < 100)
        ;
    for (unsigned i = 0; i < 200; i++)
        good += transfer((uint32_t)KERNEL << 16 | SELECT | READ_, 4096, RAM_END - 0x10000) == 0;
    stop = true;
    guest_ok(good == 200 && same((void *)(RAM_END - 0x10000), (void *)(RAM + 0x200000), 4096),
             "a transfer is one item's, whatever another selects: %u", good);
}

static void identify(uint64_t base, const char *what, const uint8_t id[8])
{
    bool good = true;

    for (unsigned i = 0; i < 8; i++)
        good &= *(volatile uint32_t *)(base + 0xfe0 + 4 * i) == id[i];
    guest_ok(good, "all of the identification of %s", what);
}

static void others(void)
{
    uint32_t typer = *(volatile uint32_t *)0x08000004;

    identify(0x09000000, "the PL011", (const uint8_t[]){ 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 });
    identify(0x09010000, "the PL031", (const uint8_t[]){ 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 });
    identify(0x09030000, "the PL061", (const uint8_t[]){ 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 });
    for (uint32_t value = 0; value < 8; value++) {
        *(volatile uint32_t *)0x09000048 = value;
        if (*(volatile uint32_t *)0x09000048 != value)
            guest_ok(false, "the PL011's DMACR: %u", value);
    }
    *(volatile uint32_t *)0x09000048 = 0;
    guest_ok((typer & 31) == 8, "256 shared interrupts: GICD_TYPER %x", typer);
}

int guest_main(unsigned cpu)
{
    if (cpu)
        disturb();
    registers();
    dma(RAM_END - 0x400000, "into memory that nobody has touched");
    dma(RAM_END - 0x400000 + 0x123000, "into memory that was touched");
    errors();
    disturbed();
    others();
    guest_plan();
    return 0;
}
