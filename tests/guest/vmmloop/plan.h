/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the guest and its VMM agree on: calls by which the guest says how the next exit is to be answered and asks what
 * the VMM has seen, places of memory, and what the VMM can do before it answers RETRY. Claims handle all calls but the
 * last two, so these are no exits themselves.
 */
#ifndef PLAN_H
#define PLAN_H

#define CALL_RUN   0xc6000000 /* x0: RUN_... */
#define CALL_TESTS 0xc6000001 /* x1: results printed so far by this guest; x0: by the one before it */
#define CALL_PLAN  0xc6000002 /* x1: enum avc_answer or KEEP, x2: value, x3: WORK_... */
#define CALL_SEEN  0xc6000003 /* x1: SEEN_...; x0: that */
#define CALL_KICK  0xc6000004
#define CALL_TICK  0xc6000005 /* a host interrupt, soon */
#define CALL_VMM   0xc6000100 /* an exit */
#define CALL_YIELD 0xc6000101 /* an exit outside of all plans */

#define RUN_IGNORES 1 /* bit: this VMM answers nothing */
#define RUN_SVC     2 /* bit: system calls are claimed */

#define KEEP 99 /* the answer stays as preset */

/* Of the calling vCPU, since its last plan: */
enum { SEEN_EXITS, SEEN_KIND, SEEN_HOW, SEEN_VALUE, SEEN_KEY, SEEN_ANSWER, SEEN_KICKS, SEEN_IRQS };
/* SEEN_HOW: size, and */
#define HOW_WRITE 0x100
#define HOW_FETCH 0x200

enum { WORK_NONE, WORK_CODE, WORK_DATA, WORK_TABLE, WORK_PERMIT };
#define CODE_RETURNS 77
#define DATA_PATTERN 0x1122334455667788ul

/* IPAs, each with room for 32 pages. Nothing is mapped at first, but for: pages that may only be read, and such that
   may not be executed. */
#define PLACE_DEVICE  0x20000000ul
#define PLACE_NOTHING 0x80000000ul
#define PLACE_TABLES  0x80100000ul
#define PLACE_RO      0x80200000ul
#define PLACE_NX      0x80300000ul
#define PLACE_PAGES   32

#endif
