/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The GIC as a guest sees it, on the CPU's own virtual interface: SGIs in all their forms, lines, more interrupts than
 * list registers, more nested handlers than list registers, both EOI modes, both groups, and interrupts of other vCPUs.
 * vCPU 0 runs the tests. It tells the other vCPUs what to do, and they report.
 */
#include "guest.h"

#include "line.h"

#define GICD        ((volatile uint32_t *)GUEST_DIST)
#define GICR(cpu)   ((volatile uint32_t *)(GUEST_RD + 0x20000ul * (cpu)))
#define SGI_FRAME   (0x10000 / 4)
#define REG(o, n)   GICD[(o) / 4 + (n) / 32]
#define BIT(n)      (1u << (n) % 32)
#define IGROUPR     0x80
#define ISENABLER   0x100
#define ICENABLER   0x180
#define ISPENDR     0x200
#define ICPENDR     0x280
#define ISACTIVER   0x300
#define ICACTIVER   0x380
#define PRIORITY    ((volatile uint8_t *)GICD + 0x400)
#define ICFGR       (0xc00 / 4)
#define IROUTER     ((volatile uint64_t *)(GUEST_DIST + 0x6000ul))
#define RWP         (1u << 31)
#define SPURIOUS    1023
#define NR_CPUS     4
#define ICC_IAR0    "s3_0_c12_c8_0"
#define ICC_EOIR0   "s3_0_c12_c8_1"
#define ICC_IGRPEN0 "s3_0_c12_c12_6"
#define ICC_CTLR    "s3_0_c12_c12_4"
#define ICC_DIR     "s3_0_c12_c11_1"
#define ICC_RPR     "s3_0_c12_c11_3"
#define ICC_PMR     "s3_0_c4_c6_0"
#define ICC_SGI0R   "s3_0_c12_c11_7"
#define ICC_ASGI1R  "s3_0_c12_c11_6"

/* What a vCPU is to do. It sets IDLE when it has done it. */
enum job { IDLE, TAKE, TAKE_AND_HOLD, DIR_IT };
static volatile struct {
    bool here;
    enum job job;
    uint32_t arg, intid;
} cpus[NR_CPUS];
static volatile unsigned irqs;

static void line(uint32_t intid, bool level)
{
    guest_hvc(CALL_LINE, intid, level, 0, NULL);
}

/* Acknowledges an interrupt by polling. Returns 1023 if none comes for half a second. */
static uint32_t take(void)
{
    uint64_t end = READ("cntvct_el0") + READ("cntfrq_el0") / 2;
    uint32_t intid;

    do {
        intid = guest_gic_ack();
        if (intid == SPURIOUS)
            guest_hvc(CALL_ADD, 0, 0, 0, NULL); /* gives the other vCPUs of this CPU a turn */
    } while (intid == SPURIOUS && READ("cntvct_el0") < end);
    return intid;
}

/* Checks that no interrupt comes for a while. */
static bool quiet(void)
{
    for (unsigned n = 0; n < 20; n++) {
        if (guest_gic_ack() != SPURIOUS)
            return false;
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    }
    return true;
}

static uint32_t take_and_end(void)
{
    uint32_t intid = take();

    if (intid < 1020)
        guest_gic_eoi(intid);
    return intid;
}

/* Returns 1 if this interrupt is pending now; ends it. */
static unsigned take_now(uint32_t intid)
{
    uint32_t got = guest_gic_ack();

    if (got != SPURIOUS)
        guest_gic_eoi(got);
    return got == intid;
}

