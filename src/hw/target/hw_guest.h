/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The seam's accessors of the guest's registers, made from avc/sysreg.def, and of the ID registers.
 * tests/fake/hw_guest.h is the other side.
 *
 * avc_hw_guest_read_NAME(e2h), avc_hw_guest_write_NAME(e2h, v): with HCR_EL2.E2H=1 the EL1 name at EL2 means EL2's own
 * register. Then the guest's is reached by its _EL12 or _EL02 name, whose encoding has op1=5 (DDI 0487, D8.3.3).
 */
#ifndef AVC_HW_GUEST_H
#define AVC_HW_GUEST_H

#include <avc/sysreg.h>

#define HW_MRS(v, op0, op1, crn, crm, op2)                                                                             \
    __asm__ volatile("mrs %0, S" #op0 "_" #op1 "_C" #crn "_C" #crm "_" #op2 : "=r"(v))
#define HW_MSR(v, op0, op1, crn, crm, op2)                                                                             \
    __asm__ volatile("msr S" #op0 "_" #op1 "_C" #crn "_C" #crm "_" #op2 ", %0" ::"r"(v))

/* clang-format off */
#define HW_GUEST_TWO(name, op0, op1, crn, crm, op2)                                                \
    static inline __attribute__((always_inline)) uint64_t avc_hw_guest_read_##name(bool e2h)       \
    {                                                                                              \
        uint64_t v;                                                                                \
        if (e2h)                                                                                   \
            HW_MRS(v, op0, 5, crn, crm, op2);                                                      \
        else                                                                                       \
            HW_MRS(v, op0, op1, crn, crm, op2);                                                    \
        return v;                                                                                  \
    }                                                                                              \
    static inline __attribute__((always_inline)) void avc_hw_guest_write_##name(bool e2h, uint64_t v) \
    {                                                                                              \
        if (e2h)                                                                                   \
            HW_MSR(v, op0, 5, crn, crm, op2);                                                      \
        else                                                                                       \
            HW_MSR(v, op0, op1, crn, crm, op2);                                                    \
    }
#define HW_GUEST_ONE(name, op0, op1, crn, crm, op2)                                                \
    static inline __attribute__((always_inline)) uint64_t avc_hw_guest_read_##name(bool e2h)       \
    {                                                                                              \
        uint64_t v;                                                                                \
        (void)e2h;                                                                                 \
        HW_MRS(v, op0, op1, crn, crm, op2);                                                        \
        return v;                                                                                  \
    }                                                                                              \
    static inline __attribute__((always_inline)) void avc_hw_guest_write_##name(bool e2h, uint64_t v) \
    {                                                                                              \
        (void)e2h;                                                                                 \
        HW_MSR(v, op0, op1, crn, crm, op2);                                                        \
    }
#define HW_GUEST_NONE(name, op0, op1, crn, crm, op2)

#define HW_GROUP_XLAT   HW_GUEST_TWO
#define HW_GROUP_EL1    HW_GUEST_TWO
#define HW_GROUP_TIMER  HW_GUEST_TWO
#define HW_GROUP_PLAIN  HW_GUEST_ONE
#define HW_GROUP_RAS    HW_GUEST_ONE
#define HW_GROUP_SCXT1  HW_GUEST_TWO
#define HW_GROUP_SCXT0  HW_GUEST_ONE
#define HW_GROUP_SP0    HW_GUEST_ONE
#define HW_GROUP_TPIDR  HW_GUEST_ONE
#define HW_GROUP_PAUTH  HW_GUEST_ONE
#define HW_GROUP_DEBUG  HW_GUEST_ONE
#define HW_GROUP_SHADOW HW_GUEST_NONE
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy)                       \
    HW_GROUP_##group(name, op0, op1, crn, crm, op2)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG

/* The register op0=3, op1=0, CRn=0, CRm=1..7, op2=0..7 for n = (CRm - 1) * 8 + op2. An unallocated one reads as
   zero. */
static inline uint64_t avc_hw_read_id(unsigned n)
{
    uint64_t v = 0;

    switch (n) {
#define ROW(crm)                                                                                   \
    ONE(crm, 0) ONE(crm, 1) ONE(crm, 2) ONE(crm, 3) ONE(crm, 4) ONE(crm, 5) ONE(crm, 6) ONE(crm, 7)
#define ONE(crm, op2)                                                                              \
    case (crm - 1) * 8 + op2:                                                                      \
        HW_MRS(v, 3, 0, 0, crm, op2);                                                              \
        break;
        ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7)
#undef ONE
#undef ROW
    }
    return v;
}
/* clang-format on */

#endif
