/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* avc_vcpu_run(): into the guest and out again, and what is due in between. */
#include "core/exit/event.h"
#include "hw_enter.h"

static uint64_t leave(struct avc_vcpu *v, enum avc_kind kind)
{
    v->exit = (struct avc_exit){ .kind = kind, .answer = AVC_DONE, .pc = v->pc };
    return avc_exit_to_vmm(v, kind);
}

/* PSCI: a vCPU that was switched on starts from reset, on whatever CPU it is loaded. */
avc_small static void power_up(struct avc_vcpu *v)
{
    avc_vcpu_switch_out(v);
    avc_vcpu_reset_state(v);
    v->pc = v->start_pc;
    v->x[0] = v->start_x0;
    avc_vcpu_switch_in(v);
    avc_store_seq(&v->power, AVC_POWER_ON);
}

/* HCR_EL2.VI and VF, where no interrupt controller drives the lines. */
avc_small static void drive_lines(struct avc_vcpu *v)
{
    v->hcr &= ~(HCR_VF | HCR_VI);
    v->hcr |= (uint64_t)avc_load_seq(&v->fiq_line) << 6 | (uint64_t)avc_load_seq(&v->irq_line) << 7;
}

/* Does what requests ask for. False when run has to return: the exit is filled in. */
avc_small static bool serve(struct avc_vcpu *v, uint64_t requests)
{
    if (requests & AVC_REQUEST_WATCH) {
        avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_WATCH);
        avc_observe_choose(v);
    }
    if (requests & AVC_REQUEST_SERROR) { /* before a reset would forget it */
        avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_SERROR);
        leave(v, AVC_SERROR);
        v->exit.esr = v->serror & ~AVC_BIT(63);
        v->exit.answer = AVC_FAULT;
        v->serror = 0;
        avc_count(&v->nr_traps[AVC_TRAP_SERROR]);
        return false;
    }
    if (requests & AVC_REQUEST_POWER) {
        if (avc_load_seq(&v->power) == AVC_POWER_PENDING) {
            avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_POWER);
            power_up(v);
        } else if (avc_load_seq(&v->power) != AVC_POWER_ON) {
            avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_KICK); /* the caller is told to look anyway */
            leave(v, AVC_CPU_OFF);                                    /* the bit stays: so does the state */
            return false;
        } else {
            avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_POWER);
        }
    }
    if (requests & AVC_REQUEST_TRAPS) {
        avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_TRAPS);
        if (v->work & AVC_WORK_STEP)
            avc_eret_step_end(v, &v->pstate);
        avc_hw_traps_write(v);
    }
    if (requests & AVC_REQUEST_IRQC) {
        avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_IRQC);
        if (v->vm->irqc)
            v->vm->irqc->enter(v);
        else
            drive_lines(v);
    }
    if (requests & AVC_REQUEST_KICK) {
        avc_fetch_and(&v->requests, ~(uint64_t)AVC_REQUEST_KICK);
        leave(v, AVC_KICKED);
        return false;
    }
    avc_observe_end(v, false);
    return true;
}

/* The rare work at run's entry and exit. False: there is nothing to run, and v->failed says why. */
avc_small static __attribute__((noinline)) bool entry_work(struct avc_vcpu *v, uint64_t daif)
{
    bool here = avc_vcpu_here(v);

    if (!here || v->mode == AVC_MODE_GUEST) { /* the latter: run is in progress, and it is a claim that calls it */
        v->failed = (struct avc_exit){ .kind = AVC_FAIL,
                                       .answer = AVC_DONE,
                                       .status = !here && v->pcpu ? AVC_EBUSY : AVC_ESTATE };
        avc_hw_irq_restore(daif);
        return false;
    }
    avc_complete_saved(v, &v->exit);
    if (v->work & AVC_WORK_HOST)
        avc_hw_host_swap_in(v);
    if (v->work & AVC_WORK_SEEN)
        avc_observe_entry(v);
    return true;
}

/* HCR_EL2.VSE, read back when the guest was left, has fallen when it has taken its virtual SError. */
static void vse_taken(struct avc_vcpu *v)
{
    if (v->work & AVC_WORK_VSE && !(v->hcr & HCR_VSE)) {
        v->vserror = false;
        v->work &= ~AVC_WORK_VSE;
    }
}

avc_small static __attribute__((noinline)) void exit_work(struct avc_vcpu *v)
{
    vse_taken(v);
    if (v->work & AVC_WORK_STEP) /* before the host can have programs of its own at EL0 stepped */
        avc_eret_step_end(v, &v->pstate);
    if (v->work & AVC_WORK_FP)
        avc_fp_leave_guest(v, false);
    if (v->work & AVC_WORK_HOST)
        avc_hw_host_swap_out(v);
    avc_observe_end(v, true);
    avc_release(); /* whoever sees run at its end may take the observer away */
}

/* How often requests is looked at again before an entry: enter() and power_up() may have asked for more. Other vCPUs can
   ask for it as fast as they can trap; to do all of it first would let a guest keep this CPU here, masked. */
#define MAX_ROUNDS 16

/* True when nothing asks for requests any more. False when run has to return. */
avc_small static __attribute__((noinline)) bool serve_all(struct avc_vcpu *v)
{
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        uint64_t requests = avc_load_seq(&v->requests);

        if (!requests)
            return true;
        if (!serve(v, requests))
            return false;
    }
    leave(v, AVC_KICKED);
    return false;
}

/* The guest was not entered, or left otherwise than by an exit alone. 0: to be entered, whatever is asked for since; else run
   has to return. */
static __attribute__((noinline)) uint64_t otherwise(struct avc_vcpu *v, uint64_t code)
{
    vse_taken(v);
    if (code & HW_SERROR) {
        avc_fetch_or(&v->requests, (uint64_t)AVC_REQUEST_SERROR);
        code >>= HW_SERROR_SHIFT;
    }
    return code & HW_EXIT || !serve_all(v) ? HW_EXIT : 0;
}

/*
 * The last exit's answer is acted on here, whatever it was: an exit that is no instruction's, and what a reset leaves in
 * its place, leave nothing to be done.
 *
 * `mode` needs no order at the end: whoever has set a bit of requests and sees an old GUEST sends an interrupt in vain, and
 * whoever sees HOST early relies on the next run, which looks at requests behind its own store of GUEST.
 */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *v)
{
    uint64_t daif = avc_hw_enter_begin(), code;

    if (avc_likely(avc_vcpu_where(v) == avc_hw_read_MPIDR_EL1()))
        avc_complete_saved_inline(v, &v->exit);
    else if (!entry_work(v, daif))
        return &v->failed;
    avc_store_relaxed(&v->mode, AVC_MODE_GUEST);
    avc_fence(); /* see vcpu.c, "The kick" */
    code = avc_load_relaxed(&v->requests);
    do
        code = avc_hw_enter(&v, &daif, code);
    while (avc_unlikely(!(code & HW_EXIT)) && !(code = otherwise(v, code)));
    if (avc_unlikely(v->work))
        exit_work(v);
    avc_store_relaxed(&v->mode, AVC_MODE_HOST);
    avc_hw_irq_restore(daif);
    return &v->exit;
}

avc_small uint64_t avc_trap_fiq(struct avc_vcpu *v, uint64_t esr)
{
    (void)esr;
    /* Group 0 and secure interrupts, where firmware leaves them to EL2: the host's, still pending */
    uint64_t code = leave(v, AVC_IRQ);

    v->exit.key = AVC_IRQ_SPURIOUS;
    v->exit.pc = avc_hw_read_ELR_EL2();
    return code;
}
