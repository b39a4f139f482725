/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor hides FEAT_WFxT under QEMU, whose trap of WFIT loses the time-out. A guest that executes
 * WFIT all the same waits in the CPU while it is alone there, and goes on at its time.
 */
#include "../wfit/wfit.h"

int guest_main(unsigned cpu)
{
    (void)cpu;
    guest_ok(shown_wfxt() == 0, "ID_AA64ISAR2_EL1.WFxT is %u", shown_wfxt());
    try_wfit();
    guest_plan();
    return 0;
}
