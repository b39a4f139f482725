/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The call between this test's guest and its host. */
#ifndef PHASES_H
#define PHASES_H

#define CALL_OBSERVE 0xfffd /* x1: 1 sets an observer, 0 removes it; x0: how many comparisons have failed so far */

#define CLAIMED_DEVICE 0x0b000000

#endif
