/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What CPUs have, what they have in common, and what a guest sees of it: with the ID registers of five models. */
#include "world.h"

#include <cmocka.h>

#include "models.h"
#include "smc.h"
#include "core/policy/feature.h"

#define ID(crm, op2) (((crm)-1) * 8 + (op2))

static struct avc_features probe(const struct fake_model *model)
{
    struct avc_features f;

    fake_become(0, model);
    avc_hw_probe(&f);
    return f;
}

static void decoded(void **state)
{
    struct avc_features a72, n1, max;

    fake_reset();
    a72 = probe(&fake_a72);
    assert_false(avc_has(&a72, AVC_FEAT_VHE) || avc_has(&a72, AVC_FEAT_FGT) || avc_has(&a72, AVC_FEAT_PAUTH));
    assert_true(avc_has(&a72, AVC_FEAT_FP) && avc_has(&a72, AVC_FEAT_AA32EL0) && avc_has(&a72, AVC_FEAT_AA32EL1));
    assert_true(avc_has(&a72, AVC_FEAT_GICV3) && avc_has(&a72, AVC_FEAT_DOUBLELOCK));
    assert_int_equal(a72.pa_bits, 44);
    assert_int_equal(a72.breakpoints, 6);
    assert_int_equal(a72.watchpoints, 4);
    assert_int_equal(a72.list_regs, 4);
    assert_int_equal(a72.pri_bits, 5);
    n1 = probe(&fake_n1);
    assert_true(avc_has(&n1, AVC_FEAT_VHE) && avc_has(&n1, AVC_FEAT_VMID16) && avc_has(&n1, AVC_FEAT_RAS));
    assert_true(avc_has(&n1, AVC_FEAT_LSE) && avc_has(&n1, AVC_FEAT_LOR) && !avc_has(&n1, AVC_FEAT_FGT));
    max = probe(&fake_max);
    assert_true(avc_has(&max, AVC_FEAT_FGT) && avc_has(&max, AVC_FEAT_ECV) && avc_has(&max, AVC_FEAT_PAUTH));
    assert_true(avc_has(&max, AVC_FEAT_SVE) && avc_has(&max, AVC_FEAT_SME) && avc_has(&max, AVC_FEAT_RNDR));
    assert_true(avc_has(&max, AVC_FEAT_WFXT) && avc_has(&max, AVC_FEAT_EVT) && avc_has(&max, AVC_FEAT_HCX));
    assert_int_equal(max.pa_bits, 52);
}

/* The common features of two CPUs are those that both have. Each CPU covers itself. A union is covered by neither. */
static void common(void **state)
{
    fake_reset();
    for (unsigned a = 0; a < FAKE_NR_MODELS; a++)
        for (unsigned b = 0; b < FAKE_NR_MODELS; b++) {
            struct avc_features fa = probe(fake_models[a]), fb = probe(fake_models[b]), all = fa;

            assert_true(avc_feature_common(&fa, &fa, true));
            (void)avc_feature_common(&all, &fb, false);
            assert_true(avc_feature_common(&all, &fa, true));
            assert_true(avc_feature_common(&all, &fb, true));
            assert_int_equal(all.has & ~(fa.has & fb.has), 0);
            assert_true(all.pa_bits <= fa.pa_bits && all.pa_bits <= fb.pa_bits);
        }
    {
        struct avc_features a72 = probe(&fake_a72), max = probe(&fake_max);

        assert_false(avc_feature_common(&max, &a72, true));
    }
}

/* In the field of FP 0b1111 is less than 0. */
static void signed_fields(void **state)
{
    struct avc_features all, none;

    fake_reset();
    all = none = probe(&fake_a72);
    none.id[ID(4, 0)] |= 0xff0000;
    avc_feature_decode(&none);
    assert_false(avc_has(&none, AVC_FEAT_FP));
    assert_false(avc_feature_common(&all, &none, true));
    (void)avc_feature_common(&all, &none, false);
    assert_false(avc_has(&all, AVC_FEAT_FP));
    assert_int_equal(all.id[ID(4, 0)] >> 16 & 0xff, 0xff);
}

