/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Rare cases of the vGIC: places without a vCPU, more ends than interrupts, counters that wrap, questions from another
 * CPU.
 */
#include "vgic_world.h"

#include "core/policy/sysreg.h"

static uint32_t seen[64];

/* There is room for four vCPUs, and the VM has two. A broadcast reaches these. */
static void fewer_vcpus(void **state)
{
    (void)state;
    vw_make(4, true);
    must(avc_vgic_attach(&vgic, &vm, &(struct avc_vgic_config){ GICD, GICR, NR_SPIS, NR_VCPUS, spis, gcpu }));
    for (unsigned n = 0; n < 2; n++) {
        must(avc_vcpu_init(&vcpu[n], &vm, &(struct avc_vcpu_config){ .mpidr = mpidrs[n] }));
        must(avc_vcpu_start(&vcpu[n], 0, 0));
    }
    vload(0, 0);
    memset(wakes, 0, sizeof wakes);
    wr(0, GICD, 3);
    assert_int_equal(rd(0, GICD) & 3, 3);
    assert_true(vcpu[1].requests & AVC_REQUEST_IRQC);
    assert_int_equal(wakes[1], 1);
    assert_int_equal(wakes[2], 0);
}

/* EOIcount says that more interrupts were ended than were active. The surplus has no effect. */
static void ends_of_nothing(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, ~0u);
    for (unsigned i = 0; i < 6; i++) { /* two of them are not in a list register */
        wr8(0, GICD + 0x400 + 32 + i, (16 - i) << 3);
        must(avc_vm_set_irq(&vm, 32 + i, true));
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 32 + i);
        must(avc_vm_set_irq(&vm, 32 + i, false));
    }
    settle_vcpu(0);
    assert_true(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_LRENPIE);
    *reg(FAKE_ICH_HCR_EL2) += UINT64_C(9) << 27;
    settle_vcpu(0);
    assert_int_equal(ICH_HCR_EOICOUNT(*reg(FAKE_ICH_HCR_EL2)), 0);
    assert_int_equal(__builtin_popcount(rd(0, GICD + 0x304)) <= 4, 1);
}

/*
 * Another CPU asks whether a loaded vCPU has work. It cannot read the vCPU's list registers, so what was last written
 * to them counts.
 */
static void asked_from_elsewhere(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    assert_false(vm.irqc->pending(&vcpu[0]));
    must(avc_vcpu_set_irq(&vcpu[0], 20, true));
    settle_all();
    fake_use_cpu(1);
    assert_false(vm.irqc->pending(&vcpu[0])); /* disabled */
    fake_use_cpu(0);
    wr(0, SGI(0) + 0x100, 1u << 20);
    settle_all();
    fake_use_cpu(1);
    assert_true(vm.irqc->pending(&vcpu[0]));
    fake_use_cpu(0);
    assert_int_equal(g_ack(true), 20);
    must(avc_vcpu_set_irq(&vcpu[0], 20, false));
    settle_vcpu(0);
    fake_use_cpu(1);
    assert_false(vm.irqc->pending(&vcpu[0]));
    fake_use_cpu(0);
    g_eoi(true, 20);
}

/* The sum of CNTVOFF_EL2 and CVAL wraps. */
static void far_compare_values(void **state)
{
    struct avc_vcpu *v = &vcpu[0];

    (void)state;
    vw_boot(4, true, 1);
    vm.cntvoff = UINT64_C(1) << 63;
    wr(0, SGI(0) + 0x100, 1u << 27);
    for (unsigned n = 0; n < 2; n++) {
        avc_ctx_set(v, AVC_CTX_CNTV_CTL_EL0, 1);
        avc_ctx_set(v, AVC_CTX_CNTV_CVAL_EL0, UINT64_C(3) << 62);
        *reg(FAKE_CNTPCT_EL0) = n ? UINT64_C(1) << 62 : UINT64_C(1) << 61;
        /* In virtual time 0xc000... has been reached, and 0xa000... has not. */
        assert_true(avc_vcpu_deadline(v) == (n ? 0 : ~UINT64_C(0)));
    }
}

static void bad_arguments(void **state)
{
    struct avc_vgic_config c = { GICD, GICR, NR_SPIS, NR_VCPUS, spis, gcpu }, good = c;

    (void)state;
    vw_make(4, true);
    assert_int_equal(avc_vgic_attach(&vgic, &(struct avc_vm){ .magic = 1 }, &good), AVC_ENOENT);
    c.spis = NULL;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_EINVAL);
    c = good, c.max_vcpus = AVC_VGIC_MAX_VCPUS + 1;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.dist_base = ~UINT64_C(0xffff);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.redist_base = ~UINT64_C(0xffff);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.redist_base = GICD;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.dist_base = GICR + 0x10000;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    machine.features.has &= ~AVC_BIT(AVC_FEAT_GICV3);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &good), AVC_ENOTSUP);
    machine.features.has |= AVC_BIT(AVC_FEAT_GICV3);
    machine.features.list_regs = 0;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &good), AVC_ENOTSUP);
}

/*
 * LDRSW of a register whose value another CPU must fold first. The access is to be repeated, and must have changed
 * nothing.
 */
