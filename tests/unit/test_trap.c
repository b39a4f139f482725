/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The table of the 64 exception classes, row by row, from each mode that a guest can be in; claims on CLASS and SVC;
 * conditions.
 */
#include "world.h"

#include "core/exit/trap.h"

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/policy/sysreg.h"

/*
 * What each class must lead to. The list is independent of the library's table:
 *   U UNDEFINED   R the guest's own exception   V as R, with the PC behind the instruction
 *   W waits       F FP is loaded, and the instruction executed again
 *   H call, PC stays    S call, PC moves    E ERET, UNDEFINED at EL0
 *   A abort, in this test one that goes to the VMM
 */
static const char expected[] = "UWUUUUUFUUUUURRU"  /* 0x00 */
                               "UVUUUVHSUUEURUUU"  /* 0x10 */
                               "AURUAURRRUUURUUU"  /* 0x20 */
                               "RURURUUURURURUUU"; /* 0x30 */

struct place {
    uint64_t pstate;
    unsigned vector;
};

static const struct place places[] = {
    { EL1H, 0x200 }, { 0x3c4, 0 }, { EL0T, 0x400 }, { USR, 0x600 }, { USR | SPSR_T32, 0x600 },
};

static unsigned own_class(unsigned ec, uint64_t pstate)
{
    bool pair = ec == 0x20 || ec == 0x24 || ec == 0x30 || ec == 0x32 || ec == 0x34;

    return pair && !avc_at_el0(pstate) ? ec + 1 : ec;
}

static void check_exception(const struct place *p, uint64_t esr, uint64_t elr)
{
    assert_int_equal(world.trap.elr, VBAR + p->vector);
    assert_int_equal(world.trap.spsr & 0x3df, EL1H);
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), esr);
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), elr);
    assert_int_equal(ctx(AVC_CTX_SPSR_EL1), p->pstate);
}

static void check_row(struct avc_vcpu *vcpu, unsigned ec, const struct place *p)
{
    uint64_t esr = ESR_MAKE(ec, true, 0), behind = START + 4, faults = vcpu->nr_faults, before = vcpu->nr_traps[ec];
    struct avc_exit *e;

    vcpu->x[0] = 0x12345678; /* nobody handles this function id */
    e = take_sync(vcpu, esr, p->pstate);
    assert_int_equal(vcpu->nr_traps[ec], before + 1);
    switch (expected[ec]) {
    case 'E':
        if (!avc_at_el0(p->pstate)) {
            assert_int_equal(world.trap.elr, 0); /* ELR_EL1 */
            break;
        }
        /* falls through */
    case 'U':
        assert_int_equal(e->kind, AVC_KICKED);
        check_exception(p, ESR_IL, START);
        break;
    case 'R':
        assert_int_equal(e->kind, AVC_KICKED);
        check_exception(p, ESR_MAKE(own_class(ec, p->pstate), true, 0), START);
        break;
    case 'V':
        assert_int_equal(e->kind, AVC_KICKED);
        check_exception(p, esr, behind);
        break;
    case 'W':
        assert_int_equal(e->kind, AVC_WFI);
        go_on(vcpu);
        assert_int_equal(world.trap.elr, behind);
        break;
    case 'F':
        assert_int_equal(e->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, START);
        assert_false(vcpu->fp_live); /* saved again when run returned */
        break;
    case 'H':
    case 'S':
        assert_int_equal(e->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, expected[ec] == 'H' ? START : behind);
        assert_int_equal(vcpu->x[0], ~UINT64_C(0));
        break;
    case 'A':
        assert_int_equal(e->kind, AVC_STAGE2);
        assert_int_equal(e->answer, AVC_FAULT);
        go_on(vcpu);
        check_exception(p, ESR_MAKE(own_class(ec, p->pstate), true, FSC_EXTERNAL), START);
        break;
    }
    assert_int_equal(vcpu->nr_faults - faults, world.trap.elr >= VBAR ? 1 : 0);
    assert_int_equal(e == &vcpu->exit, true);
}

static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(sizeof expected - 1, 64);
    for (unsigned ec = 0; ec < 64; ec++) {
        const struct avc_trap_row *row = &avc_trap_rows[ec];

        assert_non_null(row->fn);
        assert_non_null(row->slow);
        assert_true(row->about->name && *row->about->name);
        assert_true(row->about->reason && *row->about->reason);
        for (unsigned p = 0; p < AVC_ARRAY_SIZE(places); p++) {
            struct avc_vcpu *vcpu;

            world_make();
            vcpu = world_load();
            check_row(vcpu, ec, &places[p]);
        }
    }
}

/* ---- CLASS claims ---- */

static enum avc_answer class_answer;
static struct avc_exit class_seen;

