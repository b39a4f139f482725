/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One CPU: which members of struct avc_hal are called when, the replaceable interrupt handler, and the vectors that
 * stay installed.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "world.h"

#include <cmocka.h>
#include "core/exit/dump.h"
#include "core/object/pcpu.h"

#define IS(call, status) assert_int_equal((int)(call), (int)(status))

#define HOST_VBAR  UINT64_C(0xffff000000010800)
#define HOST_TPIDR UINT64_C(0x1ead)
#define HCR_RW     AVC_BIT(31)

static struct fake_trap an_irq(void)
{
    return (struct fake_trap){ .kind = FAKE_IRQ, .elr = START, .spsr = EL1H };
}

/* ---- the HAL ---- */

static void members(void **state)
{
    static struct avc_pcpu p;
    struct avc_hal hal;

    (void)state;
    world_make();
    fake_use_cpu(1);
    fake_become(1, NULL);
    for (unsigned n = 0; n < 32; n++) { /* each of these five is optional */
        bool good = (n & 1) && (!(n & 2) || ((n & 4) && (n & 8)));

        memset(&p, 0, sizeof p);
        hal = (struct avc_hal){ .panic = n & 1 ? hal_panic : NULL,
                                .irq_fetch = n & 2 ? hal_fetch : NULL,
                                .irq_end = n & 4 ? hal_end : NULL,
                                .irq_handler = n & 8 ? hal_irq : NULL,
                                .log = n & 16 ? world.hal.log : NULL };
        IS(avc_pcpu_init(&p, &world.machine, &hal), good ? AVC_OK : AVC_EHAL);
        if (!good)
            continue;
        IS(avc_pcpu_enable(&p), AVC_OK);
        IS(avc_pcpu_install_vectors(&p), n & 2 ? AVC_OK : AVC_EHAL);
        IS(avc_pcpu_disable(&p), AVC_OK);
    }
}

/*
 * Every answer of the handler, from a guest and at EL2. Each interrupt is fetched once and handled once, and only the
 * handler ends it.
 */
static void answers(void **state)
{
    static const enum avc_answer all[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_EXIT, AVC_PASS };
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(all); n++) {
        struct avc_exit *e;

        world.irq = 40 + n;
        world.irq_answer = all[n];
        e = take(vcpu, an_irq());
        if (all[n] == AVC_EXIT) {
            assert_int_equal(e->kind, AVC_IRQ);
            assert_int_equal(e->key, 40 + n);
            assert_true(e->handled);
            go_on(vcpu);
        } else {
            assert_int_equal(e->kind, AVC_KICKED); /* the vCPU went on in its guest */
        }
        assert_int_equal(world.trap.elr, START);
        world.irq = 50 + n;
        assert_int_equal(avc_pcpu_irq(&world.pcpu), all[n]);
        assert_int_equal(world.fetches, 2 * n + 2);
        assert_int_equal(world.handled, 2 * n + 2);
    }
    assert_int_equal(world.ends, 0);
    IS(avc_pcpu_irq(&world.pcpu), AVC_DONE); /* spurious */
    assert_int_equal(take(vcpu, an_irq())->kind, AVC_KICKED);
    assert_int_equal(world.handled, 10);
    assert_int_equal(world.fetches, 12);
}

/*
 * The GIC's special INTIDs acknowledge nothing, whoever fetches them. Tokens with similar numbers do, such as a GICv2's
 * SGI from another CPU.
 */
static void special_intids(void **state)
{
    static const struct {
        const char *name;
        avc_irq_t irq;
        bool handled;
    } rows[] = {
        { "the last SPI", 1019, true },
        { "special, lowest", 1020, false },
        { "special", 1022, false },
        { "no interrupt", 1023, false },
        { "SGI 0 from CPU 1, GICv2", 1024, true },
        { "SGI 15 from CPU 7, GICv2", 7 << 10 | 15, true },
        { "an LPI", 8192 + 1023, true },
        { "AVC_IRQ_SPURIOUS", AVC_IRQ_SPURIOUS, false },
    };

    (void)state;
    for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++)
        for (unsigned in_guest = 0; in_guest < 2; in_guest++) {
            struct avc_vcpu *vcpu;

            world_make();
            vcpu = world_load();
            world.irq = rows[n].irq;
            if (in_guest)
                take(vcpu, an_irq());
            else
                IS(avc_pcpu_irq(&world.pcpu), AVC_DONE);
            if (world.handled != rows[n].handled || world.ends != 0)
                fail_msg("%s, %s", rows[n].name, in_guest ? "from a guest" : "at EL2");
        }
}

