/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the API returns to callers who make mistakes: null pointers, unaligned objects, calls twice, too early, too late
 * or on the wrong CPU.
 */
#include "world.h"

#include <cmocka.h>

#include <avc/irqc.h>
#include <avc/psci.h>

#include "core/claim/index.h"

#define IS(call, status) assert_int_equal((int)(call), (int)(status))

static uint8_t raw[sizeof(struct avc_machine) + 128] __attribute__((aligned(64)));

/* ---- machine, pcpu ---- */

static void test_machine(void **state)
{
    struct avc_machine *odd = (struct avc_machine *)(void *)(raw + 1);
    static struct avc_machine m;

    (void)state;
    memset(raw, 0, sizeof raw);
    memset(&m, 0, sizeof m);
    fake_reset();
    IS(avc_machine_init(NULL), AVC_EINVAL);
    IS(avc_machine_init(odd), AVC_EALIGN);
    IS(avc_machine_destroy(NULL), AVC_EINVAL);
    IS(avc_machine_destroy(&m), AVC_ENOENT);
    IS(avc_machine_init(&m), AVC_OK);
    IS(avc_machine_init(&m), AVC_EEXIST);
    IS(avc_machine_destroy(&m), AVC_OK);
    IS(avc_machine_destroy(&m), AVC_ENOENT);

    world_make();
    IS(avc_machine_destroy(&world.machine), AVC_EBUSY);
}

static void test_pcpu(void **state)
{
    static struct avc_pcpu p;
    static struct avc_machine m;
    struct avc_hal hal;
    struct avc_irq_handler none = { NULL, NULL };

    (void)state;
    world_make();
    memset(&p, 0, sizeof p);
    memset(&m, 0, sizeof m);
    IS(avc_pcpu_init(NULL, &world.machine, &world.hal), AVC_EINVAL);
    IS(avc_pcpu_init(&p, NULL, &world.hal), AVC_EINVAL);
    IS(avc_pcpu_init(&p, &world.machine, NULL), AVC_EINVAL);
    IS(avc_pcpu_init((struct avc_pcpu *)(void *)(raw + 1), &world.machine, &world.hal), AVC_EALIGN);
    IS(avc_pcpu_init(&p, &m, &world.hal), AVC_ENOENT);
    IS(avc_pcpu_init(&world.pcpu, &world.machine, &world.hal), AVC_EEXIST);

    hal = world.hal;
    hal.panic = NULL;
    IS(avc_pcpu_init(&p, &world.machine, &hal), AVC_EHAL);
    hal = world.hal;
    hal.irq_end = NULL;
    IS(avc_pcpu_init(&p, &world.machine, &hal), AVC_EHAL);
    hal = world.hal;
    hal.irq_handler = NULL;
    IS(avc_pcpu_init(&p, &world.machine, &hal), AVC_EHAL);
    hal.irq_fetch = NULL; /* no handler needs no irq_fetch */
    IS(avc_pcpu_init(&p, &world.machine, &hal), AVC_OK);

    IS(avc_pcpu_enable(NULL), AVC_EINVAL);
    IS(avc_pcpu_disable(NULL), AVC_EINVAL);
    assert_false(avc_pcpu_is_enabled(NULL));
    assert_false(avc_pcpu_is_enabled(&p));
    IS(avc_pcpu_disable(&p), AVC_ESTATE);
    IS(avc_pcpu_enable(&world.pcpu), AVC_EBUSY);
    fake_use_cpu(1);
    IS(avc_pcpu_disable(&world.pcpu), AVC_EBUSY); /* from another CPU */
    fake_cpu->reg[FAKE_CURRENTEL] = 1 << 2;
    IS(avc_pcpu_enable(&p), AVC_ENOTSUP); /* the CPU is at EL1 */
    IS(avc_has_hardware_support(), AVC_ENOTSUP);
    fake_cpu->reg[FAKE_CURRENTEL] = 2 << 2;
    IS(avc_has_hardware_support(), AVC_OK);
    IS(avc_pcpu_enable(&p), AVC_OK);
    IS(avc_pcpu_disable(&p), AVC_OK);
    fake_use_cpu(0);
    IS(avc_pcpu_enable(&p), AVC_EBUSY); /* this CPU has a pcpu; with a second one two vCPUs could be loaded here */
    assert_false(avc_pcpu_is_enabled(&p));
    memset(&p, 0, sizeof p);
    IS(avc_pcpu_enable(&p), AVC_ENOENT);
    IS(avc_pcpu_disable(&p), AVC_ENOENT);

    IS(avc_pcpu_set_irq_handler(NULL, NULL), AVC_EINVAL);
    IS(avc_pcpu_set_irq_handler(&world.pcpu, &none), AVC_EINVAL);
    IS(avc_pcpu_set_irq_handler(&p, NULL), AVC_ENOENT);
}

