/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The fast path of data aborts for a decoder with `across_pages`. An access that crosses begins in the last seven bytes
 * of a page, and its second half at the first byte of one. Others go the ordinary way at once, which is copied into
 * this function.
 *
 * An access of several bytes that faults at the first byte of a page may begin there, or be a second half. Device
 * memory has no second halves: an access that is not aligned is an alignment fault there (Arm ARM B2.5), and that comes
 * before an abort of stage 2. So the guest's attributes are asked first, and its instruction only if they are not
 * Device.
 */
#include "core/exit/across.h"

#include "core/exit/abort.h"

#define PAGE UINT64_C(0x1000)

static inline bool ends_inside(uint64_t esr, uint64_t far)
{
    return (far & (PAGE - 1)) + (1u << ISS_SAS(esr)) <= PAGE;
}

/* Is what the guest maps there Device memory? The PAR_EL1 of a failed translation may say either. */
static inline bool is_device_memory(const struct avc_vcpu *vcpu, uint64_t va)
{
    return !(PAR_ATTR(avc_translate(vcpu, va, false, false)) & 0xf0);
}

static inline bool may_cross(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far)
{
    if (far & (PAGE - 1))
        return !ends_inside(esr, far);
    return ISS_SAS(esr) && !is_device_memory(vcpu, far);
}

bool avc_access_may_cross(const struct avc_vcpu *vcpu, uint64_t esr, uint64_t far)
{
    return may_cross(vcpu, esr, far);
}

/* An ordinary access at an edge of a page, or one for the slow path. `entry` is where the page's would be. */
static __attribute__((noinline)) enum avc_result other(struct avc_vcpu *vcpu, uint64_t esr,
                                                       const struct avc_mmio_entry *entry)
{
    if (entry->hpfar == avc_hw_read_HPFAR_EL2() && avc_is_translation(esr) &&
        !may_cross(vcpu, esr, avc_hw_read_FAR_EL2()))
        return AVC_LAST(entry->fn, vcpu, esr, entry);
    return AVC_SLOW;
}

enum avc_result avc_trap_dabt_across(struct avc_vcpu *vcpu, uint64_t esr)
{
    const struct avc_mmio_entry *entry;
    avc_mmio_fn *fn;
    bool inside;

    avc_count(&vcpu->nr_traps[AVC_EC_DABT_LOWER]);
    if (!(esr & ISS_ISV))
        return AVC_SLOW;
    inside = (avc_hw_read_FAR_EL2() + 7) & (PAGE - 8);
    if (avc_likely(avc_mmio_find(vcpu, &entry, &fn) & avc_is_translation(esr) & inside))
        return AVC_LAST(fn, vcpu, esr, entry);
    return other(vcpu, esr, entry);
}
