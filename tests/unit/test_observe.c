/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Counters and observers. Each trap and each exit is counted once, under its own name. An observer sees each trap once,
 * with its times. It can be replaced at any moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <avc/observe.h>

#include "arch/esr.h"
#include "world.h"

#include "core/exit/trap.h"
#include "core/exit/observe.h"

#define ESR_HVC ESR_MAKE(0x16, true, 0)
#define ESR_SMC ESR_MAKE(0x17, true, 0)
#define ESR_WFI ESR_MAKE(0x01, true, 0)

#define CALL_SLOW 0xc2000000 /* it takes `duration` ticks, and answers 77 */
#define CALL_VMM  0xc2000001
#define CALL_KICK 0xc2000002
#define CALL_DENY 0xc2000003
#define CALL_IRQC 0xc2000004

static uint64_t duration;

static void pass(uint64_t ticks)
{
    fake_cpu->reg[FAKE_CNTPCT_EL0] += ticks;
}

static enum avc_answer slow(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    pass(duration);
    return avc_done(e, 77);
}

static enum avc_answer kick(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    avc_vcpu_kick(vcpu);
    return avc_done(e, 78);
}

static enum avc_answer requests(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    avc_vcpu_request(vcpu, AVC_REQUEST_IRQC);
    pass(5);
    return avc_done(e, 79);
}

static enum avc_answer decline(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return AVC_PASS;
}

static struct avc_vcpu *make(bool class_claim)
{
    world_make();
    world_claim(AVC_CALL, CALL_SLOW, CALL_SLOW, slow, NULL);
    world_claim(AVC_CALL, CALL_VMM, CALL_VMM, avc_to_vmm, NULL);
    world_claim(AVC_CALL, CALL_KICK, CALL_KICK, kick, NULL);
    world_claim(AVC_CALL, CALL_DENY, CALL_DENY, avc_deny, NULL);
    world_claim(AVC_CALL, CALL_IRQC, CALL_IRQC, requests, NULL);
    if (class_claim)
        world_claim(AVC_CLASS, 0x16, 0x16, decline, NULL);
    duration = 0;
    return world_load();
}

static struct avc_exit *call(struct avc_vcpu *vcpu, uint64_t fid)
{
    vcpu->x[0] = fid;
    return take_sync(vcpu, ESR_HVC, EL1H);
}

/* ---- counters ---- */

/* Checks that between two readings one count has grown by this much, and no other. */

static void grown(const struct avc_counters *before, const struct avc_counters *after, const uint64_t *one, uint64_t by)
{
    for (unsigned n = 0; n < AVC_NR_TRAPS; n++)
        assert_int_equal(after->traps[n] - before->traps[n], &after->traps[n] == one ? by : 0);
}

static uint64_t exits(const struct avc_counters *c)
{
    uint64_t sum = 0;

    for (unsigned n = 0; n < AVC_NR_KINDS; n++)
        sum += c->exits[n];
    return sum;
}

static void each_class(struct avc_vcpu *vcpu)
{
    struct avc_counters before, after;

    for (unsigned ec = 0; ec < 64; ec++)
        for (unsigned el0 = 0; el0 < 2; el0++) {
            enum avc_kind kind;

            avc_vcpu_counters(vcpu, &before);
            vcpu->x[0] = CALL_DENY;
            kind = take_sync(vcpu, ESR_MAKE(ec, true, 0), el0 ? EL0T : EL1H)->kind;
            avc_vcpu_counters(vcpu, &after);
            grown(&before, &after, &after.traps[ec], 1);
            assert_int_equal(after.exits[kind], before.exits[kind] + 1);
            assert_int_equal(exits(&after), exits(&before) + 1);
            go_on(vcpu);
        }
}

static struct avc_trace last;
static unsigned traced;

static void note(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    assert_ptr_equal(ctx, &last);
    last = *t;
    traced++;
}

static struct avc_histogram histograms[AVC_NR_HISTOGRAMS];
static const struct avc_observer both = { histograms, note, &last };

static void observe(struct avc_vcpu *vcpu, const struct avc_observer *observer)
{
    memset(histograms, 0, sizeof histograms);
    memset(&last, 0, sizeof last);
    traced = 0;
    must(avc_vcpu_observe(vcpu, observer));
}

