/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Each CPU's loop, the scheduler's hooks into the machine, and the interrupts that EL2 takes.
 */
#include <stdatomic.h>

#include "kern/hal.h"
#include "kern/selftest.h"
#include "vmm.h"

#define NR_SHARED (8 + VMM_MAX_VIRTIO)

/* Shared interrupts that have a handler. Each is written at boot, before the interrupt is enabled. */
static struct {
    uint32_t intid;
    void (*fn)(void *ctx);
    void *ctx;
} shared[NR_SHARED];
static unsigned nr_shared;

/* ---- hooks ---- */

unsigned vmm_sched_self(void)
{
    return vmm_cpu_self()->index;
}

uint64_t vmm_sched_now(void)
{
    return vmm_time_now();
}

void vmm_sched_poke(unsigned cpu)
{
    vmm_gic_send_sgi(&vmm_cpus[cpu], VMM_SGI_POKE);
}

/* In a trap of its guest this sets a bit that the way back to the guest looks at. Elsewhere the step looks at what is
   due before the next run. */
void vmm_sched_leave(void)
{
    struct vmm_vcpu *vv = vmm_cpu_self()->loaded;

    if (vv)
        avc_vcpu_kick(&vv->vcpu);
}

/* IRQs are masked. One that came since the caller has looked ends the wait too. */
void vmm_sched_sleep(void)
{
    vmm_wfi();
    vmm_irq_dispatch(); /* without an exception: it would only save registers, and restore them */
}

void vmm_sched_arm(uint64_t deadline)
{
    vmm_timer_arm(deadline);
}

void vmm_sched_relax(void)
{
    vmm_cpu_relax();
}

/* ---- interrupts ---- */

void vmm_irq_register(uint32_t intid, void (*fn)(void *ctx), void *ctx)
{
    vmm_assert(nr_shared < NR_SHARED);
    shared[nr_shared].intid = intid;
    shared[nr_shared].fn = fn;
    shared[nr_shared].ctx = ctx;
    nr_shared++;
    vmm_gic_enable(intid);
}

/* Handles an interrupt that nobody expects: logs it once, and disables it, or it could come for ever. The library's
   own interrupts are different. Between a timer's expiry and the put that stops the timer, one may still come. It
   means nothing any more. */
static void unexpected(uint32_t intid)
{
    if (intid == VMM_VTIMER_INTID || intid == VMM_PTIMER_INTID || intid == VMM_MAINTENANCE_INTID)
        return;
    vmm_log(VMM_WARN, "unexpected interrupt %u on CPU %u, disabled", intid, vmm_cpu_self()->index);
    if (intid < 1020)
        vmm_gic_disable(intid);
}

/* Counts on this CPU only, for the self-test. */
static void count(_Atomic uint32_t *number)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + 1, memory_order_relaxed);
}

static bool shared_interrupt(struct vmm_cpu *cpu, uint32_t token)
{
    uint32_t intid = vmm_gic_intid(token);

    vmm_dsb_sy(); /* the acknowledge is complete before the device is accessed (IHI 0069, 4.1.1) */
    for (unsigned i = 0; i < nr_shared; i++)
        if (shared[i].intid == intid) {
            shared[i].fn(shared[i].ctx);
            vmm_gic_end(token, true);
            return *vmm_sched_due(cpu->index) & VMM_DUE_YIELD;
        }
    unexpected(intid);
    vmm_gic_end(token, true);
    return false;
}

bool vmm_irq_handle(uint32_t token)
{
    struct vmm_cpu *cpu = vmm_cpu_self();
    bool look;

    switch (vmm_gic_intid(token)) {
    case VMM_SGI_POKE:
        count(&cpu->pokes);
        vmm_gic_end(token, true); /* first the end, then the look: a later poke is then a new interrupt */
        return vmm_sched_poked(cpu->index);
    case VMM_TIMER_INTID:
        count(&cpu->ticks);
        look = vmm_sched_tick(cpu->index); /* it arms the timer again, so the level falls before the end */
        vmm_gic_end(token, true);
        return look;
    case VMM_SGI_LOG:
        vmm_gic_end(token, true); /* first: it may be sent again at once */
        vmm_log_send();
        return false;
    case VMM_SGI_STOP:
        for (;;)
            vmm_wfi();
    default:
        return shared_interrupt(cpu, token);
    }
}

void vmm_irq_window(void)
{
    vmm_irq_unmask();
    vmm_isb(); /* pending interrupts are taken here at the latest */
    vmm_irq_mask();
}

/* ---- loop ---- */

_Noreturn void vmm_sched_loop(void)
{
    enum vmm_step (*step)(struct vmm_cpu *, struct vmm_vcpu *, uint64_t *) =
        vmm_options.selftest ? vmm_selftest_step : vmm_vcpu_step;
    struct vmm_cpu *cpu = vmm_cpu_self();

    for (;;) {
        struct vmm_task *task = vmm_sched_pick(cpu->index);
        uint64_t deadline = VMM_NEVER;

        if (task) {
            enum vmm_step how = task->step ? task->step(task, &deadline) : step(cpu, vmm_vcpu_of_task(task), &deadline);

            vmm_sched_done(cpu->index, task, how, deadline);
        } else {
            vmm_sched_sleep();
        }
        vmm_log_look();
        vmm_irq_window();
    }
}
