/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of a lock. */
#ifndef AVC_PRIV_LOCK_H
#define AVC_PRIV_LOCK_H

#include <stdint.h>

/* See src/core/atomic.h. */
struct avc_lock {
    uint32_t held;
};

#endif