static void all_classes_are_counted(void **state)
{
    for (unsigned claimed = 0; claimed < 2; claimed++) {
        struct avc_vcpu *vcpu = make(claimed);

        each_class(vcpu);
        observe(vcpu, &both);
        each_class(vcpu);
        assert_int_equal(traced, 128);
        observe(vcpu, NULL);
        each_class(vcpu);
        assert_int_equal(traced, 0);
    }
}

static void interrupts_are_counted(void **state)
{
    static const struct {
        int kind;
        unsigned trap;
    } rows[] = { { FAKE_IRQ, AVC_TRAP_IRQ }, { FAKE_FIQ, AVC_TRAP_FIQ }, { FAKE_SERROR, AVC_TRAP_SERROR } };
    struct avc_vcpu *vcpu = make(false);
    struct avc_counters before, after;

    for (unsigned n = 0; n < 6; n++) {
        bool observed = n >= 3;
        enum avc_kind kind;

        observe(vcpu, observed ? &both : NULL);
        avc_vcpu_counters(vcpu, &before);
        kind = take(vcpu,
                    (struct fake_trap){
                        .kind = rows[n % 3].kind, .esr = ESR_MAKE(0x2f, true, 1), .elr = START + 4 * n, .spsr = EL1H })
                   ->kind;
        avc_vcpu_counters(vcpu, &after);
        grown(&before, &after, &after.traps[rows[n % 3].trap], 1);
        assert_int_equal(after.exits[kind], before.exits[kind] + 1);
        assert_int_equal(traced, observed);
        if (observed) {
            assert_int_equal(last.trap, rows[n % 3].trap);
            assert_int_equal(last.pc, START + 4 * n);
            assert_int_equal(last.esr, rows[n % 3].kind == FAKE_SERROR ? ESR_MAKE(0x2f, true, 1) : 0);
            assert_int_equal(histograms[rows[n % 3].trap].count, 1);
        }
        go_on(vcpu);
    }
}

/* An SError was pending when the guest was left. It is counted when the VMM is told. */
static void an_serror_on_the_way_out(void **state)
{
    struct avc_vcpu *vcpu = make(false);
    struct avc_counters before, after;

    avc_vcpu_counters(vcpu, &before);
    fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
    assert_int_equal(call(vcpu, CALL_VMM)->kind, AVC_CALL);
    assert_int_equal(world_run(vcpu)->kind, AVC_SERROR);
    avc_vcpu_counters(vcpu, &after);
    assert_int_equal(after.traps[AVC_TRAP_SERROR], before.traps[AVC_TRAP_SERROR] + 1);
    assert_int_equal(after.exits[AVC_SERROR], before.exits[AVC_SERROR] + 1);
    assert_int_equal(after.exits[AVC_CALL], before.exits[AVC_CALL] + 1);
}

/* The VMM resets the vCPU before it was told of the SError, for example after a SYSTEM_RESET. */
static void an_serror_before_a_reset(void **state)
{
    struct avc_vcpu *vcpu = make(false);

    fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
    assert_int_equal(call(vcpu, CALL_VMM)->kind, AVC_CALL);
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_start(vcpu, 0x40000000, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    assert_int_equal(world_run(vcpu)->kind, AVC_SERROR);
}

static void the_guests_mistakes(void **state)
{
    struct avc_vcpu *vcpu = make(false);
    struct avc_counters before, after;

    avc_vcpu_counters(vcpu, &before);
    (void)take_sync(vcpu, ESR_MAKE(0x02, true, 0), EL1H); /* this class is not allocated */
    avc_vcpu_counters(vcpu, &after);
    assert_int_equal(after.faults, before.faults + 1);
    assert_int_equal(after.undefined, before.undefined + 1);
    assert_int_equal(after.unclaimed, before.unclaimed);

    before = after;
    (void)take_sync(vcpu, ESR_MAKE(0x18, true, 3u << 20 | 7u << 17 | 15u << 10 | 1u), EL1H); /* MRS S3_0_C15_C0_7 */
    avc_vcpu_counters(vcpu, &after);
    assert_int_equal(after.undefined, before.undefined + 1);
    assert_int_equal(after.unclaimed, before.unclaimed + 1);

    before = after;
    assert_int_equal(take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x24, true, 6), /* no ISV */
                                                    .elr = START,
                                                    .spsr = EL1H,
                                                    .far = NOWHERE,
                                                    .hpfar = NOWHERE >> 8 })
                         ->kind,
                     AVC_STAGE2);
    go_on(vcpu); /* the guest gets an external abort */
    avc_vcpu_counters(vcpu, &after);
    assert_int_equal(after.undecoded, before.undecoded + 1);
    assert_int_equal(after.faults, before.faults + 1);
    assert_int_equal(after.undefined, before.undefined);
}

