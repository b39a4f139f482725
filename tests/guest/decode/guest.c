/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Every form of A64's loads and stores, on devices and on memory. Both must leave the same in registers and in memory.
 * The instructions are random words of each encoding group. The guest executes each word twice, with the same registers
 * except for the base: on memory, where the CPU shows what is right, and where a device is.
 */
#include "guest.h"

#include "../decode/decode.h"

struct registers {
    uint64_t x[31], sp;
    uint64_t v[32][2];
};

/* Executes the instruction in the slot with these registers. The slot is at EL1t, so SP_EL1 is not among them. */
void slot_run(struct registers *r);
extern char slot_begin[], slot[], slot_end[];
__asm__(".pushsection .text\n"
        ".arch_extension fp\n.arch_extension simd\n"
        ".balign 64\n"
        "slot_begin:\nslot_run:\n"
        "stp x19, x20, [sp, #-96]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\n"
        "stp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "msr tpidr_el1, x0\n"
        "add x2, x0, #256\n"
        "ld1 {v0.2d-v3.2d}, [x2], #64\nld1 {v4.2d-v7.2d}, [x2], #64\nld1 {v8.2d-v11.2d}, [x2], #64\n"
        "ld1 {v12.2d-v15.2d}, [x2], #64\nld1 {v16.2d-v19.2d}, [x2], #64\nld1 {v20.2d-v23.2d}, [x2], #64\n"
        "ld1 {v24.2d-v27.2d}, [x2], #64\nld1 {v28.2d-v31.2d}, [x2], #64\n"
        "ldr x2, [x0, #248]\nmsr sp_el0, x2\nmsr spsel, #0\n"
        "ldp x2, x3, [x0, #16]\nldp x4, x5, [x0, #32]\nldp x6, x7, [x0, #48]\nldp x8, x9, [x0, #64]\n"
        "ldp x10, x11, [x0, #80]\nldp x12, x13, [x0, #96]\nldp x14, x15, [x0, #112]\nldp x16, x17, [x0, #128]\n"
        "ldp x18, x19, [x0, #144]\nldp x20, x21, [x0, #160]\nldp x22, x23, [x0, #176]\nldp x24, x25, [x0, #192]\n"
        "ldp x26, x27, [x0, #208]\nldp x28, x29, [x0, #224]\nldr x30, [x0, #240]\nldp x0, x1, [x0]\n"
        "slot:\nnop\n"
        "msr tpidr_el0, x0\nmrs x0, tpidr_el1\n"
        "str x1, [x0, #8]\nstp x2, x3, [x0, #16]\nstp x4, x5, [x0, #32]\nstp x6, x7, [x0, #48]\n"
        "stp x8, x9, [x0, #64]\nstp x10, x11, [x0, #80]\nstp x12, x13, [x0, #96]\nstp x14, x15, [x0, #112]\n"
        "stp x16, x17, [x0, #128]\nstp x18, x19, [x0, #144]\nstp x20, x21, [x0, #160]\nstp x22, x23, [x0, #176]\n"
        "stp x24, x25, [x0, #192]\nstp x26, x27, [x0, #208]\nstp x28, x29, [x0, #224]\nstr x30, [x0, #240]\n"
        "mov x2, sp\nmsr spsel, #1\nstr x2, [x0, #248]\nmrs x2, tpidr_el0\nstr x2, [x0]\n"
        "add x2, x0, #256\n"
        "st1 {v0.2d-v3.2d}, [x2], #64\nst1 {v4.2d-v7.2d}, [x2], #64\nst1 {v8.2d-v11.2d}, [x2], #64\n"
        "st1 {v12.2d-v15.2d}, [x2], #64\nst1 {v16.2d-v19.2d}, [x2], #64\nst1 {v20.2d-v23.2d}, [x2], #64\n"
        "st1 {v24.2d-v27.2d}, [x2], #64\nst1 {v28.2d-v31.2d}, [x2], #64\n"
        "ldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\nldp x27, x28, [sp, #64]\n"
        "ldp x29, x30, [sp, #80]\nldp x19, x20, [sp], #96\nret\n"
        "slot_end:\n.popsection\n");

