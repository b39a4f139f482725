/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * PSCI (Arm DEN0022) as its caller: by SMC, the only conduit that EL2 has.
 */
#include "board/board.h"
#include "boot/cpu.h"

#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_CPU_ON_64    0xc4000003u

#define PSCI_NOT_SUPPORTED (-1)

int64_t vmm_psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
    if (!vmm_board.psci || vmm_board.psci_hvc)
        return PSCI_NOT_SUPPORTED;
    return (int32_t)vmm_smc(PSCI_CPU_ON_64, mpidr, entry, context);
}

_Noreturn void vmm_psci_system_off(void)
{
    /* Also before the device tree was read: without firmware the SMC is UNDEFINED, and there is nothing else left to
       do. */
    vmm_smc(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        vmm_wfi();
}

_Noreturn void vmm_psci_system_reset(void)
{
    vmm_smc(PSCI_SYSTEM_RESET, 0, 0, 0);
    for (;;)
        vmm_wfi();
}
