/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* WFI and WFE: see wfx.c. */
#ifndef AVC_WFX_H
#define AVC_WFX_H

#include "core/core.h"

avc_trap_fn avc_trap_wfx;

#endif
