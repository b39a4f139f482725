/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See complete_access.h. */
#include "core/exit/complete_access.h"

#include <avc/priv/ctx.h>

#include "core/decode/decode.h"
#include "core/exit/fp.h"
#include "core/exit/inject.h"
#include "core/object/here.h"
#include "core/policy/sysreg.h"

static void write_base(struct avc_vcpu *vcpu, uint64_t n, uint64_t pstate, uint64_t value)
{
    if (n == AVC_BASE_SP)
        avc_ctx_set(vcpu, (pstate & SPSR_M) == SPSR_EL1H ? AVC_CTX_SP_EL1 : AVC_CTX_SP_EL0, value);
    else
        avc_complete_gpr(vcpu, n, value);
}

/* Loads of the PC branch, and choose the instruction set (Arm ARM, LoadWritePC() and BXWritePC()). An address of A32
   that is not aligned is UNPREDICTABLE: it is aligned here. A table's entry is an offset from T32's PC, which is that
   of the instruction plus 4, in halfwords; bit 0 then says that it stays T32. */
static enum avc_result branch(const struct avc_decoder_cpu *d, uint64_t pstate)
{
    uint32_t to = avc_access_pc_loaded(&d->access, pstate & SPSR_E, d->data);
    uint64_t pc = 0;

    if (d->access.table)
        to = ((uint32_t)avc_hw_read_ELR_EL2() + 4 + 2 * to) | 1;
    avc_pstate_step(&pc, &pstate, d->length);
    avc_hw_write_ELR_EL2(to & (to & 1 ? ~UINT32_C(1) : ~UINT32_C(3)));
    avc_hw_write_SPSR_EL2(to & 1 ? pstate | SPSR_T32 : pstate & ~SPSR_T32);
    return AVC_RESUME;
}

enum avc_result avc_complete_access(struct avc_vcpu *vcpu, const struct avc_decoder_cpu *d)
{
    const struct avc_access *a = &d->access;
    uint64_t pstate = avc_hw_read_SPSR_EL2();

    if (a->what == AVC_ACCESS_LOAD) {
        if (avc_access_is_fp(a))
            avc_fp_leave_guest(vcpu, true); /* into memory; they come back with the guest's next use */
        avc_access_scatter(a, avc_big_endian(avc_sctlr(vcpu), pstate), d->data, vcpu->x, vcpu->fp);
    }
    if (a->write_back)
        write_base(vcpu, a->base, pstate, d->written);
    return (a->r15 || a->table) && a->what == AVC_ACCESS_LOAD ? branch(d, pstate) : avc_complete_step(d->length);
}

enum avc_result avc_complete_stage1(struct avc_vcpu *vcpu, unsigned status, bool write, uint64_t va)
{
    struct avc_regs r = { avc_hw_read_ELR_EL2(), avc_hw_read_SPSR_EL2() };

    avc_ctx_set(vcpu, AVC_CTX_FAR_EL1, va);
    avc_inject_sync(vcpu, &r, ESR_MAKE(AVC_EC_DABT_LOWER, true, (write ? ISS_WNR : 0) | status));
    avc_hw_write_ELR_EL2(r.pc);
    avc_hw_write_SPSR_EL2(r.pstate);
    return AVC_RESUME;
}

void avc_complete_hear(const struct avc_vcpu *vcpu)
{
    if (avc_vcpu_in_trap(vcpu))
        return;
    avc_hw_write_ELR_EL2(vcpu->pc);
    avc_hw_write_SPSR_EL2(vcpu->pstate);
}

enum avc_result avc_complete_as_in_trap(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d,
                                        enum avc_result (*fn)(struct avc_vcpu *vcpu, struct avc_decoder_cpu *d))
{
    enum avc_result result;

    avc_complete_hear(vcpu);
    result = fn(vcpu, d);
    vcpu->pc = avc_hw_read_ELR_EL2();
    vcpu->pstate = avc_hw_read_SPSR_EL2();
    return result;
}
