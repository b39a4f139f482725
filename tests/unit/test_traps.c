/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The trap registers, which are a function of features, flags and claims alone. */
#include "world.h"

#include <cmocka.h>

#include "models.h"
#include "core/mem/vtcr.h"
#include "core/policy/traps.h"

#define K AVC_SYSREG_KEY

static const struct avc_traps *made(const struct fake_model *model, uint32_t flags)
{
    world_model = model;
    world_make_flags(flags);
    world.vm.features = world.machine.features;
    avc_traps_make(&world.vm);
    return &world.vm.traps;
}

static const struct avc_traps *claimed(const struct fake_model *model, enum avc_kind kind, uint64_t first,
                                       uint64_t last)
{
    made(model, 0);
    must(avc_vm_claim(&world.vm, &(struct avc_claim){ kind, first, last, avc_deny, NULL }));
    avc_traps_make(&world.vm);
    return &world.vm.traps;
}

static void by_model(void **state)
{
    for (unsigned n = 0; n < FAKE_NR_MODELS; n++) {
        const struct avc_traps *t = made(fake_models[n], 0);

        /* VM SWIO FMO IMO AMO FB BSU TWI TID1 TID3 TSC TIDCP TACR TSW RW TLOR TERR TID5 */
        assert_int_equal(t->hcr & ~(AVC_BIT(40) | AVC_BIT(41) | AVC_BIT(53)), UINT64_C(0x04000018807d263b));
        assert_int_equal(t->hcr >> 40 & 3, fake_models[n] == &fake_max ? 3 : 0);
        assert_int_equal(t->hcr & (AVC_BIT(27) | AVC_BIT(34) | AVC_BIT(12) | AVC_BIT(56)), 0); /* TGE E2H DC ATA */
        assert_int_equal(t->cptr, 0x401037ff);
        assert_int_equal(t->cptr_vhe, 0x50000000);
        assert_int_equal(t->mdcr, 0x8084e60);
        assert_int_equal(t->cnthctl, 3);
        assert_int_equal(t->cnthctl_vhe, 0xc00);
        assert_int_equal(t->hfgrtr | t->hfgwtr | t->hfgitr | t->hdfgrtr | t->hdfgwtr | t->hafgrtr, 0);
        assert_int_equal(t->vtcr, avc_stage2_vtcr(&world.stage2));
    }
}

static void by_flags(void **state)
{
    assert_int_equal(made(&fake_a72, AVC_VM_NO_WFI)->hcr & AVC_BIT(13), 0);
    assert_int_equal(made(&fake_a72, AVC_VM_TRAP_WFE)->hcr >> 13 & 3, 3);
    assert_int_equal(made(&fake_a72, 0)->hcr >> 13 & 3, 1);
}

static void by_claims(void **state)
{
    /* BRK: MDCR_EL2.TDE */
    assert_int_equal(claimed(&fake_a72, AVC_CLASS, 0x3c, 0x3c)->mdcr >> 8 & 1, 1);
    assert_int_equal(claimed(&fake_a72, AVC_CLASS, 0, 63)->mdcr >> 8 & 1, 1);
    assert_int_equal(claimed(&fake_a72, AVC_CLASS, 0x01, 0x01)->hcr >> 13 & 3, 3);
    /* PAuth is trapped where the bits are 0. */
    assert_int_equal(claimed(&fake_max, AVC_CLASS, 0x09, 0x09)->hcr >> 40 & 3, 0);
    /* SCTLR_EL1: by TVM and TRVM without FGT, by its own bit with FGT. */
    assert_int_equal(claimed(&fake_a72, AVC_SYSREG, K(3, 0, 1, 0, 0), K(3, 0, 1, 0, 0))->hcr & 0x44000000, 0x44000000);
    assert_int_equal(claimed(&fake_max, AVC_SYSREG, K(3, 0, 1, 0, 0), K(3, 0, 1, 0, 0))->hcr & 0x44000000, 0);
    assert_int_equal(world.vm.traps.hfgrtr, AVC_BIT(29));
    assert_int_equal(world.vm.traps.hfgwtr, AVC_BIT(29));
    /* The physical timer: its enable bits become 0. */
    assert_int_equal(claimed(&fake_n1, AVC_SYSREG, K(3, 3, 14, 2, 1), K(3, 3, 14, 2, 1))->cnthctl, 1);
    assert_int_equal(world.vm.traps.cnthctl_vhe, 0x400);
    assert_int_equal(claimed(&fake_max, AVC_SYSREG, K(3, 3, 14, 0, 2), K(3, 3, 14, 0, 2))->cnthctl, 3 | AVC_BIT(14));
    /* TLB maintenance */
    assert_int_equal(claimed(&fake_a72, AVC_SYSREG, K(1, 0, 8, 3, 0), K(1, 0, 8, 3, 0))->hcr >> 25 & 1, 1);
    /* SVC */
    assert_int_equal(claimed(&fake_max, AVC_SVC, 0, 10)->hfgitr, AVC_BIT(52));
    /* What traps anyway changes nothing. */
    assert_int_equal(claimed(&fake_a72, AVC_SYSREG, K(3, 0, 1, 0, 1), K(3, 0, 1, 0, 1))->hcr, made(&fake_a72, 0)->hcr);
}

