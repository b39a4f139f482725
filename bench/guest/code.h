/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest writes the code that it measures. So one description of an operation serves for each register, size, byte
 * order and exception level, and a family is a loop over a table.
 *
 * A round sets the registers, stores the time, executes the operation, and stores the time again. The times are stored
 * relative to the stack pointer, which no operation names.
 */
#ifndef CODE_H
#define CODE_H

#include <stdint.h>

#define ROUNDS 64
#define WARM   4 /* rounds that come first, and do not count */
#define ZR     31

/* ---- instructions (Arm ARM C6.2) ---- */

enum access { /* the instruction without its registers; its address is in [Xn] */
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

/* A register with op0 = 3. */
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
    uint32_t insn[2];  /* the second one, if it is not 0, is measured as well */
    struct set set[4]; /* nr registers that are set before each round */
    unsigned nr;
    unsigned rt;   /* another register that the operation names; ZR: none */
    unsigned size; /* of a load or store, in bytes */
    enum mode mode;
    const struct op *before;      /* executed before each round, not measured */
    uint64_t (*vary)(unsigned n); /* gives the value for round n, in place of set[0].value */
};

/* The times of one round. Where the operation causes an interrupt, the second time is the handler's. */
struct round {
    uint64_t before, after;
};

/* A load or store at an address. Its base register is x1, or x2 if rt is x1. */
struct op op_access(enum access access, unsigned rt, uint64_t at, uint64_t value);
/* HVC or SMC with x0 and x1. */
struct op op_call(uint32_t insn, uint64_t x0, uint64_t x1);

/* Measures the operation and prints its row. member is NULL for a row that is no family. */
void measure(const char *family, const char *member, const struct op *op);
/*
 * Does the same for an operation that causes an interrupt at once. The time ends where the handler calls
 * bench_handled().
 */
void measure_irq(const char *family, const char *member, const struct op *op);
/* The handler says by this call at which time it began. */
void bench_handled(uint64_t at);

/* Called once, at EL1. Lets EL0 see the devices, at addresses that are EL0_DEVICE higher than EL1's. */
#define EL0_DEVICE 0x100000000
void code_init(void);
/* Returns a register's name, such as "x9" or "wzr". */
const char *reg_name(char size, unsigned reg);

#endif
