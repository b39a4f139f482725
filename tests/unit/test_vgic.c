/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vGIC by examples. Each test is about one rule of the architecture, or one path of an interrupt through the vGIC.
 */
#include "emul/vgic/lr.h" /* before names that its own would shadow */
#include "vgic_world.h"
#include "core/policy/sysreg.h"

static uint32_t seen[64];

/* ---- attach ---- */

static void attach_refuses(void **state)
{
    struct avc_vgic_config good, c;

    (void)state;
    vw_make(4, true);
    good = (struct avc_vgic_config){ GICD, GICR, NR_SPIS, NR_VCPUS, spis, gcpu };
    assert_int_equal(avc_vgic_attach(NULL, &vm, &good), AVC_EINVAL);
    assert_int_equal(avc_vgic_attach(&vgic, NULL, &good), AVC_EINVAL);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, NULL), AVC_EINVAL);
    c = good, c.cpus = NULL;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_EINVAL);
    c = good, c.spis = NULL;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_EINVAL);
    c = good, c.dist_base += 0x1000;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_EALIGN);
    c = good, c.nr_spis = 33;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.nr_spis = 992;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.max_vcpus = 3;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.dist_base = GICR + 0x20000;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    c = good, c.redist_base = UINT64_C(0xffffffffffff0000);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &c), AVC_ERANGE);
    *reg(FAKE_ICC_SRE_EL2) = 0;
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &good), AVC_ENOTSUP);
    *reg(FAKE_ICC_SRE_EL2) = 1;
    assert_int_equal(avc_vgic_reset(&vgic), AVC_ENOENT);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &good), AVC_OK);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &good), AVC_EEXIST);
    assert_int_equal(avc_vgic_reset(NULL), AVC_EINVAL);
}

static void attach_after_vcpus(void **state)
{
    (void)state;
    vw_make(4, true);
    for (unsigned n = 0; n < NR_VCPUS; n++)
        must(avc_vcpu_init(&vcpu[n], &vm, &(struct avc_vcpu_config){ .mpidr = mpidrs[n] }));
    must(avc_vgic_attach(&vgic, &vm, &(struct avc_vgic_config){ GICD, GICR, NR_SPIS, NR_VCPUS, spis, gcpu }));
    vload(1, 0);
    assert_int_equal(rd_size(1, RD(3) + 8, 8), UINT64_C(0x112) << 32 | 3 << 8 | 1 << 4);
    assert_int_equal(avc_vgic_attach(&vgic, &vm, &(struct avc_vgic_config){ GICD, GICR, 0, 4, spis, gcpu }),
                     AVC_ESEALED);
}

/* ---- SGIs ---- */

static uint64_t sgi_value(unsigned intid, uint64_t mpidr, unsigned list)
{
    return (uint64_t)list | (mpidr >> 8 & 0xff) << 16 | (uint64_t)intid << 24 | (mpidr >> 16 & 0xff) << 32 |
           (mpidr >> 4 & 15) << 44;
}

static void sgi_to_self(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    fake_log_clear();
    assert_int_equal(sysreg_write(0, SGI1R, sgi_value(5, 0, 1)), AVC_DONE);
    assert_int_equal(vcpu[0].requests, 0); /* it went into a list register at once */
    assert_int_equal(wakes[0], 0);
    assert_int_equal(g_ack(true), 5);
    /* Sent again while active, it is pending and active. */
    assert_int_equal(sysreg_write(0, SGI1R, sgi_value(5, 0, 1)), AVC_DONE);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
    g_eoi(true, 5);
    settle_vcpu(0);
    assert_int_equal(drain(0, seen, 4), 1);
    assert_int_equal(seen[0], 5);
    /* Sent twice before it is acknowledged, it comes once. */
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    assert_int_equal(drain(0, seen, 4), 1);
}

/* Another vCPU clears a pending SGI, and this CPU has not noticed yet. An SGI that is sent then must not get lost. */
static void sgi_after_icpendr(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    assert_int_equal(g_ack(true), 5);
    g_eoi(true, 5);
    fake_use_cpu(1);
    wr(1, SGI(0) + 0x280, 1 << 5);
    fake_use_cpu(0);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    settle_all();
    assert_int_equal(g_ack(true), 5);
}

static void sgi_forms(void **state)
{
    (void)state;
    vw_boot(4, true, 4);
    /* A target list with two vCPUs. */
    sysreg_write(0, SGI1R, sgi_value(1, 0, 3));
    assert_int_equal(wakes[1], 1);
    assert_int_equal(wakes[2] + wakes[3] + wakes[0], 0);
    assert_int_equal(drain(0, seen, 4), 1);
    assert_int_equal(drain(1, seen, 4), 1);
    assert_int_equal(seen[0], 1);
    /* Another cluster, and the range selector. */
    fake_use_cpu(0);
    sysreg_write(0, SGI1R, sgi_value(2, 0x100, 1));
    assert_int_equal(drain(2, seen, 4), 1);
    fake_use_cpu(0);
    sysreg_write(0, SGI1R, sgi_value(3, 0x110, 1 << 2));
    assert_int_equal(drain(3, seen, 4), 1);
    assert_int_equal(seen[0], 3);
    /* There is no such vCPU. */
    fake_use_cpu(0);
    sysreg_write(0, SGI1R, sgi_value(3, 0x200, 0xffff));
    sysreg_write(0, SGI1R, sgi_value(3, 0x400, 1)); /* another vCPU has its place in the index */
    sysreg_write(0, SGI1R, sgi_value(3, 0x100, 0xfffe));
    /* All but the sender. */
    sysreg_write(0, SGI1R, UINT64_C(1) << 40 | 7 << 24 | 0xffff);
    assert_int_equal(drain(0, seen, 4), 0);
    for (unsigned v = 1; v < 4; v++) {
        assert_int_equal(drain(v, seen, 4), 1);
        assert_int_equal(seen[0], 7);
    }
}

static void sgi_groups(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x80, ~2u); /* SGI 1 is of group 0 */
    sysreg_write(0, SGI0R, sgi_value(2, 0, 1));
    sysreg_write(0, ASGI1R, sgi_value(2, 0, 1));
    assert_int_equal(rd(0, SGI(0) + 0x200), 0);
    sysreg_write(0, SGI0R, sgi_value(1, 0, 1));
    assert_int_equal(rd(0, SGI(0) + 0x200), 2);
    assert_int_equal(g_ack(true), 1023);
    assert_int_equal(g_ack(false), 1); /* signalled as FIQ */
    g_eoi(false, 1);
    sysreg_write(0, SGI1R, sgi_value(1, 0, 1)); /* ICC_SGI1R_EL1 sends an SGI of either group here */
    assert_int_equal(g_ack(false), 1);
}

static void sgi_to_waiting(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    assert_false(avc_vcpu_has_work(&vcpu[1]));
    sysreg_write(0, SGI1R, sgi_value(9, 0, 2));
    assert_int_equal(wakes[1], 1);
    assert_true(avc_vcpu_has_work(&vcpu[1]));
    assert_true(vcpu[1].requests & AVC_REQUEST_IRQC);
    vload(1, 1);
    assert_false(vcpu[1].requests & AVC_REQUEST_IRQC); /* load has looked at all of it */
    assert_int_equal(g_ack(true), 9);
    assert_false(vm.irqc->pending(&vcpu[1])); /* it is in a list register, and acknowledged */
}

/* ---- SPIs ---- */

static void spi_edge(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, GICD + 0xc08, 2 << 2); /* 33 is edge-triggered */
    wr64(0, GICD + 0x6000 + 8 * 33, 1);
    wr(0, GICD + 0x104, 2);
    must(avc_vm_set_irq(&vm, 33, true));
    must(avc_vm_set_irq(&vm, 33, false));
    assert_int_equal(wakes[1], 1);
    assert_int_equal(drain(1, seen, 4), 1);
    assert_int_equal(seen[0], 33);
    /* An edge while it is disabled is remembered. */
    wr(0, GICD + 0x184, 2);
    must(avc_vm_set_irq(&vm, 33, true));
    must(avc_vm_set_irq(&vm, 33, false));
    assert_int_equal(drain(1, seen, 4), 0);
    fake_use_cpu(0);
    assert_int_equal(rd(0, GICD + 0x204), 2);
    wr(0, GICD + 0x104, 2);
    assert_int_equal(drain(1, seen, 4), 1);
}

static void spi_level(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(g_ack(true), 32);
    g_eoi(true, 32); /* the device's line is still high */
    assert_true(misr());
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 32);
    must(avc_vm_set_irq(&vm, 32, false));
    fake_log_clear();
    g_eoi(true, 32);
    assert_int_equal(misr(), 0); /* the end causes no maintenance interrupt, because the line is low */
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(g_ack(true), 32);
    must(avc_vm_set_irq(&vm, 32, false));
    must(avc_vm_set_irq(&vm, 32, true)); /* the line rises again while it is active */
    g_eoi(true, 32);
    assert_true(misr());
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 32);
    must(avc_vm_set_irq(&vm, 32, false));
    g_eoi(true, 32);
    /* The line falls before the interrupt is acknowledged. */
    must(avc_vm_set_irq(&vm, 32, true));
    must(avc_vm_set_irq(&vm, 32, false));
    assert_int_equal(g_ack(true), 1023);
}

