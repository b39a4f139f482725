/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Trapped accesses to system registers: see sysreg_trap.c. */
#ifndef AVC_SYSREG_TRAP_H
#define AVC_SYSREG_TRAP_H

#include "core/claim/index.h"
#include "core/exit/exit.h"

avc_trap_fn avc_trap_sysreg, avc_trap_sysreg_slow, avc_trap_cp15, avc_trap_cp14;

/* Ends an access as its claim has answered. AVC_PASS lets the register table's policy decide. */
enum avc_result avc_sysreg_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

#endif