static void odd_load_again(void **state)
{
    const struct avc_mmio_entry entry = { .hpfar = GICD >> 12 << 4 };
    const uint64_t esr = ESR_MAKE(AVC_EC_DABT_LOWER, true, ISS_ISV | 2 << 22 | ISS_SSE | ISS_SF | 5 << 16);
    uint64_t pc;

    (void)state;
    vw_boot(4, true, 2);
    wr64(0, GICD + 0x6000 + 8 * 32, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_all();
    fake_use_cpu(1);
    assert_int_equal(g_ack(true), 32);
    fake_use_cpu(0);
    *reg(FAKE_FAR_EL2) = 0x304;
    pc = *reg(FAKE_ELR_EL2);
    vcpu[0].x[5] = 0x5555;
    fake_cpu->masked = true;
    assert_int_equal(avc_vgic_dist_fast.mmio(&vcpu[0], esr, &entry), AVC_RESUME);
    assert_int_equal(*reg(FAKE_ELR_EL2), pc);
    assert_int_equal(vcpu[0].x[5], 0x5555);
    fake_cpu->masked = false;
    settle_vcpu(1);
    fake_use_cpu(0);
    fake_cpu->masked = true;
    assert_int_equal(avc_vgic_dist_fast.mmio(&vcpu[0], esr, &entry), AVC_RESUME);
    assert_int_equal(*reg(FAKE_ELR_EL2), pc + 4);
    assert_int_equal(vcpu[0].x[5], 1);
    fake_cpu->masked = false;
}

/* A 1-of-N SPI is in the only list register, and an SPI of higher priority displaces it. Its target is chosen anew. */
static void any_target_evicted(void **state)
{
    (void)state;
    vw_boot(1, true, 1);
    for (unsigned n = 1; n < NR_VCPUS; n++)
        vcpu[n].power = AVC_POWER_OFF;
    for (unsigned n = 32; n < 34; n++)
        wr64(0, GICD + 0x6000 + 8 * n, GICD_IROUTER_IRM);
    wr8(0, GICD + 0x400 + 33, 0x10);
    wr(0, GICD + 0xc08, 0xa); /* edge-triggered */
    wr(0, GICD + 0x104, 3);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 32);
    g_eoi(true, 32); /* the guest has ended it, and its list register is still in use */
    assert_int_equal(spis[0].target[0], 0);
    wr(0, GICD + 0x204, 2);
    assert_int_equal(spis[0].target[0], AVC_VGIC_NONE);
    must(avc_vm_set_irq(&vm, 32, false));
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(drain(0, seen, 8), 2);
    assert_int_equal(seen[0], 33);
    assert_int_equal(seen[1], 32);
}

/* No vCPU takes its group. */
static void any_target_none(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned n = 1; n < NR_VCPUS; n++)
        gcpu[n].vmcr = ICH_VMCR_VFIQEN;
    wr64(0, GICD + 0x6000 + 8 * 32, GICD_IROUTER_IRM);
    wr(0, GICD + 0xc08, 2);
    wr(0, GICD + 0x104, 1);
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG1;
    settle_all();
    must(avc_vm_set_irq(&vm, 32, true));
    settle_all();
    assert_int_equal(rd(0, GICD + 0x204) & 1, 1);
    assert_int_equal(spis[0].target[0], AVC_VGIC_NONE);
    assert_int_equal(g_ack(true), 1023);
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1;
    assert_int_equal(drain(0, seen, 8), 1);
    assert_int_equal(seen[0], 32);
}

/* A vCPU is started anew while more interrupts are pending for it than it has list registers. */
static void started_with_queues(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    sysreg_write(0, SGI1R, UINT64_C(1) | 3 << 24);
    for (uint32_t n = 0; n < 10; n++)
        sysreg_write(0, SGI1R, UINT64_C(1) | (uint64_t)n << 24);
    settle_vcpu(0);
    vput(0);
    must(avc_vcpu_start(&vcpu[0], 0, 0));
    for (unsigned g = 0; g < 2; g++)
        assert_int_equal(avc_vgic_waiting(&vgic, &gcpu[0], g) && !gcpu[0].bank.queued, 0);
    vcpu[0].power = AVC_POWER_ON;
    vload(0, 0);
    assert_in_range(drain(0, seen, 16), 0, 10); /* none comes twice */
    vput(0);
}

/* More than 32 preemption levels: each group has two active priority registers. */
static void six_preemption_bits(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    vput(0);
    fake_cpus[1].reg[FAKE_ICH_VTR_EL2] =
        (fake_cpus[1].reg[FAKE_ICH_VTR_EL2] & ~(UINT64_C(7) << 26)) | UINT64_C(5) << 26; /* PREbits: 6 */
    vload(0, 1);
    assert_int_equal(gcpu[0].pre_bits, 6);
    assert_int_equal(gcpu[0].nr_apr, 2);
    *reg(FAKE_ICH_AP1R1_EL2) = 4;
    vput(0);
    assert_int_equal(gcpu[0].ap1[1], 4);
    vload(0, 1);
    assert_int_equal(*reg(FAKE_ICH_AP1R1_EL2), 4);
}

/* A cause of the maintenance interrupt is on without a reason. All interrupts are placed anew, and it is off. */
static void cause_without_reason(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    *reg(FAKE_ICH_HCR_EL2) |= ICH_HCR_NPIE;
    gcpu[0].hcr = *reg(FAKE_ICH_HCR_EL2);
    assert_int_not_equal(misr(), 0);
    fake_cpu->masked = true;
    take_irq(0, 25);
    fake_cpu->masked = false;
    assert_int_equal(misr(), 0);
    assert_int_equal(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_NPIE, 0);
    assert_true(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_EN);
    assert_int_equal(gcpu[0].baseless, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cause_without_reason), cmocka_unit_test(fewer_vcpus),
        cmocka_unit_test(ends_of_nothing),      cmocka_unit_test(asked_from_elsewhere),
        cmocka_unit_test(far_compare_values),   cmocka_unit_test(bad_arguments),
        cmocka_unit_test(odd_load_again),       cmocka_unit_test(any_target_evicted),
        cmocka_unit_test(any_target_none),      cmocka_unit_test(started_with_queues),
        cmocka_unit_test(six_preemption_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
