/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Every form of loads and stores, on devices and on memory. Both must leave the same in registers and in memory.
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

/* Executes a program of AArch32 at EL0 until its first exception. It has x0 to x14, and the V registers. */
void el0_run(struct registers *r, uint64_t pc, uint64_t pstate);
extern char el0_back[];
__asm__(".pushsection .text\n"
        "el0_run:\n"
        "stp x19, x20, [sp, #-96]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\n"
        "stp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "msr tpidr_el1, x0\nmsr elr_el1, x1\nmsr spsr_el1, x2\n"
        "add x2, x0, #256\n"
        "ld1 {v0.2d-v3.2d}, [x2], #64\nld1 {v4.2d-v7.2d}, [x2], #64\nld1 {v8.2d-v11.2d}, [x2], #64\n"
        "ld1 {v12.2d-v15.2d}, [x2], #64\n"
        "ldp x2, x3, [x0, #16]\nldp x4, x5, [x0, #32]\nldp x6, x7, [x0, #48]\nldp x8, x9, [x0, #64]\n"
        "ldp x10, x11, [x0, #80]\nldp x12, x13, [x0, #96]\nldr x14, [x0, #112]\nldp x0, x1, [x0]\n"
        "eret\n"
        "el0_back:\n"
        "mrs x0, tpidr_el1\nadd x2, x0, #256\n"
        "st1 {v0.2d-v3.2d}, [x2], #64\nst1 {v4.2d-v7.2d}, [x2], #64\nst1 {v8.2d-v11.2d}, [x2], #64\n"
        "st1 {v12.2d-v15.2d}, [x2], #64\n"
        "ldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\nldp x27, x28, [sp, #64]\n"
        "ldp x29, x30, [sp, #80]\nldp x19, x20, [sp], #96\nret\n"
        ".popsection\n");

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
static uint64_t at_esr, at_far, at_pc, at_spsr;

static struct registers *at_el0; /* of the program that runs there, or NULL */

/* Ends a program of EL0, by whatever exception. At EL1 it goes on behind the instruction. */
static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    taken++;
    at_esr = esr;
    at_far = far;
    at_pc = regs->elr;
    at_spsr = regs->spsr;
    regs->elr += 4;
    if (!at_el0)
        return;
    for (unsigned n = 0; n < 15; n++)
        at_el0->x[n] = (uint32_t)regs->x[n];
    at_el0 = NULL;
    regs->elr = (uint64_t)el0_back;
    regs->spsr = 0x3c5;
}

