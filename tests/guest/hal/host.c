/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One machine with two CPUs, each with another kind of HAL, and a VM with a vCPU on each. The kinds of HAL are: the
 * library fetches interrupts with EOImode 1; it fetches them with EOImode 0; interrupts stay pending for the host's own
 * vectors. Each round pairs other kinds, and the vCPUs swap CPUs.
 *
 * Each HAL keeps a state for each interrupt of its CPU. By it the test checks the contract of acknowledging (struct
 * avc_hal in avc/avc.h). The other CPU sends SGIs, of each INTID one at a time, so that none merges with another and a
 * lost one is noticed. The EL2 timer, the guest's own timer and the maintenance interrupt run at the same time.
 */
#include "testvm.h"

#include "../hal/more.h"
#include "../hal/side.h"

#define ROUNDS 5
#define QUOTA  10100 /* SGIs and EL2 timers in a round, on each CPU: 101,000 in all */

static const struct round {
    enum kind kind[2];
    bool good;
} rounds[ROUNDS] = {
    { { SPLIT, JOINED }, false },   { { JOINED, SPLIT }, false }, { { PENDING, SPLIT }, false },
    { { JOINED, PENDING }, false }, { { SPLIT, JOINED }, true },
};

static struct test_vm t;
static struct side sides[ROUNDS + 1][2];
static bool stop, busy[2][16]; /* busy[cpu][n]: SGI n was sent to the CPU, and not yet handled */
static uint64_t sent, got;
static unsigned barrier_count;

/* ---- the HALs ---- */

static avc_irq_t split_fetch(void *ctx)
{
    return fetch(check(ctx, SPLIT));
}

static void split_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    ended(check(ctx, SPLIT), irq, deactivate);
    MSR(ICC_EOIR1_EL1, irq);
    if (deactivate)
        MSR(ICC_DIR_EL1, irq);
}

static avc_irq_t joined_fetch(void *ctx)
{
    return fetch(check(ctx, JOINED));
}

static void joined_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    ended(check(ctx, JOINED), irq, deactivate);
    MSR(ICC_EOIR1_EL1, irq);
}

/* Handles an interrupt that is not the library's. */
static enum avc_answer handle(struct side *s, avc_irq_t irq, void (*end)(void *ctx, avc_irq_t irq, bool deactivate))
{
    if (avc_vcpu_is_loaded(&t.vcpu[s->cpu]) && s->pcpu.current && s->kind != PENDING &&
        (irq == VTIMER || irq == MAINTENANCE))
        broken(s, irq, "the library's, handed to the handler");
    if (irq == EL2_TIMER) {
        if (!s->armed)
            broken(s, irq, "the timer was not set");
        s->armed = false;
        host_timer_set(~UINT64_C(0));
    }
    end(s, irq, true);
    if (irq == SGI_KICK) {
        s->kicks++;
    } else if (irq < 16) {
        if (!__atomic_load_n(&busy[s->cpu][irq], __ATOMIC_ACQUIRE))
            broken(s, irq, "never sent");
        __atomic_fetch_add(&got, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&busy[s->cpu][irq], false, __ATOMIC_RELEASE);
    }
    s->handled += irq == EL2_TIMER || (irq < 16 && irq != SGI_KICK);
    return irq % 3 ? AVC_DONE : AVC_EXIT;
}

static enum avc_answer split_irq(void *ctx, avc_irq_t irq)
{
    return handle(check(ctx, SPLIT), irq, split_end);
}

static enum avc_answer joined_irq(void *ctx, avc_irq_t irq)
{
    return handle(check(ctx, JOINED), irq, joined_end);
}

/* With interrupts left pending the library has nothing to fetch, to end, or to hand over. */
static void pending_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    broken(ctx, irq, "ended by the library, which has not acknowledged it");
}

static enum avc_answer pending_irq(void *ctx, avc_irq_t irq)
{
    broken(ctx, irq, "handed over by the library, which has not acknowledged it");
    return AVC_DONE;
}

static void own_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    ended(ctx, irq, deactivate);
    MSR(ICC_EOIR1_EL1, irq);
}

static void mask(void *ctx, uint32_t intid, bool masked)
{
    struct side *s = ctx;

    check(ctx, s->kind);
    s->masks += masked;
    host_irq_mask_ppi(NULL, intid, masked);
}

static void wake(void *ctx, struct avc_vcpu *vcpu)
{
    unsigned cpu = (vcpu->index + round_nr) % 2;

    if (cpu != host_cpu())
        host_sgi(cpu, SGI_KICK);
}

