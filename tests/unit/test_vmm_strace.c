/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Compares the tables of system calls and errors with the kernel's own headers. Tests lists of names, and the lines of
 * the trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Of the generic unistd.h arm64's own asks for these. Nothing before may have included the build host's. */
#define __BITS_PER_LONG 64
#define __ARCH_WANT_RENAMEAT
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_TIME32_SYSCALLS
#define __ARCH_WANT_SYS_CLONE3
#define __ARCH_WANT_MEMFD_SECRET
#include <asm-generic/errno.h>
#include <asm-generic/unistd.h>

#include "guest/syscalls.h"

#define X(number, name, args)                                                                                          \
    _Static_assert(__NR_##name == (number), #name);                                                                    \
    _Static_assert((args) <= 6, #name);
#include "guest/syscalls.def"
#undef X

#define X(number, name) _Static_assert(name == (number), #name);
#include "guest/errnos.def"
#undef X

static void test_table(void **state)
{
    unsigned known = 0;
    int64_t last = -1;

    (void)state;
#define X(number, name, args)                                                                                          \
    assert_true((number) > last); /* a search needs order */                                                           \
    last = (number);
#include "guest/syscalls.def"
#undef X
    for (uint64_t n = 0; n < 1000; n++) {
        const struct vmm_syscall *s = vmm_syscall(n);

        known += s != NULL;
        if (s)
            assert_int_equal(s->number, n);
    }
    assert_int_equal(known, 306); /* of Linux 6.1 */
    assert_string_equal(vmm_syscall(63)->name, "read");
    assert_null(vmm_syscall(244));
    assert_null(vmm_syscall(UINT64_MAX));
    assert_null(vmm_syscall(UINT64_C(1) << 32 | 63));
}

static void test_names(void **state)
{
    struct avc_syscall_range ranges[3];
    const char *wrong;
    size_t length;

    (void)state;
    assert_int_equal(vmm_syscall_ranges("read", ranges, 3, &wrong, &length), 1);
    assert_int_equal(vmm_syscall_ranges("read,exit_group,read,io_setup", ranges, 3, &wrong, &length), 3);
    assert_int_equal(ranges[0].first, 63);
    assert_int_equal(ranges[1].last, 94);
    assert_int_equal(ranges[2].first, 0);
    assert_int_equal(ranges[2].last, 0);
    assert_int_equal(vmm_syscall_ranges("read,write,close,dup", ranges, 3, &wrong, &length), 0);
    assert_string_equal(wrong, "dup");
    assert_int_equal(vmm_syscall_ranges("read,open,close", ranges, 3, &wrong, &length), 0);
    assert_int_equal(length, 4);
    assert_memory_equal(wrong, "open", 4);
    assert_int_equal(vmm_syscall_ranges("", ranges, 3, &wrong, &length), 0);
    assert_int_equal(vmm_syscall_ranges("read,", ranges, 3, &wrong, &length), 0);
    assert_int_equal(vmm_syscall_ranges("rea", ranges, 3, &wrong, &length), 0);
}

static void test_lines(void **state)
{
    const struct avc_syscall_event base = {
        .what = AVC_SYSCALL_RETURN,
        .asid = 7,
        .number = 56,
        .table = 0x45000000,
        .stack = 0xffff800008000000,
        .args = { (uint64_t)-100, 0x10000, 0xffff, 0xffffff9c, (uint64_t)-4096, 0 },
    };
    static const struct {
        enum avc_syscall_what what;
        uint64_t number, result;
        bool aarch32;
        const char *end;
    } rows[] = {
        { AVC_SYSCALL_RETURN, 56, 3, false, "openat(-100, 0x10000, 65535, 0xffffff9c) = 3" },
        { AVC_SYSCALL_RETURN, 56, (uint64_t)-2, false, "openat(-100, 0x10000, 65535, 0xffffff9c) = -ENOENT" },
        { AVC_SYSCALL_RETURN, 124, 0, false, "sched_yield() = 0" },
        { AVC_SYSCALL_RETURN, 57, (uint64_t)-133, false, "close(-100) = -EHWPOISON" },
        { AVC_SYSCALL_RETURN, 57, (uint64_t)-41, false, "close(-100) = -41" }, /* a result without its call */
        { AVC_SYSCALL_RETURN, 57, (uint64_t)-4095, false, "close(-100) = -4095" },
        { AVC_SYSCALL_RETURN, 57, (uint64_t)-4096, false, "close(-100) = 0xfffffffffffff000" },
        { AVC_SYSCALL_RETURN, 57, 0xfffffffe, false, "close(-100) = 0xfffffffe" },
        { AVC_SYSCALL_RESTART, 57, 0, false, "close(-100) = ? restarted" },
        { AVC_SYSCALL_ELSEWHERE, 57, 0, false, "close(-100) = ? goes on at 0x401000" },
        { AVC_SYSCALL_REPLACED, 57, 0, false, "close(-100) = 0 goes on as 46000000 at 0x401000" },
        { AVC_SYSCALL_LOST, 57, 0, false, "close(-100) = ? its end was not seen" },
        { AVC_SYSCALL_ENTRY, 93, 0, false, "exit(-100) = ?" },
        { AVC_SYSCALL_RETURN, 451, 1, false,
          "syscall_451(-100, 0x10000, 65535, 0xffffff9c, 0xfffffffffffff000, 0) = 1" },
        { AVC_SYSCALL_RETURN, 56, 0xfffffffe, true,
          "arm32_56(-100, 0x10000, 65535, 0xffffff9c, 0xfffffffffffff000, 0) = -ENOENT" },
        { AVC_SYSCALL_RETURN, 56, 0xfffffffd - 4090, true,
          "arm32_56(-100, 0x10000, 65535, 0xffffff9c, 0xfffffffffffff000, 0) = -4093" },
    };
    char line[300], wanted[300];

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct avc_syscall_event e = base;

        e.what = rows[n].what;
        e.number = rows[n].number;
        e.result = rows[n].result;
        e.aarch32 = rows[n].aarch32;
        e.to = 0x401000;
        e.to_table = 0x46000000;
        vmm_syscall_line(line, sizeof(line), &e);
        strcpy(wanted, "45000000/7 ffff800008000000 ");
        strcat(wanted, rows[n].end);
        assert_string_equal(line, wanted);
        for (size_t size = 1; size <= strlen(wanted); size++) { /* all that fits, and no byte more */
            memset(line, 'x', sizeof(line));
            vmm_syscall_line(line, size, &e);
            assert_memory_equal(line, wanted, size - 1);
            assert_int_equal(line[size - 1], 0);
            assert_int_equal(line[size], 'x');
        }
    }
}

static void test_returns(void **state)
{
    static const struct {
        uint64_t number;
        bool aarch32, returns;
    } rows[] = { { 63, false, true },   { 92, false, true },  { 93, false, false }, { 94, false, false },
                 { 139, false, false }, { 221, false, true }, { 93, true, true },   { 139, true, true } };

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct avc_syscall_event e = { .number = rows[n].number, .aarch32 = rows[n].aarch32 };

        assert_int_equal(vmm_syscall_returns(&e), rows[n].returns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_names),
                                        cmocka_unit_test(test_lines), cmocka_unit_test(test_returns) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