static void spi_routes(void **state)
{
    unsigned share[4] = { 0 };

    (void)state;
    vw_boot(4, true, 4);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x104, ~0u);
    wr64(0, GICD + 0x6000 + 8 * 40, 0x112);
    must(avc_vm_set_irq(&vm, 40, true));
    /* It is routed elsewhere while it is pending in vCPU 3's list register. */
    settle_all();
    fake_use_cpu(0);
    wr64(0, GICD + 0x6000 + 8 * 40, 0x100);
    assert_int_equal(drain(3, seen, 4), 0);
    assert_int_equal(drain(2, seen, 4), 1);
    /* Without a target it waits. */
    fake_use_cpu(0);
    wr64(0, GICD + 0x6000 + 8 * 40, 0x777);
    must(avc_vm_set_irq(&vm, 40, false));
    must(avc_vm_set_irq(&vm, 40, true));
    for (unsigned v = 0; v < 4; v++)
        assert_int_equal(drain(v, seen, 4), 0);
    fake_use_cpu(0);
    wr(0, GICD + 0x6000 + 8 * 40, 1);
    assert_int_equal(drain(1, seen, 4), 1);
    /* 1-of-N: each vCPU gets its share. */
    fake_use_cpu(0);
    wr(0, GICD + 0x6000 + 8 * 40, 0x80000000);
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = 0;

        fake_use_cpu(0);
        must(avc_vm_set_irq(&vm, 40, false));
        must(avc_vm_set_irq(&vm, 40, true));
        settle_all();
        for (unsigned v = 0; v < 4; v++) {
            unsigned got = drain(v, seen, 4);

            n += got;
            share[v] += got;
        }
        assert_int_equal(n, 1);
    }
    for (unsigned v = 0; v < 4; v++)
        assert_int_equal(share[v], 1);
    assert_int_equal(rd(0, GICD + 0x6000 + 8 * 40 + 4), 0);
}

/* SPI 40, an edge that any may take, comes `nr` times. Adds how often each of the loaded vCPUs has taken it. */
static void any_comes(unsigned nr, unsigned share[NR_VCPUS])
{
    while (nr--) {
        must(avc_vm_set_irq(&vm, 40, true));
        must(avc_vm_set_irq(&vm, 40, false));
        settle_all();
        for (unsigned v = 0; v < NR_VCPUS; v++)
            if (vcpu[v].pcpu && vcpu[v].power == AVC_POWER_ON)
                share[v] += drain(v, seen, 4);
    }
    fake_use_cpu(0);
}

/* Two of four are there, the others have their groups off. */
static void any_boot(void)
{
    vw_boot(4, true, 2);
    gcpu[2].vmcr = gcpu[3].vmcr = ICH_VMCR_VFIQEN;
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x104, ~0u);
    wr64(0, GICD + 0x6000 + 8 * 40, GICD_IROUTER_IRM);
    settle_all();
    fake_use_cpu(0);
}

static void set_groups(unsigned v, bool on)
{
    on_cpu_of(v);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(ICH_VMCR_VENG0 | ICH_VMCR_VENG1);
    *reg(FAKE_ICH_VMCR_EL2) |= on ? ICH_VMCR_VENG0 | ICH_VMCR_VENG1 : 0;
}

static void any_wants_the_group(void **state)
{
    unsigned share[NR_VCPUS] = { 0 };

    (void)state;
    any_boot();
    set_groups(1, false);
    settle_all();
    any_comes(8, share);
    assert_int_equal(share[0], 8);
    set_groups(1, true);
    settle_all();
    any_comes(8, share);
    assert_int_equal(share[0], 12);
    assert_int_equal(share[1], 4);
    /* switched off when nobody has told us yet: it is passed on */
    for (unsigned n = 0; n < 4; n++) {
        set_groups(1, false);
        any_comes(1, share);
        set_groups(1, true);
        settle_all();
    }
    assert_int_equal(share[0] + share[1], 20);
    assert_int_equal(share[1], 4);
    /* group 0 counts for itself */
    fake_use_cpu(0);
    wr(0, GICD + 0x84, ~(1u << 8));
    on_cpu_of(1);
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG0;
    settle_all();
    for (unsigned n = 0; n < 4; n++) {
        must(avc_vm_set_irq(&vm, 40, true));
        must(avc_vm_set_irq(&vm, 40, false));
        settle_all();
        on_cpu_of(0);
        assert_int_equal(g_ack(false), 40);
        g_eoi(false, 40);
    }
}

static void any_wants_it_awake(void **state)
{
    unsigned share[NR_VCPUS] = { 0 };

    (void)state;
    any_boot();
    wr(0, RD(1) + 0x14, GICR_WAKER_SLEEP);
    any_comes(4, share);
    assert_int_equal(share[0], 4);
    wr(0, RD(0) + 0x14, GICR_WAKER_SLEEP);
    any_comes(1, share);
    assert_int_equal(share[0] + share[1], 4);
    wr(0, RD(1) + 0x14, 0);
    settle_all();
    assert_int_equal(drain(1, seen, 4), 1);
}

/* It waits for vCPU 1, which leaves: by its group, its waker, its power, or a reset by the host. */
static void any_moves_on(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++)
        for (unsigned taken = 0; taken < 2; taken++) {
            any_boot();
            set_groups(0, false);
            settle_all();
            must(avc_vm_set_irq(&vm, 40, true));
            must(avc_vm_set_irq(&vm, 40, false));
            settle_all();
            set_groups(0, true);
            settle_all();
            assert_int_equal(g_ack(true), 1023); /* it stays where it waits */
            fake_use_cpu(1);
            assert_int_equal(g_signalled() >= 0, true);
            if (taken) {
                assert_int_equal(g_ack(true), 40);
                must(avc_vm_set_irq(&vm, 40, true)); /* and again, meanwhile */
                must(avc_vm_set_irq(&vm, 40, false));
            }
            if (how == 0)
                set_groups(1, false);
            else if (how == 1)
                wr(1, RD(1) + 0x14, GICR_WAKER_SLEEP);
            else if (how == 2)
                vpower_off(1);
            else
                vput(1);
            if (how == 3)
                must(avc_vcpu_reset(&vcpu[1]));
            settle_all();
            fake_use_cpu(0);
            if (taken && how < 3) { /* it is vCPU 1's to end */
                assert_int_equal(rd(0, GICD + 0x304), 1u << 8);
                assert_int_equal(drain(0, seen, 4), 0);
                wr(0, GICD + 0x384, 1u << 8);
                settle_all();
            }
            assert_int_equal(drain(0, seen, 4), 1);
            assert_int_equal(seen[0], 40);
        }
}

/* Nobody takes it: the first that does gets it. */
static void any_waits_for_the_first(void **state)
{
    (void)state;
    any_boot();
    vpower_off(1);
    set_groups(0, false);
    settle_all();
    must(avc_vm_set_irq(&vm, 40, true));
    must(avc_vm_set_irq(&vm, 40, false));
    settle_all();
    fake_use_cpu(0);
    assert_int_equal(rd(0, GICD + 0x204), 1u << 8);
    vpower_on(1);
    settle_all();
    fake_use_cpu(1);
    assert_int_equal(g_ack(true), 1023);
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1 | UINT64_C(0xf8) << 24;
    assert_int_equal(drain(1, seen, 4), 1);
    assert_int_equal(seen[0], 40);
}

static void spi_active_elsewhere(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x104, ~0u);
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(g_ack(true), 32);
    /*
     * It is routed elsewhere while it is active, and comes again. It must come only after its end, at the new target.
     */
    wr64(0, GICD + 0x6000 + 8 * 32, 1);
    must(avc_vm_set_irq(&vm, 32, false));
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(drain(1, seen, 4), 0);
    fake_use_cpu(0);
    settle_all();
    g_eoi(true, 32);
    settle_all();
    assert_int_equal(drain(0, seen, 4), 0);
    assert_int_equal(drain(1, seen, 4), 1);
}

static void irq_ranges(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    assert_int_equal(avc_vm_set_irq(&vm, 31, true), AVC_ERANGE);
    assert_int_equal(avc_vm_set_irq(&vm, 32 + NR_SPIS, true), AVC_ERANGE);
    assert_int_equal(avc_vm_set_irq(&vm, ~0u, true), AVC_ERANGE);
    assert_int_equal(avc_vm_set_irq(&vm, 32 + NR_SPIS - 1, true), AVC_OK);
    assert_int_equal(avc_vcpu_set_irq(&vcpu[0], 15, true), AVC_ERANGE);
    assert_int_equal(avc_vcpu_set_irq(&vcpu[0], 27, true), AVC_ERANGE);
    assert_int_equal(avc_vcpu_set_irq(&vcpu[0], 32, true), AVC_ERANGE);
    wr(0, SGI(0) + 0x100, 1 << 23);
    assert_int_equal(avc_vcpu_set_irq(&vcpu[0], 23, true), AVC_OK);
    assert_int_equal(g_ack(true), 23);
}

/*
 * A handler of the host raises the line on the CPU where the vCPU is loaded. Its thread is blocked, so it must be
 * woken.
 */
static void wakes_own(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1);
    vcpu[0].mode = AVC_MODE_HOST;
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(wakes[0], 1);
    assert_true(avc_vcpu_has_work(&vcpu[0]));
}

