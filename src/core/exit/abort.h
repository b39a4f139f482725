/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Data and instruction aborts that stage 2 sends to EL2: see abort.c. */
#ifndef AVC_ABORT_H
#define AVC_ABORT_H

#include "core/claim/index.h"
#include "core/exit/exit.h"
#include "core/exit/inject.h"

avc_trap_fn avc_trap_dabt, avc_trap_abort;

/* Ends an access to a device as its claim has answered. AVC_PASS ends it as an access to where nothing is. */
enum avc_result avc_mmio_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

#endif