/* ---- places ---- */

/* They are near the end of memory, so that a literal load reaches all of them. */
#define CODE      (RAM_END - 0x20000)
#define REFERENCE (RAM_END - 0x10000) /* two pages: what the CPU itself makes of the instruction */
#define FRESH     (RAM_END - 0x0c000) /* two pages: what is there before the instruction */
#define SHOWN     (RAM_END - 0x08000) /* two pages: what is there afterwards, if a device is among them */
#define EL0_MAP   0x80000000ul        /* lib/start.S maps the memory for EL0 there, too */

/* Two pages, one behind the other. */
static const struct where {
    const char *name;
    uint64_t at;
    int device[2]; /* numbers of the devices; -1: memory */
} wheres[] = {
    { "two devices", DEVICES, { 0, 1 } },
    { "memory and a device", DEVICES - 0x1000, { -1, 0 } },
    { "a device and memory", DEVICES + 0x1000, { 1, -1 } },
};

static void copy(uint64_t to, uint64_t from)
{
    for (unsigned n = 0; n < 512; n++)
        ((volatile uint64_t *)to)[n] = ((const uint64_t *)from)[n];
}

static void fill(const struct where *w)
{
    for (unsigned n = 0; n < 2; n++) {
        if (w->device[n] >= 0)
            guest_hvc(CALL_PAGE, PAGE_FILL, (unsigned)w->device[n], FRESH + 0x1000 * n, NULL);
        else
            copy(w->at + 0x1000 * n, FRESH + 0x1000 * n);
        copy(REFERENCE + 0x1000 * n, FRESH + 0x1000 * n);
    }
}

static bool same_memory(const struct where *w)
{
    for (unsigned n = 0; n < 2; n++) {
        if (w->device[n] >= 0)
            guest_hvc(CALL_PAGE, PAGE_SHOW, (unsigned)w->device[n], SHOWN + 0x1000 * n, NULL);
        else
            copy(SHOWN + 0x1000 * n, w->at + 0x1000 * n);
    }
    for (unsigned n = 0; n < 1024; n++)
        if (((const uint64_t *)REFERENCE)[n] != ((const uint64_t *)SHOWN)[n])
            return false;
    return true;
}

/* ---- instructions ---- */

enum {
    RM = 1,     /* Rm is a register that is added */
    T2 = 2,     /* there is a second register, Rt2 */
    RS = 4,     /* there is a third one, Rs */
    ATOMIC = 8, /* no device can do it */
    LITERAL = 16,
    SCALED = 32, /* an offset of 12 bits */
    USER = 64,   /* with the rights of EL0 */
    BLOCK = 128, /* DC ZVA */
};

/* The bits that are fixed, and their values (Arm ARM DDI 0487, C4.1.94). All others are random. */
static const struct group {
    const char *name;
    uint32_t mask, value;
    unsigned flags;
} groups[] = {
    { "release and acquire", 0x3fbf7c00, 0x089f7c00, 0 },
    { "release and acquire, FEAT_LRCPC", 0x3ffffc00, 0x38bfc000, 0 },
    { "release and acquire, unscaled", 0x3f200c00, 0x19000000, 0 },
    { "SIMD structures", 0xbfbf0000, 0x0c000000, 0 },
    { "SIMD structures, post-index", 0xbfa00000, 0x0c800000, RM },
    { "SIMD structures, post-index by their size", 0xbfbf0000, 0x0c9f0000, 0 },
    { "one SIMD structure", 0xbf9f0000, 0x0d000000, 0 },
    { "one SIMD structure, post-index", 0xbf800000, 0x0d800000, RM },
    { "one SIMD structure, post-index by its size", 0xbf9f0000, 0x0d9f0000, 0 },
    { "literal", 0x3b000000, 0x18000000, LITERAL },
    { "pair, no allocate", 0x3b800000, 0x28000000, T2 },
    { "pair, post-index", 0x3b800000, 0x28800000, T2 },
    { "pair, offset", 0x3b800000, 0x29000000, T2 },
    { "pair, pre-index", 0x3b800000, 0x29800000, T2 },
    { "unscaled", 0x3b200c00, 0x38000000, 0 },
    { "post-index", 0x3b200c00, 0x38000400, 0 },
    { "unprivileged", 0x3f200c00, 0x38000800, USER },
    { "pre-index", 0x3b200c00, 0x38000c00, 0 },
    { "register offset", 0x3b200c00, 0x38200800, RM },
    { "unsigned offset", 0x3b000000, 0x39000000, SCALED },
    { "authenticated", 0xff200400, 0xf8200400, 0 },
    { "DC ZVA", 0xffffffe0, 0xd50b7420, BLOCK },
    { "exclusive", 0x3fff7c00, 0x085f7c00, ATOMIC },
    { "exclusive pair", 0xbfff0000, 0x887f0000, ATOMIC | T2 },
    { "compare and swap", 0x3fa07c00, 0x08a07c00, ATOMIC | RS },
    { "atomic", 0x3f208c00, 0x38200000, ATOMIC | RS },
    { "swap", 0x3f20fc00, 0x38208000, ATOMIC | RS },
};