/* A controller that takes one token, and one pending cause that was not acknowledged. */
static bool cause;

static bool ours(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    if (irq == AVC_IRQ_SPURIOUS) {
        bool was = cause;

        cause = false;
        return was;
    }
    if (irq != 27)
        return false;
    vcpu->pcpu->hal->irq_end(vcpu->pcpu->hal->ctx, irq, true);
    return true;
}

static void nothing(struct avc_vcpu *vcpu)
{
    (void)vcpu;
}
static bool never(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}
static uint64_t no_deadline(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return ~UINT64_C(0);
}
static enum avc_status no_line(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    (void)vm, (void)vcpu, (void)intid, (void)level;
    return AVC_ERANGE;
}
static const struct avc_irqc_ops ops = { .load = nothing,
                                         .put = nothing,
                                         .enter = nothing,
                                         .reset = nothing,
                                         .irq = ours,
                                         .pending = never,
                                         .deadline = no_deadline,
                                         .set_irq = no_line };

/* With irq_fetch: the controller's own token is the library's, all others are the handler's. */
static void fetched(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    must(avc_vm_set_irqc(&world.vm, &ops, NULL));
    vcpu = world_load();
    world.irq = 27;
    assert_int_equal(take(vcpu, an_irq())->kind, AVC_KICKED);
    world.irq = 27;
    IS(avc_pcpu_irq(&world.pcpu), AVC_DONE);
    assert_int_equal(world.ends, 2);
    assert_int_equal(world.handled, 0);
    world.irq = 28;
    IS(avc_pcpu_irq(&world.pcpu), AVC_DONE);
    assert_int_equal(world.handled, 1);
    must(avc_vcpu_put(vcpu));
    world.irq = 27; /* the timer's interrupt, but no controller takes it now */
    IS(avc_pcpu_irq(&world.pcpu), AVC_DONE);
    assert_int_equal(world.handled, 2);
    assert_int_equal(world.ends, 2);
}

/* Without irq_fetch: the HAL's functions are not called, whatever comes and whoever asks. */
static void left_pending(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world.hal.irq_fetch = NULL;
    must(avc_vm_set_irqc(&world.vm, &ops, NULL));
    IS(avc_pcpu_irq(&world.pcpu), AVC_PASS);
    vcpu = world_load();
    world.irq = 33;
    cause = false;
    e = take(vcpu, an_irq());
    assert_int_equal(e->kind, AVC_IRQ);
    assert_false(e->handled);
    assert_true(e->key == AVC_IRQ_SPURIOUS);
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    IS(avc_pcpu_irq(&world.pcpu), AVC_PASS); /* the host's vector has asked, and the interrupt is the host's */
    cause = true;
    assert_int_equal(take(vcpu, an_irq())->kind, AVC_KICKED);
    cause = true;
    IS(avc_pcpu_irq(&world.pcpu), AVC_DONE); /* the interrupt was the vCPU's, and is gone */
    IS(avc_pcpu_irq(&world.pcpu), AVC_PASS);
    assert_int_equal(world.fetches, 0);
    assert_int_equal(world.ends, 0);
    assert_int_equal(world.handled, 0);
}

/* ---- the handler ---- */

static unsigned calls[2];
static const struct avc_irq_handler *replace_by; /* set by the handler itself */
static bool old_in_use, other_in_use, hal_in_use;
static struct avc_irq_handler pairs[2];

static enum avc_answer on_pair(void *context, avc_irq_t irq)
{
    (void)irq;
    calls[(unsigned *)context - calls]++;
    if (replace_by)
        must(avc_pcpu_set_irq_handler(&world.pcpu, replace_by));
    old_in_use = avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]);
    other_in_use = avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[1]);
    hal_in_use = avc_pcpu_irq_handler_in_use(&world.pcpu, NULL);
    return AVC_EXIT;
}

