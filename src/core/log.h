/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Log lines, and hal->panic: see log.c. */
#ifndef AVC_LOG_H
#define AVC_LOG_H

#include "core/core.h"

void avc_log(const struct avc_hal *hal, enum avc_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void avc_panic(const struct avc_hal *hal, const char *why);

#endif
