/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The interrupt handler of CPU 0 is replaced again and again: by CPU 0 between runs, by the handler itself, and by CPU
 * 1. Now and then the HAL's own handler is put back. Meanwhile interrupts arrive. CPU 1 and CPU 0 send SGIs, a new one
 * of each INTID when the last was handled. The EL2 timer expires a few hundred ticks after it was set. CPU 0 takes them
 * in the guest, at EL2 by the host's own vectors, and at EL2 by the library's.
 *
 * A handler is an object with one of four functions. Each function checks that its context is an object with this
 * function, and intact. The owner of an object takes it back when the library says that it is not in use. Then the
 * owner poisons the memory and uses it again.
 */
#include "testvm.h"

#define EL2_TIMER 26
#define SGI_OWN   15   /* CPU 0 sends this one itself; CPU 1 sends those below it */
#define OBJECTS   16   /* of each owner */
#define ENOUGH    6000 /* the test goes on until so many interrupts were taken in each way */
#define SWAPS     300  /* and until each owner has replaced the handler so often */

enum way { IN_GUEST, OWN_VECTORS, LIBRARY_VECTORS, WAYS };
static const char *const ways[WAYS] = { "in the guest", "at EL2, the host's vectors", "at EL2, the library's vectors" };

struct object {
    struct avc_irq_handler pair;
    uint64_t check;
    unsigned kind;
    uint64_t calls;
};

static struct owner {
    struct object object[OBJECTS];
    struct object *mine;             /* the object that the owner made the handler last, or NULL */
    struct object *leaving[OBJECTS]; /* objects that were replaced inside of a handler */
    unsigned nr_leaving;
    uint64_t seed, swaps, calls; /* calls: of objects that were taken back */
} owners[2] = { { .seed = 1 }, { .seed = 2 } };

static struct test_vm t;
static struct avc_pcpu *const pcpu = &test_pcpu[0];
static struct object hal_object;

/* Handlers count here, so only CPU 0 writes these. */
static uint64_t entered; /* CPU 1 reads it */
static uint64_t fetched, by_library, got, arms, fires, taken[WAYS];
static uint64_t wrong, poisoned_calls, inside, inside_wrong;
static enum way way;
static bool in_run, draining, armed;
static uint64_t own_sent;
/* CPU 1 writes these. */
static uint64_t sent, late;
static bool busy[16];
static bool stop, quiet;

static uint64_t next_random(struct owner *o)
{
    o->seed = o->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return o->seed >> 33;
}

/* ---- objects ---- */

#define POISON UINT64_C(0xdeaddeaddeaddead)

static uint64_t check_of(const struct object *o, unsigned kind)
{
    return (uintptr_t)o * 8 + kind + 1;
}

static enum avc_answer poisoned(void *ctx, avc_irq_t irq)
{
    poisoned_calls++;
    host_irq_end(NULL, irq, true);
    return AVC_EXIT;
}

static bool is_free(const struct object *o)
{
    return !o->check || o->check == POISON;
}

static void take_back(struct owner *owner, struct object *o)
{
    owner->calls += o->calls;
    *o = (struct object){ .pair = { poisoned, o }, .check = POISON, .kind = 99 };
}

static enum avc_answer serve(struct object *o, unsigned kind, avc_irq_t irq);
#define SERVE(n)                                                                                                       \
    static enum avc_answer serve_##n(void *ctx, avc_irq_t irq)                                                         \
    {                                                                                                                  \
        return serve(ctx, n, irq);                                                                                     \
    }
SERVE(0)
SERVE(1)
SERVE(2)
SERVE(3)
SERVE(4) /* the HAL's */

static struct object *make(struct owner *owner)
{
    static enum avc_answer (*const functions[4])(void *, avc_irq_t) = { serve_0, serve_1, serve_2, serve_3 };
    unsigned kind = next_random(owner) % 4, at = next_random(owner) % OBJECTS;

    for (unsigned n = 0; n < OBJECTS; n++) {
        struct object *o = &owner->object[(at + n) % OBJECTS];

        if (is_free(o)) {
            *o = (struct object){ { functions[kind], o }, check_of(o, kind), kind, 0 };
            return o;
        }
    }
    return NULL;
}

/*
 * Makes the owner's next object the handler, or every eighth time the HAL's handler. Returns the object that was the
 * owner's last, which the owner has to take back.
 */
