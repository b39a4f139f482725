/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Before each source that is proved: what Frama-C 25 does not parse, or does not know. The compilers check the
   assertions. */
#ifndef PROOF_H
#define PROOF_H

#define _Static_assert(condition, text) extern int proof_static_assert

/* The compilers' builtin, of which Frama-C only knows that it returns an int: the lowest bit that is set. */
static inline int proof_ctzll(unsigned long long value)
{
    int n = 0;

    if (!(value & 0xffffffff)) {
        n += 32;
        value >>= 32;
    }
    if (!(value & 0xffff)) {
        n += 16;
        value >>= 16;
    }
    if (!(value & 0xff)) {
        n += 8;
        value >>= 8;
    }
    if (!(value & 0xf)) {
        n += 4;
        value >>= 4;
    }
    if (!(value & 3)) {
        n += 2;
        value >>= 2;
    }
    return n + !(value & 1);
}
#define __builtin_ctzll(value) proof_ctzll(value)

#endif
