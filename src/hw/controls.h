/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* EL2's controls over a guest, for regs.c. avc_pcpu.host_saved[] keeps the host's values from load to put. */
#ifndef AVC_CONTROLS_H
#define AVC_CONTROLS_H

#include "core/policy/ctx.h"

/* Indices of host_saved[]. */
/* clang-format off */
enum {
    S_HCR, S_MDCR, S_HSTR, S_CNTHCTL, S_CNTVOFF, S_VTCR, S_VTTBR, S_VPIDR, S_VMPIDR, S_MDSCR, S_OSLSR,
    S_HCRX, S_HFGRTR, S_HFGWTR, S_HFGITR, S_HDFGRTR, S_HDFGWTR, S_HAFGRTR,
    S_HFGRTR2, S_HFGWTR2, S_HFGITR2, S_HDFGRTR2, S_HDFGWTR2, S_MPAM2, S_MPAMHCR, S_ICH_HCR,
    S_ICC_SRE,
    S_COUNT
};
/* clang-format on */
_Static_assert(S_COUNT <= sizeof((struct avc_pcpu *)0)->host_saved / sizeof(uint64_t), "host_saved[]");

/* Reads the host's controls (and vcpu->host_hcr, host_cptr and host_vbar), and writes the guest's. HCR_EL2, CPTR_EL2
   and VBAR_EL2 are not written here: vectors.S swaps them. CNTVOFF_EL2 is swapped with the timers. */
void avc_hw_controls_load(struct avc_vcpu *vcpu);
/* Writes the host's controls back. */
void avc_hw_controls_put(struct avc_vcpu *vcpu);

#endif
