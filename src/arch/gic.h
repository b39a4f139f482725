/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Fields of GICv3 registers, with the names of IHI 0069: the virtual interface control registers (12.4), the CPU
 * interface's (12.2), the distributor's (12.9) and the redistributors' (12.10).
 */
#ifndef AVC_ARCH_GIC_H
#define AVC_ARCH_GIC_H

#include "arch/bits.h"

/* ISR_EL1, at EL2: physical interrupts that are pending */
#define ISR_F AVC_BIT(6)
#define ISR_I AVC_BIT(7)

/* ICH_LR<n>_EL2 */
#define ICH_LR_ACTIVE        AVC_BIT(63)
#define ICH_LR_PENDING       AVC_BIT(62)
#define ICH_LR_STATE         (ICH_LR_ACTIVE | ICH_LR_PENDING)
#define ICH_LR_HW            AVC_BIT(61)           /* its end deactivates the physical interrupt pINTID */
#define ICH_LR_GROUP         AVC_BIT(60)           /* group 1 */
#define ICH_LR_PRIORITY(p)   ((uint64_t)(p) << 48) /* 55..48 */
#define ICH_LR_PRIORITY_MASK AVC_BITS(55, 48)
#define ICH_LR_PINTID(i)     ((uint64_t)(i) << 32) /* 44..32, HW=1 */
#define ICH_LR_EOI           AVC_BIT(41)           /* HW=0: maintenance interrupt when it becomes inactive */
#define ICH_LR_VINTID(lr)    ((uint32_t)(lr))      /* 31..0 */

/* ICH_HCR_EL2 */
#define ICH_HCR_EN          AVC_BIT(0)
#define ICH_HCR_LRENPIE     AVC_BIT(2)           /* maintenance: an end of interrupt found no list register */
#define ICH_HCR_NPIE        AVC_BIT(3)           /* maintenance: nothing pending in the list registers */
#define ICH_HCR_VGRP0EIE    AVC_BIT(4)           /* maintenance: while VENG0 is 1 */
#define ICH_HCR_VGRP0DIE    AVC_BIT(5)           /* ... is 0 */
#define ICH_HCR_VGRP1EIE    AVC_BIT(6)           /* maintenance: while VENG1 is 1 */
#define ICH_HCR_VGRP1DIE    AVC_BIT(7)           /* ... is 0 */
#define ICH_HCR_CAUSES      UINT64_C(0xfe)       /* of the maintenance interrupt, as in ICH_MISR_EL2 */
#define ICH_HCR_TC          AVC_BIT(10)          /* traps the registers common to both groups */
#define ICH_HCR_TALL0       AVC_BIT(11)          /* traps group 0's */
#define ICH_HCR_TALL1       AVC_BIT(12)          /* traps group 1's */
#define ICH_HCR_TDIR        AVC_BIT(14)          /* traps ICC_DIR_EL1 */
#define ICH_HCR_EOICOUNT(h) AVC_FIELD(h, 31, 27) /* ends of interrupt that found no list register */

/* ICH_MISR_EL2 */
#define ICH_MISR_ALL UINT64_C(0xff)

/* ICH_VMCR_EL2: the guest's view of its CPU interface */
#define ICH_VMCR_VENG0       AVC_BIT(0)
#define ICH_VMCR_VENG1       AVC_BIT(1)
#define ICH_VMCR_VFIQEN      AVC_BIT(3) /* RES1 with system registers */
#define ICH_VMCR_VCBPR       AVC_BIT(4) /* binary point 0 for both groups */
#define ICH_VMCR_VEOIM       AVC_BIT(9) /* EOImode */
#define ICH_VMCR_VBPR1(v)    AVC_FIELD(v, 20, 18)
#define ICH_VMCR_VBPR0(v)    AVC_FIELD(v, 23, 21)
#define ICH_VMCR_VPMR(v)     AVC_FIELD(v, 31, 24)
#define ICH_VMCR_VPMR_MASK   (UINT64_C(0xff) << 24)
#define ICH_VMCR_VPMR_PUT(p) ((uint64_t)(p) << 24)

/* ICH_VTR_EL2 */
#define ICH_VTR_LISTREGS(v) (AVC_FIELD(v, 4, 0) + 1)
#define ICH_VTR_TDS         AVC_BIT(19)                /* ICH_HCR_EL2.TDIR is there */
#define ICH_VTR_A3V(v)      AVC_FIELD(v, 21, 21)       /* SGIs reach affinities with Aff3 */
#define ICH_VTR_SEIS(v)     AVC_FIELD(v, 22, 22)       /* the virtual interface makes SErrors */
#define ICH_VTR_IDBITS(v)   AVC_FIELD(v, 25, 23)       /* encoded as in ICC_CTLR_EL1 */
#define ICH_VTR_PREBITS(v)  (AVC_FIELD(v, 28, 26) + 1) /* of preemption priority */
#define ICH_VTR_PRIBITS(v)  (AVC_FIELD(v, 31, 29) + 1) /* of priority */