static bool can(const struct fake_model *model, enum avc_kind kind, uint64_t first, uint64_t last)
{
    made(model, 0);
    return avc_traps_can(&world.machine.features, kind, first, last);
}

static void no_trap(void **state)
{
    assert_false(can(&fake_a72, AVC_SVC, 0, 10));
    assert_true(can(&fake_max, AVC_SVC, 0, 10));
    assert_false(can(&fake_a72, AVC_CLASS, 0x15, 0x15));
    assert_false(can(&fake_a72, AVC_CLASS, 0x1a, 0x1a));
    assert_true(can(&fake_max, AVC_CLASS, 0x1a, 0x1a));
    assert_false(can(&fake_max, AVC_CLASS, 0x0e, 0x0e)); /* an illegal execution state goes to EL1 */
    assert_false(can(&fake_a72, AVC_CLASS, 0x09, 0x09));
    assert_false(can(&fake_a72, AVC_SYSREG, AVC_REG_TPIDR_EL1, AVC_REG_TPIDR_EL1));
    assert_true(can(&fake_max, AVC_SYSREG, AVC_REG_TPIDR_EL1, AVC_REG_TPIDR_EL1));
    assert_false(can(&fake_max, AVC_SYSREG, AVC_REG_CNTKCTL_EL1, AVC_REG_CNTKCTL_EL1));
    assert_false(can(&fake_max, AVC_SYSREG, AVC_REG_ELR_EL1, AVC_REG_ELR_EL1));
    assert_false(can(&fake_n1, AVC_SYSREG, AVC_REG_CNTVCT_EL0, AVC_REG_CNTVCT_EL0));
    assert_true(can(&fake_a72, AVC_SYSREG, K(3, 1, 15, 2, 0), K(3, 1, 15, 2, 0)));
    assert_true(can(&fake_a72, AVC_SYSREG, K(3, 7, 11, 15, 7), K(3, 7, 11, 15, 7)));
    assert_true(can(&fake_a72, AVC_SYSREG, K(1, 0, 15, 0, 0), K(1, 0, 15, 0, 0)));
    assert_true(can(&fake_a72, AVC_SYSREG, 0, 0xffff));
    assert_true(can(&fake_a72, AVC_SYSREG, AVC_REG_DBGBVR3_EL1, AVC_REG_DBGBVR3_EL1));
    assert_true(can(&fake_a72, AVC_SYSREG, K(3, 0, 12, 11, 5), K(3, 0, 12, 11, 5))); /* ICC_SGI1R_EL1 */
    assert_true(can(&fake_a72, AVC_CALL, 0, 0xffffffff));
    assert_true(can(&fake_a72, AVC_MMIO, 0, 0xfff));
    assert_int_equal(avc_vm_claim(&world.vm, &(struct avc_claim){ AVC_SVC, 0, 0, avc_deny, NULL }), AVC_ENOTRAP);
}

static void nothing(struct avc_vcpu *vcpu)
{
}
static bool never(struct avc_vcpu *vcpu)
{
    return false;
}
static uint64_t no_deadline(struct avc_vcpu *vcpu)
{
    return ~UINT64_C(0);
}
static enum avc_status no_line(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    return AVC_ERANGE;
}

/* Does the GIC's CPU interface at EL1 trap all of its registers (IHI 0069, 12.4 and 12.5)? */
static const char *open_at_el1(void)
{
    static const struct {
        const char *names;
        enum fake_reg reg;
        unsigned bit;
        bool traps_at; /* the value with which it traps */
    } controls[] = {
        { "ICC_PMR, RPR, CTLR, DIR, SGI0R, SGI1R, ASGI1R", FAKE_ICH_HCR_EL2, 10, true },
        { "ICC_AP0R, BPR0, EOIR0, HPPIR0, IAR0, IGRPEN0", FAKE_ICH_HCR_EL2, 11, true },
        { "ICC_AP1R, BPR1, EOIR1, HPPIR1, IAR1, IGRPEN1", FAKE_ICH_HCR_EL2, 12, true },
        { "ICC_SRE_EL1", FAKE_ICC_SRE_EL2, 3, false },
    };

    for (unsigned n = 0; n < AVC_ARRAY_SIZE(controls); n++)
        if ((fake_cpu->reg[controls[n].reg] >> controls[n].bit & 1) != controls[n].traps_at)
            return controls[n].names;
    return NULL;
}

