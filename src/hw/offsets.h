/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Offsets into struct avc_vcpu for the assembly, and the frame of avc_hw_enter(). The C code asserts the offsets
   against the struct. */
#ifndef AVC_OFFSETS_H
#define AVC_OFFSETS_H

#include <avc/priv/result.h>

#define V_X(n)      (8 * (n))
#define V_PC        248 /* and pstate behind it */
#define V_REQUESTS  264
#define V_HOST_SP   272 /* and dispatch behind it */
#define V_DISPATCH  280
#define V_ASKED     296
#define V_VBAR      304 /* and hcr */
#define V_HOST_VBAR 320 /* and host_hcr */
#define V_CPTR      336
#define V_HOST_CPTR 344
#define V_SERROR    416
#define V_HARDEN    446
#define V_EXIT      448
#define V_NR_TRAPS  512

/* enum avc_answer */
#define ANSWER_DONE  0 /* as CBNZ takes it */
#define ANSWER_FAULT 2
#define ANSWER_EXIT  3

/* into struct avc_claim */
#define C_FN 24 /* and ctx */

/* Rows of the dispatch table: 32 bytes, `fn` and `named` first. The rows after the 64 exception classes, and their
   offsets. */
#define T_SHIFT     5
#define T_SLOW      16
#define TRAP_IRQ    64
#define TRAP_FIQ    65
#define TRAP_SERROR 66
#define T_ROW(trap) ((trap) << T_SHIFT)

/* What avc_hw_switch leaves on run's stack. */
#define FRAME_VCPU 16 /* and the frame's address; below it x29 and x30 */
#define FRAME_X18  32 /* and run's DAIF */
#define FRAME_SIZE 48

#ifndef __ASSEMBLER__
#include <avc/avc.h>

#define AVC_OFFSET_IS(member, offset)                                                                                  \
    _Static_assert(offsetof(struct avc_vcpu, member) == (offset), "hw/offsets.h: " #member)
AVC_OFFSET_IS(x, V_X(0));
AVC_OFFSET_IS(pc, V_PC);
AVC_OFFSET_IS(pstate, V_PC + 8);
AVC_OFFSET_IS(requests, V_REQUESTS);
AVC_OFFSET_IS(host_sp, V_HOST_SP);
AVC_OFFSET_IS(dispatch, V_DISPATCH);
AVC_OFFSET_IS(asked, V_ASKED);
AVC_OFFSET_IS(vbar, V_VBAR);
AVC_OFFSET_IS(hcr, V_VBAR + 8);
AVC_OFFSET_IS(host_vbar, V_HOST_VBAR);
AVC_OFFSET_IS(host_hcr, V_HOST_VBAR + 8);
AVC_OFFSET_IS(cptr, V_CPTR);
AVC_OFFSET_IS(host_cptr, V_HOST_CPTR);
AVC_OFFSET_IS(serror, V_SERROR);
AVC_OFFSET_IS(harden, V_HARDEN);
AVC_OFFSET_IS(exit, V_EXIT);
AVC_OFFSET_IS(nr_traps, V_NR_TRAPS);
_Static_assert((int)AVC_DONE == ANSWER_DONE && (int)AVC_FAULT == ANSWER_FAULT && (int)AVC_EXIT == ANSWER_EXIT,
               "hw/offsets.h: enum avc_answer");
_Static_assert(offsetof(struct avc_claim, fn) == C_FN && offsetof(struct avc_claim, ctx) == C_FN + 8,
               "hw/offsets.h: struct avc_claim");
_Static_assert(sizeof(struct avc_trap_row) == 1 << T_SHIFT && offsetof(struct avc_trap_row, fn) == 0 &&
                   offsetof(struct avc_trap_row, named) == 8 && offsetof(struct avc_trap_row, slow) == T_SLOW,
               "hw/offsets.h: struct avc_trap_row");
_Static_assert(TRAP_IRQ == AVC_TRAP_IRQ && TRAP_FIQ == AVC_TRAP_FIQ && TRAP_SERROR == AVC_TRAP_SERROR,
               "hw/offsets.h: rows of the dispatch table");
#endif
#endif