/* A guest that is big-endian at EL1 (SCTLR_EL1.EE) sees the bytes of a word in reverse. E0E is for EL0 only. */
static void big_endian(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned n = 0; n < 4; n++) { /* SCTLR_EL1.E0E and EE */
        const struct avc_mmio_entry entry = { .hpfar = GICD >> 12 << 4 };
        const uint64_t word = ESR_MAKE(AVC_EC_DABT_LOWER, true, ISS_ISV | UINT64_C(2) << 22);
        uint64_t value = 0, bit = n & 2 ? 0x01000000 : 1;

        on_cpu_of(0);
        fake_cpu->reg[FAKE_SPSR_EL2] = 5; /* EL1h */
        avc_ctx_set(&vcpu[0], AVC_CTX_SCTLR_EL1, (uint64_t)n << 24);
        fake_cpu->reg[FAKE_FAR_EL2] = 4;
        assert_true(fast(&vcpu[0], word, avc_vgic_dist_fast.mmio, NULL, &entry, &value));
        assert_int_equal(n & 2 ? __builtin_bswap32((uint32_t)value) : value, vgic.typer);
        vgic.spis[0].bank.latch = 0x80000001;
        fake_cpu->reg[FAKE_FAR_EL2] = 0x204;
        assert_true(fast(&vcpu[0], word, avc_vgic_dist_fast.mmio, NULL, &entry, &value));
        assert_int_equal(value, n & 2 ? 0x01000080 : 0x80000001);
        /* by LDRSW */
        assert_true(fast(&vcpu[0], word | ISS_SSE | ISS_SF, avc_vgic_dist_fast.mmio, NULL, &entry, &value));
        assert_int_equal(value, n & 2 ? 0x01000080 : 0xffffffff80000001);
        vgic.spis[0].bank.latch = 0;
        vgic.spis[0].bank.enable = 0;
        fake_cpu->reg[FAKE_FAR_EL2] = 0x104;
        assert_true(fast(&vcpu[0], word | ISS_WNR, avc_vgic_dist_fast.mmio, NULL, &entry, &bit));
        assert_int_equal(vgic.spis[0].bank.enable, 1);
    }
}

/* ---- list registers ---- */

/* Returns the list register that has this INTID, or -1. */
static int lr_with(uint32_t intid)
{
    for (unsigned n = 0; n < nr_lr(); n++)
        if (ICH_LR_VINTID(*lr(n)) == intid && *lr(n))
            return (int)n;
    return -1;
}

/*
 * An interrupt that comes again gets its old list register, whatever came in between. If no other is free, the timer's
 * list register is the last to be taken.
 */
static void reuse(void **state)
{
    int at[4];

    (void)state;
    vw_boot(4, true, 1);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 4; i++) {
            sysreg_write(0, SGI1R, sgi_value(i, 0, 1));
            if (round)
                assert_int_equal(lr_with(i), at[i]);
            at[i] = lr_with(i);
            assert_int_equal(drain(0, seen, 4), 1);
            assert_int_equal(seen[0], i);
        }
    wr(0, SGI(0) + 0x100, 1u << 27);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    fake_cpu->ctx[AVC_CTX_CNTV_CVAL_EL0] = 0;
    settle_vcpu(0);
    at[0] = lr_with(27);
    assert_true(at[0] >= 0);
    assert_int_equal(g_ack(true), 27);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 0;
    g_eoi(true, 27);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 8; i++) {
            sysreg_write(0, SGI1R, sgi_value(i, 0, 1));
            assert_int_equal(drain(0, seen, 4), 1);
            assert_int_equal(seen[0], i);
            assert_int_equal(lr_with(27), at[0]);
        }
}

/*
 * An interrupt is disabled while the guest handles it, or after its end. If it comes again, it must wait until it is
 * enabled.
 */
static void disabled_in_lr(void **state)
{
    (void)state;
    for (unsigned through = 0; through < 2; through++) {
        vw_boot(4, true, 1);
        sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
        assert_int_equal(g_ack(true), 5);
        if (through)
            g_eoi(true, 5);
        wr(0, SGI(0) + 0x180, 1 << 5);
        for (unsigned n = 0; n < 2; n++) /* once as a trap and once as an event */
            sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
        if (!through)
            g_eoi(true, 5);
        assert_int_equal(drain(0, seen, 4), 0);
        assert_int_equal(rd(0, SGI(0) + 0x200), 1 << 5);
        wr(0, SGI(0) + 0x100, 1 << 5);
        assert_int_equal(drain(0, seen, 4), 1);
    }
}

/* Pending and active interrupts move with their vCPU, also to a CPU with fewer list registers. */
static void moves_to_fewer(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned i = 0; i < 4; i++)
        wr8(0, SGI(0) + 0x400 + i, 0x20 * (4 - i));
    for (unsigned i = 0; i < 3; i++) {
        sysreg_write(0, SGI1R, sgi_value(i, 0, 1));
        assert_int_equal(g_ack(true), i);
    }
    sysreg_write(0, SGI1R, sgi_value(3, 0, 1));
    vput(0);
    assert_true(vm.irqc->pending(&vcpu[0]));
    fake_cpus[1].reg[FAKE_ICH_VTR_EL2] &= ~UINT64_C(31); /* one list register */
    vload(0, 1);
    assert_int_equal(g_ack(true), 3);
    for (unsigned i = 4; i-- > 0;) {
        g_eoi(true, i);
        settle_vcpu(0);
        assert_int_equal(rd(0, SGI(0) + 0x300), (1u << i) - 1);
    }
}

/* A level interrupt was ended, and the library has not noticed when the vCPU is put. */
static void level_across_put(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(g_ack(true), 32);
    g_eoi(true, 32);
    assert_true(misr());
    vput(0);
    assert_true(vm.irqc->pending(&vcpu[0]));
    must(avc_vm_set_irq(&vm, 32, false));
    assert_false(vm.irqc->pending(&vcpu[0]));
    must(avc_vm_set_irq(&vm, 32, true));
    vload(0, 1);
    assert_int_equal(g_ack(true), 32);
}

/* ---- more interrupts than list registers ---- */

static void overflow_pending(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0xc0c, ~0u);
    wr(0, GICD + 0x104, ~0u);
    for (unsigned i = 0; i < 32; i++)
        wr8(0, GICD + 0x400 + 32 + i, (31 - i) * 7 & 0xf8);
    for (unsigned i = 0; i < 32; i++)
        must(avc_vm_set_irq(&vm, 32 + i, true));
    assert_int_equal(drain(0, seen, 33), 32);
    for (unsigned i = 1; i < 32; i++)
        assert_true(spis[0].bank.priority[seen[i] - 32] >= spis[0].bank.priority[seen[i - 1] - 32]);
    assert_int_equal(drain(0, seen, 4), 0);
}

/*
 * Interrupts of a disabled group must not keep the other group out of list registers. They come when their group is
 * enabled.
 */
static void overflow_groups(void **state)
{
    uint32_t got = 0; /* equal priorities: in any order */

    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x84, 0xff00);
    for (unsigned i = 0; i < 8; i++)
        wr8(0, GICD + 0x400 + 32 + i, 0x10); /* group 0, with a higher priority */
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG0;
    wr(0, GICD + 0x204, 0xffff);
    wr(0, GICD + 0x104, 0xffff);
    for (unsigned i = 0; i < 8; i++) {
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 40 + i);
        g_eoi(true, 40 + i);
    }
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t n;

        settle_vcpu(0);
        n = g_ack(false);
        assert_in_range(n, 32, 39);
        got |= 1u << n % 32;
        g_eoi(false, n);
    }
    assert_int_equal(got, 0xff);
}

/* An interrupt was ended, and stayed in its list register. The vCPU has left the CPU and come back since, so the CPU's
   register is empty. A write changes the interrupt where it stands. */
static void changed_after_load(void **state)
{
    (void)state;
    for (unsigned active = 0; active < 2; active++) {
        vw_boot(4, true, 1);
        wr(0, GICD + 0xc08, 2 << 16); /* 40 is edge-triggered */
        wr(0, GICD + 0x104, 1 << 8);
        wr(0, GICD + 0x200 + 4, 1 << 8);
        assert_int_equal(g_ack(true), 40);
        g_eoi(true, 40);
        vput(0);
        vload(0, 1);
        settle_vcpu(0);
        wr8(0, GICD + 0x400 + 40, 0x40);
        wr(0, GICD + (active ? 0x300 : 0x200) + 4, 1 << 8);
        assert_int_equal(rd(0, GICD + (active ? 0x300 : 0x200) + 4), 1 << 8);
        if (active) {
            wr(0, GICD + 0x200 + 4, 1 << 8);
            assert_int_equal(g_ack(true), 1023);
            wr(0, GICD + 0x380 + 4, 1 << 8);
        }
        assert_int_equal(g_signalled() < 0 ? 0 : lr_priority(*lr((unsigned)g_signalled())), 0x40);
        assert_int_equal(g_ack(true), 40);
        wr(0, GICD + 0x200 + 4, 1 << 8);
        wr(0, GICD + 0x280 + 4, 1 << 8);
        g_eoi(true, 40);
        assert_int_equal(g_ack(true), 1023);
    }
}

/* Another vCPU has changed interrupts in list registers, and this one is put before it has looked. */
static void put_before_a_look(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    sysreg_write(1, SGI1R, sgi_value(5, mpidrs[1], 1u << (mpidrs[1] & 15)));
    sysreg_write(1, SGI1R, sgi_value(6, mpidrs[1], 1u << (mpidrs[1] & 15)));
    fake_use_cpu(0);
    wr(0, SGI(1) + 0x280, 1 << 5);
    vput(1);
    fake_use_cpu(0);
    assert_int_equal(rd(0, SGI(1) + 0x200), 1 << 6);
    vload(1, 2);
    assert_int_equal(drain(1, seen, 4), 1);
    assert_int_equal(seen[0], 6);
}

