/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Logs what a guest that cannot go on was doing, for its author to read. */
#include <avc/sysreg.h>

#include "guest.h"
#include "stat.h"

#define SCTLR_M (UINT64_C(1) << 0)

static uint64_t reg(struct avc_vcpu *vcpu, uint32_t id)
{
    uint64_t value = 0;

    /* This can only fail for a register that the CPU lacks. */
    if (avc_vcpu_get(vcpu, id, &value))
        return 0;
    return value;
}

static void general(struct avc_vcpu *vcpu)
{
    for (unsigned n = 0; n < 28; n += 4)
        vmm_log(VMM_ERROR, "  x%-2u %016llx %016llx %016llx %016llx", n, (unsigned long long)avc_vcpu_gpr(vcpu, n),
                (unsigned long long)avc_vcpu_gpr(vcpu, n + 1), (unsigned long long)avc_vcpu_gpr(vcpu, n + 2),
                (unsigned long long)avc_vcpu_gpr(vcpu, n + 3));
    vmm_log(VMM_ERROR, "  x28 %016llx %016llx %016llx", (unsigned long long)avc_vcpu_gpr(vcpu, 28),
            (unsigned long long)avc_vcpu_gpr(vcpu, 29), (unsigned long long)avc_vcpu_gpr(vcpu, 30));
}

static void system(struct avc_vcpu *vcpu)
{
    static const struct {
        uint32_t id;
        const char *name;
    } shown[] = {
        { AVC_REG_ESR_EL1, "ESR_EL1" },     { AVC_REG_FAR_EL1, "FAR_EL1" },     { AVC_REG_ELR_EL1, "ELR_EL1" },
        { AVC_REG_SPSR_EL1, "SPSR_EL1" },   { AVC_REG_VBAR_EL1, "VBAR_EL1" },   { AVC_REG_SCTLR_EL1, "SCTLR_EL1" },
        { AVC_REG_TTBR0_EL1, "TTBR0_EL1" }, { AVC_REG_TTBR1_EL1, "TTBR1_EL1" }, { AVC_REG_TCR_EL1, "TCR_EL1" },
        { AVC_REG_MAIR_EL1, "MAIR_EL1" },   { AVC_REG_SP_EL0, "SP_EL0" },       { AVC_REG_SP_EL1, "SP_EL1" },
    };

    for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i += 2)
        vmm_log(VMM_ERROR, "  %-9s %016llx  %-9s %016llx", shown[i].name, (unsigned long long)reg(vcpu, shown[i].id),
                shown[i + 1].name, (unsigned long long)reg(vcpu, shown[i + 1].id));
}

/* With its MMU off a guest's stack pointer is an address in memory. */
static void stack(struct avc_vcpu *vcpu)
{
    uint64_t sp = reg(vcpu, vcpu->pstate & 1 ? AVC_REG_SP_EL1 : AVC_REG_SP_EL0) & ~UINT64_C(7);
    uint64_t word[4];

    if (reg(vcpu, AVC_REG_SCTLR_EL1) & SCTLR_M)
        return;
    for (unsigned i = 0; i < 4; i++, sp += sizeof(word)) {
        if (!vmm_ram_read(&vmm_guest.ram, word, sp, sizeof(word)))
            return;
        vmm_log(VMM_ERROR, "  [%llx] %016llx %016llx %016llx %016llx", (unsigned long long)sp,
                (unsigned long long)word[0], (unsigned long long)word[1], (unsigned long long)word[2],
                (unsigned long long)word[3]);
    }
}

_Noreturn void vmm_guest_crash(struct vmm_vcpu *vv, const struct avc_exit *e, const char *why)
{
    struct avc_vcpu *vcpu = &vv->vcpu;

    vmm_log(VMM_ERROR, "guest: vCPU %u: %s", vcpu->index, why);
    vmm_log(VMM_ERROR, "  pc  %016llx  pstate %llx  esr_el2 %llx", (unsigned long long)e->pc,
            (unsigned long long)reg(vcpu, AVC_REG_PSTATE), (unsigned long long)e->esr);
    vmm_log(VMM_ERROR, "  address %016llx, guest physical %016llx", (unsigned long long)e->va,
            (unsigned long long)e->key);
    general(vcpu);
    system(vcpu);
    stack(vcpu);
    vmm_stat_print();
    vmm_exit(VMM_EXIT_CRASH, "vCPU %u: %s, pc 0x%llx", vcpu->index, why, (unsigned long long)e->pc);
}