#define BASE  10
#define INDEX 11

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static uint32_t put(uint32_t word, unsigned at, uint32_t value)
{
    return (word & ~(31u << at)) | value << at;
}

/*
 * Changes a register field, so that it names neither base nor index, whose values differ between the two runs, nor the
 * register `not`, with which the outcome may be CONSTRAINED UNPREDICTABLE.
 */
static uint32_t other(uint32_t word, unsigned at, unsigned not )
{
    unsigned n = word >> at & 31;

    while (n == BASE || n == INDEX || n == not )
        n = (n + 5) & 31;
    return put(word, at, n);
}

static uint32_t make(const struct group *g, bool sp)
{
    uint32_t word;

    do
        word = ((uint32_t)any() & ~g->mask) | g->value;
    while ((word & 0xfe400000) == 0x68000000); /* STGP: FEAT_MTE is hidden, and a CPU may have it */
    if (g->flags & BLOCK)
        return put(word, 0, BASE);
    word = other(word, 0, BASE);
    if (g->flags & LITERAL)
        return word & ~0xffffe0u;
    word = put(word, 5, sp ? 31 : BASE);
    if (g->flags & RM)
        word = put(word, 16, INDEX);
    if (g->flags & T2)
        word = other(word, 10, word & 31);
    if (g->flags & RS)
        word = other(word, 16, BASE);
    if (g->flags & SCALED)
        word &= ~0x3e0000u; /* at most 2032 bytes */
    return word;
}

/* ---- one run ---- */

static unsigned taken;
static uint64_t at_esr, at_far;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    taken++;
    at_esr = esr;
    at_far = far;
    regs->elr += 4;
}

struct outcome {
    struct registers r;
    uint64_t esr, far;
};

static void execute(struct outcome *o, const struct registers *r, const struct group *g, uint32_t word, bool sp,
                    uint64_t base)
{
    volatile uint32_t *in = (uint32_t *)(CODE + (uint64_t)(slot - slot_begin));

    o->r = *r;
    if (g->flags & LITERAL)
        word |= (uint32_t)((base & ~3ul) - (uint64_t)in) >> 2 << 5 & 0xffffe0;
    if (g->flags & USER)
        base += EL0_MAP;
    if (sp)
        o->r.sp = base;
    else
        o->r.x[BASE] = base;
    *in = word;
    __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(in) : "memory");
    taken = 0;
    ((void (*)(struct registers *))CODE)(&o->r);
    o->esr = taken ? at_esr : 0;
    o->far = taken && at_esr >> 26 == 0x25 ? at_far - base : 0;
    if (sp)
        o->r.sp -= base;
    else
        o->r.x[BASE] -= base;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    const uint64_t *p = (const uint64_t *)a, *q = (const uint64_t *)b;

    for (unsigned n = 0; n < sizeof *a / 8; n++)
        if (p[n] != q[n])
            return false;
    return true;
}

static struct outcome want, got;
static struct registers start;

