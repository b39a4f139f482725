/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * AArch32's Advanced SIMD structures, and what else of AArch32 touches parts of V registers: each word against a model
 * that is written as the Arm ARM's pseudocode is (DDI 0487, F6.1, VLD1 to VST4), one instruction after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/decode/decode.h"

struct model {
    uint8_t d[32][8];
    uint8_t mem[64];
    unsigned bytes; /* that the instruction has loaded or stored */
    bool load, big;
};

static void element(struct model *m, unsigned d, unsigned e, unsigned ebytes)
{
    for (unsigned n = 0; n < ebytes; n++) {
        uint8_t *reg = &m->d[d][e * ebytes + n], *mem = &m->mem[m->bytes + (m->big ? ebytes - 1 - n : n)];

        if (m->load)
            *reg = *mem;
        else
            *mem = *reg;
    }
    m->bytes += ebytes;
}

static bool multiple(struct model *m, unsigned d, unsigned type, unsigned size, unsigned align)
{
    unsigned ebytes = 1u << size, elements = 8 / ebytes, inc, regs;

    switch (type) {
    case 0x7: /* VLD1 */
    case 0xa:
    case 0x6:
    case 0x2:
        regs = type == 7 ? 1 : type == 0xa ? 2 : type == 6 ? 3 : 4;
        if ((regs & 1 && align & 2) || (regs == 2 && align == 3) || d + regs > 32)
            return false;
        for (unsigned r = 0; r < regs; r++)
            for (unsigned e = 0; e < elements; e++)
                element(m, d + r, e, ebytes);
        return true;
    case 0x8: /* VLD2 */
    case 0x9:
    case 0x3:
        regs = type == 3 ? 2 : 1;
        inc = type == 8 ? 1 : 2;
        if (size == 3 || (regs == 1 && align == 3) || d + inc + regs > 32)
            return false;
        for (unsigned r = 0; r < regs; r++)
            for (unsigned e = 0; e < elements; e++) {
                element(m, d + r, e, ebytes);
                element(m, d + inc + r, e, ebytes);
            }
        return true;
    case 0x4: /* VLD3 */
    case 0x5:
        inc = type == 4 ? 1 : 2;
        if (size == 3 || align & 2 || d + 2 * inc > 31)
            return false;
        for (unsigned e = 0; e < elements; e++)
            for (unsigned r = 0; r < 3; r++)
                element(m, d + r * inc, e, ebytes);
        return true;
    case 0x0: /* VLD4 */
    case 0x1:
        inc = type == 0 ? 1 : 2;
        if (size == 3 || d + 3 * inc > 31)
            return false;
        for (unsigned e = 0; e < elements; e++)
            for (unsigned r = 0; r < 4; r++)
                element(m, d + r * inc, e, ebytes);
        return true;
    default:
        return false;
    }
}

static bool single(struct model *m, unsigned d, unsigned n, unsigned size, unsigned index_align)
{
    unsigned inc = 1, index = index_align >> (size + 1);
    bool undefined = false;

    switch (n) {
    case 0:
        undefined = size == 0   ? index_align & 1
                    : size == 1 ? index_align & 2
                                : index_align & 4 || ((index_align & 3) != 0 && (index_align & 3) != 3);
        break;
    case 1:
        undefined = size == 2 && index_align & 2;
        break;
    case 2:
        undefined = size == 2 ? index_align & 3 : index_align & 1;
        break;
    default:
        undefined = size == 2 && (index_align & 3) == 3;
        break;
    }
    if (n && size == 1 && index_align & 2)
        inc = 2;
    if (n && size == 2 && index_align & 4)
        inc = 2;
    if (undefined || d + n * inc > 31)
        return false;
    for (unsigned r = 0; r <= n; r++)
        element(m, d + r * inc, index, 1u << size);
    return true;
}

static void to_all(struct model *m, unsigned d, unsigned ebytes)
{
    unsigned at = m->bytes;

    for (unsigned e = 0; e < 8 / ebytes; e++) {
        m->bytes = at;
        element(m, d, e, ebytes);
    }
}

static bool all_lanes(struct model *m, unsigned d, unsigned n, unsigned size, bool t, bool a)
{
    unsigned ebytes = size == 3 ? 4 : 1u << size, inc = t ? 2 : 1;

    if (!m->load)
        return false;
    if (n == 0) {
        if (size == 3 || (size == 0 && a) || d + inc > 32) /* T: two registers */
            return false;
        for (unsigned r = 0; r < inc; r++) {
            m->bytes = 0;
            to_all(m, d + r, ebytes);
        }
        return true;
    }
    if ((n == 1 && size == 3) || (n == 2 && (size == 3 || a)) || (n == 3 && size == 3 && !a) || d + n * inc > 31)
        return false;
    for (unsigned r = 0; r <= n; r++)
        to_all(m, d + r * inc, ebytes);
    return true;
}