/* What no ID register says: list registers, bits of priority, and what a probe has added to `has`. */
static void not_in_ids(void **state)
{
    struct avc_features all, less;

    (void)state;
    fake_reset();
    all = less = probe(&fake_a72);
    less.list_regs--;
    assert_false(avc_feature_common(&all, &less, true));
    assert_true(avc_feature_common(&less, &all, true));
    less = all;
    less.pri_bits--;
    assert_false(avc_feature_common(&all, &less, true));
    less = all;
    less.has &= less.has - 1;
    assert_false(avc_feature_common(&all, &less, true));
    less = all;
    less.list_regs = 0; /* no GICv3 */
    less.has &= ~AVC_BIT(AVC_FEAT_GICV3);
    (void)avc_feature_common(&all, &less, false);
    assert_false(avc_has(&all, AVC_FEAT_GICV3));
}

static const uint64_t *guest_ids(const struct fake_model *model, bool gic)
{
    static const struct avc_irqc_ops ops = { 0 };

    world_model = model;
    world_make();
    if (gic)
        world.vm.irqc = &ops; /* only whether there is a controller matters */
    world.vm.features = world.machine.features;
    avc_feature_guest_ids(&world.vm);
    return world.vm.id_regs;
}

/* The value of fields that each model's guest reads. A change of any of them must be on purpose. */
static void pinned(void **state)
{
    static const struct {
        const struct fake_model *model;
        unsigned reg;
        uint64_t value;
    } rows[] = {
        { &fake_a53, ID(4, 0), 0x12 },
        { &fake_a72, ID(4, 0), 0x12 },
        { &fake_a72, ID(5, 0), 0xf010305006 },
        { &fake_a72, ID(6, 0), 0x11120 },
        { &fake_a72, ID(7, 0), 0x1121 }, /* 36 bits of IPA space */
        { &fake_a72, ID(1, 0), 0x131 },
        { &fake_a72, ID(1, 1), 0x10001 },
        { &fake_a72, ID(1, 2), 0x6 },
        { &fake_n1, ID(4, 0), 0x1100000010110012 },
        { &fake_n1, ID(4, 1), 0x20 },
        { &fake_n1, ID(5, 0), 0xf010305008 },
        { &fake_n1, ID(6, 0), 0x100010211120 },
        { &fake_n1, ID(6, 1), 0x100001 },
        { &fake_n1, ID(7, 0), 0x101121 },
        { &fake_n1, ID(7, 1), 0x202002 },
        { &fake_n1, ID(7, 2), 0x1011 },
        { &fake_max, ID(4, 0), 0x1301000010110012 },
        { &fake_max, ID(4, 1), 0x21 },
        { &fake_max, ID(5, 0), 0xf010305009 },
        { &fake_max, ID(6, 0), 0x1221111110212120 },
        { &fake_max, ID(7, 3), 0 },
    };

    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        uint64_t value = guest_ids(rows[n].model, false)[rows[n].reg];

        if (value != rows[n].value)
            print_error("%s, CRm %u, op2 %u: %#llx\n", rows[n].model->name, rows[n].reg / 8 + 1, rows[n].reg % 8,
                        (unsigned long long)value);
        assert_int_equal(value, rows[n].value);
    }
}

/* A CPU without FP, and one without AArch32: what the guest reads says so. */
static void without(void **state)
{
    struct fake_model model = fake_n1;
    const uint64_t *id;

    (void)state;
    model.id[ID(4, 0)] |= 0xff0000;
    assert_int_equal(guest_ids(&model, false)[ID(4, 0)] >> 16 & 0xff, 0xff);
    model = fake_n1;
    model.id[ID(4, 0)] = (model.id[ID(4, 0)] & ~UINT64_C(15)) | 1;
    id = guest_ids(&model, true);
    assert_int_equal(id[ID(4, 0)] & 15, 1);
    for (unsigned reg = 0; reg < ID(4, 0); reg++)
        assert_int_equal(id[reg], 0);
    world_model = &fake_max; /* as if GICv3 were not there: a controller of the embedder's own */
    world_make();
    world.vm.irqc = &(const struct avc_irqc_ops){ 0 };
    world.vm.features = world.machine.features;
    world.vm.features.has &= ~AVC_BIT(AVC_FEAT_GICV3);
    avc_feature_guest_ids(&world.vm);
    assert_int_equal(world.vm.id_regs[ID(4, 0)] >> 24 & 15, 0);
    world_model = NULL;
}

