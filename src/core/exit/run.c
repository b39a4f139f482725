/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* avc_vcpu_run() enters the guest, comes back, and does what is due in between. */
#include "core/exit/complete.h"
#include "core/exit/decoder_ops.h"
#include "core/exit/eret.h"
#include "core/exit/fp.h"
#include "core/exit/observe.h"
#include "core/object/vcpu.h"
#include "hw_enter.h"

static void leave(struct avc_vcpu *vcpu, enum avc_kind kind)
{
    vcpu->exit = (struct avc_exit){ .kind = kind, .answer = AVC_DONE, .pc = vcpu->pc };
}

/* Sets HCR_EL2.VI and VF, where no interrupt controller drives the lines. */
avc_small static void drive_lines(struct avc_vcpu *vcpu)
{
    vcpu->hcr &= ~(HCR_VF | HCR_VI);
    vcpu->hcr |= (uint64_t)avc_load_seq(&vcpu->fiq_line) << 6 | (uint64_t)avc_load_seq(&vcpu->irq_line) << 7;
}

/* Does what requests ask for. Returns false when run has to return: the exit is filled in. */
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
            if (avc_vcpu_is_stale(vcpu))
                avc_vcpu_freshen(vcpu);
            avc_store_seq(&vcpu->power, AVC_POWER_ON);
        } else if (avc_load_seq(&vcpu->power) != AVC_POWER_ON) {
            avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_KICK); /* run returns anyway */
            leave(vcpu, AVC_CPU_OFF);                                    /* the bit stays, because the state does */
            return false;
        } else {
            avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_POWER);
        }
    }
    if (requests & AVC_REQUEST_PART) {
        avc_fetch_and(&vcpu->requests, ~(uint64_t)AVC_REQUEST_PART);
        if (!vcpu->vm->decoder->ops->go_on(vcpu))
            return false;
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

/* Does the rare work at run's entry. Returns false when there is nothing to run: vcpu->failed says why. */
avc_small static __attribute__((noinline)) bool entry_work(struct avc_vcpu *vcpu, uint64_t daif)
{
    bool here = avc_vcpu_here(vcpu);

    if (!here || vcpu->mode == AVC_MODE_GUEST) { /* GUEST: run is in progress, and a claim has called it again */
        vcpu->failed = (struct avc_exit){ .kind = AVC_FAIL,
                                          .answer = AVC_DONE,
                                          .status = !here && vcpu->pcpu ? AVC_EBUSY : AVC_ESTATE };
        avc_hw_irq_restore(daif);
        return false;
    }
    if (vcpu->work & AVC_WORK_HOST)
        avc_hw_host_swap_in(vcpu);
    if (vcpu->work & AVC_WORK_SEEN)
        vcpu->observe->entry(vcpu);
    return true;
}

/* The code that leaves the guest has read HCR_EL2.VSE back. The CPU has cleared it if the guest has taken its
   virtual SError. */
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
    if (vcpu->work & AVC_WORK_STEP) /* otherwise the host's own programs at EL0 could be stepped */
        avc_eret_step_end(vcpu, &vcpu->pstate);
    if (vcpu->work & AVC_WORK_FP)
        avc_fp_leave_guest(vcpu, false);
    if (vcpu->work & AVC_WORK_HOST)
        avc_hw_host_swap_out(vcpu);
    if (vcpu->observe)
        vcpu->observe->end(vcpu, true);
    avc_release(); /* a CPU that sees run at its end may take the observer away */
}

/* How often run looks at requests again before an entry. enter() and avc_vcpu_freshen() may have set more: two rounds
   serve what one event has caused. Other vCPUs can set requests as fast as they can trap. If run served all of them
   first, a guest could keep this CPU here with interrupts masked. */
#define MAX_ROUNDS 4

/* Serves requests. Returns true when there are no more, false when run has to return. */
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

/* The guest was not entered, or something other than an exit has ended its stretch. Serves what is requested.
   Returns true if run enters the guest again, false if run has to return. */
static __attribute__((noinline)) bool go_on(struct avc_vcpu *vcpu, unsigned result)
{
    vse_taken(vcpu);
    if (result & RESULT_SERROR) {
        avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_SERROR);
        result &= ~(unsigned)RESULT_SERROR;
        if (result == AVC_LEAVE && vcpu->exit.kind == AVC_WFI)
            result = AVC_RESUME; /* the host hears of the SError before it waits; the guest executes the WFI anew */
    }
    return result != AVC_LEAVE && serve_all(vcpu);
}

/*
 * The last exit is completed here, as it was answered. An exit that no instruction has caused, and what a reset leaves
 * in its place, need no completion.
 *
 * The last store of `mode` needs no order. A CPU that sets a request and still sees GUEST sends an interrupt in vain. A
 * CPU that sees HOST early relies on the next run, which looks at requests after its own store of GUEST.
 */
struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu)
{
    uint64_t daif = avc_hw_enter_begin(), requests;
    unsigned result;

    if (avc_unlikely(avc_vcpu_where(vcpu) != avc_hw_read_MPIDR_EL1()) && !entry_work(vcpu, daif))
        return &vcpu->failed;
    avc_complete_saved(vcpu, &vcpu->exit);
    avc_store_relaxed(&vcpu->mode, AVC_MODE_GUEST);
    avc_fence(); /* see request.c, "The kick" */
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