/* ---- VM, claims ---- */

static enum avc_answer claim_fn(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)e, (void)context;
    return AVC_PASS;
}

static void test_vm(void **state)
{
    static struct avc_vm vm;
    static struct avc_stage2 s2;
    static struct avc_machine m;
    struct avc_vcpu *list[1];
    struct avc_vm_config good, c;

    (void)state;
    world_make();
    memset(&vm, 0, sizeof vm);
    memset(&s2, 0, sizeof s2);
    memset(&m, 0, sizeof m);
    good = (struct avc_vm_config){ .stage2 = &world.stage2, .vcpus = list, .max_vcpus = 1 };
    IS(avc_vm_init(NULL, &world.machine, &good), AVC_EINVAL);
    IS(avc_vm_init(&vm, NULL, &good), AVC_EINVAL);
    IS(avc_vm_init(&vm, &world.machine, NULL), AVC_EINVAL);
    IS(avc_vm_init((struct avc_vm *)(void *)(raw + 1), &world.machine, &good), AVC_EALIGN);
    IS(avc_vm_init(&world.vm, &world.machine, &good), AVC_EEXIST);
    IS(avc_vm_init(&vm, &m, &good), AVC_ENOENT);
    c = good, c.stage2 = NULL;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_EINVAL);
    c = good, c.stage2 = &s2;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_ENOENT);
    c = good, c.vcpus = NULL;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_EINVAL);
    c = good, c.max_vcpus = 0;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_EINVAL);
    c = good, c.max_claims = 4;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_EINVAL);
    c = good, c.claims = world.claims, c.max_claims = 0x10000;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_ERANGE);
    c = good, c.flags = 1u << 31;
    IS(avc_vm_init(&vm, &world.machine, &c), AVC_EINVAL);
    IS(avc_vm_init(&vm, &world.machine, &good), AVC_EBUSY); /* another VM has this memory */
    must(avc_machine_init(&m));
    IS(avc_vm_init(&vm, &m, &good), AVC_EINVAL); /* the memory is another machine's */
    must(avc_machine_destroy(&m));

    IS(avc_vm_destroy(NULL), AVC_EINVAL);
    IS(avc_vm_destroy(&vm), AVC_ENOENT);
    IS(avc_vm_set_counter_offset(NULL, 0), AVC_EINVAL);
    IS(avc_vm_set_counter_offset(&vm, 0), AVC_ENOENT);
    IS(avc_vm_set_irqc(&world.vm, NULL, NULL), AVC_EINVAL);
    IS(avc_vm_set_irq(NULL, 40, true), AVC_EINVAL);
    IS(avc_vm_set_irq(&world.vm, 40, true), AVC_ENOENT); /* the VM has no controller */
    IS(avc_psci_attach(NULL), AVC_EINVAL);
    IS(avc_psci_attach(&vm), AVC_ENOENT);
    IS(avc_psci_attach(&world.vm), AVC_OK);
    IS(avc_psci_attach(&world.vm), AVC_EEXIST);

    (void)world_load();
    IS(avc_vm_destroy(&world.vm), AVC_EBUSY);
    IS(avc_psci_attach(&world.vm), AVC_ESEALED);
    IS(avc_vm_set_counter_offset(&world.vm, 0), AVC_ESEALED);
    IS(avc_vcpu_put(&world.vcpu[0]), AVC_OK);
    IS(avc_vm_destroy(&world.vm), AVC_OK);
    IS(avc_vm_destroy(&world.vm), AVC_ENOENT);
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_ENOENT); /* destroyed with its VM */
}

/* ---- an interrupt controller of the embedder's own ---- */

static void irqc_nothing(struct avc_vcpu *vcpu)
{
    (void)vcpu;
}