/* An edge comes while its interrupt is active, and the guest disables it then. */
static void disabled_pending_and_active(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, 2 << 16); /* 40 is edge-triggered */
    wr(0, GICD + 0x104, 1 << 8);
    wr(0, GICD + 0x204, 1 << 8);
    assert_int_equal(g_ack(true), 40);
    wr(0, GICD + 0x204, 1 << 8);
    wr(0, GICD + 0x184, 1 << 8);
    assert_int_equal(rd(0, GICD + 0x304), 1 << 8);
    g_eoi(true, 40);
    assert_int_equal(g_ack(true), 1023);
    assert_int_equal(rd(0, GICD + 0x204), 1 << 8);
    wr(0, GICD + 0x104, 1 << 8);
    assert_int_equal(g_ack(true), 40);
}

/* More nested handlers than list registers. Each interrupt is ended in turn: by EOIR alone, or with EOImode 1. */
static void overflow_active(void **state)
{
    bool mode1 = *state != NULL;

    vw_boot(4, true, 1);
    if (mode1)
        *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VEOIM;
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0xc0c, ~0u);
    wr(0, GICD + 0x104, ~0u);
    for (unsigned i = 0; i < 20; i++) {
        wr8(0, GICD + 0x400 + 32 + i, (20 - i) << 3);
        must(avc_vm_set_irq(&vm, 32 + i, true));
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 32 + i);
    }
    assert_int_equal(rd(0, GICD + 0x304), 0xfffff);
    for (unsigned i = 20; i-- > 0;) {
        settle_vcpu(0);
        g_eoi(true, 32 + i);
        settle_vcpu(0);
        if (mode1) {
            assert_int_equal(rd(0, GICD + 0x304), (2u << i) - 1);
            g_dir(0, 32 + i);
        }
        settle_vcpu(0);
        assert_int_equal(rd(0, GICD + 0x304), (1u << i) - 1);
    }
    assert_int_equal(drain(0, seen, 4), 0);
}

/* EOImode 1: another vCPU may deactivate an SPI than the one that acknowledged it. */
static void dir_elsewhere(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    for (unsigned c = 0; c < 2; c++)
        fake_cpus[c].reg[FAKE_ICH_VMCR_EL2] |= ICH_VMCR_VEOIM;
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    assert_int_equal(g_ack(true), 32);
    g_eoi(true, 32);
    must(avc_vm_set_irq(&vm, 32, false));
    vcpu[1].requests |= AVC_REQUEST_IRQC;
    settle_vcpu(1);
    g_dir(1, 32);
    settle_all();
    fake_use_cpu(0);
    assert_int_equal(rd(0, GICD + 0x304), 0);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 32);
}

/* Without ICH_VTR_EL2.TDS all common registers are trapped instead. */
static void no_tdir(void **state)
{
    struct avc_exit e = { .kind = AVC_SYSREG };

    (void)state;
    vw_boot(4, true, 1);
    gcpu[0].tds = false;
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VEOIM;
    vcpu[0].requests |= AVC_REQUEST_IRQC;
    settle_vcpu(0);
    assert_true(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_TC);
    assert_int_equal(sysreg_write(0, AVC_SYSREG_KEY(3, 0, 4, 6, 0), 0x77), AVC_DONE);
    assert_int_equal(ICH_VMCR_VPMR(*reg(FAKE_ICH_VMCR_EL2)), 0x70);
    e.key = AVC_SYSREG_KEY(3, 0, 4, 6, 0);
    assert_int_equal(sysreg(0, &e), AVC_DONE);
    assert_int_equal(e.value, 0x70);
    e.key = AVC_SYSREG_KEY(3, 0, 12, 11, 3);
    *reg(FAKE_ICH_AP1R0_EL2) = 1 << 5;
    assert_int_equal(sysreg(0, &e), AVC_DONE);
    assert_int_equal(e.value, 5 << 3);
    e.key = AVC_SYSREG_KEY(3, 0, 12, 12, 4);
    assert_int_equal(sysreg(0, &e), AVC_DONE);
    assert_int_equal(e.value & 0x703, 0x402);
    assert_int_equal(sysreg_write(0, e.key, 1), AVC_DONE);
    assert_int_equal(*reg(FAKE_ICH_VMCR_EL2) & (ICH_VMCR_VEOIM | ICH_VMCR_VCBPR), ICH_VMCR_VCBPR);
    assert_false(*reg(FAKE_ICH_HCR_EL2) & ICH_HCR_TC);
    /* A read of a write-only register, or a write of a read-only one, is UNDEFINED. */
    e.key = SGI1R;
    assert_int_equal(sysreg(0, &e), AVC_FAULT);
    assert_int_equal(sysreg_write(0, AVC_SYSREG_KEY(3, 0, 12, 11, 3), 0), AVC_FAULT);
}

/* ---- what list registers of other CPUs hold ---- */

static void read_is_exact(void **state)
{
    uint64_t x = 0;

    (void)state;
    vw_boot(4, true, 2);
    wr64(0, GICD + 0x6000 + 8 * 32, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_all();
    fake_use_cpu(1);
    assert_int_equal(g_ack(true), 32); /* only the CPU's list register knows that it is active */
    fake_use_cpu(0);
    assert_int_equal(mmio(0, GICD + 0x304, 4, false, &x), AVC_RETRY);
    assert_true(rd(0, GICD + 0x0) & 1u << 31); /* RWP */
    assert_true(rd(0, RD(1)) & 1u << 3);
    assert_int_equal(mmio(0, GICD + 0x304, 4, false, &x), AVC_RETRY);
    settle_vcpu(1);
    fake_use_cpu(0);
    assert_int_equal(mmio(0, GICD + 0x304, 4, false, &x), AVC_DONE);
    assert_int_equal(x, 1);
    assert_false(rd(0, GICD + 0x0) & 1u << 31);
}

static void disable_takes_back(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr64(0, GICD + 0x6000 + 8 * 32, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_all();
    fake_use_cpu(0);
    wr(0, GICD + 0x184, 1);
    assert_true(rd(0, GICD) & 1u << 31);
    settle_all();
    assert_false(rd(0, GICD) & 1u << 31);
    fake_use_cpu(1);
    assert_int_equal(g_ack(true), 1023);
    fake_use_cpu(0);
    wr(0, GICD + 0x104, 1);
    wr(0, GICD + 0x0, 1); /* group 1 disabled */
    assert_int_equal(drain(1, seen, 1), 0);
    fake_use_cpu(0);
    wr(0, GICD + 0x0, 2);
    settle_vcpu(1);
    assert_int_equal(g_ack(true), 32);
    /* Another vCPU clears the active state of an interrupt that is in a list register. */
    fake_use_cpu(0);
    must(avc_vm_set_irq(&vm, 32, false));
    wr(0, GICD + 0x384, 1);
    settle_all();
    assert_int_equal(rd(0, GICD + 0x304), 0);
}

/* ---- load, put, reset ---- */

static void moves(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x104, ~0u);
    must(avc_vm_set_irq(&vm, 32, true));
    must(avc_vm_set_irq(&vm, 33, true));
    assert_int_equal(g_ack(true), 32);
    vput(0);
    assert_int_equal(avc_vgic_reset(&vgic), AVC_OK); /* clears both interrupts */
    vload(0, 2);
    assert_int_equal(g_ack(true), 1023);
    vput(0);

    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0x104, ~0u);
    must(avc_vm_set_irq(&vm, 32, true));
    must(avc_vm_set_irq(&vm, 33, true));
    assert_int_equal(g_ack(true), 32);
    assert_int_equal(avc_vgic_reset(&vgic), AVC_EBUSY);
    vput(0);
    assert_true(gcpu[0].ap1[0] != 0);
    vload(0, 2);
    assert_int_equal(g_running(), 0xa0);
    assert_int_equal(g_ack(true), 1023); /* an interrupt of equal priority does not preempt */
    g_eoi(true, 32);
    assert_int_equal(ICH_HCR_EOICOUNT(*reg(FAKE_ICH_HCR_EL2)), 0);
    assert_int_equal(g_ack(true), 33);
    vput(0);
    /* After a reset of the vCPU, the interrupt that it handled is not active any more. */
    must(avc_vcpu_reset(&vcpu[0]));
    vload(0, 1);
    assert_int_equal(rd(0, GICD + 0x304), 0);
    assert_int_equal(rd(0, SGI(0) + 0x100), 0);
    assert_int_equal(rd(0, GICD + 0x104), ~0u);
}

static void waiting_rules(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1);
    assert_false(vm.irqc->pending(&vcpu[0]));
    must(avc_vm_set_irq(&vm, 32, true));
    assert_true(vm.irqc->pending(&vcpu[0]));
    *reg(FAKE_ICH_VMCR_EL2) &= ~(UINT64_C(0xff) << 24);
    *reg(FAKE_ICH_VMCR_EL2) |= UINT64_C(0xa0) << 24; /* the mask equals its priority */
    assert_false(vm.irqc->pending(&vcpu[0]));
    *reg(FAKE_ICH_VMCR_EL2) |= UINT64_C(0xa8) << 24;
    assert_true(vm.irqc->pending(&vcpu[0]));
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG1;
    assert_false(vm.irqc->pending(&vcpu[0]));
    vput(0);
    assert_false(vm.irqc->pending(&vcpu[0]));
    gcpu[0].vmcr |= ICH_VMCR_VENG1;
    assert_true(vm.irqc->pending(&vcpu[0]));
    gcpu[0].ap1[0] = 1 << (0xa0 >> 3); /* an active interrupt has the same priority */
    assert_false(vm.irqc->pending(&vcpu[0]));
}

/* ---- timers, and disabled groups ---- */

static void vtimer_on(void)
{
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    fake_cpu->ctx[AVC_CTX_CNTV_CVAL_EL0] = 0;
    *reg(FAKE_CNTPCT_EL0) = 1000;
}

