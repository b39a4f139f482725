/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The few lines that every settled trap runs through, inline: where its table entry is, and how the PC moves at its end. */
#ifndef AVC_EVENT_H
#define AVC_EVENT_H

#include "arch/esr.h"
#include "hw_guest.h"

#define SCTLR_E0E AVC_BIT(24)
#define SCTLR_EE  AVC_BIT(25)

/* kind, answer, size, write, fetch, handled and step of an event: one doubleword, that is written and looked at whole. */
#define EVENT(kind, answer) ((uint64_t)(kind) | (uint64_t)(answer) << 8)
#define EVENT_ANSWER        (UINT64_C(0xff) << 8)
#define EVENT_SIZE(bytes)   ((uint64_t)(bytes) << 16)
#define EVENT_WRITE         (UINT64_C(1) << 24)
#define EVENT_STEP          (UINT64_C(1) << 48)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && offsetof(struct avc_exit, size) == 2 &&
                   offsetof(struct avc_exit, write) == 3 && offsetof(struct avc_exit, step) == 6 &&
                   offsetof(struct avc_exit, key) == 8 && offsetof(struct avc_exit, value) == 16 &&
                   offsetof(struct avc_exit, esr) == 24 && offsetof(struct avc_exit, pc) == 32,
               "doublewords of an event");
static inline uint64_t avc_event_word(const struct avc_exit *e)
{
    return *(const avc_word *)e;
}

/* The event of a trap that knows what of struct avc_exit its kind has: the rest keeps what it had. */
static inline struct avc_exit *avc_event_begin(struct avc_vcpu *vcpu, uint64_t word, uint64_t key, uint64_t value,
                                               uint64_t esr)
{
    avc_word *w = (avc_word *)&vcpu->exit;
    uint64_t pc = avc_hw_read_ELR_EL2();

    w[0] = word;
    w[1] = key;
    w[2] = value;
    w[3] = esr;
    w[4] = pc;
    return &vcpu->exit;
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
static inline uint64_t avc_sctlr(const struct avc_vcpu *vcpu)
{
    return avc_hw_guest_read_SCTLR_EL1(vcpu->hcr & HCR_E2H);
}

/* Neither EL1 nor EL0 is big-endian in AArch64; what is in AArch32, PSTATE says. */
static inline bool avc_sctlr_is_little(uint64_t sctlr)
{
    return !(sctlr & (SCTLR_E0E | SCTLR_EE));
}

/* The register that an instruction writes; 31: none. */
static inline void avc_write_gpr(struct avc_vcpu *vcpu, uint64_t n, uint64_t value)
{
    if (avc_likely(n != 31))
        vcpu->x[n] = value;
}

/* One register's load or store (ESR_ELx.ISS with ISV: SAS, SSE, SF, SRT): what the device sees of the register, and what
   the register gets from the device. */
uint64_t avc_mmio_stored(const struct avc_vcpu *vcpu, uint64_t esr);
uint64_t avc_mmio_loaded(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t value, uint64_t pstate);

/* What an access of this size has of a value. */
static inline uint64_t avc_mmio_low(uint64_t value, uint64_t esr)
{
    unsigned unused = 64 - (8u << ISS_SAS(esr));

    return value << unused >> unused;
}

/* A word, and not sign-extended. */
static inline bool avc_mmio_is_word(uint64_t esr)
{
    return (esr & (ISS_SSE | UINT64_C(3) << 22)) == UINT64_C(2) << 22;
}

/* No more to do about it than to move 32 bits. */
static inline bool avc_mmio_is_plain(const struct avc_vcpu *vcpu, uint64_t esr)
{
    return esr & ISS_WNR || (avc_mmio_is_word(esr) && avc_sctlr_is_little(avc_sctlr(vcpu)));
}

/* avc_complete_saved(), for what is finished and stepped over without more ado: a call by HVC; one register's load or store; what
   has no result, and a call by SMC. */
static inline void avc_complete_saved_inline(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    const uint64_t any = EVENT_WRITE | EVENT_SIZE(0xff);
    uint64_t word = avc_event_word(e);

    if (avc_likely(word == EVENT(AVC_CALL, AVC_DONE))) {
        vcpu->x[0] = e->value;
        return;
    }
    if (!avc_step_is_plain(vcpu->pstate)) {
        avc_complete_saved(vcpu, e);
    } else if ((word & ~any) == (EVENT(AVC_MMIO, AVC_DONE) | EVENT_STEP) && avc_mmio_is_plain(vcpu, e->esr)) {
        if (!(word & EVENT_WRITE))
            avc_write_gpr(vcpu, ISS_SRT(e->esr), (uint32_t)e->value);
        vcpu->pc += 4;
    } else if (!(word & (EVENT_ANSWER | any))) {
        if (e->kind == AVC_CALL)
            vcpu->x[0] = e->value;
        if (word & EVENT_STEP)
            vcpu->pc += 4;
    } else {
        avc_complete_saved(vcpu, e);
    }
}

/* What an entry has for the light way. */
typedef uint64_t avc_mmio_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry);
typedef uint64_t avc_sysreg_fn(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry);
_Static_assert(offsetof(struct avc_mmio_entry, hpfar) == 0 && offsetof(struct avc_mmio_entry, light) == 8 &&
                   offsetof(struct avc_sysreg_entry, esr) == 0 && offsetof(struct avc_sysreg_entry, light) == 8 &&
                   offsetof(struct avc_call_entry, ids) == 0 && offsetof(struct avc_call_entry, row) == 8,
               "pairs: what an entry is compared with, and what is next");

