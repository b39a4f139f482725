/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* VTCR_EL2: see vtcr.c. */
#ifndef AVC_VTCR_H
#define AVC_VTCR_H

#include <avc/stage2.h>

#include "arch/mmu.h"
#include "core/core.h"

/* PA bits that tables of ours can use; VTCR_EL2 for these tables; whether a CPU (or all, the machine's) with these features can walk them. */
unsigned avc_stage2_pa_bits(const struct avc_features *f);
uint64_t avc_stage2_vtcr(const struct avc_stage2 *s2);
bool avc_stage2_fits(const struct avc_stage2 *s2, const struct avc_features *features);

/* VTTBR_EL2 for these tables with this VMID. The upper bits of the token are not the VMID's. */
static inline uint64_t avc_stage2_vttbr(const struct avc_stage2 *s2, uint64_t token)
{
    return VTTBR_VMID_PUT(token) | s2->root_pa;
}

#endif
