/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * avc_vcpu_get() and avc_vcpu_set() by id, wherever the register is: while the vCPU is put, while it is loaded, and in
 * a claim during a trap.
 */
#include "world.h"

#include <cmocka.h>

static uint64_t get(uint32_t reg)
{
    uint64_t value = 0;

    must(avc_vcpu_get(&world.vcpu[0], reg, &value));
    return value;
}

static void set(uint32_t reg, uint64_t value)
{
    must(avc_vcpu_set(&world.vcpu[0], reg, value));
}

/* Gives each register a value of its own. */
static void set_all(uint64_t seed)
{
    for (unsigned n = 0; n <= 30; n++)
        set(AVC_REG_X0 + n, seed + n);
    set(AVC_REG_PC, seed + 0x1000);
    set(AVC_REG_PSTATE, EL1H | (seed & UINT64_C(0xf0000000)));
    set(AVC_REG_FPCR, seed + 0x2000);
    set(AVC_REG_FPSR, seed + 0x3000);
    for (uint32_t n = 0; n < 32; n++)
        must(avc_vcpu_set_fp(&world.vcpu[0], n, (uint64_t[2]){ seed + 0x4000 + n, seed + 0x5000 + n }));
}

static void check_all(uint64_t seed)
{
    for (unsigned n = 0; n <= 30; n++)
        assert_int_equal(get(AVC_REG_X0 + n), seed + n);
    assert_int_equal(get(AVC_REG_PC), seed + 0x1000);
    assert_int_equal(get(AVC_REG_PSTATE), EL1H | (seed & UINT64_C(0xf0000000)));
    assert_int_equal(get(AVC_REG_FPCR), seed + 0x2000);
    assert_int_equal(get(AVC_REG_FPSR), seed + 0x3000);
    for (uint32_t n = 0; n < 32; n++) {
        uint64_t value[2];

        must(avc_vcpu_get_fp(&world.vcpu[0], n, value));
        assert_int_equal(value[0], seed + 0x4000 + n);
        assert_int_equal(value[1], seed + 0x5000 + n);
    }
}

/* A value that is set while the vCPU is put is there when it is loaded, and the other way round. */
static void everywhere(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    set_all(0x9000000000000000);
    check_all(0x9000000000000000);
    must(avc_vcpu_put(vcpu));
    check_all(0x9000000000000000);
    set_all(0x60000000);
    check_all(0x60000000);
    must(avc_vcpu_load(vcpu, &world.pcpu));
    check_all(0x60000000);
}

/* During a trap PC and PSTATE are in ELR_EL2 and SPSR_EL2. DONE moves the PC on from where the claim has put it. */
static enum avc_answer in_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    assert_int_equal(get(AVC_REG_PC), START);
    assert_int_equal(get(AVC_REG_PSTATE), EL1H);
    set_all(0x80000000);
    check_all(0x80000000);
    assert_int_equal(fake_cpu->reg[FAKE_ELR_EL2], 0x80001000);
    assert_int_equal(fake_cpu->reg[FAKE_SPSR_EL2], EL1H | 0x80000000);
    return avc_done(e, 0);
}

static void in_a_trap(void **state)
{
    const uint32_t key = AVC_SYSREG_KEY(3, 0, 1, 0, 1); /* ACTLR_EL1 */
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_SYSREG, key, key, in_claim, NULL);
    vcpu = world_load();
    /* MSR ACTLR_EL1, X3 */
    assert_int_equal(take_sync(vcpu, UINT64_C(0x62000000) | 1 << 17 | 1 << 10 | 3 << 5 | 3 << 20, EL1H)->kind,
                     AVC_KICKED);
    assert_int_equal(world.trap.elr, 0x80001004);
    assert_int_equal(world.trap.spsr, EL1H | 0x80000000);
    assert_int_equal(vcpu->x[3], 0x80000003);
}

