/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The virtual and the physical timer of EL1: on time, by exception and by polling, awake and in WFI. Also: disabled
 * when they expire, and handled across exits that take the vCPU off its CPU. On two vCPUs at once.
 */
#include "guest.h"

#define GICR      ((volatile uint32_t *)(GUEST_RD + 0x20000ul * guest_cpu() + 0x10000))
#define ISENABLER (0x100 / 4)
#define ICENABLER (0x180 / 4)
#define ISPENDR   (0x200 / 4)
#define ISACTIVER (0x300 / 4)
#define ICACTIVER (0x380 / 4)
#define SPURIOUS  1023

static const struct timer {
    const char *name;
    uint32_t intid;
} timers[2] = { { "virtual", 27 }, { "physical", 30 } };

static uint64_t now(unsigned t)
{
    __asm__ volatile("isb");
    return t ? READ("cntpct_el0") : READ("cntvct_el0");
}

static void set(unsigned t, uint64_t when)
{
    if (t) {
        WRITE("cntp_cval_el0", when);
        WRITE("cntp_ctl_el0", 1);
    } else {
        WRITE("cntv_cval_el0", when);
        WRITE("cntv_ctl_el0", 1);
    }
}

static void set_in(unsigned t, uint32_t ticks)
{
    if (t) {
        WRITE("cntp_tval_el0", ticks);
        WRITE("cntp_ctl_el0", 1);
    } else {
        WRITE("cntv_tval_el0", ticks);
        WRITE("cntv_ctl_el0", 1);
    }
}

static void off(unsigned t)
{
    if (t)
        WRITE("cntp_ctl_el0", 0);
    else
        WRITE("cntv_ctl_el0", 0);
}

static void exits(unsigned nr)
{
    while (nr--)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
}

/* Acknowledges what comes within half a second. */
static uint32_t take(void)
{
    uint64_t end = now(0) + READ("cntfrq_el0") / 2;
    uint32_t intid;

    do
        intid = guest_gic_ack();
    while (intid == SPURIOUS && now(0) < end);
    return intid;
}

static bool quiet(void)
{
    exits(3);
    return guest_gic_ack() == SPURIOUS;
}

/* ---- by exception ---- */

static volatile struct {
    unsigned count, early, wrong, enough;
    uint64_t due[2];
    uint32_t period;
    unsigned long_handler; /* the handler makes this many exits */
} state[2];

static void on_irq(struct guest_regs *regs)
{
    unsigned cpu = guest_cpu();
    uint32_t intid = guest_gic_ack();
    unsigned t = intid == timers[1].intid;

    if (intid == SPURIOUS)
        return;
    if (intid != timers[t].intid)
        state[cpu].wrong++;
    else if (now(t) < state[cpu].due[t])
        state[cpu].early++;
    state[cpu].count++;
    exits(state[cpu].long_handler);
    if (state[cpu].count >= state[cpu].enough) { /* a long handler leaves no time for anything else */
        off(t);
    } else {
        state[cpu].due[t] = now(t) + state[cpu].period;
        set(t, state[cpu].due[t]);
    }
    guest_gic_eoi(intid);
}

/* An interrupt that was in a list register when its timer was switched off is still taken, once: see avc/vgic.h. */
static void late(void)
{
    uint32_t intid = guest_gic_ack();

    if (intid == timers[0].intid || intid == timers[1].intid)
        guest_gic_eoi(intid);
    else
        state[guest_cpu()].wrong += intid != SPURIOUS;
}

/* Runs both timers, period after period, until `nr` interrupts have come. */
static void tick(unsigned nr, bool wfi, unsigned long_handler)
{
    unsigned cpu = guest_cpu();
    uint64_t end = now(0) + 10 * READ("cntfrq_el0");

    state[cpu].count = state[cpu].early = state[cpu].wrong = 0;
    state[cpu].period = (uint32_t)(READ("cntfrq_el0") / 2000);
    state[cpu].long_handler = long_handler;
    state[cpu].enough = nr;
    for (unsigned t = 0; t < 2; t++) {
        state[cpu].due[t] = now(t) + state[cpu].period;
        set(t, state[cpu].due[t]);
    }
    guest_irq_unmask();
    while (state[cpu].count < nr && now(0) < end) {
        if (wfi)
            __asm__ volatile("wfi");
        else
            exits(1);
    }
    guest_irq_mask();
    for (unsigned t = 0; t < 2; t++) {
        off(t);
        late();
    }
    if (!quiet())
        state[cpu].wrong++;
}

static bool good(unsigned cpu, unsigned nr)
{
    return state[cpu].count >= nr && !state[cpu].early && !state[cpu].wrong;
}

/* ---- by polling ---- */

