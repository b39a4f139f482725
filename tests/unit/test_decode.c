/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Loads and stores on values: bounds for any word, registers and bytes both ways, addresses. The words themselves are
   compared with a disassembler: tests/oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/decode/decode.h"

static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void fill(void *p, size_t n)
{
    for (uint8_t *b = p; n--; b++)
        *b = (uint8_t)(any() >> 20);
}

struct machine {
    uint64_t x[31];
    struct avc_fp fp;
};

static struct avc_access decoded(uint32_t word)
{
    struct avc_access a;

    assert_true(avc_decode_a64(word, &a));
    return a;
}

static bool moves(const struct avc_access *a)
{
    return a->what == AVC_ACCESS_LOAD || a->what == AVC_ACCESS_STORE;
}

/* A general register that is loaded twice, and XZR, do not keep what was loaded. */
static bool is_lossy(const struct avc_access *a)
{
    return a->form == AVC_FORM_GPR && (a->reg[0] == 31 || (a->nr == 2 && (a->reg[1] == 31 || a->reg[0] == a->reg[1])));
}

/*
 * For any word the registers and sizes are in bounds, and a store of what was loaded gives the bytes back. ASan checks
 * the array's bounds.
 */
static void any_word(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (unsigned n = 0; n < 1000000; n++) {
        uint32_t word = ((uint32_t)any() & ~UINT32_C(0x0a000000)) | UINT32_C(0x08000000);
        struct machine m;
        struct avc_access a;
        uint8_t *in, *out;
        unsigned bytes;

        if (!avc_decode_a64(word, &a))
            continue;
        assert_in_range(a.what, AVC_ACCESS_NONE, AVC_ACCESS_EXCLUSIVE);
        assert_in_range(a.base, 0, AVC_BASE_PC);
        assert_true(a.index < 32 || a.index == AVC_NO_INDEX);
        if (!moves(&a))
            continue;
        bytes = avc_access_bytes(&a);
        assert_true(a.size && !(a.size & (a.size - 1)) && a.size <= 16);
        assert_in_range(bytes, 1, 64);
        assert_in_range(a.shift, 0, 4);
        if (seen++ % 16)
            continue;
        in = malloc(bytes);
        out = malloc(bytes);
        fill(in, bytes);
        fill(&m, sizeof m);
        for (unsigned big = 0; big < 2; big++) {
            avc_access_scatter(&a, big, in, m.x, &m.fp);
            avc_access_gather(&a, big, m.x, &m.fp, out);
            if (!is_lossy(&a) && !(a.form == AVC_FORM_VECTOR && a.nr == 2 && a.reg[0] == a.reg[1]))
                assert_memory_equal(in, out, bytes);
        }
        free(in);
        free(out);
    }
    assert_true(seen > 200000);
}

/* The same of A32 and T32: at EL0 there are R0 to R14, and 32 doublewords. */
static void any_word_of_aarch32(void **state)
{
    unsigned seen[2] = { 0 };

    (void)state;
    for (unsigned n = 0; n < 1000000; n++) {
        bool t32 = n & 1;
        uint32_t word = (uint32_t)any();
        struct machine m;
        struct avc_access a;
        uint8_t *in, *out;
        unsigned bytes;

        if (t32)
            word = n & 2 ? word >> 16 : word | 0xe8000000;
        if (!(t32 ? avc_decode_t32(word, &a) : avc_decode_a32(word, &a)))
            continue;
        assert_true(a.base < 15 || a.base == AVC_BASE_PC);
        assert_true(a.index < 15 || a.index == AVC_NO_INDEX);
        if (!moves(&a))
            continue;
        seen[t32]++;
        bytes = avc_access_bytes(&a);
        assert_in_range(bytes, 1, AVC_ACCESS_MAX);
        assert_in_range(a.shift, 0, 32);
        assert_true(a.form != AVC_FORM_GPR || ((a.reg[0] < 15 + a.r15 || a.table) && (a.nr == 1 || a.reg[1] < 15)));
        assert_true(a.form != AVC_FORM_LIST || a.list >> 15 == a.r15);
        assert_true(!a.r15 || (a.size == 4 && !avc_access_is_fp(&a)));
        in = malloc(bytes);
        out = malloc(bytes);
        fill(in, bytes);
        avc_access_scatter(&a, n & 4, in, m.x, &m.fp);
        avc_access_gather(&a, n & 4, m.x, &m.fp, out);
        if (a.r15)
            avc_access_pc_stored(&a, n & 4, avc_access_pc_loaded(&a, n & 4, in), out);
        if (!a.table && (a.form != AVC_FORM_GPR || a.nr == 1 || a.reg[0] != a.reg[1]))
            assert_memory_equal(in, out, bytes);
        free(in);
        free(out);
    }
    assert_true(seen[0] > 50000 && seen[1] > 50000);
}

