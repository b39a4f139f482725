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

enum job { IDLE, OFF, WAIT, TAKE };
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

/* GICD_CTLR is written, and done with. A second is enough for any wait that ends. */
static bool settles(uint32_t ctlr)
{
    uint64_t end = READ("cntvct_el0") + READ("cntfrq_el0");

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
    uint64_t end = READ("cntvct_el0") + READ("cntfrq_el0");
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

int guest_main(unsigned cpu)
{
    if (cpu)
        other_with_gic();
    guest_gic_init();
    GICR(0)[SGI_FRAME(ISENABLER)] = 0xffff;
    kept();
    nobody_waits();
    guest_plan();
    return 0;
}