/* The guest ends an interrupt, and it must not come again. */
static void end_for_good(unsigned intid)
{
    settle_vcpu(0);
    g_eoi(true, intid);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
}

static void a_disabled_timer_stays_away(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x100, 1u << 27);
    vtimer_on();
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    wr(0, SGI(0) + 0x180, 1u << 27);
    end_for_good(27);
    assert_int_equal(rd(0, SGI(0) + 0x100) >> 27 & 1, 0);
}

static void a_timer_without_its_group_stays_away(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x100, 1u << 27);
    vtimer_on();
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    wr(0, GICD, 1);
    end_for_good(27);
}

static void an_sgi_without_its_group_stays_away(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    assert_int_equal(g_ack(true), 5);
    wr(0, GICD, 1);
    settle_vcpu(0);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    end_for_good(5);
}

static void a_level_without_its_group_stays_away(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1);
    must(avc_vm_set_irq(&vm, 32, true));
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 32);
    must(avc_vm_set_irq(&vm, 32, false));
    wr(0, GICD, 1);
    settle_vcpu(0);
    must(avc_vm_set_irq(&vm, 32, true));
    end_for_good(32);
}

static void another_enables_a_sleepers_timer(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    vtimer_on();
    settle_vcpu(1);
    vput(1);
    assert_false(avc_vcpu_has_work(&vcpu[1]));
    assert_true(avc_vcpu_deadline(&vcpu[1]) == ~UINT64_C(0));
    memset(wakes, 0, sizeof wakes);
    fake_use_cpu(0);
    wr(0, SGI(1) + 0x100, 1u << 27);
    settle_vcpu(0);
    assert_true(avc_vcpu_has_work(&vcpu[1]));
    assert_int_equal(wakes[1], 1);
}

static void another_deactivates_a_sleepers_timer(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    wr(1, SGI(1) + 0x100, 1u << 27);
    vtimer_on();
    settle_vcpu(1);
    assert_int_equal(g_ack(true), 27);
    *reg(FAKE_ICH_AP1R0_EL2) = 0; /* EOImode 1: the priority is dropped, and the interrupt is still active */
    vput(1);
    assert_false(avc_vcpu_has_work(&vcpu[1]));
    memset(wakes, 0, sizeof wakes);
    fake_use_cpu(0);
    wr(0, SGI(1) + 0x380, 1u << 27);
    assert_true(avc_vcpu_has_work(&vcpu[1]));
    assert_int_equal(wakes[1], 1);
}

static void another_deactivates_a_spilled_timer(void **state)
{
    (void)state;
    vw_boot(1, true, 2);
    wr(0, SGI(0) + 0x100, 1u << 27);
    wr8(0, SGI(0) + 0x400 + 27, 0xa0);
    wr8(0, SGI(0) + 0x400 + 5, 0x40);
    vtimer_on();
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 5); /* 27 is active, linked, and in memory */
    settle_vcpu(0);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 0; /* the timer's line is low */
    fake_use_cpu(1);
    wr(1, SGI(0) + 0x380, 1u << 27);
    wr8(1, SGI(0) + 0x400 + 27, 0x20);
    fake_use_cpu(0);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
}

/* ---- what GICR_ISPENDR0 says of a timer ---- */

#define TIMER_BIT (1u << 27)

/* In vCPU v's redistributor, as vCPU `by` sees it. */
static bool timer_pends(unsigned by, unsigned v)
{
    on_cpu_of(by);
    return rd(by, SGI(v) + 0x200) & TIMER_BIT;
}

static void a_timer_reads_as_its_level(void **state)
{
    (void)state;
    for (unsigned split = 0; split < 2; split++)
        for (unsigned by = 0; by < 2; by++) {
            vw_boot(4, split, 2);
            wr(0, SGI(0) + 0x100, TIMER_BIT);
            assert_false(timer_pends(by, 0));
            fake_use_cpu(0);
            vtimer_on();
            settle_vcpu(0);
            assert_true(timer_pends(by, 0));
            fake_use_cpu(0);
            assert_int_equal(g_ack(true), 27);
            assert_true(timer_pends(by, 0)); /* and active */
            assert_true(rd(by, SGI(0) + 0x300) & TIMER_BIT);
            wr(by, SGI(0) + 0x280, TIMER_BIT); /* not the level */
            assert_true(timer_pends(by, 0));
            fake_use_cpu(0);
            fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 3; /* IMASK */
            assert_false(timer_pends(by, 0));
            fake_use_cpu(0);
            fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
            assert_true(timer_pends(by, 0));
            wr(by, SGI(0) + 0x200, TIMER_BIT); /* ISPENDR stays when the level goes */
            settle_all();
            fake_use_cpu(0);
            fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 0;
            assert_true(timer_pends(by, 0));
            fake_use_cpu(0);
            g_eoi(true, 27);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 27);
            assert_false(timer_pends(by, 0));
            fake_use_cpu(0);
            end_for_good(27);
        }
}

/* ISPENDR of one that waits in a list register counts once: it is over when the guest takes the interrupt. */
static void a_timer_latched_comes_once(void **state)
{
    (void)state;
    for (unsigned by = 0; by < 2; by++) {
        vw_boot(4, true, 2);
        wr(0, SGI(0) + 0x100, TIMER_BIT);
        vtimer_on();
        settle_vcpu(0);
        wr(by, SGI(0) + 0x200, TIMER_BIT);
        settle_all();
        fake_use_cpu(0);
        assert_int_equal(g_ack(true), 27);
        g_eoi(true, 27);
        settle_vcpu(0); /* the line is still high */
        fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 0;
        assert_false(timer_pends(0, 0));
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 1023);
    }
}

/* Pending, not taken, and moved on: who looks takes it back. */
static void a_timer_that_was_moved_on(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++)
        for (unsigned enabled = 0; enabled < 2; enabled++) {
            vw_boot(4, true, 2);
            wr(0, SGI(0) + 0x100, enabled ? TIMER_BIT : 0);
            vtimer_on();
            settle_vcpu(0);
            if (how == 0) {
                fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 3;
                assert_false(timer_pends(0, 0));
                fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
            }
            fake_cpu->ctx[AVC_CTX_CNTV_CVAL_EL0] = 2000;
            if (how == 1)
                assert_false(timer_pends(0, 0));
            else if (how == 2)
                assert_false(timer_pends(1, 0));
            else if (how == 3)
                assert_false(vm.irqc->pending(&vcpu[0]));
            fake_use_cpu(0);
            if (!enabled)
                wr(0, SGI(0) + 0x100, TIMER_BIT);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 1023);
            *reg(FAKE_CNTPCT_EL0) = 2000; /* and comes in time */
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 27);
        }
}

static void a_timer_of_one_that_is_not_loaded(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    fake_cpu->ctx[AVC_CTX_CNTV_CVAL_EL0] = 2000;
    *reg(FAKE_CNTPCT_EL0) = 1000;
    settle_vcpu(1);
    vput(1);
    fake_use_cpu(0);
    *reg(FAKE_CNTPCT_EL0) = 1999;
    assert_false(timer_pends(0, 1));
    *reg(FAKE_CNTPCT_EL0) = 2000;
    assert_true(timer_pends(0, 1));
    vload(1, 2);
    *reg(FAKE_CNTPCT_EL0) = 2000;
    settle_vcpu(1);
    assert_true(timer_pends(0, 1));
    vpower_off(1);
    assert_false(timer_pends(0, 1));
}

/* ---- maintenance interrupts without a cause ---- */

/* Five of group 0 for four list registers, and group 1 off at the CPU interface. */
static void a_group_that_is_not_off(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    misr_like_qemu = true;
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG1;
    wr(0, SGI(0) + 0x80, 0);
    wr(0, SGI(0) + 0x200, 0x1f);
    settle_vcpu(0);
    assert_true(gcpu[0].spilled);
    assert_true(avc_vgic_baseless(&vcpu[0]) > 0 && avc_vgic_baseless(&vcpu[0]) < 8);
    for (uint32_t left = 0x1f; left;) {
        uint32_t intid;

        settle_vcpu(0);
        intid = g_ack(false);
        assert_true(intid < 5 && left >> intid & 1);
        g_eoi(false, intid);
        left &= ~(1u << intid);
    }
    settle_vcpu(0);
    assert_int_equal(g_ack(false), 1023);
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1; /* and the causes that tell the truth are heard */
    wr(0, SGI(0) + 0x200, 0x1f);
    settle_vcpu(0);
    *reg(FAKE_ICH_VMCR_EL2) &= ~ICH_VMCR_VENG0;
    wr(0, SGI(0) + 0x80, 1u << 9);
    wr8(0, SGI(0) + 0x409, 0xf0);
    sysreg_write(0, SGI1R, sgi_value(9, 0, 1));
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 9);
}

/* A line that nothing brings down costs the host some interrupts, and the guest its own until somebody asks. */
static void a_line_that_stays_up(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 8; bit++) {
        vw_boot(4, true, 1);
        assert_int_equal(avc_vgic_baseless(&vcpu[0]), 0);
        misr_stuck = 1u << bit;
        settle_vcpu(0);
        wr(0, SGI(0) + 0x200, 0xff);
        settle_vcpu(0);
        assert_true(avc_vgic_baseless(&vcpu[0]) > 0);
        misr_stuck = 0;
        vcpu[0].requests |= AVC_REQUEST_IRQC;
        assert_int_equal(drain(0, seen, 9), 8);
    }
}

/* ---- vCPUs that go off, or wait ---- */

