/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The checks of a kernel's file, and the layout of guest memory. */
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
    return vmm_image_check(image, sizeof(image), ALL, 0, &info);
}

static void good_ones(void **state)
{
    (void)state;
    assert_null(check());
    assert_int_equal(info.text_offset, 0);
    assert_int_equal(info.part[0].size, 32 * MIB);
    put(OFFSET, 0x80000, 8);
    put(SIZE, 100, 8);
    assert_null(check());
    assert_int_equal(info.text_offset, 0x80000);
    assert_int_equal(info.part[0].size, sizeof(image)); /* the file is larger */
    put(SIZE, 0, 8); /* an old kernel's header, in which the other fields mean nothing */
    put(OFFSET, 0x0000080000000000, 8);
    put(FLAGS, 1, 8);
    assert_null(check());
    assert_int_equal(info.text_offset, 0x80000);
    assert_null(vmm_image_check(image, 64, ALL, 0, &info));
    assert_int_equal(info.part[0].size, 64);
}

static void bad_ones(void **state)
{
    (void)state;
    assert_string_equal(vmm_image_check(image, 63, ALL, 0, &info), "the kernel is smaller than an image header");
    assert_non_null(vmm_image_check(image, 0, ALL, 0, &info));
    put(MAGIC, 0x644d5242, 4);
    assert_string_equal(check(), "the kernel is neither an uncompressed arm64 Image nor an ELF file");
    setup(NULL);
    put(FLAGS, 0xB, 8);
    assert_string_equal(check(), "the kernel is big-endian");
    for (unsigned page = 1; page < 4; page++) {
        put(FLAGS, page << 1, 8);
        assert_null(check());
        assert_string_equal(vmm_image_check(image, sizeof(image), ALL & ~(1u << page), 0, &info),
                            "the kernel's page size is one that this CPU does not have");
    }
    put(FLAGS, 0, 8); /* the page size is not specified */
    assert_null(vmm_image_check(image, sizeof(image), 0, 0, &info));
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
    struct vmm_image kernel = { .nr = 1, .part = { { .size = 10 * MIB + 5 } } };
    struct vmm_layout l;

    (void)state;
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(l.dtb, BASE);
    assert_int_equal(kernel.entry, BASE + 2 * MIB);
    assert_int_equal(l.initrd, 0);
    assert_int_equal(l.initrd_end, 0);
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 3 * MIB + 1, &l));
    assert_int_equal(l.initrd, BASE + 14 * MIB);
    assert_int_equal(l.initrd_end, BASE + 17 * MIB + 1);
    kernel.text_offset = 0x80000; /* the device tree fits below it */
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(kernel.entry, BASE + 0x80000);
    kernel.text_offset = VMM_DTB_ROOM - 8;
    assert_null(vmm_image_place(BASE, 64 * MIB, &kernel, 0, &l));
    assert_int_equal(kernel.entry, BASE + 2 * MIB + VMM_DTB_ROOM - 8);
}

static void what_does_not_fit(void **state)
{
    struct vmm_image kernel = { .nr = 1, .part = { { .size = 10 * MIB } } };
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
    kernel.part[0].size = (UINT64_C(1) << 40) - 1;
    kernel.text_offset = (UINT64_C(1) << 40) - 8;
    assert_non_null(vmm_image_place(BASE, 1024 * MIB, &kernel, MIB, &l));
    kernel.text_offset = 0;
    assert_non_null(vmm_image_place(BASE, 1024 * MIB, &kernel, MIB, &l));
}

/* ---- files that say where they go ---- */

enum { PHOFF = 32, PHENTSIZE = 54, PHNUM = 56, SEGMENTS = 64, SEGMENT = 56 };

static void segment(unsigned n, uint64_t offset, uint64_t vaddr, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
    unsigned at = SEGMENTS + n * SEGMENT;

    put(at, 1, 4);
    put(at + 8, offset, 8);
    put(at + 16, vaddr, 8);
    put(at + 24, paddr, 8);
    put(at + 32, filesz, 8);
    put(at + 40, memsz, 8);
}