/* What must be hidden is hidden on every model. No field promises more than the CPU has. */
static void hidden(void **state)
{
    static const struct {
        unsigned reg, lo;
    } fields[] = {
        { ID(4, 0), 8 },  { ID(4, 0), 12 }, { ID(4, 0), 32 }, { ID(4, 0), 36 }, { ID(4, 0), 40 }, { ID(4, 0), 44 },
        { ID(4, 0), 52 }, { ID(4, 1), 8 },  { ID(4, 1), 16 }, { ID(4, 1), 24 }, { ID(4, 1), 32 }, { ID(4, 1), 36 },
        { ID(5, 0), 4 },  { ID(5, 0), 8 },  { ID(5, 0), 32 }, { ID(5, 0), 40 }, { ID(5, 0), 44 }, { ID(5, 0), 52 },
        { ID(6, 1), 60 }, { ID(6, 2), 16 }, { ID(7, 0), 56 }, { ID(7, 1), 4 },  { ID(7, 1), 8 },  { ID(7, 1), 16 },
        { ID(7, 1), 40 }, { ID(7, 2), 24 }, { ID(7, 2), 40 }, { ID(7, 2), 56 }, { ID(1, 2), 24 }, { ID(1, 1), 12 },
    };

    for (unsigned m = 0; m < FAKE_NR_MODELS; m++) {
        const uint64_t *id = guest_ids(fake_models[m], false);

        for (size_t n = 0; n < AVC_ARRAY_SIZE(fields); n++)
            assert_int_equal(id[fields[n].reg] >> fields[n].lo & 0xf, 0);
        for (unsigned reg = ID(4, 0); reg < AVC_NR_ID_REGS; reg++)
            for (unsigned lo = 0; lo < 64; lo += 4)
                if (!(reg == ID(5, 0) && lo == 36)) /* DoubleLock: 0b1111 means none */
                    assert_true((id[reg] >> lo & 0xf) <= (fake_models[m]->id[reg] >> lo & 0xf));
        assert_int_equal(id[ID(4, 0)] >> 24 & 0xf, 0);
        id = guest_ids(fake_models[m], true);
        assert_int_equal(id[ID(4, 0)] >> 24 & 0xf, 1);
    }
}

static void pa_range(void **state)
{
    static const struct {
        uint8_t ipa, range;
    } rows[] = { { 32, 0 }, { 33, 1 }, { 36, 1 }, { 39, 2 }, { 40, 2 }, { 42, 3 }, { 44, 4 }, { 48, 4 } };

    guest_ids(&fake_a72, false); /* 44 bits */
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        world.stage2.ipa_bits = rows[n].ipa;
        avc_feature_guest_ids(&world.vm);
        assert_int_equal(world.vm.id_regs[ID(7, 0)] & 0xf, rows[n].range);
    }
}

/* ---- this CPU ---- */

static void supported(void **state)
{
    struct fake_model odd = fake_a72;

    fake_reset();
    fake_become(0, &odd);
    assert_int_equal(avc_has_hardware_support(), AVC_OK);
    fake_cpu->reg[FAKE_CURRENTEL] = 1 << 2;
    assert_int_equal(avc_has_hardware_support(), AVC_ENOTSUP);
    fake_cpu->reg[FAKE_CURRENTEL] = 3 << 2;
    assert_int_equal(avc_has_hardware_support(), AVC_ENOTSUP);
    fake_cpu->reg[FAKE_CURRENTEL] = 2 << 2;
    odd.id[ID(4, 0)] &= ~UINT64_C(0xf0); /* no AArch64 EL1 */
    assert_int_equal(avc_has_hardware_support(), AVC_ENOTSUP);
    odd = fake_a72;
    odd.id[ID(7, 0)] |= UINT64_C(0xf) << 28; /* no 4 KiB pages */
    assert_int_equal(avc_has_hardware_support(), AVC_ENOTSUP);
    odd.id[ID(7, 0)] |= UINT64_C(2) << 40; /* but stage 2 has 4 KiB pages */
    assert_int_equal(avc_has_hardware_support(), AVC_OK);
    odd = fake_a72;
    odd.id[ID(7, 0)] |= UINT64_C(1) << 40; /* stage 2 has none, stage 1 has */
    assert_int_equal(avc_has_hardware_support(), AVC_ENOTSUP);
}

