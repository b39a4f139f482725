/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Begins an event: writes what a trap says of itself into vcpu->exit. */
#ifndef AVC_EVENT_H
#define AVC_EVENT_H

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/core.h"

/* kind, answer, size, write, fetch, handled and step of an event are one doubleword, so that one access writes or
   compares all. */
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

/* Writes the members that every kind has. The other members keep their old values: the begin function of a kind
   writes those of its kind. */
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

/* Ends a function that has begun an event. The fence is for the compiler: see docs/compilers.md. */
static inline enum avc_result avc_begun(enum avc_result result)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return result;
}

/* ISS of HVC and SMC is the immediate. Their classes differ in one bit. Only SMC must be stepped over. */
static inline struct avc_exit *avc_call_begin(struct avc_vcpu *vcpu, uint64_t fid, uint64_t esr)
{
    uint64_t step = esr << 22 & EVENT_STEP;
    struct avc_exit *e = avc_event_begin(vcpu, EVENT(AVC_CALL, AVC_FAULT) + step, fid, 0, esr);

    _Static_assert((AVC_EC_SMC64 ^ AVC_EC_HVC64) == 1 && AVC_EC_SMC64 & 1, "bit 26 of ESR_EL2");
    e->imm = ISS_IMM16(esr);
    return e;
}

/* Begins a load or store of one register, as the syndrome has decoded it (ISV). value: what is stored, or 0. */
static inline struct avc_exit *avc_mmio_begin(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa, uint64_t va,
                                              uint64_t value)
{
    uint64_t word = EVENT(AVC_MMIO, AVC_FAULT) | EVENT_STEP | EVENT_SIZE(1) << ISS_SAS(esr);
    struct avc_exit *e = avc_event_begin(vcpu, word | (esr & ISS_WNR) * (EVENT_WRITE / ISS_WNR), ipa, value, esr);

    e->va = va;
    return e;
}

/* Begins an MSR or MRS of AArch64. value: what is written, or 0. */
static inline struct avc_exit *avc_sysreg_begin(struct avc_vcpu *vcpu, uint32_t key, uint64_t esr, uint64_t value)
{
    uint64_t word = EVENT(AVC_SYSREG, AVC_FAULT) | EVENT_SIZE(8) | EVENT_STEP;

    return avc_event_begin(vcpu, esr & ISS_READ ? word : word | EVENT_WRITE, key, value, esr);
}

#endif
