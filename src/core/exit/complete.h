/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Completes an instruction: writes its result registers and moves the PC behind it. Only complete.c and this file do
 * so, whether the library, a claim or the VMM gave the answer. Apart from them, only reset, get and set, and the
 * emulation of ERET write these registers.
 *
 * The first part ends a trap at once: the guest's PC and PSTATE are in ELR_EL2 and SPSR_EL2. The usual case is inline:
 * a guest in AArch64, no single step, no BTYPE. Anything else is a call, and costs some twenty
 * instructions more.
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

/* Is the highest byte of the guest's data first? sctlr is its SCTLR_EL1. The first is for AArch64 alone. */
static inline bool avc_big_endian_64(uint64_t sctlr, uint64_t pstate)
{
    return sctlr >> ((unsigned)__builtin_ctzll(SCTLR_E0E) + (pstate >> 2 & 1)) & 1; /* E0E at EL0, EE at EL1 */
}

static inline bool avc_big_endian(uint64_t sctlr, uint64_t pstate)
{
    return pstate & SPSR_NRW ? pstate & SPSR_E : avc_big_endian_64(sctlr, pstate);
}

/* Reads the register that a syndrome names. */
static inline uint64_t avc_gpr(const struct avc_vcpu *vcpu, uint64_t n)
{
    return avc_likely(n != 31) ? vcpu->x[n] : 0;
}

static inline void avc_complete_gpr(struct avc_vcpu *vcpu, uint64_t n, uint64_t value)
{
    if (avc_likely(n != 31)) /* XZR */
        vcpu->x[n] = value;
}

/* ---- in a trap ---- */

/* Step over an instruction. The first is for a caller that has asked avc_pstate_step_is_plain(), the second for any
   other. */
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

/* The load or store of one register, as the syndrome has decoded it (ISV: SAS, SSE, SRT, SF). Is the access a word,
   and not sign-extended? */
static inline bool avc_mmio_is_word(uint64_t esr)
{
    return (esr & (ISS_SSE | ISS_SAS_MASK)) == ISS_SAS_WORD;
}

/* Returns what a store gives to the device. */
uint64_t avc_mmio_stored(const struct avc_vcpu *vcpu, uint64_t esr);

/* Returns what the register gets: the access's part of the value in the guest's byte order, extended as the instruction
   says. */
static inline uint64_t avc_mmio_loaded(uint64_t value, uint64_t esr, bool big_endian)
{
    unsigned unused = -(8u << ISS_SAS(esr)) & 63;

    value = big_endian ? __builtin_bswap64(value) : value << unused;
    value = esr & ISS_SSE ? (uint64_t)((int64_t)value >> unused) : value >> unused;
    return esr & ISS_SF ? value : (uint32_t)value;
}

/* Writes the register of a load of a guest in AArch64. */
static inline void avc_complete_loaded(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value, uint64_t pstate)
{
    uint64_t sctlr = avc_sctlr(vcpu);

    if (avc_unlikely(sctlr & (SCTLR_E0E | SCTLR_EE)) && avc_big_endian_64(sctlr, pstate))
        value = avc_mmio_loaded(value, esr, true);
    else
        value = avc_likely(avc_mmio_is_word(esr)) ? (uint32_t)value : avc_mmio_loaded(value, esr, false);
    avc_complete_gpr(vcpu, ISS_SRT(esr), value);
}

/* Completes a load: the register gets what the device has given. */
enum avc_result avc_complete_load_odd(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value);
static inline enum avc_result avc_complete_load(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    uint64_t pstate = avc_hw_read_SPSR_EL2();

    if (avc_unlikely(!avc_pstate_step_is_plain(pstate)))
        return avc_complete_load_odd(vcpu, esr, value);
    avc_complete_loaded(vcpu, esr, value, pstate);
    return avc_complete_plain_step();
}

/* The same for a value that has no more bits than the access. It is inline for any guest in AArch64. */
static inline enum avc_result avc_complete_load_of(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    uint64_t sctlr = avc_sctlr(vcpu), pstate = avc_hw_read_SPSR_EL2();

    if (avc_unlikely(esr & ISS_SSE) || avc_unlikely(!avc_pstate_step_is_plain(pstate)))
        return avc_complete_load_odd(vcpu, esr, value);
    if (avc_unlikely(sctlr & (SCTLR_E0E | SCTLR_EE)) && avc_big_endian_64(sctlr, pstate))
        value = __builtin_bswap64(value) >> (-(8u << ISS_SAS(esr)) & 63);
    avc_complete_gpr(vcpu, ISS_SRT(esr), value);
    return avc_complete_plain_step();
}

