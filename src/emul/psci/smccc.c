/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* SMCCC 1.2's Arm architecture calls (DEN0028, 7). */
#include "emul/psci/firmware.h"

enum avc_result avc_smccc_version(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    return avc_complete_call(vcpu, 0x10002);
}

enum avc_result avc_smccc_features(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    /* Callers ask for one of the workarounds. */
    switch (__builtin_expect((uint32_t)vcpu->x[1], AVC_SMCCC_ARCH_WORKAROUND_1)) {
#define PSCI_CASE(name, offered)
#define TRNG_CASE(name, offered)
#define SMCCC_CASE(name, offered)                                                                                      \
    case name:                                                                                                         \
        return avc_complete_call(vcpu, OFFER_##offered(vcpu->vm));
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) family##_CASE(name, offered)
#include <avc/psci.def>
#undef AVC_FUNCTION
    default:
        return avc_complete_call(vcpu, AVC_SMCCC_NOT_SUPPORTED);
    }
}

/* This call needs the host's firmware. A new call is made, with the function id alone. Nothing of the guest's
   registers gets to EL3, and nothing comes back (DEN0028, 7.5 and 7.7). */
enum avc_result avc_smccc_workaround(struct avc_vcpu *vcpu, uint64_t fid, const struct avc_call_row *row)
{
    uint64_t x[18] = { fid };

    avc_hw_smc(x);
    return avc_complete_call(vcpu, 0);
}
