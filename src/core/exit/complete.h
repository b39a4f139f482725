/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * How an instruction is completed: its result registers are written, and the PC moves behind it. complete.c and this file
 * alone do so, whoever gave the answer: the library, a claim, or the VMM. Besides them only reset, get and set, and the
 * emulation of ERET write these registers.
 *
 * What ends a trap at once comes first: the guest's PC and PSTATE are in ELR_EL2 and SPSR_EL2. The usual case is inline: a
 * little-endian guest in AArch64, no single step, no BTYPE. All else is a call away and costs some twenty instructions more.
 */
#ifndef AVC_COMPLETE_H
#define AVC_COMPLETE_H

#include <avc/priv/result.h>

#include "arch/mmu.h"
#include "core/exit/event.h"
#include "hw_guest.h"

/* SCTLR_EL1 of the vCPU that is loaded here. */
static inline uint64_t avc_sctlr(const struct avc_vcpu *vcpu)
{
    return avc_hw_guest_read_SCTLR_EL1(vcpu->hcr & HCR_E2H);
}

/* Data has its lowest byte first whatever the guest executes: neither EL1 nor EL0 is big-endian, and it is in AArch64. */
static inline bool avc_data_is_plain(const struct avc_vcpu *vcpu, uint64_t pstate)
{
    return !(avc_sctlr(vcpu) & (SCTLR_E0E | SCTLR_EE)) && !(pstate & SPSR_NRW);
}

static inline void avc_complete_gpr(struct avc_vcpu *vcpu, uint64_t n, uint64_t value)
{
    if (avc_likely(n != 31)) /* XZR */
        vcpu->x[n] = value;
}

/* ---- in a trap ---- */

/* Steps over an instruction, where avc_pstate_step_is_plain() has been asked; and wherever. */
static inline enum avc_result avc_complete_plain_step(void)
{
    avc_hw_write_ELR_EL2(avc_hw_read_ELR_EL2() + 4);
    return AVC_RESUME;
}

enum avc_result avc_complete_step_odd(uint64_t esr);
static inline enum avc_result avc_complete_step(uint64_t esr)
{
    if (avc_unlikely(!avc_pstate_step_is_plain(avc_hw_read_SPSR_EL2())))
        return avc_complete_step_odd(esr);
    return avc_complete_plain_step();
}

/* One register's load or store, as the syndrome has decoded it (ISV: SAS, SSE, SRT, SF). What an access of this size has of
   a value. */
static inline uint64_t avc_mmio_low(uint64_t value, uint64_t esr)
{
    unsigned unused = 64 - (8u << ISS_SAS(esr));

    return value << unused >> unused;
}

/* A word, and not sign-extended. */
static inline bool avc_mmio_is_word(uint64_t esr)
{
    return (esr & (ISS_SSE | ISS_SAS_MASK)) == ISS_SAS_WORD;
}

/* What a store gives to the device. */
uint64_t avc_mmio_stored_odd(const struct avc_vcpu *vcpu, uint64_t esr);
static inline uint64_t avc_mmio_stored(const struct avc_vcpu *vcpu, uint64_t esr)
{
    if (avc_unlikely(!avc_data_is_plain(vcpu, avc_hw_read_SPSR_EL2())))
        return avc_mmio_stored_odd(vcpu, esr);
    return avc_mmio_low(avc_vcpu_gpr(vcpu, (unsigned)ISS_SRT(esr)), esr);
}

/* Extended as the instruction says; no word, or sign-extended. */
static inline uint64_t avc_mmio_extended(uint64_t value, uint64_t esr)
{
    unsigned unused = 64 - (8u << ISS_SAS(esr));

    value <<= unused;
    value = esr & ISS_SSE ? (uint64_t)((int64_t)value >> unused) : value >> unused;
    return esr & ISS_SF ? value : (uint32_t)value;
}

/* A load: the register gets what the device has given. */
enum avc_result avc_complete_load_odd(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value);
static inline enum avc_result avc_complete_load(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    uint64_t pstate = avc_hw_read_SPSR_EL2();

    if (avc_unlikely(!avc_data_is_plain(vcpu, 0)) || avc_unlikely(!avc_pstate_step_is_plain(pstate)))
        return avc_complete_load_odd(vcpu, esr, value);
    avc_complete_gpr(vcpu, ISS_SRT(esr),
                     avc_likely(avc_mmio_is_word(esr)) ? (uint32_t)value : avc_mmio_extended(value, esr));
    return avc_complete_plain_step();
}

