/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See walk.h. Arm ARM DDI 0487, D8.2 and D8.3: without FEAT_LPA and FEAT_LPA2, which guests do not see. */
#include "walk.h"

#define DESCRIPTOR_VALID UINT64_C(1)
#define DESCRIPTOR_TABLE UINT64_C(2) /* a block, if clear */

/* log2 of a page, by TCR_EL1.TG0 and TG1. A reserved value counts as 4 KiB. */
static const uint8_t page_bits[2][4] = { { 12, 16, 14, 12 }, { 12, 14, 12, 16 } };

static uint64_t field(uint64_t value, unsigned bits, unsigned shift)
{
    return value >> shift & ((UINT64_C(1) << bits) - 1);
}

int vmm_walk_level(const struct vmm_walk *walk, uint64_t va, uint64_t table)
{
    unsigned upper = va >> 55 & 1;
    uint64_t tcr = walk->tcr >> (upper ? 16 : 0);
    unsigned page = page_bits[upper][tcr >> 14 & 3], stride = page - 3;
    unsigned bits = 64 - (unsigned)(tcr & 63), levels, level;
    uint64_t at = walk->ttbr[upper] & 0xfffffffffffe; /* without ASID and CnP */

    if (bits > 48)
        bits = 48;
    if (bits <= page)
        return -1;
    levels = (bits - page + stride - 1) / stride;
    for (level = 4 - levels; level < 4; level++) {
        unsigned shift = page + stride * (3 - level);
        uint64_t descriptor;

        at |= field(va, (level == 4 - levels ? bits - shift : stride), shift) << 3;
        if (at >> 12 == table >> 12)
            return (int)level;
        if (!walk->read(walk->ctx, at, &descriptor))
            return -1;
        if (walk->big_endian)
            descriptor = __builtin_bswap64(descriptor);
        if ((descriptor & (DESCRIPTOR_VALID | DESCRIPTOR_TABLE)) != (DESCRIPTOR_VALID | DESCRIPTOR_TABLE))
            return -1;
        at = field(descriptor, 48 - page, page) << page;
    }
    return -1;
}
