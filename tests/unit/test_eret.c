/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * ERETAA and ERETAB where ERET is trapped. The library lets the CPU single-step the instruction. These tests check the
 * step, and all that can come between. test_trap.c has ERET.
 */
#include "arch/esr.h"
#include "arch/hfgtr.h"
#include "arch/pstate.h"
#include "world.h"

#include <cmocka.h>
#include "core/policy/sysreg.h"

#define KERNEL  UINT64_C(0xffff800008012344)
#define ERETAA  ESR_MAKE(0x1a, true, 2)
#define STEP    ESR_MAKE(AVC_EC_STEP_LOWER, true, 0x22)
#define TDE     AVC_BIT(8)
#define OSLK    AVC_BIT(1)
#define MDSCR   FAKE_MDSCR_EL1
#define IS_STEP (fake_cpu->reg[MDSCR] & 1 && fake_cpu->reg[FAKE_MDCR_EL2] & TDE)

static unsigned asked;
static enum avc_answer answer;

static enum avc_answer on_eret(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)e, (void)context;
    asked++;
    return answer;
}

static struct avc_vcpu *begin(void)
{
    struct avc_vcpu *vcpu;

    world_model = &fake_max;
    world_make();
    world_claim(AVC_CLASS, 0x1a, 0x1a, on_eret, NULL);
    asked = 0;
    answer = AVC_PASS;
    fake_cpu->reg[FAKE_OSLSR_EL1] = OSLK; /* its reset value */
    vcpu = world_load();
    avc_ctx_set(vcpu, AVC_CTX_ELR_EL1, 0x401000 | UINT64_C(0x5a) << 48);
    avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, EL0T);
    return vcpu;
}

/*
 * What the guest does next: one exception after the other. The arrays note the state in which the guest went on before
 * each.
 */
static struct fake_trap script[4];
static unsigned nr_script, at_script;
static uint64_t spsr_seen[5];
static bool step_seen[5];

static bool play(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    (void)vcpu;
    spsr_seen[at_script] = trap->spsr;
    step_seen[at_script] = IS_STEP;
    if (at_script == nr_script) {
        world.trap.elr = trap->elr;
        world.trap.spsr = trap->spsr;
        return false;
    }
    *trap = script[at_script++];
    return true;
}

static struct avc_exit *run(struct avc_vcpu *vcpu, unsigned nr)
{
    fake_guest = play;
    nr_script = nr;
    at_script = 0;
    return world_run(vcpu);
}

static void as_before(void)
{
    assert_int_equal(fake_cpu->reg[FAKE_HFGITR_EL2] & HFGITR_ERET, HFGITR_ERET);
    assert_int_equal(fake_cpu->reg[FAKE_MDCR_EL2] & TDE, 0);
    assert_int_equal(fake_cpu->reg[MDSCR] & 1, 0);
}

static uint64_t oslar; /* the last value written to OSLAR_EL1 */

static void note_oslar(enum fake_reg reg, uint64_t value)
{
    if (reg == FAKE_OSLAR_EL1)
        oslar = value;
}

static void test_step(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    oslar = 7;
    fake_on_write = note_oslar;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    assert_int_equal(run(vcpu, 1)->kind, AVC_KICKED);
    assert_true(step_seen[1]);
    assert_int_equal(world.trap.elr, KERNEL); /* the CPU executes the instruction */
    assert_int_equal(spsr_seen[1], EL1H | SPSR_SS);
    as_before(); /* run has returned, so the step was given up */
    assert_int_equal(vcpu->pstate, EL1H);
    assert_int_equal(oslar, 1);

    script[1] = (struct fake_trap){ .esr = STEP, .elr = 0x401000, .spsr = EL0T };
    run(vcpu, 2);
    assert_int_equal(oslar, 1);
    assert_true(step_seen[1]);
    assert_false(step_seen[2]);
    assert_int_equal(world.trap.elr, 0x401000);
    assert_int_equal(spsr_seen[2], EL0T);
    assert_int_equal(asked, 2);
    as_before();
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), 0x401000 | UINT64_C(0x5a) << 48); /* EL1 has not seen anything */
}

/* If the guest itself single-steps EL0, its step is still due after the return. */
static void test_guest_steps(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, EL0T | SPSR_SS);
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    script[1] = (struct fake_trap){ .esr = STEP, .elr = 0x401000, .spsr = EL0T };
    run(vcpu, 2);
    assert_int_equal(spsr_seen[2], EL0T | SPSR_SS);
    script[1] = (struct fake_trap){ .esr = STEP, .elr = VBAR + 0x200, .spsr = EL1H }; /* authentication failed */
    run(vcpu, 2);
    assert_int_equal(spsr_seen[2], EL1H);
}

