/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The calls by which the guest says how far it is. */
#ifndef PHASES_H
#define PHASES_H

#define CALL_BEGIN 0xfffb /* the other CPU begins to look on */
#define CALL_MORE  0xfffc /* x0: 0 when it has seen enough */
#define CALL_END   0xfffd /* x0: how much of what it saw was wrong */

#endif