/* ICC_CTLR_EL1 */
#define ICC_CTLR_CBPR       AVC_BIT(0)
#define ICC_CTLR_EOIMODE    AVC_BIT(1)
#define ICC_CTLR_PRIBITS(n) ((uint64_t)(n) << 8) /* less one */
#define ICC_CTLR_IDBITS(n)  ((uint64_t)(n) << 11)
#define ICC_CTLR_SEIS(n)    ((uint64_t)(n) << 14)
#define ICC_CTLR_A3V(n)     ((uint64_t)(n) << 15)

/* ICC_SRE_EL1 and ICC_SRE_EL2 */
#define ICC_SRE_SRE    AVC_BIT(0) /* system registers, not memory */
#define ICC_SRE_DFB    AVC_BIT(1) /* no FIQ bypass */
#define ICC_SRE_DIB    AVC_BIT(2) /* no IRQ bypass */
#define ICC_SRE_ENABLE AVC_BIT(3) /* ICC_SRE_EL2: lower levels may use system registers, too */

/* ICC_SGI0R_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1 */
#define ICC_SGIR_TARGETLIST(v) ((uint32_t)AVC_FIELD(v, 15, 0)) /* bit n: Aff0 is 16 * RS + n */
#define ICC_SGIR_AFF1(v)       AVC_FIELD(v, 23, 16)
#define ICC_SGIR_INTID(v)      ((uint32_t)AVC_FIELD(v, 27, 24))
#define ICC_SGIR_INTID_MASK    (UINT64_C(15) << 24)
#define ICC_SGIR_AFF2(v)       AVC_FIELD(v, 39, 32)
#define ICC_SGIR_IRM           AVC_BIT(40) /* all but the writer */
#define ICC_SGIR_RS(v)         AVC_FIELD(v, 47, 44)
#define ICC_SGIR_AFF3(v)       AVC_FIELD(v, 55, 48)
#define ICC_SGIR_AFFINITY      UINT64_C(0x00fff0ff00ff0000) /* Aff3, RS, Aff2, Aff1 */

/* ICC_IAR0_EL1, ICC_IAR1_EL1, ICC_DIR_EL1 */
#define ICC_INTID(v) ((uint32_t)AVC_FIELD(v, 23, 0))

/* GICD_CTLR, of a distributor with one security state; what ENABLEGRP1 and ARE are to the Non-secure state with two */
#define GICD_CTLR_ENABLEGRP0 (1u << 0)
#define GICD_CTLR_ENABLEGRP1 (1u << 1)
#define GICD_CTLR_ARE        (1u << 4)  /* affinity routing */
#define GICD_CTLR_DS         (1u << 6)  /* one security state */
#define GICD_CTLR_RWP        (1u << 31) /* a register write has not taken effect everywhere */

/* GICD_TYPER */
#define GICD_TYPER_LINES(typer)     (32 * (((typer)&31) + 1)) /* INTIDs, by ITLinesNumber */
#define GICD_TYPER_ITLINESNUMBER(n) ((uint32_t)(n))           /* 4..0: registers of 32 SPIs */
#define GICD_TYPER_IDBITS(n)        ((uint32_t)(n) << 19)     /* 23..19, less one */
#define GICD_TYPER_A3V              (1u << 24)                /* Aff3 may be other than 0 */
#define GICD_TYPER_RSS              (1u << 26)                /* SGIs to Aff0 up to 255 */

/* GICD_IROUTER<n>: affinity as in MPIDR_EL1, or */
#define GICD_IROUTER_IRM AVC_BIT(31) /* any vCPU */

/* GICR_CTLR, GICR_TYPER, GICR_WAKER */
#define GICR_CTLR_RWP          (1u << 3)
#define GICR_TYPER_VLPIS       (UINT64_C(1) << 1) /* GICv4: two frames more */
#define GICR_TYPER_LAST        (UINT64_C(1) << 4)
#define GICR_TYPER_NUMBER(n)   ((uint64_t)(n) << 8)  /* Processor_Number */
#define GICR_TYPER_AFFINITY(a) ((uint64_t)(a) << 32) /* Aff3.2.1.0 */
#define GICR_WAKER_SLEEP       (1u << 1)             /* ProcessorSleep */
#define GICR_WAKER_ASLEEP      (1u << 2)             /* ChildrenAsleep */

/* INTIDs (2.2.1) */
#define GIC_NR_SGIS     16
#define GIC_NR_PRIVATE  32 /* SGIs and PPIs */
#define GIC_FIRST_SPI   32
#define GIC_PRIO_LEVELS 32   /* the fewest that a virtual CPU interface has (ICH_VTR_EL2.PRIbits) */
#define GIC_PRIO_MASK   0xf8 /* bits of a priority that are implemented then */
#define GIC_PRIO_SHIFT  3

#endif
