/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Active-priority registers of the virtual CPU interface. */
#ifndef AVC_ICH_H
#define AVC_ICH_H

#include "hw/hw.h"

/* The first `nr` (1, 2 or 4) of ICH_AP0R<n>_EL2 and of ICH_AP1R<n>_EL2. */
void avc_hw_apr_read(uint64_t ap0[4], uint64_t ap1[4], unsigned nr);
void avc_hw_apr_write(const uint64_t ap0[4], const uint64_t ap1[4], unsigned nr);

#endif