/* An interrupt before or behind the instruction does not disturb the step. */
static void test_interrupt(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    script[1] = (struct fake_trap){ .kind = FAKE_IRQ, .elr = KERNEL, .spsr = EL1H | SPSR_SS };
    script[2] = (struct fake_trap){ .kind = FAKE_IRQ, .elr = 0x401000, .spsr = EL0T };
    script[3] = (struct fake_trap){ .esr = STEP, .elr = 0x401000, .spsr = EL0T };
    run(vcpu, 4);
    assert_true(step_seen[2] && step_seen[3] && !step_seen[4]);
    assert_int_equal(spsr_seen[2], EL1H | SPSR_SS);
    assert_int_equal(spsr_seen[3], EL0T);
    as_before();
}

/* Another trap comes before the instruction was executed. The step is given up, and begins again with the next trap. */
static void test_other_trap(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    script[1] =
        (struct fake_trap){ .esr = ESR_MAKE(0x20, true, 7), .elr = KERNEL, .spsr = EL1H | SPSR_SS, .hpfar = RAM >> 8 };
    run(vcpu, 2);
    assert_int_equal(spsr_seen[2] & SPSR_SS, 0);
    assert_false(step_seen[2]);
    as_before();
}

/* The traps are switched off during the step. */
static void test_switched(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    must(avc_vm_trap_svc(&world.vm, false));
    vcpu->requests = 0; /* this vCPU has not seen the request yet */
    fake_guest = play;
    nr_script = 1;
    at_script = 0;
    (void)world_run(vcpu);
    vcpu->requests = AVC_REQUEST_TRAPS;
    run(vcpu, 0);
    assert_int_equal(fake_cpu->reg[FAKE_HFGITR_EL2] & HFGITR_ERET, 0);
    assert_int_equal(fake_cpu->reg[MDSCR] & 1, 0);
    assert_int_equal(spsr_seen[0], EL1H);
}

/* They are, and an interrupt of the host's gives the VMM the CPU in between: run begins anew with the step pending. */
static void test_switched_between_runs(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    answer = AVC_EXIT;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    assert_int_equal(run(vcpu, 1)->kind, AVC_CLASS);
    vcpu->exit.answer = AVC_PASS;
    must(avc_vm_trap_svc(&world.vm, false));
    run(vcpu, 0);
    assert_int_equal(vcpu->work & AVC_WORK_STEP, 0);
    assert_int_equal(fake_cpu->reg[FAKE_HFGITR_EL2] & HFGITR_ERET, 0);
    assert_int_equal(fake_cpu->reg[MDSCR] & 1, 0);
    assert_int_equal(spsr_seen[0] & SPSR_SS, 0);
}

/* The VMM gets the ERET as an exit, and does not answer. */
static void test_exit(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    answer = AVC_EXIT;
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    assert_int_equal(run(vcpu, 1)->kind, AVC_CLASS);
    as_before();
    script[0] = (struct fake_trap){ .esr = STEP, .elr = 0x401000, .spsr = EL0T };
    run(vcpu, 1);
    assert_true(step_seen[0]);
    assert_int_equal(spsr_seen[0], EL1H | SPSR_SS);
    assert_int_equal(spsr_seen[1], EL0T);
    as_before();
}

/* A claim on Software Step keeps its trap. */
static void test_tde(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_model = &fake_max;
    world_make();
    world_claim(AVC_CLASS, 0x1a, 0x1a, on_eret, NULL);
    world_claim(AVC_CLASS, 0x32, 0x32, on_eret, NULL);
    asked = 0;
    answer = AVC_PASS;
    vcpu = world_load();
    script[0] = (struct fake_trap){ .esr = ERETAA, .elr = KERNEL, .spsr = EL1H };
    script[1] = (struct fake_trap){ .esr = STEP, .elr = 0x401000, .spsr = EL0T };
    run(vcpu, 2);
    assert_int_equal(asked, 1); /* the step was the library's own, so the claim does not see it */
    assert_int_equal(fake_cpu->reg[FAKE_MDCR_EL2] & TDE, TDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switched_between_runs),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_guest_steps),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_other_trap),
        cmocka_unit_test(test_switched),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_tde),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
