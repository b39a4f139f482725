/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a vCPU's exits are and what they cost: counters, which are always on, and an observer, which is off until asked
 * for: histograms of the time each trap took, and a callback for each.
 *
 * A trap is what takes the guest to EL2. It is named by one number: the exception class of a synchronous one (ESR_EL2.EC,
 * 0..63), or AVC_TRAP_IRQ, AVC_TRAP_FIQ, AVC_TRAP_SERROR. An exit is a return of avc_vcpu_run(), named by its enum
 * avc_kind: most traps are settled at EL2 and end in none, and some exits (AVC_KICKED, AVC_CPU_OFF) had no trap.
 *
 * Times are differences of CNTPCT_EL0, in ticks of CNTFRQ_EL0 (25 to 1000 MHz): neither cycles nor nanoseconds.
 *
 * An observer swaps the table by which a vCPU's traps are dispatched, and nothing else: without one, and after one was
 * switched off again, each exit executes the same instructions.
 */
#ifndef AVC_OBSERVE_H
#define AVC_OBSERVE_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------------- counters --- */

/** How often, since avc_vcpu_init(). A reset of the vCPU does not clear them. */
struct avc_counters {
    uint64_t traps[AVC_NR_TRAPS]; /* taken from the guest; an SError also when it was found on the way out */
    uint64_t exits[AVC_NR_KINDS]; /* returns of run; AVC_FAIL, which is no run, is not counted */
    uint64_t undecoded;           /* aborts outside of memory whose instruction the syndrome does not tell (ISV=0) */
    uint64_t faults;              /* exceptions that the library put into the guest, its own included */
    uint64_t undefined;           /* of these, UNDEFINED instructions */
    uint64_t unclaimed;           /* accesses to system registers that nobody claimed; see the log */
};

/** Reads the counters of a vCPU: each is one 64-bit load, of a number that only the CPU where the vCPU is loaded writes;
    while it runs they are not all of one moment. Context: any. */
void avc_vcpu_counters(const struct avc_vcpu *vcpu, struct avc_counters *out);

/** "HVC, AArch64", "IRQ" and so on: the Arm ARM's name of a trap; never NULL. Context: any. */
const char *avc_trap_name(unsigned trap);

/* ------------------------------------------------------------------------------------------ histograms --- */

/**
 * Times by powers of two. bucket[0] counts those of 0 ticks, bucket[n] those of 2^(n-1) to 2^n - 1, and the last one all
 * that are longer, too. A struct of zeroes is an empty one.
 */
#define AVC_HISTOGRAM_BUCKETS 32
struct avc_histogram {
    uint64_t count;   /* the sum of all buckets */
    uint64_t ticks;   /* the sum of all times */
    uint64_t longest; /* in ticks */
    uint64_t bucket[AVC_HISTOGRAM_BUCKETS];
};

/* By trap; and one for the times in the guest, from each entry to the next trap. */
#define AVC_HISTOGRAM_GUEST AVC_NR_TRAPS
#define AVC_NR_HISTOGRAMS   (AVC_NR_TRAPS + 1)

/** Copies a histogram that a vCPU may be writing: each number is one 64-bit load, and the copy's count is the sum of its
    buckets. Context: any. */
void avc_histogram_read(const struct avc_histogram *histogram, struct avc_histogram *out);

/** Adds one to another, which nobody else writes. Context: any. */
void avc_histogram_merge(struct avc_histogram *into, const struct avc_histogram *histogram);

/** The number of ticks that `percent` (0..100) of the times did not exceed, as closely as the buckets tell: the upper end
    of one, or `longest` if that is less. 0 when it is empty. Of a histogram that nobody writes: take a copy first.
    Context: any. */
uint64_t avc_histogram_percentile(const struct avc_histogram *histogram, unsigned percent);

/* ------------------------------------------------------------------------------------------- observers --- */

/** What became of a trap. */
enum avc_outcome {
    AVC_TO_GUEST, /* settled: the guest went on */
    AVC_TO_FAULT, /* settled: the guest went on with an exception of its own */
    AVC_TO_VMM,   /* run returned */
    AVC_NR_OUTCOMES
};

/** One trap, from the vector to the way back into the guest, or to run's return. */
struct avc_trace {
    uint32_t trap; /* exception class, or AVC_TRAP_... */
    enum avc_outcome outcome;
    enum avc_kind kind; /* what it was decoded to; with AVC_TO_VMM the exit's; AVC_NR_KINDS: nothing */
    uint64_t key;       /* as in the exit; 0 with AVC_NR_KINDS */
    uint64_t esr;       /* ESR_EL2 of it; 0 for IRQ and FIQ */
    uint64_t pc;        /* ELR_EL2 as taken: for HVC behind the instruction */
    uint64_t in, out;   /* CNTPCT_EL0 */
};

/** Who looks on. Constant while it is in use. */
struct avc_observer {
    /* AVC_NR_HISTOGRAMS of the caller's, zeroed before the first use, and not shared with another vCPU; or NULL */
    struct avc_histogram *histograms;
    /* Called once for each trap when it is over, or NULL. On the vCPU's CPU, on run's stack, with interrupts masked and
       perhaps with the guest's state live: bounded, without blocking and without FP, and it changes nothing of the vCPU.
       Of the library it may call what may be called in any context. Its own time is in no histogram. */
    void (*trace)(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t);
    void *ctx;
};

/** Sets the observer of a vCPU; NULL switches it off. The vCPU takes it up before it enters its guest next, and is made to
    leave it if it is there: what is under way then is still the old one's. Must be called without locks.
    Borrowed: the observer and its histograms, until avc_vcpu_observer_in_use() says no, or the vCPU is destroyed.
    Errors: EINVAL, ENOENT. Default: none. Context: any. */
AVC_MUST_USE enum avc_status avc_vcpu_observe(struct avc_vcpu *vcpu, const struct avc_observer *observer);

/** Whether an observer is the vCPU's, or was and may still be called or written to. After it was replaced: false before
    long, and for good. Context: any. */
bool avc_vcpu_observer_in_use(const struct avc_vcpu *vcpu, const struct avc_observer *observer);

#ifdef __cplusplus
}
#endif
#endif
