/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A vCPU's step: load it, run it and answer its exits, put it. One switch answers the exits. An exit that is not in the
 * switch gets the answer that the library has preset, which is the architecture's.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "guest.h"
#include "nothing.h"
#include "stat.h"

enum next { GO_ON, YIELD, BLOCK, SLEEP, POWER_OFF, RESET };

/* ---- exits ---- */

/* WFE. As long as no other task waits for a CPU, the vCPU waits in the instruction itself. */
static enum next wait_event(const struct vmm_cpu *cpu, struct avc_exit *e)
{
    if (!vmm_sched_alone(cpu->index))
        return YIELD;
    e->answer = AVC_RETRY; /* it does not trap any more; run_on() looks at what is due */
    return GO_ON;
}

/*
 * WFI. The vCPU stays loaded as long as no other task wants the CPU: then its next wake-up costs no put and no load.
 *
 * In the trap the library has found no interrupt pending, and that the timers are not due before the exit's `value`.
 * From then on it tells of each interrupt by wake(), which the scheduler notes from the moment at which it picked the
 * task. So there is work only if the task was woken. Often there is none even then, because the guest has handled what
 * it was woken for. This is cheaper than sleep(), which asks in any case.
 */
static enum next wait(const struct vmm_cpu *cpu, struct vmm_vcpu *vv, struct avc_exit *e)
{
    if (vmm_sched_woken(&vv->task) && avc_vcpu_has_work(&vv->vcpu))
        return GO_ON;
    vv->until = e->value;
    if (e->key) /* a WFIT, which no timer of the guest's ends */
        return BLOCK;
    switch (vmm_sched_wait(cpu->index, &vv->task)) {
    case VMM_WAIT_OVER:
        return GO_ON;
    case VMM_WAIT_IN_GUEST:
        e->answer = AVC_RETRY;
        return GO_ON;
    default:
        return BLOCK;
    }
}

static enum next answer(struct vmm_cpu *cpu, struct vmm_vcpu *vv, struct avc_exit *e)
{
    struct avc_vcpu *vcpu = &vv->vcpu;

    switch (e->kind) {
    case AVC_IRQ:
        if (!e->handled)
            vmm_irq_window();
        return GO_ON; /* the loop asks the scheduler */
    case AVC_KICKED:  /* perhaps between two pieces of a long access */
        vmm_irq_window();
        vmm_strace_show(vcpu);
        return GO_ON;
    case AVC_WFI:
        return wait(cpu, vv, e);
    case AVC_WFE:
        return wait_event(cpu, e);
    case AVC_CPU_SUSPEND:
    case AVC_CPU_OFF:
        vv->until = e->kind == AVC_CPU_OFF ? VMM_NEVER : e->value;
        return SLEEP;
    case AVC_STAGE2:
    case AVC_MMIO:
        if (vmm_ram_touch(&vmm_guest.ram, e->key, vmm_irq_window))
            e->answer = AVC_RETRY;
        else if (!vmm_guest_device_exit(e))
            vmm_nothing_there(vv, e);
        return GO_ON;
    case AVC_SERROR:
        vmm_log(VMM_WARN, "guest: vCPU %u: SError, ESR 0x%llx (pc 0x%llx): handed to the guest", vcpu->index,
                (unsigned long long)e->esr, (unsigned long long)e->pc);
        return GO_ON;
    case AVC_SYSTEM_OFF:
        return POWER_OFF;
    case AVC_SYSTEM_RESET:
        return RESET;
    case AVC_FAIL:
        vmm_exit(VMM_EXIT_FAILURE, "vCPU %u does not run: %s", vcpu->index, avc_status_text(e->status));
    default:
        return GO_ON;
    }
}

/*
 * Says whether a vCPU that is no longer loaded may sleep, and how long. An interrupt that came while the vCPU was still
 * loaded woke nobody, so this asks for it. A later interrupt wakes the task. The scheduler takes note of that even
 * before the task sleeps. The fence orders the store that says "not loaded" before the question.
 */
