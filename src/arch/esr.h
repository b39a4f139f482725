/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The syndrome of an exception: ESR_EL2, and ESR_EL1, which is laid out like it (Arm ARM DDI 0487, D24.2.40). */
#ifndef AVC_ESR_H
#define AVC_ESR_H

#include "arch/bits.h"

/* clang-format off */
/* Exception classes that code names; trap.c has the row of each of the 64. */
#define AVC_EC_UNKNOWN     0x00
#define AVC_EC_WFX         0x01 /* WFI, WFE, WFIT, WFET */
#define AVC_EC_CP15        0x03 /* MCR, MRC with coproc 0b1111 */
#define AVC_EC_CP15_64     0x04 /* MCRR, MRRC with coproc 0b1111 */
#define AVC_EC_CP14        0x05 /* MCR, MRC with coproc 0b1110 */
#define AVC_EC_CP14_LS     0x06 /* LDC, STC with coproc 0b1110 */
#define AVC_EC_FP          0x07 /* SVE, Advanced SIMD, floating-point: CPACR_EL1, CPTR_EL2 */
#define AVC_EC_VMRS        0x08
#define AVC_EC_PAUTH       0x09 /* HCR_EL2.API, APK */
#define AVC_EC_CP14_64     0x0c /* MRRC with coproc 0b1110 */
#define AVC_EC_SVC32       0x11
#define AVC_EC_SMC32       0x13
#define AVC_EC_SVC64       0x15
#define AVC_EC_HVC64       0x16
#define AVC_EC_SMC64       0x17
#define AVC_EC_SYSREG      0x18 /* MSR, MRS, system instruction */
#define AVC_EC_SVE         0x19 /* CPTR_EL2.TZ, ZEN */
#define AVC_EC_ERET        0x1a
#define AVC_EC_SME         0x1d /* CPTR_EL2.TSM, SMEN */
#define AVC_EC_IABT_LOWER  0x20
#define AVC_EC_IABT_SAME   0x21
#define AVC_EC_PC_ALIGN    0x22
#define AVC_EC_DABT_LOWER  0x24
#define AVC_EC_DABT_SAME   0x25
#define AVC_EC_BREAK_LOWER 0x30
#define AVC_EC_STEP_LOWER  0x32
#define AVC_EC_WATCH_LOWER 0x34
#define AVC_EC_WATCH_SAME  0x35
#define AVC_EC_BKPT32      0x38
#define AVC_EC_BRK64       0x3c

/* all classes */
#define ESR_EC(esr)           ((unsigned)AVC_FIELD(esr, 31, 26))
#define ESR_IL                AVC_BIT(25) /* the instruction is 4 bytes long, or the class has no length */
#define ESR_ISS(esr)          ((uint32_t)AVC_FIELD(esr, 24, 0))
#define ESR_MAKE(ec, il, iss) ((uint64_t)(ec) << 26 | ((il) ? ESR_IL : 0) | (iss))

/* instructions that AArch32 executes conditionally */
#define ISS_CV          AVC_BIT(24) /* COND is valid */
#define ISS_COND(esr)   ((unsigned)AVC_FIELD(esr, 23, 20))
#define ISS_CCKNOWNPASS AVC_BIT(19) /* SMC: unconditional, or its condition has passed */

/* HVC, SMC, SVC */
#define ISS_IMM16(esr) ((uint16_t)(esr))

/* WFI, WFE, WFIT, WFET */
#define ISS_TI_EVENT   AVC_BIT(0) /* TI[0]: WFE, WFET */
#define ISS_TI_TIMEOUT AVC_BIT(1) /* TI[1]: WFIT, WFET */
#define ISS_RV         AVC_BIT(2) /* RN is valid */
#define ISS_RN(esr)    ((unsigned)AVC_FIELD(esr, 9, 5))

