/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The other side of the seam: a CPU made of arrays. Each register access goes through fake_read() or fake_write(). Each
 * barrier, TLB, cache or translation operation goes through fake_op(). These log it in order (fake.c).
 */
#ifndef AVC_HW_INLINE_H
#define AVC_HW_INLINE_H

#include <stdint.h>
#include <string.h>

enum fake_reg {
#define X(name, op0, op1, crn, crm, op2) FAKE_##name,
#include "hw/hwreg.def"
#undef X
    FAKE_NR_REGS
};

/* clang-format off */
#define FAKE_OPS0(X)                                                                                                   \
    X(isb)                                                                                                             \
    X(dmb_sy)                                                                                                          \
    X(dsb_ish) X(dsb_ishst) X(dsb_nsh) X(dsb_sy) X(relax) X(irq_disable) X(tlbi_vmalls12e1is) X(tlbi_vmalls12e1)       \
        X(tlbi_vmalle1is) X(tlbi_vmalle1) X(tlbi_alle1is) X(tlbi_alle1) X(ic_iallu) X(ic_ialluis)
#define FAKE_OPS1(X)                                                                                                   \
    X(tlbi_ipas2e1is)                                                                                                  \
    X(tlbi_ipas2le1is) X(tlbi_ripas2e1is) X(tlbi_ripas2le1is) X(dc_cvac) X(dc_civac) X(dc_cisw) X(ic_ivau)             \
        X(at_s1e1r) X(at_s1e1w) X(at_s1e0r) X(at_s1e0w) X(at_s12e1r) X(irq_restore)
/* clang-format on */

enum fake_op {
#define FAKE_OP_ENUM(name) FAKE_OP_##name,
    FAKE_OPS0(FAKE_OP_ENUM) FAKE_OPS1(FAKE_OP_ENUM)
#undef FAKE_OP_ENUM
        FAKE_OP_wait_while_set,
    FAKE_NR_OPS
};

uint64_t fake_read(enum fake_reg reg);
void fake_write(enum fake_reg reg, uint64_t value);
void fake_op(enum fake_op op, uint64_t value);

#define X(name, op0, op1, crn, crm, op2)                                                                               \
    static inline uint64_t avc_hw_read_##name(void)                                                                    \
    {                                                                                                                  \
        return fake_read(FAKE_##name);                                                                                 \
    }                                                                                                                  \
    static inline void avc_hw_write_##name(uint64_t v)                                                                 \
    {                                                                                                                  \
        fake_write(FAKE_##name, v);                                                                                    \
    }
#include "hw/hwreg.def"
#undef X

static inline uint64_t avc_hw_load_low(const uint64_t *p)
{
    return (uint32_t)*p;
}

static inline uint64_t avc_hw_load_pair(const void *p, uint64_t *second)
{
    uint64_t w[2];

    memcpy(w, p, sizeof w);
    *second = w[1];
    return w[0];
}

static inline uintptr_t avc_hw_last(uintptr_t fn)
{
    return fn;
}

static inline const void *avc_hw_opaque(const void *p)
{
    return p;
}

/* The fake's CPUs run one after the other, so none of them waits, unless a test's hook plays another CPU. */
static inline void avc_hw_wait_while_set(const uint32_t *p)
{
    fake_op(FAKE_OP_wait_while_set, (uintptr_t)p);
}

#define FAKE_FN0(name)                                                                                                 \
    static inline void avc_hw_##name(void)                                                                             \
    {                                                                                                                  \
        fake_op(FAKE_OP_##name, 0);                                                                                    \
    }
FAKE_OPS0(FAKE_FN0)
#undef FAKE_FN0
#define FAKE_FN1(name)                                                                                                 \
    static inline void avc_hw_##name(uint64_t v)                                                                       \
    {                                                                                                                  \
        fake_op(FAKE_OP_##name, v);                                                                                    \
    }
FAKE_OPS1(FAKE_FN1)
#undef FAKE_FN1

static inline uint64_t avc_hw_lr_read(uint64_t n)
{
    return fake_read((enum fake_reg)(FAKE_ICH_LR0_EL2 + n));
}

static inline void avc_hw_lr_write(uint64_t n, uint64_t value)
{
    fake_write((enum fake_reg)(FAKE_ICH_LR0_EL2 + n), value);
}

#endif
