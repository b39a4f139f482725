/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The timers' interrupts: on hosts that drop the priority and deactivate in two steps, on hosts that do both at once,
 * and on hosts that leave interrupts pending. vgic_world.h has the fake's physical PPIs. settle_vcpu() raises them
 * there, and the test fails if anything deactivates an interrupt that is not active.
 */
#include "vgic_world.h"

#define TIMERS 2
static const uint32_t ppi[TIMERS] = { 27, 30 };

static void set_timer(unsigned t, uint64_t ctl, uint64_t cval)
{
    fake_cpu->ctx[t ? AVC_CTX_CNTP_CTL_EL0 : AVC_CTX_CNTV_CTL_EL0] = ctl;
    fake_cpu->ctx[t ? AVC_CTX_CNTP_CVAL_EL0 : AVC_CTX_CNTV_CVAL_EL0] = cval;
}

/* Virtual time is physical time less `offset`, for the virtual timer. */
static void now_is(uint64_t count)
{
    for (unsigned c = 0; c < NR_CPUS; c++)
        fake_cpus[c].reg[FAKE_CNTPCT_EL0] = count + vm.cntvoff;
}

static void boot(bool split, unsigned t)
{
    vw_boot(4, split, 1);
    /* The library does not rely on reset values, which are UNKNOWN. */
    set_timer(0, 0, 0);
    set_timer(1, 0, 0);
    now_is(1000);
    wr(0, SGI(0) + 0x100, 1u << ppi[t]);
}

/* Returns the CVAL of timer t for a virtual time. */
static uint64_t cval(unsigned t, uint64_t count)
{
    return t ? count + vm.cntvoff : count;
}

static void fires(void **state)
{
    (void)state;
    for (unsigned split = 0; split < 2; split++)
        for (unsigned t = 0; t < TIMERS; t++) {
            boot(split, t);
            set_timer(t, 1, cval(t, 1100));
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 1023);
            now_is(1100);
            settle_vcpu(0);
            assert_int_equal(phys[0].active[ppi[t]], split); /* linked if the host splits the end; otherwise masked */
            assert_int_equal(phys[0].masked[ppi[t]], !split);
            assert_int_equal(g_ack(true), ppi[t]);
            set_timer(t, 1, cval(t, 1200)); /* done by the handler */
            g_eoi(true, ppi[t]);
            settle_vcpu(0);
            assert_false(phys[0].active[ppi[t]]);
            assert_false(phys[0].masked[ppi[t]]);
            assert_int_equal(g_ack(true), 1023);
            now_is(1300);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), ppi[t]);
            g_eoi(true, ppi[t]); /* the timer is still due, so the interrupt comes again */
            settle_vcpu(0);
            assert_int_equal(g_ack(true), ppi[t]);
            set_timer(t, 0, 0);
            g_eoi(true, ppi[t]);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 1023);
            assert_int_equal(phys[0].drops, split ? 3 : 5); /* with maintenance interrupts */
            vput(0);
        }
}

/* The interrupt is disabled when the timer expires. It is masked, and comes when the guest enables it. */
static void disabled_then_enabled(void **state)
{
    (void)state;
    for (unsigned split = 0; split < 2; split++)
        for (unsigned t = 0; t < TIMERS; t++) {
            boot(split, t);
            wr(0, SGI(0) + 0x180, 1u << ppi[t]);
            set_timer(t, 1, cval(t, 1000));
            settle_vcpu(0);
            assert_true(phys[0].masked[ppi[t]]);
            assert_false(phys[0].active[ppi[t]]);
            assert_int_equal(g_ack(true), 1023);
            wr(0, SGI(0) + 0x100, 1u << ppi[t]);
            assert_int_equal(g_ack(true), ppi[t]);
            set_timer(t, 1, cval(t, 2000));
            g_eoi(true, ppi[t]);
            settle_vcpu(0);
            assert_false(phys[0].masked[ppi[t]]);
            /*
             * If the guest sets the timer anew before it enables the interrupt, nothing comes, and nothing stays
             * masked.
             */
            wr(0, SGI(0) + 0x180, 1u << ppi[t]);
            set_timer(t, 1, cval(t, 1000));
            settle_vcpu(0);
            assert_true(phys[0].masked[ppi[t]]);
            set_timer(t, 1, cval(t, 2000));
            wr(0, SGI(0) + 0x100, 1u << ppi[t]);
            assert_false(phys[0].masked[ppi[t]]);
            assert_int_equal(g_ack(true), 1023);
            /* The same with the group disabled and enabled. */
            wr(0, GICD, 0);
            set_timer(t, 1, cval(t, 1000));
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 1023);
            wr(0, GICD, 3);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), ppi[t]);
            g_eoi(true, ppi[t]);
            vput(0);
        }
}

