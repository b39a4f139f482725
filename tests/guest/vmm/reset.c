/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One vCPU resets the VM, or powers it off, while its siblings wait: loaded, put, or in a WFI that does not trap. Each
 * boot reads two characters from the UART: the number of vCPUs, and what to do in the end. It finds the machine as a
 * reset leaves it, dirties it, starts all siblings, wakes them, and ends. No boot knows of the others: the test counts
 * them.
 *
 *   r  the first vCPU resets the VM as soon as its siblings wait
 *   l  the last vCPU does, and all others wait
 *   w  the first does, when the others have waited for longer than a slice
 *   a  all vCPUs reset it at the same time
 *   o  the last vCPU powers the VM off, and all others wait
 */
#include "guest.h"

#define SGI_WAKE 1
#define SGI_END  2 /* its receiver ends the VM */
#define SGI_LEFT 3 /* pending when the VM ends */
#define VTIMER   27

#define GICD ((volatile uint32_t *)GUEST_DIST)
#define GICR ((volatile uint32_t *)(GUEST_RD + 0x10000))
#define UART ((volatile uint32_t *)0x09000000)
#define RTC  ((volatile uint32_t *)0x09010000)

#define UARTFR_RXFE (1u << 4)
#define UARTIMSC    (0x38 / 4)
#define ISENABLER0  (0x100 / 4)
#define ISPENDR0    (0x200 / 4)
#define RTCDR       0
#define RTCMR       1

#define SYSTEM_OFF    0x84000008
#define SYSTEM_RESET  0x84000009
#define AFFINITY_INFO 0xc4000004
#define OFF           1
#define MAX_VCPUS     8

#define FAR ((volatile uint64_t *)0x42000000) /* memory that no image reaches */

static struct {
    volatile unsigned started, wakes;
} seen[MAX_VCPUS];
static volatile uint32_t fresh = 0x600d1dea; /* as the image has it */
static volatile bool at_once;                /* all end the VM now */
static char what;

static _Noreturn void end(void)
{
    guest_hvc(what == 'o' ? SYSTEM_OFF : SYSTEM_RESET, 0, 0, 0, NULL);
    guest_ok(false, "vCPU %u is still here", guest_cpu());
    for (;;)
        ;
}

static void on_irq(struct guest_regs *regs)
{
    uint32_t intid = guest_gic_ack();

    (void)regs;
    if (intid == SGI_WAKE)
        seen[guest_cpu()].wakes++;
    if (intid == SGI_END)
        end();
    if (intid == VTIMER)
        WRITE("cntv_ctl_el0", 0);
    if (intid < 1020)
        guest_gic_eoi(intid);
}

static _Noreturn void wait_for_ever(unsigned cpu)
{
    seen[cpu].started++;
    for (;;) {
        guest_irq_mask();
        if (at_once)
            end();
        __asm__ volatile("wfi" ::: "memory");
        guest_irq_unmask();
    }
}

static char read_char(void)
{
    while (UART[0x18 / 4] & UARTFR_RXFE)
        ;
    return (char)UART[0];
}

static void send(uint64_t targets, unsigned intid)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    guest_sgi((uint64_t)intid << 24 | targets);
}

static bool is_more(const volatile unsigned *number, unsigned was)
{
    uint64_t limit = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

    while (*number == was)
        if (READ("cntvct_el0") > limit)
            return false;
    return true;
}

/* What a reset has to leave. */
static bool is_reset(unsigned nr)
{
    bool good = fresh == 0x600d1dea && !seen[nr - 1].started && !at_once && !FAR[0] && !FAR[0x10000];

    good &= !(GICD[0] & 3) && !(GICR[ISENABLER0] & ~0xffffu) && !GICR[ISPENDR0];
    good &= !UART[UARTIMSC] && !(READ("cntv_ctl_el0") & 1);
    for (unsigned n = 1; n < nr; n++)
        good &= guest_hvc(AFFINITY_INFO, n, 0, 0, NULL) == OFF;
    return good;
}

static void dirty(void)
{
    fresh = 0;
    FAR[0] = FAR[0x10000] = 1;
    UART[UARTIMSC] = 0x50;
    WRITE("cntv_cval_el0", READ("cntvct_el0") + READ("cntfrq_el0") * 1000);
    WRITE("cntv_ctl_el0", 1);
}

/* The alarm's task of the hypervisor runs then, on some CPU, so that a WFI on it traps for the length of a slice. */
static void disturb(void)
{
    RTC[RTCMR] = RTC[RTCDR] + 1000;
}

static bool wake_all(unsigned nr)
{
    for (unsigned n = 1; n < nr; n++) {
        unsigned was = seen[n].wakes;

        send(1u << n, SGI_WAKE);
        if (!is_more(&seen[n].wakes, was))
            return false;
    }
    return true;
}

static void spin(uint64_t microseconds)
{
    uint64_t until = READ("cntvct_el0") + READ("cntfrq_el0") * microseconds / 1000000;

    while (READ("cntvct_el0") < until)
        ;
}

static _Noreturn void end_by(unsigned nr)
{
    unsigned last = nr - 1;

    guest_irq_mask();
    send(1, SGI_LEFT);
    spin(what == 'w' ? 50000 : 200); /* of 10 ms is a slice */
    if (what == 'a') {
        at_once = true;
        send(((1u << nr) - 1) & ~1u, SGI_WAKE);
    }
    if (what == 'l' || what == 'o') {
        send(1u << last, SGI_END);
        for (;;)
            __asm__ volatile("wfi" ::: "memory");
    }
    end();
}

int guest_main(unsigned cpu)
{
    unsigned nr;
    bool good;

    guest_on_irq = on_irq;
    if (!cpu) {
        guest_printf("boot\n");
        nr = (unsigned)(read_char() - '0');
        what = read_char();
        good = is_reset(nr);
    }
    guest_gic_init();
    for (unsigned intid = SGI_WAKE; intid <= SGI_LEFT; intid++)
        guest_gic_enable(intid);
    if (cpu)
        wait_for_ever(cpu);
    guest_ok(good, "the machine is as after a reset");
    dirty();
    good = true;
    for (unsigned n = 1; n < nr; n++)
        good &= guest_cpu_on(n) == 0 && is_more(&seen[n].started, 0);
    guest_ok(good, "the siblings start");
    good = true;
    for (unsigned n = 0; n < 20; n++) {
        disturb();
        good &= wake_all(nr);
    }
    guest_ok(good, "they wait, and wake");
    guest_plan();
    end_by(nr);
}
