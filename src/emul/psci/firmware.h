/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's firmware, inside: what its files share. settled.c decides every id and answers what
 * needs no more than the vCPU and its VM; psci.c, smccc.c and trng.c do what it leaves open. See
 * core/exit/call.h for the two ways.
 */
#ifndef AVC_FIRMWARE_H
#define AVC_FIRMWARE_H

#include <avc/psci.h>

#include "core/exit/call.h"

extern const struct avc_call avc_psci_calls32, avc_psci_calls64; /* by the width of their convention */
extern const struct avc_call avc_smccc_calls;
extern const struct avc_call avc_trng_calls;

avc_claim_fn avc_psci_full, avc_smccc_full, avc_trng_full;

/* Argument n of a call, in the width of its convention: what lies above in an SMC32 call is not the
   caller's (DEN0028, 3.1). */
static inline uint64_t call_arg(const struct avc_vcpu *vcpu, uint32_t fid, unsigned n)
{
    return fid & AVC_SMC64 ? vcpu->x[n] : (uint32_t)vcpu->x[n];
}

/* What AFFINITY_INFO says of a vCPU. */
_Static_assert(AVC_POWER_ON == AVC_PSCI_AFF_ON && AVC_POWER_OFF == AVC_PSCI_AFF_OFF &&
                   AVC_POWER_PENDING == AVC_PSCI_AFF_ON_PENDING && (AVC_POWER_CLAIMED & 3) == AVC_PSCI_AFF_ON_PENDING,
               "the low bits of enum avc_power");
static inline int64_t psci_affinity_state(const struct avc_vcpu *vcpu)
{
    return avc_load_acquire(&vcpu->power) & 3;
}

#endif
