/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Every answer, also invalid ones, to the exits that the emulator does not have: WFE, SError, and an interrupt that is
 * still pending. tests/guest/vmmloop does the same with all other exits.
 */
#include "world.h"

#include <cmocka.h>

#include "arch/esr.h"

enum outcome { STEPPED, STAYED, UNDEFINED, SERROR };

#define KEEP ((enum avc_answer)99) /* the test leaves the preset answer */

static const enum avc_answer answers[] = {
    AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_EXIT, AVC_PASS, (enum avc_answer)77, KEEP
};

/* Checks that the guest goes on as `want` says, with all general registers unchanged. */
static void check(struct avc_vcpu *vcpu, const struct avc_exit *e, enum avc_kind kind, enum avc_answer answer,
                  enum outcome want)
{
    uint64_t x[31];

    assert_int_equal(e->kind, kind);
    if (answer != KEEP)
        vcpu->exit.answer = answer;
    memcpy(x, vcpu->x, sizeof x);
    go_on(vcpu);
    assert_memory_equal(vcpu->x, x, sizeof x);
    assert_int_equal(world.trap.elr, want == STEPPED ? START + 4 : want == UNDEFINED ? VBAR + 0x200 : START);
    assert_int_equal(world.trap.spsr, EL1H);
    assert_int_equal(vcpu->vserror, want == SERROR);
    if (want == UNDEFINED)
        assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
    must(avc_vcpu_put(vcpu));
}

static void test_wfe(void **state)
{
    static const enum outcome want[] = { STEPPED, STAYED, UNDEFINED, STAYED, STAYED, STAYED, STEPPED };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(answers); n++) {
        struct avc_vcpu *vcpu;

        world_make_flags(AVC_VM_TRAP_WFE);
        vcpu = world_load();
        check(vcpu, take_sync(vcpu, ESR_MAKE(0x01, true, 1), EL1H), AVC_WFE, answers[n], want[n]);
    }
}

static void test_serror(void **state)
{
    static const enum outcome want[] = { STAYED, STAYED, SERROR, STAYED, STAYED, STAYED, SERROR };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(answers); n++) {
        struct fake_trap trap = { .kind = FAKE_SERROR, .esr = ESR_MAKE(0x2f, true, 5), .elr = START, .spsr = EL1H };
        struct avc_vcpu *vcpu;

        world_make();
        vcpu = world_load();
        check(vcpu, take(vcpu, trap), AVC_SERROR, answers[n], want[n]);
    }
}

/* Without irq_fetch the interrupt is for the host's own vector. When the vCPU runs again, it may still be pending. */
static void test_pending_irq(void **state)
{
    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(answers); n++)
        for (unsigned kind = FAKE_IRQ; kind <= FAKE_FIQ; kind++) {
            struct fake_trap trap = { .kind = kind, .elr = START, .spsr = EL1H };
            struct avc_vcpu *vcpu;

            world_make();
            world.hal.irq_fetch = NULL;
            vcpu = world_load();
            (void)take(vcpu, trap);
            assert_false(vcpu->exit.handled);
            assert_int_equal(vcpu->exit.key, AVC_IRQ_SPURIOUS);
            check(vcpu, &vcpu->exit, AVC_IRQ, answers[n], STAYED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wfe),
        cmocka_unit_test(test_serror),
        cmocka_unit_test(test_pending_irq),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
