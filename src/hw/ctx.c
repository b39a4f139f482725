/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Reads or writes one register of the guest, by its index, while it is in the CPU. Made from avc/sysreg.def. */
#include "core/policy/ctx.h"
#include "hw_guest.h"

static inline bool is_e2h(const struct avc_vcpu *vcpu)
{
    return vcpu->hcr & HCR_E2H; /* HCR_EL2.E2H: the same for host and guest */
}

/* An instruction names its debug register, and there are 64. So all of them are swapped out, and in again, for the
   sake of one. */
static uint64_t debug_read(struct avc_vcpu *vcpu, unsigned ctx)
{
    uint64_t value;

    avc_hw_debug_save(vcpu);
    value = vcpu->ctx[ctx];
    avc_hw_debug_load(vcpu);
    return value;
}

static void debug_write(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value)
{
    avc_hw_debug_save(vcpu);
    vcpu->ctx[ctx] = value;
    avc_hw_debug_load(vcpu);
}

uint64_t avc_hw_ctx_read(const struct avc_vcpu *vcpu, unsigned ctx)
{
    bool e2h = is_e2h(vcpu);

    switch (ctx) {
#define READ(name)                                                                                                     \
    case AVC_CTX_##name:                                                                                               \
        return avc_hw_guest_read_##name(e2h);
#define READ_XLAT(name)  READ(name)
#define READ_EL1(name)   READ(name)
#define READ_TIMER(name) READ(name)
#define READ_PLAIN(name) READ(name)
#define READ_RAS(name)   READ(name)
#define READ_SCXT1(name) READ(name)
#define READ_SCXT0(name) READ(name)
#define READ_SP0(name)   READ(name)
#define READ_TPIDR(name) READ(name)
#define READ_PAUTH(name) READ(name)
#define READ_DEBUG(name)
#define READ_SHADOW(name)
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) READ_##group(name)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
    default: /* the rest is of group DEBUG; vcpu is const because a read leaves everything as it was */
        return debug_read((struct avc_vcpu *)(uintptr_t)vcpu, ctx);
    }
}

void avc_hw_ctx_write(struct avc_vcpu *vcpu, unsigned ctx, uint64_t value)
{
    bool e2h = is_e2h(vcpu);

    switch (ctx) {
#define WRITE(name)                                                                                                    \
    case AVC_CTX_##name:                                                                                               \
        avc_hw_guest_write_##name(e2h, value);                                                                         \
        break;
#define WRITE_XLAT(name)  WRITE(name)
#define WRITE_EL1(name)   WRITE(name)
#define WRITE_TIMER(name) WRITE(name)
#define WRITE_PLAIN(name) WRITE(name)
#define WRITE_RAS(name)   WRITE(name)
#define WRITE_SCXT1(name) WRITE(name)
#define WRITE_SCXT0(name) WRITE(name)
#define WRITE_SP0(name)   WRITE(name)
#define WRITE_TPIDR(name) WRITE(name)
#define WRITE_PAUTH(name) WRITE(name)
#define WRITE_DEBUG(name)
#define WRITE_SHADOW(name)
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy) WRITE_##group(name)
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)
#include <avc/sysreg.def>
#undef CTX
#undef REG
    default:
        debug_write(vcpu, ctx, value);
    }
}