/*
 * The modes that a guest may have: EL0t, EL1t, EL1h, and AArch32 User if the CPU has it. A return to another mode is
 * illegal, or goes to EL2.
 */
static void modes(void **state)
{
    (void)state;
    for (unsigned aarch32 = 0; aarch32 < 2; aarch32++) {
        world_make();
        (void)world_load();
        if (!aarch32)
            world.machine.features.has &= ~AVC_BIT(AVC_FEAT_AA32EL0);
        for (unsigned mode = 0; mode < 32; mode++) {
            bool ok = mode == 0x0 || mode == 0x4 || mode == 0x5 || (mode == 0x10 && aarch32);

            set(AVC_REG_PSTATE, EL1H);
            assert_int_equal(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x3c0 | mode), ok ? AVC_OK : AVC_EINVAL);
            assert_int_equal(get(AVC_REG_PSTATE), ok ? 0x3c0 | mode : EL1H);
        }
    }
}

/* ID registers by their own keys read as for the guest. They cannot be set. */
static void ids(void **state)
{
    (void)state;
    world_make();
    (void)world_load();
    assert_int_equal(get(AVC_SYSREG_KEY(3, 0, 0, 4, 0)), world.vm.id_regs[3 * 8]); /* ID_AA64PFR0_EL1 */
    assert_int_equal(get(AVC_SYSREG_KEY(3, 0, 0, 1, 0)), world.vm.id_regs[0]);     /* ID_PFR0_EL1 */
    assert_int_equal(get(AVC_SYSREG_KEY(3, 0, 0, 7, 7)), 0);                       /* not allocated: RAZ */
    assert_int_equal(avc_vcpu_set(&world.vcpu[0], AVC_SYSREG_KEY(3, 0, 0, 4, 0), 0), AVC_ERANGE);
}

/* avc_vcpu_set_return_value() is like avc_done(), for a caller that does not have the exit. */
static enum avc_answer returns(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)e, (void)context;
    avc_vcpu_set_return_value(vcpu, 0x1234);
    return AVC_DONE;
}

static void return_value(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, returns, NULL);
    vcpu = world_load();
    vcpu->x[0] = 0xc6000000;
    assert_int_equal(take_sync(vcpu, UINT64_C(0x5a000000), EL1H)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 0x1234);
}

/* Names and pointers that the embedder gave are returned unchanged. */
static void names(void **state)
{
    static struct avc_stage2 s2;
    static struct avc_vm vm;
    static struct avc_vcpu vcpu, *list[1];
    struct avc_mem mem = { NULL, page_get, page_put, page_at };
    int of_vm, of_vcpu;

    (void)state;
    world_make();
    memset(&s2, 0, sizeof s2);
    memset(&vm, 0, sizeof vm);
    memset(&vcpu, 0, sizeof vcpu);
    must(avc_stage2_init(&s2, &world.machine, &mem, 36));
    must(avc_vm_init(&vm, &world.machine,
                     &(struct avc_vm_config){ .stage2 = &s2, .vcpus = list, .max_vcpus = 1, .user = &of_vm }));
    assert_int_equal(avc_vm_nr_vcpus(&vm), 0);
    assert_null(avc_vm_vcpu(&vm, 0));
    must(avc_vcpu_init(&vcpu, &vm, &(struct avc_vcpu_config){ .mpidr = 7, .user = &of_vcpu }));
    assert_ptr_equal(avc_vm_user(&vm), &of_vm);
    assert_ptr_equal(avc_vcpu_user(&vcpu), &of_vcpu);
    assert_ptr_equal(avc_vcpu_vm(&vcpu), &vm);
    assert_int_equal(avc_vm_nr_vcpus(&vm), 1);
    assert_ptr_equal(avc_vm_vcpu(&vm, 0), &vcpu);
    assert_null(avc_vm_vcpu(&vm, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everywhere), cmocka_unit_test(in_a_trap),    cmocka_unit_test(modes),
        cmocka_unit_test(ids),        cmocka_unit_test(return_value), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
