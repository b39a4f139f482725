/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A spinlock. It is taken with IRQs masked (vmm.h says why that is the normal state), for sections of some dozen
 * instructions. A CPU that waits sleeps by WFE. The store that frees the lock ends the sleep. It is C11 except for this
 * wait, boot/wait.h, which the host tests replace.
 *
 * It is not a ticket lock, on purpose. Where the CPUs are threads of an emulator, and there are more of them than real
 * ones, a ticket lock would go to a CPU that does not run just now, while others that could take it spin. Eight CPUs on
 * two came to a few dozen hand-overs a second. A CPU that loses the race here loses the time of one short section.
 */
#ifndef VMM_KERN_LOCK_H
#define VMM_KERN_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot/wait.h"

struct vmm_lock {
    _Atomic uint32_t taken;
};

static inline bool vmm_trylock(struct vmm_lock *lock)
{
    return !atomic_exchange_explicit(&lock->taken, 1, memory_order_acquire);
}

static inline void vmm_lock(struct vmm_lock *lock)
{
    while (!vmm_trylock(lock))
        vmm_wait_while_set(&lock->taken);
}

static inline void vmm_unlock(struct vmm_lock *lock)
{
    atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

#endif
