/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Atomics on plain integers (the public structs are C++ too), and a ticket lock. */
#ifndef AVC_ATOMIC_H
#define AVC_ATOMIC_H

#include <avc/avc.h>

#define avc_load_relaxed(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define avc_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define avc_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define avc_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
/* Sequentially consistent: STLR and LDAR, which are ordered with each other (RCsc; Arm ARM B2.3.10). */
#define avc_load_seq(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define avc_store_seq(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define avc_exchange(p, v)  __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

static inline bool avc_cas(uint32_t *p, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * A ticket lock: first come, first served, so no CPU starves. Held with interrupts masked and for bounded time only: the
 * caller's duty.
 */
static inline void avc_lock(struct avc_lock *lock)
{
    uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
        ;
}

static inline void avc_unlock(struct avc_lock *lock)
{
    /* only the holder writes it, so that a plain read of the old value will do */
    __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

#endif
