/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The decoder on each of the 2^32 words of A64, and the registers and bytes of each kind of access that comes of them:
 * what must hold is checked for all, under the sanitizers. prove_words FIRST LAST, in units of 2^24 words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/decode/decode.h"

#define NR_SEEN (1u << 22)

static void wrong(uint32_t word, const char *what)
{
    printf("not ok - word %08x: %s\n", word, what);
    exit(1);
}

static void must(bool ok, uint32_t word, const char *what)
{
    if (__builtin_expect(!ok, 0))
        wrong(word, what);
}

/* Kinds of access that were gone through: all members that say where bytes belong. */
static uint64_t seen[NR_SEEN];
static unsigned nr_seen;

static bool is_new(const struct avc_access *a)
{
    uint64_t key = 1 | (uint64_t)a->form << 1 | (uint64_t)a->size << 4 | (uint64_t)a->nr << 9 |
                   (uint64_t)a->reg[0] << 17 | (uint64_t)a->reg[1] << 22 | (uint64_t)a->regs << 27 |
                   (uint64_t)a->lane << 30 | (uint64_t)a->width << 34 | (uint64_t)a->sign << 39 |
                   (uint64_t)a->wide << 40 | (uint64_t)a->rounds << 41;
    uint64_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 42;

    for (; seen[at]; at = (at + 1) % NR_SEEN)
        if (seen[at] == key)
            return false;
    seen[at] = key;
    if (++nr_seen > NR_SEEN / 2)
        wrong(0, "more kinds of access than there is room for");
    return true;
}

/* Out of registers and back: bytes are written within `data`, and a load after a store changes no register but by what
   its extension does. The sanitizers see the rest. */
static void move(uint32_t word, const struct avc_access *a)
{
    static struct avc_fp fp, fp_before;
    uint8_t *data = malloc(avc_access_bytes(a));
    uint64_t *x = malloc(31 * sizeof *x);

    for (unsigned big = 0; big < 2; big++) {
        for (unsigned n = 0; n < 31; n++)
            x[n] = UINT64_C(0x0101010101010101) * (n + 1);
        for (unsigned n = 0; n < 32; n++)
            fp.v[n][0] = fp.v[n][1] = UINT64_C(0x0101010101010101) * (n + 0x41);
        fp_before = fp;
        memset(data, 0xa5, avc_access_bytes(a));
        avc_access_gather(a, big, x, &fp, data);
        for (unsigned n = 0; n < avc_access_bytes(a); n++)
            must(data[n] != 0xa5, word, "a byte of memory that no register gives");
        avc_access_scatter(a, big, data, x, &fp);
        for (unsigned n = 0; n < 31; n++)
            must((uint8_t)x[n] == n + 1, word, "a load after the store changes a general register's lowest byte");
        for (unsigned n = 0; n < 32; n++)
            must((uint8_t)fp.v[n][0] == (uint8_t)fp_before.v[n][0], word, "... a V register's");
    }
    free(x);
    free(data);
}

static void check(uint32_t word)
{
    struct avc_access a;

    if (!avc_decode_a64(word, &a))
        return;
    must(a.what <= AVC_ACCESS_EXCLUSIVE && a.form <= AVC_FORM_BANK, word, "what or form");
    must(a.reg[0] < 32 && a.reg[1] < 32 && a.base <= AVC_BASE_PC, word, "a register");
    must(a.index < 32 || a.index == AVC_NO_INDEX, word, "the index register");
    must(a.shift <= 4 && a.extend < AVC_SHIFT_LSL32, word, "the shift");
    if (a.what != AVC_ACCESS_LOAD && a.what != AVC_ACCESS_STORE)
        return;
    must(a.size && !(a.size & (a.size - 1)) && a.size <= 16, word, "the size");
    must(a.nr && avc_access_bytes(&a) <= AVC_ACCESS_MAX, word, "the number of elements");
    must(avc_access_is_fp(&a) || a.size <= 8, word, "a general register of 16 bytes");
    if (is_new(&a))
        move(word, &a);
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, last = argc > 2 ? strtoull(argv[2], NULL, 0) : 255;

    for (uint64_t word = first << 24; word < (last + 1) << 24; word++)
        check((uint32_t)word);
    printf("%llu words, %u kinds of access\n", (unsigned long long)((last + 1 - first) << 24), nr_seen);
    return 0;
}