static void rwp_is_clear(void)
{
    on_cpu_of(0);
    assert_false(rd(0, GICD) & GICD_CTLR_RWP);
    assert_false(rd(0, RD(1)) & GICR_CTLR_RWP);
}

/* An interrupt is pending in its list register, a timer's is linked and active; then it goes off, and stays loaded. */
static void nothing_waits_for_one_that_is_off(void **state)
{
    uint64_t x = 0;

    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    wr(1, SGI(1) + 0x100, 1u << 27);
    wr8(1, SGI(1) + 0x400 + 27, 0x40);
    vtimer_on();
    settle_vcpu(1);
    assert_int_equal(g_ack(true), 27);
    sysreg_write(1, SGI1R, sgi_value(5, 0, 2));
    vpower_off(1);
    assert_int_equal(*reg(FAKE_ICH_HCR_EL2), 0);
    assert_false(phys[1].masked[27] || phys[1].active[27] || line_of(0)); /* the host has no trouble with it */
    fake_use_cpu(0);
    wr(0, GICD, 0);
    rwp_is_clear();
    wr(0, GICD, 3);
    rwp_is_clear();
    assert_int_equal(mmio(0, SGI(1) + 0x200, 4, false, &x), AVC_DONE);
    assert_int_equal(x, 1u << 5);
    assert_int_equal(mmio(0, SGI(1) + 0x300, 4, false, &x), AVC_DONE);
    assert_int_equal(x, 1u << 27);
    wr(0, SGI(1) + 0x380, 1u << 27);
    rwp_is_clear();
    sysreg_write(0, SGI1R, sgi_value(6, 0, 2));
    wr(0, SGI(1) + 0x180, 1u << 5);
    rwp_is_clear();
    vput(1);
    vload(1, 2);
    wr(0, GICD, 0);
    rwp_is_clear();
    wr(0, GICD, 3);
    vpower_on(1);
    assert_int_equal(rd(0, SGI(1) + 0x200), 3u << 5);
    assert_int_equal(rd(0, SGI(1) + 0x300), 0);
}

/* What the vGIC owns is not handed to the host when it comes late. */
static void a_late_irq_of_one_that_is_off(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    vpower_off(0);
    phys[0].active[27] = true;
    assert_true(vm.irqc->irq(&vcpu[0], 27));
    assert_false(phys[0].active[27]);
    assert_false(vm.irqc->irq(&vcpu[0], AVC_IRQ_SPURIOUS));
    assert_false(vm.irqc->irq(&vcpu[0], 1));
}

/* The host lets it wait, loaded, and asks when it is woken. */
static void nothing_waits_for_one_in_wfi(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, SGI(1) + 0x100, 1u << 5);
    sysreg_write(0, SGI1R, sgi_value(5, 0, 2));
    settle_all();
    fake_use_cpu(1);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(UINT64_C(0xff) << 24); /* masked: no interrupt ends its wait */
    vcpu[1].mode = AVC_MODE_HOST;
    assert_false(avc_vcpu_has_work(&vcpu[1]));
    memset(wakes, 0, sizeof wakes);
    fake_use_cpu(0);
    wr(0, GICD, 0);
    assert_true(rd(0, GICD) & GICD_CTLR_RWP);
    assert_int_equal(wakes[1], 1);
    fake_use_cpu(1);
    assert_false(avc_vcpu_has_work(&vcpu[1]));
    rwp_is_clear();
}

/* It waits loaded, and what was ended before is still in its list register. The next one comes from another CPU. */
static void one_in_wfi_has_what_others_sent(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, SGI(1) + 0x100, 1u << 5);
    wr(0, GICD + 0x6000 + 8 * 40, 1); /* level, to vCPU 1 */
    wr(0, GICD + 0x104, 1u << 8);
    for (unsigned spi = 0; spi < 2; spi++) {
        for (unsigned round = 0; round < 2; round++) {
            fake_use_cpu(0);
            if (spi)
                must(avc_vm_set_irq(&vm, 40, true));
            else
                sysreg_write(0, SGI1R, sgi_value(5, 0, 2));
            fake_use_cpu(1);
            vcpu[1].mode = AVC_MODE_HOST;
            assert_true(avc_vcpu_has_work(&vcpu[1])); /* with nothing done for it in between */
            settle_vcpu(1);
            assert_int_equal(g_ack(true), spi ? 40 : 5);
            if (spi)
                must(avc_vm_set_irq(&vm, 40, false));
            g_eoi(true, spi ? 40 : 5);
            if (!round)
                assert_false(avc_vcpu_has_work(&vcpu[1]));
        }
    }
}

/* The host has set the timer of a vCPU that is off, and loaded it. */
static void timer_of_one_that_is_off(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    fake_use_cpu(1);
    vpower_off(1);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    take_irq(1, 27);
    assert_int_equal(fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0], 0);
}

/* Another vCPU prepares it, and then switches it on. */
static void power_on_keeps_the_redistributor(void **state)
{
    (void)state;
    for (unsigned loaded = 0; loaded < 2; loaded++) {
        vw_boot(4, true, 2);
        fake_use_cpu(1);
        sysreg_write(1, SGI1R, sgi_value(5, 0, 2)); /* pending in a list register */
        *reg(FAKE_ICH_AP1R0_EL2) = 1u << 4;
        vpower_off(1);
        if (!loaded)
            vput(1);
        fake_use_cpu(0);
        wr(0, RD(1) + 0x14, 0);
        wr(0, SGI(1) + 0x180, ~0u);
        wr(0, SGI(1) + 0x100, 1u << 5 | 1u << 9);
        wr8(0, SGI(1) + 0x400 + 9, 0x48);
        sysreg_write(0, SGI1R, sgi_value(9, 0, 2));
        if (!loaded)
            vload(1, 1);
        vpower_on(1);
        assert_int_equal(g_ack(true), 1023); /* its own groups are off */
        assert_int_equal(*reg(FAKE_ICH_VMCR_EL2), ICH_VMCR_VFIQEN);
        assert_int_equal(*reg(FAKE_ICH_AP1R0_EL2), 0);
        fake_use_cpu(0);
        assert_int_equal(rd(0, SGI(1) + 0x100), 1u << 5 | 1u << 9);
        assert_int_equal(rd(0, SGI(1) + 0x200), 1u << 5 | 1u << 9);
        assert_int_equal(rd(0, SGI(1) + 0x408), 0xa0a048a0);
        assert_int_equal(rd(0, SGI(1) + 0x80), ~0u);
        assert_int_equal(rd(0, RD(1) + 0x14), 0);
        fake_use_cpu(1);
        *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1 | UINT64_C(0xf8) << 24;
        assert_int_equal(drain(1, seen, 4), 2);
        assert_int_equal(seen[0], 9);
        assert_int_equal(seen[1], 5);
        vput(1);
        must(avc_vcpu_reset(&vcpu[1])); /* the host's reset is of all */
        fake_use_cpu(0);
        assert_int_equal(rd(0, SGI(1) + 0x100), 0);
    }
}

/* ---- what a reader has found ---- */

/* A linked timer whose group is off is pending in a list register, and more SGIs come than fit beside it. */
static void linked_and_off(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x80, ~(1u << 27)); /* the timer's: group 0 */
    wr(0, SGI(0) + 0x100, 1u << 27);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(uint64_t)ICH_VMCR_VENG0;
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    settle_vcpu(0);
    assert_true(*lr(0) & ICH_LR_HW);
    for (unsigned n = 1; n <= 4; n++)
        sysreg_write(0, SGI1R, sgi_value(n, 0, 1));
    assert_int_equal(drain(0, seen, 8), 4);
}

/* The same with a timer that comes last. */
static void linked_and_last(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x100, 1u << 27);
    wr8(0, SGI(0) + 0x400 + 27, 0xf0);
    for (unsigned n = 1; n <= 3; n++)
        wr8(0, SGI(0) + 0x400 + n, 0x80);
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 1;
    settle_vcpu(0);
    for (unsigned n = 1; n <= 4; n++)
        sysreg_write(0, SGI1R, sgi_value(n, 0, 1));
    for (unsigned n = 0; n < 5; n++) {
        uint32_t intid;

        settle_vcpu(0);
        intid = g_ack(true);
        if (intid == 27) {
            fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 0;
            assert_int_equal(n, 4);
        }
        g_eoi(true, intid);
    }
}

/* An interrupt becomes pending again while it is active and its group is off. It ends, and others take its register. */
static void pending_while_off(void **level)
{
    uint32_t intid = *level ? 40 : 5;

    vw_boot(4, true, 1);
    wr(0, SGI(0) + 0x80, ~0xf00u); /* SGIs 8 to 11: group 0 */
    if (*level) {
        wr(0, GICD + 0x104, 1u << 8);
        must(avc_vm_set_irq(&vm, 40, true));
    } else {
        sysreg_write(0, SGI1R, sgi_value(5, 0, 1));
    }
    settle_vcpu(0);
    assert_int_equal(g_ack(true), intid);
    wr(0, GICD, 1); /* group 1 off */
    if (!*level)
        wr(0, SGI(0) + 0x200, 1u << 5);
    settle_vcpu(0);
    g_eoi(true, intid);
    settle_vcpu(0);
    for (unsigned n = 8; n <= 11; n++)
        sysreg_write(0, SGI1R, sgi_value(n, 0, 1));
    for (unsigned n = 8; n <= 11; n++) {
        settle_vcpu(0);
        g_eoi(false, g_ack(false));
    }
    wr(0, GICD, 3);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), intid);
}