static bool irqc_never(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

static uint64_t irqc_no_deadline(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return ~UINT64_C(0);
}

static enum avc_status irqc_set(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    (void)vm, (void)vcpu, (void)intid, (void)level;
    return AVC_ERANGE;
}

static void test_irqc(void **state)
{
    static const struct avc_irqc_ops good = { .load = irqc_nothing,
                                              .put = irqc_nothing,
                                              .enter = irqc_nothing,
                                              .reset = irqc_nothing,
                                              .pending = irqc_never,
                                              .deadline = irqc_no_deadline,
                                              .set_irq = irqc_set };
    struct avc_irqc_ops bad[7] = { good, good, good, good, good, good, good };

    (void)state;
    bad[0].load = bad[1].put = bad[2].enter = bad[3].reset = NULL;
    bad[4].pending = NULL;
    bad[5].deadline = NULL;
    bad[6].set_irq = NULL;
    world_make();
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(bad); n++)
        IS(avc_vm_set_irqc(&world.vm, &bad[n], NULL), AVC_EINVAL);
    IS(avc_vm_set_irqc(NULL, &good, NULL), AVC_EINVAL);
    IS(avc_vm_set_irqc(&(struct avc_vm){ .magic = 1 }, &good, NULL), AVC_ENOENT);
    IS(avc_vm_set_irqc(&world.vm, &good, NULL), AVC_OK);
    IS(avc_vm_set_irqc(&world.vm, &good, NULL), AVC_EEXIST);
    IS(avc_vm_set_irq(&world.vm, 40, true), AVC_ERANGE); /* what it says */
    IS(avc_vm_set_irq(&(struct avc_vm){ .magic = 1, .irqc = &good }, 40, true), AVC_ENOENT);
    (void)world_load();
    IS(avc_vcpu_set_irq(&world.vcpu[0], 40, true), AVC_ERANGE);
    assert_false(avc_vcpu_has_work(&world.vcpu[0]));
    assert_int_equal(avc_vcpu_deadline(&world.vcpu[0]), ~UINT64_C(0));

    world_make();
    (void)world_load();
    IS(avc_vm_set_irqc(&world.vm, &good, NULL), AVC_ESEALED);
    assert_int_equal(avc_vcpu_deadline(&world.vcpu[0]), ~UINT64_C(0)); /* on, and nobody keeps its timers */
    assert_int_equal(avc_vcpu_deadline(&world.vcpu[1]), ~UINT64_C(0)); /* off */
}

static enum avc_status claim(enum avc_kind kind, uint64_t first, uint64_t last)
{
    return avc_vm_claim(&world.vm, &(struct avc_claim){ kind, first, last, claim_fn, NULL });
}

static void test_claims(void **state)
{
    static struct avc_vm vm;
    struct avc_claim c = { AVC_MMIO, 0, 1, claim_fn, NULL };
    unsigned n;

    (void)state;
    world_make();
    memset(&vm, 0, sizeof vm);
    IS(avc_vm_claim(NULL, &c), AVC_EINVAL);
    IS(avc_vm_claim(&world.vm, NULL), AVC_EINVAL);
    IS(avc_vm_claim(&vm, &c), AVC_ENOENT);
    IS(claim(AVC_STAGE2, 0, 1), AVC_EINVAL); /* this kind cannot be claimed */
    IS(claim((enum avc_kind)99, 0, 1), AVC_EINVAL);
    IS(claim(AVC_MMIO, 2, 1), AVC_ERANGE);
    IS(claim(AVC_MMIO, 0, UINT64_C(1) << 36), AVC_ERANGE); /* beyond the IPA space */
    IS(claim(AVC_CLASS, 64, 64), AVC_ERANGE);
    IS(claim(AVC_CALL, 0, UINT64_C(1) << 32), AVC_ERANGE);
    IS(claim(AVC_SYSREG, 0, 0x10000), AVC_ERANGE);

    IS(claim(AVC_MMIO, 0x1000, 0x1fff), AVC_OK);
    IS(claim(AVC_MMIO, 0x1fff, 0x2fff), AVC_EEXIST);
    IS(claim(AVC_MMIO, 0x0, 0x1000), AVC_EEXIST);
    IS(claim(AVC_MMIO, 0x1800, 0x1801), AVC_EEXIST);
    IS(claim(AVC_MMIO, 0x0, 0x9999), AVC_EEXIST);
    IS(claim(AVC_MMIO, 0x2000, 0x2fff), AVC_OK);
    IS(claim(AVC_CALL, 0x1000, 0x1fff), AVC_OK); /* a key of another kind */
    for (n = 0; claim(AVC_CALL, 0x10000 + 2 * n, 0x10000 + 2 * n) == AVC_OK; n++)
        ;
    IS(claim(AVC_CALL, 0x10000 + 2 * n, 0x10000 + 2 * n), AVC_ENOMEM);

    world_make();
    (void)world_load();
    IS(claim(AVC_MMIO, 0x1000, 0x1fff), AVC_ESEALED);
    IS(avc_vm_claim_builtin(&world.vm, &(struct avc_claim){ AVC_MMIO, 0, 1, claim_fn, NULL }), AVC_ESEALED);
    IS(avc_vcpu_init(&(struct avc_vcpu){ .magic = 0 }, &world.vm, &(struct avc_vcpu_config){ .mpidr = 2 }),
       AVC_ESEALED);

    /* The trap of a system call needs FEAT_FGT, which this CPU does not have. */
    world_make();
    world.machine.features.has &= ~AVC_BIT(AVC_FEAT_FGT);
    IS(claim(AVC_SVC, 0, 10), AVC_ENOTRAP);
}

/* ---- vCPUs ---- */

