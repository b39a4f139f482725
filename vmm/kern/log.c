/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Log lines: whole lines, from any CPU, in one order. */
#include <stdatomic.h>
#include <string.h>

#include "board/board.h"
#include "boot/cpu.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/panic.h"

static struct vmm_lock lock;
static _Atomic int max_level = VMM_INFO;
static _Atomic bool stopping;

void vmm_log_set_level(enum vmm_log_level level)
{
    atomic_store(&max_level, level);
}

void vmm_log_stopping(void)
{
    atomic_store(&stopping, true);
}

/* Takes the lock. Once a CPU stops the machine, the lock's holder may never come back: it may be the one that
   crashed. Then a torn line is better than none. */
void vmm_log_take(void)
{
    for (unsigned long tries = 0; !vmm_trylock(&lock); tries++) {
        if (atomic_load(&stopping) && tries > 1000000)
            return;
        vmm_cpu_relax();
    }
}

void vmm_vlog(enum vmm_log_level level, const char *fmt, va_list args)
{
    static const char tag[] = "vmm: ";
    char line[400];
    size_t length;

    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    memcpy(line, tag, sizeof(tag));
    vmm_vsnprintf(line + sizeof(tag) - 1, sizeof(line) - sizeof(tag), fmt, args);
    length = strlen(line);
    line[length++] = '\n';
    vmm_log_take();
    vmm_log_out_write(line, length);
    vmm_unlock(&lock);
}

void vmm_log(enum vmm_log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vmm_vlog(level, fmt, args);
    va_end(args);
}
