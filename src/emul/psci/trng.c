/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * TRNG firmware interface 1.0 (DEN0098), on RNDRRS. Of the CPU's two random registers this one is reseeded for each
 * read. A caller takes what it gets for full entropy.
 */
#include "emul/psci/firmware.h"

#define TRIES 8 /* per word; the Arm ARM lets RNDRRS come back empty "within a reasonable time" */

/* Names this source, for callers that trust one source and not another. A version 4 UUID of our own. */
static const uint32_t uuid[4] = { 0xc3d8b6f5, 0x42814317, 0xa300a574, 0x7610f673 };

static bool random(uint64_t *value)
{
    for (unsigned n = 0; n < TRIES; n++)
        if (avc_hw_rndrrs(value))
            return true;
    return false;
}

enum avc_result avc_trng_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return avc_complete_call(vcpu, 0x10000);
}

#define NR (AVC_TRNG_LAST - AVC_TRNG_VERSION + 1)

enum avc_result avc_trng_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    static const uint8_t forms[2 * NR] = {
#define TRNG_FORMS(name, widths, offered) FORMS_##widths(name - AVC_TRNG_VERSION, NR, IS_##offered),
#define PSCI_FORMS(name, widths, offered)
#define SMCCC_FORMS(name, widths, offered)
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) family##_FORMS(name, widths, offered)
#include <avc/psci.def>
#undef AVC_FUNCTION
    };
    uint64_t asked = vcpu->x[1];
    uint32_t n = number_in_family(asked, AVC_TRNG_VERSION);

    if (avc_unlikely(n >= NR))
        return avc_complete_call(vcpu, AVC_TRNG_NOT_SUPPORTED);
    return avc_complete_call(vcpu, offer_by_forms(forms, n, NR, asked));
}

enum avc_result avc_trng_get_uuid(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    avc_complete_gprs(vcpu, 1, 3, (const uint64_t[]){ uuid[1], uuid[2], uuid[3] });
    return avc_complete_call(vcpu, uuid[0]);
}

/*
 * x1 is the number of bits wanted, 1..96 or 1..192. x3 gets the lowest 32 or 64 of them, x1 the highest. Bits that were
 * not asked for are zero. After an error x1..x3 are zero.
 */
enum avc_result avc_trng_rnd(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    unsigned width = fid & AVC_SMC64 ? 64 : 32;
    uint64_t bits = call_arg(vcpu, fid, 1), x1_to_x3[3] = { 0, 0, 0 };
    int64_t result = bits == 0 || bits > 3 * width ? AVC_TRNG_INVALID_PARAMETERS : 0;

    for (unsigned n = 3; n-- > 0 && result == 0 && bits > 0;) {
        unsigned wanted = bits < width ? (unsigned)bits : width;

        if (!random(&x1_to_x3[n]))
            result = AVC_TRNG_NO_ENTROPY;
        x1_to_x3[n] &= ~UINT64_C(0) >> (64 - wanted);
        bits -= wanted;
    }
    avc_complete_gprs(vcpu, 1, 3, result == 0 ? x1_to_x3 : (const uint64_t[]){ 0, 0, 0 });
    return avc_complete_call(vcpu, result);
}
