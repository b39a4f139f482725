/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Active-priority registers. */
#include "hw/ich.h"

/* Register 1 exists only with more than 5 bits of preemption priority, registers 2 and 3 only with more than 6.
   Otherwise they are UNDEFINED (IHI 0069, "ICH_AP0R<n>_EL2"). */
void avc_hw_apr_read(uint64_t ap0[4], uint64_t ap1[4], unsigned nr)
{
    ap0[0] = avc_hw_read_ICH_AP0R0_EL2();
    ap1[0] = avc_hw_read_ICH_AP1R0_EL2();
    if (nr < 2)
        return;
    ap0[1] = avc_hw_read_ICH_AP0R1_EL2();
    ap1[1] = avc_hw_read_ICH_AP1R1_EL2();
    if (nr < 4)
        return;
    ap0[2] = avc_hw_read_ICH_AP0R2_EL2();
    ap1[2] = avc_hw_read_ICH_AP1R2_EL2();
    ap0[3] = avc_hw_read_ICH_AP0R3_EL2();
    ap1[3] = avc_hw_read_ICH_AP1R3_EL2();
}

void avc_hw_apr_write(const uint64_t ap0[4], const uint64_t ap1[4], unsigned nr)
{
    avc_hw_write_ICH_AP0R0_EL2(ap0[0]);
    avc_hw_write_ICH_AP1R0_EL2(ap1[0]);
    if (nr < 2)
        return;
    avc_hw_write_ICH_AP0R1_EL2(ap0[1]);
    avc_hw_write_ICH_AP1R1_EL2(ap1[1]);
    if (nr < 4)
        return;
    avc_hw_write_ICH_AP0R2_EL2(ap0[2]);
    avc_hw_write_ICH_AP1R2_EL2(ap1[2]);
    avc_hw_write_ICH_AP0R3_EL2(ap0[3]);
    avc_hw_write_ICH_AP1R3_EL2(ap1[3]);
}
