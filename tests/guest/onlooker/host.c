/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A second CPU reads a vCPU's counters and histograms while the vCPU runs on the first, and replaces its observer again
 * and again. No count may ever go back. An observer that is out of use may not be called any more. In the end every
 * trap must have been seen by one observer.
 */
#include <avc/observe.h>

#include "testvm.h"

#include "phases.h"

#define SWAPS 100
#define READS 5

static struct test_vm t;

static struct eye {
    struct avc_histogram histograms[AVC_NR_HISTOGRAMS];
    uint64_t traced;
} eyes[2];
static struct avc_counters before;
static uint32_t finished;
static uint64_t wrong, readings;

static void trace(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *trace)
{
    ((struct eye *)ctx)->traced++;
}

static const struct avc_observer observers[2] = {
    { eyes[0].histograms, trace, &eyes[0] },
    { eyes[1].histograms, trace, &eyes[1] },
};

static uint64_t count(const struct eye *eye)
{
    struct avc_histogram h;
    uint64_t sum = 0;

    for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
        avc_histogram_read(&eye->histograms[n], &h);
        sum += h.count;
    }
    return sum;
}

static uint64_t total(const struct avc_counters *c)
{
    uint64_t sum = 0;

    for (unsigned n = 0; n < AVC_NR_TRAPS; n++)
        sum += c->traps[n];
    return sum;
}

/* Reads until the counts have grown READS times. They do, because the guest goes on until this CPU is done. */
static void look(const struct avc_vcpu *vcpu, const struct eye *eye)
{
    static struct avc_counters last, now; /* only this CPU uses them */
    uint64_t seen = count(eye), more;

    for (unsigned grown = 0; grown < READS; readings++) {
        avc_vcpu_counters(vcpu, &now);
        more = count(eye);
        for (unsigned i = 0; i < AVC_NR_TRAPS; i++)
            wrong += now.traps[i] < last.traps[i];
        for (unsigned i = 0; i < AVC_NR_KINDS; i++)
            wrong += now.exits[i] < last.exits[i];
        wrong += more < seen;
        seen = more;
        grown += total(&now) > total(&last);
        last = now;
    }
}

static void onlooker(unsigned cpu)
{
    struct avc_vcpu *vcpu = &t.vcpu[0];

    test_cpu_init(0);
    for (unsigned n = 1; n <= SWAPS; n++) {
        const struct avc_observer *old = &observers[(n - 1) % 2];
        struct eye *eye = &eyes[(n - 1) % 2];
        uint64_t traced, counted;

        look(vcpu, eye);
        host_must(avc_vcpu_observe(vcpu, &observers[n % 2]));
        while (avc_vcpu_observer_in_use(vcpu, old))
            ;
        traced = eye->traced;
        counted = count(eye);
        look(vcpu, &eyes[n % 2]);
        wrong += eye->traced != traced || count(eye) != counted || traced != counted;
    }
    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    for (;;)
        host_wait();
}

static uint64_t end(struct avc_vcpu *vcpu)
{
    struct avc_counters now;
    uint64_t sum = 0;

    host_must(avc_vcpu_observe(vcpu, NULL));
    avc_vcpu_counters(vcpu, &now);
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
        uint64_t seen = eyes[0].histograms[n].count + eyes[1].histograms[n].count;
        uint64_t wanted = now.traps[n] - before.traps[n];

        if (seen != wanted)
            host_printf("# %s: %lu counted, %lu seen\n", avc_trap_name(n), wanted, seen);
        wrong += seen != wanted;
        sum += wanted;
    }
    wrong += eyes[0].traced + eyes[1].traced != sum;
    host_printf("# %lu traps, %lu of them IRQs; %lu readings while they went on\n", sum,
                now.traps[AVC_TRAP_IRQ] - before.traps[AVC_TRAP_IRQ], readings);
    return wrong;
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    if (e->kind != AVC_CALL)
        return false;
    switch (e->key) {
    case CALL_BEGIN:
        avc_vcpu_counters(vcpu, &before);
        host_must(avc_vcpu_observe(vcpu, &observers[0]));
        host_cpu_start(1, onlooker);
        avc_done(e, 0);
        return true;
    case CALL_MORE:
        avc_done(e, !__atomic_load_n(&finished, __ATOMIC_ACQUIRE));
        return true;
    case CALL_END:
        avc_done(e, end(vcpu));
        return true;
    default:
        return false;
    }
}

int host_main(void)
{
    static const struct avc_claim calls = { AVC_CALL, CALL_BEGIN, CALL_END, avc_to_vmm, NULL };
    static const struct test_config config = { .claims = &calls, .nr_claims = 1, .on_exit = on_exit };

    test_nr_cpus = 2; /* the vCPU's wake() sends an interrupt to CPU 0 */
    test_cpu_init(0);
    test_vm_init(&t, &config);
    host_must(avc_vcpu_load(&t.vcpu[0], &test_pcpu[0]));
    while (!t.off)
        (void)test_vcpu_step(&t, 0, &config);
    host_must(avc_vcpu_put(&t.vcpu[0]));
    return 0;
}
