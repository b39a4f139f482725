/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The seam's small functions on a real CPU. tests/fake/hw_inline.h is the other side. Only hw.h includes it. */
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
#include "hw/hwreg.def"
#undef X

/* Returns p, in a register. The compiler does not know its origin: see docs/compilers.md. */
static inline const void *avc_hw_opaque(const void *p)
{
    __asm__("" : "+r"(p));
    return p;
}

/* Loads the low half of a doubleword: see docs/compilers.md. */
static inline uint64_t avc_hw_load_low(const uint64_t *p)
{
    uint64_t v;

    __asm__("ldr %w0, %1" : "=r"(v) : "m"(*p));
    return v;
}

/* Loads two doublewords, the second into *second: see docs/compilers.md. */
static inline uint64_t avc_hw_load_pair(const void *p, uint64_t *second)
{
    typedef struct {
        uint64_t w[2];
    } __attribute__((may_alias)) pair;
    uint64_t first;

    __asm__("ldp %0, %1, %2" : "=r"(first), "=r"(*second) : "Q"(*(const pair *)p));
    return first;
}

/* Holds a pointer to the function that is called last, in the register of that call: see docs/compilers.md. */
static inline uintptr_t avc_hw_last(uintptr_t fn)
{
    register uintptr_t x16 __asm__("x16") = fn;

    __asm__("" : "+r"(x16));
    return x16;
}

/* Sleeps while *p is not zero. May return early. LDAXR makes the exclusive monitor watch the word. After it, another
   CPU's store to the word is an event for WFE, even one that comes before the WFE (Arm ARM D1.6.1 "Wait for Event"). */
static inline void avc_hw_wait_while_set(const uint32_t *p)
{
    uint32_t v;

    __asm__ volatile("ldaxr %w0, %1\n\tcbz %w0, 1f\n\twfe\n1:" : "=&r"(v) : "Q"(*p) : "memory");
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
HW_OP0(dmb_sy, "dmb sy")
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
HW_OP1(at_s1e1w, "at s1e1w")
HW_OP1(at_s1e0r, "at s1e0r")
HW_OP1(at_s1e0w, "at s1e0w")
HW_OP1(at_s12e1r, "at s12e1r")
HW_OP1(irq_restore, "msr daif")
#undef HW_OP1

/* lr.S: list register n, 0..15. The caller knows that it exists (ICH_VTR_EL2.ListRegs). */
static inline uint64_t avc_hw_lr_read(uint64_t n)
{
    register uint64_t x0 __asm__("x0") = n;

    __asm__ volatile("bl avc_hw_lr_read" : "+r"(x0)::"x1", "x30", "memory");
    return x0;
}

static inline void avc_hw_lr_write(uint64_t n, uint64_t value)
{
    register uint64_t x0 __asm__("x0") = n;
    register uint64_t x1 __asm__("x1") = value;

    __asm__ volatile("bl avc_hw_lr_write" ::"r"(x0), "r"(x1) : "x2", "x30", "memory");
}

#endif
