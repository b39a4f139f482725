/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where an instruction lies that the decoder has to read: in pages and blocks of each granule and level, with stage 1
 * off, where EL0 can only execute, where stage 2 permits no stores, and in a page that another vCPU takes away and
 * gives back meanwhile. The instruction is `ldp x1, x2, [x0]` on a device, of which the syndrome says nothing.
 */
#include <avc/stage2.h>

#include "guest.h"

#include "../fetch/fetch.h"

#define TABLES 0x40500000ul         /* one for each level, 64 KiB each */
#define UPPER  0xffffff8000000000ul /* TTBR1's half: 39 bits. An address in it is followed by its IPA */
#define ROUNDS 3000

#define VALID     1ul
#define TABLE     3ul /* a page, in the last level */
#define AF_SH     (1ul << 10 | 3ul << 8)
#define DEVICE_AT (1ul << 2) /* MAIR: 1 */
#define AP_EL0    (1ul << 6)
#define PXN       (1ul << 53)
#define UXN       (1ul << 54)

static const struct granule {
    const char *name;
    unsigned page, tg1; /* log2 of a page; TCR_EL1.TG1 */
} granules[] = { { "4 KiB", 12, 2 }, { "16 KiB", 14, 1 }, { "64 KiB", 16, 3 } };

static bool is_supported(const struct granule *g)
{
    uint64_t mmfr0;

    __asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
    return g->page == 12 ? !(mmfr0 >> 28 & 15) : g->page == 14 ? mmfr0 >> 20 & 15 : !(mmfr0 >> 24 & 15);
}

static unsigned shift_of(const struct granule *g, unsigned level)
{
    return g->page + (3 - level) * (g->page - 3);
}

static unsigned first_level(const struct granule *g)
{
    return 4 - (39 - g->page + g->page - 4) / (g->page - 3);
}

static volatile uint64_t *table(unsigned level)
{
    return (volatile uint64_t *)(TABLES + level * 0x10000ul);
}

/* Maps the page or block around an IPA, and returns its descriptor. */
static volatile uint64_t *map(const struct granule *g, uint64_t ipa, unsigned last, uint64_t attributes)
{
    unsigned level = first_level(g);
    volatile uint64_t *at;

    for (;; level++) {
        unsigned index = (unsigned)(ipa >> shift_of(g, level)) & ((1u << (g->page - 3)) - 1);

        at = &table(level)[index];
        if (level == last)
            break;
        *at = (uint64_t)(uintptr_t)table(level + 1) | TABLE;
    }
    *at = (ipa & ~((1ul << shift_of(g, last)) - 1)) | attributes | AF_SH | (last == 3 ? TABLE : VALID);
    __asm__ volatile("dsb ishst; isb" ::: "memory");
    return at;
}

/* Switches TTBR1's half on, with empty tables. */
static void begin(const struct granule *g)
{
    uint64_t tcr;

    for (uint64_t n = 0; n < 4 * 0x10000 / 8; n++)
        table(0)[n] = 0;
    __asm__ volatile("dsb ish; mrs %0, tcr_el1" : "=r"(tcr)::"memory");
    tcr = (tcr & 0xffffffff0000fffful) | 25ul << 16 | 1ul << 24 | 1ul << 26 | 3ul << 28 | (uint64_t)g->tg1 << 30;
    __asm__ volatile(
        "msr ttbr1_el1, %0; msr tcr_el1, %1; isb; tlbi vmalle1is; dsb ish; isb" ::"r"(table(first_level(g))), "r"(tcr)
        : "memory");
}

struct loaded {
    uint64_t first, second;
};

static struct loaded call(uint64_t code, uint64_t device)
{
    register uint64_t x0 __asm__("x0") = device, x1 __asm__("x1") = 0, x2 __asm__("x2") = 0;

    __asm__ volatile("blr %3" : "+r"(x0), "+r"(x1), "+r"(x2) : "r"(code) : "x30", "memory");
    return (struct loaded){ x1, x2 };
}

/* The same with stage 1 off: the code lies where it is, and nothing but it is accessed. */
static struct loaded call_off(uint64_t device)
{
    register uint64_t x0 __asm__("x0") = device, x1 __asm__("x1") = 0, x2 __asm__("x2") = 0;

    __asm__ volatile("mrs x3, sctlr_el1\nbic x4, x3, #1\nmsr sctlr_el1, x4\nisb\n"
                     "ldp x1, x2, [x0]\n"
                     "msr sctlr_el1, x3\nisb\n"
                     : "+r"(x0), "+r"(x1), "+r"(x2)::"x3", "x4", "memory");
    return (struct loaded){ x1, x2 };
}