static inline enum avc_result avc_complete_store(uint64_t esr)
{
    return avc_complete_step(esr);
}

/* MRS and MSR of AArch64. */
static inline enum avc_result avc_complete_mrs(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    avc_complete_gpr(vcpu, ISS_RT(esr), value);
    return avc_complete_step(esr);
}

static inline enum avc_result avc_complete_msr(uint64_t esr)
{
    return avc_complete_step(esr);
}

/* A call. Negative results are sign-extended whatever the width of the convention (DEN0028, 5.1 leaves the upper half of a
   32-bit one open, 5.2 asks for it in NOT_SUPPORTED). HVC leaves the PC behind it; for SMC avc_trap_smc() moves it. */
static inline enum avc_result avc_complete_call(struct avc_vcpu *vcpu, int64_t value)
{
    vcpu->x[0] = (uint64_t)value;
    return AVC_RESUME;
}

/* Several results of a call: n registers from x[first] on. */
void avc_complete_gprs(struct avc_vcpu *vcpu, unsigned first, unsigned n, const uint64_t *values);

/* The guest goes on somewhere else, in this state: a CPU_SUSPEND that lost its context. */
void avc_complete_jump(struct avc_vcpu *vcpu, uint64_t pc, uint64_t pstate);

/* What the guest would have had if EL2 had not trapped this: a column of the trap table. */
enum avc_own {
    AVC_OWN_UNDEFINED, /* nothing but a trap to EL2: the instruction is not there */
    AVC_OWN_EXCEPTION, /* the same exception, to EL1 */
    AVC_OWN_ABORT,     /* the abort; one of stage 2 is an external abort */
    AVC_OWN_SVC,       /* the system call */
    AVC_OWN_ERET,      /* the return */
    AVC_OWN_STEP,      /* the end of a wait: it may complete at any time */
};
enum avc_result avc_complete_own(struct avc_vcpu *vcpu, uint64_t esr, enum avc_own own);

/* ---- an event, by its answer ---- */

/* In a trap: DONE of an AArch64 CALL, SYSREG or MMIO; any answer. */
static inline enum avc_result avc_complete_done(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    uint64_t word = avc_event_word(e);

    if (word & EVENT_WRITE)
        return avc_complete_step(e->esr);
    if (e->kind == AVC_MMIO)
        return avc_complete_load(vcpu, e->esr, e->value);
    if (e->kind == AVC_SYSREG)
        return avc_complete_mrs(vcpu, e->esr, e->value);
    vcpu->x[0] = e->value;
    return word & EVENT_STEP ? avc_complete_step(e->esr) : AVC_RESUME;
}
enum avc_result avc_complete_live(struct avc_vcpu *vcpu, struct avc_exit *e);

/* Before run enters: PC and PSTATE are in the vCPU. */
void avc_complete_saved_odd(struct avc_vcpu *vcpu, struct avc_exit *e);

/* The usual ones inline: a call by HVC; a load or store; what has no result, and a call by SMC. */
static inline void avc_complete_saved(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    const uint64_t any = EVENT_WRITE | EVENT_SIZE(0xff);
    uint64_t word = avc_event_word(e);

    if (avc_likely(word == EVENT(AVC_CALL, AVC_DONE))) {
        vcpu->x[0] = e->value;
        return;
    }
    if (!avc_pstate_step_is_plain(vcpu->pstate)) {
        avc_complete_saved_odd(vcpu, e);
    } else if ((word & ~any) == (EVENT(AVC_MMIO, AVC_DONE) | EVENT_STEP) &&
               (word & EVENT_WRITE || avc_data_is_plain(vcpu, 0))) {
        if (!(word & EVENT_WRITE))
            avc_complete_gpr(vcpu, ISS_SRT(e->esr),
                             avc_likely(avc_mmio_is_word(e->esr)) ? (uint32_t)e->value
                                                                  : avc_mmio_extended(e->value, e->esr));
        vcpu->pc += 4;
    } else if (!(word & (EVENT_ANSWER | any))) {
        if (e->kind == AVC_CALL)
            vcpu->x[0] = e->value;
        if (word & EVENT_STEP)
            vcpu->pc += 4;
    } else {
        avc_complete_saved_odd(vcpu, e);
    }
}

#endif