static enum avc_answer class_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)context;
    class_seen = *e;
    avc_vcpu_set_gpr(vcpu, 25, 0x2525);
    e->answer = AVC_RETRY; /* only the function's result counts */
    return class_answer;
}

/*
 * Claims that answer PASS get the table's result. DONE moves the PC if an instruction was trapped. RETRY and FAULT are
 * checked, too.
 */
static void test_class_claims(void **state)
{
    static const enum avc_answer answers[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_EXIT, AVC_PASS };

    (void)state;
    for (unsigned ec = 0; ec < 64; ec++)
        for (unsigned a = 0; a < AVC_ARRAY_SIZE(answers); a++) {
            struct avc_vcpu *vcpu;
            struct avc_exit *e;
            bool hvc = ec == 0x16;

            world_make();
            /*
             * A CPU without the trap refuses the claim. So let it have all features: the path is tested all the same.
             */
            world.machine.features.has = ~UINT64_C(0);
            if (avc_vm_claim(&world.vm, &(struct avc_claim){ AVC_CLASS, ec, ec, class_claim, NULL }))
                continue;
            vcpu = world_load();
            class_answer = answers[a];
            if (answers[a] == AVC_PASS) {
                if (ec == 0x09) /* PASS removes the trap, see test_pauth */
                    continue;
                check_row(vcpu, ec, &places[0]);
                assert_int_equal(class_seen.key, ec);
                continue;
            }
            e = take_sync(vcpu, ESR_MAKE(ec, true, 0x42), EL1H);
            assert_int_equal(class_seen.kind, AVC_CLASS);
            assert_int_equal(class_seen.key, ec);
            assert_int_equal(class_seen.pc, START);
            assert_int_equal(class_seen.esr, ESR_MAKE(ec, true, 0x42));
            assert_int_equal(vcpu->x[25], 0x2525);
            if (answers[a] == AVC_EXIT) {
                assert_int_equal(e->kind, AVC_CLASS);
                assert_int_equal(e->answer, AVC_PASS);
                if (hvc || ec == 0x17) { /* without an answer it is UNDEFINED, with the PC at the instruction */
                    go_on(vcpu);
                    check_exception(&places[0], ESR_IL, START - (hvc ? 4 : 0));
                    continue;
                }
                e->answer = AVC_DONE;
                go_on(vcpu);
            } else {
                assert_int_equal(e->kind, AVC_KICKED);
            }
            if (answers[a] == AVC_FAULT)
                check_exception(&places[0], ESR_IL, START - (hvc ? 4 : 0));
            else if (answers[a] == AVC_RETRY)
                assert_int_equal(world.trap.elr, START - (hvc ? 4 : 0));
            else
                assert_int_equal(world.trap.elr, START + (avc_trap_rows[ec].about->step ? 4 : 0));
        }
}

/* After PASS the library makes the ERET itself, legal or illegal. */
static void test_eret(void **state)
{
    static const struct {
        uint64_t spsr, pc, want, want_pc;
    } rows[] = {
        { EL0T | SPSR_NZCV, 0x1234, EL0T | SPSR_NZCV, 0x1234 },
        { EL1H, 0x1000, EL1H, 0x1000 },
        { 0x3c4, 0x1000, 0x3c4, 0x1000 },
        { USR | SPSR_T32, 0x1003, USR | SPSR_T32, 0x1002 },
        { USR, UINT64_C(0x100001003), USR, 0x1000 },
        { 0x3c9, 0x1003, EL1H | SPSR_IL, 0x1000 },                         /* EL2h */
        { 0x001, 0x1000, 0x5 | SPSR_IL, 0x1000 },                          /* EL0h */
        { 0x3d3 | SPSR_NZCV, 0x1002, EL1H | SPSR_IL | SPSR_NZCV, 0x1000 }, /* AArch32 svc */
        { 0x3c7 | SPSR_SS | SPSR_BTYPE, 0x1000, EL1H | SPSR_IL, 0x1000 },  /* reserved */
    };

    (void)state;
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(rows); i++) {
        struct avc_vcpu *vcpu;

        world_make();
        world.machine.features.has |= AVC_BIT(AVC_FEAT_FGT) | AVC_BIT(AVC_FEAT_AA32EL0);
        world_claim(AVC_CLASS, 0x1a, 0x1a, class_claim, NULL);
        class_answer = AVC_PASS;
        vcpu = world_load();
        avc_ctx_set(vcpu, AVC_CTX_ELR_EL1, rows[i].pc);
        avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, rows[i].spsr);
        assert_int_equal(take_sync(vcpu, ESR_MAKE(0x1a, true, 0), EL1H)->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, rows[i].want_pc);
        assert_int_equal(world.trap.spsr, rows[i].want);
        class_answer = AVC_EXIT; /* the VMM does not answer */
        assert_int_equal(take_sync(vcpu, ESR_MAKE(0x1a, true, 0), EL1H)->kind, AVC_CLASS);
        go_on(vcpu);
        assert_int_equal(world.trap.elr, rows[i].want_pc);
        assert_int_equal(world.trap.spsr, rows[i].want);
        class_answer = AVC_PASS;
        take_sync(vcpu, ESR_MAKE(0x1a, true, 2), EL1H);
        assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
    }
}