static void test_vcpu(void **state)
{
    static struct avc_vcpu vcpu;
    static struct avc_vm vm;
    struct avc_vcpu_config c = { .mpidr = 0 };
    uint64_t value[2];

    (void)state;
    world_make();
    memset(&vcpu, 0, sizeof vcpu);
    memset(&vm, 0, sizeof vm);
    IS(avc_vcpu_init(NULL, &world.vm, &c), AVC_EINVAL);
    IS(avc_vcpu_init(&vcpu, NULL, &c), AVC_EINVAL);
    IS(avc_vcpu_init(&vcpu, &world.vm, NULL), AVC_EINVAL);
    IS(avc_vcpu_init((struct avc_vcpu *)(void *)(raw + 8), &world.vm, &c), AVC_EALIGN);
    IS(avc_vcpu_init(&vcpu, &vm, &c), AVC_ENOENT);
    IS(avc_vcpu_init(&vcpu, &world.vm, &(struct avc_vcpu_config){ .mpidr = 1u << 31 }), AVC_EINVAL);
    IS(avc_vcpu_init(&world.vcpu[0], &world.vm, &c), AVC_OK);
    IS(avc_vcpu_init(&world.vcpu[0], &world.vm, &c), AVC_EEXIST);
    IS(avc_vcpu_init(&world.vcpu[1], &world.vm, &c), AVC_EEXIST); /* another vCPU has this MPIDR */
    c.mpidr = 1;
    IS(avc_vcpu_init(&world.vcpu[1], &world.vm, &c), AVC_OK);
    c.mpidr = 2;
    IS(avc_vcpu_init(&vcpu, &world.vm, &c), AVC_ENOMEM); /* max_vcpus */

    IS(avc_vcpu_reset(NULL), AVC_EINVAL);
    IS(avc_vcpu_reset(&vcpu), AVC_ENOENT);
    IS(avc_vcpu_start(NULL, 0, 0), AVC_EINVAL);
    IS(avc_vcpu_start(&vcpu, 0, 0), AVC_ENOENT);
    IS(avc_vcpu_destroy(NULL), AVC_EINVAL);
    IS(avc_vcpu_destroy(&vcpu), AVC_ENOENT);
    IS(avc_vcpu_load(NULL, &world.pcpu), AVC_EINVAL);
    IS(avc_vcpu_load(&world.vcpu[0], NULL), AVC_EINVAL);
    IS(avc_vcpu_load(&vcpu, &world.pcpu), AVC_ENOENT);
    IS(avc_vcpu_put(NULL), AVC_EINVAL);
    IS(avc_vcpu_put(&vcpu), AVC_ENOENT);
    IS(avc_vcpu_put(&world.vcpu[0]), AVC_ESTATE);
    IS(avc_vcpu_set_irq(NULL, 0, true), AVC_EINVAL);
    IS(avc_vcpu_set_irq(&vcpu, 0, true), AVC_ENOENT);
    IS(avc_vcpu_set_irq(&world.vcpu[0], 2, true), AVC_ERANGE);

    IS(avc_vcpu_get(NULL, AVC_REG_PC, value), AVC_EINVAL);
    IS(avc_vcpu_get(&vcpu, AVC_REG_PC, value), AVC_ENOENT);
    IS(avc_vcpu_get(&world.vcpu[0], AVC_REG_PC, NULL), AVC_EINVAL);
    IS(avc_vcpu_get(&world.vcpu[0], 0xdeadbeef, value), AVC_ENOENT);
    IS(avc_vcpu_set(&world.vcpu[0], 0xdeadbeef, 0), AVC_ENOENT);
    IS(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x3c9), AVC_EINVAL); /* EL2h */
    IS(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x3cd), AVC_EINVAL); /* EL3h */
    IS(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x1d3), AVC_EINVAL); /* AArch32 svc */
    world.machine.features.has &= ~AVC_BIT(AVC_FEAT_AA32EL0);
    IS(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x10), AVC_EINVAL); /* no AArch32: EL2's ERET would be illegal */
    world.machine.features.has |= AVC_BIT(AVC_FEAT_AA32EL0);
    IS(avc_vcpu_set(&world.vcpu[0], AVC_REG_PSTATE, 0x10), AVC_OK);
    IS(avc_vcpu_get_fp(&world.vcpu[0], 32, value), AVC_ENOENT);
    IS(avc_vcpu_get_fp(&world.vcpu[0], 0, NULL), AVC_EINVAL);
    IS(avc_vcpu_set_fp(&world.vcpu[0], 32, value), AVC_ENOENT);
    IS(avc_vcpu_set_fp(NULL, 0, value), AVC_EINVAL);
}

