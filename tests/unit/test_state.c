/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Streams of records: the format byte by byte, and every way in which a stream can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <avc/state.h>

#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A model with each width and class. */
struct thing {
    uint64_t base;
    uint16_t half[3];
    uint8_t byte;
    uint32_t word;
};

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct thing, base, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct thing, half, 3),
    AVC_STATE_ROW(4, AVC_STATE_OPTIONAL, struct thing, byte, 1),
    AVC_STATE_ROW(0x80000000, AVC_STATE_NEEDED, struct thing, word, 1),
};
static const struct avc_state_model model = { .id = 0x1234, .nr = SIZE(fields), .field = fields };
static const struct avc_state_model empty = { .id = 2 };

static const struct thing there = { 0x0123456789abcdef, { 0x1122, 0x3344, 0x5566 }, 0x77, 0x8899aabb };
static const struct thing here = { 0x0123456789abcdef, { 1, 2, 3 }, 4, 5 };

/* What `there` looks like as object 5. */
#define ID(field) field, 0x34, 0x12, 0x05, 0x00
static const uint8_t golden[] = {
    'A', 'V', 'C', 'S',      1, 0, 0, 0, 112, 0, 0, 0, 0,    0,    0,    0, /* version, bytes */
    0,   0,   0,   ID(0),    1, 0, 0, 0, 8,   0, 0, 0, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
    3,   0,   0,   ID(0),    2, 0, 0, 0, 6,   0, 0, 0, 0x22, 0x11, 0x44, 0x33, 0x66, 0x55, 0,    0,
    4,   0,   0,   ID(0),    3, 0, 0, 0, 1,   0, 0, 0, 0x77, 0,    0,    0,    0,    0,    0,    0,
    0,   0,   0,   ID(0x80), 2, 0, 0, 0, 4,   0, 0, 0, 0xbb, 0xaa, 0x99, 0x88, 0,    0,    0,    0,
};
/* Where the four records begin, and where each of their parts does. */
#define RECORD(n) (16u + 24 * (n))
enum { CLASS = 8, LENGTH = 12, VALUE = 16 };

static struct thing got;
static const struct avc_state_object one = { &model, 5, &got };

static void same(const struct thing *a, const struct thing *b)
{
    assert_int_equal(a->base, b->base);
    assert_memory_equal(a->half, b->half, sizeof(a->half));
    assert_int_equal(a->byte, b->byte);
    assert_int_equal(a->word, b->word);
}

/* Reads, and sees that nothing has changed if that fails. */
static enum avc_status reads(const uint8_t *stream, size_t bytes, uint64_t *id)
{
    enum avc_status status;

    got = here;
    status = avc_state_read(stream, bytes, &one, 1, id);
    if (status)
        same(&got, &here);
    return status;
}

static void test_format(void **state)
{
    struct thing from = there;
    struct avc_state_object object = { &model, 5, &from };
    uint8_t buffer[sizeof(golden) + 9];
    size_t bytes;

    (void)state;
    for (unsigned shift = 0; shift < 8; shift++) { /* the buffer has no alignment */
        memset(buffer, 0xee, sizeof(buffer));
        assert_int_equal(avc_state_write(buffer + shift, sizeof(golden), &object, 1, &bytes), AVC_OK);
        assert_int_equal(bytes, sizeof(golden));
        assert_memory_equal(buffer + shift, golden, sizeof(golden));
        assert_int_equal(buffer[shift + sizeof(golden)], 0xee);
        assert_int_equal(reads(buffer + shift, sizeof(golden), NULL), AVC_OK);
        same(&got, &there);
    }
}

static void test_room(void **state)
{
    struct thing from = there;
    struct avc_state_object object = { &model, 5, &from };
    uint8_t buffer[sizeof(golden)] = { 0 };
    size_t bytes = 0;

    (void)state;
    assert_int_equal(avc_state_write(NULL, 0, &object, 1, &bytes), AVC_ENOMEM);
    assert_int_equal(bytes, sizeof(golden));
    for (size_t room = 0; room < sizeof(golden); room++) {
        assert_int_equal(avc_state_write(buffer, room, &object, 1, &bytes), AVC_ENOMEM);
        assert_int_equal(buffer[0], 0);
    }
    assert_int_equal(avc_state_write(buffer, 16, NULL, 0, &bytes), AVC_OK); /* of no objects */
    assert_int_equal(bytes, 16);
    assert_int_equal(avc_state_read(buffer, 16, NULL, 0, NULL), AVC_OK);
}

