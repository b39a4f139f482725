/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Exceptions that EL2 gives to the guest: PSTATE, vector and syndrome, for all combinations of what decides them. */
#include "world.h"

#include "core/exit/trap.h"

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/exit/inject.h"
#include "core/policy/sysreg.h"

/* The new PSTATE, line by line as in the pseudocode (J1.1.2, AArch64.TakeException). */
static uint64_t model(uint64_t old, uint64_t sctlr, uint64_t has)
{
    uint64_t p = old & (UINT64_C(0xf) << 28); /* NZCV stay */

    p |= old & AVC_BIT(24); /* DIT stays */
    if (has >> AVC_FEAT_PAN & 1 && !(sctlr >> 23 & 1))
        p |= AVC_BIT(22); /* PAN is set unless SPAN says otherwise */
    else
        p |= old & AVC_BIT(22);
    if (has >> AVC_FEAT_SSBS & 1 && sctlr >> 44 & 1)
        p |= AVC_BIT(12);
    if (has >> AVC_FEAT_MTE & 1)
        p |= AVC_BIT(25);
    p |= 0xf << 6; /* DAIF */
    return p | 5;  /* EL1h; IL, SS, UAO and BTYPE are 0 */
}

static void test_pstate(void **state)
{
    static const uint64_t modes[] = { 0x0, 0x4, 0x5, 0x10, 0x30 };
    static const unsigned vectors[] = { 0x400, 0, 0x200, 0x600, 0x600 };
    static const uint64_t olds[] = { 0,
                                     UINT64_C(0xf) << 28,
                                     AVC_BIT(20) | AVC_BIT(21) | 3 << 10, /* IL, SS, BTYPE */
                                     AVC_BIT(22),
                                     AVC_BIT(23) | AVC_BIT(12),
                                     AVC_BIT(24) | AVC_BIT(25),
                                     AVC_BIT(13) | AVC_BIT(27) | AVC_BIT(26),
                                     0xfff003c0 };
    static const unsigned features[] = { AVC_FEAT_PAN, AVC_FEAT_SSBS, AVC_FEAT_MTE };
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    for (unsigned n = 0; n < 5 * 8 * 8 * 4; n++) {
        unsigned mode = n % 5, f = n / 40 % 8, s = n / 320;
        uint64_t old = olds[n / 5 % 8] | modes[mode], has = 0;
        uint64_t sctlr = (s & 1 ? AVC_BIT(23) : 0) | (s & 2 ? AVC_BIT(44) : 0);
        struct avc_regs r = { START, old };

        for (unsigned i = 0; i < 3; i++)
            has |= (uint64_t)(f >> i & 1) << features[i];
        world.vm.features.has = has;
        avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, sctlr);
        avc_inject_undef(vcpu, &r, true);
        assert_int_equal(r.pstate, model(old, sctlr, has));
        assert_int_equal(r.pc, VBAR + vectors[mode]);
        assert_int_equal(ctx(AVC_CTX_SPSR_EL1), old);
        assert_int_equal(ctx(AVC_CTX_ELR_EL1), START);
        assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
    }
}

/* Only classes with a fault address write FAR_EL1. */
static void test_far(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    for (unsigned ec = 0; ec < 64; ec++) {
        bool far = ec == 0x20 || ec == 0x22 || ec == 0x24 || ec == 0x34;

        avc_ctx_set(vcpu, AVC_CTX_FAR_EL1, 1);
        fake_cpu->reg[FAKE_ELR_EL2] = START;
        fake_cpu->reg[FAKE_SPSR_EL2] = EL1H;
        fake_cpu->reg[FAKE_FAR_EL2] = 0x4321;
        avc_complete_own(vcpu, ESR_MAKE(ec, true, FSC_ALIGNMENT), avc_trap_rows[ec].about->own);
        assert_int_equal(ctx(AVC_CTX_FAR_EL1), far ? 0x4321 : 1);
    }
}

/* The PC of an SVC that FGT has trapped: an instruction of 4 bytes, or 2 in T32. */
static void test_svc(void **state)
{
    struct avc_regs a = { START, EL0T | SPSR_BTYPE }, b = { START, USR | SPSR_T32 };
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    avc_inject_svc(vcpu, &a, ESR_MAKE(0x15, true, 0x1234));
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), START + 4);
    assert_int_equal(ctx(AVC_CTX_SPSR_EL1), EL0T);
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_MAKE(0x15, true, 0x1234));
    avc_inject_svc(vcpu, &b, ESR_MAKE(0x11, false, 0xff));
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), START + 2);
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_MAKE(0x11, false, 0xff));
    assert_int_equal(b.pc, VBAR + 0x600);
}

/* A virtual SError is pending in HCR_EL2 until the guest takes it. With RAS it has a syndrome. */
static void test_serror(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world.machine.features.has |= AVC_BIT(AVC_FEAT_RAS);
    vcpu = world_load();
    avc_inject_serror(vcpu, 0x3ffffff);
    assert_int_equal(ctx(AVC_CTX_VSESR_EL2), 0x1ffffff);
    assert_true(vcpu->hcr & AVC_BIT(8));
    assert_false(fake_cpu->reg[FAKE_HCR_EL2] & AVC_BIT(8)); /* the host has its own value */
    fake_guest = NULL;
    (void)world_run(vcpu);
    assert_true(vcpu->vserror); /* it is still pending */
    fake_on_write = NULL;
    must(avc_vcpu_put(vcpu)); /* it moves with the vCPU */
    must(avc_vcpu_load(vcpu, &world.pcpu));
    assert_true(vcpu->hcr & AVC_BIT(8));
    assert_int_equal(ctx(AVC_CTX_VSESR_EL2), 0x1ffffff);
}

/* A claim injects one: it is the guest's before it goes on. */
static enum avc_answer injects(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)e, (void)context;
    avc_inject_serror(vcpu, 0x1234);
    assert_true(fake_cpu->reg[FAKE_HCR_EL2] & AVC_BIT(8));
    return AVC_DONE;
}

static void test_serror_in_a_claim(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, injects, NULL);
    vcpu = world_load();
    vcpu->x[0] = 0xc6000000;
    assert_int_equal(take_sync(vcpu, UINT64_C(0x5a000000), EL1H)->kind, AVC_KICKED);
    assert_true(vcpu->vserror);
    assert_false(fake_cpu->reg[FAKE_HCR_EL2] & AVC_BIT(8));
}

static bool takes_serror(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    (void)vcpu, (void)trap;
    fake_cpu->reg[FAKE_HCR_EL2] &= ~AVC_BIT(8); /* as the CPU does when the guest takes it */
    return false;
}

static void test_serror_taken(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    avc_inject_serror(vcpu, 0);
    fake_guest = takes_serror;
    (void)world_run(vcpu);
    assert_false(vcpu->vserror);
    assert_false(vcpu->hcr & AVC_BIT(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pstate), cmocka_unit_test(test_far),          cmocka_unit_test(test_svc),
        cmocka_unit_test(test_serror), cmocka_unit_test(test_serror_taken), cmocka_unit_test(test_serror_in_a_claim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
