/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * HVC and SMC of the guest. Both are an AVC_CALL whose key is W0: the upper half of X0 is not part of the function id
 * (DEN0028, 2.5 and 3.1). A call that nobody claims is answered NOT_SUPPORTED and goes nowhere else. Firmware sees a
 * guest's call only if the embedder claimed it with avc_to_firmware().
 *
 * HVC's return address is the next instruction, a trapped SMC's is the SMC itself (Arm ARM, D1.3.1 and HCR_EL2.TSC). So
 * only SMC is stepped over. Neither comes from EL0, where both are UNDEFINED to EL1. Neither comes from AArch32, which
 * guests have at EL0 only.
 *
 * An index entry points to a row, which has a function for each of 16 ids. It is the library's own function, or one
 * that asks the claim on the id. An id without a row belongs to a claim whose range is too wide for rows, or nobody has
 * claimed it.
 */
#include "core/exit/call.h"

#include <avc/psci.h>

enum avc_result avc_call_slow(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)vcpu, (void)fid, (void)row;
    return AVC_SLOW;
}

/* Completes a call as AVC_FAULT does for an AVC_CALL. */
enum avc_result avc_call_unknown(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)fid, (void)row;
    return avc_complete_call(vcpu, AVC_SMCCC_NOT_SUPPORTED);
}

enum avc_result avc_call_leave(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)row;
    avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());
    return avc_begun(AVC_LEAVE);
}

/* The caller has set vcpu->asked, because the claim is on a range. */
enum avc_result avc_call_ask_range(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    (void)row;
    avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());
    return avc_begun(AVC_ASK);
}

enum avc_result avc_call_ask(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    vcpu->asked = row->claim[fid % 16];
    avc_call_begin(vcpu, fid, avc_hw_read_ESR_EL2());
    return avc_begun(AVC_ASK);
}

/* Handles an id without a row: a claim with a wide range has it, or nobody. The last range has all ids. */
__attribute__((noinline)) enum avc_result avc_call_other(struct avc_vcpu *vcpu, uint64_t fid,
                                                         const struct avc_call_row *row)
{
    const struct avc_call_range *range = vcpu->vm->call_wide;

    while ((uint32_t)fid - range->first > range->span)
        range++;
    vcpu->asked = range->claim;
    return AVC_LAST(range->fn, vcpu, fid, row);
}

/* SMCCC makes no use of the immediate. Claims get it from ESR_EL2. */
enum avc_result avc_trap_hvc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t fid = avc_hw_load_low(&vcpu->x[0]);
    const struct avc_call_row *row;

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_HVC64]);
    return avc_call_find(vcpu, fid, &row) ? AVC_LAST(row->fn[fid % 16], vcpu, fid, row)
                                          : avc_call_other(vcpu, fid, row);
}

enum avc_result avc_trap_smc(struct avc_vcpu *vcpu, uint64_t esr)
{
    uint64_t fid = avc_hw_load_low(&vcpu->x[0]);
    const struct avc_call_row *row;
    enum avc_result result;

    (void)esr;
    avc_count(&vcpu->nr_traps[AVC_EC_SMC64]);
    if (avc_unlikely(!avc_pstate_step_is_plain(avc_hw_read_SPSR_EL2())))
        return AVC_SLOW;
    result = avc_call_find(vcpu, fid, &row) ? row->fn[fid % 16](vcpu, fid, row) : avc_call_other(vcpu, fid, row);
    return avc_likely(result == AVC_RESUME) ? avc_complete_plain_step() : result;
}

/* The slow path of HVC and SMC. */
enum avc_result avc_trap_call(struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_exit_offer(vcpu, avc_call_begin(vcpu, (uint32_t)vcpu->x[0], esr), AVC_FAULT);
}