/* The entry of a key in a table of AVC_INDEX_SIZE. */
static inline uint64_t avc_index_at(uint64_t key, uint64_t hash)
{
    return (uint32_t)key * (uint32_t)hash >> 24;
}

/* A translation fault of one load or store, not of a table walk. (Bit by bit: gcc makes better code of it than of a mask.) */
static inline bool avc_mmio_is_one(uint64_t esr)
{
    if (!(esr & ISS_ISV))
        return false;
    if (esr & ISS_S1PTW)
        return false;
    return (esr & 0x3c) == 0x04;
}

/* The entry of the page where it was, and its function for the light way; false: it has none. And the address in it. */
static inline bool avc_mmio_find(const struct avc_vcpu *vcpu, const struct avc_mmio_entry **entry, avc_mmio_fn **light)
{
    uint64_t hpfar = avc_hw_read_HPFAR_EL2(), first, second;

    *entry = avc_hw_opaque(&vcpu->mmio[avc_index_at(hpfar, vcpu->mmio_hash)]);
    first = avc_hw_load_pair(*entry, &second);
    *light = (avc_mmio_fn *)(uintptr_t)second;
    return avc_likely(first == hpfar);
}

static inline avc_ipa_t avc_mmio_ipa(const struct avc_mmio_entry *entry, uint64_t va)
{
    return entry->hpfar << 8 | (va & 0xfff);
}

/* A load or store of one register, as the syndrome has decoded it (ISV). value: what is stored, or 0. */
static inline struct avc_exit *avc_mmio_begin(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa, uint64_t va,
                                              uint64_t value)
{
    uint64_t word = EVENT(AVC_MMIO, AVC_FAULT) | EVENT_STEP | EVENT_SIZE(1) << ISS_SAS(esr);
    struct avc_exit *e = avc_event_begin(vcpu, word | (esr & ISS_WNR) * (EVENT_WRITE / ISS_WNR), ipa, value, esr);

    e->va = va;
    return e;
}

/* The entry of a trapped MSR or MRS, and its function for the light way; false: it has none. */
static inline bool avc_sysreg_find(const struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry **entry,
                                   avc_sysreg_fn **light)
{
    uint32_t what = (uint32_t)esr & ~(uint32_t)ISS_RT_MASK;
    uint64_t first, second;

    *entry = avc_hw_opaque(&vcpu->sysreg[avc_index_at(what, vcpu->sysreg_hash)]);
    first = avc_hw_load_pair(*entry, &second);
    *light = (avc_sysreg_fn *)(uintptr_t)second;
    return avc_likely((uint32_t)first == what);
}

static inline struct avc_exit *avc_sysreg_begin(struct avc_vcpu *vcpu, uint32_t key, uint64_t esr)
{
    uint64_t word = EVENT(AVC_SYSREG, AVC_FAULT) | EVENT_SIZE(8) | EVENT_STEP, value = 0;

    if (!(esr & ISS_READ)) {
        value = avc_vcpu_gpr(vcpu, (unsigned)ISS_RT(esr));
        word |= EVENT_WRITE;
    }
    return avc_event_begin(vcpu, word, key, value, esr);
}

/*
 * Devices and registers of the library's own. A claim with the function avc_mmio_settle() or avc_sysreg_settle() brings one
 * of these as its context: `light` is what the light way calls, and settles the trap or says HW_SLOW and has done nothing;
 * `full` is the claim's function otherwise. A function for the light way is compiled like those of fast.c, is told of
 * instructions that name one of x0..x7, and ends with avc_light_done() behind avc_light_can().
 */
struct avc_mmio {
    avc_mmio_fn *light;
    avc_claim_fn *full;
};
struct avc_sysreg_write {
    avc_sysreg_fn *light;
    avc_claim_fn *full;
};
avc_claim_fn avc_mmio_settle, avc_sysreg_settle;

/* Going behind the instruction is no more than adding 4 to the PC. */
static inline bool avc_light_can(void)
{
    return avc_likely(avc_step_is_plain(avc_hw_read_SPSR_EL2()));
}

static inline uint64_t avc_light_done(const struct avc_vcpu *vcpu)
{
    avc_hw_write_ELR_EL2(avc_hw_read_ELR_EL2() + 4);
    return avc_load_relaxed(&vcpu->requests);
}

#endif