/*
 * The interrupt is disabled while it is linked and pending. The list register gives it back. When it is enabled again,
 * it comes if the timer is still due.
 */
static void disabled_while_linked(void **state)
{
    (void)state;
    boot(true, 0);
    set_timer(0, 1, 1000);
    settle_vcpu(0);
    assert_true(phys[0].active[27]);
    wr(0, SGI(0) + 0x180, 1u << 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
    wr(0, SGI(0) + 0x100, 1u << 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    g_eoi(true, 27);
    settle_vcpu(0);
    wr(0, SGI(0) + 0x180, 1u << 27);
    set_timer(0, 1, 2000);
    wr(0, SGI(0) + 0x100, 1u << 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
    assert_false(phys[0].active[27]);
    vput(0);
}

/* The guest clears the active state of a linked interrupt. The physical one is deactivated, and comes again. */
static void icactiver(void **state)
{
    (void)state;
    for (unsigned split = 0; split < 2; split++) {
        boot(split, 0);
        set_timer(0, 1, 1000);
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 27);
        *reg(FAKE_ICH_AP1R0_EL2) = 0;
        wr(0, SGI(0) + 0x380, 1u << 27);
        assert_false(phys[0].active[27]);
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 27);
        set_timer(0, 0, 0);
        g_eoi(true, 27);
        settle_vcpu(0);
        assert_false(phys[0].masked[27]);
        vput(0);
    }
}

/* The same from another vCPU. */
static void icactiver_elsewhere(void **state)
{
    (void)state;
    boot(true, 0);
    vload(1, 1);
    set_timer(0, 0, 0);
    set_timer(1, 0, 0);
    fake_use_cpu(0);
    set_timer(0, 1, 1000);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    *reg(FAKE_ICH_AP1R0_EL2) = 0;
    fake_use_cpu(1);
    assert_int_equal(rd(1, SGI(0) + 0x300), 1u << 27);
    fake_use_cpu(1);
    wr(1, SGI(0) + 0x380, 1u << 27);
    settle_all();
    assert_int_equal(rd(1, SGI(0) + 0x300), 0);
    fake_use_cpu(0);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    g_eoi(true, 27);
    set_timer(0, 0, 0);
    vput(0);
}

/*
 * Software sets it pending (ISPENDR) while it is linked and active. It must never be pending and active with HW=1. Both
 * interrupts are delivered.
 */
static void ispendr_while_linked(void **state)
{
    (void)state;
    boot(true, 0);
    set_timer(0, 1, 1000);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    wr(0, SGI(0) + 0x200, 1u << 27);
    set_timer(0, 0, 0);
    g_eoi(true, 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    g_eoi(true, 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 1023);
    vput(0);
}

/* Software makes it pending and the guest ends it. Then the timer expires: that interrupt is linked. */
static void ispendr_first(void **state)
{
    (void)state;
    boot(true, 0);
    wr(0, SGI(0) + 0x200, 1u << 27);
    assert_int_equal(g_ack(true), 27);
    g_eoi(true, 27);
    set_timer(0, 1, 1000);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    assert_true(phys[0].active[27]);
    set_timer(0, 0, 0);
    g_eoi(true, 27);
    assert_false(phys[0].active[27]);
    vput(0);
}

/* The vCPU is put in each state. vput() checks that no physical interrupt stays active or masked. */
static void put_in_every_state(void **state)
{
    (void)state;
    for (unsigned split = 0; split < 2; split++)
        for (unsigned t = 0; t < TIMERS; t++)
            for (unsigned stage = 0; stage < 4; stage++) {
                boot(split, t);
                if (stage == 3)
                    wr(0, SGI(0) + 0x180, 1u << ppi[t]);
                set_timer(t, 1, cval(t, 1000));
                if (stage > 0)
                    settle_vcpu(0); /* in stage 0 the timer is due, and its interrupt was not taken yet */
                if (stage == 2)
                    assert_int_equal(g_ack(true), ppi[t]);
                vput(0);
                now_is(1500);
                assert_int_equal(avc_vcpu_has_work(&vcpu[0]), stage < 2);
                assert_int_equal(avc_vcpu_deadline(&vcpu[0]), stage < 2 ? 0 : ~UINT64_C(0));
                vload(0, 1);
                /* If its interrupt can be linked, that may come. Otherwise it is masked at once. */
                assert_int_equal(phys[1].masked[ppi[t]], !split || stage >= 2);
                settle_vcpu(0);
                if (stage == 3)
                    wr(0, SGI(0) + 0x100, 1u << ppi[t]);
                if (stage != 2)
                    assert_int_equal(g_ack(true), ppi[t]);
                assert_int_equal(g_ack(true), 1023);
                set_timer(t, 1, cval(t, 3000));
                g_eoi(true, ppi[t]);
                settle_vcpu(0);
                assert_false(phys[1].masked[ppi[t]]);
                assert_int_equal(g_ack(true), 1023);
                /* Then all works as usual again. */
                now_is(3000);
                settle_vcpu(0);
                assert_int_equal(phys[1].active[ppi[t]], split);
                assert_int_equal(g_ack(true), ppi[t]);
                vput(0);
            }
}

/*
 * The interrupt is active at put, the timer is not due at load, and is due again before the guest ends the interrupt.
 */
static void active_across_put(void **state)
{
    (void)state;
    boot(true, 0);
    set_timer(0, 1, 1000);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    set_timer(0, 1, 2000);
    vput(0);
    vload(0, 0);
    assert_false(phys[0].masked[27]);
    now_is(2000);
    settle_vcpu(0);
    assert_true(phys[0].masked[27]); /* it is active, so only the library looks at the timer */
    assert_int_equal(g_ack(true), 1023);
    g_eoi(true, 27);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    vput(0);
}

static void deadlines(void **state)
{
    (void)state;
    boot(true, 0);
    wr(0, SGI(0) + 0x100, 1u << 30);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), ~UINT64_C(0));
    set_timer(0, 1, 1700);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 1700 + vm.cntvoff);
    set_timer(1, 1, 1600 + vm.cntvoff);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 1600 + vm.cntvoff);
    vput(0);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 1600 + vm.cntvoff);
    assert_false(avc_vcpu_has_work(&vcpu[0]));
    now_is(1650);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 0);
    assert_true(avc_vcpu_has_work(&vcpu[0]));
    vload(0, 0);
    set_timer(1, 3, 0); /* IMASK */
    set_timer(0, 1, ~UINT64_C(0));
    vcpu[0].requests |= AVC_REQUEST_IRQC;
    settle_vcpu(0);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), ~UINT64_C(0));
    assert_false(avc_vcpu_has_work(&vcpu[0]));
    set_timer(0, 1, 1700);
    wr(0, SGI(0) + 0x180, 1u << 27); /* an interrupt that cannot come must not wake the vCPU */
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), ~UINT64_C(0));
    wr(0, SGI(0) + 0x100, 1u << 27);
    /* The guest has ended the last interrupt, and the library has not looked since. */
    now_is(1700);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    set_timer(0, 1, 1800);
    g_eoi(true, 27);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 1800 + vm.cntvoff);
    vput(0);
}