#define WORDS 40

static void compare(const struct group *g, const struct where *w)
{
    unsigned done = 0, refused = 0, wrong = 0;

    for (unsigned n = 0; n < WORDS; n++) {
        bool sp = n % 8 == 7 && !(g->flags & (LITERAL | BLOCK));
        uint32_t word = make(g, sp);
        uint64_t near = any() % 0x120 - 0x90, as_it_is = sp || n & 1 || g->flags & ATOMIC ? ~15ul : ~0ul;
        bool device, well;

        near = (0x1000 + near) & as_it_is;
        device = w->device[near >> 12] >= 0;
        for (unsigned i = 0; i < sizeof start / 8; i++)
            ((uint64_t *)&start)[i] = any();
        start.x[INDEX] = any() & 63;
        fill(w);
        execute(&want, &start, g, word, sp, REFERENCE + near);
        execute(&got, &start, g, word, sp, w->at + near);
        if (g->flags & ATOMIC && device && !want.esr) {
            well = got.esr >> 26 == 0x25 && (got.esr & 0x3f) == 0x35 && !got.far;
            refused++;
        } else {
            well = same(&want, &got) && same_memory(w);
            done += !want.esr;
        }
        if (!well && !wrong++)
            guest_printf("# %x at %lx: esr %lx far %lx, not esr %lx far %lx\n", word, near, got.esr, got.far, want.esr,
                         want.far);
    }
    guest_ok(!wrong, "%s, %s: %u done, %u refused, %u wrong", g->name, w->name, done, refused, wrong);
}

/* ---- examples from real software ---- */

/* An RTOS sets all priorities by stores with write-back. A driver may read and write registers by pairs. */
static void interrupt_controller(void)
{
    uint64_t at = GUEST_DIST + 0x420, x1, x2;

    for (unsigned n = 0; n < 4; n++)
        __asm__ volatile("str %w1, [%0], #4" : "+r"(at) : "r"(0xa0a0a0a0a0ul + 0x08080808ul * n) : "memory");
    guest_ok(at == GUEST_DIST + 0x430, "str w, [x], #4 to GICD_IPRIORITYR moves on");
    at = GUEST_DIST + 0x420;
    __asm__ volatile("ldp %w0, %w1, [%2]" : "=r"(x1), "=r"(x2) : "r"(at) : "memory");
    guest_ok(x1 == 0xa0a0a0a0 && x2 == 0xa8a8a8a8, "ldp reads what it has written: %lx, %lx", x1, x2);
    __asm__ volatile("ldr %w0, [%1, #12]!" : "=r"(x1), "+r"(at)::"memory");
    guest_ok(x1 == 0xb8b8b8b8 && at == GUEST_DIST + 0x42c, "and ldr with pre-index");
}

int guest_main(unsigned cpu)
{
    guest_on_sync = on_sync;
    for (unsigned n = 0; n < (unsigned)(slot_end - slot_begin) / 4; n++)
        ((volatile uint32_t *)CODE)[n] = ((const uint32_t *)slot_begin)[n];
    for (uint64_t at = CODE; at < CODE + (uint64_t)(slot_end - slot_begin); at += 4)
        __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(at) : "memory");
    for (unsigned n = 0; n < 1024; n++)
        ((volatile uint64_t *)FRESH)[n] = any();
    interrupt_controller();
    for (unsigned n = 0; n < sizeof groups / sizeof groups[0]; n++)
        for (unsigned k = 0; k < sizeof wheres / sizeof wheres[0]; k++)
            compare(&groups[n], &wheres[k]);
    guest_ok(guest_hvc(CALL_ASK, ASK_UNDECODED, 0, 0, NULL) == 0, "nothing was left undecoded");
    guest_ok(guest_hvc(CALL_ASK, ASK_PARTS, 0, 0, NULL) > guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL) &&
                 guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL) > 1000,
             "%lu parts, %lu of them the VMM's", guest_hvc(CALL_ASK, ASK_PARTS, 0, 0, NULL),
             guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL));
    guest_plan();
    return 0;
}
