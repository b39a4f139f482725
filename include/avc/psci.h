/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The firmware a guest finds under itself: PSCI 1.1 (DEN0022), SMCCC 1.2 (DEN0028) and, where the
 * CPU can make random numbers, TRNG 1.0 (DEN0098), by HVC and by SMC. One call, avc_psci_attach(),
 * and the constants for those who want to answer some of it themselves.
 *
 * Each function is a claim of the library's own: an embedder's claim on the same function id wins,
 * so that any of it can be vetoed, watched or replaced.
 */
#ifndef AVC_PSCI_H
#define AVC_PSCI_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the VM this firmware. vCPUs are off until avc_vcpu_start() or the guest's CPU_ON switches
 * them on: the VMM starts the first one. What comes out of run then: AVC_CPU_OFF, AVC_CPU_SUSPEND,
 * AVC_SYSTEM_OFF, AVC_SYSTEM_RESET.
 *
 * CPU_ON and CPU_SUSPEND answer INVALID_ADDRESS when the entry point has no memory in stage 2. A
 * VMM that maps memory on demand either maps the kernel first or claims these ids and answers them
 * itself. Where stage 2 was adopted the library cannot look, and takes every address inside of the
 * IPA space.
 *
 * The guest's calls never reach the host's firmware, but for ARCH_WORKAROUND_1 and _3, which are
 * issued anew with no argument of the guest's, and only when firmware said that it has them.
 *
 * Errors: EINVAL, ENOENT (not initialised), ESEALED, EEXIST (attached before), ENOMEM (storage for
 * claims). Context: setup.
 */
AVC_MUST_USE enum avc_status avc_psci_attach(struct avc_vm *vm);

/* ------------------------------------------------------------------------------- function ids,
 * PSCI 1.1 --- */

/* The 64-bit form of a function id: arguments and results are 64 bits wide. */
#define AVC_SMC64 UINT32_C(0x40000000)

#define AVC_PSCI_VERSION             UINT32_C(0x84000000)
#define AVC_PSCI_CPU_SUSPEND         UINT32_C(0x84000001) /* also | AVC_SMC64 */
#define AVC_PSCI_CPU_OFF             UINT32_C(0x84000002)
#define AVC_PSCI_CPU_ON              UINT32_C(0x84000003) /* also | AVC_SMC64 */
#define AVC_PSCI_AFFINITY_INFO       UINT32_C(0x84000004) /* also | AVC_SMC64 */
#define AVC_PSCI_MIGRATE             UINT32_C(0x84000005) /* also | AVC_SMC64; not offered */
#define AVC_PSCI_MIGRATE_INFO_TYPE   UINT32_C(0x84000006)
#define AVC_PSCI_MIGRATE_INFO_UP_CPU UINT32_C(0x84000007) /* also | AVC_SMC64; not offered */
#define AVC_PSCI_SYSTEM_OFF          UINT32_C(0x84000008)
#define AVC_PSCI_SYSTEM_RESET        UINT32_C(0x84000009)
#define AVC_PSCI_FEATURES            UINT32_C(0x8400000a)
#define AVC_PSCI_CPU_FREEZE          UINT32_C(0x8400000b) /* not offered, and so are those up to STAT_COUNT */
#define AVC_PSCI_CPU_DEFAULT_SUSPEND UINT32_C(0x8400000c)
#define AVC_PSCI_NODE_HW_STATE       UINT32_C(0x8400000d)
#define AVC_PSCI_SYSTEM_SUSPEND      UINT32_C(0x8400000e)
#define AVC_PSCI_SET_SUSPEND_MODE    UINT32_C(0x8400000f)
#define AVC_PSCI_STAT_RESIDENCY      UINT32_C(0x84000010)
#define AVC_PSCI_STAT_COUNT          UINT32_C(0x84000011)
#define AVC_PSCI_SYSTEM_RESET2       UINT32_C(0x84000012) /* also | AVC_SMC64 */
#define AVC_PSCI_LAST                UINT32_C(0x8400001f) /* end of the range kept for PSCI */

