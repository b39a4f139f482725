/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Cache maintenance by set and way: see setway.c. */
#ifndef AVC_SETWAY_H
#define AVC_SETWAY_H

#include "core/core.h"

/* Writes down which data and unified caches the calling CPU has. Its features are known, and interrupts are masked. */
void avc_setway_probe(struct avc_pcpu *pcpu);
/* Makes a guest's operand one that this CPU has, and returns true; or returns false if there is no such line. */
bool avc_setway_operand(const struct avc_pcpu *pcpu, uint64_t *operand);

#endif
