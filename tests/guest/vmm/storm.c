/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Two vCPUs on one CPU. vCPU 1 programs its GIC so that the maintenance interrupt stays high on some GICs as long as
 * the vCPU runs: more interrupts of group 0 are pending than there are list registers, group 0 is enabled, and group 1
 * is not. vCPU 0 must get its half of the CPU all the same.
 */
#include "guest.h"

#define GICD     ((volatile uint32_t *)GUEST_DIST)
#define GICR     ((volatile uint32_t *)(GUEST_RD + 0x20000ul))
#define SGI_BASE 0x10000

static volatile bool ready;

static _Noreturn void make_storm(void)
{
    GICR[0x14 / 4] = 0;                    /* GICR_WAKER */
    GICR[(SGI_BASE + 0x100) / 4] = 0xffff; /* GICR_ISENABLER0 */
    WRITE("s3_0_c12_c12_5", 7);            /* ICC_SRE_EL1 */
    WRITE("s3_0_c4_c6_0", 0xff);           /* ICC_PMR_EL1 */
    WRITE("s3_0_c12_c12_6", 1);            /* ICC_IGRPEN0_EL1 */
    ready = true;
    GICR[(SGI_BASE + 0x200) / 4] = 0x1f; /* GICR_ISPENDR0 */
    for (;;)
        ;
}

int guest_main(unsigned cpu)
{
    uint64_t end;

    if (cpu)
        make_storm();
    GICD[0] = 0x11; /* GICD_CTLR: ARE, group 0 */
    guest_ok(guest_cpu_on(1) == 0, "the second vCPU starts");
    while (!ready)
        ;
    end = READ("cntvct_el0") + READ("cntfrq_el0") / 5;
    while (READ("cntvct_el0") < end)
        ;
    guest_ok(true, "the first vCPU runs on");
    guest_plan();
    return 0;
}
