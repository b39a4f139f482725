/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * An observer of a vCPU sees each trap and what it cost.
 *
 * An observed vCPU uses another dispatch table (avc_trap_rows_observed). Its functions take the time, call the function
 * of the table that would have been used, and take the time again. Apart from that, only the rare work at run's entry
 * and exit and for requests knows of observers. So no exit tests for one.
 *
 * A trap is over when its function returns to the guest. If requests keep the vector from that, or if run is to return,
 * the trap stays open. It ends when the requests have been served, or when run returns.
 */
#include "core/exit/observe.h"

#include "arch/esr.h"
#include "core/exit/trap.h"
#include "core/object/request.h"

/* ---- histograms ---- */

#define LAST (AVC_HISTOGRAM_BUCKETS - 1)

static unsigned bucket_of(uint64_t ticks)
{
    unsigned bits = ticks ? 64u - (unsigned)__builtin_clzll(ticks) : 0;

    return bits < LAST ? bits : LAST;
}

/* Another CPU may be reading. */
static void add(struct avc_histogram *h, uint64_t ticks)
{
    avc_store_relaxed(&h->ticks, h->ticks + ticks);
    if (ticks > h->longest)
        avc_store_relaxed(&h->longest, ticks);
    avc_count(&h->bucket[bucket_of(ticks)]);
    avc_count(&h->count);
}

void avc_histogram_read(const struct avc_histogram *h, struct avc_histogram *out)
{
    *out = (struct avc_histogram){ .ticks = avc_load_relaxed(&h->ticks), .longest = avc_load_relaxed(&h->longest) };
    for (unsigned n = 0; n < AVC_HISTOGRAM_BUCKETS; n++) {
        out->bucket[n] = avc_load_relaxed(&h->bucket[n]);
        out->count += out->bucket[n];
    }
}

void avc_histogram_merge(struct avc_histogram *into, const struct avc_histogram *h)
{
    struct avc_histogram more;

    avc_histogram_read(h, &more);
    into->count += more.count;
    into->ticks += more.ticks;
    if (more.longest > into->longest)
        into->longest = more.longest;
    for (unsigned n = 0; n < AVC_HISTOGRAM_BUCKETS; n++)
        into->bucket[n] += more.bucket[n];
}

uint64_t avc_histogram_percentile(const struct avc_histogram *h, unsigned percent)
{
    uint64_t left = percent < 100 ? h->count : 0, end;
    unsigned n = 0;

    /* The number of those that may be longer: count * (100 - percent) / 100, without overflow. */
    left = left / 100 * (100 - percent) + left % 100 * (100 - percent) / 100;
    if (!h->count)
        return 0;
    for (uint64_t seen = h->bucket[0]; n < LAST && (seen < h->count - left || !seen); seen += h->bucket[n])
        n++;
    end = (UINT64_C(1) << n) - 1;
    return n < LAST && end < h->longest ? end : h->longest;
}

/* ---- traps ---- */

static void entry(struct avc_vcpu *vcpu)
{
    vcpu->observed.since = avc_hw_read_CNTPCT_EL0();
}

static void begin(struct avc_vcpu *vcpu, unsigned trap, uint64_t esr)
{
    struct avc_observed *o = &vcpu->observed;
    struct avc_histogram *histograms = o->by->histograms;

    o->in =
        avc_hw_read_CNTPCT_EL0(); /* taking the exception was a context synchronization event: it is not read early */
    o->pc = avc_hw_read_ELR_EL2();
    o->esr = esr;
    o->faults = vcpu->nr_faults;
    o->trap = trap;
    o->open = true;
    vcpu->exit.kind = AVC_NR_KINDS; /* changes when the trap is decoded */
    if (histograms)
        add(&histograms[AVC_HISTOGRAM_GUEST], o->in - o->since);
}

