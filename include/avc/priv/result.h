/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API. What a trap function returns to the vector, and the world switch to run. C and assembly share the numbers. */
#ifndef AVC_PRIV_RESULT_H
#define AVC_PRIV_RESULT_H

#define RESULT_RESUME    0 /* completed: back into the guest, unless something is requested of the vCPU */
#define RESULT_LEAVE     1 /* vcpu->exit is complete: run returns it */
#define RESULT_ASK       2 /* the event has begun: the vector asks the claim vcpu->asked about it */
#define RESULT_SLOW      3 /* nothing was done: the vector saves all registers and calls the row's slow function */
#define RESULT_CALLS_BIT 1 /* of ASK and SLOW: something else is to be called */
#define RESULT_AGAIN     4 /* of the switch alone: a request is to be served before the guest goes on */
#define RESULT_SERROR                                                                                                  \
    8 /* of the switch, added to LEAVE or AGAIN: an SError was taken on the way out, and is in vcpu->serror */

#ifndef __ASSEMBLER__
enum avc_result {
    AVC_RESUME = RESULT_RESUME,
    AVC_LEAVE = RESULT_LEAVE,
    AVC_ASK = RESULT_ASK,
    AVC_SLOW = RESULT_SLOW,
    AVC_AGAIN = RESULT_AGAIN,
};
#endif
#endif
