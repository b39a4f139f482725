/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The other side of src/hw/target/hw_guest.h: the guest's registers of the fake CPU. Each access is logged, and checked
 * against the rules of HCR_EL2.E2H (tests/fake/regs.c).
 */
#ifndef AVC_HW_GUEST_H
#define AVC_HW_GUEST_H

#include <avc/priv/ctx.h>

/* `two`: the register has a name for E2H=0 and one for E2H=1. */
uint64_t fake_guest_read(unsigned ctx, bool two, bool e2h);
void fake_guest_write(unsigned ctx, bool two, bool e2h, uint64_t value);
uint64_t avc_hw_read_id(unsigned n);

#define FAKE_GUEST(name, two)                                                                                          \
    static inline uint64_t avc_hw_guest_read_##name(bool e2h)                                                          \
    {                                                                                                                  \
        return fake_guest_read(AVC_CTX_##name, two, e2h);                                                              \
    }                                                                                                                  \
    static inline void avc_hw_guest_write_##name(bool e2h, uint64_t v)                                                 \
    {                                                                                                                  \
        fake_guest_write(AVC_CTX_##name, two, e2h, v);                                                                 \
    }
#define FAKE_GROUP_XLAT(name)  FAKE_GUEST(name, true)
#define FAKE_GROUP_EL1(name)   FAKE_GUEST(name, true)
#define FAKE_GROUP_TIMER(name) FAKE_GUEST(name, true)
#define FAKE_GROUP_PLAIN(name) FAKE_GUEST(name, false)
#define FAKE_GROUP_RAS(name)   FAKE_GUEST(name, false)
#define FAKE_GROUP_SCXT1(name) FAKE_GUEST(name, true)
#define FAKE_GROUP_SCXT0(name) FAKE_GUEST(name, false)
#define FAKE_GROUP_SP0(name)   FAKE_GUEST(name, false)
#define FAKE_GROUP_TPIDR(name) FAKE_GUEST(name, false)
#define FAKE_GROUP_PAUTH(name) FAKE_GUEST(name, false)
#define FAKE_GROUP_DEBUG(name) FAKE_GUEST(name, false)
#define FAKE_GROUP_SHADOW(name)
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) FAKE_GROUP_##group(name)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG

#endif
