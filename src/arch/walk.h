/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* How a guest's stage 1 finds an address in its tables (Arm ARM DDI 0487, D8.2): functions of values alone. */
#ifndef AVC_WALK_H
#define AVC_WALK_H

#include <stdbool.h>

#include "arch/mmu.h"

/* A step of a walk. */
struct avc_walk {
    uint64_t desc;  /* where the descriptor is that is read */
    unsigned level; /* of its table: 0 to 3 */
    unsigned page;  /* a page has 2^page bytes, and so has a table, but for the first one */
};

/* The half of the address space that an address is in: 0 is TTBR0's, 1 is TTBR1's. */
static inline unsigned avc_walk_half(uint64_t va)
{
    return va >> 55 & 1;
}

/* Begins the walk for `va` with the TTBR of its half. Returns false if TCR_EL1 gives that half no tables. */
static inline bool avc_walk_begin(struct avc_walk *walk, uint64_t va, uint64_t tcr, uint64_t ttbr)
{
    static const uint8_t page_bits[2][4] = { { 12, 16, 14, 12 }, { 12, 14, 12, 16 } }; /* by TG0 and TG1 */
    unsigned half = avc_walk_half(va), page, stride, bits, below, levels;

    tcr >>= 16 * half;
    page = page_bits[half][AVC_FIELD(tcr, 15, 14)];
    stride = page - 3;
    bits = 64 - (unsigned)(tcr & TCR_T0SZ);
    if (bits > 48)
        bits = 48;
    if (bits <= page)
        return false;
    levels = (bits - page + stride - 1) / stride;
    below = page + stride * (levels - 1); /* bits of the address that the first level does not look at */
    walk->desc = (ttbr & TTBR_BADDR & ~UINT64_C(7)) | (va & (AVC_BIT(bits) - 1)) >> below << 3;
    walk->level = 4 - levels;
    walk->page = page;
    return true;
}

/* Goes on by a descriptor. Returns false if that names no table: the walk ends here. */
static inline bool avc_walk_next(struct avc_walk *walk, uint64_t va, uint64_t desc)
{
    unsigned stride = walk->page - 3, shift;

    if (walk->level >= 3 || (desc & 3) != 3)
        return false;
    walk->level++;
    shift = walk->page + stride * (3 - walk->level);
    walk->desc = (desc & AVC_BITS(47, walk->page)) | (va >> shift & (AVC_BIT(stride) - 1)) << 3;
    return true;
}

#endif
