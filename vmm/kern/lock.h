/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A ticket lock: first come, first served, so that no CPU starves. Taken with IRQs masked (vmm.h
 * says why that is the normal state). Plain C11 atomics, so that what uses it also runs in host
 * tests.
 */
#ifndef VMM_KERN_LOCK_H
#define VMM_KERN_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vmm_lock {
    _Atomic uint32_t next;    /* the ticket the next comer draws */
    _Atomic uint32_t serving; /* whose turn it is */
};

static inline void vmm_lock(struct vmm_lock *lock)
{
    uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

    /* Acquire on the last load orders what the lock protects after it. */
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
        ;
}

static inline bool vmm_trylock(struct vmm_lock *lock)
{
    uint32_t ticket = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    /* Free means that the next ticket is the one being served; drawing it is taking the lock. */
    return atomic_compare_exchange_strong_explicit(&lock->next, &ticket, ticket + 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

static inline void vmm_unlock(struct vmm_lock *lock)
{
    uint32_t ticket = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    atomic_store_explicit(&lock->serving, ticket + 1, memory_order_release);
}

#endif
