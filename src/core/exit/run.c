/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* avc_vcpu_run(): into the guest and out again, and what is due in between. */
#include "core/exit/complete.h"
#include "core/exit/eret.h"
#include "core/exit/fp.h"
#include "core/exit/observe.h"
#include "core/object/vcpu.h"
#include "hw_enter.h"

static void leave(struct avc_vcpu *vcpu, enum avc_kind kind)
{
    vcpu->exit = (struct avc_exit){ .kind = kind, .answer = AVC_DONE, .pc = vcpu->pc };
}

/* PSCI: a vCPU that was switched on starts from reset, on whatever CPU it is loaded. */
avc_small static void power_up(struct avc_vcpu *vcpu)
{
    avc_vcpu_switch_out(vcpu);
    avc_vcpu_reset_state(vcpu);
    vcpu->pc = vcpu->start_pc;
    vcpu->x[0] = vcpu->start_x0;
    avc_vcpu_switch_in(vcpu);
    avc_store_seq(&vcpu->power, AVC_POWER_ON);
}

/* HCR_EL2.VI and VF, where no interrupt controller drives the lines. */
avc_small static void drive_lines(struct avc_vcpu *vcpu)
{
    vcpu->hcr &= ~(HCR_VF | HCR_VI);
    vcpu->hcr |= (uint64_t)avc_load_seq(&vcpu->fiq_line) << 6 | (uint64_t)avc_load_seq(&vcpu->irq_line) << 7;
}

/* Does what requests ask for. False when run has to return: the exit is filled in. */
avc_small static bool serve(struct avc_vcpu *vcpu, uint64_t requests)
{
    if (requests & AVC_REQUEST_WATCH) {
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_WATCH);
        if (vcpu->observe)
            vcpu->observe->choose(vcpu);
    }
    if (requests & AVC_REQUEST_SERROR) { /* before a reset would forget it */
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_SERROR);
        leave(vcpu, AVC_SERROR);
        vcpu->exit.esr = vcpu->serror & ~AVC_BIT(63);
        vcpu->exit.answer = AVC_FAULT;
        vcpu->serror = 0;
        avc_count(&vcpu->nr_traps[AVC_TRAP_SERROR]);
        return false;
    }
    if (requests & AVC_REQUEST_POWER) {
        if (avc_load_seq(&vcpu->power) == AVC_POWER_PENDING) {
            avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_POWER);
            power_up(vcpu);
        } else if (avc_load_seq(&vcpu->power) != AVC_POWER_ON) {
            avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_KICK); /* the caller is told to look anyway */
            leave(vcpu, AVC_CPU_OFF);                                    /* the bit stays: so does the state */
            return false;
        } else {
            avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_POWER);
        }
    }
    if (requests & AVC_REQUEST_TRAPS) {
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_TRAPS);
        if (vcpu->work & AVC_WORK_STEP)
            avc_eret_step_end(vcpu, &vcpu->pstate);
        avc_hw_traps_write(vcpu);
    }
    if (requests & AVC_REQUEST_IRQC) {
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_IRQC);
        if (vcpu->vm->irqc)
            vcpu->vm->irqc->enter(vcpu);
        else
            drive_lines(vcpu);
    }
    if (requests & AVC_REQUEST_KICK) {
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_KICK);
        leave(vcpu, AVC_KICKED);
        return false;
    }
    if (vcpu->observe)
        vcpu->observe->end(vcpu, false);
    return true;
}

/* The rare work at run's entry and exit. False: there is nothing to run, and vcpu->failed says why. */
avc_small static __attribute__((noinline)) bool entry_work(struct avc_vcpu *vcpu, uint64_t daif)
{
    bool here = avc_vcpu_here(vcpu);

    if (!here || vcpu->mode == AVC_MODE_GUEST) { /* the latter: run is in progress, and it is a claim that calls it */
        vcpu->failed = (struct avc_exit){ .kind = AVC_FAIL,
                                          .answer = AVC_DONE,
                                          .status = !here && vcpu->pcpu ? AVC_EBUSY : AVC_ESTATE };
        avc_hw_irq_restore(daif);
        return false;
    }
    avc_complete_saved(vcpu, &vcpu->exit);
    if (vcpu->work & AVC_WORK_HOST)
        avc_hw_host_swap_in(vcpu);
    if (vcpu->work & AVC_WORK_SEEN)
        vcpu->observe->entry(vcpu);
    return true;
}

