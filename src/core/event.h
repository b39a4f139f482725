/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The few lines that every settled trap runs through, inline: how an event begins, and how the PC moves at its end. */
#ifndef AVC_EVENT_H
#define AVC_EVENT_H

#include "esr.h"
#include "hw_guest.h"

#define SCTLR_E0E AVC_BIT(24)
#define SCTLR_EE  AVC_BIT(25)

/* What all events have, from ESR_EL2 and ELR_EL2. */
static inline struct avc_exit *avc_event_begin(struct avc_vcpu *v, enum avc_kind kind, uint64_t key, uint64_t esr)
{
    v->exit = (struct avc_exit){
        .kind = kind,
        .answer = AVC_FAULT,
        .key = key,
        .esr = esr,
        .pc = avc_hw_read_ELR_EL2(),
    };
    return &v->exit;
}

/*
 * The PC behind an instruction of the guest that is in a trap. SPSR_EL2 is written only where that changes it, which is
 * after an indirect branch, in a single step, and for AArch32.
 */
void avc_step_rare(uint64_t pc, uint64_t pstate, bool il);
static inline bool avc_step_is_plain(uint64_t pstate)
{
    return !(pstate & (SPSR_NRW | SPSR_SS | SPSR_BTYPE));
}

static inline void avc_step_live(uint64_t pc, uint64_t pstate, bool il)
{
    if (avc_likely(avc_step_is_plain(pstate)))
        avc_hw_write_ELR_EL2(pc + 4);
    else
        avc_step_rare(pc, pstate, il);
}

/* Registers hold what a big-endian guest means; a device sees its bytes in the other order. The vCPU is loaded here. */
static inline bool avc_big_endian(const struct avc_vcpu *v, uint64_t pstate)
{
    uint64_t sctlr = avc_hw_guest_read_SCTLR_EL1(v->hcr & HCR_E2H);

    if (avc_likely(!(sctlr & (SCTLR_E0E | SCTLR_EE) || pstate & SPSR_NRW)))
        return false;
    if (pstate & SPSR_NRW)
        return pstate & SPSR_E;
    return sctlr & (avc_at_el0(pstate) ? SCTLR_E0E : SCTLR_EE);
}

/* The register that an instruction writes; 31: none. */
static inline void avc_write_gpr(struct avc_vcpu *v, uint64_t n, uint64_t value)
{
    if (avc_likely(n != 31))
        v->x[n] = value;
}

/* One register's load or store (ESR_ELx.ISS with ISV: SAS, SSE, SF, SRT): what the device sees of the register, and what
   the register gets from the device. */
static inline uint64_t avc_mmio_stored(const struct avc_vcpu *v, uint64_t esr)
{
    unsigned unused = 64 - (8u << ISS_SAS(esr));
    uint64_t value = avc_vcpu_gpr(v, (unsigned)ISS_SRT(esr)) << unused;

    if (avc_unlikely(ISS_SAS(esr) && avc_big_endian(v, avc_hw_read_SPSR_EL2())))
        return __builtin_bswap64(value >> unused) >> unused;
    return value >> unused;
}

static inline uint64_t avc_mmio_loaded(const struct avc_vcpu *v, uint64_t esr, uint64_t value, uint64_t pstate)
{
    unsigned unused;

    if (avc_unlikely(avc_big_endian(v, pstate)))
        value = __builtin_bswap64(value) >> (64 - (8u << ISS_SAS(esr)));
    if (avc_likely((esr & (ISS_SSE | UINT64_C(3) << 22)) == UINT64_C(2) << 22)) /* an unsigned word, as most are */
        return (uint32_t)value;
    unused = 64 - (8u << ISS_SAS(esr));
    value <<= unused;
    value = esr & ISS_SSE ? (uint64_t)((int64_t)value >> unused) : value >> unused;
    return esr & ISS_SF ? value : (uint32_t)value;
}

/* The slot of a key in a table of AVC_NR_SLOTS. */
static inline unsigned avc_slot_of(uint64_t key, uint64_t hash)
{
    return (uint32_t)key * (uint32_t)hash >> 24;
}

/*
 * Devices of the library's own. A claim with the function avc_mmio_settle() brings one of these as its context: `fast` is
 * tried first and says HW_BACK, with what was read, or HW_SLOW and has done nothing; `full` then gets the event. What a
 * write has is avc_mmio_stored().
 */
typedef struct avc_mmio_result avc_mmio_fn(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa);
struct avc_mmio {
    avc_mmio_fn *fast;
    avc_claim_fn *full;
};
avc_claim_fn avc_mmio_settle;

/* The same for registers that guests write often: `fast` gets the value, and says HW_BACK or has done nothing. */
struct avc_sysreg_write {
    uint64_t (*fast)(struct avc_vcpu *vcpu, uint64_t value);
    avc_claim_fn *full;
};
avc_claim_fn avc_sysreg_write_settle;

#endif
