/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Executes one instruction of the guest, an ERET, without its trap. It is a software step whose exception EL2 takes
 * (Arm ARM DDI 0487, D2.11 "Software Step exceptions"). MDCR_EL2.TDE makes EL2 the target of debug exceptions.
 * MDSCR_EL1.KDE is 0 meanwhile and keeps them from EL2 itself. The guest's own breakpoints are off for one instruction.
 * The caller sets SPSR_EL2.SS. The ERET into the guest synchronises all of it.
 */
#include "arch/hfgtr.h"
#include "hw/controls.h"

void avc_hw_step_begin(struct avc_vcpu *vcpu)
{
    uint64_t *host = vcpu->pcpu->host_saved;

    if (!vcpu->debug_live) { /* otherwise the OS lock is open already; while locked, there would be no exception */
        host[S_OSLSR] = avc_hw_read_OSLSR_EL1();
        if (host[S_OSLSR] & OSLSR_OSLK)
            avc_hw_write_OSLAR_EL1(0);
    }
    avc_hw_write_MDSCR_EL1((avc_debug_mdscr(vcpu) & MDSCR_TDCC) | MDSCR_SS);
    avc_hw_write_MDCR_EL2(avc_hw_read_MDCR_EL2() | MDCR_TDE);
    avc_hw_write_HFGITR_EL2(avc_load_relaxed(&vcpu->vm->traps.hfgitr) & ~HFGITR_ERET);
}

void avc_hw_step_end(struct avc_vcpu *vcpu)
{
    const uint64_t *host = vcpu->pcpu->host_saved;

    avc_hw_write_HFGITR_EL2(avc_load_relaxed(&vcpu->vm->traps.hfgitr));
    if (!(vcpu->vm->traps.mdcr & MDCR_TDE))
        avc_hw_write_MDCR_EL2(avc_hw_read_MDCR_EL2() & ~MDCR_TDE);
    avc_hw_write_MDSCR_EL1(vcpu->debug_live ? avc_debug_mdscr(vcpu) : avc_debug_mdscr(vcpu) & MDSCR_TDCC);
    if (!vcpu->debug_live && host[S_OSLSR] & OSLSR_OSLK)
        avc_hw_write_OSLAR_EL1(OSLAR_OSLK);
}
