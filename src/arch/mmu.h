/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * An Exception level's own control and its stage 1, and stage 2 (Arm ARM DDI 0487, D24.2; descriptors: D8.3; the
 * operand of TLBI instructions by range: C5.5).
 */
#ifndef AVC_MMU_H
#define AVC_MMU_H

#include "arch/bits.h"

/* clang-format off */
/* SCTLR_EL1, and the bits of SCTLR_EL2 that have the same place. With HCR_EL2.{E2H,TGE} = {1,1} SCTLR_EL2 has all
   of them. */
#define SCTLR_M       AVC_BIT(0)  /* stage 1 translation */
#define SCTLR_C       AVC_BIT(2)  /* data is cacheable */
#define SCTLR_SA      AVC_BIT(3)  /* SP must be aligned */
#define SCTLR_SA0     AVC_BIT(4)  /* ... at EL0 */
#define SCTLR_CP15BEN AVC_BIT(5)  /* AArch32 EL0: the old barriers */
#define SCTLR_EOS     AVC_BIT(11) /* exception return is context synchronising */
#define SCTLR_I       AVC_BIT(12) /* instructions are cacheable */
#define SCTLR_DZE     AVC_BIT(14) /* 0: traps DC ZVA of EL0 */
#define SCTLR_nTWI    AVC_BIT(16) /* 0: traps WFI of EL0 */
#define SCTLR_nTWE    AVC_BIT(18) /* 0: traps WFE of EL0 */
#define SCTLR_WXN     AVC_BIT(19) /* what is writable is not executable */
#define SCTLR_TSCXT   AVC_BIT(20) /* traps SCXTNUM_EL0 of EL0 */
#define SCTLR_EIS     AVC_BIT(22) /* exception entry is context synchronising */
#define SCTLR_SPAN    AVC_BIT(23) /* 0: PSTATE.PAN is set on an exception to EL1 */
#define SCTLR_E0E     AVC_BIT(24) /* data of EL0 is big-endian */
#define SCTLR_EE      AVC_BIT(25) /* data of the level, and its translation tables, are big-endian */
#define SCTLR_nTLSMD  AVC_BIT(28) /* AArch32 EL0: load and store multiple to Device memory do not trap */
#define SCTLR_LSMAOE  AVC_BIT(29) /* AArch32 EL0: load and store multiple are ordered */
#define SCTLR_DSSBS   AVC_BIT(44) /* what PSTATE.SSBS becomes on an exception */

/* Stage 1, caches and big-endian data are off. Nothing of EL0 traps. Bits of a missing feature are RES1. */
#define SCTLR_EL1_RESET                                                                                                \
    (SCTLR_SA | SCTLR_SA0 | SCTLR_CP15BEN | SCTLR_EOS | SCTLR_nTWI | SCTLR_nTWE | SCTLR_TSCXT | SCTLR_EIS |            \
     SCTLR_SPAN | SCTLR_nTLSMD | SCTLR_LSMAOE)

/* RES1 with HCR_EL2.E2H = 0. With {E2H,TGE} = {1,1} these are the safe values, too. */
#define SCTLR_EL2_RES1                                                                                                 \
    (SCTLR_SA0 | SCTLR_CP15BEN | SCTLR_EOS | SCTLR_nTWI | SCTLR_nTWE | SCTLR_EIS | SCTLR_SPAN | SCTLR_nTLSMD |         \
     SCTLR_LSMAOE)

/* TCR_EL1, and TCR_EL2 with HCR_EL2.E2H = 1 */
#define TCR_T0SZ          AVC_BITS(5, 0)   /* 64 - bits of an address of TTBR0's */
#define TCR_EPD0          AVC_BIT(7)       /* no walks by TTBR0 */
#define TCR_IRGN0_WB      AVC_BIT(8)       /* walks by TTBR0: inner write-back */
#define TCR_ORGN0_WB      AVC_BIT(10)      /* ... outer write-back */
#define TCR_SH0_IS        AVC_BITS(13, 12) /* ... inner shareable */
#define TCR_T1SZ          AVC_BITS(21, 16) /* 64 - bits of an address of TTBR1's */
#define TCR_A1            AVC_BIT(22)      /* the ASID is TTBR1's */
#define TCR_EPD1          AVC_BIT(23)      /* no walks by TTBR1 */
#define TCR_TG1_4K        AVC_BIT(31)      /* TG1, bits 31..30: 4 KiB pages */
#define TCR_T0SZ_PUT(n)   AVC_PUT(n, 0)
#define TCR_T1SZ_PUT(n)   AVC_PUT(n, 16)
#define TCR_IPS_PUT(n)    AVC_PUT(n, 32)   /* 34..32: output address size, as ID_AA64MMFR0_EL1.PARange */
#define TCR_HA            AVC_BIT(39)      /* the CPU sets access flags in the tables */
/* TCR_EL2 with E2H = 0: T0SZ, IRGN0, ORGN0, SH0 as above */
#define TCR_EL2_PS_PUT(n) AVC_PUT(n, 16)   /* 18..16: as IPS */
#define TCR_EL2_RES1      (AVC_BIT(23) | AVC_BIT(31))

