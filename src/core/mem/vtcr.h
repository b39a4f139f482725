/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* VTCR_EL2: see vtcr.c. */
#ifndef AVC_VTCR_H
#define AVC_VTCR_H

#include <avc/stage2.h>

#include "arch/mmu.h"
#include "core/core.h"

/* PA bits that the library's tables can use. VTCR_EL2 for these tables. Can a CPU (or all, for the machine's
   features) with these features walk them? */
unsigned avc_stage2_pa_bits(const struct avc_features *f);
uint64_t avc_stage2_vtcr(const struct avc_stage2 *s2);
bool avc_stage2_fits(const struct avc_stage2 *s2, const struct avc_features *features);

/* Returns VTTBR_EL2 for these tables with this VMID. The upper bits of the token are not part of the VMID. */
static inline uint64_t avc_stage2_vttbr(const struct avc_stage2 *s2, uint64_t token)
{
    return VTTBR_VMID_PUT(token) | s2->root_pa;
}

#endif