/* Without irq_fetch an interrupt is pending and not acknowledged. The library's own disappears when its cause does. */
static void not_fetched(void **state)
{
    (void)state;
    boot(false, 0);
    fake_cpu->masked = true;
    assert_false(vm.irqc->irq(&vcpu[0], AVC_IRQ_SPURIOUS));
    set_timer(0, 1, 1000);
    assert_true(vm.irqc->irq(&vcpu[0], AVC_IRQ_SPURIOUS));
    assert_true(phys[0].masked[27]);
    assert_int_equal(phys[0].drops, 0);
    assert_int_equal(g_ack(true), 27);
    set_timer(0, 1, 2000);
    g_eoi(true, 27);
    assert_true(misr());
    assert_true(vm.irqc->irq(&vcpu[0], AVC_IRQ_SPURIOUS));
    assert_false(misr());
    assert_false(phys[0].masked[27]);
    assert_false(vm.irqc->irq(&vcpu[0], AVC_IRQ_SPURIOUS));
    /* Other interrupts are the host's. */
    assert_false(vm.irqc->irq(&vcpu[0], 26));
    assert_false(vm.irqc->irq(&vcpu[0], 1023));
    fake_cpu->masked = false;
    vput(0);
}

/* The host's own vector takes the interrupt, while the vCPU is loaded and its thread blocked. */
static void outside_of_run(void **state)
{
    (void)state;
    boot(true, 0);
    vcpu[0].mode = AVC_MODE_HOST;
    set_timer(0, 1, 1000);
    phys[0].active[27] = true;
    fake_cpu->masked = true;
    fetched = 27;
    assert_int_equal(avc_pcpu_irq(&pcpu[0]), AVC_DONE);
    fake_cpu->masked = false;
    assert_int_equal(wakes[0], 1);
    assert_true(avc_vcpu_has_work(&vcpu[0]));
    assert_int_equal(g_ack(true), 27);
    set_timer(0, 0, 0);
    g_eoi(true, 27);
    vput(0);
}

/* A host without irq_fetch asks about each of its own interrupts. One that interrupts itself in wake() would never
   end if that question woke the vCPU. */