static void polled(unsigned t)
{
    uint32_t intid = timers[t].intid, bit = 1u << intid;
    const char *name = timers[t].name;
    uint64_t ms = READ("cntfrq_el0") / 1000, due;
    bool ok;

    due = now(t) + ms;
    set(t, due);
    ok = take() == intid && now(t) >= due && GICR[ISACTIVER] == bit;
    off(t);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet() && !GICR[ISACTIVER], "%s: once", name);

    set_in(t, (uint32_t)ms);
    ok = take() == intid;
    guest_gic_eoi(intid); /* the timer is still due */
    ok &= take() == intid;
    exits(500); /* the vCPU is off its CPU while the interrupt is active */
    guest_gic_eoi(intid);
    ok &= take() == intid;
    exits(500);
    off(t);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: ended while due, comes again", name);

    GICR[ICENABLER] = bit;
    set(t, now(t));
    ok = quiet();
    exits(500);
    ok &= quiet();
    GICR[ISENABLER] = bit;
    ok &= take() == intid;
    off(t);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: disabled when it fires, there when enabled", name);

    set(t, now(t));
    exits(1);
    GICR[ICENABLER] = bit; /* the interrupt is pending, and not taken */
    ok = quiet();
    GICR[ISENABLER] = bit;
    ok &= take() == intid;
    off(t);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: disabled while pending", name);

    set(t, now(t));
    exits(500); /* the vCPU is off its CPU while the interrupt is pending */
    ok = take() == intid;
    GICR[ICACTIVER] = bit;
    guest_gic_eoi(intid); /* priority */
    ok &= take() == intid;
    GICR[ISPENDR] = bit; /* software makes it pending once more */
    off(t);
    guest_gic_eoi(intid);
    ok &= take() == intid;
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: made inactive, made pending", name);
}

static void off_masked(unsigned t)
{
    if (t)
        WRITE("cntp_ctl_el0", 3); /* IMASK */
    else
        WRITE("cntv_ctl_el0", 3);
}

/* What GICR_ISPENDR0 says is the level, wherever the interrupt is. */
static void read_back(unsigned t)
{
    uint32_t intid = timers[t].intid, bit = 1u << intid;
    const char *name = timers[t].name;
    uint64_t ms = READ("cntfrq_el0") / 1000;
    bool ok;

    set(t, now(t) - ms);
    ok = (GICR[ISPENDR] & bit) && !(GICR[ISACTIVER] & bit);
    ok &= take() == intid && (GICR[ISPENDR] & bit) && (GICR[ISACTIVER] & bit);
    guest_ok(ok, "%s: pending, and active, while it is due", name);
    off_masked(t);
    ok = !(GICR[ISPENDR] & bit) && (GICR[ISACTIVER] & bit);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: not pending from IMASK on", name);
    set(t, now(t) - ms);
    exits(1);
    set(t, now(t) + 1000 * ms);
    ok = !(GICR[ISPENDR] & bit) && guest_gic_ack() == SPURIOUS;
    set(t, now(t) - ms);
    ok &= take() == intid;
    off(t);
    guest_gic_eoi(intid);
    guest_ok(ok && quiet(), "%s: moved on while pending, and comes in time", name);
    GICR[ICENABLER] = bit;
    set(t, now(t) - ms);
    ok = GICR[ISPENDR] & bit;
    set(t, now(t) + 1000 * ms);
    ok &= !(GICR[ISPENDR] & bit);
    GICR[ISENABLER] = bit;
    ok &= quiet();
    off(t);
    guest_ok(ok && quiet(), "%s: moved on while disabled", name);
}

static volatile bool second_done;

int guest_main(unsigned cpu)
{
    guest_on_irq = on_irq;
    guest_gic_init();
    for (unsigned t = 0; t < 2; t++) {
        off(t);
        guest_gic_enable(timers[t].intid);
    }
    if (cpu) {
        tick(200, false, 0);
        tick(100, true, 0);
        tick(50, false, 300);
        second_done = true;
        guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
    }
    for (unsigned t = 0; t < 2; t++)
        polled(t), read_back(t);
    tick(200, false, 0);
    guest_ok(good(0, 200), "alone, awake: %u, %u early, %u wrong", state[0].count, state[0].early, state[0].wrong);
    tick(200, true, 0);
    guest_ok(good(0, 200), "alone, in WFI: %u, %u early, %u wrong", state[0].count, state[0].early, state[0].wrong);
    guest_cpu_on(1);
    tick(400, true, 0);
    guest_ok(good(0, 400), "two, in WFI: %u, %u early, %u wrong", state[0].count, state[0].early, state[0].wrong);
    tick(100, false, 300);
    guest_ok(good(0, 100), "two, long handlers: %u, %u early, %u wrong", state[0].count, state[0].early,
             state[0].wrong);
    while (!second_done)
        exits(1);
    guest_ok(good(1, 50), "the other one: %u, %u early, %u wrong", state[1].count, state[1].early, state[1].wrong);
    guest_plan();
    return 0;
}
