/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the guest of this test can ask the host, by HVC; and what the host tells. */
#ifndef FIRMWARE_CALLS_H
#define FIRMWARE_CALLS_H

#include <stdint.h>

#define NR_REGS 18 /* x0..x17 */

#define CALL_ABOUT  0xfff0 /* x0 = ABOUT_... */
#define CALL_DIRECT 0xfff1 /* x1: IPA of x[18]: the host makes that SMC itself, and puts there what came back */
#define CALL_AUDIT  0xfff2 /* x1: IPA of struct audited: what the audit has seen since the last time */
#define CALL_EXITS                                                                                                     \
    0xfff3 /* x0: how many of PSCI's exits the VMM has seen since the last time, x1: the last one's kind */
#define CALL_TESTS 0xfff4 /* x1: how many results there are; x0: how many there were when this was last said */
#define CALL_FIRST CALL_ABOUT
#define CALL_LAST  CALL_TESTS

#define ABOUT_FORWARDS 1 /* all fast calls are claimed for firmware */
#define ABOUT_TFA      2 /* firmware is TF-A at EL3; else it is the emulator, which knows PSCI alone */
#define ABOUT_RNG      4 /* the CPU has FEAT_RNG */

/* CALL_EXITS: which of PSCI's exits. */
enum { EXIT_NONE, EXIT_SUSPEND, EXIT_RESET };

struct audited {
    uint64_t calls, answers, refused;
    uint64_t call[NR_REGS], answer[NR_REGS]; /* the last ones */
    uint64_t ec;                             /* by which exception the guest called */
    uint64_t pc;
};

/* In x2 of a call: the audit refuses it. */
#define REFUSE UINT64_C(0x7265667573650000)

#endif