/* Run before load, load twice, load on two CPUs, load where another vCPU is loaded, put from another CPU. */
static void test_places(void **state)
{
    static struct avc_pcpu other;
    struct avc_vcpu *vcpu = &world.vcpu[0];
    struct avc_exit *e;
    uint64_t value;

    (void)state;
    world_make();
    memset(&other, 0, sizeof other);
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_vcpu_start(vcpu, START, 0));
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_FAIL);
    assert_int_equal(e->status, AVC_ESTATE);

    must(avc_pcpu_init(&other, &world.machine, &world.hal));
    IS(avc_vcpu_load(vcpu, &other), AVC_ESTATE); /* this pcpu is not enabled */
    IS(avc_vcpu_load(vcpu, &(struct avc_pcpu){ .magic = 1 }), AVC_ENOENT);
    must(avc_vcpu_load(vcpu, &world.pcpu));
    IS(avc_vcpu_load(vcpu, &world.pcpu), AVC_EBUSY);
    IS(avc_vcpu_load(&world.vcpu[1], &world.pcpu), AVC_EBUSY);
    IS(avc_pcpu_disable(&world.pcpu), AVC_EBUSY);

    fake_use_cpu(1);
    must(avc_pcpu_enable(&other));
    IS(avc_vcpu_load(vcpu, &other), AVC_EBUSY);
    IS(avc_vcpu_load(&world.vcpu[1], &world.pcpu), AVC_ESTATE); /* the pcpu is not this CPU's */
    IS(avc_vcpu_put(vcpu), AVC_EBUSY);
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_FAIL);
    assert_int_equal(e->status, AVC_EBUSY);
    IS(avc_vcpu_get(vcpu, AVC_REG_PC, &value), AVC_EBUSY);
    IS(avc_vcpu_set(vcpu, AVC_REG_X0, 0), AVC_EBUSY);
    IS(avc_vcpu_reset(vcpu), AVC_EBUSY);
    IS(avc_vcpu_start(vcpu, START, 0), AVC_EBUSY);
    IS(avc_vcpu_destroy(vcpu), AVC_EBUSY);
    assert_true(avc_vcpu_is_loaded(vcpu));

    fake_use_cpu(0);
    IS(avc_vcpu_put(vcpu), AVC_OK);
    IS(avc_vcpu_put(vcpu), AVC_ESTATE);
    fake_use_cpu(1);
    IS(avc_vcpu_load(vcpu, &other), AVC_OK);
    IS(avc_vcpu_put(vcpu), AVC_OK);
}

/* A CPU of another machine than the vCPU's. */
static void test_other_machine(void **state)
{
    static struct avc_machine m;
    static struct avc_pcpu p;

    (void)state;
    world_make();
    memset(&m, 0, sizeof m);
    memset(&p, 0, sizeof p);
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_machine_init(&m));
    must(avc_pcpu_init(&p, &m, &world.hal));
    fake_use_cpu(1);
    must(avc_pcpu_enable(&p));
    IS(avc_vcpu_load(&world.vcpu[0], &p), AVC_EINVAL);
    must(avc_pcpu_disable(&p));
}

/* CPUs that come after the first load must have what guests have been told of; before it, features shrink to what is
   common, and what needs more is refused at the first load. */
static void test_late_cpu(void **state)
{
    static struct avc_pcpu p[2];
    struct fake_model small = fake_a53;

    (void)state;
    world_model = &fake_max;
    world_make();
    memset(p, 0, sizeof p);
    for (unsigned n = 0; n < 2; n++)
        must(avc_pcpu_init(&p[n], &world.machine, &world.hal));
    (void)world_load();
    fake_become(1, &fake_a72);
    fake_use_cpu(1);
    IS(avc_pcpu_enable(&p[0]), AVC_ENOTSUP);
    fake_become(1, &fake_max);
    fake_use_cpu(1);
    IS(avc_pcpu_enable(&p[0]), AVC_OK);
    fake_use_cpu(2);
    fake_become(2, &fake_max);
    fake_use_cpu(2);
    IS(avc_pcpu_enable(&p[1]), AVC_OK);
    fake_use_cpu(1); /* the one that is not the list's first */
    IS(avc_pcpu_disable(&p[0]), AVC_OK);
    fake_use_cpu(2);
    IS(avc_pcpu_disable(&p[1]), AVC_OK);
    fake_use_cpu(0);

    small.id[6 * 8] = (small.id[6 * 8] & ~UINT64_C(15)) | 0; /* PARange: 32 bits, and the IPA space has 36 */
    world_make();
    memset(p, 0, sizeof p);
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_pcpu_init(&p[0], &world.machine, &world.hal));
    fake_become(1, &small);
    fake_use_cpu(1);
    must(avc_pcpu_enable(&p[0]));
    fake_use_cpu(0);
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_ENOTSUP);

    world_make(); /* a claim whose trap the new CPU does not have */
    memset(p, 0, sizeof p);
    IS(claim(AVC_SVC, 0, 10), AVC_OK);
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_pcpu_init(&p[0], &world.machine, &world.hal));
    fake_become(1, &fake_a72);
    fake_use_cpu(1);
    must(avc_pcpu_enable(&p[0]));
    fake_use_cpu(0);
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_ENOTRAP);
    fake_become(0, NULL);
    fake_become(1, NULL);
    fake_become(2, NULL);
    world_model = NULL;
}