static void test_objects(void **state)
{
    struct thing a = there, b = here, c = here, nothing, x = { .base = there.base }, y = x, z = x;
    struct avc_state_object all[] = { { &empty, 0, &nothing },     { &model, 0, &a }, { &empty, 1, &nothing },
                                      { &empty, 2, &nothing },     { &model, 2, &b }, { &model, 0xffff, &c },
                                      { &empty, 0xffff, &nothing } };
    struct avc_state_object back[] = { { &model, 0, &x }, { &model, 2, &y }, { &model, 0xffff, &z } };
    uint8_t buffer[16 + 3 * 96];
    size_t bytes;
    uint64_t id;

    (void)state;
    c.byte = 99;
    assert_int_equal(avc_state_write(buffer, sizeof(buffer), all, SIZE(all), &bytes), AVC_OK);
    assert_int_equal(bytes, sizeof(buffer));
    assert_int_equal(avc_state_read(buffer, bytes, back, SIZE(back), &id), AVC_OK);
    same(&x, &a);
    same(&y, &b);
    same(&z, &c);
    /* An object too many in the stream, and one too few. */
    assert_int_equal(avc_state_read(buffer, bytes, back, 2, &id), AVC_ENOTSUP);
    assert_int_equal(id, AVC_STATE_ID(0xffff, 0x1234, 0));
    back[1].nr = 1;
    x = here;
    assert_int_equal(avc_state_read(buffer, bytes, back, SIZE(back), &id), AVC_ENOENT);
    assert_int_equal(id, AVC_STATE_ID(1, 0x1234, 0));
    same(&x, &here); /* although its records were fine */
}

/* One byte of the good stream is another. */
static void test_damaged(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t byte;
        enum avc_status status;
        uint64_t id;
    } rows[] = {
        { "magic", 0, 'B', AVC_EINVAL, 0 },
        { "version", 4, 2, AVC_ENOTSUP, 0 },
        { "version's top", 7, 1, AVC_ENOTSUP, 0 },
        { "fewer bytes", 8, 111, AVC_EINVAL, 0 },
        { "more bytes", 15, 1, AVC_EINVAL, 0 },
        { "another base", RECORD(0) + VALUE + 7, 2, AVC_ERANGE, AVC_STATE_ID(5, 0x1234, 0) },
        { "no class", RECORD(0) + CLASS, 0, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 0) },
        { "class 4", RECORD(1) + CLASS, 4, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "class's top", RECORD(1) + CLASS + 3, 1, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "needed, not optional", RECORD(2) + CLASS, 2, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 4) },
        { "optional, not needed", RECORD(1) + CLASS, 3, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "no value", RECORD(1) + LENGTH, 0, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "shorter", RECORD(0) + LENGTH, 7, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 0) },
        { "shorter, with zeros behind", RECORD(3) + LENGTH, 5, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 0x80000000) },
        { "longer", RECORD(1) + LENGTH, 8, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "longer than the stream", RECORD(1) + LENGTH + 3, 0x80, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "padding", RECORD(2) + VALUE + 7, 1, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 4) },
        { "the same id twice", RECORD(2), 3, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 3) },
        { "an id that descends", RECORD(2), 2, AVC_EINVAL, AVC_STATE_ID(5, 0x1234, 2) },
        { "needed, unknown field", RECORD(1), 2, AVC_ENOTSUP, AVC_STATE_ID(5, 0x1234, 2) },
        { "fixed, unknown object", RECORD(0) + 6, 4, AVC_ENOTSUP, AVC_STATE_ID(4, 0x1234, 0) },
        { "unknown model of a known object", RECORD(0) + 4, 0x33, AVC_ENOTSUP, AVC_STATE_ID(5, 0x1233, 0) },
        { "a record of an object behind", RECORD(3) + 6, 6, AVC_ENOENT, AVC_STATE_ID(5, 0x1234, 0x80000000) },
    };

    (void)state;
    for (size_t i = 0; i < SIZE(rows); i++) {
        uint8_t stream[sizeof(golden)];
        uint64_t id = 77;
        enum avc_status status;

        memcpy(stream, golden, sizeof(golden));
        stream[rows[i].at] = rows[i].byte;
        status = reads(stream, sizeof(stream), &id);
        if (status != rows[i].status || id != rows[i].id)
            fail_msg("%s: %s, record 0x%llx", rows[i].name, avc_status_name(status), (unsigned long long)id);
    }
}

/* A copy of `golden` without record n, with the size that it says set right. */
static size_t without(uint8_t *stream, unsigned n)
{
    memcpy(stream, golden, RECORD(n));
    memcpy(stream + RECORD(n), golden + RECORD(n + 1), sizeof(golden) - RECORD(n + 1));
    stream[8] = sizeof(golden) - 24;
    return sizeof(golden) - 24;
}

static void test_missing(void **state)
{
    uint8_t stream[sizeof(golden)];
    struct thing wanted = there;
    uint64_t id;

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        size_t bytes = without(stream, n);

        if (fields[n].cls == AVC_STATE_OPTIONAL) {
            assert_int_equal(reads(stream, bytes, &id), AVC_OK);
            wanted.byte = here.byte; /* as it was */
            same(&got, &wanted);
        } else {
            assert_int_equal(reads(stream, bytes, &id), AVC_ENOENT);
            assert_int_equal(id, AVC_STATE_ID(5, 0x1234, fields[n].id));
        }
    }
    for (size_t bytes = 0; bytes < sizeof(golden); bytes++) {
        assert_int_equal(reads(golden, bytes, NULL), AVC_EINVAL);
        /* It also says that it is only so long. */
        memcpy(stream, golden, sizeof(golden));
        stream[8] = (uint8_t)bytes;
        assert_int_equal(reads(stream, bytes, NULL), bytes < 16 || (bytes - 16) % 24 ? AVC_EINVAL : AVC_ENOENT);
    }
}