static uint64_t firmware_version;

static void firmware(uint64_t x[18])
{
    switch ((uint32_t)x[0]) {
    case 0x84000000: /* PSCI_VERSION */
        x[0] = 0x10001;
        break;
    case 0x8400000a: /* PSCI_FEATURES */
        x[0] = firmware_version ? 0 : 0xffffffff;
        break;
    case 0x80000000: /* SMCCC_VERSION */
        x[0] = firmware_version;
        break;
    case 0x80000001: /* ARCH_FEATURES: workaround 1 is needed, 2 is not required, 3 is not implemented */
        x[0] = x[1] == 0x80008000 ? 0 : x[1] == 0x80007fff ? (uint64_t)-2 : 1;
        break;
    default:
        fail();
    }
}

static void workarounds(void **state)
{
    struct fake_model with_el3 = fake_a72;

    fake_reset();
    fake_smc_reset();
    assert_int_equal(probe(&fake_a72).workarounds, 0); /* without EL3 an SMC would be UNDEFINED */
    assert_int_equal(fake_smc_calls, 0);
    with_el3.id[ID(4, 0)] |= 0x2000;
    fake_on_smc = firmware;
    firmware_version = 0;
    assert_int_equal(probe(&with_el3).workarounds, 0);
    firmware_version = 0x10001;
    assert_int_equal(probe(&with_el3).workarounds, 1 | 3 << 2 | 2 << 4);
    { /* of two CPUs: what both may be told, 0 being "ask the firmware of neither" */
        struct avc_features with = probe(&with_el3), without = probe(&fake_a72), all = with;

        assert_false(avc_feature_common(&with, &without, true));
        assert_true(avc_feature_common(&without, &with, true));
        all.workarounds = 0;
        assert_false(avc_feature_common(&with, &all, true)); /* the ID registers are the same */
        all = with;
        (void)avc_feature_common(&all, &without, false);
        assert_int_equal(all.workarounds, 0);
        all = without;
        (void)avc_feature_common(&all, &with, false);
        assert_int_equal(all.workarounds, 0);
    }
    fake_smc_reset();
    fake_become(0, NULL);
}

/* The emulator's trap of WFIT says that it was a WFI, so nobody knows when it is to end: a VM whose WFI traps does not
   see FEAT_WFxT there. The emulator's own CPU is known by its implementer, 0. */
static void wfit(void **state)
{
    struct fake_model real = fake_max;
    const struct {
        const struct fake_model *model;
        uint32_t flags;
        unsigned shown;
    } cases[] = {
        { &fake_max, 0, 0 }, { &fake_max, AVC_VM_TRAP_WFE, 0 }, { &fake_max, AVC_VM_NO_WFI, 2 },
        { &real, 0, 2 },     { &real, AVC_VM_NO_WFI, 2 },       { &fake_n1, AVC_VM_NO_WFI, 0 },
    };

    real.midr = 0x411fd801;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        world_model = cases[n].model;
        world_make_flags(cases[n].flags);
        world.vm.features = world.machine.features;
        avc_feature_guest_ids(&world.vm);
        if ((world.vm.id_regs[ID(6, 2)] & 15) != cases[n].shown)
            fail_msg("case %u: ID_AA64ISAR2_EL1.WFxT is %u", n, (unsigned)(world.vm.id_regs[ID(6, 2)] & 15));
    }
    world_model = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded),   cmocka_unit_test(common),      cmocka_unit_test(signed_fields),
        cmocka_unit_test(pinned),    cmocka_unit_test(hidden),      cmocka_unit_test(pa_range),
        cmocka_unit_test(supported), cmocka_unit_test(workarounds), cmocka_unit_test(not_in_ids),
        cmocka_unit_test(without),   cmocka_unit_test(wfit),
    };

    return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
