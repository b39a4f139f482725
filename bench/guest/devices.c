/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Devices behind claims, and GICD_TYPER, accessed by each form of load and store for which the CPU reports a syndrome.
 */
#include "bench.h"
#include "code.h"

#define FLAG 0x18 /* UARTFR, a PL011's status register */

/* The forms with a valid syndrome (ESR_EL2.ISV): one general register, its address in [Xn], no write-back. */
static const struct form {
    const char *name;
    enum access access;
    enum mode mode;
    unsigned rt;
} forms[] = {
    { "ldrb", LDRB, AT_EL1, 0 },
    { "ldrh", LDRH, AT_EL1, 0 },
    { "ldr x0", LDR_X, AT_EL1, 0 },
    { "ldr x24", LDR_X, AT_EL1, 24 },
    { "ldrsb w", LDRSB_W, AT_EL1, 0 },
    { "ldrsb x", LDRSB_X, AT_EL1, 0 },
    { "ldrsh w", LDRSH_W, AT_EL1, 0 },
    { "ldrsh x", LDRSH_X, AT_EL1, 0 },
    { "ldrsw", LDRSW, AT_EL1, 0 },
    { "ldrsw x24", LDRSW, AT_EL1, 24 },
    { "strb", STRB, AT_EL1, 0 },
    { "strh", STRH, AT_EL1, 0 },
    { "str x0", STR_X, AT_EL1, 0 },
    { "str x24", STR_X, AT_EL1, 24 },
    { "str w0", STR_W, AT_EL1, 0 },
    { "str w9", STR_W, AT_EL1, 9 },
    { "str w24", STR_W, AT_EL1, 24 },
    { "str wzr", STR_W, AT_EL1, ZR },
    { "ldr w0, big-endian", LDR_W, BIG_ENDIAN, 0 },
    { "ldr w24, big-endian", LDR_W, BIG_ENDIAN, 24 },
    { "ldr x0, big-endian", LDR_X, BIG_ENDIAN, 0 },
    { "ldrsh x, big-endian", LDRSH_X, BIG_ENDIAN, 0 },
    { "str w0, big-endian", STR_W, BIG_ENDIAN, 0 },
    { "str x24, big-endian", STR_X, BIG_ENDIAN, 24 },
    { "ldr w0 at EL0", LDR_W, AT_EL0, 0 },
    { "ldr w24 at EL0", LDR_W, AT_EL0, 24 },
    { "ldrsh x at EL0", LDRSH_X, AT_EL0, 0 },
    { "str w0 at EL0", STR_W, AT_EL0, 0 },
    { "str w24 at EL0", STR_W, AT_EL0, 24 },
};

static void measure_access(const char *family, const char *member, enum access access, unsigned rt, uint64_t address)
{
    const struct op op = op_access(access, rt, address, 'A');

    measure(family, member, &op);
}

static void measure_forms(const char *family, uint64_t address)
{
    for (unsigned n = 0; n < sizeof forms / sizeof forms[0]; n++) {
        struct op op =
            op_access(forms[n].access, forms[n].rt, address + (forms[n].mode == AT_EL0 ? EL0_DEVICE : 0), 'A');

        op.mode = forms[n].mode;
        measure(family, forms[n].name, &op);
    }
}

/* Four registers stand for all. */
static void measure_some(const char *family, enum access access, uint64_t address)
{
    static const unsigned some[] = { 0, 9, 24, ZR };

    for (unsigned n = 0; n < sizeof some / sizeof some[0]; n++)
        measure_access(family, reg_name('w', some[n]), access, some[n], address);
}

static void measure_pair(unsigned rt)
{
    struct op op = op_access(LDR_W, rt, GUEST_DIST + 4, 0);

    op.set[2] = (struct set){ 3, BENCH_DEVICE + FLAG };
    op.nr = 3;
    op.insn[1] = ACCESS(LDR_W, rt, 3);
    measure("pair", reg_name('w', rt), &op);
}

void bench_devices(void)
{
    for (unsigned rt = 0; rt <= ZR; rt++)
        measure_access("gicd_typer", reg_name('w', rt), LDR_W, rt, GUEST_DIST + 4);
    for (unsigned rt = 0; rt <= ZR; rt++)
        measure_access("device", reg_name('w', rt), LDR_W, rt, BENCH_DEVICE + FLAG);
    measure_forms("device", BENCH_DEVICE + FLAG);
    measure_some("device_loop", LDR_W, BENCH_LOOP_DEVICE + FLAG);
    measure_forms("device_loop", BENCH_LOOP_DEVICE + FLAG);
    measure_pair(0);
    measure_pair(24);
    measure_pair(ZR);
    measure_some("pl011_status", LDR_W, BENCH_PL011 + FLAG);
    measure_some("pl011_out", STR_W, BENCH_PL011);
}
