/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The decoder, for any word: no run-time error, and no register that there is not. What needs several fields of a word
 * at once (sizes, the sum of bytes, where lanes lie) words.c shows for each of the 2^32 words.
 */
#include "core/decode/decode.h"

static struct avc_access a;

#include "core/decode/a64.c"
#include "core/decode/access.c"

void prove_a64(uint32_t word)
{
    if (!avc_decode_a64(word, &a))
        return;
    /*@ assert registers: a.reg[0] < 32 && a.reg[1] < 32; */
    /*@ assert base: a.base <= AVC_BASE_PC; */
}

/* Any index, and any shift that an encoding can name: the address wraps, and no shift is out of range. */
void prove_distance(uint64_t value, uint8_t shift, uint8_t extend, uint8_t index, int32_t by, uint8_t flags)
{
    a.shift = shift & 31;
    a.extend = extend;
    a.index = index;
    a.offset = by;
    a.subtract = flags & 1;
    (void)avc_access_distance(&a, value, flags >> 1 & 1);
}
