/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The timers' interrupts, on hosts that drop and deactivate in two steps and on hosts that do both at once, by fetch
 * and with interrupts left to the host. The fake's physical PPIs are in vgic_world.h: settle_vcpu() raises them, and a
 * deactivation of what is not active fails there.
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
    /* reset values say UNKNOWN or whatever the fake had: off */
    set_timer(0, 0, 0);
    set_timer(1, 0, 0);
    now_is(1000);
    wr(0, SGI(0) + 0x100, 1u << ppi[t]);
}

/* CVAL of timer t for virtual time `count`. */
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
            assert_int_equal(phys[0].active[ppi[t]], split); /* linked; or masked */
            assert_int_equal(phys[0].masked[ppi[t]], !split);
            assert_int_equal(g_ack(true), ppi[t]);
            set_timer(t, 1, cval(t, 1200)); /* the handler's work */
            g_eoi(true, ppi[t]);
            settle_vcpu(0);
            assert_false(phys[0].active[ppi[t]]);
            assert_false(phys[0].masked[ppi[t]]);
            assert_int_equal(g_ack(true), 1023);
            now_is(1300);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), ppi[t]);
            g_eoi(true, ppi[t]); /* handled, but not set to later: again */
            settle_vcpu(0);
            assert_int_equal(g_ack(true), ppi[t]);
            set_timer(t, 0, 0);
            g_eoi(true, ppi[t]);
            settle_vcpu(0);
            assert_int_equal(g_ack(true), 1023);
            assert_int_equal(phys[0].drops, split ? 3 : 5); /* maintenance included */
            vput(0);
        }
}

/* Disabled when it fires: masked, and there when it is enabled. */
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
            /* and when the guest has changed its mind before enabling it, nothing is delivered, nothing stays masked */
            wr(0, SGI(0) + 0x180, 1u << ppi[t]);
            set_timer(t, 1, cval(t, 1000));
            settle_vcpu(0);
            assert_true(phys[0].masked[ppi[t]]);
            set_timer(t, 1, cval(t, 2000));
            wr(0, SGI(0) + 0x100, 1u << ppi[t]);
            assert_false(phys[0].masked[ppi[t]]);
            assert_int_equal(g_ack(true), 1023);
            /* the group off and on is the same */
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

/* Disabled while it is linked and pending: the list register gives it back, and it comes when enabled, if still due. */
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

/* The guest clears "active" of a linked one: the physical interrupt is deactivated, and comes again. */
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

/* ... and from another vCPU. */
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

/* Pending by itself as well (ISPENDR) while linked and active: never pending and active with HW=1; both are delivered.
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

/* By software alone, ended, and then by the timer: that one is linked. */
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

/* Off the CPU in each state; vput() checks that nothing stays active or masked. */
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
                    settle_vcpu(0); /* 0: due, and not taken yet */
                if (stage == 2)
                    assert_int_equal(g_ack(true), ppi[t]);
                vput(0);
                now_is(1500);
                assert_int_equal(avc_vcpu_has_work(&vcpu[0]), stage < 2);
                assert_int_equal(avc_vcpu_deadline(&vcpu[0]), stage < 2 ? 0 : ~UINT64_C(0));
                vload(0, 1);
                assert_true(phys[1].masked[ppi[t]]); /* no round trip */
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
                /* back in the ordinary way */
                now_is(3000);
                settle_vcpu(0);
                assert_int_equal(phys[1].active[ppi[t]], split);
                assert_int_equal(g_ack(true), ppi[t]);
                vput(0);
            }
}

/* Active when it left, not due when it is back, and due again before its end. */
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
    assert_true(phys[0].masked[27]); /* active: nobody but us looks */
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
    wr(0, SGI(0) + 0x180, 1u << 27); /* an interrupt that cannot come wakes nobody */
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), ~UINT64_C(0));
    wr(0, SGI(0) + 0x100, 1u << 27);
    /* the guest is through with the last one, and nobody has looked since */
    now_is(1700);
    settle_vcpu(0);
    assert_int_equal(g_ack(true), 27);
    set_timer(0, 1, 1800);
    g_eoi(true, 27);
    assert_int_equal(avc_vcpu_deadline(&vcpu[0]), 1800 + vm.cntvoff);
    vput(0);
}

/* The host does not fetch: an interrupt is pending and unacknowledged; ours goes away by itself. */
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
    /* other interrupts are the host's */
    assert_false(vm.irqc->irq(&vcpu[0], 26));
    assert_false(vm.irqc->irq(&vcpu[0], 1023));
    fake_cpu->masked = false;
    vput(0);
}

/* By the host's own vector, while the vCPU is loaded and its thread blocked. */
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
    g_eoi(true, 27); /* deactivates 20 */
    assert_false(phys[0].active[20]);
    set_timer(0, 0, 0);
    vput(0);
}

/* The virtual timer's own list register: as the guest has configured it, the first time and again. */
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

/* Another CPU has changed something about it, and this one has not looked yet when it comes again. */
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
            wr(1, SGI(0) + 0x180, 1u << 27); /* disabled */
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
        cmocka_unit_test(other_intids),
        cmocka_unit_test(own_list_register),
        cmocka_unit_test(changed_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
