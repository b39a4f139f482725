/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What both halves of the test know. */
#ifndef PHASES_H
#define PHASES_H

#define CALL_OBSERVE 0xfffd /* x1: 1 on, 0 off; x0: how many of the numbers compared so far were wrong */

#define CLAIMED_DEVICE 0x0b000000

#endif
