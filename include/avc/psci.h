/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The firmware that a guest finds: PSCI 1.1 (DEN0022), SMCCC 1.2 (DEN0028) and, if the CPU has FEAT_RNG, TRNG 1.0
 * (DEN0098). The guest calls it by HVC or by SMC. avc_psci_attach() is all that an embedder needs; the constants are
 * for those who want to answer some of the calls themselves.
 *
 * Each function is a claim of the library's own. The library asks an embedder's claim on the same function id first, so
 * an embedder can refuse, watch or replace each of them.
 */
#ifndef AVC_PSCI_H
#define AVC_PSCI_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the VM this firmware. vCPUs are off until the VMM calls avc_vcpu_start(), as it does for the first one, or the
 * guest calls CPU_ON. avc_vcpu_run() then also returns AVC_CPU_OFF, AVC_CPU_SUSPEND, AVC_SYSTEM_OFF and
 * AVC_SYSTEM_RESET.
 *
 * CPU_ON and CPU_SUSPEND return INVALID_ADDRESS if stage 2 maps no memory at the entry point. A VMM that maps memory on
 * demand maps the kernel first, or claims these function ids. If stage 2 was adopted without `mem`, the library accepts
 * every address within the IPA size.
 *
 * The guest's calls do not reach the host's firmware. For ARCH_WORKAROUND_1 and _3 the library makes a call of its own,
 * without the guest's arguments, and only if firmware has said that this CPU needs it.
 * Errors: EINVAL, ENOENT, ESEALED, EEXIST (attached before), ENOMEM (max_claims). Context: setup, before the VM is
 * sealed.
 */
AVC_MUST_USE enum avc_status avc_psci_attach(struct avc_vm *vm);

/* ---------------------------------------------------------------------- functions, and their results --- */

/* The 64-bit form of a function id: arguments and results are 64 bits wide. */
#define AVC_SMC64 UINT32_C(0x40000000)

/* AVC_PSCI_CPU_ON and so on, in the 32-bit form: see avc/psci.def. */
__extension__ enum avc_function {
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) name = UINT32_C(id),
#include <avc/psci.def>
#undef AVC_FUNCTION
};

/* The ends of the ranges that are kept for PSCI, SMCCC's Arm architecture calls and TRNG. */
#define AVC_PSCI_LAST       UINT32_C(0x8400001f)
#define AVC_SMCCC_ARCH_LAST UINT32_C(0x8000ffff)
#define AVC_TRNG_LAST       UINT32_C(0x8400005f)

/** Results. Negative ones are sign-extended to 64 bits, whatever the function id's width (DEN0028, 5.1, 5.2). */
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

/* CPU_SUSPEND's power_state, in the original format: StateID 15..0, StateType 16, PowerLevel 25..24; other bits are
   0 */
#define AVC_PSCI_STATE_POWERDOWN UINT32_C(0x00010000)
#define AVC_PSCI_STATE_LEVEL     UINT32_C(0x03000000)
#define AVC_PSCI_STATE_RESERVED  UINT32_C(0xfcfe0000)

/* SYSTEM_RESET2's reset_type. The VMM defines types from RESET_VENDOR on. */
#define AVC_PSCI_RESET_WARM   UINT32_C(0)
#define AVC_PSCI_RESET_VENDOR UINT32_C(0x80000000)

#define AVC_SMCCC_NOT_SUPPORTED INT64_C(-1)
#define AVC_SMCCC_NOT_REQUIRED  INT64_C(-2)

#define AVC_TRNG_NOT_SUPPORTED      INT64_C(-1)
#define AVC_TRNG_INVALID_PARAMETERS INT64_C(-2)
#define AVC_TRNG_NO_ENTROPY         INT64_C(-3)

/* ------------------------------------------------------------ what firmware says of ARCH_WORKAROUND_n --- */

/**
 * What firmware says about ARCH_WORKAROUND_n. avc_features.workarounds has two bits for each n of 1..3, at bit 2 * (n -
 * 1). For several CPUs it has the lowest value of each.
 */
enum avc_workaround {
    AVC_WORKAROUND_UNKNOWN,      /* there is no firmware, or it answers NOT_SUPPORTED */
    AVC_WORKAROUND_CALL,         /* firmware answers 0: this CPU needs it, and firmware has it */
    AVC_WORKAROUND_NOT_HERE,     /* this CPU does not need it: firmware answers 1, or the ID registers say so */
    AVC_WORKAROUND_NOT_REQUIRED, /* firmware answers -2 (WORKAROUND_2): no CPU of the machine needs it */
};

/** Reads these two bits. n: 1..3. Context: any. */
static inline enum avc_workaround avc_workaround_of(uint32_t workarounds, unsigned n)
{
    return (enum avc_workaround)(workarounds >> (2 * (n - 1)) & 3);
}

#ifdef __cplusplus
}
#endif
#endif
