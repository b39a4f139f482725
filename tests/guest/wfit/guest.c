/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* In a VM whose WFI does not trap a guest sees FEAT_WFxT where the CPU has it, and WFIT ends at its time. */
#include "wfit.h"

int guest_main(unsigned cpu)
{
    uint64_t has = guest_hvc(CALL_HAS_WFXT, 0, 0, 0, NULL);

    (void)cpu;
    guest_ok(shown_wfxt() == 2 * has, "ID_AA64ISAR2_EL1.WFxT is %u", shown_wfxt());
    if (has)
        try_wfit();
    guest_plan();
    return 0;
}
