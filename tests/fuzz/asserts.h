/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * For targets that use the model of a unit test. cmocka's assertions jump to the test that runs, and here none does:
 * these say what is wrong, and abort. Include this before the test; it includes cmocka.h itself.
 */
#ifndef FUZZ_ASSERTS_H
#define FUZZ_ASSERTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#undef assert_int_not_equal
#undef assert_ptr_equal
#undef assert_in_range
#undef assert_memory_equal
#undef assert_string_equal
#undef fail_msg

#define WRONG(...)                                                                                                     \
    (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), abort())

#define assert_true(c)     ((c) ? (void)0 : (void)WRONG("%s", #c))
#define assert_false(c)    assert_true(!(c))
#define assert_null(p)     assert_true(!(p))
#define assert_non_null(p) assert_true(p)
#define FUZZ_SAME(a, b, op)                                                                                            \
    ((uint64_t)(uintptr_t)(a)op(uint64_t)(uintptr_t)(b)                                                                \
         ? (void)0                                                                                                     \
         : (void)WRONG("%s %#llx, %s %#llx", #a, (unsigned long long)(uintptr_t)(a), #b,                               \
                       (unsigned long long)(uintptr_t)(b)))
#define assert_int_equal(a, b)       FUZZ_SAME(a, b, ==)
#define assert_int_not_equal(a, b)   FUZZ_SAME(a, b, !=)
#define assert_ptr_equal(a, b)       FUZZ_SAME(a, b, ==)
#define assert_in_range(v, lo, hi)   assert_true((uint64_t)(v) >= (uint64_t)(lo) && (uint64_t)(v) <= (uint64_t)(hi))
#define assert_memory_equal(a, b, n) assert_true(!memcmp(a, b, n))
#define assert_string_equal(a, b)    assert_true(!strcmp(a, b))
#define fail_msg(...)                WRONG(__VA_ARGS__)

#endif
