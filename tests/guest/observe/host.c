/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Sets and removes an observer when the guest asks for it, and compares what the observer saw with the counters. */
#include <avc/observe.h>

#include "testvm.h"

#include "phases.h"

static struct avc_histogram histograms[AVC_NR_HISTOGRAMS];
static struct avc_counters before;
static uint64_t traced[AVC_NR_TRAPS], traced_ticks, to_vmm, wrong;

static void trace(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    traced[t->trap]++;
    traced_ticks += t->out - t->in;
    to_vmm += t->outcome == AVC_TO_VMM;
    wrong += t->out < t->in || t->pc - GUEST_RAM >= TEST_RAM;
}

static const struct avc_observer observer = { histograms, trace, NULL };

/* Called after a run, when the trap that asked has ended. */
static void compare(struct avc_vcpu *vcpu)
{
    struct avc_counters now;
    uint64_t ticks = 0, traps = 0, exits = 0;

    avc_vcpu_counters(vcpu, &now);
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
        uint64_t wanted = now.traps[n] - before.traps[n];

        if (histograms[n].count != wanted || traced[n] != wanted) {
            host_printf("# %s: %lu counted, %lu in the histogram, %lu traced\n", avc_trap_name(n), wanted,
                        histograms[n].count, traced[n]);
            wrong++;
        }
        ticks += histograms[n].ticks;
        traps += wanted;
    }
    for (unsigned n = 0; n < AVC_NR_KINDS; n++)
        exits += now.exits[n] - before.exits[n];
    wrong += ticks != traced_ticks || !ticks;
    wrong += exits != to_vmm || !exits;
    wrong += histograms[AVC_HISTOGRAM_GUEST].count != traps || !histograms[AVC_HISTOGRAM_GUEST].ticks;
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    if (e->kind != AVC_CALL || e->key != CALL_OBSERVE)
        return false;
    if (avc_vcpu_gpr(vcpu, 1)) {
        for (unsigned n = 0; n < AVC_NR_HISTOGRAMS; n++)
            histograms[n] = (struct avc_histogram){ 0 };
        for (unsigned n = 0; n < AVC_NR_TRAPS; n++)
            traced[n] = 0;
        traced_ticks = to_vmm = 0;
        avc_vcpu_counters(vcpu, &before);
        host_must(avc_vcpu_observe(vcpu, &observer));
    } else {
        host_must(avc_vcpu_observe(vcpu, NULL));
        wrong += avc_vcpu_observer_in_use(vcpu, &observer);
        compare(vcpu);
    }
    avc_done(e, wrong);
    return true;
}

static enum avc_answer device(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, 0x90);
}

static const struct avc_claim claims[] = {
    { AVC_CALL, CALL_OBSERVE, CALL_OBSERVE, avc_to_vmm, NULL },
    { AVC_MMIO, CLAIMED_DEVICE, CLAIMED_DEVICE + 0xfff, device, NULL },
};

const struct test_config test_config = {
    .claims = claims,
    .nr_claims = sizeof claims / sizeof claims[0],
    .on_exit = on_exit,
};
