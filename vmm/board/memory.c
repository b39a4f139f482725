/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What of the board's memory EL2 may map: addresses alone, so the same file runs on the build host. */
#include "board/board.h"
#include "kern/pages.h"

/* A page that is only partly in a hole is not mapped either. */
static uint64_t hole_base(const struct vmm_range *hole)
{
    return hole->base & ~(uint64_t)(VMM_PAGE_SIZE - 1);
}

static uint64_t hole_end(const struct vmm_range *hole)
{
    return (hole->base + hole->size + VMM_PAGE_SIZE - 1) & ~(uint64_t)(VMM_PAGE_SIZE - 1);
}

/* Returns the first hole that ends above `at`, which may begin below it; NULL: none. */
static const struct vmm_range *next_hole(uint64_t at, const struct vmm_range *hole, unsigned nr)
{
    const struct vmm_range *first = NULL;

    for (unsigned i = 0; i < nr; i++)
        if (hole[i].size && hole_end(&hole[i]) > at && (!first || hole_base(&hole[i]) < hole_base(first)))
            first = &hole[i];
    return first;
}

void vmm_board_pieces(const struct vmm_range *range, const struct vmm_range *hole, unsigned nr,
                      void (*fn)(uint64_t base, uint64_t size))
{
    uint64_t at = range->base, end = range->base + range->size;

    while (at < end) {
        const struct vmm_range *next = next_hole(at, hole, nr);
        uint64_t stop = next && hole_base(next) < end ? hole_base(next) : end;

        if (stop > at)
            fn(at, stop - at);
        at = next && stop < end ? hole_end(next) : end;
    }
}
