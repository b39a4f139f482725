/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A Linux program that makes system calls, and prints what it called and what came back. tests/system/strace.py
 * compares that with what ./avc run --strace prints. The program is static and has no C library, so it makes no calls
 * that it does not know of.
 *
 * Two threads make calls at the same time. The first one prints both records. Then it executes the program anew, which
 * makes some more calls. The record of each thread begins with prctl(MARK + n), an option that Linux does not have. The
 * program prints lines in hexadecimal: "call THREAD NUMBER ARGUMENT*6 RESULT", where RESULT is "?" if it cannot be
 * known, and "end NUMBER-OF-LINES".
 */
#include "call.h"

#define MARK 0x61766300

#define NR_dup            23
#define NR_fcntl          25
#define NR_mkdirat        34
#define NR_openat         56
#define NR_close          57
#define NR_lseek          62
#define NR_read           63
#define NR_write          64
#define NR_exit           93
#define NR_exit_group     94
#define NR_futex          98
#define NR_nanosleep      101
#define NR_sched_yield    124
#define NR_kill           129
#define NR_tgkill         131
#define NR_rt_sigaction   134
#define NR_rt_sigreturn   139
#define NR_prctl          167
#define NR_getpid         172
#define NR_getppid        173
#define NR_getuid         174
#define NR_gettid         178
#define NR_munmap         215
#define NR_clone          220
#define NR_execve         221
#define NR_mmap           222
#define NR_mprotect       226
#define NR_getrandom      278
#define NR_no_such_call   500
#define SIGUSR1           10
#define CLONE_ONE_PROCESS 0x50f00 /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */
#define CLONE_CLEARTID    0x200000

#define MAX_CALLS 1500
static struct call {
    uint64_t number, args[6];
    int64_t result;
    int known; /* whether the result is known */
} calls[2][MAX_CALLS];
static unsigned nr_calls[2];

/* Records a call before it is made, so that the calls of a signal handler come behind it. */
static struct call *record(unsigned thread, uint64_t number, const uint64_t args[6])
{
    struct call *c = &calls[thread][nr_calls[thread]++];

    c->number = number;
    for (unsigned n = 0; n < 6; n++)
        c->args[n] = args[n];
    c->known = 0;
    return c;
}

static int64_t call(unsigned thread, uint64_t number, const uint64_t args[6])
{
    struct call *c = record(thread, number, args);

    c->result = raw(number, args);
    c->known = 1;
    return c->result;
}
#define CALL(t, ...)            call_it(t, __VA_ARGS__)
#define call_it(t, number, ...) call(t, NR_##number, ARGS(__VA_ARGS__))
#define P(pointer)              ((uintptr_t)(pointer))

static uint8_t buffer[2][64];

/* Makes some 25 calls, with errors of many kinds. */
static void some(unsigned t, uint64_t i)
{
    static const struct {
        int64_t seconds, ns;
    } bad = { 0, 2000000000 }, none = { 0, 0 };
    uint64_t fd, at;

    CALL(t, getpid, 0);
    CALL(t, gettid, 0);
    CALL(t, getppid, 1, 2, 3, 4, 5, 6);
    CALL(t, close, 1000 + i);
    CALL(t, close, (uint64_t)-1);
    CALL(t, openat, (uint64_t)-100, P("/there/is/no/such/file"), 0, 0);
    CALL(t, openat, (uint64_t)-100, 8, i, 0);
    fd = (uint64_t)CALL(t, openat, (uint64_t)-100, P("/dev/null"), 2, 0);
    CALL(t, write, fd, P(buffer[t]), i);
    CALL(t, read, fd, P(buffer[t]), 64);
    CALL(t, lseek, fd, 0x123456789a, 0);
    CALL(t, fcntl, fd, 9999, i);
    CALL(t, mkdirat, fd, P("name"), 0755);
    CALL(t, close, fd);
    CALL(t, read, 0x80000000, P(buffer[t]), 1);
    at = (uint64_t)CALL(t, mmap, 0, 8192, 3, 0x22, (uint64_t)-1, 0);
    CALL(t, mprotect, at, 4096, 1);
    CALL(t, mprotect, at + 1, 4096, 1);
    CALL(t, munmap, at, 8192);
    CALL(t, mmap, 0, 0, 3, 0x22, (uint64_t)-1, 0);
    CALL(t, nanosleep, P(&bad), 0);
    CALL(t, nanosleep, P(&none), 0);
    CALL(t, nanosleep, 16, 0);
    CALL(t, kill, 0x3ffffff, i);
    CALL(t, sched_yield, 0);
    CALL(t, getrandom, P(buffer[t]), 1 + i, 0);
    CALL(t, no_such_call, 1, 2, 3, 4, 5, UINT64_MAX);
    CALL(t, execve, P("/not/there"), 0, 0);
    CALL(t, getuid, 0);
}