/* TTBR0_EL1, TTBR1_EL1 */
#define TTBR_CNP   AVC_BIT(0)      /* common, not private */
#define TTBR_BADDR AVC_BITS(47, 1) /* the table's address */
#define TTBR_ASID  AVC_BITS(63, 48)

/* MAIR_ELx: attributes of memory, eight bits each */
#define MAIR_DEVICE_NGNRE 0x04
#define MAIR_WRITE_BACK   0xff /* inner and outer, with read and write allocation */

/* PAR_EL1: what an AT instruction has found */
#define PAR_F  AVC_BIT(0)       /* the instruction has found a fault */
#define PAR_PA AVC_BITS(51, 12) /* F = 0: the page */
#define PAR_S  AVC_BIT(9)       /* F = 1: the fault was stage 2's, on a walk */
#define PAR_FST(par)  AVC_FIELD(par, 6, 1)   /* F = 1: fault status, as in ESR_EL1 */
#define PAR_ATTR(par) AVC_FIELD(par, 63, 56) /* F = 0: as in MAIR_EL1; 0b0000xxxx is Device */

/* ---- stage 2 ---- */

/* VTCR_EL2 */
#define VTCR_IRGN0_WB AVC_BIT(8)       /* walks: inner write-back */
#define VTCR_ORGN0_WB AVC_BIT(10)      /* ... outer write-back */
#define VTCR_SH0_IS   AVC_BITS(13, 12) /* ... inner shareable */
#define VTCR_TG0_4K   AVC_PUT(0, 14)   /* 15..14: 4 KiB pages */
#define VTCR_VS       AVC_BIT(19)      /* 16 bits of VMID */
#define VTCR_RES1     AVC_BIT(31)
#define VTCR_T0SZ(n)  AVC_PUT(n, 0)    /* 5..0: 64 - bits of an IPA */
#define VTCR_SL0(n)   AVC_PUT(n, 6)    /* 7..6: start level */
#define VTCR_PS(n)    AVC_PUT(n, 16)   /* 18..16: output address size, as ID_AA64MMFR0_EL1.PARange */

/* VTTBR_EL2 */
#define VTTBR_VMID        AVC_BITS(63, 48)
#define VTTBR_VMID_PUT(n) AVC_PUT(n, 48) /* of n the low 16 bits */

/* descriptors */
#define S2_VALID   AVC_BIT(0)
#define S2_TABLE   AVC_BIT(1)                /* levels 0..2: a table, not a block; level 3: a page, or else invalid */
#define S2_MEMATTR AVC_BITS(5, 2)            /* MemAttr */
#define S2_DEVICE  AVC_BIT(2)                /* ... Device-nGnRE */
#define S2_NC      (AVC_BIT(2) | AVC_BIT(4)) /* ... outer and inner Non-cacheable */
#define S2_NORMAL  AVC_BITS(5, 2)            /* ... outer and inner Write-Back */
#define S2_READ    AVC_BIT(6)                /* S2AP[0] */
#define S2_WRITE   AVC_BIT(7)                /* S2AP[1] */
#define S2_INNER   AVC_BITS(9, 8)            /* SH: Inner Shareable */
#define S2_AF      AVC_BIT(10)               /* access flag */
#define S2_OA      AVC_BITS(47, 12)          /* output address, or the next table's */
#define S2_XN      AVC_BITS(54, 53)
#define S2_NEVER   AVC_BIT(54)               /* XN = 0b10: no execution at EL1 and EL0, with FEAT_XNX and without it */

/* TLBI RIPAS2E1IS and the like (FEAT_TLBIRANGE) */
#define TLBI_RANGE_TG_4K    AVC_BIT(46)    /* TG, bits 47..46: 4 KiB pages */
#define TLBI_RANGE_SCALE(n) AVC_PUT(n, 44) /* 45..44 */
#define TLBI_RANGE_NUM(n)   AVC_PUT(n, 39) /* 43..39 */
/* clang-format on */

#endif