/* A VM without interrupt controller reaches none of the CPU interface, and the host gets its own controls back. */
static void no_controller_no_interface(void **state)
{
    static const struct avc_irqc_ops ops = { .load = nothing,
                                             .put = nothing,
                                             .enter = nothing,
                                             .reset = nothing,
                                             .pending = never,
                                             .deadline = no_deadline,
                                             .set_irq = no_line };

    for (unsigned n = 0; n < FAKE_NR_MODELS * 2; n++) {
        bool controller = n % 2;
        struct avc_vcpu *vcpu = &world.vcpu[0];

        made(fake_models[n / 2], 0);
        if (controller)
            must(avc_vm_set_irqc(&world.vm, &ops, NULL));
        must(avc_vcpu_init(vcpu, &world.vm, &(struct avc_vcpu_config){ .mpidr = 0 }));
        fake_cpu->reg[FAKE_ICC_SRE_EL2] = 0xf;
        fake_cpu->reg[FAKE_ICH_HCR_EL2] = 0;
        must(avc_vcpu_load(vcpu, &world.pcpu));
        if (!controller && open_at_el1())
            fail_msg("%s: open to EL1: %s", fake_models[n / 2]->name, open_at_el1());
        assert_int_equal(fake_cpu->reg[FAKE_ICC_SRE_EL2], controller ? 0xf : 7);
        must(avc_vcpu_put(vcpu));
        assert_int_equal(fake_cpu->reg[FAKE_ICC_SRE_EL2], 0xf);
        assert_int_equal(fake_cpu->reg[FAKE_ICH_HCR_EL2], 0);
    }
}

/*
 * Load writes the VM's traps. Of the host's values it keeps only the controls of the host's own counters and event
 * stream.
 */
static void host_leftovers(void **state)
{
    for (int vhe = 0; vhe < 2; vhe++) {
        const struct avc_traps *t = made(vhe ? &fake_max : &fake_a72, 0);
        struct avc_vcpu *vcpu = &world.vcpu[0];
        uint64_t hcr = vhe ? AVC_BIT(34) | AVC_BIT(27) : 0;

        must(avc_vcpu_init(vcpu, &world.vm, &(struct avc_vcpu_config){ .mpidr = 0 }));
        fake_cpu->reg[FAKE_HCR_EL2] = hcr | 0xff000000000;
        fake_cpu->reg[FAKE_MDCR_EL2] = ~UINT64_C(0);
        fake_cpu->reg[FAKE_CNTHCTL_EL2] = ~UINT64_C(0);
        fake_cpu->reg[FAKE_HSTR_EL2] = ~UINT64_C(0);
        fake_cpu->reg[FAKE_HCRX_EL2] = ~UINT64_C(0);
        fake_cpu->reg[FAKE_HFGITR_EL2] = ~UINT64_C(0);
        fake_cpu->reg[FAKE_CPTR_EL2] = 0x33ff;
        must(avc_vcpu_load(vcpu, &world.pcpu));
        assert_int_equal(vcpu->hcr, t->hcr | (hcr & AVC_BIT(34)));
        assert_int_equal(vcpu->cptr, vhe ? t->cptr_vhe : t->cptr);
        assert_int_equal(vcpu->host_cptr, 0x33ff);
        assert_int_equal(fake_cpu->reg[FAKE_MDCR_EL2], t->mdcr | 0x3482009f);
        assert_int_equal(fake_cpu->reg[FAKE_CNTHCTL_EL2], vhe ? t->cnthctl_vhe | 0x203ff : t->cnthctl | 0x200fc);
        assert_int_equal(fake_cpu->reg[FAKE_HSTR_EL2], t->hstr);
        if (vhe) {
            assert_int_equal(fake_cpu->reg[FAKE_HCRX_EL2], t->hcrx);
            assert_int_equal(fake_cpu->reg[FAKE_HFGITR_EL2], 0);
        }
        must(avc_vcpu_put(vcpu));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_model),
        cmocka_unit_test(by_flags),
        cmocka_unit_test(by_claims),
        cmocka_unit_test(no_trap),
        cmocka_unit_test(no_controller_no_interface),
        cmocka_unit_test(host_leftovers),
    };

    return cmocka_run_group_tests_name("traps", tests, NULL, NULL);
}
