/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The GIC and a vCPU that is switched on and off, or waits: what is set up for it before CPU_ON stays, and no register
 * of the GIC waits for it. vCPU 1 does what vCPU 0 tells it.
 */
#include "guest.h"

#include "../gic/line.h"

#define GICD         ((volatile uint32_t *)GUEST_DIST)
#define GICR(cpu)    ((volatile uint32_t *)(GUEST_RD + 0x20000ul * (cpu)))
#define SGI_FRAME(r) ((0x10000 + (r)) / 4)
#define ISENABLER    0x100
#define ISPENDR      0x200
#define ICPENDR      0x280
#define ISACTIVER    0x300
#define PRIORITY     0x400
#define RWP          (1u << 31)
#define CPU_OFF      0x84000002
#define AFFINITY     0xc4000004
#define SPURIOUS     1023

enum job { IDLE, OFF, WAIT, TAKE, GROUP_OFF, GROUP_ON };
static volatile enum job job;
static volatile uint32_t taken;
static volatile bool here;

static void exits(unsigned nr)
{
    while (nr--)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
}

static void other(void)
{
    here = true;
    for (;;) {
        switch (job) {
        case IDLE:
            exits(1);
            continue;
        case OFF:
            here = false;
            guest_hvc(CPU_OFF, 0, 0, 0, NULL);
            break;
        case WAIT: /* with no interrupt that could end it, but a kick may */
            here = false;
            while (job == WAIT)
                __asm__ volatile("wfi");
            here = true;
            break;
        case TAKE:
            taken = guest_gic_ack();
            if (taken != SPURIOUS)
                guest_gic_eoi(taken);
            job = IDLE;
            break;
        case GROUP_OFF:
        case GROUP_ON:
            WRITE("s3_0_c12_c12_7", job == GROUP_ON); /* ICC_IGRPEN1_EL1 */
            job = IDLE;
            break;
        }
    }
}

static void do_job(enum job what)
{
    job = what;
    while (job == what)
        exits(1);
}

static void on(void)
{
    job = IDLE;
    guest_cpu_on(1);
    while (!here)
        exits(1);
}

static void off(void)
{
    job = OFF;
    while (guest_hvc(AFFINITY, 1, 0, 0, NULL) != 1)
        exits(1);
    exits(100); /* its host waits */
}

/* GICD_CTLR is written, and done with. Ten seconds are enough for any wait that ends. */
static bool settles(uint32_t ctlr)
{
    uint64_t end = READ("cntvct_el0") + 10 * READ("cntfrq_el0");

    GICD[0] = ctlr;
    while (GICD[0] & RWP && READ("cntvct_el0") < end)
        ;
    return !(GICD[0] & RWP);
}

static void kept(void)
{
    volatile uint32_t *r = GICR(1);
    bool ok;

    r[SGI_FRAME(ISENABLER)] = 1u << 5 | 1u << 9;
    ((volatile uint8_t *)&r[SGI_FRAME(PRIORITY)])[5] = 0x48;
    ((volatile uint8_t *)&r[SGI_FRAME(PRIORITY)])[9] = 0xa0;
    r[SGI_FRAME(ISPENDR)] = 1u << 5;
    guest_sgi(UINT64_C(9) << 24 | 2);
    on();
    ok = (r[SGI_FRAME(ISENABLER)] & 0xffff) == (1u << 5 | 1u << 9) &&
         ((volatile uint8_t *)&r[SGI_FRAME(PRIORITY)])[5] == 0x48;
    guest_ok(ok, "CPU_ON keeps enables and priorities that another CPU has set");
    ok = r[SGI_FRAME(ISPENDR)] == (1u << 5 | 1u << 9);
    guest_ok(ok, "CPU_ON keeps what is pending: %x", r[SGI_FRAME(ISPENDR)]);
}

static void other_with_gic(void)
{
    guest_gic_init();
    other();
}

