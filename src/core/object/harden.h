/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What a CPU needs at exceptions from a guest: see harden.c. */
#ifndef AVC_HARDEN_H
#define AVC_HARDEN_H

#include <avc/avc.h>

struct avc_hardening {
    enum { AVC_HARDEN_NONE, AVC_HARDEN_LOOP, AVC_HARDEN_CLRBHB, AVC_HARDEN_FIRMWARE } how;
    uint16_t arg; /* LOOP: rounds; FIRMWARE: the low half of the function id */
};

struct avc_hardening avc_hardening_of(const struct avc_features *features);

#endif