/* A destroyed vCPU is on no CPU, nobody finds it, and no call has an effect on it. */
static void test_destroyed(void **state)
{
    struct avc_vcpu *vcpu = &world.vcpu[1];
    uint64_t value;

    (void)state;
    world_make();
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    assert_ptr_equal(avc_vm_vcpu_by_mpidr(&world.vm, 1), vcpu);
    IS(avc_vcpu_destroy(vcpu), AVC_OK);
    IS(avc_vcpu_destroy(vcpu), AVC_ENOENT);
    IS(avc_vcpu_start(vcpu, START, 0), AVC_ENOENT);
    IS(avc_vcpu_load(vcpu, &world.pcpu), AVC_ENOENT);
    IS(avc_vcpu_get(vcpu, AVC_REG_PC, &value), AVC_ENOENT);
    assert_null(avc_vm_vcpu_by_mpidr(&world.vm, 1));
    assert_ptr_equal(avc_vm_vcpu_by_mpidr(&world.vm, 0), &world.vcpu[0]);
    world.vm.max_vcpus = 3;
    IS(avc_vcpu_init(vcpu, &world.vm, &(struct avc_vcpu_config){ .mpidr = 5 }), AVC_EEXIST); /* twice in the list */
    world.vm.max_vcpus = 2;
    IS(avc_vcpu_destroy(&world.vcpu[0]), AVC_OK);
    assert_null(avc_vm_vcpu_by_mpidr(&world.vm, 0));
    IS(avc_vm_destroy(&world.vm), AVC_OK);
}

/* A claim that calls what only the VMM's thread may call. */
static enum avc_answer misled(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    struct avc_exit *nested = world_run(vcpu);

    (void)context;
    assert_int_equal(nested->kind, AVC_FAIL);
    IS(nested->status, AVC_ESTATE);
    IS(avc_vcpu_put(vcpu), AVC_ESTATE);
    IS(avc_vcpu_load(&world.vcpu[1], &world.pcpu), AVC_EBUSY);
    IS(avc_vcpu_start(vcpu, START, 0), AVC_EBUSY);
    IS(avc_vcpu_destroy(vcpu), AVC_EBUSY);
    return avc_done(e, 0x4057);
}

static void test_from_a_claim(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, misled, NULL);
    vcpu = world_load();
    vcpu->x[0] = 0xc6000000;
    assert_int_equal(take_sync(vcpu, UINT64_C(0x5a000000), EL1H)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 0x4057);
    IS(avc_vcpu_put(vcpu), AVC_OK);
}

/* A seal that fails for lack of storage fails again. It must not go on with the claims that are left. */
static void test_seal_again(void **state)
{
    (void)state;
    world_make();
    world.vm.max_claims = 4;
    for (unsigned n = 0; n < 2; n++)
        IS(avc_vm_claim_builtin(&world.vm,
                                &(struct avc_claim){ AVC_MMIO, 0x10000 * n, 0x10000 * n + 0xffff, claim_fn, NULL }),
           AVC_OK);
    IS(claim(AVC_MMIO, 0x8000, 0x8003), AVC_OK);   /* cuts a claim in two */
    IS(claim(AVC_MMIO, 0x18000, 0x18003), AVC_OK); /* cuts the other one */
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    for (unsigned n = 0; n < 3; n++)
        IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_ENOMEM);
}

static unsigned asked, asked_masked;

static avc_call_fn *ask_unmasked(const struct avc_vm *vm, uint32_t fid)
{
    (void)fid;
    asked++;
    asked_masked += fake_cpu->masked || vm->lock.held || vm->machine->lock.held || vm->machine->setup.held;
    return avc_call_other;
}