static bool modelled(struct model *m, uint32_t w)
{
    unsigned d = (w >> 22 & 1) << 4 | (w >> 12 & 15);

    m->bytes = 0;
    m->load = w >> 21 & 1;
    if (!(w >> 23 & 1))
        return multiple(m, d, w >> 8 & 15, w >> 6 & 3, w >> 4 & 3);
    if ((w >> 10 & 3) == 3)
        return all_lanes(m, d, w >> 8 & 3, w >> 6 & 3, w >> 5 & 1, w >> 4 & 1);
    return single(m, d, w >> 8 & 3, w >> 10 & 3, w >> 4 & 15);
}

/* The 2^15 words that differ in what is moved, little- and big-endian. */
static void each_structure(void **state)
{
    unsigned decoded = 0;

    (void)state;
    for (unsigned n = 0; n < 1u << 16; n++) {
        uint32_t w = 0xf4000000 | (n >> 14 & 1) << 23 | (n >> 13 & 1) << 22 | (n >> 12 & 1) << 21 | 3 << 16 |
                     (n >> 8 & 15) << 12 | (n & 255) << 4 | 15;
        struct model m = { .big = n >> 15 }, before;
        struct avc_access a;
        struct avc_fp fp;
        uint8_t data[AVC_ACCESS_MAX];
        uint64_t x[31] = { 0 };
        bool want, got;

        for (unsigned i = 0; i < sizeof m.d; i++)
            m.d[i / 8][i % 8] = (uint8_t)(i * 7 + 1);
        for (unsigned i = 0; i < sizeof m.mem; i++)
            m.mem[i] = (uint8_t)(0x80 + i);
        memset(&fp, 0xaa, sizeof fp);
        memcpy(fp.v, m.d, sizeof m.d);
        before = m;
        want = modelled(&m, w);
        got = avc_decode_a32(w, &a);
        if (want != got)
            fail_msg("%08x: decoded %d", w, got);
        if (!want)
            continue;
        decoded++;
        assert_int_equal(a.what, m.load ? AVC_ACCESS_LOAD : AVC_ACCESS_STORE);
        assert_int_equal(avc_access_bytes(&a), m.bytes);
        memcpy(data, before.mem, sizeof before.mem);
        if (m.load)
            avc_access_scatter(&a, m.big, data, x, &fp);
        else
            avc_access_gather(&a, m.big, x, &fp, data);
        if (memcmp(fp.v, m.d, sizeof m.d) != 0 || memcmp(data, m.mem, m.bytes) != 0)
            fail_msg("%08x: %s", w, m.load ? "registers" : "memory");
        for (unsigned v = 16; v < 32; v++)
            assert_int_equal(fp.v[v][0] & fp.v[v][1], UINT64_C(0xaaaaaaaaaaaaaaaa));
    }
    assert_in_range(decoded, 15000, 40000);
}

/* Base and write-back: Rm is the PC for none, SP for the size, or an index. */
static void each_write_back(void **state)
{
    static const struct {
        uint32_t word;
        int32_t bytes;
    } forms[] = {
        { 0xf4230700, 8 }, { 0xf423010f & ~15u, 32 }, { 0xf4a30f00, 4 }, { 0xf4a30c20, 1 }, { 0xf4a30e40, 6 }
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(forms); n++)
        for (unsigned rn = 0; rn < 16; rn++)
            for (unsigned rm = 0; rm < 16; rm++) {
                uint32_t w = (forms[n].word & ~0xf000fu) | rn << 16 | rm;
                struct avc_access a;

                assert_int_equal(avc_decode_a32(w, &a), rn != 15);
                assert_int_equal(avc_decode_t32(w + 0x05000000, &a), rn != 15);
                if (rn == 15)
                    continue;
                assert_int_equal(a.base, rn);
                assert_int_equal(a.write_back, rm != 15);
                assert_int_equal(a.post, rm != 15);
                assert_int_equal(avc_access_distance(&a, 0x100, false), rm == 15   ? 0
                                                                        : rm == 13 ? forms[n].bytes
                                                                                   : 0x100);
            }
}

/* A halfword is the low half of an S register, whose upper half a load clears. */
static void each_half(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 32; s++)
        for (unsigned big = 0; big < 2; big++) {
            uint32_t w = 0xedd30900 | (s & 1) << 22 | s >> 1 << 12;
            uint8_t data[2] = { 0x34, 0x12 }, back[2];
            struct avc_access a;
            struct avc_fp fp, want;
            uint64_t x[31];

            w = (w & ~0x400000u) | (s & 1) << 22;
            memset(&fp, 0xaa, sizeof fp);
            want = fp;
            assert_true(avc_decode_a32(w, &a));
            assert_int_equal(avc_access_bytes(&a), 2);
            avc_access_scatter(&a, big, data, x, &fp);
            ((uint32_t *)want.v)[s] = big ? 0x3412 : 0x1234;
            assert_memory_equal(&fp, &want, sizeof fp);
            assert_true(avc_decode_a32(w & ~0x100000u, &a));
            avc_access_gather(&a, big, x, &fp, back);
            assert_memory_equal(data, back, 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_structure),
        cmocka_unit_test(each_write_back),
        cmocka_unit_test(each_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