static void nobody_waits(void)
{
    uint64_t end = READ("cntvct_el0") + 10 * READ("cntfrq_el0");
    uint32_t active;
    bool ok;

    do_job(TAKE); /* one is in a list register, or was */
    ok = taken == 5;
    off();
    guest_ok(ok && settles(0) && settles(3), "GICD_CTLR does not wait for a CPU that is off");
    GICR(1)[SGI_FRAME(0x180)] = 1u << 9;
    while (GICR(1)[0] & 8 && READ("cntvct_el0") < end)
        ;
    guest_ok(!(GICR(1)[0] & 8), "nor does GICR_CTLR of that CPU");
    active = GICR(1)[SGI_FRAME(ISACTIVER)] | GICD[ISACTIVER / 4 + 1];
    guest_ok(!active && GICR(1)[SGI_FRAME(ISPENDR)] == 1u << 9, "nor do reads of what is pending or active");
    on();
    job = WAIT;
    while (here)
        exits(1);
    exits(1000);
    guest_ok(settles(0) && settles(3), "GICD_CTLR does not wait for a CPU in WFI");
    GICR(1)[SGI_FRAME(ISENABLER)] = 1u << 9; /* this ends the WFI */
    do_job(TAKE);
    guest_ok(taken == 9, "which still gets its interrupts: %u", taken);
}

/* SPI 32 comes. Returns who takes it: 0, 1, or 2 for nobody. Whenever the other vCPU has done a job, it has looked at
   its requests. */
static unsigned who(void)
{
    guest_hvc(CALL_LINE, 32, 1, 0, NULL);
    guest_hvc(CALL_LINE, 32, 0, 0, NULL);
    for (unsigned round = 0; round < 100; round++) {
        if (guest_gic_ack() == 32) {
            guest_gic_eoi(32);
            return 0;
        }
        if (here)
            do_job(TAKE);
        if (here && taken == 32)
            return 1;
    }
    return 2;
}

static void any_may_take(void)
{
    unsigned n, mine = 0, its = 0;

    GICD[(0x80 + 4) / 4] = ~0u; /* group 1 */
    GICD[0xc08 / 4] = 2;        /* an edge */
    *(volatile uint64_t *)(GUEST_DIST + 0x6000ul + 32 * 8) = UINT64_C(1) << 31;
    GICD[(ISENABLER + 4) / 4] = 1;
    while (who() != 1) /* until it has heard of the route */
        exits(1);
    for (n = 0; n < 8; n++) {
        unsigned by = who();

        mine += by == 0;
        its += by == 1;
    }
    guest_ok(mine == 4 && its == 4, "an SPI that any may take: %u, %u", mine, its);
    do_job(GROUP_OFF);
    for (n = mine = 0; n < 8; n++)
        mine += who() == 0;
    guest_ok(mine == 8, "the other one has its group off: %u of 8", mine);
    WRITE("s3_0_c12_c12_7", 0);
    guest_ok(who() == 2, "so have both");
    do_job(GROUP_ON);
    do_job(TAKE);
    guest_ok(taken == 32, "the first to enable its group gets it: %u", taken);
    guest_ok(who() == 1, "and the next one");
    GICD[(ISPENDR + 4) / 4] = 1; /* it waits for the other one, which leaves */
    exits(100);
    off();
    WRITE("s3_0_c12_c12_7", 1);
    exits(100);
    n = guest_gic_ack();
    guest_gic_eoi(32);
    guest_ok(n == 32, "pending when its vCPU goes off, it moves on: %u", n);
    for (n = mine = 0; n < 8; n++)
        mine += who() == 0;
    guest_ok(mine == 8, "the other one is off: %u of 8", mine);
    WRITE("s3_0_c12_c12_7", 0);
    guest_ok(who() == 2, "nobody takes it");
    on();
    do_job(TAKE);
    guest_ok(taken == 32, "until one powers up: %u", taken);
}

int guest_main(unsigned cpu)
{
    if (cpu)
        other_with_gic();
    guest_gic_init();
    GICR(0)[SGI_FRAME(ISENABLER)] = 0xffff;
    kept();
    nobody_waits();
    any_may_take();
    guest_plan();
    return 0;
}
