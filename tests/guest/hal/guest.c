/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Two vCPUs with their virtual timers on. Each raises eight SGIs for itself at once, which is more than there are list
 * registers, and sends SGIs to the other. It must take each SGI as often as it was raised. Meanwhile two different HALs
 * handle the physical interrupts.
 */
#include "guest.h"

#include "../hal/more.h"

#define TIMER    27
#define SPURIOUS 1023
#define OWN      8 /* SGIs 8..15 to itself; 0..7 come from the other vCPU */

static volatile struct vcpu {
    uint64_t raised[16], taken[16]; /* SGIs raised for this vCPU, and taken by it */
    bool waits[16];                 /* raised and not yet taken */
    uint64_t due, timers, early, wrong;
    bool off, done; /* off: the handler must not set the timer again */
} vcpus[2];

static void set(volatile struct vcpu *vcpu)
{
    vcpu->due = READ("cntvct_el0") + READ("cntfrq_el0") / 4000;
    WRITE("cntv_cval_el0", vcpu->due);
    WRITE("cntv_ctl_el0", 1);
}

static void on_irq(struct guest_regs *regs)
{
    volatile struct vcpu *vcpu = &vcpus[guest_cpu()];
    uint32_t intid = guest_gic_ack();

    if (intid == SPURIOUS)
        return;
    if (intid == TIMER) {
        __asm__ volatile("isb");
        vcpu->early += READ("cntvct_el0") < vcpu->due;
        vcpu->timers++;
        if (vcpu->off)
            WRITE("cntv_ctl_el0", 0);
        else
            set(vcpu);
    } else if (intid < 16) {
        vcpu->wrong += !vcpu->waits[intid];
        vcpu->taken[intid]++;
        __atomic_store_n(&vcpu->waits[intid], false, __ATOMIC_RELEASE);
    } else {
        vcpu->wrong++;
    }
    guest_gic_eoi(intid);
}

/* Raises an SGI for a vCPU, if the vCPU has taken the last one of this number. */
static void raise_sgi(unsigned to, unsigned n)
{
    volatile struct vcpu *vcpu = &vcpus[to];

    if (__atomic_load_n(&vcpu->waits[n], __ATOMIC_ACQUIRE))
        return;
    vcpu->raised[n]++;
    __atomic_store_n(&vcpu->waits[n], true, __ATOMIC_RELEASE);
    guest_sgi((uint64_t)n << 24 | 1u << to);
}

static bool all_taken(unsigned cpu)
{
    bool yes = true;

    for (unsigned n = 0; n < 16; n++)
        yes &= !__atomic_load_n(&vcpus[cpu].waits[n], __ATOMIC_ACQUIRE);
    return yes;
}

static volatile bool up;

static void work(unsigned cpu)
{
    volatile struct vcpu *vcpu = &vcpus[cpu];
    uint64_t last;

    set(vcpu);
    guest_irq_unmask();
    for (unsigned turn = 0; guest_hvc(CALL_MORE, 0, 0, 0, NULL); turn++) {
        for (volatile unsigned n = 0; n < 50; n++)
            ;
        if (turn % 4 == 0)
            raise_sgi(1 - cpu, turn / 4 % OWN);
        if (turn % 64 == 0) {
            guest_irq_mask(); /* so that all of them are pending together */
            for (unsigned n = OWN; n < 16; n++)
                raise_sgi(cpu, n);
            guest_irq_unmask();
        }
        if (turn % 16 == 0)
            __asm__ volatile("wfi"); /* ends at the latest with the timer's interrupt */
        if (turn % 2)
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    }
    vcpu->done = true;
    while (!vcpus[1 - cpu].done || !all_taken(cpu) || !all_taken(1 - cpu))
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    vcpu->off = true; /* the timer is still on, so one more interrupt comes */
    last = vcpu->timers;
    while (vcpu->timers == last)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    guest_irq_mask();
}

int guest_main(unsigned cpu)
{
    static volatile bool finished;

    guest_on_irq = on_irq;
    guest_gic_init();
    for (unsigned n = 0; n < 16; n++)
        guest_gic_enable(n);
    guest_gic_enable(TIMER);
    if (cpu) {
        up = true;
        work(cpu);
        finished = true;
        guest_hvc(0x84000002, 0, 0, 0, NULL); /* CPU_OFF */
    }
    guest_cpu_on(1);
    while (!up)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    work(cpu);
    while (!finished)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    for (unsigned n = 0; n < 2; n++) {
        volatile struct vcpu *vcpu = &vcpus[n];
        uint64_t own = 0, crossed = 0, lost = 0;

        for (unsigned i = 0; i < 16; i++) {
            *(i < OWN ? &crossed : &own) += vcpu->taken[i];
            lost += vcpu->raised[i] != vcpu->taken[i];
        }
        guest_printf("# vCPU %u: timer %lu, own SGIs %lu, the other's %lu\n", n, vcpu->timers, own, crossed);
        guest_ok(!lost && !vcpu->wrong && !vcpu->early && vcpu->timers > 10 && own > 100 && crossed > 10,
                 "vCPU %u: every virtual interrupt was taken once", n);
    }
    return 0;
}