static void one_irq(void)
{
    world.irq = 33;
    (void)avc_pcpu_irq(&world.pcpu);
}

static void make_pairs(void)
{
    world_make();
    for (unsigned n = 0; n < 2; n++)
        pairs[n] = (struct avc_irq_handler){ on_pair, &calls[n] };
    calls[0] = calls[1] = 0;
    replace_by = NULL;
}

static void replaced(void **state)
{
    (void)state;
    make_pairs();
    one_irq();
    assert_int_equal(world.handled, 1);
    assert_true(avc_pcpu_irq_handler_in_use(&world.pcpu, NULL));
    IS(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[0]), AVC_OK);
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, NULL));
    assert_true(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]));
    one_irq();
    assert_int_equal(world.handled, 1);
    assert_int_equal(calls[0], 1);
    IS(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[1]), AVC_OK);
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0])); /* at once, because no call is in progress */
    one_irq();
    assert_int_equal(calls[1], 1);
    IS(avc_pcpu_set_irq_handler(&world.pcpu, NULL), AVC_OK);
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[1]));
    one_irq();
    assert_int_equal(world.handled, 2);
    assert_int_equal(calls[0] + calls[1], 2);
    assert_false(avc_pcpu_irq_handler_in_use(NULL, NULL));
    assert_false(avc_pcpu_irq_handler_in_use(&(struct avc_pcpu){ .magic = 0 }, NULL));
}

/* The handler replaces itself. It is in use until it has returned, however often it is replaced. */
static void from_inside(void **state)
{
    (void)state;
    make_pairs();
    must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[0]));
    replace_by = &pairs[1];
    one_irq();
    assert_true(old_in_use);
    assert_true(other_in_use);
    assert_false(hal_in_use);
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]));
    must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[0]));
    must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[1])); /* set, and replaced before any interrupt */
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]));
    one_irq();
    assert_int_equal(calls[0], 1);
    assert_int_equal(calls[1], 1);
}

/* A handler lets the next interrupt in. The outer pair is in use until it returns, whatever is set meanwhile. */
static unsigned depth;
static bool in_use_at[4];

static enum avc_answer nests(void *context, avc_irq_t irq)
{
    unsigned level = ++depth;

    (void)context, (void)irq;
    if (level < 3) {
        must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[level % 2]));
        one_irq();
        in_use_at[level] = avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]);
    } else {
        must(avc_pcpu_set_irq_handler(&world.pcpu, NULL));
        in_use_at[level] =
            avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]) && avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[1]);
    }
    return AVC_DONE;
}

static void nested(void **state)
{
    (void)state;
    make_pairs();
    for (unsigned n = 0; n < 2; n++)
        pairs[n].fn = nests;
    depth = 0;
    must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[0]));
    one_irq();
    assert_int_equal(depth, 3);
    assert_true(in_use_at[3]); /* calls of both are in progress */
    assert_true(in_use_at[2]);
    assert_true(in_use_at[1]); /* the outermost call asks about its own pair */
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[0]));
    assert_false(avc_pcpu_irq_handler_in_use(&world.pcpu, &pairs[1]));
    depth = 2; /* only one call is in progress: the other pair must not count as in use */
    must(avc_pcpu_set_irq_handler(&world.pcpu, &pairs[1]));
    one_irq();
    assert_int_equal(depth, 3);
}

/*
 * Two threads. One takes interrupts. The other replaces the handler, and frees the old pair and its context as soon as
 * they are not in use. The sanitizer reports a call with freed memory.
 */
#define SWAPS 200000

struct owned {
    struct avc_irq_handler pair;
    uint64_t check;
    unsigned *count; /* where its calls are counted; freed with the pair */
};

static atomic_bool stop;
static unsigned long taken, wrong;

static enum avc_answer counts(void *context, avc_irq_t irq)
{
    struct owned *o = context;

    (void)irq;
    if (o->check != ((uintptr_t)o ^ AVC_MAGIC_PCPU))
        wrong++;
    ++*o->count;
    return AVC_DONE;
}