static void names(void **state)
{
    assert_string_equal(avc_trap_name(0x16), "HVC, AArch64");
    assert_string_equal(avc_trap_name(AVC_TRAP_IRQ), "IRQ");
    assert_string_equal(avc_trap_name(AVC_TRAP_SERROR), "SError");
    for (unsigned n = 0; n < 300; n++)
        assert_true(avc_trap_name(n)[0]);
}

/* ---- histograms ---- */

/* Checks both limits of each bucket, by traps that take as long. */
static void buckets(void **state)
{
    struct avc_vcpu *vcpu = make(false);
    const struct avc_histogram *h = &histograms[0x16];

    observe(vcpu, &both);
    for (unsigned bits = 0; bits < 64; bits++)
        for (unsigned edge = 0; edge < 2; edge++) {
            uint64_t low = bits ? UINT64_C(1) << (bits - 1) : 0, high = bits ? low + (low - 1) : 0;
            unsigned n = bits < AVC_HISTOGRAM_BUCKETS ? bits : AVC_HISTOGRAM_BUCKETS - 1;
            struct avc_histogram before = *h;

            duration = edge ? high : low;
            assert_int_equal(call(vcpu, CALL_SLOW)->kind, AVC_KICKED);
            assert_int_equal(h->count, before.count + 1);
            assert_int_equal(h->ticks, before.ticks + duration);
            assert_int_equal(h->bucket[n], before.bucket[n] + 1);
            assert_int_equal(h->longest, duration > before.longest ? duration : before.longest);
            assert_int_equal(last.out - last.in, duration);
        }
}

static void percentiles(void **state)
{
    struct avc_histogram h = { 0 }, twice = { 0 }, copy;

    assert_int_equal(avc_histogram_percentile(&h, 50), 0);
    h = (struct avc_histogram){ .count = 100, .ticks = 5000, .longest = 900 };
    h.bucket[5] = 90; /* 16..31 */
    h.bucket[8] = 9;  /* 128..255 */
    h.bucket[10] = 1; /* 512..1023 */
    assert_int_equal(avc_histogram_percentile(&h, 0), 31);
    assert_int_equal(avc_histogram_percentile(&h, 50), 31);
    assert_int_equal(avc_histogram_percentile(&h, 90), 31);
    assert_int_equal(avc_histogram_percentile(&h, 91), 255);
    assert_int_equal(avc_histogram_percentile(&h, 99), 255);
    assert_int_equal(avc_histogram_percentile(&h, 100), 900);
    assert_int_equal(avc_histogram_percentile(&h, 1000), 900);
    avc_histogram_merge(&twice, &h);
    avc_histogram_merge(&twice, &h);
    assert_int_equal(twice.count, 200);
    assert_int_equal(twice.ticks, 10000);
    assert_int_equal(twice.longest, 900);
    assert_int_equal(twice.bucket[8], 18);
    assert_int_equal(avc_histogram_percentile(&twice, 99), 255);
    /* One time in each: no rounding may hide it. */
    h = (struct avc_histogram){ .count = 2, .longest = UINT64_MAX };
    h.bucket[0] = 1;
    h.bucket[AVC_HISTOGRAM_BUCKETS - 1] = 1;
    assert_int_equal(avc_histogram_percentile(&h, 50), 0);
    assert_int_equal(avc_histogram_percentile(&h, 51), UINT64_MAX);
    /* The writer has not yet incremented the total. */
    h.count = 1;
    avc_histogram_read(&h, &copy);
    assert_int_equal(copy.count, 2);
    h = (struct avc_histogram){ .count = UINT64_MAX, .longest = 3 };
    h.bucket[2] = UINT64_MAX;
    assert_int_equal(avc_histogram_percentile(&h, 99), 3);
}

/* ---- what an observer sees ---- */

