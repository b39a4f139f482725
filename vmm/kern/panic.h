/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What log.c and panic.c share. */
#ifndef VMM_KERN_PANIC_H
#define VMM_KERN_PANIC_H

/** Makes this CPU's lines go to the device at once, and ignore a lock that stays taken. */
void vmm_log_stopping(void);
/** Takes the log's lock. The CPU that has called vmm_log_stopping() may give up waiting. */
void vmm_log_take(void);
/** Writes what waits in the log's ring. The caller holds the lock. */
void vmm_log_finish(void);

#endif
