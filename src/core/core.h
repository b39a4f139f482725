/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What all files of src/core, src/emul and src/hw build on. A module declares what it offers in its own header. */
#ifndef AVC_CORE_H
#define AVC_CORE_H

#include <avc/avc.h>

#include "arch/bits.h"
#include "core/atomic.h"
#include "hw/hw.h"
#include "hw/offsets.h"

#define avc_likely(x)   __builtin_expect(!!(x), 1)
#define avc_unlikely(x) __builtin_expect(!!(x), 0)
/* Of a function in a file that is not `small`: it is. */
#define avc_small         __attribute__((cold))
#define AVC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* The call of a pointer that a function ends with. */
#define AVC_LAST(fn, ...) ((__typeof__(&*(fn)))avc_hw_last((uintptr_t)(fn)))(__VA_ARGS__)

/* HCR_EL2 (Arm ARM, "HCR_EL2") where code names its bits; all that guests run with are in traps.c. */
#define HCR_VM  AVC_BIT(0)
#define HCR_IMO AVC_BIT(4)
#define HCR_VF  AVC_BIT(6)
#define HCR_VI  AVC_BIT(7)
#define HCR_VSE AVC_BIT(8)
#define HCR_TWI AVC_BIT(13)
#define HCR_TWE AVC_BIT(14)
#define HCR_TGE AVC_BIT(27)
#define HCR_E2H AVC_BIT(34)
#define HCR_APK AVC_BIT(40)
#define HCR_API AVC_BIT(41)

/* HFGITR_EL2 likewise: what avc_vm_trap_svc() switches. */
#define HFGITR_ERET    AVC_BIT(51)
#define HFGITR_SVC_EL0 AVC_BIT(52)
#define HFGITR_SVC_EL1 AVC_BIT(53)

/* The affinity fields of MPIDR_EL1, and of all that names a CPU like it: Aff3 in bits 39..32, Aff2..Aff0 in 23..0.
   All other bits of a PSCI call's target must be zero (DEN0022, "target_cpu"). */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

/* A doubleword of a struct, read or written whole. */
typedef uint64_t __attribute__((may_alias)) avc_word;

/* One more of a number that this CPU alone writes and any may read: never in two pieces. */
static inline void avc_count(uint64_t *counter)
{
    *(volatile uint64_t *)counter += 1;
}

/* Marks of initialised objects: what the letters say. The upper half is zero: a constant of two instructions. */
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
