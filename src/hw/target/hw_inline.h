/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The seam's small functions on a real CPU; tests/fake/hw_inline.h is the other side. Included by hw.h only. */
#ifndef AVC_HW_INLINE_H
#define AVC_HW_INLINE_H

/* "memory" orders register accesses with the code around them, barriers included. */
#define X(name, op0, op1, crn, crm, op2)                                                                               \
    static inline uint64_t avc_hw_read_##name(void)                                                                    \
    {                                                                                                                  \
        uint64_t v;                                                                                                    \
        __asm__ volatile("mrs %0, S" #op0 "_" #op1 "_C" #crn "_C" #crm "_" #op2 : "=r"(v)::"memory");                  \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void avc_hw_write_##name(uint64_t v)                                                                 \
    {                                                                                                                  \
        __asm__ volatile("msr S" #op0 "_" #op1 "_C" #crn "_C" #crm "_" #op2 ", %0" ::"r"(v) : "memory");               \
    }
#include "hwreg.def"
#undef X

/* p, in a register, and of unknown origin to the compiler */
static inline const void *avc_hw_opaque(const void *p)
{
    __asm__("" : "+r"(p));
    return p;
}

#define HW_OP0(name, text)                                                                                             \
    static inline void avc_hw_##name(void)                                                                             \
    {                                                                                                                  \
        __asm__ volatile(text ::: "memory");                                                                           \
    }
HW_OP0(isb, "isb")
HW_OP0(dsb_ish, "dsb ish")
HW_OP0(dsb_ishst, "dsb ishst")
HW_OP0(dsb_nsh, "dsb nsh")
HW_OP0(dsb_sy, "dsb sy")
HW_OP0(relax, "yield")
HW_OP0(irq_disable, "msr daifset, #15")
HW_OP0(tlbi_vmalls12e1is, "tlbi vmalls12e1is")
HW_OP0(tlbi_vmalls12e1, "tlbi vmalls12e1")
HW_OP0(tlbi_vmalle1is, "tlbi vmalle1is")
HW_OP0(tlbi_vmalle1, "tlbi vmalle1")
HW_OP0(tlbi_alle1is, "tlbi alle1is")
HW_OP0(tlbi_alle1, "tlbi alle1")
HW_OP0(ic_iallu, "ic iallu")
HW_OP0(ic_ialluis, "ic ialluis")
#undef HW_OP0

#define HW_OP1(name, text)                                                                                             \
    static inline void avc_hw_##name(uint64_t v)                                                                       \
    {                                                                                                                  \
        __asm__ volatile(text ", %0" ::"r"(v) : "memory");                                                             \
    }
HW_OP1(tlbi_ipas2e1is, "tlbi ipas2e1is")
HW_OP1(tlbi_ipas2le1is, "tlbi ipas2le1is")
HW_OP1(tlbi_ripas2e1is, "sys #4, C8, C0, #2")  /* FEAT_TLBIRANGE */
HW_OP1(tlbi_ripas2le1is, "sys #4, C8, C0, #6") /* FEAT_TLBIRANGE */
HW_OP1(dc_cvac, "dc cvac")
HW_OP1(dc_civac, "dc civac")
HW_OP1(dc_cisw, "dc cisw")
HW_OP1(ic_ivau, "ic ivau")
HW_OP1(at_s1e1r, "at s1e1r")
HW_OP1(at_s1e0r, "at s1e0r")
HW_OP1(at_s12e1r, "at s12e1r")
HW_OP1(irq_restore, "msr daif")
#undef HW_OP1

#endif