static void seen(uint32_t trap, enum avc_outcome outcome, enum avc_kind kind, uint64_t key)
{
    assert_int_equal(traced, 1);
    traced = 0;
    assert_int_equal(last.trap, trap);
    assert_int_equal(last.outcome, outcome);
    assert_int_equal(last.kind, kind);
    assert_int_equal(last.key, key);
    assert_int_equal(last.pc, START);
}

static void outcomes(void **state)
{
    struct avc_vcpu *vcpu = make(false);

    observe(vcpu, &both);
    assert_int_equal(call(vcpu, CALL_SLOW)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 77);
    seen(0x16, AVC_TO_GUEST, AVC_CALL, CALL_SLOW);
    assert_int_equal(last.esr, ESR_HVC);
    (void)call(vcpu, 0x12345678); /* a call that nobody handles is no fault */
    assert_int_equal(vcpu->x[0], ~UINT64_C(0));
    seen(0x16, AVC_TO_GUEST, AVC_CALL, 0x12345678);
    assert_int_equal(call(vcpu, CALL_VMM)->kind, AVC_CALL);
    seen(0x16, AVC_TO_VMM, AVC_CALL, CALL_VMM);
    go_on(vcpu);
    assert_int_equal(call(vcpu, CALL_KICK)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 78);
    seen(0x16, AVC_TO_VMM, AVC_KICKED, 0);
    (void)call(vcpu, CALL_IRQC); /* it makes requests, and resumes */
    assert_int_equal(vcpu->x[0], 79);
    seen(0x16, AVC_TO_GUEST, AVC_CALL, CALL_IRQC);
    assert_int_equal(last.out - last.in, 5);
    (void)take_sync(vcpu, ESR_MAKE(0x02, true, 0), EL1H);
    seen(0x02, AVC_TO_FAULT, AVC_CLASS, 0x02);
    world.irq = 33; /* for the handler */
    (void)take(vcpu, (struct fake_trap){ .kind = FAKE_IRQ, .elr = START, .spsr = EL1H });
    seen(AVC_TRAP_IRQ, AVC_TO_GUEST, AVC_NR_KINDS, 0);
    world.irq = 34;
    world.irq_answer = AVC_EXIT;
    assert_int_equal(take(vcpu, (struct fake_trap){ .kind = FAKE_IRQ, .elr = START, .spsr = EL1H })->kind, AVC_IRQ);
    seen(AVC_TRAP_IRQ, AVC_TO_VMM, AVC_IRQ, 34);
    assert_int_equal(take_sync(vcpu, ESR_WFI, EL1H)->kind, AVC_WFI);
    seen(0x01, AVC_TO_VMM, AVC_WFI, 0);
}

static void on_write(enum fake_reg reg, uint64_t value)
{
    if (reg == FAKE_VBAR_EL2)
        pass(1000);
}

/*
 * The guest's time is from the entry to the trap. EL2's time is from the trap to the resume, or to run's return. Time
 * in the VMM counts nowhere.
 */
static void times(void **state)
{
    struct avc_vcpu *vcpu = make(false);
    struct avc_histogram *guest = &histograms[AVC_HISTOGRAM_GUEST], *hvc = &histograms[0x16];

    observe(vcpu, &both);
    pass(100000);
    (void)call(vcpu, CALL_SLOW); /* the vCPU now uses the observer */
    assert_int_equal(guest->count, 1);
    assert_int_equal(guest->ticks, 0);
    memset(histograms, 0, sizeof histograms);
    pass(100000);
    fake_on_write = on_write; /* changes the time at the entry and on the way out */
    (void)call(vcpu, CALL_VMM);
    assert_int_equal(guest->count, 1);
    assert_int_equal(guest->ticks, 1000);
    assert_int_equal(hvc->count, 1);
    assert_int_equal(hvc->ticks, 1000);
    pass(100000);
    fake_on_write = NULL;
    go_on(vcpu);
    duration = 40;
    (void)call(vcpu, CALL_SLOW);
    assert_int_equal(guest->count, 2);
    assert_int_equal(guest->ticks, 1000);
    assert_int_equal(hvc->count, 2);
    assert_int_equal(hvc->ticks, 1040);
}

static void dawdle(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    pass(500);
    traced++;
}

static unsigned two_left;

static bool two_calls(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    if (!two_left)
        return false;
    two_left--;
    vcpu->x[0] = CALL_SLOW;
    pass(3);
    *trap = (struct fake_trap){ .esr = ESR_HVC, .elr = START, .spsr = EL1H };
    return true;
}