static void not_mine_wakes_nobody(void **state)
{
    (void)state;
    boot(false, 0);
    hal[0].irq_fetch = NULL;
    vcpu[0].mode = AVC_MODE_HOST;
    fake_cpu->masked = true;
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(avc_pcpu_irq(&pcpu[0]), AVC_PASS);
    assert_int_equal(wakes[0], 0);
    set_timer(0, 1, 1000);
    assert_int_equal(avc_pcpu_irq(&pcpu[0]), AVC_DONE); /* its timer's: its thread may be blocked */
    assert_int_equal(wakes[0], 1);
    assert_int_equal(avc_pcpu_irq(&pcpu[0]), AVC_PASS);
    assert_int_equal(wakes[0], 1);
    fake_cpu->masked = false;
    set_timer(0, 0, 0);
    vput(0);
}

static void other_intids(void **state)
{
    (void)state;
    boot(true, 0);
    vput(0);
    hal[0].vtimer_ppi = 20;
    hal[0].ptimer_ppi = 21;
    hal[0].maintenance_ppi = 22;
    vload(0, 0);
    set_timer(0, 1, 1000);
    fake_cpu->masked = true;
    phys[0].active[20] = true;
    assert_false(vm.irqc->irq(&vcpu[0], 27));
    assert_true(vm.irqc->irq(&vcpu[0], 20));
    fake_cpu->masked = false;
    assert_int_equal(g_ack(true), 27);
    g_eoi(true, 27); /* deactivates PPI 20 */
    assert_false(phys[0].active[20]);
    set_timer(0, 0, 0);
    vput(0);
}

/*
 * The virtual timer has a list register of its own. Its contents must be as the guest has configured them, the first
 * time and again.
 */
static void own_list_register(void **state)
{
    (void)state;
    for (uint64_t group = 0; group < 2; group++)
        for (uint64_t priority = 0; priority < 0x100; priority += 0x50) {
            const uint64_t lr = UINT64_C(3) << 61 | group << 60 | priority << 48 | UINT64_C(27) << 32 | 27;

            boot(true, 0);
            wr(0, SGI(0) + 0x80, group ? ~0u : ~(1u << 27));
            wr8(0, SGI(0) + 0x400 + 27, (uint32_t)priority);
            for (unsigned times = 0; times < 3; times++) {
                set_timer(0, 1, 1000);
                settle_vcpu(0);
                assert_true(phys[0].active[27]);
                assert_int_equal(*reg(FAKE_ICH_LR0_EL2), lr);
                assert_int_equal(g_ack(group), 27);
                set_timer(0, 0, 0);
                g_eoi(group, 27);
                settle_vcpu(0);
                assert_false(phys[0].active[27]);
            }
            vput(0);
        }
}

/*
 * Another CPU has changed the interrupt's configuration. This vCPU has not looked yet when the interrupt comes again.
 */
static void changed_elsewhere(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        vw_boot(4, true, 2);
        for (unsigned v = 0; v < 2; v++) {
            on_cpu_of(v);
            set_timer(0, 0, 0);
            set_timer(1, 0, 0);
        }
        now_is(1000);
        on_cpu_of(0);
        wr(0, SGI(0) + 0x100, 1u << 27);
        set_timer(0, 1, 1000);
        settle_vcpu(0);
        assert_int_equal(g_ack(true), 27);
        set_timer(0, 0, 0);
        g_eoi(true, 27);
        settle_vcpu(0);

        on_cpu_of(1);
        if (what == 0)
            wr(1, SGI(0) + 0x180, 1u << 27); /* disables it */
        else if (what == 1)
            wr8(1, SGI(0) + 0x400 + 27, 0x50);
        else
            wr(1, GICD, 0);
        on_cpu_of(0);
        set_timer(0, 1, 1000);
        fake_cpu->masked = true;
        phys[0].active[27] = true;
        take_irq(0, 27);
        fake_cpu->masked = false;
        settle_vcpu(0);
        if (what == 1) {
            assert_int_equal(*reg(FAKE_ICH_LR0_EL2) >> 48 & 0xff, 0x50);
            assert_int_equal(g_ack(true), 27);
            set_timer(0, 0, 0);
            g_eoi(true, 27);
            settle_vcpu(0);
        } else {
            assert_int_equal(g_ack(true), 1023);
            assert_true(phys[0].masked[27]);
        }
        vput(0);
        vput(1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires),
        cmocka_unit_test(disabled_then_enabled),
        cmocka_unit_test(disabled_while_linked),
        cmocka_unit_test(icactiver),
        cmocka_unit_test(icactiver_elsewhere),
        cmocka_unit_test(ispendr_while_linked),
        cmocka_unit_test(ispendr_first),
        cmocka_unit_test(put_in_every_state),
        cmocka_unit_test(active_across_put),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(not_fetched),
        cmocka_unit_test(outside_of_run),
        cmocka_unit_test(not_mine_wakes_nobody),
        cmocka_unit_test(other_intids),
        cmocka_unit_test(own_list_register),
        cmocka_unit_test(changed_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
