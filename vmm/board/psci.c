/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Calls PSCI (Arm DEN0022) by SMC, the only conduit that EL2 has. */
#include <avc/psci.h>

#include "board/board.h"
#include "boot/cpu.h"

int64_t vmm_psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
    if (!vmm_board.psci || vmm_board.psci_hvc)
        return AVC_PSCI_NOT_SUPPORTED;
    return (int32_t)vmm_smc(AVC_PSCI_CPU_ON | AVC_SMC64, mpidr, entry, context);
}

_Noreturn void vmm_psci_system_off(void)
{
    /* This may run before the device tree was read. Without firmware the SMC is UNDEFINED, and nothing else is left
       to do. */
    vmm_smc(AVC_PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        vmm_wfi();
}

_Noreturn void vmm_psci_system_reset(void)
{
    vmm_smc(AVC_PSCI_SYSTEM_RESET, 0, 0, 0);
    for (;;)
        vmm_wfi();
}