/* The same for a word. */
static inline enum avc_result avc_complete_load_word(struct avc_vcpu *vcpu, uint64_t esr, uint32_t value)
{
    uint64_t sctlr = avc_sctlr(vcpu), pstate = avc_hw_read_SPSR_EL2();

    if (avc_unlikely(esr & ISS_SSE) || avc_unlikely(!avc_pstate_step_is_plain(pstate)))
        return avc_complete_load_odd(vcpu, esr, value);
    if (avc_unlikely(sctlr & (SCTLR_E0E | SCTLR_EE)) && avc_big_endian_64(sctlr, pstate))
        value = __builtin_bswap32(value);
    avc_complete_gpr(vcpu, ISS_SRT(esr), value);
    return avc_complete_plain_step();
}

static inline enum avc_result avc_complete_store(uint64_t esr)
{
    return avc_complete_step(esr);
}

/* Completes a store of `size` bytes, and sets *value to what it gives to the device. Returns false, and does nothing,
   if the guest steps or is in AArch32. */
static inline bool avc_complete_store_of(const struct avc_vcpu *vcpu, uint64_t esr, unsigned size, uint64_t *value)
{
    uint64_t sctlr = avc_sctlr(vcpu), pstate = avc_hw_read_SPSR_EL2(), unused = 64 - 8 * size;

    if (avc_unlikely(!avc_pstate_step_is_plain(pstate)))
        return false;
    *value = avc_gpr(vcpu, ISS_SRT(esr)) << unused;
    if (size > 1 && avc_unlikely(sctlr & (SCTLR_E0E | SCTLR_EE)) && avc_big_endian_64(sctlr, pstate))
        *value = __builtin_bswap64(*value);
    else
        *value >>= unused;
    avc_complete_plain_step();
    return true;
}

/* Complete MRS and MSR of AArch64. */
static inline enum avc_result avc_complete_mrs(struct avc_vcpu *vcpu, uint64_t esr, uint64_t value)
{
    avc_complete_gpr(vcpu, ISS_RT(esr), value);
    return avc_complete_step(esr);
}

static inline enum avc_result avc_complete_msr(uint64_t esr)
{
    return avc_complete_step(esr);
}

/* Completes a call. A negative result is sign-extended in SMC32 calls too (DEN0028, 5.1 leaves the upper half of a
   32-bit result open, 5.2 asks for it in NOT_SUPPORTED). HVC leaves the PC behind the instruction. For SMC
   avc_trap_smc() moves it. */
static inline enum avc_result avc_complete_call(struct avc_vcpu *vcpu, int64_t value)
{
    vcpu->x[0] = (uint64_t)value;
    return AVC_RESUME;
}

/* Writes several results of a call: n registers from x[first] on. */
void avc_complete_gprs(struct avc_vcpu *vcpu, unsigned first, unsigned n, const uint64_t *values);

/* Makes the guest go on somewhere else, in this state, after a CPU_SUSPEND that lost its context. */
void avc_complete_jump(struct avc_vcpu *vcpu, uint64_t pc, uint64_t pstate);

/* What the guest would have had if EL2 had not trapped this. It is a column of the trap table. */
enum avc_own {
    AVC_OWN_UNDEFINED, /* the instruction is not there: it only exists as a trap to EL2 */
    AVC_OWN_EXCEPTION, /* the guest takes the same exception, to EL1 */
    AVC_OWN_ABORT,     /* the guest takes the abort; one of stage 2 becomes an external abort */
    AVC_OWN_SVC,       /* the guest makes the system call */
    AVC_OWN_ERET,      /* the guest makes the exception return */
    AVC_OWN_STEP,      /* the wait ends: it may complete at any time */
    AVC_OWN_PART,      /* no row has it: the event is a part of an access, see decoder.c */
};
enum avc_result avc_complete_own(struct avc_vcpu *vcpu, uint64_t esr, enum avc_own own);

/* ---- an event, by its answer ---- */

/* Complete an event in a trap. The first is for DONE of an AArch64 CALL, SYSREG or MMIO, the second for any answer. */
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

/* Completes an event before run enters: PC and PSTATE are in the vCPU. */
void avc_complete_saved_odd(struct avc_vcpu *vcpu, struct avc_exit *e);

/* The same. The usual ones are inline: a call by HVC, a load or store, a call by SMC, and an event without a result. */
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
    } else if ((word & ~any) == (EVENT(AVC_MMIO, AVC_DONE) | EVENT_STEP)) {
        if (!(word & EVENT_WRITE))
            avc_complete_loaded(vcpu, e->esr, e->value, vcpu->pstate);
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