/* Sealing takes long: it masks no interrupts, and holds no lock but its own. */
static void test_seal(void **state)
{
    static const struct avc_call calls = { .find = ask_unmasked };
    static const union avc_fast fast = { .call = &calls };

    (void)state;
    IS(avc_vm_seal(NULL), AVC_EINVAL);
    IS(avc_vm_seal(&(struct avc_vm){ 0 }), AVC_ENOENT);
    world_make();
    IS(avc_vm_claim_builtin(&world.vm, &(struct avc_claim){ AVC_CALL | AVC_CLAIM_FAST, 0xc6000000, 0xc600000f, claim_fn,
                                                            (void *)(uintptr_t)&fast }),
       AVC_OK);
    must(avc_vcpu_init(&world.vcpu[0], &world.vm, &(struct avc_vcpu_config){ .mpidr = 0 }));
    asked = asked_masked = 0;
    fake_cpu->masked = false;
    IS(avc_vm_seal(&world.vm), AVC_OK);
    assert_true(asked >= 16);
    assert_int_equal(asked_masked, 0);
    assert_false(fake_cpu->masked || world.vm.sealing.held);
    IS(avc_vm_seal(&world.vm), AVC_OK);
    IS(claim(AVC_MMIO, 0x8000, 0x8003), AVC_ESEALED);
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_OK);
    IS(avc_vcpu_put(&world.vcpu[0]), AVC_OK);
}

/* Members of the HAL that this VM needs must be there. */
static void test_hal(void **state)
{
    (void)state;
    world_make();
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    world.hal.wake = NULL;
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_EHAL);
    world.hal.wake = hal_wake;
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_OK);

    /* a VM of one vCPU needs no wake(), and a kick of it asks for none */
    world_make();
    world.hal.wake = NULL;
    world.hal.irq_mask = NULL;
    must(avc_vcpu_init(&world.vcpu[0], &world.vm, &(struct avc_vcpu_config){ .mpidr = 0 }));
    must(avc_vcpu_start(&world.vcpu[0], START, 0));
    IS(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_OK);
    avc_vcpu_kick(&world.vcpu[0]);
    assert_true(avc_vcpu_has_work(&world.vcpu[0]));
    assert_int_equal(world_run(&world.vcpu[0])->kind, AVC_KICKED);
}

/* ---- memory ---- */

/* An allocator that gives pages which are not aligned, or lie beyond what the CPUs can address. */
static unsigned bad_puts;
static avc_pa_t bad_pa;
static size_t bad_by;

static void *bad_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    uint8_t *page = page_get(ctx, bytes, pa);

    *pa |= bad_pa;
    return page + bad_by;
}

static void bad_put(void *ctx, void *va, size_t bytes)
{
    (void)ctx, (void)va, (void)bytes;
    bad_puts++;
}

static void test_bad_pages(void **state)
{
    struct avc_mem mem = { NULL, bad_get, bad_put, page_at };
    static struct avc_stage2 s2;

    (void)state;
    world_make();
    memset(&s2, 0, sizeof s2);
    bad_puts = 0;
    bad_by = 16;
    bad_pa = 0;
    IS(avc_stage2_init(&s2, &world.machine, &mem, 36), AVC_EALIGN);
    assert_int_equal(bad_puts, 1);
    bad_by = 0;
    bad_pa = 0x800;
    IS(avc_stage2_init(&s2, &world.machine, &mem, 36), AVC_EALIGN);
    bad_pa = UINT64_C(1) << 47; /* a Cortex-A72 has 44 bits */
    IS(avc_stage2_init(&s2, &world.machine, &mem, 36), AVC_ERANGE);
    assert_int_equal(bad_puts, 3);
    bad_pa = 0;
    must(avc_stage2_init(&s2, &world.machine, &mem, 36));
    bad_by = 8;
    IS(avc_stage2_map(&s2, 0, 0, 0x1000, AVC_RWX), AVC_EALIGN);
    assert_int_equal(bad_puts, 4);
    bad_by = 0;
    bad_pa = 0x10;
    IS(avc_stage2_map(&s2, 0, 0, 0x1000, AVC_RWX), AVC_EALIGN);
    bad_pa = UINT64_C(1) << 47;
    IS(avc_stage2_map(&s2, 0, 0, 0x1000, AVC_RWX), AVC_ERANGE);
    assert_int_equal(bad_puts, 6);
    bad_pa = 0;
    IS(avc_stage2_map(&s2, 0, 0, 0x1000, AVC_RWX), AVC_OK);
    must(avc_stage2_destroy(&s2));
}