/* Loads of the PC that are UNPREDICTABLE. */
static void refused(void **state)
{
    static const uint32_t a32[] = { 0xe5d1f004, 0xe4b1f004, 0xe1c1f0b4 },     /* ldrb, ldrt, strh */
        t32[] = { 0xf851fe04, 0xf891f004, 0xf841f004, 0xe8b1c002, 0xe8a18002, /* ldrt, ldrb, str, ldm with LR, stm */
                  0xe8d1f00f, 0xe8d1f01f, 0xe8c1f002, 0xe8d1e002 };           /* tbb, tbh by the PC; not quite tbb */
    struct avc_access a;

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(a32); n++)
        if (avc_decode_a32(a32[n], &a))
            fail_msg("a32 %08x", a32[n]);
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(t32); n++)
        if (avc_decode_t32(t32[n], &a))
            fail_msg("t32 %08x", t32[n]);
}

/* ---- what is in which register ---- */

static const uint8_t counted[64] = {
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x90,
    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20,
    0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30,
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40,
};

/* Loads the bytes above. What the instruction does not name must stay 0x5a5a... */
static void load(struct machine *m, uint32_t word, bool big)
{
    struct avc_access a = decoded(word);

    memset(m, 0x5a, sizeof *m);
    avc_access_scatter(&a, big, counted, m->x, &m->fp);
}

#define OLD UINT64_C(0x5a5a5a5a5a5a5a5a)

static void check_v(const struct machine *m, unsigned n, uint64_t high, uint64_t low)
{
    assert_int_equal(m->fp.v[n][0], low);
    assert_int_equal(m->fp.v[n][1], high);
}

static void general_registers(void **state)
{
    static const struct {
        uint32_t word;
        uint64_t x3, x4;
        bool big;
    } cases[] = {
        { 0xf9400003, 0x8807060504030201, OLD, false },                /* ldr x3, [x0] */
        { 0xf9400003, 0x0102030405060788, OLD, true },                 /* ... big-endian */
        { 0xb9400003, 0x04030201, OLD, false },                        /* ldr w3, [x0] */
        { 0x39c00003, 0x01, OLD, false },                              /* ldrsb w3, [x0] */
        { 0x79c00003, 0x0102, OLD, true },                             /* ldrsh w3, [x0], big-endian */
        { 0xa9401003, 0x8807060504030201, 0x900f0e0d0c0b0a09, false }, /* ldp x3, x4, [x0] */
        { 0x29401003, 0x04030201, 0x88070605, false },                 /* ldp w3, w4, [x0] */
        { 0x69401003, 0x04030201, 0xffffffff88070605, false },         /* ldpsw x3, x4, [x0] */
        { 0xa9400c1f, 0x900f0e0d0c0b0a09, OLD, false },                /* ldp xzr, x3, [x0] */
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct machine m;

        load(&m, cases[n].word, cases[n].big);
        assert_int_equal(m.x[3], cases[n].x3);
        assert_int_equal(m.x[4], cases[n].x4);
        for (unsigned r = 0; r < 31; r++)
            if (r != 3 && r != 4)
                assert_int_equal(m.x[r], OLD);
    }
}

