/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The hypervisor's log: lines, for board/log_out.c to put where they are seen, and the two ways to
 * stop.
 */
#ifndef VMM_KERN_LOG_H
#define VMM_KERN_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define VMM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum vmm_log_level { VMM_ERROR, VMM_WARN, VMM_INFO, VMM_DEBUG };

/** One line, "vmm: " before it and a newline behind it. %s %c %d %i %u %x %X %p %% with 0, -, width, precision for %s,
   and the lengths hh, h, l, ll, z. Any CPU, interrupt handlers and claims too. */
void vmm_log(enum vmm_log_level level, const char *fmt, ...) VMM_PRINTF(2, 3);
void vmm_vlog(enum vmm_log_level level, const char *fmt, va_list args) VMM_PRINTF(2, 0);

/** Lines of a higher level than this are dropped. Default VMM_INFO. */
void vmm_log_set_level(enum vmm_log_level level);

/** As the C library's; always terminates. Returns the length it would have had. */
int vmm_snprintf(char *buf, size_t size, const char *fmt, ...) VMM_PRINTF(3, 4);
int vmm_vsnprintf(char *buf, size_t size, const char *fmt, va_list args) VMM_PRINTF(3, 0);

/** What a run ends with, told to the launcher. */
#define VMM_EXIT_OFF     0 /* the guest powered itself off */
#define VMM_EXIT_FAILURE 1 /* the hypervisor failed, or was given something it cannot use */
#define VMM_EXIT_USAGE   2 /* an option that it, or this board, cannot do */
#define VMM_EXIT_CRASH   3 /* the guest crashed */

/** Logs "vmm: exit STATUS: REASON", as the last line, and powers the machine off. */
_Noreturn void vmm_exit(int status, const char *fmt, ...) VMM_PRINTF(2, 3);

/** A bug of ours: logs the message and a backtrace, then vmm_exit(VMM_EXIT_FAILURE). */
_Noreturn void vmm_panic(const char *fmt, ...) VMM_PRINTF(1, 2);

#define vmm_assert(cond)                                                                                               \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            vmm_panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                                         \
    } while (0)

#endif
