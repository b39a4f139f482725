/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Process 1 of the Linux whose boot is counted (bench/linux.py). Its first mark ends the boot. Its second mark ends 200
 * forks: each child exits and is waited for. Then it powers off. If anything fails, it exits, and so the kernel panics.
 */
#include "../plugin/marks.h"
#include "linux/call.h"

#define NR_exit_group 94
#define NR_reboot     142
#define NR_clone      220
#define NR_wait4      260

#define SIGCHLD          17
#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_MAGIC2    0x28121969
#define REBOOT_POWER_OFF 0x4321fedc
#define FORKS            200

#define MARK() __asm__ volatile("hint %0" ::"i"(MARK_LAP) : "memory")

_Noreturn void _start(void);

static _Noreturn void end(uint64_t status)
{
    for (;;)
        raw(NR_exit_group, ARGS(status));
}

static void fork_and_wait(void)
{
    int64_t child = raw(NR_clone, ARGS(SIGCHLD));

    if (child == 0)
        end(0);
    if (child < 0 || raw(NR_wait4, ARGS((uint64_t)child)) != child)
        end(1);
}

_Noreturn void _start(void)
{
    MARK();
    for (unsigned n = 0; n < FORKS; n++)
        fork_and_wait();
    MARK();
    raw(NR_reboot, ARGS(REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF));
    end(1);
}
