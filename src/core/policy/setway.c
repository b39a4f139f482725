/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The operand of DC ISW, CSW and CISW. The guest chooses it, and EL2 executes the instruction. With a set, way or level
 * that the CPU does not have the instruction may be UNDEFINED, at EL2, too (DDI 0487, C5.3, "DC CISW"). So EL2 looks
 * first, at what CCSIDR_EL1 says: that is what these instructions go by, even where the cache is built otherwise.
 * While a vCPU is loaded CSSELR_EL1 is the guest's. So the table is made when the CPU is enabled.
 */
#include "core/policy/setway.h"

#include "arch/cache.h"

/* Returns the bits that a number needs which is below n. */
static uint8_t bits_for(uint32_t n)
{
    return n > 1 ? (uint8_t)(32 - __builtin_clz(n - 1)) : 0;
}

void avc_setway_probe(struct avc_pcpu *pcpu)
{
    bool ccidx = avc_id_field(pcpu->features.id, ID_AA64MMFR2_CCIDX);
    uint64_t clidr = pcpu->features.clidr, host = avc_hw_read_CSSELR_EL1();

    _Static_assert(AVC_ARRAY_SIZE(pcpu->cache) == CACHE_LEVELS, "avc_pcpu.cache[]");
    __builtin_memset(pcpu->cache, 0, sizeof pcpu->cache);
    for (unsigned level = 0; level < CACHE_LEVELS && CLIDR_CTYPE(clidr, level) != CTYPE_NONE; level++) {
        struct avc_cache *c = &pcpu->cache[level];
        uint64_t ccsidr;

        if (CLIDR_CTYPE(clidr, level) < CTYPE_DATA)
            continue;
        avc_hw_write_CSSELR_EL1(CSSELR_DATA(level));
        avc_hw_isb(); /* CCSIDR_EL1 reads CSSELR_EL1 indirectly */
        ccsidr = avc_hw_read_CCSIDR_EL1();
        c->sets = ccidx ? CCIDX_SETS(ccsidr) : CCSIDR_SETS(ccsidr);
        c->ways = ccidx ? CCIDX_WAYS(ccsidr) : CCSIDR_WAYS(ccsidr);
        c->set_shift = (uint8_t)CCSIDR_LINE_SHIFT(ccsidr);
        c->way_bits = bits_for(c->ways);
    }
    avc_hw_write_CSSELR_EL1(host);
    avc_hw_isb();
}

/* Bits 63..32, bit 0 and those between the level and the set are no part of the operand. */
bool avc_setway_operand(const struct avc_pcpu *pcpu, uint64_t *operand)
{
    unsigned level = SETWAY_LEVEL(*operand);
    const struct avc_cache *c;
    uint32_t way, set;

    if (level >= CACHE_LEVELS)
        return false;
    c = &pcpu->cache[level];
    way = (uint32_t)((*operand & UINT32_MAX) >> (32 - c->way_bits));
    set = ((uint32_t)*operand & UINT32_MAX >> c->way_bits) >> c->set_shift;
    if (set >= c->sets || way >= c->ways)
        return false;
    *operand = (uint64_t)way << (32 - c->way_bits) | (uint64_t)set << c->set_shift | CSSELR_DATA(level);
    return true;
}
