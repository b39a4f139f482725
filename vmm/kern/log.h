/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The hypervisor's log. board/log_out.c puts its lines where they can be seen. And the two ways to stop. */
#ifndef VMM_KERN_LOG_H
#define VMM_KERN_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define VMM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum vmm_log_level { VMM_ERROR, VMM_WARN, VMM_INFO, VMM_DEBUG };

/** Logs one line of at most 380 characters, with "vmm: " before it and a newline after it. Knows %s %c %d %i %u %x %X
    %p %% with 0, -, width, precision for %s, and the lengths hh, h, l, ll, z. Any CPU may call it, in interrupt
    handlers and claims too. */
void vmm_log(enum vmm_log_level level, const char *fmt, ...) VMM_PRINTF(2, 3);
void vmm_vlog(enum vmm_log_level level, const char *fmt, va_list args) VMM_PRINTF(2, 0);

/** From now on lines wait in a ring of 32 KiB, and interrupts write them. Called once, on the boot CPU, when that takes
    interrupts. */
void vmm_log_start(void);
void vmm_log_send(void); /* the interrupt's: VMM_SGI_LOG, or the device's */
void vmm_log_look(void); /* for a CPU's loop: a device without interrupt may have room again */
/** Waits until there is room for some 100 lines, for one who has many to log and may wait. Interrupts are taken
    meanwhile. It gives up when the device takes nothing. */
void vmm_log_wait(void);

/** Drops lines of a higher level than this. The default is VMM_INFO. */
void vmm_log_set_level(enum vmm_log_level level);

/** As the C library's. They always terminate the string. They return the length that it would have had. */
int vmm_snprintf(char *buf, size_t size, const char *fmt, ...) VMM_PRINTF(3, 4);
int vmm_vsnprintf(char *buf, size_t size, const char *fmt, va_list args) VMM_PRINTF(3, 0);

/** How a run has ended. The launcher is told. */
#define VMM_EXIT_OFF     0 /* the guest powered itself off */
#define VMM_EXIT_FAILURE 1 /* the hypervisor failed, or was given something it cannot use */
#define VMM_EXIT_USAGE   2 /* this hypervisor, or this board, cannot do what an option asks */
#define VMM_EXIT_CRASH   3 /* the guest crashed */

/** Logs "vmm: exit STATUS: REASON", as the last line, and powers the machine off. */
_Noreturn void vmm_exit(int status, const char *fmt, ...) VMM_PRINTF(2, 3);

/** For a bug of the hypervisor: logs the message and a backtrace, then calls vmm_exit(VMM_EXIT_FAILURE). */
_Noreturn void vmm_panic(const char *fmt, ...) VMM_PRINTF(1, 2);

#define vmm_assert(cond)                                                                                               \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            vmm_panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                                         \
    } while (0)

#endif