static struct object *replace(struct owner *owner)
{
    struct object *old = owner->mine, *new = ++owner->swaps % 8 ? make(owner) : NULL;

    host_must(avc_pcpu_set_irq_handler(pcpu, new ? &new->pair : NULL));
    owner->mine = new;
    return old;
}

/* ---- interrupts, on CPU 0 ---- */

static void arm(void)
{
    armed = true;
    arms++;
    host_timer_set(host_ticks() + 100 + next_random(&owners[0]) % 300);
}

static enum avc_answer serve(struct object *o, unsigned kind, avc_irq_t irq)
{
    struct owner *owner = &owners[0];

    __atomic_store_n(&entered, entered + 1, __ATOMIC_SEQ_CST);
    if (o->kind != kind || o->check != check_of(o, kind))
        wrong++;
    taken[in_run ? IN_GUEST : way]++;
    if (irq == EL2_TIMER) {
        wrong += !armed;
        armed = false;
        fires++;
        host_timer_set(~UINT64_C(0));
    }
    host_irq_end(NULL, irq, true);
    if (irq < 16) {
        wrong += !busy[irq];
        got++;
        __atomic_store_n(&busy[irq], false, __ATOMIC_RELEASE);
    }
    /* Replaces an owner's object, perhaps the very one that runs now. */
    if (next_random(owner) % 4 == 0 && owner->nr_leaving < OBJECTS - 2) {
        struct object *old = replace(owner);

        if (old)
            owner->leaving[owner->nr_leaving++] = old;
        inside++;
        inside_wrong += !avc_pcpu_irq_handler_in_use(pcpu, kind == 4 ? NULL : &o->pair);
    }
    if (irq == EL2_TIMER && !draining)
        arm();
    o->calls++;
    return entered % 2 ? AVC_EXIT : AVC_DONE;
}

static avc_irq_t fetch(void *ctx)
{
    avc_irq_t irq = host_irq_fetch(ctx);

    fetched += irq != AVC_IRQ_SPURIOUS;
    return irq;
}

static void end(void *ctx, avc_irq_t irq, bool deactivate)
{
    by_library++;
    host_irq_end(ctx, irq, deactivate);
}

static void on_vector(void)
{
    (void)avc_pcpu_irq(pcpu);
}

static void log_line(void *ctx, enum avc_log_level level, const char *line)
{
    host_printf("# avc: %s\n", line);
}

/* Between runs no handler of this CPU is in progress, so an object that was replaced here must not be in use. */
static uint64_t local, local_late;

static void replace_here(void)
{
    struct owner *owner = &owners[0];
    struct object *old = replace(owner);

    if (old)
        owner->leaving[owner->nr_leaving++] = old;
    while (owner->nr_leaving) {
        old = owner->leaving[--owner->nr_leaving];
        local_late += avc_pcpu_irq_handler_in_use(pcpu, &old->pair);
        take_back(owner, old);
    }
    local++;
}

uint64_t patterned_wait(uint64_t loops); /* run.S */
static uint64_t regs_lost;

static void at_el2(void)
{
    regs_lost |= patterned_wait(200);
}

/* Sends an SGI to CPU 0, if the last one of this INTID has been handled. */
static void send(uint64_t *count, unsigned n)
{
    if (__atomic_load_n(&busy[n], __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&busy[n], true, __ATOMIC_RELAXED);
    ++*count;
    host_sgi(0, n);
}

static void in_guest(void)
{
    struct avc_exit *e;

    in_run = true;
    e = avc_vcpu_run(&t.vcpu[0]);
    in_run = false;
    if (e->kind == AVC_FAIL)
        host_must(e->status);
    if (e->kind == AVC_CALL)
        avc_done(e, 0);
}

static void go(enum way w)
{
    uint64_t swaps = __atomic_load_n(&owners[1].swaps, __ATOMIC_RELAXED);

    way = w;
    if (w == LIBRARY_VECTORS)
        host_must(avc_pcpu_install_vectors(pcpu));
    host_must(avc_vcpu_load(&t.vcpu[0], pcpu));
    for (unsigned turn = 0;
         taken[w] < ENOUGH || __atomic_load_n(&owners[1].swaps, __ATOMIC_RELAXED) - swaps < SWAPS / WAYS; turn++) {
        if (turn % 4 == 0)
            send(&own_sent, SGI_OWN);
        if (w == IN_GUEST || turn % 8 == 0)
            in_guest();
        else
            at_el2();
        replace_here();
    }
    host_must(avc_vcpu_put(&t.vcpu[0]));
    if (w == LIBRARY_VECTORS)
        host_must(avc_pcpu_remove_vectors(pcpu));
}

/* ---- CPU 1 ---- */

/*
 * Two handlers have begun since the object was replaced. The first one may have been called for the old object, before
 * it was replaced. When the second one began, the first had ended, so the old object must not be in use any more.
 */
static void replace_there(void)
{
    struct owner *owner = &owners[1];
    struct object *old = replace(owner);
    uint64_t begun = __atomic_load_n(&entered, __ATOMIC_SEQ_CST), now = begun;

    if (!old)
        return;
    while (avc_pcpu_irq_handler_in_use(pcpu, &old->pair)) {
        late += now - begun >= 2;
        now = __atomic_load_n(&entered, __ATOMIC_SEQ_CST);
    }
    take_back(owner, old);
}

static void other_cpu(unsigned cpu)
{
    host_gic_init();
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        send(&sent, (unsigned)(next_random(&owners[1]) % SGI_OWN));
        replace_there();
    }
    __atomic_store_n(&quiet, true, __ATOMIC_RELEASE);
}

