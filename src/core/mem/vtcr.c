/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the walker of stage 2 is told: VTCR_EL2 and VTTBR_EL2 (Arm ARM, "VTCR_EL2"). */
#include "core/mem/vtcr.h"

/* Without FEAT_LPA2 a 4 KiB granule reaches 48 bits, whatever PARange says. */
unsigned avc_stage2_pa_bits(const struct avc_features *f)
{
    return f->pa_bits < 48 ? f->pa_bits : 48;
}

uint64_t avc_stage2_vtcr(const struct avc_stage2 *s2)
{
    /* PS is as in ID_AA64MMFR0_EL1.PARange, and at most what all CPUs have. */
    static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48 };
    unsigned ps = AVC_ARRAY_SIZE(sizes) - 1;

    while (ps && sizes[ps] > avc_stage2_pa_bits(&s2->machine->features))
        ps--;
    return VTCR_RES1 | VTCR_PS(ps) | VTCR_TG0_4K | VTCR_SH0_IS | VTCR_ORGN0_WB | VTCR_IRGN0_WB |
           (avc_has(&s2->machine->features, AVC_FEAT_VMID16) ? VTCR_VS : 0) | VTCR_SL0(2 - s2->start_level) |
           VTCR_T0SZ(64 - s2->ipa_bits);
}

bool avc_stage2_fits(const struct avc_stage2 *s2, const struct avc_features *features)
{
    return avc_stage2_pa_bits(features) >= s2->ipa_bits && !(s2->reach >> avc_stage2_pa_bits(features));
}