static void other(unsigned cpu)
{
    guest_gic_init();
    WRITE(ICC_CTLR, 0);
    GICR(cpu)[SGI_FRAME + ISENABLER / 4] = 0xffff;
    cpus[cpu].here = true;
    for (;;) {
        switch (cpus[cpu].job) {
        case IDLE:
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
            continue;
        case TAKE:
            cpus[cpu].intid = take_and_end();
            break;
        case TAKE_AND_HOLD:
            cpus[cpu].intid = take();
            cpus[cpu].arg = 1;
            while (cpus[cpu].arg)
                guest_hvc(CALL_ADD, 0, 0, 0, NULL);
            guest_gic_eoi(cpus[cpu].intid);
            break;
        case DIR_IT:
            WRITE(ICC_CTLR, 2);
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
            WRITE(ICC_DIR, cpus[cpu].arg);
            WRITE(ICC_CTLR, 0);
            break;
        }
        __asm__ volatile("dmb ish" ::: "memory");
        cpus[cpu].job = IDLE;
    }
}

static void tell(unsigned cpu, enum job job, uint32_t arg)
{
    cpus[cpu].arg = arg;
    __asm__ volatile("dmb ish" ::: "memory");
    cpus[cpu].job = job;
}

static bool done(unsigned cpu)
{
    uint64_t end = READ("cntvct_el0") + 2 * READ("cntfrq_el0");

    while (cpus[cpu].job != IDLE && READ("cntvct_el0") < end)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    return cpus[cpu].job == IDLE;
}

/* ---- the tests ---- */

static void sgis(void)
{
    bool ok = true;

    for (unsigned n = 0; n < 16; n++) {
        guest_sgi((uint64_t)n << 24 | 1);
        ok &= take_and_end() == n;
    }
    guest_ok(ok && quiet(), "SGIs to self");
    guest_sgi(UINT64_C(5) << 24 | 1);
    guest_sgi(UINT64_C(5) << 24 | 1);
    ok = take() == 5;
    guest_sgi(UINT64_C(5) << 24 | 1); /* while it is active */
    ok &= guest_gic_ack() == SPURIOUS;
    guest_gic_eoi(5);
    ok &= take_and_end() == 5;
    guest_ok(ok && quiet(), "an SGI while it is pending, and while it is active");

    ok = true;
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++) {
        tell(cpu, TAKE, 0);
        guest_sgi(UINT64_C(7) << 24 | 1u << cpu);
        ok &= done(cpu) && cpus[cpu].intid == 7;
    }
    guest_ok(ok && quiet(), "an SGI to each");
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        tell(cpu, TAKE, 0);
    guest_sgi(UINT64_C(9) << 24 | 0xe);
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        ok &= done(cpu) && cpus[cpu].intid == 9;
    guest_ok(ok && quiet(), "an SGI to a list");
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        tell(cpu, TAKE, 0);
    guest_sgi(UINT64_C(1) << 40 | UINT64_C(11) << 24);
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        ok &= done(cpu) && cpus[cpu].intid == 11;
    guest_ok(ok && quiet(), "an SGI to all others");
    guest_sgi(UINT64_C(1) << 44 | UINT64_C(3) << 24 | 1); /* Aff0 = 16 */
    guest_sgi(UINT64_C(1) << 16 | UINT64_C(3) << 24 | 1); /* Aff1 = 1 */
    guest_ok(quiet(), "an SGI to nobody");
}

static void on_irq(struct guest_regs *regs)
{
    uint32_t intid = guest_gic_ack();

    if (intid != SPURIOUS) {
        irqs++;
        guest_gic_eoi(intid);
    }
}

static void exceptions(void)
{
    guest_on_irq = on_irq;
    guest_irq_unmask();
    for (unsigned n = 0; n < 1000; n++) {
        guest_sgi(UINT64_C(2) << 24 | 1);
        __asm__ volatile("isb");
    }
    guest_irq_mask();
    guest_on_irq = NULL;
    guest_ok(irqs == 1000, "a thousand SGIs by exception: %u", irqs);
}