static void vector_registers(void **state)
{
    struct machine m;

    (void)state;
    load(&m, 0x3dc00003, false); /* ldr q3, [x0] */
    check_v(&m, 3, 0x900f0e0d0c0b0a09, 0x8807060504030201);
    check_v(&m, 4, OLD, OLD);
    load(&m, 0x3dc00003, true); /* a quadword is turned round whole */
    check_v(&m, 3, 0x0102030405060788, 0x090a0b0c0d0e0f90);
    load(&m, 0x3d400003, false); /* ldr b3, [x0]: what is above is cleared */
    check_v(&m, 3, 0, 0x01);
    load(&m, 0x2d401003, false); /* ldp s3, s4, [x0] */
    check_v(&m, 3, 0, 0x04030201);
    check_v(&m, 4, 0, 0x88070605);
    load(&m, 0x0c408403, false); /* ld2 {v3.4h, v4.4h}, [x0] */
    check_v(&m, 3, 0, 0x0e0d0a0906050201);
    check_v(&m, 4, 0, 0x900f0c0b88070403);
    load(&m, 0x0c408403, true); /* lanes keep their order, and the bytes of each are reversed */
    check_v(&m, 3, 0, 0x0d0e090a05060102);
    load(&m, 0x4c40281f, false); /* ld1 {v31.4s, v0.4s}... of four: v31, v0, v1, v2 */
    check_v(&m, 31, 0x900f0e0d0c0b0a09, 0x8807060504030201);
    check_v(&m, 0, 0x201f1e1d1c1b1a19, 0x1817161514131211);
    check_v(&m, 2, 0x403f3e3d3c3b3a39, 0x3837363534333231);
    load(&m, 0x4d404803, false); /* ld1 {v3.h}[5], [x0]: the other lanes stay */
    check_v(&m, 3, 0x5a5a5a5a02015a5a, OLD);
    load(&m, 0x0d40c803, false); /* ld1r {v3.2s}, [x0] */
    check_v(&m, 3, 0, 0x0403020104030201);
    load(&m, 0x4d60e403, false); /* ld4r {v3.8h - v6.8h}, [x0] */
    check_v(&m, 3, 0x0201020102010201, 0x0201020102010201);
    check_v(&m, 6, 0x8807880788078807, 0x8807880788078807);
}

/* AArch32's banks: S and D registers are parts of V registers, whose other parts stay. */
static void banks(void **state)
{
    struct avc_access a = {
        .what = AVC_ACCESS_LOAD, .form = AVC_FORM_BANK, .size = 4, .width = 4, .nr = 3, .reg = { 3 }
    };
    struct machine m;

    (void)state;
    memset(&m, 0x5a, sizeof m);
    avc_access_scatter(&a, false, counted, m.x, &m.fp); /* s3, s4, s5 */
    check_v(&m, 0, 0x040302015a5a5a5a, OLD);
    check_v(&m, 1, OLD, 0x0c0b0a0988070605);
    a = (struct avc_access){
        .what = AVC_ACCESS_LOAD, .form = AVC_FORM_BANK, .size = 8, .width = 8, .nr = 2, .reg = { 31 }
    };
    memset(&m, 0x5a, sizeof m);
    avc_access_scatter(&a, false, counted, m.x, &m.fp); /* d31; there is no d32, and it must do no harm */
    check_v(&m, 15, 0x8807060504030201, OLD);
    a = (struct avc_access){ .what = AVC_ACCESS_LOAD, .form = AVC_FORM_LIST, .size = 4, .nr = 3, .list = 0x4011 };
    memset(&m, 0x5a, sizeof m);
    avc_access_scatter(&a, false, counted, m.x, &m.fp);
    assert_int_equal(m.x[0], 0x04030201);
    assert_int_equal(m.x[4], 0x88070605);
    assert_int_equal(m.x[14], 0x0c0b0a09);
    a = (struct avc_access){
        .what = AVC_ACCESS_LOAD, .form = AVC_FORM_LIST, .size = 4, .nr = 2, .list = 0x8001, .r15 = true
    }; /* the PC is no register here */
    memset(&m, 0x5a, sizeof m);
    avc_access_scatter(&a, false, counted, m.x, &m.fp);
    assert_int_equal(m.x[0], 0x04030201);
    assert_int_equal(m.x[15], OLD);
    assert_int_equal(avc_access_pc_loaded(&a, false, counted), 0x88070605);
    assert_int_equal(avc_access_pc_loaded(&a, true, counted), 0x05060788);
}

