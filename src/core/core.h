/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What all files of src/core, src/emul and src/hw build on. A module declares what it offers in its own header. */
#ifndef AVC_CORE_H
#define AVC_CORE_H

#include <avc/avc.h>

#include "arch/bits.h"
#include "arch/hcr.h"
#include "arch/idreg.h"
#include "core/atomic.h"
#include "hw/hw.h"
#include "hw/offsets.h"

#define avc_likely(x)   __builtin_expect(!!(x), 1)
#define avc_unlikely(x) __builtin_expect(!!(x), 0)
/* Marks a function as `small` in a file that is not. */
#define avc_small         __attribute__((cold))
#define AVC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Calls a function by a pointer, as the last thing that a function does: see docs/compilers.md. */
#define AVC_LAST(fn, ...) ((__typeof__(&*(fn)))avc_hw_last((uintptr_t)(fn)))(__VA_ARGS__)

/* A doubleword of a struct, read or written whole. */
typedef uint64_t __attribute__((may_alias)) avc_word;

/* Adds one to a number that only this CPU writes and any CPU may read. It is never written in two pieces. */
static inline void avc_count(uint64_t *counter)
{
    *(volatile uint64_t *)counter += 1;
}

/* Marks of initialised objects: the letters say which. The upper half is zero, so a constant takes two instructions. */
#define AVC_MAGIC_MACHINE UINT64_C(0x6863616d)
#define AVC_MAGIC_PCPU    UINT64_C(0x75706370)
#define AVC_MAGIC_VM      UINT64_C(0x21216d76)
#define AVC_MAGIC_VCPU    UINT64_C(0x75706376)
#define AVC_MAGIC_STAGE2  UINT64_C(0x32677473)
#define AVC_MAGIC_VGIC    UINT64_C(0x63696776)

static inline bool avc_has(const struct avc_features *f, enum avc_feature_bit bit)
{
    return f->has >> bit & 1;
}

#endif