static void test_stage2(void **state)
{
    struct avc_mem mem = { NULL, page_get, page_put, page_at };
    static struct avc_stage2 s2;
    avc_pa_t pa;

    (void)state;
    world_make();
    memset(&s2, 0, sizeof s2);
    IS(avc_stage2_init(NULL, &world.machine, &mem, 36), AVC_EINVAL);
    IS(avc_stage2_init(&s2, NULL, &mem, 36), AVC_EINVAL);
    IS(avc_stage2_init(&s2, &world.machine, NULL, 36), AVC_EINVAL);
    IS(avc_stage2_init(&world.stage2, &world.machine, &mem, 36), AVC_EEXIST);
    IS(avc_stage2_init(&s2, &world.machine, &mem, 20), AVC_ERANGE);
    IS(avc_stage2_init(&s2, &world.machine, &mem, 60), AVC_ERANGE);
    IS(avc_stage2_init((struct avc_stage2 *)(void *)(raw + 1), &world.machine, &mem, 36), AVC_EALIGN);
    for (unsigned n = 0; n < 3; n++) {
        struct avc_mem less = mem;

        *(n == 0 ? (void **)(void *)&less.get : n == 1 ? (void **)(void *)&less.put : (void **)(void *)&less.at) = NULL;
        IS(avc_stage2_init(&s2, &world.machine, &less, 36), AVC_EINVAL);
    }
    IS(avc_stage2_adopt(&s2, &world.machine, &(struct avc_mem){ NULL, page_get, page_put, NULL }, 0x80000000, 36),
       AVC_EINVAL);
    IS(avc_stage2_adopt(&s2, NULL, &mem, 0x80000000, 36), AVC_EINVAL);
    IS(avc_stage2_lookup(NULL, 0, &pa, NULL, NULL), AVC_EINVAL);
    IS(avc_stage2_lookup(&s2, 0, &pa, NULL, NULL), AVC_ENOENT);
    IS(avc_stage2_map(NULL, 0, 0, 0x1000, AVC_RWX), AVC_EINVAL);
    IS(avc_stage2_map(&s2, 0, 0, 0x1000, AVC_RWX), AVC_ENOENT);
    IS(avc_stage2_map(&world.stage2, 0, 0, 0, AVC_RWX), AVC_EINVAL);
    IS(avc_stage2_map(&world.stage2, 0, 0, 0x1000, 1u << 31), AVC_EINVAL);
    IS(avc_stage2_map(&world.stage2, 0x800, 0, 0x1000, AVC_RWX), AVC_EALIGN);
    IS(avc_stage2_map(&world.stage2, 0, 0x10, 0x1000, AVC_RWX), AVC_EALIGN);
    IS(avc_stage2_map(&world.stage2, 0, 0, 0x1001, AVC_RWX), AVC_EALIGN);
    IS(avc_stage2_map(&world.stage2, UINT64_C(1) << 36, 0, 0x1000, AVC_RWX), AVC_ERANGE);
    IS(avc_stage2_map(&world.stage2, (UINT64_C(1) << 36) - 0x1000, 0, 0x2000, AVC_RWX), AVC_ERANGE);
    IS(avc_stage2_map(&world.stage2, ~UINT64_C(0xfff), 0, 0x2000, AVC_RWX), AVC_ERANGE);
    IS(avc_stage2_map(&world.stage2, 0x1000, UINT64_C(1) << 60, 0x1000, AVC_RWX), AVC_ERANGE);
    IS(avc_stage2_map(&world.stage2, RAM, 0x1000, 0x1000, AVC_RWX), AVC_EEXIST);
    IS(avc_stage2_unmap(&world.stage2, 0x12345000, 0x1000), AVC_ENOENT);
    IS(avc_stage2_unmap(&world.stage2, UINT64_C(1) << 36, 0x1000), AVC_ERANGE);
    IS(avc_stage2_unmap(NULL, 0, 0x1000), AVC_EINVAL);
    IS(avc_stage2_protect(&world.stage2, 0x12345000, 0x1000, AVC_R), AVC_ENOENT);
    IS(avc_stage2_lookup(&world.stage2, 0x12345000, &pa, NULL, NULL), AVC_ENOENT);
    IS(avc_stage2_lookup(&world.stage2, UINT64_C(1) << 40, &pa, NULL, NULL), AVC_ERANGE);
    IS(avc_stage2_destroy(&world.stage2), AVC_EBUSY);
    IS(avc_stage2_destroy(NULL), AVC_EINVAL);
}

/* ---- texts ---- */

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(avc_status_name(AVC_EALIGN), "AVC_EALIGN");
    assert_string_equal(avc_status_text(AVC_OK), "done");
    assert_non_null(avc_status_text((enum avc_status)999));
    assert_non_null(avc_status_name((enum avc_status)999));
    assert_string_equal(avc_kind_name(AVC_STAGE2), "AVC_STAGE2");
    for (unsigned n = 0; n < AVC_NR_KINDS + 3; n++)
        assert_non_null(avc_kind_name((enum avc_kind)n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),   cmocka_unit_test(test_pcpu),          cmocka_unit_test(test_vm),
        cmocka_unit_test(test_claims),    cmocka_unit_test(test_vcpu),          cmocka_unit_test(test_places),
        cmocka_unit_test(test_hal),       cmocka_unit_test(test_stage2),        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_irqc),      cmocka_unit_test(test_other_machine), cmocka_unit_test(test_late_cpu),
        cmocka_unit_test(test_bad_pages), cmocka_unit_test(test_destroyed),     cmocka_unit_test(test_from_a_claim),
        cmocka_unit_test(test_seal),      cmocka_unit_test(test_seal_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