/* ---- addresses ---- */

static void distances(void **state)
{
    static const struct {
        uint32_t word;
        uint64_t index, distance;
    } a64[] = {
        { 0xf9400421, 0, 8 },                                       /* ldr x1, [x1, #8] */
        { 0xf85f8021, 0, (uint64_t)-8 },                            /* ldur x1, [x1, #-8] */
        { 0xa97f0821, 0, (uint64_t)-16 },                           /* ldp x1, x2, [x1, #-16] */
        { 0x6d400821, 0, 0 },                                       /* ldp d1, d2, [x1] */
        { 0xf8626821, 0x123456789, 0x123456789 },                   /* ldr x1, [x1, x2] */
        { 0xf8627821, 0x123456789, 0x91a2b3c48 },                   /* ldr x1, [x1, x2, lsl #3] */
        { 0xf8625821, 0xfffffffffffffff0, 0x7ffffff80 },            /* ldr x1, [x1, w2, uxtw #3] */
        { 0xf862d821, 0xfffffff0, (uint64_t)-128 },                 /* ldr x1, [x1, w2, sxtw #3] */
        { 0x3ce27821, 3, 48 },                                      /* ldr q1, [x1, x2, lsl #4] */
        { 0x18ffffe1, 0, (uint64_t)-4 },                            /* ldr w1, .-4 */
        { 0x4cdf2021, 0, 64 },                                      /* ld1 {v1.16b-v4.16b}, [x1], #64 */
        { 0xf8300421 & ~UINT32_C(0x200000), 0, UINT64_C(0) - 256 }, /* str x1, [x1], #-256 */
    };
    static const struct {
        uint8_t extend, shift;
        uint32_t index;
        bool carry, subtract;
        uint64_t distance;
    } a32[] = {
        { AVC_SHIFT_LSL32, 0, 0x80000001, false, false, 0x80000001 },
        { AVC_SHIFT_LSL32, 4, 0x80000001, false, false, 0x10 },
        { AVC_SHIFT_LSR32, 32, 0x80000001, false, false, 0 },
        { AVC_SHIFT_ASR32, 32, 0x80000001, false, false, 0xffffffff },
        { AVC_SHIFT_ASR32, 4, 0x80000001, false, true, (uint64_t)-0xf8000000 },
        { AVC_SHIFT_ROR32, 4, 0x80000001, false, false, 0x18000000 },
        { AVC_SHIFT_RRX32, 0, 0x80000001, true, false, 0xc0000000 },
        { AVC_SHIFT_RRX32, 0, 0x80000001, false, false, 0x40000000 },
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(a64); n++) {
        struct avc_access a = decoded(a64[n].word);

        assert_int_equal(avc_access_distance(&a, a64[n].index, false), a64[n].distance);
    }
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(a32); n++) {
        struct avc_access a = {
            .extend = a32[n].extend, .shift = a32[n].shift, .index = 3, .subtract = a32[n].subtract
        };

        assert_int_equal((uint32_t)avc_access_distance(&a, a32[n].index, a32[n].carry), (uint32_t)a32[n].distance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_word),          cmocka_unit_test(any_word_of_aarch32), cmocka_unit_test(refused),
        cmocka_unit_test(general_registers), cmocka_unit_test(vector_registers),    cmocka_unit_test(banks),
        cmocka_unit_test(distances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