/* The callback's own time counts nowhere. */
static void a_slow_callback(void **state)
{
    static const struct avc_observer slow_one = { .histograms = histograms, .trace = dawdle };
    struct avc_vcpu *vcpu = make(false);

    observe(vcpu, &slow_one);
    duration = 7;
    two_left = 2;
    fake_guest = two_calls;
    (void)world_run(vcpu);
    assert_int_equal(traced, 2);
    assert_int_equal(histograms[0x16].ticks, 14);
    assert_int_equal(histograms[AVC_HISTOGRAM_GUEST].ticks, 6);
}

/* An observer may lack either half. */
static void parts(void **state)
{
    static const struct avc_observer only_times = { .histograms = histograms },
                                     only_trace = { .trace = note, .ctx = &last };
    struct avc_vcpu *vcpu = make(false);

    observe(vcpu, &only_times);
    (void)call(vcpu, CALL_SLOW);
    assert_int_equal(traced, 0);
    assert_int_equal(histograms[0x16].count, 1);
    observe(vcpu, &only_trace);
    (void)call(vcpu, CALL_SLOW);
    assert_int_equal(traced, 1);
    assert_int_equal(histograms[0x16].count, 0);
}

/* ---- set, removed, replaced ---- */

static void on_and_off(void **state)
{
    for (unsigned claimed = 0; claimed < 2; claimed++) {
        struct avc_vcpu *vcpu = make(claimed);
        const struct avc_trap_row *table = vcpu->dispatch;

        world.wakes = 0;
        assert_int_equal(table[0x16].fn == avc_trap_slow, claimed);
        assert_false(avc_vcpu_observer_in_use(vcpu, &both));
        observe(vcpu, &both);
        assert_int_equal(world.wakes, 0); /* it is not in its guest, so nothing must be interrupted or woken */
        assert_true(avc_vcpu_observer_in_use(vcpu, &both));
        (void)call(vcpu, CALL_SLOW);
        assert_int_equal(traced, 1);
        assert_ptr_equal(vcpu->dispatch, avc_trap_rows_observed);

        must(avc_vcpu_put(vcpu)); /* the observer stays */
        must(avc_vcpu_load(vcpu, &world.pcpu));
        (void)call(vcpu, CALL_SLOW);
        assert_int_equal(traced, 2);
        must(avc_vcpu_put(vcpu));
        must(avc_vcpu_start(vcpu, START, 0));
        assert_true(avc_vcpu_observer_in_use(vcpu, &both));
        must(avc_vcpu_load(vcpu, &world.pcpu));
        (void)call(vcpu, CALL_SLOW);
        assert_int_equal(traced, 3);

        /* Set while the vCPU is on no CPU, and then reset, which clears requests. */
        for (unsigned on = 0; on < 2; on++) {
            must(avc_vcpu_put(vcpu));
            observe(vcpu, on ? &both : NULL);
            must(avc_vcpu_start(vcpu, START, 0));
            must(avc_vcpu_load(vcpu, &world.pcpu));
            (void)call(vcpu, CALL_SLOW);
            assert_int_equal(traced, on);
        }

        observe(vcpu, NULL);
        assert_false(avc_vcpu_observer_in_use(vcpu, &both)); /* the vCPU is outside of run */
        (void)call(vcpu, CALL_SLOW);
        assert_int_equal(vcpu->x[0], 77);
        assert_int_equal(traced, 0);
        assert_int_equal(histograms[0x16].count, 0);
        assert_ptr_equal(vcpu->dispatch, table);
        assert_false(vcpu->work & AVC_WORK_SEEN);
    }
}

static void errors(void **state)
{
    static struct avc_vcpu nobody;
    struct avc_vcpu *vcpu = make(false);

    assert_int_equal(avc_vcpu_observe(NULL, &both), AVC_EINVAL);
    assert_int_equal(avc_vcpu_observe(&nobody, &both), AVC_ENOENT);
    assert_false(avc_vcpu_observer_in_use(NULL, &both));
    assert_false(avc_vcpu_observer_in_use(&nobody, &both));
    observe(vcpu, &both);
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_destroy(vcpu));
    assert_false(avc_vcpu_observer_in_use(vcpu, &both));
}

