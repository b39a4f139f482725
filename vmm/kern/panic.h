/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What log.c and panic.c have between them.
 */
#ifndef VMM_KERN_PANIC_H
#define VMM_KERN_PANIC_H

/** From now on a log lock that stays taken is ignored. */
void vmm_log_stopping(void);
/** Takes the log's lock; with vmm_log_stopping() it may give up waiting. */
void vmm_log_take(void);

#endif
