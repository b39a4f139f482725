/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A call between this test's guest and its host. */
#ifndef MORE_H
#define MORE_H

#define CALL_MORE 0xfffd /* x0: whether the guest is to go on */

#endif