static void *takes(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        (void)avc_pcpu_handle(&world.pcpu, 33);
        taken++;
    }
    return NULL;
}

static void two_threads(void **state)
{
    unsigned handled = 0;
    struct owned *old = NULL;
    pthread_t thread;

    (void)state;
    world_make();
    world.irq_answer = AVC_DONE;
    taken = wrong = 0;
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&thread, NULL, takes, NULL), 0);
    for (unsigned n = 0; n < SWAPS; n++) {
        struct owned *o = n % 5 ? malloc(sizeof *o) : NULL;

        if (o)
            *o = (struct owned){ { counts, o }, (uintptr_t)o ^ AVC_MAGIC_PCPU, &handled };
        must(avc_pcpu_set_irq_handler(&world.pcpu, o ? &o->pair : NULL));
        while (old && avc_pcpu_irq_handler_in_use(&world.pcpu, &old->pair))
            ;
        if (old)
            memset(old, 0xa5, sizeof *old);
        free(old);
        old = o;
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    must(avc_pcpu_set_irq_handler(&world.pcpu, NULL));
    free(old);
    assert_int_equal(wrong, 0);
    assert_int_equal(taken, handled + world.handled);
}

/* ---- the library's vectors ---- */

static void host_regs(uint64_t hcr)
{
    fake_cpu->reg[FAKE_VBAR_EL2] = HOST_VBAR;
    fake_cpu->reg[FAKE_TPIDR_EL2] = HOST_TPIDR;
    fake_cpu->reg[FAKE_HCR_EL2] = hcr;
}

static void is_given_back(uint64_t hcr)
{
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] == HOST_VBAR);
    assert_true(fake_cpu->reg[FAKE_TPIDR_EL2] == HOST_TPIDR);
    assert_true(fake_cpu->reg[FAKE_HCR_EL2] == hcr);
}

static void stands(uint64_t hcr)
{
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] == (uintptr_t)avc_host_vectors);
    assert_true(fake_cpu->reg[FAKE_TPIDR_EL2] == (uintptr_t)&world.pcpu);
    assert_true(fake_cpu->reg[FAKE_HCR_EL2] == hcr);
}

static void vectors_refused(void **state)
{
    static struct avc_pcpu p;

    (void)state;
    world_make();
    host_regs(HCR_RW);
    memset(&p, 0, sizeof p);
    IS(avc_pcpu_install_vectors(NULL), AVC_EINVAL);
    IS(avc_pcpu_remove_vectors(NULL), AVC_EINVAL);
    IS(avc_pcpu_install_vectors(&p), AVC_ENOENT);
    IS(avc_pcpu_remove_vectors(&p), AVC_ENOENT);
    must(avc_pcpu_init(&p, &world.machine, &world.hal));
    IS(avc_pcpu_install_vectors(&p), AVC_ESTATE);
    IS(avc_pcpu_remove_vectors(&p), AVC_ESTATE);
    IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_ENOENT);
    fake_use_cpu(1);
    host_regs(HCR_RW);
    IS(avc_pcpu_install_vectors(&world.pcpu), AVC_EBUSY);
    is_given_back(HCR_RW);
    fake_use_cpu(0);
    world.hal.irq_fetch = NULL;
    IS(avc_pcpu_install_vectors(&world.pcpu), AVC_EHAL);
    world.hal.irq_fetch = hal_fetch;
    is_given_back(HCR_RW);

    (void)world_load();
    IS(avc_pcpu_install_vectors(&world.pcpu), AVC_EBUSY);
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] == HOST_VBAR);
    must(avc_vcpu_put(&world.vcpu[0]));
    IS(avc_pcpu_install_vectors(&world.pcpu), AVC_OK);
    IS(avc_pcpu_install_vectors(&world.pcpu), AVC_EEXIST);
    fake_use_cpu(1);
    IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_EBUSY);
    fake_use_cpu(0);
    must(avc_vcpu_load(&world.vcpu[0], &world.pcpu));
    IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_EBUSY);
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] == (uintptr_t)avc_host_vectors);
    must(avc_vcpu_put(&world.vcpu[0]));
    IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_OK);
    IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_ENOENT);
    is_given_back(HCR_RW);
}

