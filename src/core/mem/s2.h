/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stage 2 inside the library: descriptors, and what the files of src/core/mem share. */
#ifndef AVC_S2_H
#define AVC_S2_H

#include <avc/stage2.h>

#include "arch/mmu.h"
#include "core/core.h"

static inline unsigned s2_shift(unsigned level)
{
    return 39 - 9 * level;
}

static inline bool s2_is_leaf(uint64_t desc, unsigned level)
{
    if (level == 3)
        return (desc & (S2_VALID | S2_TABLE)) == (S2_VALID | S2_TABLE);
    return level && (desc & (S2_VALID | S2_TABLE)) == S2_VALID; /* there are no blocks at level 0 */
}

static inline bool s2_is_table(uint64_t desc, unsigned level)
{
    return level < 3 && (desc & (S2_VALID | S2_TABLE)) == (S2_VALID | S2_TABLE);
}

/* Table walkers read entries while the library writes them. So these are single-copy atomic accesses (Arm ARM
   B2.2.1). Barriers order them. */
static inline uint64_t s2_read(const uint64_t *entry)
{
    return avc_load_relaxed(entry);
}

static inline void s2_write(uint64_t *entry, uint64_t desc)
{
    avc_store_relaxed(entry, desc);
}

static inline uint64_t *s2_table(const struct avc_stage2 *s2, uint64_t desc)
{
    return s2->mem.at(s2->mem.ctx, desc & S2_OA);
}

/* stage2.c */
/* Fills in *s2 except for the root, and says how big the root is. */
enum avc_status avc_stage2_prepare(struct avc_stage2 *s2, struct avc_machine *machine, unsigned ipa_bits,
                                   size_t *bytes);
enum avc_status avc_stage2_check_root(const struct avc_stage2 *s2, avc_pa_t pa, size_t bytes);
/* Says whether a range is valid for these tables. */
enum avc_status avc_stage2_check(const struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size);
/* Returns the entry where the walk of an IPA ends, valid or not, and its level. The caller has the lock. */
uint64_t avc_stage2_walk_to(const struct avc_stage2 *s2, avc_ipa_t ipa, unsigned *level);
void avc_stage2_fill_leaf(struct avc_stage2_leaf *leaf, avc_ipa_t ipa, uint64_t desc, unsigned level);

#endif