/*
 * Another CPU replaces or removes the observer after the n-th access to the machine of a life of traps, for every n.
 * Each trap must be seen by one observer, and by the old one only while it is in use.
 */
static unsigned calls, replace_at, by_old, by_new, life_left;
static bool replacing, replaced, gone;
static struct avc_vcpu *watched;
static const struct avc_observer *successor;

static void see_old(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    assert_false(gone);
    by_old++;
}

static void see_new(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    by_new++;
}

static const struct avc_observer old_one = { .trace = see_old }, new_one = { .trace = see_new };

static void access(void)
{
    if (replacing)
        return;
    replacing = true;
    if (++calls == replace_at) {
        fake_use_cpu(1);
        must(avc_vcpu_observe(watched, successor));
        fake_use_cpu(0);
        replaced = true;
    }
    if (replaced && !avc_vcpu_observer_in_use(watched, &old_one))
        gone = true;
    replacing = false;
}

static void access_read(enum fake_reg reg, uint64_t *value)
{
    access();
}
static void access_write(enum fake_reg reg, uint64_t value)
{
    access();
}
static void access_op(enum fake_op op, uint64_t value)
{
    access();
}

static bool life(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    static const uint64_t esr[4] = { ESR_HVC, ESR_SMC, ESR_WFI, ESR_HVC };
    unsigned n;

    if (!life_left)
        return false;
    n = life_left--;
    vcpu->x[0] = n & 4 ? CALL_SLOW : CALL_IRQC;
    *trap = (struct fake_trap){ .esr = esr[n % 4], .elr = START, .spsr = EL1H };
    return true;
}

static void replace_by(const struct avc_observer *observer)
{
    const unsigned traps = 16;
    unsigned n;

    successor = observer;
    for (n = 1;; n++) {
        watched = make(false);
        must(avc_vcpu_observe(watched, &old_one));
        calls = by_old = by_new = 0;
        replace_at = n;
        replaced = gone = false;
        life_left = traps;
        fake_guest = life;
        fake_on_read = access_read;
        fake_on_write = access_write;
        fake_on_op = access_op;
        while (life_left)
            (void)world_run(watched);
        fake_on_read = NULL;
        fake_on_write = NULL;
        fake_on_op = NULL;
        if (!replaced)
            break;
        if (observer ? by_old + by_new != traps : by_old > traps || by_new)
            fail_msg("replaced after access %u: %u and %u of %u traps were seen", n, by_old, by_new, traps);
        assert_false(avc_vcpu_observer_in_use(watched, &old_one));
        assert_int_equal(avc_vcpu_observer_in_use(watched, &new_one), observer != NULL);
    }
    assert_true(n > 100);
    assert_true(by_old == traps && by_new == 0);
}

static void replaced_at_any_moment(void **state)
{
    replace_by(&new_one);
    replace_by(NULL);
}

/* A vCPU in its guest on another CPU is interrupted, so that it does not use the old observer until its next trap. */
static void a_running_one_is_interrupted(void **state)
{
    watched = make(false);
    calls = 0;
    replaced = gone = false;
    must(avc_vcpu_observe(watched, &old_one));
    (void)call(watched, CALL_SLOW);
    world.wakes = 0;
    avc_store_seq(&watched->mode, AVC_MODE_GUEST);
    fake_use_cpu(1);
    must(avc_vcpu_observe(watched, NULL));
    assert_int_equal(world.wakes, 1);
    assert_true(avc_vcpu_observer_in_use(watched, &old_one));
    fake_use_cpu(0);
    must(avc_vcpu_observe(watched, NULL)); /* the vCPU itself removes it, in a trap, so it looks before it resumes */
    assert_int_equal(world.wakes, 1);
    avc_store_seq(&watched->mode, AVC_MODE_HOST);
    assert_false(avc_vcpu_observer_in_use(watched, &old_one));
}

/*
 * The observer is called after the library's vectors were removed: the CPU has the host's own x18, and run's frame is
 * gone.
 */
static void see_and_kick(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    (void)ctx;
    if (t->outcome == AVC_TO_VMM)
        avc_vcpu_kick(&world.vcpu[vcpu == &world.vcpu[0]]);
}

static const struct avc_observer kicker = { .trace = see_and_kick };

