/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The light way: from the vector to what settles the trap. Compiled to leave x8..x15 and x18 to the guest
 * (src/sources.txt); so is everything it calls. See call.h, and event.h for devices and registers.
 *
 * What they return: requests, when the trap is settled; x0..x7 in vcpu->x may have changed then. HW_EXIT or a claim, when the
 * event has begun; HW_SLOW, when nothing was done but to count the exception.
 */
#include <avc/psci.h>

#include "core/exit/call.h"
#include "core/exit/event.h"

/* What takes the full way. */
uint64_t avc_fast_full(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)vcpu, (void)fid, (void)row;
    return HW_SLOW;
}

uint64_t avc_fast_zero(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_call_answer(vcpu, 0);
}

/* Nobody's: what AVC_FAULT is for an AVC_CALL. */
uint64_t avc_fast_unknown(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_call_answer(vcpu, AVC_SMCCC_NOT_SUPPORTED);
}

/* In no row: of a wide claim, or nobody's. */
__attribute__((noinline)) uint64_t avc_fast_other(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    const struct avc_vm *vm = vcpu->vm;
    uint32_t nr = vm->nr_call_wide;

    if (avc_unlikely(nr > AVC_CALL_WIDE))
        return HW_SLOW;
    for (const struct avc_call_range *range = vm->call_wide; nr; nr--, range++)
        if ((uint32_t)fid - range->first <= range->last - range->first)
            return HW_SLOW;
    return avc_call_answer(vcpu, AVC_SMCCC_NOT_SUPPORTED);
}

/* The VMM's, by avc_to_vmm(): nobody else is asked. */
uint64_t avc_fast_to_vmm(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)row;
    avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());
    return avc_exit_to_vmm(vcpu, AVC_CALL);
}

/* Someone's claim, which the vector asks. */
uint64_t avc_fast_claim(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());
    return (uintptr_t)row->claim[fid % 16];
}

static inline uint64_t settle(struct avc_vcpu *vcpu)
{
    uint64_t fid = avc_hw_load_low(&vcpu->x[0]), second;
    const void *entry = avc_hw_opaque(&vcpu->call[avc_call_at(fid / 16, vcpu->call_hash)]);
    const struct avc_call_row *row;

    if (avc_unlikely(avc_hw_load_pair(entry, &second) != fid / 16))
        return avc_fast_other(vcpu, fid, NULL);
    row = (const struct avc_call_row *)(uintptr_t)second;
    return AVC_LAST(row->fn[fid % 16], vcpu, fid, row);
}

/* The immediate is nothing to SMCCC; claims get it from ESR_EL2. */
uint64_t avc_fast_hvc(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_HVC64]);
    return settle(vcpu);
}

/* An SMC is trapped in front of it; a guest's HVC is behind itself already. */
uint64_t avc_fast_smc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t code;

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_SMC64]);
    if (avc_unlikely(!avc_step_is_plain(avc_hw_read_SPSR_EL2())))
        return HW_SLOW;
    code = settle(vcpu);
    if (avc_likely(code < HW_EXIT)) /* done */
        avc_hw_write_ELR_EL2(avc_hw_read_ELR_EL2() + 4);
    return code;
}

/* ---- system registers and devices ---- */

/* The event has begun. What is next, an entry of another's claim says: to ask it, or, of avc_to_vmm(), HW_EXIT. */
static inline uint64_t begun(struct avc_vcpu *vcpu, enum avc_kind kind, uint64_t code)
{
    return code == HW_EXIT ? avc_exit_to_vmm(vcpu, kind) : code;
}

uint64_t avc_fast_sysreg_claim(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_sysreg_entry *entry)
{
    avc_sysreg_begin(vcpu, entry->key, esr);
    return begun(vcpu, AVC_SYSREG, entry->value);
}

static inline uint64_t mmio_claim(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry,
                                  uint64_t value)
{
    uint64_t va = avc_hw_read_FAR_EL2();

    avc_mmio_begin(vcpu, esr, avc_mmio_ipa(entry, va), va, value);
    return begun(vcpu, AVC_MMIO, entry->code);
}

static __attribute__((noinline)) uint64_t mmio_claim_store(struct avc_vcpu *vcpu, uint64_t esr,
                                                           const struct avc_mmio_entry *entry)
{
    if (avc_unlikely(!avc_sctlr_is_little(avc_sctlr(vcpu)) || avc_hw_read_SPSR_EL2() & SPSR_NRW))
        return HW_SLOW;
    return mmio_claim(vcpu, esr, entry, avc_mmio_low(vcpu->x[ISS_SRT(esr)], esr));
}

uint64_t avc_fast_mmio_claim(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    return esr & ISS_WNR ? mmio_claim_store(vcpu, esr, entry) : mmio_claim(vcpu, esr, entry, 0);
}

uint64_t avc_fast_sysreg(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_sysreg_entry *entry;
    avc_sysreg_fn *light;

    avc_count(&vcpu->nr_traps[AVC_EC_SYSREG]);
    if (!avc_sysreg_find(vcpu, esr, &entry, &light))
        return HW_SLOW;
    if (avc_unlikely(light))
        return AVC_LAST(light, vcpu, esr, entry);
    if (!avc_light_can())
        return HW_SLOW;
    vcpu->x[ISS_RT(esr)] = entry->value; /* a read of an ID register */
    return avc_light_done(vcpu);
}

uint64_t avc_fast_dabt(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_mmio_entry *entry;
    avc_mmio_fn *light;

    avc_count(&vcpu->nr_traps[AVC_EC_DABT_LOWER]);
    if (!avc_mmio_is_one(esr) || !avc_mmio_find(vcpu, &entry, &light))
        return HW_SLOW;
    return AVC_LAST(light, vcpu, esr, entry);
}