/* ---- the test ---- */

static bool drained(void)
{
    bool yes = __atomic_load_n(&quiet, __ATOMIC_ACQUIRE) && !armed;

    for (unsigned n = 0; n < 16; n++)
        yes &= !__atomic_load_n(&busy[n], __ATOMIC_ACQUIRE);
    return yes;
}

static unsigned tests;

static void ok(bool good, const char *what)
{
    host_printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
}

int host_main(void)
{
    static const struct test_config config = { .vcpus = 1 };
    static const struct avc_hal hal = {
        .ctx = &hal_object,
        .panic = host_panic,
        .wake = host_wake,
        .irq_fetch = fetch,
        .irq_end = end,
        .irq_mask = host_irq_mask_ppi,
        .irq_handler = serve_4,
        .log = log_line,
        .eoi_split = true,
    };
    uint64_t called;

    hal_object = (struct object){ .kind = 4, .check = check_of(&hal_object, 4) };
    host_gic_init();
    host_on_irq = on_vector;
    host_must(avc_machine_init(&test_machine));
    host_must(avc_pcpu_init(pcpu, &test_machine, &hal));
    host_must(avc_pcpu_enable(pcpu));
    test_vm_init(&t, &config);
    host_cpu_start(1, other_cpu);
    arm();
    for (enum way w = 0; w < WAYS; w++) {
        go(w);
        host_printf("# %lu interrupts %s\n", taken[w], ways[w]);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    draining = true;
    way = OWN_VECTORS;
    while (!drained())
        at_el2();

    called = hal_object.calls;
    for (unsigned n = 0; n < 2; n++) {
        called += owners[n].calls;
        for (unsigned i = 0; i < OBJECTS; i++)
            called += owners[n].object[i].calls;
    }
    host_printf("# %lu + %lu SGIs sent, %lu got; timer %lu times set, %lu times fired; %lu acknowledged, %lu handled "
                "(%lu by the "
                "HAL's), %lu the library's\n",
                sent, own_sent, got, arms, fires, fetched, called, hal_object.calls, by_library);
    host_printf("# replaced %lu times between runs, %lu from inside, %lu by CPU 1\n", local, inside, owners[1].swaps);
    ok(taken[IN_GUEST] >= ENOUGH && taken[OWN_VECTORS] >= ENOUGH && taken[LIBRARY_VECTORS] >= ENOUGH,
       "interrupts came in the guest, to the host's vectors, and to the library's");
    ok(sent + own_sent == got && arms == fires && fetched == called + by_library && called == got + arms,
       "none was lost");
    ok(!regs_lost, "the interrupted code at EL2 has kept its registers");
    ok(!wrong, "none went to a pair that was not whole");
    ok(!poisoned_calls, "none went to a pair that was out of use");
    ok(local >= SWAPS && inside >= SWAPS && owners[1].swaps >= SWAPS && hal_object.calls,
       "the handler was replaced and restored by its CPU, by itself, by the other CPU");
    ok(!local_late, "on the CPU itself the old one is out of use at once");
    ok(!inside_wrong, "one that replaces itself is in use until it returns");
    ok(!late, "for another CPU it is out of use when the call in progress has ended");
    host_printf("1..%u\n", tests);
    return 0;
}
