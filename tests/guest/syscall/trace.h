/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Hypercalls between the two halves of this test. */
#define CALL_STATUS 0xff00 /* x1 = 0: status of avc_syscalls_attach(); x1 = 1: whether the CPU has FEAT_FGT */
#define CALL_SWITCH 0xff01 /* avc_vm_trap_svc(x1) */
#define CALL_EVENT  0xff02 /* x0: field x2 of event x1, or the number of events if x2 is FIELD_COUNT */

enum {
    FIELD_WHAT,
    FIELD_NUMBER,
    FIELD_ARGS,
    FIELD_PC = FIELD_ARGS + 6,
    FIELD_SP,
    FIELD_TABLE,
    FIELD_STACK,
    FIELD_TO,
    FIELD_RESULT,
    FIELD_COUNT
};

#define UNSEEN_FIRST 500 /* these numbers are not claimed */
#define UNSEEN_LAST  519