/* MSR, MRS, and what AArch32 EL0 has for them */
#define ISS_READ     AVC_BIT(0)
#define ISS_RT_MASK  AVC_BITS(9, 5)
#define ISS_RT(esr)  AVC_FIELD(esr, 9, 5)
#define ISS_RT_HIGH  AVC_BIT(9)             /* Rt is one of 16..31 */
#define ISS_RT2(esr) AVC_FIELD(esr, 14, 10) /* MCRR, MRRC */

/* ERET, ERETAA, ERETAB */
#define ISS_ERETA AVC_BIT(1) /* ERETAA or ERETAB */

/* aborts; instruction aborts have EA, S1PTW and the status only */
#define ISS_ISV      AVC_BIT(24)                        /* SAS, SSE, SRT and SF are valid */
#define ISS_SAS(esr) ((unsigned)AVC_FIELD(esr, 23, 22)) /* log2 of the size */
#define ISS_SAS_MASK AVC_BITS(23, 22)
#define ISS_SAS_WORD AVC_BIT(23)                        /* SAS = 0b10 */
#define ISS_SSE      AVC_BIT(21)                        /* sign-extends */
#define ISS_SRT(esr) AVC_FIELD(esr, 20, 16)
#define ISS_SRT_HIGH AVC_BIT(20)                        /* SRT is one of 16..31 */
#define ISS_SF       AVC_BIT(15)                        /* the register is 64 bits wide */
#define ISS_SET      AVC_BITS(12, 11)                   /* state after a synchronous external abort (FEAT_RAS) */
#define ISS_FNV      AVC_BIT(10)                        /* FAR is not valid */
#define ISS_EA       AVC_BIT(9)                         /* kind of external abort, as the implementation defines it */
#define ISS_CM       AVC_BIT(8)                         /* cache maintenance or address translation instruction */
#define ISS_S1PTW    AVC_BIT(7)                         /* stage 2 fault on a stage 1 table walk */
#define ISS_WNR      AVC_BIT(6)                         /* a write; 1 for all cache maintenance */
#define ISS_FSC(esr) ((unsigned)AVC_FIELD(esr, 5, 0))

/* fault status (DFSC, IFSC); those of translation have the level of the walk in bits 1..0 */
#define FSC_KIND          0x3cu /* what it is, without the level */
#define FSC_TRANSLATION   0x04u
#define FSC_ACCESS        0x08u
#define FSC_PERMISSION    0x0cu
#define FSC_EXTERNAL      0x10u
#define FSC_EXTERNAL_WALK 0x14u
#define FSC_PARITY        0x18u /* parity or ECC error */
#define FSC_ALIGNMENT     0x21u
#define FSC_TLB_CONFLICT  0x30u
#define FSC_ATOMIC        0x31u /* unsupported atomic hardware update */
#define FSC_LOCKDOWN      0x34u
#define FSC_EXCLUSIVE     0x35u /* unsupported exclusive or atomic access */

/* HPFAR_EL2: the IPA of a stage 2 fault, but for the offset in its page */
#define HPFAR_IPA(hpfar) (AVC_FIELD(hpfar, 43, 4) << 12)
/* clang-format on */

#ifndef __ASSEMBLER__
#include <avc/avc.h>

/* The key of a trapped MSR or MRS: the syndrome has op0, op2, op1, CRn, Rt, CRm, in this order. */
static inline uint32_t avc_sysreg_key(uint64_t esr)
{
    return AVC_SYSREG_KEY(AVC_FIELD(esr, 21, 20), AVC_FIELD(esr, 16, 14), AVC_FIELD(esr, 13, 10), AVC_FIELD(esr, 4, 1),
                          AVC_FIELD(esr, 19, 17));
}

/* The syndrome of a key. */
static inline uint64_t avc_sysreg_esr(uint32_t key, bool read)
{
    return ESR_MAKE(AVC_EC_SYSREG, true,
                    AVC_FIELD(key, 15, 14) << 20 | AVC_FIELD(key, 2, 0) << 17 | AVC_FIELD(key, 13, 11) << 14 |
                        AVC_FIELD(key, 10, 7) << 10 | AVC_FIELD(key, 6, 3) << 1 | read);
}

#endif

#endif