/* ---- signals ---- */

static void handler(void)
{
    CALL(0, getpid, 0);
    record(0, NR_rt_sigreturn, ARGS(0)); /* the kernel's vDSO makes this call, as a C library otherwise would */
}

static void signal_self(void)
{
    static const struct {
        void (*handler)(void);
        uint64_t flags, restorer, mask;
    } action = { handler, 0, 0, 0 };
    uint64_t pid, tid;

    CALL(0, rt_sigaction, SIGUSR1, P(&action), 0, 8);
    pid = (uint64_t)CALL(0, getpid, 0);
    tid = (uint64_t)CALL(0, gettid, 0);
    record(0, NR_tgkill, ARGS(pid, tid, SIGUSR1)); /* the handler runs before this call returns */
    raw(NR_tgkill, ARGS(pid, tid, SIGUSR1));
}

/* ---- threads ---- */

static uint8_t stack[65536] __attribute__((aligned(16)));
static volatile uint32_t second_runs = 1;

int64_t clone_thread(uint64_t flags, void *stack_top, void *parent_tid, uint64_t tls, const volatile void *child_tid);
void second_thread(void);
void begin(uint64_t argc, char **argv);

__asm__(".text\n"
        ".globl _start\n"
        "_start: ldr x0, [sp]\n"
        "add x1, sp, #8\n"
        "bl begin\n"
        "clone_thread: mov x5, #0\n"
        "mov x8, #220\n"
        "svc #0\n"
        "cbz x0, 1f\n"
        "ret\n"
        "1: bl second_thread\n");

void second_thread(void)
{
    CALL(1, prctl, MARK + 1);
    for (uint64_t i = 0; i < 25; i++)
        some(1, i);
    record(1, NR_exit, ARGS(0));
    raw(NR_exit, ARGS(0));
}

static void two_threads(void)
{
    struct call *c = record(
        0, NR_clone, ARGS(CLONE_ONE_PROCESS | CLONE_CLEARTID, P(stack + sizeof stack), 0, 0, P(&second_runs), 0));

    c->result = clone_thread(c->args[0], stack + sizeof stack, 0, 0, &second_runs);
    c->known = 1;
    for (uint64_t i = 0; i < 25; i++)
        some(0, i);
    while (second_runs) /* the kernel clears it when the thread has ended */
        CALL(0, futex, P(&second_runs), 0, 1, 0);
}

/* ---- printing, which is not recorded ---- */

static char text[4096];
static unsigned nr_text;

static void flush(void)
{
    uint64_t at = 0;

    while (at < nr_text) {
        int64_t n = raw(NR_write, ARGS(1, P(text + at), nr_text - at));

        if (n <= 0)
            raw(NR_exit_group, ARGS(2));
        at += (uint64_t)n;
    }
    nr_text = 0;
}

static void put(const char *word)
{
    if (nr_text > sizeof text - 64)
        flush();
    while (*word)
        text[nr_text++] = *word++;
}

static void put_hex(uint64_t value)
{
    char digits[17], *at = &digits[16];

    *at = 0;
    do
        *--at = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    put(" ");
    put(at);
}

static void print(void)
{
    for (unsigned t = 0; t < 2; t++)
        for (unsigned n = 0; n < nr_calls[t]; n++) {
            const struct call *c = &calls[t][n];

            put("call");
            put_hex(t);
            put_hex(c->number);
            for (unsigned i = 0; i < 6; i++)
                put_hex(c->args[i]);
            if (c->known)
                put_hex((uint64_t)c->result);
            else
                put(" ?");
            put("\n");
        }
    put("end");
    put_hex(nr_calls[0] + nr_calls[1]);
    put("\n");
    flush();
}

void begin(uint64_t argc, char **argv)
{
    static const char *const again[] = { "calls", "again", 0 }, *const nothing[] = { 0 };

    (void)argv;
    CALL(0, prctl, MARK + (argc > 1 ? 2 : 0));
    if (argc > 1) {
        some(0, 0);
        print();
        raw(NR_exit_group, ARGS(0));
    }
    signal_self();
    two_threads();
    print();
    raw(NR_execve, ARGS(P("/bin/calls"), P(again), P(nothing)));
    raw(NR_exit_group, ARGS(1));
}