/* Results. Negative ones are sign-extended to 64 bits whatever the convention (DEN0028, 5.1, 5.2). */
#define AVC_PSCI_SUCCESS            INT64_C(0)
#define AVC_PSCI_NOT_SUPPORTED      INT64_C(-1)
#define AVC_PSCI_INVALID_PARAMETERS INT64_C(-2)
#define AVC_PSCI_DENIED             INT64_C(-3)
#define AVC_PSCI_ALREADY_ON         INT64_C(-4)
#define AVC_PSCI_ON_PENDING         INT64_C(-5)
#define AVC_PSCI_INTERNAL_FAILURE   INT64_C(-6)
#define AVC_PSCI_NOT_PRESENT        INT64_C(-7)
#define AVC_PSCI_DISABLED           INT64_C(-8)
#define AVC_PSCI_INVALID_ADDRESS    INT64_C(-9)

/* AFFINITY_INFO */
#define AVC_PSCI_AFF_ON         0
#define AVC_PSCI_AFF_OFF        1
#define AVC_PSCI_AFF_ON_PENDING 2

/* MIGRATE_INFO_TYPE: there is no trusted OS, or none that has to move */
#define AVC_PSCI_MIGRATE_NOT_REQUIRED 2

/* CPU_SUSPEND's power_state, original format: StateID 15..0, StateType 16, PowerLevel 25..24, the
 * rest zero */
#define AVC_PSCI_STATE_POWERDOWN UINT32_C(0x00010000)
#define AVC_PSCI_STATE_LEVEL     UINT32_C(0x03000000)
#define AVC_PSCI_STATE_RESERVED  UINT32_C(0xfcfe0000)

/* SYSTEM_RESET2's reset_type: from here on the vendor's, the VMM's here */
#define AVC_PSCI_RESET_WARM   UINT32_C(0)
#define AVC_PSCI_RESET_VENDOR UINT32_C(0x80000000)

/* ---------------------------------------------------------------------------------- SMCCC 1.2,
 * TRNG 1.0 --- */

#define AVC_SMCCC_VERSION           UINT32_C(0x80000000)
#define AVC_SMCCC_ARCH_FEATURES     UINT32_C(0x80000001)
#define AVC_SMCCC_ARCH_SOC_ID       UINT32_C(0x80000002) /* not offered: it would tell the host's */
#define AVC_SMCCC_ARCH_WORKAROUND_3 UINT32_C(0x80003fff) /* CVE-2022-23960, branch history */
#define AVC_SMCCC_ARCH_WORKAROUND_2 UINT32_C(0x80007fff) /* CVE-2018-3639, speculative store bypass */
#define AVC_SMCCC_ARCH_WORKAROUND_1 UINT32_C(0x80008000) /* CVE-2017-5715, branch target injection */
#define AVC_SMCCC_ARCH_LAST         UINT32_C(0x8000ffff) /* end of the Arm architecture calls */

#define AVC_SMCCC_NOT_SUPPORTED INT64_C(-1)
#define AVC_SMCCC_NOT_REQUIRED  INT64_C(-2)

#define AVC_TRNG_VERSION  UINT32_C(0x84000050)
#define AVC_TRNG_FEATURES UINT32_C(0x84000051)
#define AVC_TRNG_GET_UUID UINT32_C(0x84000052)
#define AVC_TRNG_RND      UINT32_C(0x84000053) /* also | AVC_SMC64 */
#define AVC_TRNG_LAST     UINT32_C(0x8400005f)

#define AVC_TRNG_NOT_SUPPORTED      INT64_C(-1)
#define AVC_TRNG_INVALID_PARAMETERS INT64_C(-2)
#define AVC_TRNG_NO_ENTROPY         INT64_C(-3)

/* -------------------------------------------------------------- what firmware says of
 * ARCH_WORKAROUND_n --- */

/**
 * avc_features.workarounds holds two bits for each n of 1..3, at bit 2 * (n - 1). What several CPUs
 * have in common is the lowest of each.
 */
enum avc_workaround {
    AVC_WORKAROUND_UNKNOWN,      /* firmware was not there, or does not know: NOT_SUPPORTED */
    AVC_WORKAROUND_CALL,         /* this CPU needs it and firmware has it: 0 */
    AVC_WORKAROUND_NOT_HERE,     /* firmware knows it and this CPU does not need it: 1 */
    AVC_WORKAROUND_NOT_REQUIRED, /* WORKAROUND_2: no CPU of this machine needs it: -2 */
};

static inline enum avc_workaround avc_workaround_of(uint32_t workarounds, unsigned n)
{
    return (enum avc_workaround)(workarounds >> (2 * (n - 1)) & 3);
}

#ifdef __cplusplus
}
#endif
#endif