struct outcome {
    struct registers r;
    uint64_t esr, far, spsr;
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
    o->spsr = 0;
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

/* ---- AArch32 at EL0 ---- */

enum {
    T32 = 1,
    LIST = 2,     /* the low 16 bits are a list */
    NARROW = 4,   /* two bytes */
    BANK = 8,     /* several S or D registers */
    LONG = 16,    /* an offset of 12 bits */
    INDEXED = 32, /* the low four bits are the index */
    BRANCH = 64,  /* the last register is the PC */
    SIMD = 128,   /* structures: the low four bits are the index, or say how the base is written back */
    FP16 = 256,   /* for CPUs with FEAT_FP16 */
    TABLE = 512,  /* TBB: it goes somewhere in the 510 bytes behind it */
};

/* As above: F3.1 and F4.1. `base` is the register that is the base, and where its number stands. */
static const struct group32 {
    const char *name;
    uint32_t mask, value;
    unsigned base, at, flags;
} groups32[] = {
    { "A32, word and byte", 0xfe000c00, 0xe4000000, 10, 16, LONG },
    { "A32, word and byte, register", 0xfe000e10, 0xe6000000, 10, 16, INDEXED },
    { "A32, halfword and signed", 0xfe4000f0, 0xe04000b0, 10, 16, 0 },
    { "A32, signed", 0xfe5000b0, 0xe05000b0, 10, 16, 0 },
    { "A32, doubleword", 0xff5010d0, 0xe14000d0, 10, 16, 0 },
    { "A32, doubleword, post-index", 0xff7010d0, 0xe04000d0, 10, 16, 0 },
    { "A32, halfword, register", 0xfe400ff0, 0xe00000b0, 10, 16, INDEXED },
    { "A32, multiple", 0xfe408000, 0xe8000000, 10, 16, LIST },
    { "A32, floating-point", 0xff600e00, 0xed000a00, 10, 16, 0 },
    { "A32, floating-point, several", 0xfee08e01, 0xeca00a00, 10, 16, BANK },
    { "A32, floating-point, several, down", 0xffe08e01, 0xed200a00, 10, 16, BANK },
    { "A32, half-precision", 0xff200f00, 0xed000900, 10, 16, FP16 },
    { "A32, SIMD structures", 0xff900000, 0xf4000000, 10, 16, SIMD },
    { "A32, one SIMD lane", 0xff900000, 0xf4800000, 10, 16, SIMD },
    { "A32, one SIMD element for all lanes", 0xffb00c00, 0xf4a00c00, 10, 16, SIMD },
    { "A32, the PC", 0xff70fc00, 0xe510f000, 10, 16, BRANCH },
    { "A32, the PC, post-index", 0xff70fc00, 0xe410f000, 10, 16, BRANCH },
    { "A32, the PC among several", 0xfe508000, 0xe8108000, 10, 16, BRANCH | LIST },
    { "A32, the PC, stored", 0xff70fc00, 0xe520f000, 10, 16, LONG | BRANCH },
    { "A32, the PC stored among several", 0xfe508000, 0xe8008000, 10, 16, LIST },
    { "T32, half-precision", 0xff200f00, 0xed000900, 10, 16, T32 | FP16 },
    { "T32, SIMD structures", 0xff900000, 0xf9000000, 10, 16, T32 | SIMD },
    { "T32, one SIMD lane", 0xff900000, 0xf9800000, 10, 16, T32 | SIMD },
    { "T32, the PC", 0xfff0fc00, 0xf8d0f000, 10, 16, T32 | BRANCH },
    { "T32, the PC, post-index", 0xfff0fd00, 0xf850f900, 10, 16, T32 | BRANCH },
    { "T32, the PC among several", 0xffd0e000, 0xe8908000, 10, 16, T32 | BRANCH | LIST },
    { "T32, POP of the PC", 0xffffff00, 0x0000bd00, 13, 32, T32 | NARROW | LIST | BRANCH },
    { "T32, register", 0xfffff1c0, 0x00005180, 5, 3, T32 | NARROW },
    { "T32, immediate", 0xffffe000, 0x00006000, 5, 3, T32 | NARROW },
    { "T32, halfword", 0xfffff000, 0x00008000, 5, 3, T32 | NARROW },
    { "T32, stack", 0xfffff000, 0x00009000, 13, 32, T32 | NARROW },
    { "T32, PUSH", 0xffffff00, 0x0000b400, 13, 32, T32 | NARROW | LIST },
    { "T32, POP", 0xffffff00, 0x0000bc00, 13, 32, T32 | NARROW | LIST },
    { "T32, multiple", 0xfffff000, 0x0000c000, 5, 8, T32 | NARROW | LIST },
    { "T32, wide multiple", 0xffc0a000, 0xe8800000, 10, 16, T32 | LIST },
    { "T32, wide multiple, down", 0xffc0a000, 0xe9000000, 10, 16, T32 | LIST },
    { "T32, doubleword", 0xff402000, 0xe9400000, 10, 16, T32 },
    { "T32, wide", 0xfe800c00, 0xf8800000, 10, 16, T32 | LONG },
    { "T32, wide, with an index of its own", 0xfe800800, 0xf8000800, 10, 16, T32 },
    { "T32, wide, register", 0xfe800fc0, 0xf8000000, 10, 16, T32 | INDEXED },
    { "T32, floating-point", 0xff600e00, 0xed000a00, 10, 16, T32 },
    { "T32, table branch", 0xfff0fff0, 0xe8d0f000, 10, 16, T32 | TABLE },
};

/* A register that is loaded or stored is neither the base nor the PC, nor, in T32, SP. */
static uint32_t other32(uint32_t word, unsigned at, unsigned width, unsigned base, bool even)
{
    unsigned n = word >> at & width;

    while (n == base || n == 15 || n == 13 || (even && n + 1 == base) || (even && n & 1) || n == 14)
        n = (n + 1) & width;
    return (word & ~(width << at)) | n << at;
}

static uint32_t make32(const struct group32 *g)
{
    uint32_t word = ((uint32_t)any() & ~g->mask) | g->value;

    if ((word & 0xff100000) == 0xf9000000 && (g->flags & (T32 | SIMD)) == T32) /* structures have groups of their own */
        word ^= 1u << 24;
    if (word & 0x8000 && g->flags & SIMD) /* registers beyond D31 are UNPREDICTABLE */
        word &= ~0x400000u;
    if (g->flags & SIMD) /* no write-back, by the size, by a register */
        word = (word & ~15u) | (word & 1 ? INDEX : word & 2 ? 13 : 15);
    if (g->at < 32)
        word = (word & ~((g->flags & NARROW ? 7u : 15u) << g->at)) | g->base << g->at;
    if (g->flags & LIST)
        return g->flags & NARROW ? (word & ~(g->base < 8 ? 1u << g->base : 0)) | 1 : (word & ~(1u << g->base)) | 3;
    if (g->flags & BANK)
        return (word & ~0xf0u) | 2;
    if (g->flags & (SIMD | FP16 | BRANCH) || ((g->mask & 0xe00) == 0xe00 && (g->value & 0xe00) == 0xa00)) /* VLDR */
        return word;
    if (g->flags & TABLE)
        return (word & ~15u) | INDEX;
    if (g->flags & INDEXED)
        word = (word & ~15u) | INDEX;
    if (g->flags & NARROW)
        return other32(word, g->value == 0x9000 ? 8 : 0, 7, g->base, false);
    word = other32(word, 12, 15, g->base, g->mask & 0x1000);
    if (g->flags & T32 && (g->value & 0xfe000000) == 0xe8000000) { /* two registers that differ */
        word = other32(word, 8, 15, g->base, false);
        if ((word >> 8 & 15) == (word >> 12 & 15))
            word = other32(word ^ 1u << 8, 8, 15, g->base, false);
        if ((word >> 8 & 15) == (word >> 12 & 15))
            word = (word & ~0xff00u) | 0x1200;
    }
    return word;
}

static void execute32(struct outcome *o, const struct registers *r, const struct group32 *g, uint32_t word, bool big,
                      uint64_t base)
{
    volatile uint16_t *in = (uint16_t *)(CODE + 0x800);
    uint64_t pc = CODE + 0x800 + EL0_MAP;

    o->r = *r;
    base += EL0_MAP;
    o->r.x[g->base] = base;
    if (!(g->flags & T32)) {
        *(volatile uint32_t *)in = word;
        *(volatile uint32_t *)(in + 2) = 0xef000000; /* svc #0 */
    } else if (g->flags & NARROW) {
        in[0] = (uint16_t)word;
        in[1] = 0xdf00; /* svc #0 */
    } else {
        in[0] = (uint16_t)(word >> 16);
        in[1] = (uint16_t)word;
        for (unsigned n = 2; n < (g->flags & TABLE ? 258 : 3); n++)
            in[n] = 0xdf00;
    }
    for (unsigned n = 0; n < (g->flags & TABLE ? 258 : 1); n += 8) /* the smallest line has 16 bytes */
        __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; ic ivau, %1; dsb ish; isb" ::"r"(in + n),
                         "r"(EL0_MAP + (uint64_t)(in + n))
                         : "memory");
    at_el0 = &o->r;
    el0_run(&o->r, pc, (g->flags & T32 ? 0x1f0 : 0x1d0) | (big ? 0x200 : 0));
    o->esr = at_esr;
    o->far = at_esr >> 26 == 0x24 ? at_far - base : at_pc;
    o->spsr = at_spsr;
    o->r.x[g->base] -= base;
}

