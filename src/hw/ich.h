/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* List registers and active-priority registers by index: their names carry the number, so each is an instruction. */
#ifndef AVC_ICH_H
#define AVC_ICH_H

#include "hw/hw.h"

uint64_t avc_hw_lr_read_other(unsigned n);
void avc_hw_lr_write_other(unsigned n, uint64_t value);

/* List register n, 0..15; the caller knows that it is there (ICH_VTR_EL2.ListRegs). Most often it is the first. */
static inline uint64_t avc_hw_lr_read(unsigned n)
{
    return n ? avc_hw_lr_read_other(n) : avc_hw_read_ICH_LR0_EL2();
}

static inline void avc_hw_lr_write(unsigned n, uint64_t value)
{
    if (n)
        avc_hw_lr_write_other(n, value);
    else
        avc_hw_write_ICH_LR0_EL2(value);
}

/* The first `nr` (1, 2 or 4) of ICH_AP0R<n>_EL2 and of ICH_AP1R<n>_EL2. */
void avc_hw_apr_read(uint64_t ap0[4], uint64_t ap1[4], unsigned nr);
void avc_hw_apr_write(const uint64_t ap0[4], const uint64_t ap1[4], unsigned nr);

#endif
