/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Entropy for TF-A's TRNG service, which PLAT=qemu lacks. It comes from RNDRRS. scripts/avc-tfa.sh compiles this file
 * into BL31. On a CPU without FEAT_RNG the service answers NO_ENTROPY.
 */
#include <stdbool.h>
#include <stdint.h>

#include <arch_features.h>
#include <plat/common/plat_trng.h>

/* Any value except zero, which means that there is no source. */
uuid_t plat_trng_uuid = {
    { 0x5d, 0x0a, 0x1c, 0x2e }, { 0x91, 0x47 }, { 0x4b, 0x33 }, 0x8e, 0x6a, { 0x61, 0x76, 0x63, 0x74, 0x66, 0x61 }
};

void plat_entropy_setup(void)
{
}

bool plat_get_entropy(uint64_t *out)
{
    bool good;

    if (!is_armv8_5_rng_present())
        return false;
    __asm__ volatile("mrs %0, s3_3_c2_c4_1\n\tcset %w1, ne" : "=r"(*out), "=r"(good)::"cc"); /* Z: no number */
    return good;
}
