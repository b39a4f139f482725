/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the guest and the claims' host call each other, and where things are. */
#ifndef CLAIMS_CALLS_H
#define CLAIMS_CALLS_H

#define CALL_COUNT   0xc6000000 /* x1: COUNT_...; x0: how often */
#define CALL_DENIED  0xc6000001
#define CALL_IMM     0xc6000002 /* x0: the immediate */
#define CALL_RESULTS 0xc6000003 /* x0..x3: x1 + 1 .. x1 + 4 */
#define CALL_LATE    0xc6000004 /* x0: what a claim made now is answered, by the VMM's loop */
#define CALL_TRAPS   0xc6000005 /* x0: bits TRAP_... */
#define CALL_CUSTOM  0xffff     /* x0: x1 + 2 * x2 + 3 * x3, by the claim; by the VMM's loop if x4 is 1 */

enum {
    COUNT_BRK,
    COUNT_FETCH,   /* instruction aborts */
    COUNT_WFI,     /* vetoed */
    COUNT_WAITS,   /* that the VMM has seen */
    COUNT_WATCHED, /* HVC, SMC, MSR and MRS, that passed */
    COUNT_PSCI,    /* calls that passed on to PSCI */
    COUNT_ACTLR_READS,
    COUNT_ACTLR_WRITES,
    COUNT_ID,
    COUNT_PV, /* the paravirtual register and instruction */
    COUNT_SVC,
    COUNT_ERET,
    COUNT_UNDEFINED, /* system registers that nobody has */
    NR_COUNTS
};

/* What the CPU has the trap for; the claim was made then, and refused otherwise. */
#define TRAP_SVC   1
#define TRAP_ERET  2
#define TRAP_TPIDR 4
#define TRAP_WRONG 8 /* a claim that no CPU has a trap for was not refused */

/* Immediates. */
#define BRK_VALUE   0x700 /* x0 = VALUE */
#define BRK_FAULT   0x701
#define BRK_AGAIN   0x702 /* done when it comes a second time */
#define BRK_TO_VMM  0x703 /* x0 = VALUE + 1, by the VMM's loop */
#define HVC_FAULT   0xdead
#define HVC_TO_VMM  0xbeef /* x0 = VALUE + 2 */
#define SMC_FAULT   0xdeaf
#define VALUE       0xb4c
#define PV_VALUE    0x7076
#define ID_VALUE    0x1d
#define LATE_MEMORY 0x80000000ul /* mapped when it is first executed: code that returns VALUE */

#endif
