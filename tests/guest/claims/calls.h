/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The calls between this test's guest and its host, and the addresses that both use. */
#ifndef CLAIMS_CALLS_H
#define CLAIMS_CALLS_H

#define CALL_COUNT   0xc6000000 /* x1: COUNT_...; x0: that count */
#define CALL_DENIED  0xc6000001
#define CALL_IMM     0xc6000002 /* x0: the immediate */
#define CALL_RESULTS 0xc6000003 /* x0..x3: x1 + 1 .. x1 + 4 */
#define CALL_LATE    0xc6000004 /* the VMM's loop makes a claim; x0: the status of that, which comes too late */
#define CALL_TRAPS   0xc6000005 /* x0: bits TRAP_... */
#define CALL_CUSTOM  0xffff     /* x0 = x1 + 2 * x2 + 3 * x3; the VMM's loop computes it if x4 is 1, the claim if not */

enum {
    COUNT_BRK,
    COUNT_FETCH,   /* instruction aborts */
    COUNT_WFI,     /* WFIs that a claim answered, so that the vCPU did not wait */
    COUNT_WAITS,   /* WFIs that the VMM has seen */
    COUNT_WATCHED, /* HVC, SMC, MSR and MRS that a claim passed on */
    COUNT_PSCI,    /* calls that a claim passed on to PSCI */
    COUNT_ACTLR_READS,
    COUNT_ACTLR_WRITES,
    COUNT_ID,
    COUNT_PV, /* the paravirtual register and instruction */
    COUNT_SVC,
    COUNT_ERET,
    COUNT_UNDEFINED, /* accesses to system registers that do not exist */
    NR_COUNTS
};

/* The claims that this CPU has the trap for. They were made; the others were refused. */
#define TRAP_SVC   1
#define TRAP_ERET  2
#define TRAP_TPIDR 4
#define TRAP_WRONG 8 /* a claim was accepted although no CPU has the trap */

/* Immediates of BRK and HVC. */
#define BRK_VALUE   0x700 /* x0 = VALUE */
#define BRK_FAULT   0x701
#define BRK_AGAIN   0x702 /* RETRY at first, DONE the second time */
#define BRK_TO_VMM  0x703 /* the VMM's loop sets x0 = VALUE + 1 */
#define HVC_FAULT   0xdead
#define HVC_TO_VMM  0xbeef /* x0 = VALUE + 2 */
#define SMC_FAULT   0xdeaf
#define VALUE       0xb4c
#define PV_VALUE    0x7076
#define ID_VALUE    0x1d
#define LATE_MEMORY 0x80000000ul /* the VMM maps it when the guest first executes it: code that returns VALUE */

#endif
