/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The table of ./avc run --stat. Counts are the library's counters. Times are the histograms of an observer that each
 * vCPU has from its start. A vCPU is on a CPU from load to put. The part of that time that is not the guest's is EL2's,
 * in a trap's function as well as in the loop of loop.c.
 */
#include <avc/observe.h>

#include "guest.h"
#include "stat.h"

/* What one vCPU did, or all vCPUs together. */
struct sum {
    struct avc_counters counters;
    struct avc_histogram histograms[AVC_NR_HISTOGRAMS];
    uint64_t loaded; /* ticks from load to put */
};

static struct watch {
    struct avc_histogram *histograms;
    struct avc_observer observer;
    uint64_t loaded, since; /* since: when it was loaded; 0: it is not loaded */
} watches[VMM_MAX_VCPUS];

static void add(uint64_t *number, uint64_t ticks)
{
    __atomic_store_n(number, *number + ticks, __ATOMIC_RELAXED);
}

void vmm_stat_init(void)
{
    size_t bytes = sizeof(struct avc_histogram) * AVC_NR_HISTOGRAMS;

    for (unsigned n = 0; vmm_options.stat && n < vmm_guest.nr_vcpus; n++) {
        struct watch *w = &watches[n];

        w->histograms = vmm_pages_alloc(bytes, VMM_PAGE_SIZE);
        if (!w->histograms)
            vmm_exit(VMM_EXIT_FAILURE, "no memory for --stat");
        memset(w->histograms, 0, bytes);
        w->observer.histograms = w->histograms;
        if (avc_vcpu_observe(&vmm_guest.vcpu[n].vcpu, &w->observer))
            vmm_panic("avc_vcpu_observe");
    }
}

void vmm_stat_loaded(unsigned vcpu)
{
    __atomic_store_n(&watches[vcpu].since, vmm_time_now(), __ATOMIC_RELAXED);
}

void vmm_stat_put(unsigned vcpu)
{
    struct watch *w = &watches[vcpu];

    add(&w->loaded, vmm_time_now() - w->since);
    __atomic_store_n(&w->since, 0, __ATOMIC_RELAXED);
}

/* ---- sums ---- */

static void take(struct sum *sum, unsigned vcpu)
{
    const struct watch *w = &watches[vcpu];
    uint64_t since = __atomic_load_n(&w->since, __ATOMIC_RELAXED);

    avc_vcpu_counters(&vmm_guest.vcpu[vcpu].vcpu, &sum->counters);
    for (unsigned n = 0; n < AVC_NR_HISTOGRAMS; n++)
        avc_histogram_read(&w->histograms[n], &sum->histograms[n]);
    sum->loaded = __atomic_load_n(&w->loaded, __ATOMIC_RELAXED) + (since ? vmm_time_now() - since : 0);
}

static void merge(struct sum *all, const struct sum *one)
{
    uint64_t *to = (uint64_t *)&all->counters;
    const uint64_t *from = (const uint64_t *)&one->counters;

    for (size_t n = 0; n < sizeof(all->counters) / sizeof(*to); n++)
        to[n] += from[n];
    for (unsigned n = 0; n < AVC_NR_HISTOGRAMS; n++)
        avc_histogram_merge(&all->histograms[n], &one->histograms[n]);
    all->loaded += one->loaded;
}

/* ---- the table ---- */

typedef unsigned long long ull;

/* "12.34", in a field of 7. */
struct share {
    char text[24];
};

static struct share share(uint64_t part, uint64_t whole)
{
    uint64_t hundredths = whole ? part / whole * 10000 + part % whole * 10000 / whole : 0;
    struct share s;

    vmm_snprintf(s.text, sizeof(s.text), "%llu.%02llu", (ull)(hundredths / 100), (ull)(hundredths % 100));
    return s;
}

static void trap_row(const char *name, uint64_t count, uint64_t counts, const struct avc_histogram *h, uint64_t ticks)
{
    vmm_log(VMM_INFO, "stat: %-33s %10llu %7s %13llu %7s %9llu %9llu %9llu %9llu", name, (ull)count,
            share(count, counts).text, (ull)h->ticks, share(h->ticks, ticks).text,
            (ull)(h->count ? h->ticks / h->count : 0), (ull)avc_histogram_percentile(h, 50),
            (ull)avc_histogram_percentile(h, 99), (ull)h->longest);
}

