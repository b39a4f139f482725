/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Calls, and system registers that trap. */
#include "bench.h"
#include "code.h"

/* clang-format off: tables */
static const struct call {
    const char *name;
    uint32_t id;
    uint64_t arg;
} calls[] = {
    { "PSCI_VERSION", 0x84000000, 0 },
    { "unknown id", 0x86000040, 0 },
    { "PSCI_FEATURES", 0x8400000a, 0x84000000 },
    { "AFFINITY_INFO", 0xc4000004, 0 },
    { "AFFINITY_INFO, 32 bits", 0x84000004, 0 },
    { "MIGRATE_INFO_TYPE", 0x84000006, 0 },
    { "SMCCC_VERSION", 0x80000000, 0 },
    { "SMCCC_ARCH_FEATURES", 0x80000001, 0x80008000 },
    { "SMCCC_ARCH_WORKAROUND_1", 0x80008000, 0 },
    { "TRNG_VERSION", 0x84000050, 0 },
    { "TRNG_FEATURES", 0x84000051, 0x84000050 },
    { "unknown PSCI id", 0xc400001f, 0 },
};

/* Calls that the VMM's loop answers, all alike. */
static const struct call hypercalls[] = {
    { "last of 2 ids", CALL_ADD, 1 },
    { "a claim of one id", BENCH_ADD_ONE, 1 },
    { "first of 65537 ids", BENCH_ADD_WIDE, 1 },
    { "32769th of 65537 ids", BENCH_ADD_WIDE + 0x8000, 1 },
    { "last of 65537 ids", BENCH_ADD_WIDE + 0x10000, 1 },
    { "a caller's function around avc_to_vmm()", BENCH_ADD_WRAPPED, 1 },
    { "last of all claims", BENCH_ADD_LAST, 1 },
};

/* The ID registers that HCR_EL2.TID3 traps, of AArch64 and AArch32. Their CRn is 0. */
static const struct id {
    const char *name;
    unsigned crm, op2;
} ids[] = {
    { "ID_AA64PFR0_EL1", 4, 0 },  { "ID_AA64PFR1_EL1", 4, 1 },  { "ID_AA64ZFR0_EL1", 4, 4 },
    { "ID_AA64DFR0_EL1", 5, 0 },  { "ID_AA64DFR1_EL1", 5, 1 },  { "ID_AA64AFR0_EL1", 5, 4 },
    { "ID_AA64ISAR0_EL1", 6, 0 }, { "ID_AA64ISAR1_EL1", 6, 1 }, { "ID_AA64ISAR2_EL1", 6, 2 },
    { "ID_AA64MMFR0_EL1", 7, 0 }, { "ID_AA64MMFR1_EL1", 7, 1 }, { "ID_AA64MMFR2_EL1", 7, 2 },
    { "ID_PFR0_EL1", 1, 0 },      { "ID_DFR0_EL1", 1, 2 },      { "ID_MMFR0_EL1", 1, 4 },
    { "ID_MMFR3_EL1", 1, 7 },     { "ID_ISAR0_EL1", 2, 0 },     { "ID_ISAR5_EL1", 2, 5 },
    { "ID_MMFR4_EL1", 2, 6 },     { "MVFR0_EL1", 3, 0 },
};
/* clang-format on */

#define ALL(table) (sizeof(table) / sizeof(table)[0])

static void measure_call(const char *family, const struct call *call, uint32_t insn)
{
    const struct op op = op_call(insn, call->id, call->arg);

    measure(family, call->name, &op);
}

static void measure_mrs(const char *member, const struct id *id, unsigned rt)
{
    const struct op op = { .insn = { MRS(SYSREG(0, 0, id->crm, id->op2), rt) }, .rt = rt };

    measure("mrs", member, &op);
}

static void measure_switch(void)
{
    struct op op = op_call(HVC, BENCH_SWITCH, 0);

    measure("switch", NULL, &op);
    op.insn[0] = FMOV_D0_X3;
    op.insn[1] = HVC;
    measure("switch_fp", NULL, &op);
}

/* The HVC that is cheapest, under the vectors of CPUs on which a guest steers EL2's branches. */
static void measure_hardened(void)
{
    static const struct {
        const char *name;
        unsigned how, rounds;
    } rows[] = {
        { "CLRBHB", BENCH_CLRBHB, 0 },
        { "loop of 8 rounds", BENCH_LOOP, 8 },
        { "loop of 24 rounds", BENCH_LOOP, 24 },
        { "loop of 32 rounds", BENCH_LOOP, 32 },
        { "loop of 132 rounds", BENCH_LOOP, 132 },
    };

    const struct op op = op_call(HVC, calls[0].id, calls[0].arg);

    for (unsigned n = 0; n < ALL(rows); n++) {
        guest_hvc(BENCH_HARDEN, rows[n].how, rows[n].rounds, 0, NULL);
        measure("hvc_hardened", rows[n].name, &op);
    }
    guest_hvc(BENCH_HARDEN, BENCH_PLAIN, 0, 0, NULL);
}

void bench_traps(void)
{
    const struct op cpu_on = op_call(HVC, 0xc4000003, 0);

    for (unsigned n = 0; n < ALL(calls); n++)
        measure_call("hvc", &calls[n], HVC);
    for (unsigned n = 0; n < ALL(calls); n++)
        measure_call("smc", &calls[n], SMC);
    measure("hvc_slow", NULL, &cpu_on);
    for (unsigned n = 0; n < ALL(hypercalls); n++)
        measure_call("hypercall", &hypercalls[n], HVC);
    for (unsigned rt = 0; rt <= ZR; rt++)
        measure_mrs(reg_name('x', rt), &ids[0], rt);
    for (unsigned n = 0; n < ALL(ids); n++)
        measure_mrs(ids[n].name, &ids[n], 0);
    measure_switch();
    measure_hardened();
}
