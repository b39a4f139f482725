/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What traps. This computes the values of EL2's trap registers from what the CPUs have in common, the VM's flags and
 * its claims. The table has a row for each bit that is set, with the reason. Every register starts from zero (or its
 * RES1 bits). So do the fine-grained ones, whose fields named n... trap at 0. What this table does not name is either
 * harmless or UNDEFINED.
 *
 * Traps for what is hidden are set even if the common features do not have it. CPUs may differ, and where a feature
 * does not exist its bit is RES0 and has no effect.
 *
 * trapclaims.c has the traps of claims.
 */
#include <avc/stage2.h>

#include "arch/cptr.h"
#include "arch/debug.h"
#include "arch/timer.h"
#include "core/policy/traps.h"
#include "core/mem/vtcr.h"

/* When a row applies. */
enum { ALWAYS, HAS, FLAG, NO_FLAG };

static const struct base {
    uint8_t reg, when, what;
    uint64_t bits;
    const char *reason;
} bases[] = {
    { T_HCR, ALWAYS, 0, HCR_VM, "stage 2" },
    { T_HCR, ALWAYS, 0, HCR_SWIO, "invalidating by set and way cleans too: other guests' data" },
    { T_HCR, ALWAYS, 0, HCR_FMO, "FIQs to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, HCR_IMO, "IRQs to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, HCR_AMO, "SErrors to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, HCR_FB, "local TLB and I-cache maintenance reaches all CPUs: vCPUs move" },
    { T_HCR, ALWAYS, 0, HCR_BSU_IS, "barriers reach the inner shareable domain: vCPUs move" },
    { T_HCR, NO_FLAG, AVC_VM_NO_WFI, HCR_TWI, "an idle guest gives the CPU back" },
    { T_HCR, FLAG, AVC_VM_TRAP_WFE, HCR_TWE, "a spinning guest gives the CPU back" },
    { T_HCR, ALWAYS, 0, HCR_TID1, "REVIDR, AIDR, SMIDR" },
    { T_HCR, ALWAYS, 0, HCR_TID3, "ID registers say what the VM has" },
    { T_HCR, ALWAYS, 0, HCR_TSC, "an SMC never reaches firmware" },
    { T_HCR, ALWAYS, 0, HCR_TIDCP, "implementation defined registers" },
    { T_HCR, ALWAYS, 0, HCR_TACR, "ACTLR reaches beyond the guest" },
    { T_HCR, ALWAYS, 0, HCR_TSW, "set and way name no memory; see sysreg.c" },
    { T_HCR, ALWAYS, 0, HCR_RW, "EL1 is AArch64" },
    { T_HCR, ALWAYS, 0, HCR_TLOR, "LORegions are hidden" },
    { T_HCR, ALWAYS, 0, HCR_TERR, "error records are hidden" },
    { T_HCR, HAS, AVC_FEAT_PAUTH, HCR_APK, "pointer authentication: keys are the guest's" },
    { T_HCR, HAS, AVC_FEAT_PAUTH, HCR_API, "and its instructions work" },
    { T_HCR, HAS, AVC_FEAT_CSV2_2, HCR_ENSCXT, "software context numbers are the guest's" },
    { T_HCR, ALWAYS, 0, HCR_TID5, "GMID_EL1: MTE is hidden, and ATA=0 traps the rest of it" },

    /* TSM and TZ are RES1 if there is nothing to trap. */
    { T_CPTR, ALWAYS, 0, CPTR_RES1, "with E2H=0" },
    { T_CPTR, ALWAYS, 0, CPTR_TZ, "SVE is hidden" },
    { T_CPTR, ALWAYS, 0, CPTR_TFP, "FP registers are loaded on first use" },
    { T_CPTR, ALWAYS, 0, CPTR_TSM, "SME is hidden" },
    { T_CPTR, ALWAYS, 0, CPTR_TTA, "trace registers are hidden" },
    { T_CPTR, ALWAYS, 0, CPTR_TAM, "activity monitors are hidden" },
    /* E2H=1: ZEN, FPEN and SMEN trap at 0. */
    { T_CPTR_VHE, ALWAYS, 0, CPTR_VHE_TTA, "trace registers are hidden" },
    { T_CPTR_VHE, ALWAYS, 0, CPTR_VHE_TAM, "activity monitors are hidden" },

    /* E2PB and E2TB at 0 also take the controls of the profiling and trace buffers from EL1. load adds HPMN. */
    { T_MDCR, ALWAYS, 0, MDCR_TPMCR, "the PMU is hidden" },
    { T_MDCR, ALWAYS, 0, MDCR_TPM, "the PMU is hidden" },
    { T_MDCR, ALWAYS, 0, MDCR_TDA, "debug registers are the vCPU's, and no debugger's" },
    { T_MDCR, ALWAYS, 0, MDCR_TDOSA, "the OS lock is the vCPU's" },
    { T_MDCR, ALWAYS, 0, MDCR_TDRA, "the debug ROM's address is the host's" },
    { T_MDCR, ALWAYS, 0, MDCR_TPMS, "statistical profiling is hidden" },
    { T_MDCR, ALWAYS, 0, MDCR_TTRF, "trace filter control is hidden" },
    { T_MDCR, ALWAYS, 0, MDCR_TDCC, "the comms channel is the external debugger's" },

    { T_HSTR, HAS, AVC_FEAT_AA32EL0, HSTR_T15, "AArch32 EL0: implementation defined registers" },

    { T_CNTHCTL, ALWAYS, 0, CNTHCTL_EL1PCTEN, "the physical counter is read directly" },
    { T_CNTHCTL, ALWAYS, 0, CNTHCTL_EL1PCEN, "the physical timer is switched with the vCPU" },
    { T_CNTHCTL_VHE, ALWAYS, 0, CNTHCTL_VHE_EL1PCTEN, "the physical counter is read directly" },
    { T_CNTHCTL_VHE, ALWAYS, 0, CNTHCTL_VHE_EL1PTEN, "the physical timer is switched with the vCPU" },

    { T_HCRX, ALWAYS, 0, HCRX_TALLINT, "non-maskable interrupts are hidden" },
};

static uint64_t *trap_reg(struct avc_traps *t, unsigned reg)
{
    static const uint8_t at[T_COUNT] = {
#define AT(name, member) [name] = offsetof(struct avc_traps, member)
        AT(T_HCR, hcr),         AT(T_CPTR, cptr),       AT(T_CPTR_VHE, cptr_vhe),       AT(T_MDCR, mdcr),
        AT(T_HSTR, hstr),       AT(T_CNTHCTL, cnthctl), AT(T_CNTHCTL_VHE, cnthctl_vhe), AT(T_HCRX, hcrx),
        AT(T_HFGRTR, hfgrtr),   AT(T_HFGWTR, hfgwtr),   AT(T_HFGITR, hfgitr),           AT(T_HDFGRTR, hdfgrtr),
        AT(T_HDFGWTR, hdfgwtr), AT(T_HAFGRTR, hafgrtr),
#undef AT
    };

    return (uint64_t *)(void *)((char *)t + at[reg]);
}

static bool holds(const struct base *b, const struct avc_features *f, uint32_t flags)
{
    switch (b->when) {
    case HAS:
        return avc_has(f, (enum avc_feature_bit)b->what);
    case FLAG:
        return flags & b->what;
    case NO_FLAG:
        return !(flags & b->what);
    default:
        return true;
    }
}

void avc_traps_make(struct avc_vm *vm)
{
    struct avc_traps *t = &vm->traps;

    *t = (struct avc_traps){ .vtcr = avc_stage2_vtcr(vm->stage2) };
    for (size_t n = 0; n < AVC_ARRAY_SIZE(bases); n++)
        if (holds(&bases[n], &vm->features, vm->flags))
            *trap_reg(t, bases[n].reg) |= bases[n].bits;
    for (uint32_t n = 0; n < vm->nr_claims; n++) {
        const struct avc_claim *c = &vm->claims[n];
        const struct avc_trap_for *trap;

        for (unsigned i = 0; (trap = avc_trap_for(&vm->features, c->kind, c->first, c->last, &i));)
            if (trap->clear)
                *trap_reg(t, trap->reg) &= ~trap->bits;
            else
                *trap_reg(t, trap->reg) |= trap->bits;
    }
}

bool avc_traps_can(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last)
{
    unsigned i = 0;

    if (kind == AVC_CALL || kind == AVC_MMIO)
        return true; /* HVC is no trap, SMC always traps, and an access to what is not mapped faults */
    return avc_trap_always(f, kind, first, last) || avc_trap_for(f, kind, first, last, &i);
}