static bool is_right(struct loaded got, uint64_t at)
{
    return got.first == (DEVICE_MARK | (DEVICE + at)) && got.second == (DEVICE_MARK | (DEVICE + at + 8));
}

/* ---- exceptions ---- */

static struct loaded at_el0;
static volatile uint64_t after_el0, faults, others;

static void on_sync(struct guest_regs *r, uint64_t esr, uint64_t far)
{
    (void)far;
    if (esr >> 26 == 0x15) { /* SVC of EL0 */
        at_el0 = (struct loaded){ r->x[1], r->x[2] };
        r->elr = after_el0;
        r->spsr = 0x3c5;
    } else if (esr >> 26 == 0x21 && (esr & 0x3c) == 0x04) { /* a fetch from the page that is taken away */
        faults++;
    } else {
        others++;
        r->elr = r->spsr & 0xf ? r->x[30] : after_el0; /* back from call() or call_el0() */
        r->spsr = 0x3c5;
    }
}

static struct loaded call_el0(uint64_t code, uint64_t device)
{
    at_el0 = (struct loaded){ 0, 0 };
    __asm__ volatile(
        "adr x3, 1f\nstr x3, [%2]\nmov x0, %1\nmsr elr_el1, %0\nmsr spsr_el1, xzr\nisb\neret\n1:\n" ::"r"(code),
        "r"(device), "r"(&after_el0)
        : "x0", "x1", "x2", "x3", "memory");
    return at_el0;
}

/* ---- a page that comes and goes ---- */

static volatile uint64_t *leaf, stop, turns;

static void take_away(void)
{
    uint64_t descriptor = *leaf, page = (UPPER | CODE) << 8 >> 20; /* VA[55:12] */

    while (!stop) {
        *leaf = 0;
        __asm__ volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb" ::"r"(page) : "memory");
        *leaf = descriptor;
        __asm__ volatile("dsb ishst" ::: "memory");
        turns++;
        for (volatile unsigned n = 0; n < turns % 64; n++)
            ;
    }
    guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
}

static void comes_and_goes(const struct granule *g)
{
    unsigned wrong = 0;

    begin(g);
    leaf = map(g, CODE, 3, UXN);
    guest_cpu_on(1);
    while (!turns)
        ;
    for (unsigned n = 0; n < ROUNDS || faults < 10; n++) /* at least so often the page must have been away */
        wrong += !is_right(call(UPPER | CODE, DEVICE + n % 500 * 8), n % 500 * 8ul);
    stop = 1;
    guest_ok(!wrong && !others, "a page that another vCPU takes away: %u wrong, %lu other exceptions", wrong, others);
}

int guest_main(unsigned cpu)
{
    static const uint32_t code[] = { 0xa9400801, 0xd65f03c0, 0xa9400801, 0xd4000001 }; /* ldp; ret; ldp; svc #0 */

    if (cpu) {
        take_away();
        return 0;
    }
    guest_on_sync = on_sync;
    for (unsigned n = 0; n < 4; n++)
        ((volatile uint32_t *)CODE)[n] = code[n];
    __asm__ volatile("dc cvau, %0; dsb ish; ic ialluis; dsb ish; isb" ::"r"(CODE) : "memory");
    guest_ok(is_right(call_off(DEVICE + 0x10), 0x10), "stage 1 off");
    for (unsigned n = 0; n < sizeof granules / sizeof granules[0]; n++) {
        const struct granule *g = &granules[n];

        for (unsigned level = 3; is_supported(g) && level >= (g->page == 12 ? 1 : 2); level--) {
            begin(g);
            map(g, CODE, level, UXN);
            guest_ok(is_right(call(UPPER | CODE, DEVICE + 8 * level), 8 * level), "%s, level %u", g->name, level);
            begin(g);
            map(g, DEVICE, level, AP_EL0 | DEVICE_AT | PXN | UXN);
            map(g, CODE, level, PXN); /* EL0 has no right but to execute */
            guest_ok(is_right(call_el0((UPPER | CODE) + 8, (UPPER | DEVICE) + 64), 64),
                     "%s, level %u, EL0 can only execute", g->name, level);
        }
        if (!is_supported(g))
            continue;
        begin(g);
        map(g, CODE, 3, UXN);
        guest_hvc(CALL_PROTECT, AVC_R | AVC_X, 0, 0, NULL);
        guest_ok(is_right(call(UPPER | CODE, DEVICE + 0x80), 0x80), "%s, and stage 2 permits no stores", g->name);
        guest_hvc(CALL_PROTECT, AVC_RWX, 0, 0, NULL);
    }
    comes_and_goes(&granules[is_supported(&granules[0]) ? 0 : 2]);
    guest_ok(!guest_hvc(CALL_ASK, 0, 0, 0, NULL), "nothing was left undecoded");
    guest_plan();
    return 0;
}
