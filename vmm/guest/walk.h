/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A walk of the guest's stage 1 tables, to find at which level it leaves the guest's memory. */
#ifndef VMM_GUEST_WALK_H
#define VMM_GUEST_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct vmm_walk {
    uint64_t tcr, ttbr[2]; /* TCR_EL1, TTBR0_EL1, TTBR1_EL1 */
    bool big_endian;       /* SCTLR_EL1.EE: the tables are */
    /* Reads 8 bytes of the guest's memory as a number of this CPU's byte order. Returns false if none is there. */
    bool (*read)(void *ctx, uint64_t ipa, uint64_t *value);
    void *ctx;
};

/** Returns the level, 0..3, of the descriptor in the page of `table` that translates `va`; -1 if the walk does not come
    to that page (any more: the guest may change its tables meanwhile). */
int vmm_walk_level(const struct vmm_walk *walk, uint64_t va, uint64_t table);

#endif
