/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * TRNG firmware interface 1.0 (DEN0098), on RNDRRS: of the CPU's two random registers the one that
 * is reseeded for each read, since a caller takes what it gets for full entropy.
 */
#include "emul/psci/firmware.h"

#define TRIES 8 /* per word; the Arm ARM lets RNDRRS come back empty "within a reasonable time" */

/* Names this source, for callers that trust one and not another; a version 4 UUID of our own. */
static const uint32_t uuid[4] = { 0xc3d8b6f5, 0x42814317, 0xa300a574, 0x7610f673 };

static bool random(uint64_t *value)
{
    for (unsigned n = 0; n < TRIES; n++)
        if (avc_hw_rndrrs(value))
            return true;
    return false;
}

/*
 * RND: x1 bits of entropy wanted, 1..96 or 1..192. x3 has the lowest 32 or 64 of them, x1 the
 * highest; bits that were not asked for are zero, and so are all of x1..x3 after an error.
 */
static int64_t rnd(struct avc_vcpu *vcpu, unsigned width)
{
    uint64_t bits = width == 64 ? vcpu->x[1] : (uint32_t)vcpu->x[1];
    uint64_t out[3] = { 0, 0, 0 }; /* out[0]: the lowest */
    int64_t result = 0;

    if (bits == 0 || bits > 3 * width)
        result = AVC_TRNG_INVALID_PARAMETERS;
    for (unsigned n = 0; n < 3 && result == 0 && bits > n * width; n++) {
        uint64_t wanted = bits - n * width;

        if (!random(&out[n])) {
            result = AVC_TRNG_NO_ENTROPY;
            break;
        }
        if (wanted > width)
            wanted = width;
        out[n] &= ~UINT64_C(0) >> (64 - wanted);
    }
    for (unsigned n = 0; n < 3; n++)
        vcpu->x[3 - n] = result == 0 ? out[n] : 0;
    return result;
}

enum avc_answer avc_trng_full(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    (void)ctx;
    switch (e->key) {
    case AVC_TRNG_GET_UUID:
        for (unsigned n = 1; n < 4; n++)
            vcpu->x[n] = uuid[n];
        return avc_done(e, uuid[0]);
    case AVC_TRNG_RND:
        return avc_done(e, (uint64_t)rnd(vcpu, 32));
    case AVC_TRNG_RND | AVC_SMC64:
        return avc_done(e, (uint64_t)rnd(vcpu, 64));
    default:
        return avc_done(e, (uint64_t)AVC_TRNG_NOT_SUPPORTED);
    }
}
