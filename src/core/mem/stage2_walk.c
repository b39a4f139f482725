/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Walks over what is mapped, for the embedder. */
#include "core/mem/s2.h"

/* Finds the next leaf at or above *pos and below end. Moves *pos behind it, or behind the empty range seen so far. */
static bool next_leaf(struct avc_stage2 *s2, avc_ipa_t *pos, avc_ipa_t end, struct avc_stage2_leaf *leaf)
{
    uint64_t daif = avc_hw_irq_save();
    bool found = false;

    avc_lock(&s2->lock);
    for (unsigned n = 0; n < 8 && *pos < end && !found; n++) { /* bounded, because interrupts are masked */
        unsigned level;
        uint64_t desc = avc_stage2_walk_to(s2, *pos, &level);

        found = s2_is_leaf(desc, level);
        if (found)
            avc_stage2_fill_leaf(leaf, *pos, desc, level);
        *pos = (*pos | (AVC_BIT(s2_shift(level)) - 1)) + 1;
    }
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    return found;
}

enum avc_status avc_stage2_walk(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size,
                                enum avc_status (*fn)(void *ctx, const struct avc_stage2_leaf *leaf), void *ctx)
{
    enum avc_status status = fn ? avc_stage2_check(s2, ipa, size) : AVC_EINVAL;
    avc_ipa_t end = ipa + size;

    if (!status && !s2->root)
        status = AVC_ENOTSUP;
    while (!status && ipa < end) {
        struct avc_stage2_leaf leaf;

        if (next_leaf(s2, &ipa, end, &leaf))
            status = fn(ctx, &leaf);
    }
    return status;
}
