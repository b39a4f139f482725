/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Why a vCPU leaves its guest, and what that costs. Counters are always on. An observer is off until it is set: it
 * collects histograms of the time that each trap takes, and calls a function for each trap.
 *
 * A trap is what takes the guest to EL2. A number names it: the exception class of a synchronous exception (ESR_EL2.EC,
 * 0..63), or AVC_TRAP_IRQ, AVC_TRAP_FIQ, AVC_TRAP_SERROR. An exit is a return of avc_vcpu_run(); its enum avc_kind
 * names it. The library handles most traps at EL2, so they end in no exit. Some exits have no trap (AVC_KICKED,
 * AVC_CPU_OFF).
 *
 * Times are differences of CNTPCT_EL0, in ticks: neither cycles nor nanoseconds. CNTFRQ_EL0 says how many ticks a
 * second has: usually 1 to 100 million before Armv8.6, and 1000 million from then on.
 *
 * An observer replaces the vCPU's dispatch table of traps, and nothing else. Without one, and after it is switched off
 * again, each exit executes the same instructions.
 */
#ifndef AVC_OBSERVE_H
#define AVC_OBSERVE_H

#include <avc/avc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------------- counters --- */

/** Numbers of events since avc_vcpu_init(). A reset of the vCPU does not clear them. */
struct avc_counters {
    uint64_t traps
        [AVC_NR_TRAPS]; /* by trap, as taken from the guest; an SError also if it was found while leaving the guest */
    uint64_t exits[AVC_NR_KINDS]; /* by kind: returns of avc_vcpu_run(), without AVC_FAIL */
    uint64_t undecoded; /* data aborts outside of memory whose syndrome does not describe the access (ISV=0), and whose
                           instruction no decoder has decoded */
    uint64_t faults;    /* exceptions that the library has put into the guest, and those that it passed on to it */
    uint64_t undefined; /* how many of these were UNDEFINED instructions */
    uint64_t
        unclaimed; /* accesses to system registers that have neither a claim nor an emulation; the log names them */
};

/** Reads the counters of a vCPU. Only the CPU where the vCPU is loaded writes them, and each is read by one 64-bit
    load; while the vCPU runs they do not belong to one moment. Context: any. */
void avc_vcpu_counters(const struct avc_vcpu *vcpu, struct avc_counters *out);

/** Returns the Arm ARM's name of a trap, such as "HVC, AArch64" or "IRQ"; never NULL. Context: any. */
const char *avc_trap_name(unsigned trap);

/* ------------------------------------------------------------------------------------------ histograms --- */

/**
 * How often which times occurred, by powers of two. bucket[0] counts times of 0 ticks, and bucket[n] those of 2^(n-1)
 * to 2^n - 1 ticks. The last bucket also counts all longer times. A zeroed struct is an empty histogram.
 */
#define AVC_HISTOGRAM_BUCKETS 32
struct avc_histogram {
    uint64_t count;   /* of times: the sum of all buckets */
    uint64_t ticks;   /* the sum of all times */
    uint64_t longest; /* in ticks */
    uint64_t bucket[AVC_HISTOGRAM_BUCKETS];
};

/** An observer has one histogram for each trap, and one for the times in the guest, from each entry to the next
    trap. */
#define AVC_HISTOGRAM_GUEST AVC_NR_TRAPS
#define AVC_NR_HISTOGRAMS   (AVC_NR_TRAPS + 1)

/** Copies a histogram, which a vCPU may be writing at the same time. Each number is read by one 64-bit load; the
    copy's count is the sum of the copy's buckets. Context: any. */
void avc_histogram_read(const struct avc_histogram *histogram, struct avc_histogram *out);

/** Adds a histogram to another one, which nobody else writes at the same time. Context: any. */
void avc_histogram_merge(struct avc_histogram *into, const struct avc_histogram *histogram);

/** Returns a number of ticks that `percent` (0..100) of the times do not exceed: the upper end of a bucket, or
    `longest` if that is less; 0 for an empty histogram. Nobody may write the histogram at the same time: use a copy.
    Context: any. */
uint64_t avc_histogram_percentile(const struct avc_histogram *histogram, unsigned percent);

/* ------------------------------------------------------------------------------------------- observers --- */

/** How a trap ended. */
enum avc_outcome {
    AVC_TO_GUEST, /* the library handled it, and the guest went on */
    AVC_TO_FAULT, /* the guest went on with an exception of its own */
    AVC_TO_VMM,   /* avc_vcpu_run() returned */
    AVC_NR_OUTCOMES
};

/** One trap, from the vector until the guest is entered again, or avc_vcpu_run() returns. */
struct avc_trace {
    uint32_t trap; /* exception class, or AVC_TRAP_... */
    enum avc_outcome outcome;
    enum avc_kind
        kind;     /* what it was decoded to; for AVC_TO_VMM the kind of the exit; AVC_NR_KINDS if it was not decoded */
    uint64_t key; /* as in struct avc_exit; 0 for AVC_NR_KINDS */
    uint64_t esr; /* ESR_EL2; 0 for IRQ and FIQ */
    uint64_t pc;  /* ELR_EL2 as the trap left it; for HVC, of the instruction after it */
    uint64_t in, out; /* CNTPCT_EL0 at its begin and its end */
};

/** An observer. Constant while it is in use. */
struct avc_observer {
    /** AVC_NR_HISTOGRAMS histograms of the caller's: zeroed before the first use, and for one vCPU only; or NULL. */
    struct avc_histogram *histograms;
    /** The library calls this once for each trap, when the trap is over; or NULL. It is called as a claim's function
        is, with the same limits, and changes nothing of the vCPU. It may call functions of context any. No histogram
        counts the time that it takes. */
    void (*trace)(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t);
    void *ctx; /* yours; the first argument of trace */
};

/**
 * Sets the observer of a vCPU; NULL switches it off, which is the default. The vCPU uses it from its next entry into
 * the guest on; if it is in the guest, it is made to leave it. The trap in progress still belongs to the old observer.
 * The observer and its histograms are borrowed until avc_vcpu_observer_in_use() is false, or the vCPU is destroyed.
 * Errors: EINVAL, ENOENT. Context: any, without a lock that the HAL's wake() takes.
 */
AVC_MUST_USE enum avc_status avc_vcpu_observe(struct avc_vcpu *vcpu, const struct avc_observer *observer);

/** Tells whether this is the vCPU's observer, or was it and may still be called or written to. After an observer is
    replaced this becomes false soon, and stays false. Context: any. */
bool avc_vcpu_observer_in_use(const struct avc_vcpu *vcpu, const struct avc_observer *observer);

#ifdef __cplusplus
}
#endif
#endif