/* The guest enables a group. Before the maintenance interrupt says so it traps, and has more than fits. */
static void any_enable_unseen(void **state)
{
    (void)state;
    vw_boot(1, true, 1);
    for (unsigned v = 1; v < NR_VCPUS; v++)
        gcpu[v].vmcr = 0;          /* the others take nothing */
    wr(0, SGI(0) + 0x80, ~0x300u); /* SGIs 8 and 9: group 0 */
    wr64(0, GICD + 0x6000 + 8 * 40, GICD_IROUTER_IRM);
    wr(0, GICD + 0x104, 1u << 8);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(uint64_t)ICH_VMCR_VENG1;
    settle_vcpu(0);
    must(avc_vm_set_irq(&vm, 40, true)); /* nobody takes it */
    assert_int_equal(spis[0].target[8], AVC_VGIC_NONE);
    sysreg_write(0, SGI1R, sgi_value(8, 0, 1));
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1;
    sysreg_write(0, SGI1R, sgi_value(9, 0, 1));
    settle_vcpu(0);
    assert_int_equal(spis[0].target[8], 0);
}

/* ICH_ELRSR_EL2 as of the last context synchronization event. */
static uint64_t old_elrsr;

static void elrsr_is_old(enum fake_reg r, uint64_t *value)
{
    vw_on_read(r, value);
    if (r == FAKE_ICH_ELRSR_EL2)
        *value = old_elrsr;
}

static void put_after_a_write(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0x104, 1u << 8);
    old_elrsr = 0xf; /* all were empty when the guest trapped */
    fake_on_read = elrsr_is_old;
    must(avc_vm_set_irq(&vm, 40, true));
    vcpu[0].mode = AVC_MODE_HOST;
    must(avc_vcpu_put(&vcpu[0]));
    assert_true(gcpu[0].lr[0] & ICH_LR_PENDING);
}

/* One write enables five interrupts, with four list registers whose interrupts have ended. */
static void evicts_after_a_write(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned n = 1; n <= 4; n++)
        sysreg_write(0, SGI1R, sgi_value(n, 0, 1));
    assert_int_equal(drain(0, seen, 8), 4);
    fake_use_cpu(0);
    wr(0, SGI(0) + 0x180, 0x1f00);
    wr(0, SGI(0) + 0x200, 0x1f00);
    old_elrsr = 0xf;
    fake_on_read = elrsr_is_old;
    wr(0, SGI(0) + 0x100, 0x1f00);
    fake_on_read = vw_on_read;
    settle_vcpu(0);
    assert_int_equal(drain(0, seen, 8), 5);
}

/* A list register that is said to be empty, and is not, is not given to another interrupt. */
static void no_victim_by_an_old_word(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned n = 1; n <= 4; n++)
        sysreg_write(0, SGI1R, sgi_value(n, 0, 1));
    on_cpu_of(0);
    old_elrsr = 0xf;
    fake_on_read = elrsr_is_old;
    assert_int_equal(avc_vgic_lr_victim(&gcpu[0], false), ~0u);
    *lr(2) = 0; /* the guest has ended this one */
    for (unsigned next = 0; next < 4; next++) {
        gcpu[0].lr_next = (uint8_t)next;
        assert_int_equal(avc_vgic_lr_victim(&gcpu[0], false), 2);
    }
    fake_on_read = vw_on_read;
}

/* ---- long operations ---- */

static unsigned pauses;
static uint64_t host_irq = ISR_I; /* what ISR_EL1 has */

static uint64_t always(void)
{
    pauses++;
    return host_irq;
}

static unsigned nr_pending(void)
{
    return (unsigned)__builtin_popcount(spis[0].bank.latch | spis[0].bank.moved);
}

/* Runs a vCPU again that has stopped: run serves its requests, and returns. Returns how often it did. */
static unsigned run_on(unsigned v)
{
    unsigned times = 0;

    on_cpu_of(v);
    for (; vcpu[v].requests & AVC_REQUEST_IRQC; times++) {
        uint32_t left = gcpu[v].work.left;

        assert_true(times < 20);
        vcpu[v].requests = 0;
        fake_cpu->masked = true;
        vm.irqc->enter(&vcpu[v]);
        fake_cpu->masked = false;
        assert_true(!left || gcpu[v].work.left < left); /* each run does something */
    }
    return times;
}

/* 32 SPIs become pending by one write, while the host has an interrupt all the time. */
static void long_write(void **state)
{
    static const uint64_t irqs[] = { 0, ISR_I, ISR_F };

    (void)state;
    for (unsigned k = 0; k < AVC_ARRAY_SIZE(irqs); k++) {
        vw_boot(4, true, 2);
        wr(0, GICD + 0xc08, ~0u); /* 32 to 63 are edges, and enabled */
        wr(0, GICD + 0xc0c, ~0u);
        wr(0, GICD + 0x104, ~0u);
        host_irq = irqs[k];
        on_pause = always;
        pauses = 0;
        wr(0, GICD + 0x204, ~0u);
        assert_true(pauses);
        if (irqs[k]) {
            assert_in_range(nr_pending(), 1, 8);
            assert_int_equal(vcpu[0].requests, AVC_REQUEST_IRQC | AVC_REQUEST_KICK);
            assert_true(run_on(0) > 4);
        } else {
            assert_int_equal(vcpu[0].requests, 0);
        }
        assert_int_equal(nr_pending(), 32);
        on_pause = NULL;
        assert_int_equal(drain(0, seen, 33), 32); /* each once */
        assert_int_equal(drain(1, seen, 4), 0);
    }
}

/* The vCPU leaves its CPU in the middle, and goes on on another one. */
static void long_write_moves(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0xc0c, ~0u);
    wr(0, GICD + 0x104, ~0u);
    host_irq = ISR_I;
    on_pause = always;
    wr(0, GICD + 0x204, ~0u);
    assert_true(gcpu[0].work.left);
    vput(0);
    assert_true(gcpu[0].work.left); /* its guest is where it was: behind no instruction more */
    vload(0, 2);
    assert_true(vcpu[0].requests & AVC_REQUEST_IRQC);
    run_on(0);
    on_pause = NULL;
    assert_int_equal(drain(0, seen, 33), 32);
}

static unsigned read_rwp;

static uint64_t other_reads(void)
{
    unsigned now = cpu_now();

    if (gcpu[0].work.left) {
        on_cpu_of(1);
        read_rwp += rd(1, GICD) >> 31;
        fake_use_cpu(now);
        fake_cpu->masked = true;
    }
    return 0;
}

/* GICD_CTLR.RWP reads as 1 until all vCPUs were asked; also if the vCPU that writes is reset in the middle. */
static void long_ctlr(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    read_rwp = 0;
    on_pause = other_reads;
    wr(0, GICD, 1);
    assert_true(read_rwp);
    on_pause = NULL;
    settle_all();
    assert_int_equal(rd(1, GICD) >> 31, 0);
    host_irq = ISR_I;
    on_pause = always;
    wr(0, GICD, 3);
    on_pause = NULL;
    assert_true(gcpu[0].work.left);
    assert_int_equal(rd(1, GICD) >> 31, 1);
    vput(0);
    must(avc_vcpu_reset(&vcpu[0]));
    settle_all();
    assert_int_equal(rd(1, GICD) >> 31, 0);
}

/* An SGI to all but the writer, and one to a list, stop after one or two of them. */
static void long_sgi(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        vw_boot(4, true, 3);
        host_irq = ISR_I;
        on_pause = always;
        sysreg_write(0, SGI1R, k ? UINT64_C(3) << 24 | 3 : UINT64_C(1) << 40 | 3 << 24);
        assert_true(gcpu[0].work.left);
        run_on(0);
        on_pause = NULL;
        assert_int_equal(drain(1, seen, 2), 1);
        assert_int_equal(seen[0], 3);
        assert_int_equal(drain(2, seen, 2), k ? 0 : 1);
        assert_int_equal(drain(0, seen, 2), k ? 1 : 0);
    }
}

/* Two parts of one instruction: the second one comes after all of the first one. */
static void long_parts(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0xc0c, ~0u);
    host_irq = ISR_I;
    for (unsigned k = 0; k < 2; k++) { /* as an event */
        struct avc_exit e = { .kind = AVC_MMIO, .key = GICD + 0x204, .size = 4, .write = true, .value = ~0u };

        on_pause = always;
        wr(0, GICD + 0x104, ~0u);
        run_on(0);
        assert_int_equal(claim(&vcpu[0], avc_vgic_dist_access, &e, &vgic), AVC_DONE);
        assert_true(gcpu[0].work.left);
        e.key = GICD + 0x284;
        assert_int_equal(claim(&vcpu[0], avc_vgic_dist_access, &e, &vgic), AVC_DONE);
        run_on(0);
        on_pause = NULL;
        assert_int_equal(nr_pending(), 0);
    }
}

/* ---- others have the lock in between ---- */

/* vCPU 1 makes this write, once, as soon as vCPU 0 has less in its list registers than this, after so many chances. */
static struct {
    uint64_t ipa;
    uint32_t value;
    unsigned below, chances, done;
} theirs;

static void others_write(void)
{
    unsigned now = cpu_now();

    if (theirs.done || now != 0 || (unsigned)__builtin_popcount(gcpu[0].lr_used) >= theirs.below)
        return;
    if (theirs.chances) {
        theirs.chances--;
        return;
    }
    theirs.done = 1;
    on_cpu_of(1);
    wr(1, theirs.ipa, theirs.value);
    fake_use_cpu(now);
    fake_cpu->masked = true;
}

/* All list registers have interrupts that the guest has ended. Others come, and while vCPU 0 frees the registers for
   them, another vCPU disables the first of them. */
