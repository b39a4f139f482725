/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The calls between this test's guest and its host. */
#ifndef FIRMWARE_CALLS_H
#define FIRMWARE_CALLS_H

#include <stdint.h>

#define NR_REGS 18 /* x0..x17 */

#define CALL_ABOUT  0xfff0 /* x0 = ABOUT_... */
#define CALL_DIRECT 0xfff1 /* x1: IPA of x[18]. The host makes this SMC itself, and writes the result there */
#define CALL_AUDIT  0xfff2 /* x1: IPA of struct audited, which gets what the audit has seen since the last CALL_AUDIT */
#define CALL_EXITS                                                                                                     \
    0xfff3 /* x0: number of PSCI's exits that the VMM has seen since the last CALL_EXITS; x1: EXIT_... of the last */
#define CALL_TESTS 0xfff4 /* x1: number of results so far; x0: the number of the call before */
#define CALL_FIRST CALL_ABOUT
#define CALL_LAST  CALL_TESTS

#define ABOUT_FORWARDS 1 /* all fast calls are claimed for firmware */
#define ABOUT_TFA      2 /* firmware is TF-A at EL3; otherwise the emulator, which knows PSCI alone */
#define ABOUT_RNG      4 /* the CPU has FEAT_RNG */

/* The kinds of PSCI's exits, for CALL_EXITS. */
enum { EXIT_NONE, EXIT_SUSPEND, EXIT_RESET };

struct audited {
    uint64_t calls, answers, refused;
    uint64_t call[NR_REGS], answer[NR_REGS]; /* the last call and its answer */
    uint64_t ec;                             /* the exception class of that call */
    uint64_t pc;
};

/* The audit refuses a call with this in x2. */
#define REFUSE UINT64_C(0x7265667573650000)

#endif
