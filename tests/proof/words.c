/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The decoder on each word of A64, A32 and T32, and the registers and bytes of each kind of access that comes of them:
 * what must hold is checked for all, under the sanitizers.
 *
 *     prove_words a64|a32|t32 FIRST LAST
 *
 * FIRST and LAST are in units of 2^24 words. T32's words of four bytes begin at unit 0xe8; those of two bytes are in
 * unit 0.
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
                   (uint64_t)a->wide << 40 | (uint64_t)a->rounds << 41 | (uint64_t)a->list << 44 |
                   (uint64_t)a->step << 60 | (uint64_t)a->r15 << 62;
    uint64_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 42;

    for (; seen[at]; at = (at + 1) % NR_SEEN)
        if (seen[at] == key)
            return false;
    seen[at] = key;
    if (++nr_seen > NR_SEEN / 2)
        wrong(0, "more kinds of access than there is room for");
    return true;
}

/* Does a load after a store give all bytes of the V registers back? Others clear what is above, or replicate. */
static bool is_exact(const struct avc_access *a)
{
    return a->form == AVC_FORM_LANES32 || a->form == AVC_FORM_LANE32 || a->form == AVC_FORM_LANE ||
           (a->form == AVC_FORM_BANK && a->size == a->width);
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
            fp.v[n][0] = fp.v[n][1] = UINT64_C(0x0101010101010101) * (a->rounds > 1 ? 0x41 : n + 0x41);
        fp_before = fp;
        memset(data, 0xa5, avc_access_bytes(a));
        avc_access_gather(a, big, x, &fp, data);
        if (a->r15)
            avc_access_pc_stored(a, big, 0x01010101, data);
        for (unsigned n = 0; n < avc_access_bytes(a); n++)
            must(data[n] != 0xa5, word, "a byte of memory that no register gives");
        avc_access_scatter(a, big, data, x, &fp);
        for (unsigned n = 0; n < 31; n++)
            must((uint8_t)x[n] == n + 1, word, "a load after the store changes a general register's lowest byte");
        for (unsigned n = 0; n < 32; n++)
            must((uint8_t)fp.v[n][0] == (uint8_t)fp_before.v[n][0], word, "... a V register's");
        must(!is_exact(a) || !memcmp(&fp, &fp_before, sizeof fp), word, "... any byte of a V register");
        must(!a->r15 || avc_access_pc_loaded(a, big, data) == 0x01010101, word, "the PC");
    }
    free(x);
    free(data);
}

enum set { A64, A32, T32 };

static bool decode(enum set set, uint32_t word, struct avc_access *a)
{
    return set == A64 ? avc_decode_a64(word, a) : set == A32 ? avc_decode_a32(word, a) : avc_decode_t32(word, a);
}

/* What is different in AArch32: fifteen registers and the PC, its own shifts, D and S registers. */
static void check_aarch32(uint32_t word, const struct avc_access *a)
{
    must(a->base < 15 || a->base == AVC_BASE_PC, word, "the base");
    must(a->index < 15 || a->index == AVC_NO_INDEX, word, "the index register");
    must(a->shift <= 32 && a->extend >= AVC_SHIFT_LSL32 && a->extend <= AVC_SHIFT_RRX32, word, "the shift");
    must(!a->signed_base && !a->wide, word, "a mark of A64");
    if (a->what != AVC_ACCESS_LOAD && a->what != AVC_ACCESS_STORE)
        return;
    if (a->form == AVC_FORM_GPR)
        must((a->reg[0] < 15u + a->r15 || a->table) && (a->nr == 1 || (a->nr == 2 && a->reg[1] < 15)), word,
             "a general register");
    if (a->form == AVC_FORM_LIST)
        must(a->list >> 15 == a->r15 && __builtin_popcount(a->list) == a->nr, word, "the list");
    if (a->form == AVC_FORM_BANK)
        must((a->reg[0] + a->nr) * a->width <= 32 * 8, word, "a register behind D31");
    if (a->form > AVC_FORM_BANK)
        must(a->reg[0] + (a->regs - 1u) * a->step + a->rounds <= 32, word, "a register behind D31");
    must(!a->r15 || (a->size == 4 && a->form <= AVC_FORM_LIST), word, "an element that is not the PC");
    must(!a->table || (a->what == AVC_ACCESS_LOAD && a->size <= 2 && a->nr == 1 && a->reg[0] == 31 && !a->r15 &&
                       !a->write_back && a->form == AVC_FORM_GPR),
         word, "a table's entry");
    must(a->size <= 8, word, "the size");
}

static void check_a64(uint32_t word, const struct avc_access *a)
{
    must(a->index < 32 || a->index == AVC_NO_INDEX, word, "the index register");
    must(a->shift <= 4 && a->extend < AVC_SHIFT_LSL32, word, "the shift");
    must(a->form < AVC_FORM_BANK && !a->r15 && !a->table && !a->subtract, word, "a mark of AArch32");
}

/* Conditions are not looked at: a trapped instruction has passed its own. So two of the sixteen stand for all. */
static void check_condition(uint32_t word, const struct avc_access *a)
{
    struct avc_access other;

    must(avc_decode_a32((word & 0x0fffffff) | word % 14 << 28, &other) && !memcmp(a, &other, sizeof other), word,
         "a condition makes a difference");
}

static void check(enum set set, uint32_t word)
{
    struct avc_access a;

    if (!decode(set, word, &a))
        return;
    must(a.what <= AVC_ACCESS_EXCLUSIVE && a.form <= AVC_FORM_REPLICATE32, word, "what or form");
    must(a.reg[0] < 32 && a.reg[1] < 32 && a.base <= AVC_BASE_PC, word, "a register");
    if (set == A64)
        check_a64(word, &a);
    else
        check_aarch32(word, &a);
    if (set == A32 && word >> 28 == 14)
        check_condition(word, &a);
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
    enum set set = argc > 1 && !strcmp(argv[1], "a32") ? A32 : argc > 1 && !strcmp(argv[1], "t32") ? T32 : A64;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0, last = argc > 3 ? strtoull(argv[3], NULL, 0) : 255;

    for (uint64_t word = first << 24; word < (last + 1) << 24; word++)
        check(set, (uint32_t)word);
    printf("%llu words, %u kinds of access\n", (unsigned long long)((last + 1 - first) << 24), nr_seen);
    return 0;
}