static void disabled_before_it_is_placed(void **state)
{
    (void)state;
    vw_boot(4, true, 2);
    wr(0, GICD + 0xc08, ~0u);
    wr(0, GICD + 0xc0c, ~0u);
    wr(0, GICD + 0x104, 0xf);
    for (uint32_t n = 32; n < 36; n++)
        must(avc_vm_set_irq(&vm, n, true));
    assert_int_equal(drain(0, seen, 4), 4);
    assert_int_equal(gcpu[0].lr_used, 0xf);
    wr(0, GICD + 0x204, 0x3f << 8); /* 40 to 45: pending, and now enabled */
    on_cpu_of(0);
    theirs.ipa = GICD + 0x184;
    theirs.value = 1u << 8;
    theirs.below = 4;
    theirs.chances = theirs.done = 0;
    on_breath = others_write;
    wr(0, GICD + 0x104, 0x3f << 8);
    on_breath = NULL;
    assert_true(theirs.done);
    assert_int_equal(drain(0, seen, 8), 5);
    for (unsigned n = 0; n < 5; n++)
        assert_int_not_equal(seen[n], 40);
    assert_int_equal(spis[0].bank.latch, 1u << 8);
    wr(1, GICD + 0x104, 1u << 8);
    assert_int_equal(drain(0, seen, 8), 1);
    assert_int_equal(seen[0], 40);
}

/* A timer has expired while its interrupt was disabled, and is off again. Another vCPU enables the interrupt while list
   registers are filled, and cannot see the line. The guest takes no timer interrupt. */
static void enabled_while_others_are_placed(void **state)
{
    unsigned reached = 0;

    (void)state;
    for (unsigned waiting = 1; waiting <= 8; waiting++)
        for (unsigned chance = 0; chance < 16; chance++) {
            vw_boot(4, true, 2);
            wr8(0, SGI(0) + 0x400 + 30, 8); /* it would come first */
            fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0] = 1;
            settle_vcpu(0);
            fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0] = 0;
            assert_true(gcpu[0].bank.line >> 30 & 1); /* what was done about it */
            wr(0, GICD + 0x204, (1u << waiting) - 1);
            theirs.ipa = SGI(0) + 0x100;
            theirs.value = 1u << 30;
            theirs.below = 5;
            theirs.chances = chance;
            theirs.done = 0;
            on_breath = others_write;
            wr(0, GICD + 0x104, (1u << waiting) - 1);
            on_breath = NULL;
            reached += theirs.done;
            assert_int_equal(drain(0, seen, 8), waiting);
            for (unsigned n = 0; n < waiting; n++)
                assert_int_not_equal(seen[n], 30);
        }
    assert_true(reached > 20);
}

/* The only vCPU that takes an SPI that any may take has just enabled its group, and leaves its CPU. The host has an
   interrupt, so put does not look for the SPI. */
static void put_stops(void **state)
{
    (void)state;
    vw_boot(4, true, 1);
    for (unsigned v = 1; v < NR_VCPUS; v++)
        gcpu[v].vmcr = 0;
    wr64(0, GICD + 0x6000 + 8 * 40, GICD_IROUTER_IRM);
    wr(0, GICD + 0x104, 1u << 8);
    *reg(FAKE_ICH_VMCR_EL2) &= ~(uint64_t)ICH_VMCR_VENG1;
    settle_vcpu(0);
    must(avc_vm_set_irq(&vm, 40, true)); /* nobody takes it */
    assert_int_equal(spis[0].target[8], AVC_VGIC_NONE);
    settle_vcpu(0);
    *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1;
    host_irq = ISR_I;
    on_pause = always;
    vput(0);
    on_pause = NULL;
    vload(0, 0);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 40);
}

static unsigned toggles;

/* vCPU 1 writes its GICR_WAKER again and again, so that SPIs may go to it, or to others. */
static uint64_t others_toggle(void)
{
    static bool inside;
    unsigned now = cpu_now();
    bool masked = fake_cpu->masked;

    if (inside)
        return ISR_I; /* it stops at once, and is there again */
    assert_true(++toggles < 2000);
    inside = true;
    on_cpu_of(1);
    wr(1, RD(1) + 0x14, toggles % 2 ? 2 : 0);
    inside = false;
    fake_use_cpu(now);
    fake_cpu->masked = masked;
    return 0;
}

/* The host asks whether a vCPU has work, or resets one, while another vCPU always gives it more to look at. It comes
   to an end. */
static void no_end_of_settling(void **state)
{
    (void)state;
    vw_make(4, true);
    vw_attach(AVC_VGIC_MAX_SPIS);
    vload(0, 0);
    vload(1, 1);
    for (unsigned v = 0; v < 2; v++) {
        on_cpu_of(v);
        *reg(FAKE_ICH_VMCR_EL2) |= ICH_VMCR_VENG1;
    }
    wr64(1, GICD + 0x6000 + 8 * 40, GICD_IROUTER_IRM);
    settle_all();
    for (unsigned k = 0; k < 5; k++) {
        toggles = 0;
        vgic.unsettled = vgic.nr_banks; /* somebody has stopped */
        on_pause = others_toggle;
        fake_use_cpu(2);
        vcpu[0].mode = AVC_MODE_HOST;
        if (k == 0)
            (void)avc_vcpu_has_work(&vcpu[2]);
        else if (k == 1)
            (void)avc_vcpu_has_work(&vcpu[0]); /* on another CPU */
        else if (k == 2)
            must(avc_vcpu_reset(&vcpu[2]));
        else if (k == 3)
            must(avc_vcpu_start(&vcpu[2], 0, 0));
        else
            vput(0);
        on_pause = NULL;
        assert_true(toggles);
        settle_all();
        assert_int_equal(vgic.unsettled, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_refuses),
        cmocka_unit_test(attach_after_vcpus),
        cmocka_unit_test(sgi_to_self),
        cmocka_unit_test(sgi_after_icpendr),
        cmocka_unit_test(sgi_forms),
        cmocka_unit_test(sgi_groups),
        cmocka_unit_test(sgi_to_waiting),
        cmocka_unit_test(spi_edge),
        cmocka_unit_test(spi_level),
        cmocka_unit_test(spi_routes),
        cmocka_unit_test(any_wants_the_group),
        cmocka_unit_test(any_wants_it_awake),
        cmocka_unit_test(any_moves_on),
        cmocka_unit_test(any_waits_for_the_first),
        cmocka_unit_test(spi_active_elsewhere),
        cmocka_unit_test(irq_ranges),
        cmocka_unit_test(wakes_own),
        cmocka_unit_test(big_endian),
        cmocka_unit_test(reuse),
        cmocka_unit_test(disabled_in_lr),
        cmocka_unit_test(moves_to_fewer),
        cmocka_unit_test(level_across_put),
        cmocka_unit_test(changed_after_load),
        cmocka_unit_test(linked_and_off),
        cmocka_unit_test(linked_and_last),
        { "pending_while_off, an edge", pending_while_off, NULL, NULL, NULL },
        { "pending_while_off, a level", pending_while_off, NULL, NULL, (void *)1 },
        cmocka_unit_test(any_enable_unseen),
        cmocka_unit_test(put_after_a_write),
        cmocka_unit_test(evicts_after_a_write),
        cmocka_unit_test(no_victim_by_an_old_word),
        cmocka_unit_test(long_write),
        cmocka_unit_test(long_write_moves),
        cmocka_unit_test(long_ctlr),
        cmocka_unit_test(long_sgi),
        cmocka_unit_test(long_parts),
        cmocka_unit_test(disabled_before_it_is_placed),
        cmocka_unit_test(enabled_while_others_are_placed),
        cmocka_unit_test(put_stops),
        cmocka_unit_test(no_end_of_settling),
        cmocka_unit_test(put_before_a_look),
        cmocka_unit_test(disabled_pending_and_active),
        cmocka_unit_test(overflow_pending),
        cmocka_unit_test(overflow_groups),
        { "overflow_active, EOImode 0", overflow_active, NULL, NULL, NULL },
        { "overflow_active, EOImode 1", overflow_active, NULL, NULL, (void *)1 },
        cmocka_unit_test(dir_elsewhere),
        cmocka_unit_test(no_tdir),
        cmocka_unit_test(read_is_exact),
        cmocka_unit_test(disable_takes_back),
        cmocka_unit_test(moves),
        cmocka_unit_test(waiting_rules),
        cmocka_unit_test(a_disabled_timer_stays_away),
        cmocka_unit_test(a_timer_without_its_group_stays_away),
        cmocka_unit_test(an_sgi_without_its_group_stays_away),
        cmocka_unit_test(a_level_without_its_group_stays_away),
        cmocka_unit_test(another_enables_a_sleepers_timer),
        cmocka_unit_test(another_deactivates_a_sleepers_timer),
        cmocka_unit_test(another_deactivates_a_spilled_timer),
        cmocka_unit_test(a_timer_reads_as_its_level),
        cmocka_unit_test(a_timer_latched_comes_once),
        cmocka_unit_test(a_timer_that_was_moved_on),
        cmocka_unit_test(a_timer_of_one_that_is_not_loaded),
        cmocka_unit_test(a_group_that_is_not_off),
        cmocka_unit_test(a_line_that_stays_up),
        cmocka_unit_test(nothing_waits_for_one_that_is_off),
        cmocka_unit_test(a_late_irq_of_one_that_is_off),
        cmocka_unit_test(nothing_waits_for_one_in_wfi),
        cmocka_unit_test(one_in_wfi_has_what_others_sent),
        cmocka_unit_test(timer_of_one_that_is_off),
        cmocka_unit_test(power_on_keeps_the_redistributor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
