/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Atomics on plain integers (the public structs are C++ too), and a lock. */
#ifndef AVC_ATOMIC_H
#define AVC_ATOMIC_H

#include <avc/avc.h>

#include "hw/hw.h"

/* One access, in no order with others. For an aligned object no wider than a register, `volatile` is enough. Why not
   __atomic_load_n: see docs/compilers.md. */
#define avc_load_relaxed(p)     (*(const volatile __typeof__(*(p)) *)(p))
#define avc_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define avc_store_relaxed(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#define avc_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
/* Sequentially consistent accesses: STLR and LDAR are ordered with each other (RCsc; Arm ARM B2.3.10). */
#define avc_load_seq(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define avc_store_seq(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_or(p, v)  __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define avc_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)

/*
 * DMB ISH between a store and a load of another word. It is for two CPUs that each store one word and load the other's,
 * where one of them must see the other's store. STLR and then LDAR are ordered on a CPU. QEMU's translator on x86
 * (10.0) keeps the order of each with itself, but lets the load go before the store: tests/guest/handlers found it
 * within seconds.
 */
#define avc_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/* Accesses before this are done before any store after it. */
#define avc_release() __atomic_thread_fence(__ATOMIC_RELEASE)

static inline bool avc_cas(uint32_t *p, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * A lock that the first to come takes, not a fair one. A fair lock hands itself to a waiter whose CPU may not be
 * running, and then everybody waits for that CPU. It happens under an emulator or another hypervisor, with more CPUs
 * than there really are. The library holds the lock with interrupts masked and for a bounded time only, so that nobody
 * waits long. Waiters sleep by WFE. The STLR that frees the lock is their event, so no SEV is needed.
 */
static inline void avc_lock(struct avc_lock *lock)
{
    while (__builtin_expect(__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0, 0))
        avc_hw_wait_while_set(&lock->held);
}

static inline void avc_unlock(struct avc_lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
