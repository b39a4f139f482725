/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stands in for vmm/boot/wait.h, for threads of the build host. */
#ifndef VMM_BOOT_WAIT_H
#define VMM_BOOT_WAIT_H

#include <sched.h>
#include <stdint.h>

static inline void vmm_wait_while_set(const _Atomic uint32_t *word)
{
    (void)word;
    sched_yield();
}

#endif
