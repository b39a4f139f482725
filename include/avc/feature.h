/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What a CPU can do, decoded from its ID registers. src/core/policy/feature.c says which field means what. */
#ifndef AVC_FEATURE_H
#define AVC_FEATURE_H

#include <avc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Features that the library asks for. Most have the Arm ARM's name for them, without FEAT_. */
enum avc_feature_bit {
    AVC_FEAT_VHE,
    AVC_FEAT_VMID16,
    AVC_FEAT_FGT,
    AVC_FEAT_ECV,
    AVC_FEAT_EVT,
    AVC_FEAT_PAUTH,
    AVC_FEAT_RAS,
    AVC_FEAT_SVE,
    AVC_FEAT_SME,
    AVC_FEAT_MTE,
    AVC_FEAT_HCX,
    AVC_FEAT_TLBIRANGE,
    AVC_FEAT_TLBIOS,
    AVC_FEAT_TTL,
    AVC_FEAT_XNX,
    AVC_FEAT_HAFDBS,
    AVC_FEAT_AA32EL0,
    AVC_FEAT_AA32EL1,
    AVC_FEAT_PMU,
    AVC_FEAT_SPE,
    AVC_FEAT_TRBE,
    AVC_FEAT_TRF,
    AVC_FEAT_AMU,
    AVC_FEAT_MPAM,
    AVC_FEAT_LOR,
    AVC_FEAT_DOUBLELOCK,
    AVC_FEAT_RNDR,
    AVC_FEAT_CSV2_2,
    AVC_FEAT_SCXTNUM,
    AVC_FEAT_TCR2,
    AVC_FEAT_S1PIE,
    AVC_FEAT_GICV3,
    AVC_FEAT_IDST,
    AVC_FEAT_FWB,
    AVC_FEAT_DIT,
    AVC_FEAT_SSBS,
    AVC_FEAT_PAN,
    AVC_FEAT_NV,
    AVC_FEAT_IESB,
    AVC_FEAT_BBM2,
    AVC_FEAT_LSE,
    AVC_FEAT_WFXT,
    AVC_FEAT_LPA2,
    AVC_FEAT_BTI,
    AVC_FEAT_FP,
    AVC_NR_FEATURES
};

#define AVC_NR_ID_REGS 56 /* op0=3, op1=0, CRn=0, CRm=1..7, op2=0..7 */

/** The features of one CPU, or what several CPUs have in common. */
struct avc_features {
    uint64_t id[AVC_NR_ID_REGS]; /* as read; the index is (CRm - 1) * 8 + op2 */
    uint64_t has;                /* one bit for each enum avc_feature_bit */
    uint8_t pa_bits;             /* size of a physical address, 32..52 */
    uint8_t breakpoints, watchpoints;
    uint8_t list_regs, pri_bits; /* GICv3 virtual CPU interface: list registers, priority bits; 0: none */
    uint64_t midr, ctr, dczid, clidr;
    uint64_t cntfrq;      /* CNTFRQ_EL0, in Hz */
    uint32_t errata;      /* those that the library works round; of several CPUs all that one of them has */
    uint32_t workarounds; /* what firmware says about ARCH_WORKAROUND_1, 2, 3: see enum avc_workaround */
};

#ifdef __cplusplus
}
#endif
#endif
