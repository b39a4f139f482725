/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* In place of core/atomic.h: what is proved is the work of one CPU between accesses to memory that is shared. */
#ifndef AVC_ATOMIC_H
#define AVC_ATOMIC_H

#define avc_load_relaxed(p)     (*(p))
#define avc_load_acquire(p)     (*(p))
#define avc_store_relaxed(p, v) ((void)(*(p) = (v)))
#define avc_store_release(p, v) ((void)(*(p) = (v)))
#define avc_load_seq(p)         (*(p))
#define avc_store_seq(p, v)     ((void)(*(p) = (v)))

#endif
