/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The calls by which the guest tells the host how far it is. */
#ifndef PHASES_H
#define PHASES_H

#define CALL_BEGIN 0xfffb /* the other CPU begins to read */
#define CALL_MORE  0xfffc /* x0: 0 when the other CPU has seen enough */
#define CALL_END   0xfffd /* x0: how many mistakes the other CPU has seen */

#endif