static void log_line(void *ctx, enum avc_log_level level, const char *line)
{
    host_printf("# avc: %s\n", line);
}

#define COMMON .panic = host_panic, .wake = wake, .irq_mask = mask, .log = log_line
static struct avc_hal hals[2][KINDS] = {
    { { COMMON, .irq_fetch = split_fetch, .irq_end = split_end, .irq_handler = split_irq, .eoi_split = true },
      { COMMON, .irq_fetch = joined_fetch, .irq_end = joined_end, .irq_handler = joined_irq },
      { COMMON, .irq_end = pending_end, .irq_handler = pending_irq } },
    { { COMMON, .irq_fetch = split_fetch, .irq_end = split_end, .irq_handler = split_irq, .eoi_split = true },
      { COMMON, .irq_fetch = joined_fetch, .irq_end = joined_end, .irq_handler = joined_irq },
      { COMMON, .irq_end = pending_end, .irq_handler = pending_irq } },
};

/* The host's own vectors call this. */
static void on_vector(void)
{
    struct side *s = now[host_cpu()];
    enum avc_answer answer = avc_pcpu_irq(&s->pcpu);

    if (s->good)
        broken(s, 0, "taken by the host's vector while the library's stand");
    if (s->kind == PENDING && answer == AVC_PASS) {
        avc_irq_t irq = fetch(s);

        if (irq != AVC_IRQ_SPURIOUS)
            (void)handle(s, irq, own_end);
    }
}

/* ---- a CPU's part in a round ---- */

static void at_el2(struct side *s)
{
    uint64_t acks = s->acks;

    host_irq_unmask();
    __asm__ volatile("isb");
    for (volatile unsigned n = 0; n < 20; n++)
        ;
    host_irq_mask();
    s->at_el2 += s->acks - acks;
}

static void make_interrupts(struct side *s, unsigned turn)
{
    unsigned other = 1 - s->cpu;

    for (unsigned n = 1; n < 16; n++)
        if (!__atomic_load_n(&busy[other][n], __ATOMIC_ACQUIRE)) {
            __atomic_store_n(&busy[other][n], true, __ATOMIC_RELEASE);
            __atomic_fetch_add(&sent, 1, __ATOMIC_RELAXED);
            host_sgi(other, n);
        }
    if (!s->armed) {
        s->armed = true;
        host_timer_set(host_ticks() + turn % 4 * 100); /* at once, or soon */
    }
}

static void one_run(struct side *s, struct avc_vcpu *vcpu)
{
    uint64_t acks = s->acks;
    struct avc_exit *e = avc_vcpu_run(vcpu);

    s->in_guest += s->acks - acks;
    if (e->kind == AVC_FAIL)
        host_must(e->status);
    if (e->kind == AVC_IRQ && e->handled == (s->kind == PENDING))
        broken(s, (unsigned)e->key, "`handled` says otherwise");
    if (e->kind == AVC_CALL && e->key == CALL_PUTC)
        host_putc((char)avc_vcpu_gpr(vcpu, 1));
    if (e->kind == AVC_CALL)
        avc_done(e, 0);
    if (e->kind == AVC_SYSTEM_OFF)
        t.off = true;
    if (e->kind == AVC_STAGE2)
        host_panic(NULL, "the guest runs outside of its memory");
    if (s->kind == PENDING && e->kind == AVC_IRQ)
        at_el2(s);
}

/* Waits until both CPUs are here. */
static void barrier(void)
{
    unsigned mine = __atomic_fetch_add(&barrier_count, 1, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&barrier_count, __ATOMIC_ACQUIRE) / 2 <= mine / 2)
        ;
}

static bool all_handled(void)
{
    bool yes = true;

    for (unsigned n = 0; n < 32; n++)
        yes &= !__atomic_load_n(&busy[n / 16][n % 16], __ATOMIC_ACQUIRE);
    return yes;
}