static void a_trace_kicks_another(void **state)
{
    struct avc_vcpu *vcpu = make(false);

    (void)state;
    observe(vcpu, &kicker);
    assert_int_equal(call(vcpu, CALL_VMM)->kind, AVC_CALL);
    must(avc_vcpu_put(vcpu));
}

/*
 * PC and PSTATE are the guest's for whom run calls, wherever that is: in a trap, after requests were served, at run's
 * end, also after an SError there has put an address of EL2's into ELR_EL2. What is set counts.
 */
static struct {
    unsigned calls;
    uint64_t pc, pstate;         /* as get says */
    uint64_t new_pc, new_pstate; /* to be set; 0: nothing is */
} look;

static void look_and_set(void *ctx, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    uint64_t value;

    (void)ctx, (void)t;
    look.calls++;
    must(avc_vcpu_get(vcpu, AVC_REG_PC, &look.pc));
    must(avc_vcpu_get(vcpu, AVC_REG_PSTATE, &look.pstate));
    if (!look.new_pc)
        return;
    must(avc_vcpu_set(vcpu, AVC_REG_PC, look.new_pc));
    must(avc_vcpu_set(vcpu, AVC_REG_PSTATE, look.new_pstate));
    must(avc_vcpu_get(vcpu, AVC_REG_PC, &value));
    assert_int_equal(value, look.new_pc);
    must(avc_vcpu_get(vcpu, AVC_REG_PSTATE, &value));
    assert_int_equal(value, look.new_pstate);
}

static void a_trace_sees_the_guests_pc(void **state)
{
    static const struct avc_observer looker = { .trace = look_and_set };
    static const struct {
        const char *where;
        uint32_t fid;
        bool serror;
        enum avc_kind exit;
    } cases[] = {
        { "in the trap", CALL_SLOW, false, AVC_KICKED },
        { "requests were served", CALL_IRQC, false, AVC_KICKED },
        { "run's end", CALL_VMM, false, AVC_CALL },
        { "an SError, and run's end", CALL_VMM, true, AVC_CALL },
        { "an SError, and requests", CALL_IRQC, true, AVC_SERROR },
    };

    for (unsigned set = 0; set < 2; set++)
        for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
            struct avc_vcpu *vcpu = make(false);
            struct avc_exit *e;
            uint64_t pc;

            observe(vcpu, &looker);
            memset(&look, 0, sizeof look);
            look.new_pc = set ? START + 0x1000 : 0;
            look.new_pstate = EL1H & ~1u;
            if (cases[n].serror)
                fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
            e = call(vcpu, cases[n].fid);
            if (e->kind != cases[n].exit || look.calls != 1 || look.pc != START || look.pstate != EL1H)
                fail_msg("%s: %s, %u calls, PC %lx, PSTATE %lx", cases[n].where, avc_kind_name(e->kind), look.calls,
                         (unsigned long)look.pc, (unsigned long)look.pstate);
            while (e->kind != AVC_KICKED) { /* the VMM lets the guest go on */
                e->answer = AVC_RETRY;
                world.taken = true;
                e = world_run(vcpu);
            }
            pc = cases[n].fid == CALL_VMM ? (set ? START + 0x1000 : START) - 4 : set ? START + 0x1000 : START;
            if (world.trap.elr != pc || world.trap.spsr != (set ? look.new_pstate : EL1H))
                fail_msg("%s: the guest goes on at %lx, PSTATE %lx", cases[n].where, (unsigned long)world.trap.elr,
                         (unsigned long)world.trap.spsr);
            must(avc_vcpu_observe(vcpu, NULL));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_kicks_another),
        cmocka_unit_test(a_trace_sees_the_guests_pc),
        cmocka_unit_test(all_classes_are_counted),
        cmocka_unit_test(interrupts_are_counted),
        cmocka_unit_test(an_serror_on_the_way_out),
        cmocka_unit_test(an_serror_before_a_reset),
        cmocka_unit_test(the_guests_mistakes),
        cmocka_unit_test(names),
        cmocka_unit_test(buckets),
        cmocka_unit_test(percentiles),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(times),
        cmocka_unit_test(a_slow_callback),
        cmocka_unit_test(parts),
        cmocka_unit_test(on_and_off),
        cmocka_unit_test(errors),
        cmocka_unit_test(replaced_at_any_moment),
        cmocka_unit_test(a_running_one_is_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
