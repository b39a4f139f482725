/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Process 1 of a Linux with two CPUs (bench/linux.py). It and a child stay on a CPU each, and send a byte to and fro
 * through two pipes, so that each waits for the other. It prints how many ticks of the virtual counter that took, and
 * powers off. If anything fails, it exits, and so the kernel panics.
 */
#include "linux/call.h"

#define NR_pipe2             59
#define NR_read              63
#define NR_write             64
#define NR_exit_group        94
#define NR_sched_setaffinity 122
#define NR_reboot            142
#define NR_clone             220

#define SIGCHLD          17
#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_MAGIC2    0x28121969
#define REBOOT_POWER_OFF 0x4321fedc

#define WARM   100
#define ROUNDS 1000

_Noreturn void _start(void);

static uint32_t there[2], back[2]; /* [0] is read, [1] is written */

static _Noreturn void end(uint64_t status)
{
    for (;;)
        raw(NR_exit_group, ARGS(status));
}

static void must(int64_t got, int64_t wanted)
{
    if (got != wanted)
        end(1);
}

static void send(uint32_t pipe)
{
    must(raw(NR_write, ARGS(pipe, (uintptr_t) "x", 1)), 1);
}

static void receive(uint32_t pipe)
{
    char byte;

    must(raw(NR_read, ARGS(pipe, (uintptr_t)&byte, 1)), 1);
}

static void keep_on(unsigned cpu)
{
    uint64_t mask = 1ul << cpu;

    must(raw(NR_sched_setaffinity, ARGS(0, sizeof mask, (uintptr_t)&mask)), 0);
}

static uint64_t now(void)
{
    uint64_t ticks;

    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

static void print(uint64_t ticks)
{
    static char text[] = "pipe\t00000000000000000000\n";

    for (char *digit = text + sizeof text - 3; ticks; ticks /= 10)
        *digit-- = (char)('0' + ticks % 10);
    must(raw(NR_write, ARGS(1, (uintptr_t)text, sizeof text - 1)), sizeof text - 1);
}

static _Noreturn void answer(void)
{
    keep_on(1);
    for (;;) {
        receive(there[0]);
        send(back[1]);
    }
}

static uint64_t rounds(unsigned nr)
{
    uint64_t before = now();

    while (nr--) {
        send(there[1]);
        receive(back[0]);
    }
    return now() - before;
}

_Noreturn void _start(void)
{
    int64_t child;

    must(raw(NR_pipe2, ARGS((uintptr_t)there)), 0);
    must(raw(NR_pipe2, ARGS((uintptr_t)back)), 0);
    child = raw(NR_clone, ARGS(SIGCHLD));
    if (child == 0)
        answer();
    if (child < 0)
        end(1);
    keep_on(0);
    rounds(WARM);
    print(rounds(ROUNDS));
    raw(NR_reboot, ARGS(REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF));
    end(1);
}