static bool get(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void play(unsigned cpu, unsigned nr, const struct round *r, bool last)
{
    struct side *s = &sides[nr][cpu], *other = &sides[nr][1 - cpu];
    struct avc_vcpu *vcpu = &t.vcpu[(cpu + nr) % 2];

    barrier(); /* nobody is in the last round any more */
    *s = (struct side){ .cpu = cpu, .kind = r->kind[cpu], .running = NONE };
    s->good = r->good;
    now[cpu] = s;
    if (!cpu)
        round_nr = nr;
    hals[cpu][s->kind].ctx = s;
    MSR(ICC_CTLR_EL1, s->kind == SPLIT ? 2 : 0); /* EOImode */
    host_must(avc_pcpu_init(&s->pcpu, &test_machine, &hals[cpu][s->kind]));
    host_must(avc_pcpu_enable(&s->pcpu));
    if (s->good)
        host_must(avc_pcpu_install_vectors(&s->pcpu));
    barrier(); /* both CPUs can take interrupts now */
    host_must(avc_vcpu_load(vcpu, &s->pcpu));
    if (last)
        __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (unsigned turn = 0; !(get(&s->drained) && get(&other->drained)); turn++) {
        bool sending = !last && !(get(&s->full) && get(&other->full));

        if (sending)
            make_interrupts(s, turn);
        one_run(s, vcpu);
        if (turn % 2)
            at_el2(s);
        if (s->handled >= QUOTA)
            __atomic_store_n(&s->full, true, __ATOMIC_RELEASE);
        if (!sending && !s->armed && all_handled() && (!last || get(&t.off)))
            __atomic_store_n(&s->drained, true, __ATOMIC_RELEASE);
    }
    host_must(avc_vcpu_put(vcpu));
    barrier(); /* nobody sends a kick from here on */
    at_el2(s);
    if (MRS(ICC_RPR_EL1) != 0xff || s->running != NONE || ISACTIVER(cpu))
        broken(s, ISACTIVER(cpu), "after put something is still active");
    s->library = s->acks - s->handled - s->kicks;
    host_must(avc_pcpu_disable(&s->pcpu));
}

static void play_all(unsigned cpu)
{
    static const struct round end = { { SPLIT, JOINED }, false };

    for (unsigned nr = 0; nr < ROUNDS; nr++)
        play(cpu, nr, &rounds[nr], false);
    play(cpu, ROUNDS, &end, true);
    barrier();
}

static void second(unsigned cpu)
{
    host_gic_init();
    play_all(cpu);
}

static enum avc_answer more(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, !get(&stop));
}

static unsigned tests = 2; /* the guest's results so far */

static void ok(bool good, const char *what)
{
    host_printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
}

int host_main(void)
{
    static const struct avc_claim claim = { AVC_CALL, CALL_MORE, CALL_MORE, more, NULL };
    static const struct test_config config = { .vcpus = 2, .claims = &claim, .nr_claims = 1 };
    static struct avc_pcpu first;
    uint64_t total = 0, per[KINDS][4] = { 0 };

    host_gic_init();
    host_on_irq = on_vector;
    host_must(avc_machine_init(&test_machine));
    host_must(avc_pcpu_init(&first, &test_machine, &hals[0][PENDING])); /* only to learn what the CPU has */
    host_must(avc_pcpu_enable(&first));
    test_vm_init(&t, &config);
    host_must(avc_pcpu_disable(&first));
    host_cpu_start(1, second);
    play_all(0);

    for (unsigned n = 0; n < 2 * ROUNDS; n++) {
        const struct side *s = &sides[n / 2][n % 2];

        host_printf(
            "# round %u, CPU %u, %s: %lu SGIs and EL2 timers, %lu kicks, %lu the guest's (%lu linked), %lu masked; "
            "%lu acknowledged in run, %lu at EL2\n",
            n / 2, s->cpu, kinds[s->kind], s->handled, s->kicks, s->library, s->linked, s->masks, s->in_guest,
            s->at_el2);
        total += s->handled;
        per[s->kind][0] += s->linked;
        per[s->kind][1] += s->masks;
        per[s->kind][2] += s->in_guest;
        per[s->kind][3] += s->at_el2;
    }
    ok(!errors, "none acknowledged or ended twice, none ended that was not acknowledged");
    ok(sent == got, "none was lost");
    ok(total >= 2 * ROUNDS * QUOTA, "there were more than 100,000");
    ok(per[SPLIT][0] && !per[JOINED][0] && !per[PENDING][0], "the guest ended its timer's itself with EOImode 1 only");
    ok(per[JOINED][1] && per[PENDING][1], "its timer was masked otherwise");
    ok(per[SPLIT][2] && per[SPLIT][3] && per[JOINED][2] && per[JOINED][3] && !per[PENDING][2] && per[PENDING][3],
       "they were taken from the guest and at EL2; those left pending at EL2 alone");
    host_printf("1..%u\n", tests);
    return 0;
}
