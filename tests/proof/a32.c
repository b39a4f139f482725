/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A32's and T32's decoder, for any word: no run-time error, and no register that there is not. What needs several
 * fields of a word at once words.c shows for each word.
 */
#include "core/decode/decode.h"

static struct avc_access a;

/* Its own proof shows it. */
/*@ assigns *a;
    ensures \result == 0 || \result == 1;
    ensures a->reg[0] < 32 && a->reg[1] < 32 && a->base <= 32; */
bool avc_decode_simd32(uint32_t word, struct avc_access *a);

#include "core/decode/a32.c"

void prove_a32(uint32_t word)
{
    a = (struct avc_access){ 0 };
    if (!avc_decode_a32(word, &a))
        return;
    /*@ assert registers: a.reg[0] < 32 && a.reg[1] < 32; */
    /*@ assert base: a.base <= AVC_BASE_PC; */
}

void prove_t32(uint32_t word)
{
    a = (struct avc_access){ 0 };
    if (!avc_decode_t32(word, &a))
        return;
    /*@ assert registers: a.reg[0] < 32 && a.reg[1] < 32; */
    /*@ assert base: a.base <= AVC_BASE_PC; */
}