static void spis(void)
{
    bool ok;

    GICD[ICFGR + 2] = 2; /* 32 is edge-triggered, 33 level-sensitive */
    guest_gic_enable(32);
    guest_gic_enable(33);
    line(32, true);
    ok = take_and_end() == 32 && quiet();
    line(32, false);
    line(32, true);
    line(32, false);
    guest_ok(ok && take_and_end() == 32 && quiet(), "an edge");
    line(33, true);
    ok = take() == 33;
    guest_gic_eoi(33);
    ok &= take() == 33; /* the line is still high */
    line(33, false);
    guest_gic_eoi(33);
    guest_ok(ok && quiet(), "a level, ended twice");
    line(33, true);
    line(33, false);
    guest_ok(quiet(), "a level that is withdrawn");
    line(33, true);
    REG(ICENABLER, 33) = BIT(33);
    while (GICD[0] & RWP)
        ;
    ok = quiet() && REG(ISPENDR, 33) & BIT(33);
    guest_gic_enable(33);
    ok &= take() == 33 && REG(ISACTIVER, 33) == BIT(33);
    line(33, false);
    guest_gic_eoi(33);
    guest_ok(ok && quiet() && !REG(ISACTIVER, 33) && !REG(ISPENDR, 33), "disabled, enabled, pending, active");
    line(20, true);
    GICR(0)[SGI_FRAME + ISENABLER / 4] = BIT(20);
    ok = take() == 20;
    line(20, false);
    guest_gic_eoi(20);
    guest_ok(ok && quiet(), "a private line");
}

static void routes(void)
{
    bool ok;

    IROUTER[32] = 2;
    tell(2, TAKE, 0);
    line(32, true);
    ok = done(2) && cpus[2].intid == 32;
    line(32, false);
    guest_ok(ok && quiet(), "a line of another vCPU's");
    tell(2, TAKE_AND_HOLD, 0);
    line(32, true);
    while (cpus[2].job == TAKE_AND_HOLD && !cpus[2].arg)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    ok = REG(ISACTIVER, 32) == BIT(32);
    line(32, false);
    cpus[2].arg = 0;
    ok &= done(2) && !REG(ISACTIVER, 32);
    guest_ok(ok, "which is seen to be active from here");
    IROUTER[32] = UINT64_C(1) << 31;
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        tell(cpu, TAKE, 0);
    ok = true;
    for (unsigned n = 0, mine = 0; n < 4; n++) {
        unsigned taken = mine;
        uint64_t end = READ("cntvct_el0") + READ("cntfrq_el0");

        line(32, true);
        line(32, false);
        do {
            taken = mine += take_now(32);
            for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
                taken += cpus[cpu].job == IDLE;
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
        } while (taken <= n && READ("cntvct_el0") < end);
        ok &= taken == n + 1 && mine <= 1;
    }
    for (unsigned cpu = 1; cpu < NR_CPUS; cpu++)
        ok &= done(cpu) && cpus[cpu].intid == 32;
    guest_ok(ok && quiet(), "a line that any may take: each took one of four");
    IROUTER[32] = 0;
}

static void prepare(unsigned first, unsigned nr)
{
    GICD[ICFGR + first / 16] = GICD[ICFGR + first / 16 + 1] = 0xaaaaaaaa;
    for (unsigned n = first; n < first + nr; n++) {
        PRIORITY[n] = (uint8_t)(0xf0 - 8 * (n - first));
        guest_gic_enable(n);
    }
}

static void many(void)
{
    uint32_t last = 0;
    bool ok = true;

    prepare(64, 24);
    REG(ISPENDR, 64) = 0xffffff;
    for (unsigned n = 0; n < 24; n++) {
        uint32_t intid = take_and_end();

        ok &= intid == 87 - n;
        last = intid;
    }
    guest_ok(ok && quiet(), "24 pending, in the order of their priorities; the last was %u", last);
}

