/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Completes an instruction: see complete.h. This file has the general case of each part. */
#include "core/exit/complete.h"
#include "core/exit/decoder_ops.h"
#include "core/exit/eret.h"

/* ---- what the guest would have had ---- */

#define UNKNOWN (~UINT64_C(0)) /* no page */

/* `table` is the page whose read faulted, if that is known and the exception is an abort on a table walk. */
static void take_own(struct avc_vcpu *vcpu, struct avc_regs *r, uint64_t esr, uint64_t va, avc_ipa_t table,
                     enum avc_own own)
{
    switch (own) {
    case AVC_OWN_EXCEPTION:
        avc_inject_exception(vcpu, r, esr, va);
        break;
    case AVC_OWN_ABORT:
        avc_inject_abort(vcpu, r, esr, va, avc_inject_walk_level(vcpu, va, table));
        break;
    case AVC_OWN_SVC:
        avc_inject_svc(vcpu, r, esr);
        break;
    case AVC_OWN_ERET:
        avc_eret(vcpu, r, esr);
        break;
    case AVC_OWN_STEP:
        avc_pstate_step(&r->pc, &r->pstate, esr & ESR_IL);
        break;
    default:
        if (ESR_EC(esr) == AVC_EC_HVC64) /* the PC is behind the HVC; for an UNDEFINED instruction the PC is at it */
            r->pc -= 4;
        avc_inject_undef(vcpu, r, esr & ESR_IL);
        break;
    }
}

/* ---- in a trap ---- */

static struct avc_regs live(void)
{
    return (struct avc_regs){ avc_hw_read_ELR_EL2(), avc_hw_read_SPSR_EL2() };
}

static enum avc_result resume(struct avc_regs r)
{
    avc_hw_write_ELR_EL2(r.pc);
    avc_hw_write_SPSR_EL2(r.pstate);
    return AVC_RESUME;
}

enum avc_result avc_complete_step_odd(uint64_t esr)
{
    struct avc_regs r = live();

    avc_pstate_step(&r.pc, &r.pstate, esr & ESR_IL);
    return resume(r);
}

uint64_t avc_mmio_stored(const struct avc_vcpu *vcpu, uint64_t esr)
{
    unsigned unused = 64 - (8u << ISS_SAS(esr));
    uint64_t value = avc_gpr(vcpu, ISS_SRT(esr)) << unused;

    return avc_big_endian(avc_sctlr(vcpu), avc_hw_read_SPSR_EL2()) ? __builtin_bswap64(value) : value >> unused;
}

static inline uint64_t loaded(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t value, uint64_t pstate)
{
    return avc_mmio_loaded(value, esr, avc_big_endian(avc_sctlr(vcpu), pstate));
}

enum avc_result avc_complete_load_odd(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    avc_complete_gpr(vcpu, ISS_SRT(esr), loaded(vcpu, esr, value, avc_hw_read_SPSR_EL2()));
    return avc_complete_step(esr);
}

void avc_complete_gprs(struct avc_vcpu *vcpu, unsigned first, unsigned n, const uint64_t *values)
{
    for (unsigned i = 0; i < n; i++)
        vcpu->x[first + i] = values[i];
}

void avc_complete_jump(struct avc_vcpu *vcpu, uint64_t pc, uint64_t pstate)
{
    (void)vcpu;
    resume((struct avc_regs){ pc, pstate });
}

enum avc_result avc_complete_own(struct avc_vcpu *vcpu, uint64_t esr, enum avc_own own)
{
    struct avc_regs r = live();

    take_own(vcpu, &r, esr, avc_hw_read_FAR_EL2(), HPFAR_IPA(avc_hw_read_HPFAR_EL2()), own);
    return resume(r);
}

/* ---- an event, by its answer ---- */

static bool is_hvc(const struct avc_exit *e)
{
    return ESR_EC(e->esr) == AVC_EC_HVC64;
}

static void finish_sysreg(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    uint64_t value = ESR_EC(e->esr) == AVC_EC_SYSREG ? e->value : (uint32_t)e->value;

    avc_complete_gpr(vcpu, ISS_RT(e->esr), value);
    if (ESR_EC(e->esr) == AVC_EC_CP15_64 || ESR_EC(e->esr) == AVC_EC_CP14_64)
        avc_complete_gpr(vcpu, ISS_RT2(e->esr), e->value >> 32);
}

/* Writes the result of an event that is done. Reads alone have a size and no write. */
static void finish(struct avc_vcpu *vcpu, const struct avc_exit *e, uint64_t pstate)
{
    if (e->kind == AVC_CALL)
        vcpu->x[0] = e->value;
    else if (e->write || !e->size)
        return;
    else if (e->kind == AVC_SYSREG)
        finish_sysreg(vcpu, e);
    else
        avc_complete_gpr(vcpu, ISS_SRT(e->esr), loaded(vcpu, e->esr, e->value, pstate));
}

static void fault(struct avc_vcpu *vcpu, const struct avc_exit *e, struct avc_regs *r)
{
    switch (e->kind) {
    case AVC_CALL:
        vcpu->x[0] = ~UINT64_C(0); /* SMCCC: NOT_SUPPORTED */
        if (e->step)
            avc_pstate_step(&r->pc, &r->pstate, e->esr & ESR_IL);
        break;
    case AVC_MMIO:
    case AVC_STAGE2:
        avc_inject_abort(vcpu, r, e->esr, e->va, (unsigned)e->value); /* see enum avc_kind, AVC_STAGE2 */
        break;
    case AVC_SERROR:
        avc_inject_serror(vcpu, e->esr & 0x1ffffff);
        break;
    case AVC_CLASS:
    case AVC_SYSREG:
    case AVC_SVC:
    case AVC_WFI:
    case AVC_WFE:
        if (is_hvc(e)) /* the preferred return address is behind the HVC */
            r->pc -= 4;
        avc_inject_undef(vcpu, r, e->esr & ESR_IL);
        break;
    default: /* the guest is not to blame for anything */
        break;
    }
}

static void complete(struct avc_vcpu *vcpu, const struct avc_exit *e, struct avc_regs *r)
{
    switch (e->answer) {
    case AVC_DONE:
        if (e->own == AVC_OWN_PART) {
            vcpu->vm->decoder->ops->done(vcpu, e);
            break;
        }
        finish(vcpu, e, r->pstate);
        if (e->step)
            avc_pstate_step(&r->pc, &r->pstate, e->esr & ESR_IL);
        break;
    case AVC_FAULT:
        fault(vcpu, e, r);
        break;
    case AVC_RETRY:
        if (e->kind <= AVC_SVC && is_hvc(e))
            r->pc -= 4;
        break;
    case AVC_PASS: /* the guest's own exception, which it would take without a trap to EL2 */
        if (e->kind == AVC_CLASS || e->kind == AVC_SVC)
            take_own(vcpu, r, e->esr, e->va, UNKNOWN, (enum avc_own)e->own);
        break;
    default: /* EXIT is no answer to an exit: the instruction is done again */
        break;
    }
}

enum avc_result avc_complete_live(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    struct avc_regs r = live();

    complete(vcpu, e, &r);
    return resume(r);
}

void avc_complete_saved_odd(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    struct avc_regs r = { vcpu->pc, vcpu->pstate };

    complete(vcpu, e, &r);
    vcpu->pc = r.pc;
    vcpu->pstate = r.pstate;
}
