/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Time: the physical counter, and the EL2 physical timer as this CPU's one-shot alarm.
 */
#include "arch/timer.h"
#include "board/board.h"
#include "boot/cpu.h"
#include "kern/log.h"

uint64_t vmm_time_now(void)
{
    vmm_isb(); /* otherwise the counter may be read early (DDI 0487, D11.1.2) */
    return vmm_read_CNTPCT_EL0();
}

uint64_t vmm_time_hz(void)
{
    return vmm_read_CNTFRQ_EL0();
}

uint64_t vmm_time_from_ms(uint64_t ms)
{
    return ms * vmm_time_hz() / 1000;
}

void vmm_timer_init(void)
{
    vmm_write_CNTHP_CTL_EL2(0);
    vmm_isb();
    if (!vmm_time_hz())
        vmm_panic("CNTFRQ_EL0 is 0: firmware has not set it");
    vmm_gic_enable(VMM_TIMER_INTID);
}

void vmm_timer_arm(uint64_t deadline)
{
    if (deadline == UINT64_MAX) {
        vmm_write_CNTHP_CTL_EL2(0);
    } else {
        vmm_write_CNTHP_CVAL_EL2(deadline);
        vmm_write_CNTHP_CTL_EL2(CNT_CTL_ENABLE);
    }
    vmm_isb(); /* the interrupt's level follows before the interrupt is ended or unmasked */
}
