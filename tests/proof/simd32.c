/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The decoder of AArch32's Advanced SIMD structures, for any word: as a32.c. */
#include "core/decode/decode.h"

static struct avc_access a;

#include "core/decode/simd32.c"

void prove_simd32(uint32_t word)
{
    a = (struct avc_access){ 0 };
    if (!avc_decode_simd32(word, &a))
        return;
    /*@ assert registers: a.reg[0] < 32 && a.reg[1] < 32; */
    /*@ assert lane: a.lane < 8; */
    /*@ assert base: a.base < 16; */
}
