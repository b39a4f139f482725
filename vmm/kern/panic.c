/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The two ways to stop: with a status for the launcher, or because something is broken. */
#include <stdatomic.h>
#include <string.h>

#include "board/board.h"
#include "boot/boot.h"
#include "boot/cpu.h"
#include "kern/log.h"
#include "kern/panic.h"

static _Atomic(struct vmm_cpu *) stopper;

/* Only the first CPU that stops the machine goes on, so its reason is reported. That CPU may call this again, if it
   crashes while it reports a crash. */
static void become_stopper(void)
{
    struct vmm_cpu *none = NULL, *self = vmm_cpu_self();

    vmm_irq_mask();
    if (!atomic_compare_exchange_strong(&stopper, &none, self) && none != self)
        for (;;)
            vmm_wfi();
    if (!none) /* the first time, guests on other CPUs stop too, whatever they were about to print */
        for (unsigned i = 0; i < vmm_nr_cpus; i++)
            if (&vmm_cpus[i] != self && self->up && vmm_cpus[i].up)
                vmm_gic_send_sgi(&vmm_cpus[i], VMM_SGI_STOP);
}

_Noreturn void vmm_exit(int status, const char *fmt, ...)
{
    char line[300];
    va_list args;
    int length;

    become_stopper();
    vmm_log_stopping();
    length = vmm_snprintf(line, sizeof(line) - 1, "vmm: exit %d: ", status);
    va_start(args, fmt);
    vmm_vsnprintf(line + length, sizeof(line) - 1 - (size_t)length, fmt, args);
    va_end(args);
    length = (int)strlen(line);
    line[length++] = '\n';
    vmm_log_take(); /* the lock is kept: this line is the last */
    vmm_log_finish();
    vmm_log_out_last(line, (size_t)length);
    vmm_console_drain();
    vmm_psci_system_off();
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    char text[256];
    va_list args;

    become_stopper();
    vmm_log_stopping();
    va_start(args, fmt);
    vmm_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    vmm_log(VMM_ERROR, "panic on CPU %u: %s", vmm_cpu_self()->index, text);
    vmm_backtrace((uintptr_t)__builtin_return_address(0) - 4, *(uint64_t *)__builtin_frame_address(0));
    vmm_exit(VMM_EXIT_FAILURE, "panic: %s", text);
}

/* Debian's libfdt is built with stack protection. */
extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = 0x00e2fd70c0ffee00; /* a zero byte stops string overruns */
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
    vmm_panic("a stack was overrun");
}
