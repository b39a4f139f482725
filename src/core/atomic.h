/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Atomics on plain integers (the public structs are C++ too), and a lock. */
#ifndef AVC_ATOMIC_H
#define AVC_ATOMIC_H

#include <avc/avc.h>

#include "hw/hw.h"

/* One access, in no order with others: of what is no wider than a register and aligned, all that `volatile` says. (For
   __atomic_load_n gcc 12 computes the address in an instruction of its own.) */
#define avc_load_relaxed(p)     (*(const volatile __typeof__(*(p)) *)(p))
#define avc_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define avc_store_relaxed(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#define avc_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
/* Sequentially consistent: STLR and LDAR, which are ordered with each other (RCsc; Arm ARM B2.3.10). */
#define avc_load_seq(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define avc_store_seq(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)

/*
 * DMB ISH between a store and a load of another word, where two CPUs do so crosswise and one must see the other's store.
 * STLR and then LDAR are ordered on a CPU. QEMU's translator on x86 (10.0) keeps each one's own order, but lets the load go
 * before the store: tests/guest/handlers found it within seconds.
 */
#define avc_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/* What stands in front of this, done before any store behind it. */
#define avc_release() __atomic_thread_fence(__ATOMIC_RELEASE)

static inline bool avc_cas(uint32_t *p, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * A lock that whoever comes first takes, not a fair one: a fair lock hands itself to a waiter whose CPU may not be running
 * (this library under an emulator or another hypervisor, with more CPUs than there really are), and everybody waits for
 * it. Held with interrupts masked and for bounded time only, so that nobody waits long. Waiters sleep by WFE: the STLR
 * that frees the lock is the event, so that no SEV is needed.
 */
static inline void avc_lock(struct avc_lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        avc_hw_wait_while_set(&lock->held);
}

static inline void avc_unlock(struct avc_lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
