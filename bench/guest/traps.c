/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Calls and trapped system registers. */
#include "bench.h"

/* clang-format off: a table */
static const struct call {
    const char *hvc, *smc;
    uint32_t id;
    uint64_t arg;
} calls[] = {
    { "hvc/PSCI_VERSION", "smc/PSCI_VERSION", 0x84000000, 0 },
    { "hvc/unknown id", "smc/unknown id", 0x86000040, 0 },
    { "hvc/PSCI_FEATURES", "smc/PSCI_FEATURES", 0x8400000a, 0x84000000 },
    { "hvc/AFFINITY_INFO", "smc/AFFINITY_INFO", 0xc4000004, 0 },
    { "hvc/AFFINITY_INFO, 32 bits", "smc/AFFINITY_INFO, 32 bits", 0x84000004, 0 },
    { "hvc/MIGRATE_INFO_TYPE", "smc/MIGRATE_INFO_TYPE", 0x84000006, 0 },
    { "hvc/SMCCC_VERSION", "smc/SMCCC_VERSION", 0x80000000, 0 },
    { "hvc/SMCCC_ARCH_FEATURES", "smc/SMCCC_ARCH_FEATURES", 0x80000001, 0x80008000 },
    { "hvc/SMCCC_ARCH_WORKAROUND_1", "smc/SMCCC_ARCH_WORKAROUND_1", 0x80008000, 0 },
    { "hvc/TRNG_VERSION", "smc/TRNG_VERSION", 0x84000050, 0 },
    { "hvc/TRNG_FEATURES", "smc/TRNG_FEATURES", 0x84000051, 0x84000050 },
    { "hvc/unknown PSCI id", "smc/unknown PSCI id", 0xc400001f, 0 },
};
/* clang-format on */

/* Those that the architecture traps by HCR_EL2.TID3, AArch64's and AArch32's. */
#define MRS_ROWS(X)                                                                                                    \
    X("ID_AA64PFR0_EL1", "4_0")                                                                                        \
    X("ID_AA64PFR1_EL1", "4_1")                                                                                        \
    X("ID_AA64ZFR0_EL1", "4_4")                                                                                        \
    X("ID_AA64DFR0_EL1", "5_0")                                                                                        \
    X("ID_AA64DFR1_EL1", "5_1")                                                                                        \
    X("ID_AA64AFR0_EL1", "5_4")                                                                                        \
    X("ID_AA64ISAR0_EL1", "6_0")                                                                                       \
    X("ID_AA64ISAR1_EL1", "6_1")                                                                                       \
    X("ID_AA64ISAR2_EL1", "6_2")                                                                                       \
    X("ID_AA64MMFR0_EL1", "7_0")                                                                                       \
    X("ID_AA64MMFR1_EL1", "7_1")                                                                                       \
    X("ID_AA64MMFR2_EL1", "7_2")                                                                                       \
    X("ID_PFR0_EL1", "1_0")                                                                                            \
    X("ID_DFR0_EL1", "1_2")                                                                                            \
    X("ID_MMFR0_EL1", "1_4")                                                                                           \
    X("ID_MMFR3_EL1", "1_7")                                                                                           \
    X("ID_ISAR0_EL1", "2_0")                                                                                           \
    X("ID_ISAR5_EL1", "2_5")                                                                                           \
    X("ID_MMFR4_EL1", "2_6")                                                                                           \
    X("MVFR0_EL1", "3_0")

#define CALL_SETUP "mov x0, %0\nmov x1, %1\nmov x2, #0\nmov x3, #0\n"

void bench_traps(void)
{
    for (unsigned n = 0; n < sizeof calls / sizeof calls[0]; n++)
        ROW(calls[n].hvc, CALL_SETUP, "hvc #0\n", calls[n].id, calls[n].arg);
    for (unsigned n = 0; n < sizeof calls / sizeof calls[0]; n++)
        ROW(calls[n].smc, CALL_SETUP, "smc #0\n", calls[n].id, calls[n].arg);
    ROW("hvc_full", CALL_SETUP, "hvc #0\n", 0xc4000003, 0); /* CPU_ON of itself */
    ROW("hypercall", CALL_SETUP, "hvc #0\n", CALL_ADD, 1);
#define MRS_ROW(name, field) ROW("mrs/" name, "", "mrs x0, s3_0_c0_c" field "\n", 0, 0);
    MRS_ROWS(MRS_ROW)
    ROW("switch", CALL_SETUP, "hvc #0\n", BENCH_SWITCH, 0);
    ROW("switch_fp", CALL_SETUP, ".arch_extension fp\nfmov d0, x3\nhvc #0\n", BENCH_SWITCH, 0);
}