/* Two segments that are linked elsewhere than they are loaded, and one that is not loaded. */
static int elf(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    put(0, 0x464c457f, 4);
    put(4, 0x010102, 4); /* 64 bits, little-endian, version 1 */
    put(16, 2, 2);
    put(18, 183, 2);
    put(24, UINT64_C(0xffff000000081010), 8); /* the entry */
    put(PHOFF, SEGMENTS, 8);
    put(PHENTSIZE, SEGMENT, 2);
    put(PHNUM, 3, 2);
    segment(0, 0x400, UINT64_C(0xffff000000081000), BASE + 0x81000, 0x300, 0x1000);
    segment(1, 0x800, UINT64_C(0xffff000000000000), BASE, 0x100, 0x100);
    segment(2, 0, 0, 0, ~UINT64_C(0), 0);
    put(SEGMENTS + 2 * SEGMENT, 4, 4); /* a note */
    return 0;
}

static void good_elf(void **state)
{
    struct vmm_layout l;

    (void)state;
    assert_null(check());
    assert_true(info.fixed);
    assert_int_equal(info.nr, 2);
    assert_int_equal(info.entry, BASE + 0x81010);
    assert_int_equal(info.part[0].from, 0x400);
    assert_int_equal(info.part[0].bytes, 0x300);
    assert_int_equal(info.part[0].at, BASE + 0x81000);
    assert_int_equal(info.part[0].size, 0x1000);
    assert_int_equal(info.part[1].at, BASE);
    /* The start of memory is taken: the device tree is above. */
    assert_null(vmm_image_place(BASE, 64 * MIB, &info, 5, &l));
    assert_int_equal(l.dtb, BASE + 2 * MIB);
    assert_int_equal(l.dtb_copy, 0);
    assert_int_equal(l.initrd, BASE + 4 * MIB);
    assert_int_equal(l.initrd_end, BASE + 4 * MIB + 5);
    assert_null(vmm_image_place(BASE, 2 * MIB + VMM_DTB_ROOM, &info, 0, &l));
    assert_string_equal(vmm_image_place(BASE, 2 * MIB, &info, 0, &l),
                        "the kernel leaves no room for the device tree in the guest's memory");
    /* It is free: there is one at each place. */
    segment(1, 0x800, 0, BASE + VMM_DTB_ROOM, 0x100, 0x100);
    assert_null(check());
    assert_null(vmm_image_place(BASE, 64 * MIB, &info, 0, &l));
    assert_int_equal(l.dtb, BASE);
    assert_int_equal(l.dtb_copy, BASE + 2 * MIB);
    assert_null(vmm_image_place(BASE, 2 * MIB, &info, 0, &l)); /* with no room for the copy */
    assert_int_equal(l.dtb, BASE);
    assert_int_equal(l.dtb_copy, 0);
    segment(1, 0x800, 0, BASE + VMM_DTB_ROOM - 8, 0x100, 0x100);
    assert_null(check());
    assert_null(vmm_image_place(BASE, 64 * MIB, &info, 0, &l));
    assert_int_equal(l.dtb, BASE + 2 * MIB);
    put(24, BASE + 0x81ffc, 8); /* an entry that no segment has is a physical address */
    assert_null(check());
    assert_int_equal(info.entry, BASE + 0x81ffc);
}

