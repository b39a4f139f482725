/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The GICv3 of QEMU's virt machine and the EL2 physical timer, for hosts that take interrupts. IHI 0069, chapter 12. */
#include "host.h"

#define GICD      ((volatile uint32_t *)0x08000000)
#define GICR(cpu) ((volatile uint32_t *)(0x080a0000 + 0x20000ul * (cpu)))
#define SGI_FRAME (0x10000 / 4)

#define GICD_CTLR       0
#define GICR_WAKER      (0x14 / 4)
#define GICR_IGROUPR0   (SGI_FRAME + 0x80 / 4)
#define GICR_ISENABLER0 (SGI_FRAME + 0x100 / 4)
#define GICR_ICENABLER0 (SGI_FRAME + 0x180 / 4)

#define SGIS          0xffffu
#define EL2_TIMER     26
#define VTIMER        27
#define PTIMER        30
#define MAINTENANCE   25
#define ARE_NS_GROUP1 0x37 /* one security state: EnableGrp0, EnableGrp1, ARE */

#define WRITE(reg, value) __asm__ volatile("msr " reg ", %0; isb" ::"r"((uint64_t)(value)) : "memory")
#define READ(reg, value)  __asm__ volatile("mrs %0, " reg : "=r"(value)::"memory")

#define ICC_PMR_EL1     "s3_0_c4_c6_0"
#define ICC_IAR1_EL1    "s3_0_c12_c12_0"
#define ICC_EOIR1_EL1   "s3_0_c12_c12_1"
#define ICC_DIR_EL1     "s3_0_c12_c11_1"
#define ICC_SGI1R_EL1   "s3_0_c12_c11_5"
#define ICC_CTLR_EL1    "s3_0_c12_c12_4"
#define ICC_IGRPEN1_EL1 "s3_0_c12_c12_7"
#define CNTHP_CTL_EL2   "s3_4_c14_c2_1"
#define CNTHP_CVAL_EL2  "s3_4_c14_c2_2"

void host_gic_init(void)
{
    volatile uint32_t *gicr = GICR(host_cpu());

    GICD[GICD_CTLR] = ARE_NS_GROUP1;
    gicr[GICR_WAKER] &= ~2u; /* ProcessorSleep */
    while (gicr[GICR_WAKER] & 4)
        ; /* ChildrenAsleep */
    gicr[GICR_IGROUPR0] = ~0u;
    gicr[GICR_ISENABLER0] = SGIS | 1u << EL2_TIMER | 1u << VTIMER | 1u << PTIMER | 1u << MAINTENANCE;
    WRITE(ICC_PMR_EL1, 0xff);
    WRITE(ICC_CTLR_EL1, 2); /* EOImode */
    WRITE(ICC_IGRPEN1_EL1, 1);
}

avc_irq_t host_irq_fetch(void *ctx)
{
    uint64_t irq;

    READ(ICC_IAR1_EL1, irq);
    __asm__ volatile("dsb sy" ::: "memory"); /* what the interrupt announces is seen after this */
    return irq >= 1020 && irq <= 1023 ? AVC_IRQ_SPURIOUS : (avc_irq_t)irq;
}

void host_irq_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    WRITE(ICC_EOIR1_EL1, irq);
    if (deactivate)
        WRITE(ICC_DIR_EL1, irq);
}

void host_irq_mask_ppi(void *ctx, uint32_t intid, bool masked)
{
    GICR(host_cpu())[masked ? GICR_ICENABLER0 : GICR_ISENABLER0] = 1u << intid;
}

void host_sgi(unsigned cpu, unsigned intid)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    WRITE(ICC_SGI1R_EL1, (uint64_t)intid << 24 | 1u << cpu);
}

void host_timer_set(uint64_t deadline)
{
    WRITE(CNTHP_CVAL_EL2, deadline);
    WRITE(CNTHP_CTL_EL2, deadline != ~UINT64_C(0));
}
