/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the guest and its VMM agree on: calls by which the guest plans the answer to its next exit, and asks what the
 * VMM has seen; addresses of memory; and what the VMM can do before it answers RETRY. Claims handle all calls except
 * the last two, so these calls are no exits.
 */
#ifndef PLAN_H
#define PLAN_H

#define CALL_RUN   0xc6000000 /* x0: RUN_... */
#define CALL_TESTS 0xc6000001 /* x1: results that this guest has printed; x0: results of the guest before it */
#define CALL_PLAN  0xc6000002 /* x1: enum avc_answer or KEEP, x2: value, x3: WORK_... */
#define CALL_SEEN  0xc6000003 /* x1: SEEN_...; x0: its value */
#define CALL_KICK  0xc6000004
#define CALL_TICK  0xc6000005 /* lets a host interrupt come soon */
#define CALL_VMM   0xc6000100 /* an exit */
#define CALL_YIELD 0xc6000101 /* an exit that no plan is for */

#define RUN_IGNORES 1 /* bit: this VMM answers nothing */
#define RUN_SVC     2 /* bit: system calls are claimed */

#define KEEP 99 /* the VMM leaves the preset answer */

/* What the VMM has seen of the calling vCPU since its last plan. */
enum { SEEN_EXITS, SEEN_KIND, SEEN_HOW, SEEN_VALUE, SEEN_KEY, SEEN_ANSWER, SEEN_KICKS, SEEN_IRQS };
/* The value of SEEN_HOW is the size, and these bits. */
#define HOW_WRITE 0x100
#define HOW_FETCH 0x200

enum { WORK_NONE, WORK_CODE, WORK_DATA, WORK_TABLE, WORK_PERMIT };
#define CODE_RETURNS 77
#define DATA_PATTERN 0x1122334455667788ul

/*
 * IPAs, each with room for 32 pages. At first nothing is mapped, except some pages that are read-only, and some that
 * may not be executed.
 */
#define PLACE_DEVICE  0x20000000ul
#define PLACE_NOTHING 0x80000000ul
#define PLACE_TABLES  0x80100000ul
#define PLACE_RO      0x80200000ul
#define PLACE_NX      0x80300000ul
#define PLACE_PAGES   32

#endif