/*
 * What the vectors borrow, with HCR_EL2.IMO clear and set before. Remove and disable give it back. The caller's DAIF is
 * kept.
 */
static void vectors_stand(void **state)
{
    (void)state;
    world_make();
    for (unsigned n = 0; n < 8; n++) {
        uint64_t hcr = HCR_RW | (n & 1 ? HCR_IMO : 0) | (n & 2 ? HCR_E2H | HCR_TGE : 0);

        host_regs(hcr);
        fake_cpu->masked = n & 4;
        IS(avc_pcpu_install_vectors(&world.pcpu), AVC_OK);
        stands(hcr | HCR_IMO);
        assert_true(fake_cpu->masked == (bool)(n & 4));
        fake_cpu->reg[FAKE_HCR_EL2] |= AVC_BIT(5); /* the host sets it itself, so it stays */
        IS(avc_pcpu_remove_vectors(&world.pcpu), AVC_OK);
        is_given_back(hcr | AVC_BIT(5));
        assert_true(fake_cpu->masked == (bool)(n & 4));

        host_regs(hcr);
        must(avc_pcpu_install_vectors(&world.pcpu));
        IS(avc_pcpu_disable(&world.pcpu), AVC_OK);
        is_given_back(hcr);
        must(avc_pcpu_enable(&world.pcpu));
        is_given_back(hcr);
    }
}

/*
 * Whenever an exception may use the library's vectors, TPIDR_EL2 is the library's. No IRQ may come before both are set.
 */
static void vectors_order(void **state)
{
    long tpidr, vbar, hcr, isb;

    (void)state;
    world_make();
    host_regs(HCR_RW);
    fake_cpu->masked = false;
    fake_log_clear();
    must(avc_pcpu_install_vectors(&world.pcpu));
    tpidr = fake_log_find(0, FAKE_WRITE, FAKE_TPIDR_EL2);
    vbar = fake_log_find(0, FAKE_WRITE, FAKE_VBAR_EL2);
    isb = fake_log_find((size_t)vbar, FAKE_OP, FAKE_OP_isb);
    hcr = fake_log_find(0, FAKE_WRITE, FAKE_HCR_EL2);
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_irq_disable) < tpidr);
    assert_true(0 <= tpidr && tpidr < vbar && vbar < isb && isb < hcr);
    assert_true(hcr < fake_log_find((size_t)hcr, FAKE_OP, FAKE_OP_isb));
    assert_true(hcr < fake_log_find(0, FAKE_OP, FAKE_OP_irq_restore));

    fake_log_clear();
    must(avc_pcpu_remove_vectors(&world.pcpu));
    tpidr = fake_log_find(0, FAKE_WRITE, FAKE_TPIDR_EL2);
    vbar = fake_log_find(0, FAKE_WRITE, FAKE_VBAR_EL2);
    isb = fake_log_find((size_t)vbar, FAKE_OP, FAKE_OP_isb);
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_irq_disable) < vbar);
    assert_true(0 <= vbar && vbar < isb && isb < tpidr);
    assert_true(tpidr < fake_log_find(0, FAKE_OP, FAKE_OP_irq_restore));
}

/*
 * Run replaces the vectors by its own, and restores them. A claim that asks for FP finds the guest's CPTR_EL2 all the
 * same.
 */
static enum avc_answer reads_fp(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    uint64_t value[2];

    (void)context;
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] != (uintptr_t)avc_host_vectors);
    must(avc_vcpu_get_fp(vcpu, 8, value));
    return avc_done(e, value[0]);
}

static unsigned traps;

static bool fp_then_call(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    *trap = (struct fake_trap){ .esr = traps ? UINT64_C(0x5a000000) : UINT64_C(0x1e000000), /* HVC; FP */
                                .elr = trap->elr,
                                .spsr = EL1H };
    if (traps == 1)
        vcpu->x[0] = 0xc6000000;
    return traps++ < 2;
}

