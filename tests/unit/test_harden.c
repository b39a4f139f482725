/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What silicon asks for by MIDR_EL1, ID registers and firmware: vectors against branch-history attacks, and errata. */
#include "world.h"

#include <cmocka.h>

#include <avc/psci.h>

#include "models.h"
#include "smc.h"
#include "arch/mmu.h"
#include "core/object/harden.h"
#include "core/policy/errata.h"
#include "core/policy/feature.h"

#define CALL1 ((uint32_t)AVC_WORKAROUND_CALL)
#define CALL3 ((uint32_t)AVC_WORKAROUND_CALL << 4)
#define NOT3  ((uint32_t)AVC_WORKAROUND_NOT_HERE << 4)

/* ---- which vectors ---- */

static void chosen(void **state)
{
    static const struct {
        uint64_t midr;
        unsigned csv2, ecbhb, clrbhb;
        uint32_t workarounds;
        unsigned how, arg;
    } rows[] = {
        { 0x410fd034, 0, 0, 0, 0, AVC_HARDEN_NONE, 0 },     /* Cortex-A53 */
        { 0x412fd050, 1, 0, 0, 0, AVC_HARDEN_NONE, 0 },     /* Cortex-A55 */
        { 0x411fd070, 0, 0, 0, 0, AVC_HARDEN_LOOP, 8 },     /* Cortex-A57, firmware that knows nothing */
        { 0x410fd083, 0, 0, 0, 0, AVC_HARDEN_LOOP, 8 },     /* Cortex-A72 */
        { 0x411fd080, 1, 0, 0, 0, AVC_HARDEN_LOOP, 8 },     /* Cortex-A72 r1p0 */
        { 0x411fd080, 1, 0, 0, CALL3, AVC_HARDEN_LOOP, 8 }, /* the loop does without a call */
        { 0x410fd083, 0, 0, 0, CALL1, AVC_HARDEN_FIRMWARE, 0x8000 },
        { 0x410fd083, 0, 0, 0, CALL1 | CALL3, AVC_HARDEN_FIRMWARE, 0x3fff },
        { 0x410fd083, 0, 0, 0, CALL1 | NOT3, AVC_HARDEN_FIRMWARE, 0x8000 },
        { 0x411fd0a0, 1, 0, 0, CALL3, AVC_HARDEN_FIRMWARE, 0x3fff }, /* Cortex-A75 */
        { 0x411fd0a0, 1, 0, 0, NOT3, AVC_HARDEN_NONE, 0 },
        { 0x414fd0b1, 1, 0, 0, 0, AVC_HARDEN_LOOP, 24 },             /* Cortex-A76 */
        { 0x411fd0e0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 24 },             /* Cortex-A76AE */
        { 0x411fd0d0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 24 },             /* Cortex-A77 */
        { 0x414fd0c1, 1, 0, 0, 0, AVC_HARDEN_LOOP, 24 },             /* Neoverse N1 */
        { 0x51df8041, 1, 0, 0, 0, AVC_HARDEN_LOOP, 24 },             /* Kryo 4xx Gold */
        { 0x411fd410, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-A78 */
        { 0x411fd420, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-A78AE */
        { 0x410fd4b0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-A78C */
        { 0x411fd440, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-X1 */
        { 0x410fd4c0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-X1C */
        { 0x412fd470, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-A710 */
        { 0x412fd480, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Cortex-X2 */
        { 0x411fd402, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Neoverse V1 */
        { 0x410fd490, 1, 0, 0, 0, AVC_HARDEN_LOOP, 32 },             /* Neoverse N2 */
        { 0x410fd490, 2, 1, 0, 0, AVC_HARDEN_NONE, 0 },              /* FEAT_ECBHB */
        { 0x410fd490, 3, 0, 0, CALL3, AVC_HARDEN_NONE, 0 },          /* FEAT_CSV2_3 */
        { 0x410fd490, 2, 0, 1, 0, AVC_HARDEN_CLRBHB, 0 },            /* FEAT_CLRBHB */
        { 0x410fd4d0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 38 },             /* Cortex-A715 */
        { 0x410fd810, 1, 0, 0, 0, AVC_HARDEN_LOOP, 38 },             /* Cortex-A720 */
        { 0x410fd4e0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 132 },            /* Cortex-X3 */
        { 0x410fd4f0, 1, 0, 0, 0, AVC_HARDEN_LOOP, 132 },            /* Neoverse V2 */
        { 0xc00fac30, 1, 0, 0, 0, AVC_HARDEN_LOOP, 11 },             /* Ampere1 */
        { 0x000f0510, 3, 1, 0, 0, AVC_HARDEN_NONE, 0 },              /* QEMU's max */
        { 0x000f0510, 0, 1, 1, CALL1, AVC_HARDEN_FIRMWARE, 0x8000 }, /* ECBHB is of no help against Spectre v2 */
        { 0x430f0510, 0, 0, 0, 0, AVC_HARDEN_NONE, 0 },              /* of another implementer */
    };

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        struct avc_features f = { .midr = rows[n].midr, .workarounds = rows[n].workarounds };
        struct avc_hardening h;

        f.id[ID_AA64PFR0] = (uint64_t)rows[n].csv2 << 56;
        f.id[ID_AA64MMFR1] = (uint64_t)rows[n].ecbhb << 60;
        f.id[ID_AA64ISAR2] = (uint64_t)rows[n].clrbhb << 28;
        h = avc_hardening_of(&f);
        if (h.how != rows[n].how || h.arg != rows[n].arg)
            print_error("row %zu, MIDR_EL1 %#llx: %u, %#x\n", n, (unsigned long long)f.midr, h.how, h.arg);
        assert_int_equal(h.how, rows[n].how);
        assert_int_equal(h.arg, rows[n].arg);
    }
}

/* From the CPU to VBAR_EL2 of a guest, and back to what it was. */
static void hardened(void **state)
{
    static const struct {
        const struct fake_model *model;
        const char *table;
        unsigned arg;
    } rows[] = {
        { &fake_a53, avc_vectors, 0 },      { &fake_a57, avc_vectors_loop, 8 }, { &fake_a72, avc_vectors_loop, 8 },
        { &fake_n1, avc_vectors_loop, 24 }, { &fake_max, avc_vectors, 0 },
    };

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        struct avc_vcpu *vcpu;

        world_model = rows[n].model;
        world_make();
        vcpu = world_load();
        assert_int_equal(vcpu->vbar, (uintptr_t)avc_vectors); /* nobody has asked for more */
        assert_int_equal(avc_pcpu_harden(&world.pcpu), AVC_EBUSY);
        must(avc_vcpu_put(vcpu));
        must(avc_pcpu_harden(&world.pcpu));
        must(avc_vcpu_load(vcpu, &world.pcpu));
        assert_int_equal(vcpu->vbar, (uintptr_t)rows[n].table);
        assert_int_equal(vcpu->harden, rows[n].arg);
        (void)take_sync(vcpu, UINT64_C(0x16) << 26 | 1 << 25, 5); /* HVC */
        assert_int_equal(fake_log_find(0, FAKE_WRITE, FAKE_VBAR_EL2) >= 0, true);
        must(avc_vcpu_put(vcpu));
        must(avc_pcpu_disable(&world.pcpu));
        assert_int_equal(avc_pcpu_harden(&world.pcpu), AVC_ESTATE);
        must(avc_pcpu_enable(&world.pcpu));
        must(avc_vcpu_load(vcpu, &world.pcpu));
        assert_int_equal(vcpu->vbar, (uintptr_t)avc_vectors);
        must(avc_vcpu_put(vcpu));
    }
    world_model = NULL;
    assert_int_equal(avc_pcpu_harden(NULL), AVC_EINVAL);
    assert_int_equal(avc_pcpu_harden(&(struct avc_pcpu){ 0 }), AVC_ENOENT);
    fake_use_cpu(1);
    assert_int_equal(avc_pcpu_harden(&world.pcpu), AVC_EBUSY);
    fake_use_cpu(0);
}

/* ---- what guests are told ---- */

static void told(void **state)
{
    static const struct {
        unsigned csv2, ecbhb;
        uint32_t firmware, told;
    } rows[] = {
        { 1, 0, 0, 0 },    { 2, 0, 0, 0 },         { 3, 0, 0, NOT3 },
        { 1, 1, 0, NOT3 }, { 3, 1, CALL3, CALL3 }, { 3, 1, CALL1, CALL1 | NOT3 },
    };

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        struct avc_features f = { .workarounds = rows[n].firmware };

        f.id[ID_AA64PFR0] = (uint64_t)rows[n].csv2 << 56;
        f.id[ID_AA64MMFR1] = (uint64_t)rows[n].ecbhb << 60;
        avc_feature_unaffected(&f);
        assert_int_equal(f.workarounds, rows[n].told);
    }
}

static void knows_nothing(uint64_t x[18])
{
    x[0] = 0xffffffff;
}

/* With CSV2 >= 2 a guest has context numbers, and they are its own: without EL3, or if the host says that EL3 lets
   EL2 have them. */
static void context_numbers(void **state)
{
    (void)state;
    for (unsigned csv2 = 0; csv2 <= 3; csv2++)
        for (int n = 0; n < 8; n++) {
            struct fake_model model = fake_max;
            int e2h = n & 1, el3 = n & 2, said = n & 4;
            bool there = csv2 >= 2 && (!el3 || said);
            struct avc_vcpu *vcpu;
            uint64_t value;

            model.id[ID_AA64PFR0] = (model.id[ID_AA64PFR0] & ~(UINT64_C(15) << 56)) | (uint64_t)csv2 << 56;
            model.id[ID_AA64PFR0] |= el3 ? 0x2000 : 0;
            world_smc = el3 ? knows_nothing : NULL;
            world_uses = said ? AVC_HOST_SCXTNUM : 0;
            world_model = &model;
            world_e2h = e2h;
            world_make();
            fake_cpu->ctx[AVC_CTX_SCXTNUM_EL1] = 0xbad1;
            fake_cpu->ctx[AVC_CTX_SCXTNUM_EL0] = 0xbad0;
            vcpu = world_load();
            assert_int_equal(world.vm.traps.hcr >> 53 & 1, there);
            assert_int_equal(world.vm.id_regs[ID_AA64PFR0] >> 56 & 15, there || !csv2 ? csv2 : 1);
            assert_int_equal(avc_vcpu_get(vcpu, AVC_REG_SCXTNUM_EL1, &value), there ? AVC_OK : AVC_ENOENT);
            if (there) {
                assert_int_equal(value, 0);
                must(avc_vcpu_set(vcpu, AVC_REG_SCXTNUM_EL0, 0x1234));
                assert_int_equal(fake_cpu->ctx[AVC_CTX_SCXTNUM_EL0], 0x1234);
            }
            must(avc_vcpu_put(vcpu));
            assert_int_equal(fake_cpu->ctx[AVC_CTX_SCXTNUM_EL1], 0xbad1);
            assert_int_equal(fake_cpu->ctx[AVC_CTX_SCXTNUM_EL0], 0xbad0);
        }
    world_model = NULL;
    world_e2h = false;
    world_smc = NULL;
    world_uses = 0;
}

/* ---- errata ---- */

static void by_midr(void **state)
{
    static const struct {
        uint64_t midr;
        uint32_t errata;
    } rows[] = {
        { 0x410fd034, 0 },
        { 0x410fd070, AVC_ERRATUM_AT | AVC_ERRATUM_STAGE1 },
        { 0x411fd072, AVC_ERRATUM_AT | AVC_ERRATUM_STAGE1 },
        { 0x411fd073, AVC_ERRATUM_AT },
        { 0x411fd083, AVC_ERRATUM_AT },
        { 0x410fd050, AVC_ERRATUM_AT | AVC_ERRATUM_TLBI },
        { 0x412fd050, AVC_ERRATUM_AT | AVC_ERRATUM_TLBI },
        { 0x412fd051, AVC_ERRATUM_TLBI },
        { 0x410fd0b0, AVC_ERRATUM_AT | AVC_ERRATUM_TLBI },
        { 0x412fd0b0, AVC_ERRATUM_AT | AVC_ERRATUM_TLBI },
        { 0x412fd0b1, AVC_ERRATUM_TLBI },
        { 0x413fd0b0, AVC_ERRATUM_TLBI },
        { 0x413fd0b1, AVC_ERRATUM_TLBI },
        { 0x414fd0b1, AVC_ERRATUM_TLBI },
        { 0x412fd0c0, AVC_ERRATUM_AT | AVC_ERRATUM_TLBI },
        { 0x413fd0c0, AVC_ERRATUM_TLBI },
        { 0x414fd0c1, AVC_ERRATUM_TLBI },
        { 0x410fd0d0, AVC_ERRATUM_PAR | AVC_ERRATUM_TLBI },
        { 0x411fd0d0, AVC_ERRATUM_PAR | AVC_ERRATUM_TLBI },
        { 0x411fd0d1, AVC_ERRATUM_TLBI },
        { 0x411fd402, AVC_ERRATUM_TLBI },
        { 0x410fd490, AVC_ERRATUM_TLBI },
        { 0x6d0fd490, AVC_ERRATUM_TLBI },
        { 0x4e0f0100, AVC_ERRATUM_TLBI },
        { 0x410fd851, AVC_ERRATUM_TLBI },
        { 0x410fd871, 0 },
        { 0x411fd461, AVC_ERRATUM_TLBI },
        { 0x411fd462, 0 },
        { 0x430fd050, 0 }, /* the same part number of another implementer */
    };

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        assert_int_equal(avc_errata_of(rows[n].midr), rows[n].errata);
}

/* One CPU with an erratum gives it to the machine. One that comes when VMs are sealed is refused. */
static void of_the_machine(void **state)
{
    struct avc_features good = { .midr = 0x410fd034 }, bad = { .midr = 0x413fd0b0 }, all;

    (void)state;
    avc_feature_decode(&good);
    avc_feature_decode(&bad);
    all = good;
    (void)avc_feature_common(&all, &bad, false);
    assert_int_equal(all.errata, AVC_ERRATUM_TLBI);
    assert_true(avc_feature_common(&all, &good, true));
    assert_false(avc_feature_common(&good, &bad, true));
    all = bad;
    (void)avc_feature_common(&all, &good, false);
    assert_int_equal(all.errata, AVC_ERRATUM_TLBI);
}

static unsigned count(enum fake_op op)
{
    unsigned n = 0;

    for (size_t i = 0; i < fake_log_len; i++)
        n += fake_log[i].what == FAKE_OP && fake_log[i].which == op;
    return n;
}

/* Each broadcast TLBI and its DSB twice, in the order of once. */
static void tlbi_twice(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct fake_model model = fake_n1;
        unsigned n = twice ? 2 : 1;
        long ipa, second;

        model.midr = twice ? 0x413fd0b0 : 0x410fd034;
        world_model = &model;
        world_make();
        (void)world_load();
        fake_log_clear();
        must(avc_stage2_unmap(&world.stage2, RAM, 0x1000)); /* a page: a block may have been split */
        assert_int_equal(count(FAKE_OP_tlbi_vmalle1is), n);
        ipa = fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_ipas2le1is);
        if (ipa < 0)
            ipa = fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_ipas2e1is);
        second = fake_log_find((size_t)fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_vmalle1is) + 1, FAKE_OP, FAKE_OP_dsb_ish);
        assert_true(ipa >= 0 && second > ipa);
        fake_log_clear();
        must(avc_stage2_flush(&world.stage2));
        assert_int_equal(count(FAKE_OP_tlbi_vmalls12e1is), n);
        assert_int_equal(count(FAKE_OP_dsb_ish), n);
    }
    world_model = NULL;
}

/* HCR_EL2.VM stays set from load to put on CPUs that walk for a speculated AT. */
static void vm_stays(void **state)
{
    static const struct {
        uint64_t midr;
        unsigned vm;
    } rows[] = { { 0x412fd050, 1 }, { 0x412fd051, 0 }, { 0x412fd0b0, 1 }, { 0x414fd0b1, 0 }, { 0x410fd083, 1 } };

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        struct fake_model model = fake_n1;
        struct avc_vcpu *vcpu;

        model.midr = rows[n].midr;
        world_model = &model;
        world_make();
        vcpu = world_load();
        assert_int_equal(fake_cpu->reg[FAKE_HCR_EL2] & 1, rows[n].vm);
        must(avc_vcpu_put(vcpu));
        assert_int_equal(fake_cpu->reg[FAKE_HCR_EL2] & 1, 0);
    }
    world_model = NULL;
}