static void nested(bool mode1)
{
    bool ok = true;

    WRITE(ICC_CTLR, mode1 ? 2 : 0);
    for (unsigned n = 0; n < 24; n++) {
        REG(ISPENDR, 64) = BIT(n);
        ok &= take() == 64 + n && READ(ICC_RPR) == 0xf0 - 8 * n;
    }
    guest_ok(ok && REG(ISACTIVER, 64) == 0xffffff, "24 nested, EOImode %u", mode1);
    for (unsigned n = 24; n-- > 0;) {
        guest_gic_eoi(64 + n);
        if (mode1) {
            ok &= REG(ISACTIVER, 64) == (2u << n) - 1;
            WRITE(ICC_DIR, 64 + n);
        }
        ok &= REG(ISACTIVER, 64) == (1u << n) - 1;
    }
    guest_ok(ok && READ(ICC_RPR) == 0xff && quiet(), "... and ended");
    WRITE(ICC_CTLR, 0);
}

static void dir_elsewhere(void)
{
    bool ok;

    WRITE(ICC_CTLR, 2);
    guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    REG(ISPENDR, 64) = 1;
    ok = take() == 64;
    guest_gic_eoi(64);
    REG(ISPENDR, 64) = 1;
    ok &= quiet();
    tell(1, DIR_IT, 64);
    ok &= done(1) && take() == 64;
    guest_gic_eoi(64);
    WRITE(ICC_DIR, 64);
    guest_ok(ok && quiet() && !REG(ISACTIVER, 64), "deactivated by another vCPU");
    REG(ISPENDR, 64) = 1;
    ok = take() == 64;
    guest_gic_eoi(64);
    REG(ICACTIVER, 64) = 1;
    guest_ok(ok && !REG(ISACTIVER, 64), "deactivated by GICD_ICACTIVER");
    WRITE(ICC_CTLR, 0);
}

static void groups(void)
{
    bool ok;

    REG(IGROUPR, 64) &= ~1u;
    REG(ISPENDR, 64) = 1;
    ok = quiet() && READ(ICC_IAR0) == SPURIOUS;
    WRITE(ICC_IGRPEN0, 1);
    ok &= READ(ICC_IAR0) == 64;
    WRITE(ICC_EOIR0, 64);
    guest_ok(ok, "group 0");
    GICR(0)[SGI_FRAME + IGROUPR / 4] = ~8u;
    WRITE(ICC_SGI0R, UINT64_C(4) << 24 | 1); /* the SGI is in group 1, so it is not sent */
    WRITE(ICC_ASGI1R, UINT64_C(4) << 24 | 1);
    ok = quiet();
    WRITE(ICC_SGI0R, UINT64_C(3) << 24 | 1);
    ok &= READ(ICC_IAR0) == 3;
    WRITE(ICC_EOIR0, 3);
    WRITE(ICC_IGRPEN0, 0);
    guest_ok(ok, "SGIs of group 0");
    GICD[0] = 0x35; /* group 1 disabled */
    REG(ISPENDR, 65) = BIT(65);
    ok = quiet();
    GICD[0] = 0x37;
    ok &= take_and_end() == 65;
    WRITE(ICC_PMR, 0xe8); /* the interrupt's own priority, so it is masked */
    REG(ISPENDR, 65) = BIT(65);
    ok &= quiet();
    WRITE(ICC_PMR, 0xf0);
    ok &= take_and_end() == 65;
    WRITE(ICC_PMR, 0xff);
    guest_ok(ok, "distributor off and on, priority mask");
}

int guest_main(unsigned cpu)
{
    if (cpu)
        other(cpu);
    guest_gic_init();
    GICR(0)[SGI_FRAME + ISENABLER / 4] = 0xffff;
    for (unsigned n = 1; n < NR_CPUS; n++) {
        guest_cpu_on(n);
        while (!cpus[n].here)
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    }
    sgis();
    exceptions();
    spis();
    routes();
    many();
    nested(false);
    nested(true);
    dir_elsewhere();
    groups();
    guest_plan();
    return 0;
}