/* An optional record that this reader does not know is left out: in front, between, behind. */
static void test_unknown_optional(void **state)
{
    static const struct {
        unsigned before; /* which record */
        uint64_t id;
    } rows[] = {
        { 0, AVC_STATE_ID(0, 0, 0) },
        { 0, AVC_STATE_ID(5, 0x1233, 9) },
        { 1, AVC_STATE_ID(5, 0x1234, 1) },
        { 3, AVC_STATE_ID(5, 0x1234, 5) },
        { 4, AVC_STATE_ID(5, 0x1234, 0xffffffff) },
        { 4, ~UINT64_C(0) },
    };

    (void)state;
    for (size_t i = 0; i < SIZE(rows); i++) {
        uint8_t stream[sizeof(golden) + 24] = { 0 }, *p = stream + RECORD(rows[i].before);

        memcpy(stream, golden, RECORD(rows[i].before));
        memcpy(p + 24, golden + RECORD(rows[i].before), sizeof(golden) - RECORD(rows[i].before));
        for (unsigned n = 0; n < 8; n++)
            p[n] = (uint8_t)(rows[i].id >> 8 * n);
        p[CLASS] = AVC_STATE_OPTIONAL;
        p[LENGTH] = 3;
        p[VALUE] = 0xff;
        stream[8] = sizeof(stream);
        if (reads(stream, sizeof(stream), NULL))
            fail_msg("row %zu is refused", i);
        same(&got, &there);
        p[CLASS] = AVC_STATE_NEEDED;
        if (reads(stream, sizeof(stream), NULL) != AVC_ENOTSUP)
            fail_msg("row %zu, needed, is taken", i);
    }
}

static void test_tables(void **state)
{
    struct avc_state_field f[2] = { { 1, 0, 1, 4, AVC_STATE_NEEDED }, { 2, 4, 1, 4, AVC_STATE_NEEDED } };
    struct avc_state_model m = { 1, 2, f };
    struct avc_state_object o[2] = { { &m, 1, &got }, { &m, 2, &got } };
    uint8_t buffer[256];
    uint64_t id;
    size_t bytes;

#define REFUSED(what)                                                                                                  \
    do {                                                                                                               \
        id = 77;                                                                                                       \
        what;                                                                                                          \
        assert_int_equal(avc_state_write(buffer, sizeof(buffer), o, 2, &bytes), AVC_EINVAL);                           \
        assert_int_equal(avc_state_read(golden, sizeof(golden), o, 2, &id), AVC_EINVAL);                               \
        assert_int_equal(id, 0);                                                                                       \
        assert_int_equal(avc_state_read(golden, sizeof(golden), o, 2, NULL), AVC_EINVAL);                              \
        f[0] = (struct avc_state_field){ 1, 0, 1, 4, AVC_STATE_NEEDED };                                               \
        m = (struct avc_state_model){ 1, 2, f };                                                                       \
        o[0] = (struct avc_state_object){ &m, 1, &got };                                                               \
        assert_int_equal(avc_state_write(buffer, sizeof(buffer), o, 2, &bytes), AVC_OK);                               \
    } while (0)
    (void)state;
    REFUSED(f[0].width = 3);
    REFUSED(f[0].width = 16);
    REFUSED(f[0].width = 0);
    REFUSED(f[0].offset = 2);
    REFUSED(f[0].count = 0);
    REFUSED(f[0].count = UINT32_MAX);
    REFUSED(f[0].cls = 0);
    REFUSED(f[0].cls = 4);
    REFUSED(f[0].id = 2);
    REFUSED(f[0].id = 3);
    REFUSED(m.id = 0x10000);
    REFUSED(m.field = NULL);
    REFUSED(o[0].nr = 0x10000);
    REFUSED(o[0].nr = 2);
    REFUSED(o[0].nr = 3);
    REFUSED(o[0].model = NULL);
    REFUSED(o[0].values = NULL);
    assert_int_equal(avc_state_write(buffer, sizeof(buffer), NULL, 1, &bytes), AVC_EINVAL);
    assert_int_equal(avc_state_write(buffer, sizeof(buffer), o, 2, NULL), AVC_EINVAL);
    assert_int_equal(avc_state_write(NULL, 1, o, 2, &bytes), AVC_EINVAL);
    assert_int_equal(avc_state_read(NULL, 16, o, 2, NULL), AVC_EINVAL);
    id = 77;
    assert_int_equal(avc_state_read(NULL, 16, o, 2, &id), AVC_EINVAL);
    assert_int_equal(id, 0);
    id = 77;
    assert_int_equal(avc_state_read(golden, sizeof(golden), NULL, 2, &id), AVC_EINVAL);
    assert_int_equal(id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),  cmocka_unit_test(test_room),    cmocka_unit_test(test_objects),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_missing), cmocka_unit_test(test_unknown_optional),
        cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
