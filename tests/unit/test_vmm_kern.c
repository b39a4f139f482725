/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The page allocator and the formatting of the reference hypervisor, on the build host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "kern/log.h"
#include "kern/pages.h"

#define PAGE    ((size_t)VMM_PAGE_SIZE)
#define MEMORY  (8u << 20)
#define SLOTS   200
#define MODULE  (3 * PAGE + 17) /* its offset in memory */
#define MOD_END (5 * PAGE)

/* What pages.c needs of the rest of the kernel. */
struct vmm_board vmm_board;
char vmm_image_end[1];
static unsigned warnings;
static jmp_buf *expect_panic;

void vmm_log(enum vmm_log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
    warnings++;
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    (void)fmt;
    if (expect_panic)
        longjmp(*expect_panic, 1);
    abort();
}

static char *memory;

static int set_up(void **state)
{
    (void)state;
    memory = aligned_alloc(2u << 20, MEMORY);
    assert_non_null(memory);
    memset(memory, 0xa5, MEMORY);
    vmm_board.memory[0] = (struct vmm_range){ (uintptr_t)memory + 100, MEMORY - 100 }; /* not from a page's start */
    vmm_board.nr_memory = 1;
    vmm_board.kernel = (struct vmm_module){ (uintptr_t)memory + MODULE, MOD_END - MODULE, "" };
    vmm_board.fdt = (uintptr_t)memory + MEMORY - 10;
    vmm_board.fdt_size = 10;
    vmm_pages_init();
    return warnings != 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static void check_piece(const char *p, size_t bytes, size_t align)
{
    assert_true((uintptr_t)p % align == 0 && (uintptr_t)p % PAGE == 0);
    assert_true(p >= memory + PAGE && p + bytes <= memory + MEMORY - PAGE);
    assert_true(p + bytes <= memory + 3 * PAGE || p >= memory + MOD_END); /* the module must stay intact */
}

static void random_pieces(void **state)
{
    struct {
        char *p;
        size_t bytes;
        unsigned char mark;
    } slot[SLOTS] = { 0 };
    size_t before = vmm_pages_free_bytes(), held = 0;
    unsigned failed = 0;

    (void)state;
    srand(2);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned k = (unsigned)rand() % SLOTS;
        size_t align = PAGE << rand() % 6;

        if (slot[k].p) {
            for (size_t b = 0; b < slot[k].bytes; b += 512)
                assert_int_equal((unsigned char)slot[k].p[b], slot[k].mark);
            vmm_pages_free(slot[k].p, slot[k].bytes);
            held -= slot[k].bytes;
            slot[k].p = NULL;
            continue;
        }
        slot[k].bytes = PAGE * (1 + (size_t)rand() % (rand() % 10 ? 4 : 64));
        slot[k].p = vmm_pages_alloc(slot[k].bytes, align);
        failed += !slot[k].p;
        if (!slot[k].p)
            continue;
        check_piece(slot[k].p, slot[k].bytes, align);
        slot[k].mark = (unsigned char)rand();
        memset(slot[k].p, slot[k].mark, slot[k].bytes);
        held += slot[k].bytes;
        assert_int_equal(vmm_pages_free_bytes(), before - held);
    }
    for (unsigned k = 0; k < SLOTS; k++)
        if (slot[k].p)
            vmm_pages_free(slot[k].p, slot[k].bytes);
    assert_int_equal(vmm_pages_free_bytes(), before);
    assert_in_range(failed, 0, 2000);
}

/* Every page can be allocated, once. Large aligned pieces can be allocated as long as there are any. */
static void all_of_it(void **state)
{
    size_t before = vmm_pages_free_bytes(), n = 0;
    char *big[4], **page = calloc(MEMORY / PAGE, sizeof(*page));

    (void)state;
    for (n = 0; n < 4 && (big[n] = vmm_pages_alloc(2u << 20, 2u << 20)); n++)
        check_piece(big[n], 2u << 20, 2u << 20);
    assert_int_equal(n, 2); /* the first and the last piece are not complete */
    while (n--)
        vmm_pages_free(big[n], 2u << 20);
    for (n = 0; (page[n] = vmm_pages_alloc(1, 1)); n++)
        check_piece(page[n], PAGE, PAGE);
    assert_int_equal(n, before / PAGE);
    assert_int_equal(vmm_pages_free_bytes(), 0);
    while (n--)
        vmm_pages_free(page[n], PAGE);
    assert_int_equal(vmm_pages_free_bytes(), before);
    free(page);
}

static void refused(void **state)
{
    (void)state;
    assert_null(vmm_pages_alloc(0, PAGE));
    assert_null(vmm_pages_alloc(PAGE, 3 * PAGE));
    assert_null(vmm_pages_alloc(MEMORY + PAGE, PAGE));
    assert_null(vmm_pages_alloc(SIZE_MAX, PAGE));
    assert_null(vmm_pages_alloc(SIZE_MAX & ~(PAGE - 1), PAGE));
}

static void freed_twice(void **state)
{
    jmp_buf back;
    char *p = vmm_pages_alloc(PAGE, PAGE);

    (void)state;
    vmm_pages_free(p, PAGE);
    expect_panic = &back;
    if (!setjmp(back)) {
        vmm_pages_free(p, PAGE);
        fail_msg("freed twice");
    }
    expect_panic = NULL; /* the panic has left the allocator's lock taken, so this is the last test of pages */
}

/* The C library's printf is the reference. */
#define SAME(...)                                                                                                      \
    do {                                                                                                               \
        char ours[100], theirs[100];                                                                                   \
        int n = vmm_snprintf(ours, sizeof(ours), __VA_ARGS__);                                                         \
        assert_int_equal(n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));                                            \
        assert_string_equal(ours, theirs);                                                                             \
    } while (0)

static void format(void **state)
{
    char small[4] = "xyz";

    (void)state;
    SAME("plain %% text");
    SAME("%d %d %i %d", 0, -1, INT32_MAX, INT32_MIN);
    SAME("%u %x %X", UINT32_MAX, 0xdeadbeefu, 0xdeadbeefu);
    SAME("%ld %lu %lx %llx", INT64_MIN, UINT64_MAX, UINT64_MAX, 0x123456789abcdefull);
    SAME("%zu %zx", (size_t)12345, SIZE_MAX);
    SAME("%5d|%-5d|%05d|%05d|%1d", 42, 42, 42, -42, 12345);
    SAME("%016lx|%8x|%-8x|%02x", 0xabcul, 0xabcu, 0xabcu, 0xabcu);
    SAME("%s|%8s|%-8s|%.2s|%.*s|%s", "abc", "abc", "abc", "abc", 1, "abc", "");
    SAME("%c%c%3c|", 'a', '%', 'b');
    SAME("%*d", 7, 42);
    SAME("%p", (void *)0x1234abcd);
    assert_int_equal(vmm_snprintf(small, sizeof(small), "%s", "longer"), 6);
    assert_string_equal(small, "lon");
    assert_int_equal(vmm_snprintf(small, 0, "%d", 12345), 5);
    assert_string_equal(small, "lon");
    assert_int_equal(vmm_snprintf(NULL, 0, "%d", 12345), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pieces), cmocka_unit_test(all_of_it), cmocka_unit_test(refused),
        cmocka_unit_test(freed_twice),   cmocka_unit_test(format),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
