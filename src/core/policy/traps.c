/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What traps: the values of EL2's trap registers, as a pure function of what the CPUs have in common, the VM's flags and
 * its claims. One row per bit that is set, with the reason. Every register starts from zero (or its RES1 bits), and so do the
 * fine-grained ones, whose fields named n... trap at 0: what this table does not name is either harmless or UNDEFINED.
 *
 * Traps for what is hidden are set whether or not the common features have it: CPUs may differ, and where a
 * feature does not exist its bit is RES0 and has no effect.
 *
 * Field names: Arm ARM DDI 0487, D24.2. Claims' traps: trapclaims.c.
 */
#include <avc/stage2.h>

#include "core/policy/traps.h"
#include "core/mem/vtcr.h"

/* When a row holds. */
enum { ALWAYS, HAS, FLAG, NO_FLAG };

static const struct base {
    uint8_t reg, when, what;
    uint64_t bits;
    const char *name, *reason;
} bases[] = {
    { T_HCR, ALWAYS, 0, AVC_BIT(0), "VM", "stage 2" },
    { T_HCR, ALWAYS, 0, AVC_BIT(1), "SWIO", "invalidating by set and way cleans too: other guests' data" },
    { T_HCR, ALWAYS, 0, AVC_BIT(3), "FMO", "FIQs to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, AVC_BIT(4), "IMO", "IRQs to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, AVC_BIT(5), "AMO", "SErrors to EL2; the guest's are virtual" },
    { T_HCR, ALWAYS, 0, AVC_BIT(9), "FB", "local TLB and I-cache maintenance reaches all CPUs: vCPUs move" },
    { T_HCR, ALWAYS, 0, AVC_BIT(10), "BSU=IS", "barriers reach the inner shareable domain: vCPUs move" },
    { T_HCR, NO_FLAG, AVC_VM_NO_WFI, AVC_BIT(13), "TWI", "an idle guest gives the CPU back" },
    { T_HCR, FLAG, AVC_VM_TRAP_WFE, AVC_BIT(14), "TWE", "a spinning guest gives the CPU back" },
    { T_HCR, ALWAYS, 0, AVC_BIT(16), "TID1", "REVIDR, AIDR, SMIDR" },
    { T_HCR, ALWAYS, 0, AVC_BIT(18), "TID3", "ID registers say what the VM has" },
    { T_HCR, ALWAYS, 0, AVC_BIT(19), "TSC", "an SMC never reaches firmware" },
    { T_HCR, ALWAYS, 0, AVC_BIT(20), "TIDCP", "implementation defined registers" },
    { T_HCR, ALWAYS, 0, AVC_BIT(21), "TACR", "ACTLR reaches beyond the guest" },
    { T_HCR, ALWAYS, 0, AVC_BIT(22), "TSW", "set and way name no memory; see sysreg.c" },
    { T_HCR, ALWAYS, 0, AVC_BIT(31), "RW", "EL1 is AArch64" },
    { T_HCR, ALWAYS, 0, AVC_BIT(35), "TLOR", "LORegions are hidden" },
    { T_HCR, ALWAYS, 0, AVC_BIT(36), "TERR", "error records are hidden" },
    { T_HCR, HAS, AVC_FEAT_PAUTH, AVC_BIT(40), "APK", "pointer authentication: keys are the guest's" },
    { T_HCR, HAS, AVC_FEAT_PAUTH, AVC_BIT(41), "API", "and its instructions work" },
    { T_HCR, ALWAYS, 0, AVC_BIT(58), "TID5", "GMID_EL1: MTE is hidden, and ATA=0 traps the rest of it" },

    /* E2H=0: bits 13, 9, 7..0 are RES1; so are TSM (12) and TZ (8) where there is nothing to trap */
    { T_CPTR, ALWAYS, 0, 0x22ff, "RES1", "" },
    { T_CPTR, ALWAYS, 0, AVC_BIT(8), "TZ", "SVE is hidden" },
    { T_CPTR, ALWAYS, 0, AVC_BIT(10), "TFP", "FP registers are loaded on first use" },
    { T_CPTR, ALWAYS, 0, AVC_BIT(12), "TSM", "SME is hidden" },
    { T_CPTR, ALWAYS, 0, AVC_BIT(20), "TTA", "trace registers are hidden" },
    { T_CPTR, ALWAYS, 0, AVC_BIT(30), "TAM", "activity monitors are hidden" },
    /* E2H=1: ZEN, FPEN and SMEN trap at 0 */
    { T_CPTR_VHE, ALWAYS, 0, AVC_BIT(28), "TTA", "trace registers are hidden" },
    { T_CPTR_VHE, ALWAYS, 0, AVC_BIT(30), "TAM", "activity monitors are hidden" },

    /* E2PB and E2TB at 0 also take the profiling and trace buffers' controls from EL1; load adds HPMN */
    { T_MDCR, ALWAYS, 0, AVC_BIT(5), "TPMCR", "the PMU is hidden" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(6), "TPM", "the PMU is hidden" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(9), "TDA", "debug registers are the vCPU's, and no debugger's" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(10), "TDOSA", "the OS lock is the vCPU's" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(11), "TDRA", "the debug ROM's address is the host's" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(14), "TPMS", "statistical profiling is hidden" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(19), "TTRF", "trace filter control is hidden" },
    { T_MDCR, ALWAYS, 0, AVC_BIT(27), "TDCC", "the comms channel is the external debugger's" },

    { T_HSTR, HAS, AVC_FEAT_AA32EL0, AVC_BIT(15), "T15", "AArch32 EL0: implementation defined registers" },

    { T_CNTHCTL, ALWAYS, 0, AVC_BIT(0), "EL1PCTEN", "the physical counter is read directly" },
    { T_CNTHCTL, ALWAYS, 0, AVC_BIT(1), "EL1PCEN", "the physical timer is switched with the vCPU" },
    { T_CNTHCTL_VHE, ALWAYS, 0, AVC_BIT(10), "EL1PCTEN", "the physical counter is read directly" },
    { T_CNTHCTL_VHE, ALWAYS, 0, AVC_BIT(11), "EL1PTEN", "the physical timer is switched with the vCPU" },

    { T_HCRX, ALWAYS, 0, AVC_BIT(6), "TALLINT", "non-maskable interrupts are hidden" },
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
        return true; /* HVC is no trap, SMC always is one; what is not mapped faults */
    return avc_trap_always(f, kind, first, last) || avc_trap_for(f, kind, first, last, &i);
}
