/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a program can ask that was not compiled with the headers: the version, sizes, and the offsets of an exit's
 * members.
 */
#include "world.h"

#include <cmocka.h>

#include <avc/decoder.h>
#include <avc/observe.h>
#include <avc/sizes.h>
#include <avc/state.h>
#include <avc/syscall.h>
#include <avc/version.h>
#include <avc/vgic.h>

static void test_version(void **state)
{
    char text[32];

    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", AVC_VERSION_MAJOR, AVC_VERSION_MINOR, AVC_VERSION_PATCH);
    assert_string_equal(AVC_VERSION, text);
    assert_int_equal(avc_version(), AVC_VERSION_NUMBER);
    assert_true(AVC_VERSION_OF(0, 1, 999) < AVC_VERSION_OF(0, 2, 0) &&
                AVC_VERSION_OF(0, 999, 999) < AVC_VERSION_OF(1, 0, 0));
}

static void test_sizes(void **state)
{
    static const struct {
        const char *name;
        size_t (*size)(void), (*align)(void);
        size_t is_size, is_align;
    } rows[] = {
#define X(name)                                                                                                        \
    { #name, avc_sizeof_##name, avc_alignof_##name, sizeof(struct avc_##name), _Alignof(struct avc_##name) },
        AVC_SIZES_LIST(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].size() != rows[i].is_size || rows[i].align() != rows[i].is_align)
            fail_msg("struct avc_%s", rows[i].name);
    assert_int_equal(avc_alignof_vcpu(), 64);
}

/* C has no offset for a bit-field. The comment at struct avc_exit promises one to other languages. */
static void test_exit_bytes(void **state)
{
    struct avc_exit e;
    uint8_t bytes[sizeof e] = { 0 };

    (void)state;
    memset(&e, 0, sizeof e);
    e.kind = AVC_WFI;
    e.answer = AVC_FAULT;
    memcpy(bytes, &e, sizeof e);
    assert_int_equal(bytes[0], AVC_WFI);
    assert_int_equal(bytes[1], AVC_FAULT);
    assert_int_equal(offsetof(struct avc_exit, size), 2);
    assert_int_equal(offsetof(struct avc_exit, key), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_exit_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