/* HCR_EL2.VSE, read back when the guest was left, has fallen when it has taken its virtual SError. */
static void vse_taken(struct avc_vcpu *vcpu)
{
    if (vcpu->work & AVC_WORK_VSE && !(vcpu->hcr & HCR_VSE)) {
        vcpu->vserror = false;
        vcpu->work &= ~AVC_WORK_VSE;
    }
}

avc_small static __attribute__((noinline)) void exit_work(struct avc_vcpu *vcpu)
{
    vse_taken(vcpu);
    if (vcpu->work & AVC_WORK_STEP) /* before the host can have programs of its own at EL0 stepped */
        avc_eret_step_end(vcpu, &vcpu->pstate);
    if (vcpu->work & AVC_WORK_FP)
        avc_fp_leave_guest(vcpu, false);
    if (vcpu->work & AVC_WORK_HOST)
        avc_hw_host_swap_out(vcpu);
    if (vcpu->observe)
        vcpu->observe->end(vcpu, true);
    avc_release(); /* whoever sees run at its end may take the observer away */
}

/* How often requests is looked at again before an entry: enter() and power_up() may have asked for more. Other vCPUs can
   ask for it as fast as they can trap; to do all of it first would let a guest keep this CPU here, masked. */
#define MAX_ROUNDS 16

/* True when nothing asks for requests any more. False when run has to return. */
avc_small static __attribute__((noinline)) bool serve_all(struct avc_vcpu *vcpu)
{
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        uint64_t requests = avc_load_seq(&vcpu->requests);

        if (!requests)
            return true;
        if (!serve(vcpu, requests))
            return false;
    }
    leave(vcpu, AVC_KICKED);
    return false;
}

/* The guest was not entered, or left otherwise than by an exit alone. Whether it is to be entered, whatever is requested since;
   else run has to return. */
static __attribute__((noinline)) bool go_on(struct avc_vcpu *vcpu, unsigned result)
{
    vse_taken(vcpu);
    if (result & RESULT_SERROR) {
        avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_SERROR);
        result &= ~(unsigned)RESULT_SERROR;
    }
    return result != AVC_LEAVE && serve_all(vcpu);
}

/*
 * The last exit is completed here by its answer, whatever it was: an exit that is no instruction's, and what a reset leaves in
 * its place, leave nothing to be done.
 *
 * `mode` needs no order at the end: whoever has set a request and sees an old GUEST sends an interrupt in vain, and
 * whoever sees HOST early relies on the next run, which looks at requests behind its own store of GUEST.
 */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu)
{
    uint64_t daif = avc_hw_enter_begin(), requests;
    unsigned result;

    if (avc_likely(avc_vcpu_where(vcpu) == avc_hw_read_MPIDR_EL1()))
        avc_complete_saved(vcpu, &vcpu->exit);
    else if (!entry_work(vcpu, daif))
        return &vcpu->failed;
    avc_store_relaxed(&vcpu->mode, AVC_MODE_GUEST);
    avc_fence(); /* see vcpu.c, "The kick" */
    requests = avc_load_relaxed(&vcpu->requests);
    do {
        result = avc_hw_enter(&vcpu, &daif, requests);
        requests = 0;
    } while (avc_unlikely(result != AVC_LEAVE) && go_on(vcpu, result));
    avc_count(&vcpu->nr_exits[vcpu->exit.kind]);
    if (avc_unlikely(vcpu->work))
        exit_work(vcpu);
    avc_store_relaxed(&vcpu->mode, AVC_MODE_HOST);
    avc_hw_irq_restore(daif);
    return &vcpu->exit;
}