static void bad_elf(void **state)
{
    static const struct {
        const char *error;
        unsigned at, bytes;
        uint64_t value;
    } rows[] = {
        { "the kernel is an ELF file for another machine", 4, 1, 1 },
        { "the kernel is an ELF file for another machine", 18, 2, 62 },
        { "the kernel is big-endian", 5, 1, 2 },
        { "the kernel is an ELF file, and no program", 16, 2, 1 },
        { "the kernel's program headers are not all in its ELF file", PHENTSIZE, 2, SEGMENT - 1 },
        { "the kernel's program headers are not all in its ELF file", PHOFF, 8, sizeof(image) - 3 * SEGMENT + 1 },
        { "the kernel's program headers are not all in its ELF file", PHOFF, 8, ~UINT64_C(0) },
        { "the kernel's program headers are not all in its ELF file", PHNUM, 2, 0xffff },
        { "the kernel's ELF file has no segment to load", PHNUM, 2, 0 },
        { "a segment of the kernel is not all in its ELF file", SEGMENTS + 8, 8, sizeof(image) - 0x2ff },
        { "a segment of the kernel is not all in its ELF file", SEGMENTS + 8, 8, ~UINT64_C(0) },
        { "a segment of the kernel has more bytes in its ELF file than in memory", SEGMENTS + 40, 8, 0x2ff },
        { "the kernel's entry is in none of its segments", 24, 8, 0x1234 },
        { "the kernel's entry is in none of its segments", 24, 8, BASE + 0x82000 },
        { "the kernel's entry is in none of its segments", 24, 8, UINT64_C(0xffff000000080ffc) },
        { "the kernel's entry is no multiple of 4", 24, 8, UINT64_C(0xffff000000081012) },
        { "the kernel's entry is no multiple of 4", 24, 8, BASE + 0x81001 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *error;

        elf(NULL);
        put(rows[i].at, rows[i].value, rows[i].bytes);
        error = check();
        if (!error || strcmp(error, rows[i].error))
            fail_msg("row %zu: %s", i, error ? error : "no error");
    }
    elf(NULL);
    assert_string_equal(vmm_image_check(image, 63, ALL, 0, &info), "the kernel is smaller than an ELF header");
    put(PHNUM, 17, 2);
    for (unsigned n = 0; n < 17; n++)
        segment(n, 0, 0, BASE + n * 0x1000, 1, 1);
    assert_string_equal(check(), "the kernel has more than 16 segments");
    put(PHNUM, 16, 2);
    put(24, 0, 8);
    assert_null(check());
}

static void elf_elsewhere(void **state)
{
    static const struct {
        const char *error;
        uint64_t at, size;
    } rows[] = {
        { "the kernel wants memory that the guest does not have", BASE - 1, 0x1000 },
        { "the kernel wants memory that the guest does not have", 0, 0x1000 },
        { "the kernel wants memory that the guest does not have", BASE + 64 * MIB - 0xfff, 0x1000 },
        { "the kernel wants memory that the guest does not have", ~UINT64_C(0), 0x1000 },
        { "the kernel wants memory that the guest does not have", BASE + MIB, ~UINT64_C(0) },
        { "two segments of the kernel overlap", BASE + 0xff, 0x1000 },
        { "two segments of the kernel overlap", BASE, 64 * MIB },
        { "the kernel leaves no room for the device tree in the guest's memory", BASE + 64 * MIB - 0x1000, 0x1000 },
        { NULL, BASE + 62 * MIB - 0x1000, 0x1000 },
    };
    struct vmm_layout l;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *error;

        segment(0, 0, UINT64_C(0xffff000000081010), rows[i].at & ~UINT64_C(3), 0x300, rows[i].size);
        assert_null(check());
        info.part[0].at = rows[i].at; /* check() is about other things */
        error = vmm_image_place(BASE, 64 * MIB, &info, 0, &l);
        if (!rows[i].error ? error != NULL : !error || strcmp(error, rows[i].error))
            fail_msg("row %zu: %s", i, error ? error : "no error");
    }
}

/* A file that is taken as it is, whatever is in it. */
static void raw(void **state)
{
    struct vmm_layout l;

    (void)state;
    assert_string_equal(vmm_image_check(image, 5, 0, BASE + 0x80002, &info),
                        "the kernel's address is no multiple of 4");
    for (unsigned what = 0; what < 3; what++) {
        if (what == 1)
            elf(NULL);
        if (what == 2)
            memset(image, 0, sizeof(image));
        assert_null(vmm_image_check(image, 5, 0, BASE + 0x80000, &info));
        assert_null(vmm_image_place(BASE, 64 * MIB, &info, 0, &l));
        assert_int_equal(info.entry, BASE + 0x80000);
        assert_int_equal(info.nr, 1);
        assert_int_equal(info.part[0].at, BASE + 0x80000);
        assert_int_equal(info.part[0].bytes, 5);
        assert_int_equal(info.part[0].size, 5);
        assert_int_equal(l.dtb, BASE);
        assert_int_equal(l.dtb_copy, BASE + 2 * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_ones, setup),
        cmocka_unit_test_setup(bad_ones, setup),
        cmocka_unit_test(layout),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test_setup(good_elf, elf),
        cmocka_unit_test_setup(bad_elf, elf),
        cmocka_unit_test_setup(elf_elsewhere, elf),
        cmocka_unit_test_setup(raw, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
