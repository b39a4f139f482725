/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest writes the code that it measures: so one description of an operation serves for each register, size, byte
 * order and exception level, and the table of a family is a loop.
 *
 * A round is the values of the registers, a time, the operation, a time. Times are stored behind the stack pointer,
 * which no operation names.
 */
#ifndef CODE_H
#define CODE_H

#include <stdint.h>

#define ROUNDS 64
#define WARM   4 /* rounds that come first and do not count */
#define ZR     31

/* ---- instructions (Arm ARM C6.2) ---- */

enum access { /* the operation without its registers, from [Xn] */
              LDRB = 0x39400000,
              LDRH = 0x79400000,
              LDR_W = 0xb9400000,
              LDR_X = 0xf9400000,
              LDRSB_W = 0x39c00000,
              LDRSB_X = 0x39800000,
              LDRSH_W = 0x79c00000,
              LDRSH_X = 0x79800000,
              LDRSW = 0xb9800000,
              STRB = 0x39000000,
              STRH = 0x79000000,
              STR_W = 0xb9000000,
              STR_X = 0xf9000000,
};
#define ACCESS(access, rt, rn) ((uint32_t)(access) | (uint32_t)(rn) << 5 | (rt))

#define HVC 0xd4000002
#define SMC 0xd4000003
#define SVC 0xd4000001
#define ISB 0xd5033fdf

/* op0 is 3. */
#define SYSREG(op1, crn, crm, op2) ((op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define MRS(sysreg, rt)            (0xd5380000 | (sysreg) | (rt))
#define MSR(sysreg, rt)            (0xd5180000 | (sysreg) | (rt))
#define CNTVCT_EL0                 SYSREG(3, 14, 0, 2)
#define ICC_SGI1R_EL1              SYSREG(0, 12, 11, 5)
#define FMOV_D0_X3                 0x9e670060

/* ---- an operation ---- */

enum mode { AT_EL1, AT_EL1_IRQ /* interrupts unmasked */, AT_EL0, BIG_ENDIAN /* EL1, MMU off */ };

struct set {
    unsigned reg;
    uint64_t value;
};

struct op {
    uint32_t insn[2];  /* the second one: 0, or measured as well */
    struct set set[4]; /* registers before each round; nr of them */
    unsigned nr;
    unsigned rt;   /* named besides; ZR: none */
    unsigned size; /* of a load or store, in bytes */
    enum mode mode;
    const struct op *before;      /* comes before each round, and is not measured */
    uint64_t (*vary)(unsigned n); /* the value of set[0] in round n, instead */
};

/* Times of one round; the second one of an interrupt is its handler's. */
struct round {
    uint64_t before, after;
};

/* A load or store at an address. Its base is the first of x1, x2 that is not rt. */
struct op op_access(enum access access, unsigned rt, uint64_t at, uint64_t value);
/* HVC or SMC with x0 and x1. */
struct op op_call(uint32_t insn, uint64_t x0, uint64_t x1);

/* Prints the row. member: NULL for a row that is no family. */
void measure(const char *family, const char *member, const struct op *op);
/* The same of an operation after which an interrupt comes at once, up to bench_handled(). */
void measure_irq(const char *family, const char *member, const struct op *op);
/* The handler began at that time. */
void bench_handled(uint64_t at);

/* Once, at EL1: lets EL0 see devices, EL0_DEVICE further up than EL1 does. */
#define EL0_DEVICE 0x100000000
void code_init(void);
/* Names by register: "x9", "wzr". */
const char *reg_name(char size, unsigned reg);

#endif
