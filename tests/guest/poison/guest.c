/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's half. In 100 rounds it writes patterns to all the registers that the host poisons, makes a call to the
 * VMM, and checks them.
 */
#include "guest.h"

/* Registers with plain values. X(name, mask of the bits that keep what is written). */
/* clang-format off */
#define REGS(X) \
    X("sp_el0", ~0ul) X("tpidr_el0", ~0ul) X("tpidrro_el0", ~0ul) X("tpidr_el1", ~0ul) \
    X("contextidr_el1", 0xfffffffful) X("far_el1", ~0ul) X("elr_el1", ~0ul) X("cntv_cval_el0", ~0ul) \
    X("cntp_cval_el0", ~0ul) X("s2_0_c0_c0_4", 0xfffffffffffcul) X("s2_0_c0_c0_6", 0xfffffffffffcul) \
    X("afsr0_el1", 0ul) X("esr_el1", 0xfffffffful) X("csselr_el1", 1ul)
/* clang-format on */

#define KEYS(X) X("s3_0_c2_c1_0") X("s3_0_c2_c2_3") X("s3_0_c2_c3_1")

static uint64_t pattern(unsigned round, unsigned n)
{
    uint64_t x = 0x9e3779b97f4a7c15 * (round * 64 + n + 1);

    x ^= x >> 29;
    return x & 0x0000fffffffffffful; /* an address register: the bits above the top one may read as copies of it */
}

static bool has_pauth(void)
{
    return READ("id_aa64isar1_el1") & 0xff0;
}

int guest_main(unsigned cpu)
{
    unsigned lost[100] = { 0 };

    for (unsigned round = 0; round < 100; round++) {
        unsigned n = 0;
        uint64_t d = pattern(round, 60), got;

        WRITE("cntv_ctl_el0", 0);
#define X(reg, mask) WRITE(reg, pattern(round, n++));
        REGS(X)
#undef X
        if (has_pauth()) {
#define X(reg) WRITE(reg, pattern(round, n++));
            KEYS(X)
#undef X
        }
        __asm__ volatile(".arch armv8-a+fp+simd\n"
                         "fmov d9, %1\n"
                         "mov x0, #0xffff\n"
                         "mov x1, #1\n"
                         "mov x2, #2\n"
                         "hvc #0\n"
                         "fmov %0, d9\n"
                         ".arch armv8-a"
                         : "=r"(got)
                         : "r"(d)
                         : "x0", "x1", "x2", "x3", "memory");
        lost[round] += got != d;
        n = 0;
#define X(reg, mask) lost[round] += ((READ(reg) ^ pattern(round, n)) & (mask)) != 0, n++;
        REGS(X)
#undef X
        if (has_pauth()) {
#define X(reg) lost[round] += READ(reg) != pattern(round, n++);
            KEYS(X)
#undef X
        }
    }
    for (unsigned round = 0; round < 100; round++)
        guest_ok(lost[round] == 0, "round %u: %u registers lost", round, lost[round]);
    return 0;
}