/* For loads of the PC: addresses where EL0 can execute nothing, in either byte order, and from wherever in the words
   they are loaded. Bit 1 is clear: what becomes of an address of A32 that is not aligned is not said. */
static void fill_fresh(bool branch)
{
    for (unsigned n = 0; n < 1024; n++)
        ((volatile uint64_t *)FRESH)[n] = branch ? any() & 0x0d0d0d0d0d0d0d0d : any();
}

static void compare32(const struct group32 *g, const struct where *w)
{
    unsigned done = 0, wrong = 0, end = g->flags & BRANCH && !(g->flags & LONG) ? 0x20 : 0x11;

    fill_fresh(g->flags & BRANCH);
    for (unsigned n = 0; n < WORDS; n++) {
        uint32_t word = make32(g);
        bool big = n & 2;
        uint64_t near = (0x1000 + any() % 0x120 - 0x90) & (n & 1 ? ~3ul : ~0ul);

        for (unsigned i = 0; i < sizeof start / 8; i++)
            ((uint64_t *)&start)[i] = i < 31 ? (uint32_t)any() : any();
        start.x[INDEX] = start.x[6] = any() & 0x38;
        fill(w);
        execute32(&want, &start, g, word, big, REFERENCE + near);
        execute32(&got, &start, g, word, big, w->at + near);
        done += want.esr >> 26 == end;
        if ((!same(&want, &got) || !same_memory(w)) && !wrong++)
            guest_printf("# %x at %lx: esr %lx far %lx, not esr %lx far %lx\n", word, near, got.esr, got.far, want.esr,
                         want.far);
    }
    guest_ok(!wrong && done, "%s, %s: %u done, %u wrong", g->name, w->name, done, wrong);
}

static void aarch32(void)
{
    if ((READ("id_aa64pfr0_el1") & 0xf) != 2)
        return;
    for (unsigned n = 0; n < sizeof groups32 / sizeof groups32[0]; n++)
        for (unsigned k = 0; k < sizeof wheres / sizeof wheres[0]; k++)
            if (!(groups32[n].flags & FP16) || (READ("id_aa64pfr0_el1") >> 16 & 15) == 1)
                compare32(&groups32[n], &wheres[k]);
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
    fill_fresh(false);
    interrupt_controller();
    for (unsigned n = 0; n < sizeof groups / sizeof groups[0]; n++)
        for (unsigned k = 0; k < sizeof wheres / sizeof wheres[0]; k++)
            compare(&groups[n], &wheres[k]);
    aarch32();
    guest_ok(guest_hvc(CALL_ASK, ASK_UNDECODED, 0, 0, NULL) == 0, "nothing was left undecoded");
    guest_ok(guest_hvc(CALL_ASK, ASK_PARTS, 0, 0, NULL) > guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL) &&
                 guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL) > 1000,
             "%lu parts, %lu of them the VMM's", guest_hvc(CALL_ASK, ASK_PARTS, 0, 0, NULL),
             guest_hvc(CALL_ASK, ASK_EXITS, 0, 0, NULL));
    guest_plan();
    return 0;
}