/* After PASS the guest may use pointer authentication. If it trapped all the same, that must not loop. */
static void test_pauth(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world.machine.features.has |= AVC_BIT(AVC_FEAT_PAUTH);
    world_claim(AVC_CLASS, 0x09, 0x09, class_claim, NULL);
    class_answer = AVC_PASS;
    vcpu = world_load();
    assert_int_equal(vcpu->hcr >> 40 & 3, 0);
    assert_int_equal(take_sync(vcpu, ESR_MAKE(0x09, true, 0), EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->hcr >> 40 & 3, 3);
    take_sync(vcpu, ESR_MAKE(0x09, true, 0), EL1H);
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
}

/* Claims on SVC see the call's number, and only calls from EL0. */
static struct avc_exit svc_seen;
static enum avc_answer svc_answer;

static enum avc_answer svc_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)context;
    svc_seen = *e;
    avc_vcpu_set_gpr(vcpu, 0, 4711);
    return svc_answer;
}

static void test_svc_claims(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world.machine.features.has |= AVC_BIT(AVC_FEAT_FGT);
    world_claim(AVC_SVC, 100, 200, svc_claim, NULL);
    vcpu = world_load();
    svc_answer = AVC_DONE;
    vcpu->x[8] = 172;
    take_sync(vcpu, ESR_MAKE(0x15, true, 0x11), EL0T);
    assert_int_equal(svc_seen.key, 172);
    assert_int_equal(svc_seen.imm, 0x11);
    assert_int_equal(vcpu->x[0], 4711);
    assert_int_equal(world.trap.elr, START + 4);
    vcpu->x[7] = UINT64_C(0xffffffff00000065);
    take_sync(vcpu, ESR_MAKE(0x11, false, 0), USR | SPSR_T32);
    assert_int_equal(svc_seen.key, 101);
    assert_int_equal(world.trap.elr, START + 2);
    svc_answer = AVC_PASS;
    take_sync(vcpu, ESR_MAKE(0x15, true, 0x11), EL0T);
    check_exception(&places[2], ESR_MAKE(0x15, true, 0x11), START + 4);
    svc_answer = AVC_EXIT;
    e = take_sync(vcpu, ESR_MAKE(0x15, true, 0x11), EL0T);
    assert_int_equal(e->kind, AVC_SVC);
    go_on(vcpu); /* the VMM does not answer */
    check_exception(&places[2], ESR_MAKE(0x15, true, 0x11), START + 4);
    svc_answer = AVC_FAULT;
    vcpu->x[8] = 99; /* nobody has claimed this number */
    take_sync(vcpu, ESR_MAKE(0x15, true, 0x11), EL0T);
    check_exception(&places[2], ESR_MAKE(0x15, true, 0x11), START + 4);
    vcpu->x[8] = 100;
    take_sync(vcpu, ESR_MAKE(0x15, true, 0x11), EL1H); /* an SVC of the kernel itself is not offered */
    check_exception(&places[0], ESR_MAKE(0x15, true, 0x11), START + 4);
}

/* An instruction whose condition fails is skipped, 2 or 4 bytes. The IT block advances. */
static void test_condition_steps(void **state)
{
    static const unsigned classes[] = { 0x01, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0c };

    (void)state;
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(classes); i++)
        for (unsigned il = 0; il < 2; il++) {
            /* An IT block: EQ, EQ. 0b0000_0100 means that one instruction follows. Z is clear. */
            uint64_t it = 0x04, pstate = USR | SPSR_T32 | (it >> 2) << 10 | (it & 3) << 25 | SPSR_SS;
            struct avc_vcpu *vcpu;

            world_make();
            vcpu = world_load();
            assert_int_equal(take_sync(vcpu, ESR_MAKE(classes[i], il, 0), pstate)->kind, AVC_KICKED);
            assert_int_equal(world.trap.elr, START + (il ? 4 : 2));
            assert_int_equal(avc_it_state(world.trap.spsr), 0x08);
            assert_int_equal(world.trap.spsr & SPSR_SS, 0);
            assert_int_equal(vcpu->nr_faults, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),  cmocka_unit_test(test_class_claims), cmocka_unit_test(test_eret),
        cmocka_unit_test(test_pauth), cmocka_unit_test(test_svc_claims),   cmocka_unit_test(test_condition_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