static void end(struct avc_vcpu *vcpu, bool to_vmm)
{
    struct avc_observed *o = &vcpu->observed;
    const struct avc_observer *by = o->by;
    struct avc_trace t;

    if (!o->open)
        return;
    o->open = false;
    avc_hw_isb(); /* otherwise the counter may be read before earlier instructions are done (Arm ARM D12.1.2) */
    t.out = avc_hw_read_CNTPCT_EL0();
    o->since = t.out;
    if (by->histograms)
        add(&by->histograms[o->trap], t.out - o->in);
    if (!by->trace)
        return;
    t.trap = o->trap;
    t.outcome = to_vmm ? AVC_TO_VMM : vcpu->nr_faults != o->faults ? AVC_TO_FAULT : AVC_TO_GUEST;
    t.kind = vcpu->exit.kind;
    t.key = t.kind == AVC_NR_KINDS ? 0 : vcpu->exit.key;
    t.esr = o->esr;
    t.pc = o->pc;
    t.in = o->in;
    by->trace(by->ctx, vcpu, &t);
    o->since = avc_hw_read_CNTPCT_EL0();
}

/* What all rows of the observing table do. It calls the slow function of the VM's own row: that makes an event of
   each trap, which the trace shows. */
static enum avc_result observe(struct avc_vcpu *vcpu, unsigned trap, uint64_t esr)
{
    enum avc_result result;

    begin(vcpu, trap, esr);
    result = vcpu->vm->dispatch[trap].slow(vcpu, esr);
    if (result == AVC_RESUME && !avc_load_relaxed(&vcpu->requests))
        end(vcpu, false);
    return result;
}

static enum avc_result observe_sync(struct avc_vcpu *vcpu, uint64_t esr)
{
    return observe(vcpu, ESR_EC(esr), esr);
}

static enum avc_result observe_irq(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)esr;
    return observe(vcpu, AVC_TRAP_IRQ, 0);
}

static enum avc_result observe_fiq(struct avc_vcpu *vcpu, uint64_t esr)
{
    (void)esr;
    return observe(vcpu, AVC_TRAP_FIQ, 0);
}

static enum avc_result observe_serror(struct avc_vcpu *vcpu, uint64_t esr)
{
    return observe(vcpu, AVC_TRAP_SERROR, esr);
}

const struct avc_trap_row avc_trap_rows_observed[AVC_NR_TRAPS] = {
    [0 ... AVC_TRAP_IRQ - 1] = { avc_trap_slow, 0, observe_sync, NULL },
    [AVC_TRAP_IRQ] = { observe_irq, 0, observe_irq, NULL },
    [AVC_TRAP_FIQ] = { observe_fiq, 0, observe_fiq, NULL },
    [AVC_TRAP_SERROR] = { observe_serror, 0, observe_serror, NULL },
};

static void choose(struct avc_vcpu *vcpu)
{
    const struct avc_observer *observer = avc_load_seq(&vcpu->observer);

    end(vcpu, false); /* for the old observer */
    avc_store_seq(&vcpu->observed.by, observer);
    vcpu->dispatch = observer ? avc_trap_rows_observed : vcpu->vm->dispatch;
    vcpu->work &= ~AVC_WORK_SEEN;
    if (observer) {
        vcpu->work |= AVC_WORK_SEEN;
        entry(vcpu);
    }
}

static const struct avc_observe_ops ops = { .choose = choose, .entry = entry, .end = end };

/*
 * The new observer is stored before AVC_REQUEST_WATCH is set, so run finds the observer when it takes the bit. run says
 * that it is in the guest before it looks at requests. So either run sees the bit, or this function sees it in the
 * guest and interrupts it. The same order serves avc_vcpu_observer_in_use(): a vCPU that is not seen inside of run from
 * here on takes up the new observer before it uses the old one.
 */
enum avc_status avc_vcpu_observe(struct avc_vcpu *vcpu, const struct avc_observer *observer)
{
    if (!vcpu)
        return AVC_EINVAL;
    if (vcpu->magic != AVC_MAGIC_VCPU)
        return AVC_ENOENT;
    avc_store_seq(&vcpu->observe, &ops);
    avc_store_seq(&vcpu->observer, observer);
    avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_WATCH);
    if (avc_load_seq(&vcpu->mode) == AVC_MODE_GUEST)
        avc_vcpu_request(vcpu, AVC_REQUEST_WATCH);
    return AVC_OK;
}

bool avc_vcpu_observer_in_use(const struct avc_vcpu *vcpu, const struct avc_observer *observer)
{
    if (!vcpu || !observer || vcpu->magic != AVC_MAGIC_VCPU)
        return false;
    if (avc_load_seq(&vcpu->observer) == observer)
        return true;
    return avc_load_seq(&vcpu->observed.by) == observer && avc_load_seq(&vcpu->mode) == AVC_MODE_GUEST;
}