static void vectors_and_run(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    host_regs(HCR_RW);
    must(avc_pcpu_install_vectors(&world.pcpu));
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, reads_fp, NULL);
    vcpu = world_load();
    assert_true(vcpu->host_vbar == (uintptr_t)avc_host_vectors);
    vcpu->fp->v[8][0] = 0x4057;
    traps = 0;
    fake_guest = fp_then_call;
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
    assert_int_equal(traps, 3);
    assert_int_equal(vcpu->x[0], 0x4057);
    assert_true(fake_cpu->reg[FAKE_VBAR_EL2] == (uintptr_t)avc_host_vectors);
    assert_true(fake_cpu->reg[FAKE_TPIDR_EL2] == (uintptr_t)&world.pcpu);
    assert_true(fake_cpu->reg[FAKE_HCR_EL2] & HCR_IMO);
    must(avc_vcpu_put(vcpu));
    assert_true(fake_cpu->reg[FAKE_HCR_EL2] & HCR_IMO);
    must(avc_pcpu_disable(&world.pcpu));
    is_given_back(HCR_RW);
}

/* ---- panic ---- */

static jmp_buf panicked;
static char said[1024];
static unsigned panics;
static bool log_fails;

static void keep_line(void *context, enum avc_log_level level, const char *line)
{
    (void)context;
    assert_int_equal(level, AVC_LOG_ERROR);
    strcat(strcat(said, line), "\n");
    if (log_fails)
        avc_host_trap(4, 0x1000, UINT64_C(0x96000000), 0x2000, 0x3000, &world.pcpu);
}

static void come_back(void *context, const char *why)
{
    (void)context;
    panics++;
    strcat(said, why);
    longjmp(panicked, 1);
}

static const char *trap(unsigned vector, struct avc_pcpu *p)
{
    said[0] = '\0';
    panics = 0;
    world.pcpu.dumps = 0;
    if (!setjmp(panicked))
        avc_host_trap(vector, 0xffff000000001000, UINT64_C(0x96000045), 0xffff000000002000, 0xdead0000, p);
    assert_int_equal(panics, 1);
    return said;
}

static void dump(void **state)
{
    (void)state;
    world_make();
    world.hal.log = keep_line;
    world.hal.panic = come_back;
    assert_string_equal(trap(4, &world.pcpu),
                        "arm_vcpu: synchronous exception at EL2: Data Abort, same level\n"
                        "arm_vcpu: ESR_EL2 96000045 ELR_EL2 ffff000000002000 FAR_EL2 00000000dead0000 "
                        "SP ffff000000001000\n"
                        "an exception at EL2");
    assert_non_null(strstr(trap(6, &world.pcpu), "arm_vcpu: FIQ at EL2\n"));
    assert_non_null(strstr(trap(7, &world.pcpu), "arm_vcpu: SError at EL2\n"));
    assert_non_null(strstr(trap(1, &world.pcpu), "arm_vcpu: IRQ at EL2, on SP_EL0\n"));
    assert_non_null(strstr(trap(8, &world.pcpu), "synchronous exception from AArch64 below EL2: Data"));
    assert_non_null(strstr(trap(15, &world.pcpu), "arm_vcpu: SError from AArch32 below EL2\n"));
    assert_null(strstr(said, "vCPU 0"));
    (void)world_load();
    world.vcpu[0].pc = 0x40001234;
    assert_non_null(strstr(trap(4, &world.pcpu), "vCPU 0 is here, last known PC 0000000040001234 PSTATE 000003c5\n"));
    log_fails = true; /* a dump that fails must not dump again */
    assert_string_equal(trap(4, &world.pcpu),
                        "arm_vcpu: synchronous exception at EL2: Data Abort, same level\nan exception at EL2");
    log_fails = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),         cmocka_unit_test(answers),       cmocka_unit_test(fetched),
        cmocka_unit_test(special_intids),  cmocka_unit_test(left_pending),  cmocka_unit_test(replaced),
        cmocka_unit_test(from_inside),     cmocka_unit_test(nested),        cmocka_unit_test(two_threads),
        cmocka_unit_test(vectors_refused), cmocka_unit_test(vectors_stand), cmocka_unit_test(vectors_order),
        cmocka_unit_test(vectors_and_run), cmocka_unit_test(dump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
