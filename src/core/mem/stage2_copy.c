/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Accesses to guest memory that the library makes in the guest's place. EL2 reaches the memory by the host's mapping,
 * so no stage 2 stands in between, and TLB maintenance does not wait for the access. The lock of the tables does: the
 * library takes it after each change of what was mapped, and avc_stage2_flush() takes it after a change of the
 * embedder's. When either returns, all copies that the old tables permitted are done, and there will be no other.
 */
#include "core/mem/stage2_copy.h"

#include "core/mem/s2.h"

static void synchronise(const struct avc_copy *c)
{
    avc_hw_dc_civac((uintptr_t)c->host);
    avc_hw_dc_civac((uintptr_t)c->host + c->size - 1);
    avc_hw_dsb_sy();
}

/* Copies by one access if both are aligned: a guest's aligned access is single-copy atomic (Arm ARM B2.2.1). */
static void move(uint8_t *to, const uint8_t *from, unsigned size)
{
    typedef uint32_t __attribute__((may_alias)) word;
    typedef uint16_t __attribute__((may_alias)) half;
    uintptr_t at = (uintptr_t)to | (uintptr_t)from | size;

    if (!(at & 7)) {
        avc_store_relaxed((avc_word *)to, avc_load_relaxed((const avc_word *)from));
    } else if (size == 4 && !(at & 3)) {
        avc_store_relaxed((word *)to, avc_load_relaxed((const word *)from));
    } else if (size == 2 && !(at & 1)) {
        avc_store_relaxed((half *)to, avc_load_relaxed((const half *)from));
    } else {
        for (unsigned n = 0; n < size; n++)
            avc_store_relaxed(&to[n], avc_load_relaxed(&from[n]));
    }
}

/* What stage 2 says of the page. Of adopted tables that the library cannot read it only knows that the guest may read
   what the host has given it. An entry without access flag faults (D8.5), in adopted tables. */
static uint32_t attributes(const struct avc_stage2 *s2, avc_ipa_t ipa)
{
    struct avc_stage2_leaf leaf;
    unsigned level;
    uint64_t desc;

    if (!s2->root)
        return AVC_R | AVC_X;
    if (ipa >> s2->ipa_bits)
        return 0;
    desc = avc_stage2_walk_to(s2, ipa, &level);
    if (!s2_is_leaf(desc, level) || !(desc & S2_AF))
        return 0;
    avc_stage2_fill_leaf(&leaf, ipa, desc, level);
    return leaf.attrs;
}

/* The caches may have older data than the guest has written past them, and the guest may never read what they have. */
static void copy(const struct avc_copy *c, bool cached)
{
    if (!cached)
        synchronise(c);
    if (!c->write)
        move(c->data, c->host, c->size);
    else
        move(c->host, c->data, c->size);
    if (c->write && !cached)
        synchronise(c);
}

enum avc_copied avc_stage2_copy(struct avc_stage2 *s2, const struct avc_copy *c)
{
    uint64_t daif = avc_hw_irq_save();
    enum avc_copied copied = AVC_COPIED;
    uint32_t attrs;

    avc_lock(&s2->lock);
    attrs = attributes(s2, c->ipa);
    if (!(attrs & c->permitted))
        copied = AVC_COPY_REFUSED;
    else if (!c->host || attrs & AVC_DEVICE)
        copied = AVC_COPY_NEVER;
    else
        copy(c, c->cached && !(attrs & AVC_NC));
    avc_unlock(&s2->lock);
    avc_hw_irq_restore(daif);
    return copied;
}
