/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See code.h. */
#include "code.h"

#include "bench.h"

#define NR         (WARM + ROUNDS)
#define LINE       16 /* bytes: the shortest cache line that a CPU may have */
#define STACK      4096
#define HINT(what) (MARK_INSN | MARK_##what << 5)

/*
 * SCTLR_EL1. The usual value is the one that tests/guest/lib sets. Big-endian code runs at EL1 with the MMU off,
 * because the MMU would read the little-endian tables as big-endian ones.
 */
#define SCTLR_USUAL 0x30d01805
#define SCTLR_BIG   0x32d01804

/* EL0 sees the second GiB, which is memory, at this distance. */
#define EL0_MEMORY 0x80000000

static uint32_t code[NR * 64] __attribute__((aligned(LINE)));
static struct {
    uint8_t stack[STACK]; /* for handlers */
    struct round round[NR];
} area __attribute__((aligned(16)));
static unsigned at, handled;

/* vectors.S: runs the code, with this stack pointer, until it executes SVC. */
void bench_go(uintptr_t code, uintptr_t sp, uint64_t spsr, uint64_t sctlr);
void bench_unexpected(uint64_t esr, uint64_t elr, uint64_t far);

void bench_unexpected(uint64_t esr, uint64_t elr, uint64_t far)
{
    guest_printf("Bail out! exception: esr %lx elr %lx far %lx\n", esr, elr, far);
    guest_off(1);
}

void bench_handled(uint64_t now)
{
    if (handled < NR)
        area.round[handled].after = now;
    handled++;
}

/* ---- writing the code ---- */

static void emit(uint32_t insn)
{
    code[at++] = insn;
}

static void emit_mov(unsigned reg, uint64_t value)
{
    emit(0xd2800000 | (uint32_t)(value & 0xffff) << 5 | reg); /* MOVZ */
    for (unsigned n = 1; n < 4; n++)
        if (value >> 16 * n & 0xffff)
            emit(0xf2800000 | n << 21 | (uint32_t)(value >> 16 * n & 0xffff) << 5 | reg); /* MOVK */
}

/* The register's value with which a big-endian store leaves the bytes that a little-endian store of value leaves. */
static uint64_t swapped(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* The value that the operation stores, in rt, is set[0]. */
static void emit_set(const struct op *op, unsigned n)
{
    for (unsigned i = 0; i < op->nr; i++) {
        uint64_t value = i == 0 && op->vary ? op->vary(n) : op->set[i].value;

        if (op->set[i].reg != ZR)
            emit_mov(op->set[i].reg, i == 0 && op->mode == BIG_ENDIAN ? swapped(value, op->size) : value);
    }
}

static void emit_op(const struct op *op)
{
    for (unsigned i = 0; i < 2 && op->insn[i]; i++)
        emit(op->insn[i]);
}

/* Chooses a register for the times: one that the operation does not name. */
static unsigned scratch(const struct op *op)
{
    uint32_t named = 1u << op->rt;

    for (unsigned i = 0; i < op->nr; i++)
        named |= 1u << op->set[i].reg;
    for (unsigned reg = 17;; reg--)
        if (!(named >> reg & 1))
            return reg;
}

static void emit_time(unsigned reg, uint64_t offset)
{
    emit(MRS(CNTVCT_EL0, reg));
    emit((uint32_t)STR_X | (uint32_t)(offset / 8) << 10 | 31 << 5 | reg); /* [SP, #offset] */
}

static void emit_rounds(const struct op *op, bool irq)
{
    unsigned reg = scratch(op);

    at = 0;
    for (unsigned n = 0; n < NR; n++) {
        if (op->before) {
            emit_set(op->before, n);
            emit_op(op->before);
        }
        emit_set(op, n);
        if (n >= WARM)
            emit(HINT(COUNT));
        emit_time(reg, sizeof(struct round) * n);
        emit_op(op);
        if (!irq)
            emit_time(reg, sizeof(struct round) * n + 8);
        emit(HINT(PAUSE));
    }
    emit(SVC);
    for (const uint32_t *p = code; p < code + at; p += LINE / sizeof *p)
        __asm__ volatile("dc cvau, %0" ::"r"(p) : "memory");
    __asm__ volatile("dsb ish; ic ialluis; dsb ish; isb" ::: "memory");
}

/* ---- running the code ---- */

static void run(enum mode mode)
{
    uintptr_t begin = (uintptr_t)code, sp = (uintptr_t)area.round;
    uint64_t spsr = mode == AT_EL1_IRQ ? 0x345 : 0x3c5; /* EL1h */

    if (mode == AT_EL0)
        bench_go(begin + EL0_MEMORY, sp + EL0_MEMORY, 0x3c0, SCTLR_USUAL);
    else
        bench_go(begin, sp, spsr, mode == BIG_ENDIAN ? SCTLR_BIG : SCTLR_USUAL);
}

static uint64_t ticks(enum mode mode)
{
    uint64_t sum = 0;

    for (unsigned n = WARM; n < NR; n++) {
        const struct round *round = &area.round[n];

        sum += mode == BIG_ENDIAN ? __builtin_bswap64(round->after) - __builtin_bswap64(round->before)
                                  : round->after - round->before;
    }
    return sum;
}

void measure(const char *family, const char *member, const struct op *op)
{
    emit_rounds(op, false);
    run(op->mode);
    print_row(family, member, ticks(op->mode) - 2 * ROUNDS, ROUNDS); /* less a store of the time and an MRS */
}

void measure_irq(const char *family, const char *member, const struct op *op)
{
    emit_rounds(op, true);
    handled = 0;
    run(op->mode);
    if (handled != NR) {
        guest_printf("Bail out! %s/%s: %u interrupts of %u\n", family, member, handled, NR);
        guest_off(1);
    }
    print_row(family, member, ticks(op->mode) - ROUNDS, ROUNDS); /* less a store of the time */
}

void code_init(void)
{
    uint64_t *table = (uint64_t *)(READ("ttbr0_el1") & ~UINT64_C(0xfff));

    table[4] = 0x0060000000000445; /* EL0 may use the first GiB, which is devices */
    __asm__ volatile("dsb ish; isb" ::: "memory");
    WRITE("cntkctl_el1", 2); /* EL0VCTEN */
    WRITE("vbar_el1", (uintptr_t)bench_vectors);
}

/* ---- operations ---- */

struct op op_access(enum access access, unsigned rt, uint64_t address, uint64_t value)
{
    unsigned rn = rt == 1 ? 2 : 1;
    struct op op = { .insn = { ACCESS(access, rt, rn) }, .rt = rt, .size = 1u << (access >> 30), .nr = 2 };

    op.set[0] = (struct set){ rt, value };
    op.set[1] = (struct set){ rn, address };
    return op;
}

struct op op_call(uint32_t insn, uint64_t x0, uint64_t x1)
{
    return (struct op){ .insn = { insn }, .set = { { 0, x0 }, { 1, x1 }, { 2, 0 }, { 3, 0 } }, .nr = 4, .rt = ZR };
}

const char *reg_name(char size, unsigned reg)
{
    static char name[4];

    name[0] = size;
    name[1] = reg == ZR ? 'z' : reg < 10 ? (char)('0' + reg) : (char)('0' + reg / 10);
    name[2] = reg == ZR ? 'r' : reg < 10 ? '\0' : (char)('0' + reg % 10);
    name[3] = '\0';
    return name;
}
