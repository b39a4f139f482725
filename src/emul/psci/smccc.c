/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * SMCCC's Arm architecture calls, the part that needs the host's firmware: ARCH_WORKAROUND_1 and
 * _3. Issued anew, with the function id alone: nothing of the guest's registers gets to EL3. They
 * return nothing (DEN0028, 7.5 and 7.7).
 */
#include "emul/psci/firmware.h"

enum avc_answer avc_smccc_full(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t x[18] = { e->key };

    (void)vcpu;
    (void)ctx;
    avc_hw_smc(x);
    return avc_done(e, 0);
}
