/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The check of the image header, and the layout of guest memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/image.h"

#define MIB    (UINT64_C(1) << 20)
#define BASE   UINT64_C(0x40000000)
#define ALL    (VMM_GRANULE_4K | VMM_GRANULE_16K | VMM_GRANULE_64K)
#define OFFSET 8
#define SIZE   16
#define FLAGS  24
#define MAGIC  56

static uint8_t image[4096];
static struct vmm_image info;

static void put(unsigned at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

static int setup(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    memset(&info, 0, sizeof(info));
    put(MAGIC, 0x644d5241, 4);
    put(SIZE, 32 * MIB, 8);
    put(FLAGS, 0xA, 8); /* Debian's: little-endian, 4 KiB pages, anywhere in memory */
    return 0;
}

static const char *check(void)
{
    return vmm_image_check(image, sizeof(image), ALL, &info);
}

static void good_ones(void **state)
{
    (void)state;
    assert_null(check());
    assert_int_equal(info.text_offset, 0);
    assert_int_equal(info.size, 32 * MIB);
    put(OFFSET, 0x80000, 8);
    put(SIZE, 100, 8);
    assert_null(check());
    assert_int_equal(info.text_offset, 0x80000);
    assert_int_equal(info.size, sizeof(image)); /* the file is larger */
    put(SIZE, 0, 8);                            /* an old kernel's header, in which the other fields mean nothing */
    put(OFFSET, 0x0000080000000000, 8);
    put(FLAGS, 1, 8);
    assert_null(check());
    assert_int_equal(info.text_offset, 0x80000);
    assert_null(vmm_image_check(image, 64, ALL, &info));
    assert_int_equal(info.size, 64);
}

static void bad_ones(void **state)
{
    (void)state;
    assert_string_equal(vmm_image_check(image, 63, ALL, &info), "the kernel is smaller than an image header");
    assert_non_null(vmm_image_check(image, 0, ALL, &info));
    put(MAGIC, 0x644d5242, 4);
    assert_string_equal(check(), "the kernel is not an uncompressed arm64 Image");
    setup(NULL);
    put(FLAGS, 0xB, 8);
    assert_string_equal(check(), "the kernel is big-endian");
    for (unsigned page = 1; page < 4; page++) {
        put(FLAGS, page << 1, 8);
        assert_null(check());
        assert_string_equal(vmm_image_check(image, sizeof(image), ALL & ~(1u << page), &info),
                            "the kernel's page size is one that this CPU does not have");
    }
    put(FLAGS, 0, 8); /* the page size is not specified */
    assert_null(vmm_image_check(image, sizeof(image), 0, &info));
    put(OFFSET, ~UINT64_C(0), 8);
    assert_non_null(check());
    put(OFFSET, 4, 8);
    assert_non_null(check());
    put(OFFSET, 0, 8);
    put(SIZE, ~UINT64_C(0) - 4095, 8);
    assert_non_null(check());
}

static void layout(void **state)
{
    struct vmm_image kernel = { .text_offset = 0, .size = 10 * MIB + 5 };
    struct vmm_layout l;

    (void)state;
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(l.dtb, BASE);
    assert_int_equal(l.kernel, BASE + 2 * MIB);
    assert_int_equal(l.initrd, 0);
    assert_int_equal(l.initrd_end, 0);
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 3 * MIB + 1, &l));
    assert_int_equal(l.initrd, BASE + 14 * MIB);
    assert_int_equal(l.initrd_end, BASE + 17 * MIB + 1);
    kernel.text_offset = 0x80000; /* the device tree fits below it */
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(l.kernel, BASE + 0x80000);
    kernel.text_offset = VMM_DTB_ROOM - 8;
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(l.kernel, BASE + 2 * MIB + VMM_DTB_ROOM - 8);
}

static void what_does_not_fit(void **state)
{
    struct vmm_image kernel = { .text_offset = 0, .size = 10 * MIB };
    struct vmm_layout l;

    (void)state;
    assert_null(vmm_image_place(BASE, 12 * MIB, &kernel, 0, &l));
    assert_string_equal(vmm_image_place(BASE, 12 * MIB - 1, &kernel, 0, &l),
                        "the kernel does not fit into the guest's memory");
    assert_null(vmm_image_place(BASE, 13 * MIB, &kernel, MIB, &l));
    assert_string_equal(vmm_image_place(BASE, 13 * MIB, &kernel, MIB + 1, &l),
                        "the initrd does not fit into the guest's memory");
    assert_non_null(vmm_image_place(BASE, 13 * MIB, &kernel, ~UINT64_C(0), &l));
    assert_non_null(vmm_image_place(BASE, MIB, &kernel, 0, &l));
    kernel.size = (UINT64_C(1) << 40) - 1;
    kernel.text_offset = (UINT64_C(1) << 40) - 8;
    assert_non_null(vmm_image_place(BASE, 1024 * MIB, &kernel, MIB, &l));
    kernel.text_offset = 0;
    assert_non_null(vmm_image_place(BASE, 1024 * MIB, &kernel, MIB, &l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_ones, setup),
        cmocka_unit_test_setup(bad_ones, setup),
        cmocka_unit_test(layout),
        cmocka_unit_test(what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