static enum vmm_step sleep(struct avc_vcpu *vcpu, uint64_t until, uint64_t *deadline)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (avc_vcpu_has_work(vcpu))
        return VMM_STEP_YIELD;
    *deadline = avc_vcpu_deadline(vcpu);
    if (until < *deadline) /* WFIT's time-out */
        *deadline = until;
    return *deadline <= vmm_time_now() ? VMM_STEP_YIELD : VMM_STEP_BLOCK;
}

static void answer_call(const struct avc_vcpu *vcpu, struct avc_exit *e)
{
    if ((uint32_t)e->key == VMM_CALL_ADD)
        avc_done(e, avc_vcpu_gpr(vcpu, 1) + avc_vcpu_gpr(vcpu, 2));
}

/* Runs the vCPU until it has to stop. WFI and WFE trap while other tasks wait for a CPU, or did so a short time ago. */
static enum next run_on(struct vmm_cpu *cpu, struct vmm_vcpu *vv)
{
    const _Atomic unsigned *due = vmm_sched_due(cpu->index);
    unsigned heeded = ~0u;
    enum next next = GO_ON;
    struct avc_exit *e;

    while (next == GO_ON) {
        unsigned now = atomic_load_explicit(due, memory_order_relaxed);

        if (now != heeded) {
            if (now & VMM_DUE_YIELD)
                return YIELD;
            avc_vcpu_trap_wfx(&vv->vcpu, now & (VMM_DUE_SHARE | VMM_DUE_ASK));
            heeded = now;
        }
        e = avc_vcpu_run(&vv->vcpu);
        if (e->kind == AVC_CALL) /* guests do this often, so it needs no table */
            answer_call(&vv->vcpu, e);
        else
            next = answer(cpu, vv, e);
    }
    return next;
}

static enum vmm_step load_run_put(struct vmm_cpu *cpu, struct vmm_vcpu *vv, uint64_t *deadline)
{
    struct avc_vcpu *vcpu = &vv->vcpu;
    enum avc_status status;
    enum next next;

    status = avc_vcpu_load(vcpu, cpu->pcpu);
    if (status)
        vmm_exit(VMM_EXIT_FAILURE, "vCPU %u cannot be loaded: %s", vcpu->index, avc_status_text(status));
    if (vmm_options.stat)
        vmm_stat_loaded(vcpu->index);
    cpu->loaded = vv;
    next = run_on(cpu, vv);
    cpu->loaded = NULL;
    if (vmm_options.stat)
        vmm_stat_put(vcpu->index);
    status = avc_vcpu_put(vcpu);
    vmm_assert(status == AVC_OK);

    switch (next) {
    case BLOCK:
        /* While the vCPU was loaded another one may have enabled the interrupt of its timer. Nobody was told, because
           the timer would have interrupted this CPU. The scheduler looks whether the deadline has come already. */
        *deadline = avc_vcpu_deadline(vcpu);
        if (vv->until < *deadline)
            *deadline = vv->until;
        return VMM_STEP_BLOCK;
    case SLEEP:
        return sleep(vcpu, vv->until, deadline);
    case POWER_OFF:
        if (vmm_options.stat && !vmm_sched_stop())
            return VMM_STEP_YIELD; /* another vCPU of the VM is ending or resetting it */
        vmm_stat_print();
        vmm_exit(VMM_EXIT_OFF, "the guest powered off");
    case RESET:
        *deadline = VMM_NEVER;
        return vmm_guest_reset() ? VMM_STEP_BLOCK : VMM_STEP_YIELD;
    default:
        return VMM_STEP_YIELD;
    }
}

/* A vCPU that gave its CPU away was ready at once; one that waited, at its deadline, unless something else woke it. */
enum vmm_step vmm_vcpu_step(struct vmm_cpu *cpu, struct vmm_vcpu *vv, uint64_t *deadline)
{
    uint64_t now = vmm_time_now();
    enum vmm_step how;

    if (now > vv->ready)
        vmm_pvtime_add(&vmm_guest.pvtime, vv->vcpu.index, now - vv->ready);
    how = load_run_put(cpu, vv, deadline);
    now = vmm_time_now();
    vv->ready = how == VMM_STEP_BLOCK && *deadline > now ? *deadline : now;
    return how;
}
