/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* HVC and SMC of the guest: see call.c. */
#ifndef AVC_CALL_H
#define AVC_CALL_H

#include "core/claim/index.h"
#include "core/exit/exit.h"

avc_trap_fn avc_trap_hvc, avc_trap_smc, avc_trap_call;

#endif