/* The dearest come first. */
static void trap_rows(const struct sum *sum)
{
    unsigned order[AVC_NR_TRAPS], nr = 0;
    struct avc_histogram all = { 0 };
    uint64_t counts = 0;

    for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
        unsigned at = nr;

        if (!sum->counters.traps[n])
            continue;
        counts += sum->counters.traps[n];
        avc_histogram_merge(&all, &sum->histograms[n]);
        for (; at && sum->histograms[order[at - 1]].ticks < sum->histograms[n].ticks; at--)
            order[at] = order[at - 1];
        order[at] = n;
        nr++;
    }
    vmm_log(VMM_INFO, "stat: %-33s %10s %7s %13s %7s %9s %9s %9s %9s", "trap", "count", "%", "ticks", "%", "mean",
            "p50 <=", "p99 <=", "longest");
    for (unsigned i = 0; i < nr; i++)
        trap_row(avc_trap_name(order[i]), sum->counters.traps[order[i]], counts, &sum->histograms[order[i]], all.ticks);
    trap_row("all traps", counts, counts, &all, all.ticks);
}

static void exit_rows(const struct sum *sum)
{
    unsigned order[AVC_NR_KINDS], nr = 0;
    uint64_t counts = 0;

    for (unsigned n = 0; n < AVC_NR_KINDS; n++) {
        unsigned at = nr;

        if (!sum->counters.exits[n])
            continue;
        counts += sum->counters.exits[n];
        for (; at && sum->counters.exits[order[at - 1]] < sum->counters.exits[n]; at--)
            order[at] = order[at - 1];
        order[at] = n;
        nr++;
    }
    vmm_log(VMM_INFO, "stat: %-33s %10s %7s", "exit to the VMM", "count", "%");
    for (unsigned i = 0; i < nr; i++)
        vmm_log(VMM_INFO, "stat: %-33s %10llu %7s", avc_kind_name((enum avc_kind)order[i]),
                (ull)sum->counters.exits[order[i]], share(sum->counters.exits[order[i]], counts).text);
    vmm_log(VMM_INFO, "stat: %-33s %10llu %7s", "all exits", (ull)counts, share(counts, counts).text);
}

static void print(const char *whose, const struct sum *sum)
{
    const struct avc_counters *c = &sum->counters;
    uint64_t guest = sum->histograms[AVC_HISTOGRAM_GUEST].ticks, traps = 0;
    uint64_t el2 = sum->loaded > guest ? sum->loaded - guest : 0;

    vmm_log(VMM_INFO, "stat: %s, in ticks of %llu Hz", whose, (ull)vmm_time_hz());
    if (!sum->loaded) {
        vmm_log(VMM_INFO, "stat: %s: never ran", whose);
        return;
    }
    trap_rows(sum);
    exit_rows(sum);
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++)
        traps += sum->histograms[n].ticks;
    vmm_log(VMM_INFO,
            "stat: exceptions put into the guest %llu, of these UNDEFINED %llu; unclaimed registers %llu; "
            "undecoded aborts %llu",
            (ull)c->faults, (ull)c->undefined, (ull)c->unclaimed, (ull)c->undecoded);
    vmm_log(VMM_INFO, "stat: %s: EL2 had %s %% of %llu ticks on a CPU (traps %s %%, the VMM's loop %s %%)", whose,
            share(el2, sum->loaded).text, (ull)sum->loaded, share(traps, sum->loaded).text,
            share(el2 > traps ? el2 - traps : 0, sum->loaded).text);
}

void vmm_stat_print(void)
{
    static struct sum all, one; /* too large for a stack; the run is at its end, and only one CPU prints */
    char whose[24];

    if (!vmm_options.stat)
        return;
    for (unsigned n = 0; n < vmm_guest.nr_vcpus; n++) {
        take(&one, n);
        merge(&all, &one);
        vmm_snprintf(whose, sizeof(whose), "vCPU %u", n);
        print(whose, &one);
        vmm_log_wait();
    }
    if (vmm_guest.nr_vcpus > 1) {
        vmm_snprintf(whose, sizeof(whose), "all %u vCPUs", vmm_guest.nr_vcpus);
        print(whose, &all);
    }
}
