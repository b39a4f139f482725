/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Fields of the syndrome (ESR_ELx) and of the saved program status (SPSR_ELx), as the decoders and the injection of
 * exceptions need them. Arm ARM DDI 0487, D24.2.40 "ESR_EL2" and C5.2.19 "SPSR_EL2".
 */
#ifndef AVC_ESR_H
#define AVC_ESR_H

#include "core/core.h"

/* Exception classes that code names; trap.c has the row of each of the 64. */
enum avc_ec {
    AVC_EC_UNKNOWN = 0x00,
    AVC_EC_CP15 = 0x03,
    AVC_EC_CP15_64 = 0x04,
    AVC_EC_SVC32 = 0x11,
    AVC_EC_SMC32 = 0x13,
    AVC_EC_SVC64 = 0x15,
    AVC_EC_HVC64 = 0x16,
    AVC_EC_SMC64 = 0x17,
    AVC_EC_SYSREG = 0x18,
    AVC_EC_ERET = 0x1a,
    AVC_EC_IABT_LOWER = 0x20,
    AVC_EC_IABT_SAME = 0x21,
    AVC_EC_PC_ALIGN = 0x22,
    AVC_EC_DABT_LOWER = 0x24,
    AVC_EC_DABT_SAME = 0x25,
    AVC_EC_STEP_LOWER = 0x32,
    AVC_EC_WATCH_LOWER = 0x34,
    AVC_EC_WATCH_SAME = 0x35,
};

/* all classes */
#define ESR_EC(esr)           ((unsigned)AVC_FIELD(esr, 31, 26))
#define ESR_IL                AVC_BIT(25) /* the instruction is 4 bytes long, or the class has no length */
#define ESR_ISS(esr)          ((uint32_t)AVC_FIELD(esr, 24, 0))
#define ESR_MAKE(ec, il, iss) ((uint64_t)(ec) << 26 | ((il) ? ESR_IL : 0) | (iss))

/* instructions that AArch32 executes conditionally */
#define ISS_CV        AVC_BIT(24) /* COND is valid */
#define ISS_COND(esr) ((unsigned)AVC_FIELD(esr, 23, 20))

/* MSR, MRS, and what AArch32 EL0 has for them */
#define ISS_READ     AVC_BIT(0)
#define ISS_RT_MASK  (UINT64_C(31) << 5)
#define ISS_RT(esr)  AVC_FIELD(esr, 9, 5)
#define ISS_RT2(esr) AVC_FIELD(esr, 14, 10) /* MCRR, MRRC */

/* aborts; instruction aborts have EA, S1PTW and the status only */
#define ISS_ISV           AVC_BIT(24)                        /* SAS, SSE, SRT and SF are valid */
#define ISS_SAS(esr)      ((unsigned)AVC_FIELD(esr, 23, 22)) /* log2 of the size */
#define ISS_SSE           AVC_BIT(21)                        /* sign-extends */
#define ISS_SRT(esr)      AVC_FIELD(esr, 20, 16)
#define ISS_SF            AVC_BIT(15)         /* the register is 64 bits wide */
#define ISS_SET           (UINT64_C(3) << 11) /* state after a synchronous external abort (FEAT_RAS) */
#define ISS_FNV           AVC_BIT(10)         /* FAR is not valid */
#define ISS_EA            AVC_BIT(9)
#define ISS_CM            AVC_BIT(8) /* cache maintenance or address translation instruction */
#define ISS_S1PTW         AVC_BIT(7) /* stage 2 fault on a stage 1 table walk */
#define ISS_WNR           AVC_BIT(6) /* a write; 1 for all cache maintenance */
#define ISS_FSC(esr)      ((unsigned)AVC_FIELD(esr, 5, 0))
#define FSC_EXTERNAL      0x10u
#define FSC_EXTERNAL_WALK 0x14u /* + level 0..3 of the walk */
#define FSC_ALIGNMENT     0x21u

/* PSTATE as SPSR_EL2 has it */
#define SPSR_SSBS  AVC_BIT(12)         /* AArch64; for AArch32 bit 23 */
#define SPSR_BTYPE (UINT64_C(3) << 10) /* AArch64 */
#define SPSR_E     AVC_BIT(9)          /* AArch32: big-endian */
#define SPSR_DAIF  (UINT64_C(0xf) << 6)
#define SPSR_T32   AVC_BIT(5) /* AArch32 */
#define SPSR_NRW   AVC_BIT(4) /* AArch32 */
#define SPSR_IL    AVC_BIT(20)
#define SPSR_SS    AVC_BIT(21)
#define SPSR_PAN   AVC_BIT(22)
#define SPSR_UAO   AVC_BIT(23) /* AArch64 */
#define SPSR_DIT   AVC_BIT(24)
#define SPSR_TCO   AVC_BIT(25) /* AArch64 */
#define SPSR_NZCV  (UINT64_C(0xf) << 28)
#define SPSR_EL1H  UINT64_C(5)

/* The key of a trapped MSR or MRS: the syndrome has op0, op2, op1, CRn, Rt, CRm, in this order. And the syndrome of a key. */
static inline uint32_t avc_sysreg_key(uint64_t esr)
{
    return AVC_SYSREG_KEY(AVC_FIELD(esr, 21, 20), AVC_FIELD(esr, 16, 14), AVC_FIELD(esr, 13, 10), AVC_FIELD(esr, 4, 1),
                          AVC_FIELD(esr, 19, 17));
}

static inline uint64_t avc_sysreg_esr(uint32_t key, bool read)
{
    return ESR_MAKE(AVC_EC_SYSREG, true,
                    AVC_FIELD(key, 15, 14) << 20 | AVC_FIELD(key, 2, 0) << 17 | AVC_FIELD(key, 13, 11) << 14 |
                        AVC_FIELD(key, 10, 7) << 10 | AVC_FIELD(key, 6, 3) << 1 | read);
}

/* the guest executes at EL0 (AArch32 exists for guests at EL0 only) */
static inline bool avc_at_el0(uint64_t pstate)
{
    return pstate & SPSR_NRW || AVC_FIELD(pstate, 3, 2) == 0;
}

/* T32's IT[7:0], kept apart in bits 15..10 and 26..25 */
static inline unsigned avc_it_state(uint64_t pstate)
{
    return (unsigned)(AVC_FIELD(pstate, 15, 10) << 2 | AVC_FIELD(pstate, 26, 25));
}

#endif