/* No read of PAR_EL1 without a DMB SY on both sides. */
static void par_in_barriers(void **state)
{
    (void)state;
    for (int erratum = 0; erratum < 2; erratum++) {
        struct fake_model model = fake_n1;
        struct avc_vcpu *vcpu;
        unsigned reads = 0;

        model.midr = erratum ? 0x411fd0d0 : 0x411fd0d1;
        world_model = &model;
        world_make();
        fake_log_clear();
        vcpu = world_load();
        fake_cpu->reg[FAKE_HPFAR_EL2] = ROM >> 8;
        fake_cpu->reg[FAKE_FAR_EL2] = ROM;
        (void)take_sync(vcpu, UINT64_C(0x24) << 26 | 1 << 25 | 1 << 6 | 0xf, 5); /* a permission fault: AT */
        must(avc_vcpu_put(vcpu));
        for (size_t i = 1; i < fake_log_len; i++) {
            bool swap = fake_log[i].which == FAKE_NR_REGS + AVC_CTX_PAR_EL1;

            if (fake_log[i].what != FAKE_READ || !(swap || fake_log[i].which == FAKE_PAR_EL1))
                continue;
            reads++;
            if (erratum) {
                long next = fake_log_find(i, FAKE_OP, FAKE_OP_dmb_sy);
                size_t before = i;

                while (before && !(fake_log[before].what == FAKE_OP && fake_log[before].which == FAKE_OP_dmb_sy))
                    before--;
                assert_true(before && next > 0);
                assert_true(i - before <= 8 && (size_t)next - i <= 12); /* at once, or around the group at put */
            }
        }
        assert_true(reads >= 4);
        if (!erratum)
            assert_int_equal(count(FAKE_OP_dmb_sy), 0);
    }
    world_model = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen),   cmocka_unit_test(hardened),       cmocka_unit_test(told),
        cmocka_unit_test(by_midr),  cmocka_unit_test(of_the_machine), cmocka_unit_test(context_numbers),
        cmocka_unit_test(vm_stays), cmocka_unit_test(tlbi_twice),     cmocka_unit_test(par_in_barriers),
    };

    return cmocka_run_group_tests_name("harden", tests, NULL, NULL);
}
