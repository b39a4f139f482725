/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor's scheduler against a model of CPUs: each is in a step or idle, has a poke pending or not
 * and an alarm; its guest computes or waits in a WFI that traps or does not; time passes, and what they do next is
 * drawn at random. Other CPUs also act inside of a call of the scheduler: in its hooks and looks at s.cpus without a
 * lock. Whatever happens: nobody runs twice, no wake-up and no deadline is lost, no CPU sleeps, idle or in a WFI, while
 * a task waits, and no task waits longer than the slices before it. At the end the same with threads for CPUs, which
 * find what the model's hooks do not reach.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Before each look at the word that CPUs tell each other by. */
static void a_look(void);
#undef atomic_load
#define atomic_load(p) (a_look(), atomic_load_explicit(p, memory_order_seq_cst))

#include "kern/sched.c" /* all of it: the locks, and the word */

#define NR_CPUS  4
#define NR_TASKS 11
#define SLICE    1000

static struct model_cpu {
    struct vmm_task *running;
    bool inside; /* of a call of the scheduler, while others act */
    bool poked, idle;
    bool traps; /* WFI does, since the step looked last at what is due */
    bool waits; /* in a WFI that does not */
    uint64_t alarm;
} cpus[NR_CPUS];

static struct model_task {
    struct vmm_task task;
    bool event;        /* a waker has made it visible; a step that begins, or goes on, sees it */
    uint64_t deadline; /* blocked until then */
    uint64_t runnable; /* when it began to wait for a CPU */
    unsigned cpu;      /* 1 + where it runs, 0: nowhere */
} tasks[NR_TASKS];

static uint64_t now;
static unsigned nr_cpus, longest, depth, max_depth;
static bool with_threads, stopped;
static unsigned model_self;
static _Thread_local unsigned thread_self;

/* ---- hooks ---- */

static void others_act(void);

static bool is_locked(void)
{
    bool locked = false;

    for (unsigned i = 0; i < VMM_MAX_CPUS; i++)
        locked |= s.cpu[i].queue.lock.taken;
    return locked;
}

static void no_lock(void)
{
    if (is_locked())
        fail_msg("a hook is called under a lock");
}

static void a_look(void)
{
    if (!with_threads && !is_locked())
        others_act();
}

unsigned vmm_sched_self(void)
{
    return with_threads ? thread_self : model_self;
}

static void thread_poke(unsigned cpu);
static uint64_t thread_now(void);
static void thread_arm(uint64_t deadline);

uint64_t vmm_sched_now(void)
{
    if (with_threads)
        return thread_now();
    no_lock();
    others_act();
    return now;
}

void vmm_sched_poke(unsigned cpu)
{
    if (with_threads) {
        thread_poke(cpu);
        return;
    }
    no_lock();
    assert_true(cpu < nr_cpus);
    assert_true(cpu != model_self || s.cpu[cpu].busy);
    others_act();
    cpus[cpu].poked = true;
    others_act();
}

void vmm_sched_arm(uint64_t deadline)
{
    if (with_threads) {
        thread_arm(deadline);
        return;
    }
    no_lock();
    assert_true(cpus[model_self].alarm != deadline); /* programmed when it changes alone */
    cpus[model_self].alarm = deadline;
    others_act();
}

/* vmm_sched_stop() waits for the others here: one of them does what it has to. */
static void end_step(enum vmm_step how, uint64_t deadline);

void vmm_sched_relax(void)
{
    unsigned me = model_self;

    if (with_threads)
        return;
    no_lock();
    for (unsigned i = 0; i < nr_cpus; i++)
        if (i != me && cpus[i].running) {
            model_self = i;
            assert_true(cpus[i].poked);
            cpus[i].poked = cpus[i].waits = false;
            cpus[i].inside = true;
            assert_true(vmm_sched_poked(i)); /* it leaves its guest, and has to yield */
            cpus[i].inside = false;
            assert_true(*vmm_sched_due(i) & VMM_DUE_YIELD);
            end_step(VMM_STEP_YIELD, VMM_NEVER);
            model_self = me;
            return;
        }
    fail_msg("waits for nobody");
}

/* ---- what CPUs do ---- */

static struct model_task *model(struct vmm_task *task)
{
    return (struct model_task *)task; /* its first member */
}

/* As the step's loop does before it runs the guest. */
static void heed_due(void)
{
    struct model_cpu *cpu = &cpus[model_self];
    unsigned due = *vmm_sched_due(model_self);

    if (due & VMM_DUE_YIELD)
        end_step(VMM_STEP_YIELD, VMM_NEVER);
    else
        cpu->traps = due & VMM_DUE_SHARE;
}

static void pick(void)
{
    struct model_cpu *cpu = &cpus[model_self];

    while (!cpu->running) {
        struct vmm_task *task;

        cpu->inside = true;
        task = vmm_sched_pick(model_self);
        cpu->inside = false;
        cpu->idle = !task;
        cpu->running = task;
        if (!task)
            return;
        assert_int_equal(model(task)->cpu, 0);
        assert_int_equal(task->state, VMM_TASK_RUNNING);
        model(task)->cpu = model_self + 1;
        model(task)->event = false;
        model(task)->deadline = VMM_NEVER;
        if (now - model(task)->runnable > longest)
            longest = (unsigned)(now - model(task)->runnable);
        heed_due();
    }
}

static void end_step(enum vmm_step how, uint64_t deadline)
{
    struct model_cpu *cpu = &cpus[model_self];
    struct model_task *task = model(cpu->running);

    assert_false(cpu->waits);
    task->cpu = 0;
    task->runnable = now;
    task->deadline = how == VMM_STEP_BLOCK ? deadline : VMM_NEVER;
    cpu->running = NULL;
    vmm_sched_done(model_self, &task->task, how, deadline);
}

/* Interrupts that this CPU has pending are taken: in its guest, in its idle loop or in a window. */
static void take_interrupts(void)
{
    struct model_cpu *cpu = &cpus[model_self];

    while (cpu->poked || cpu->alarm <= now) {
        bool look = false;

        cpu->waits = false;
        cpu->inside = true;
        if (cpu->poked) {
            cpu->poked = false;
            look = vmm_sched_poked(model_self);
        }
        if (cpu->alarm <= now) {
            look |= vmm_sched_tick(model_self);
            assert_true(cpu->alarm > now); /* or its level would stay */
        }
        cpu->inside = false;
        if (cpu->running)
            model(cpu->running)->event = false; /* the library has looked */
        if (cpu->running && look)
            heed_due();
    }
    if (!cpu->running)
        pick();
}

static void wake(struct model_task *task)
{
    task->event = true;
    if (task->task.state == VMM_TASK_BLOCKED)
        task->runnable = now;
    cpus[model_self].inside = true;
    vmm_sched_wake(&task->task);
    cpus[model_self].inside = false;
    if (task->event && task->cpu && task->cpu - 1 != model_self)
        assert_true(cpus[task->cpu - 1].poked); /* it will leave its guest */
}

static void stop_the_world(void)
{
    unsigned me = model_self;

    cpus[me].inside = true;
    assert_true(vmm_sched_stop());
    stopped = true;
    for (unsigned i = 0; i < nr_cpus; i++)
        assert_true(i == me || !cpus[i].running);
    for (unsigned i = 0; i < nr_cpus; i++) {
        if (i == me)
            continue;
        model_self = i;
        cpus[i].inside = true;
        assert_null(vmm_sched_pick(i));
        cpus[i].inside = false;
        cpus[i].idle = true;
        assert_false(vmm_sched_stop()); /* somebody else does */
        model_self = me;
    }
    if (rand() % 2) {
        struct model_task *task = &tasks[rand() % NR_TASKS];

        vmm_task_park(&task->task);
        task->event = false;
        task->deadline = VMM_NEVER;
    }
    if (rand() % 2)
        wake(&tasks[rand() % NR_TASKS]);
    cpus[me].inside = true;
    stopped = false;
    vmm_sched_resume();
    cpus[me].inside = false;
}

/* The guest executes WFI. */
static void guest_waits(uint64_t deadline)
{
    struct model_cpu *cpu = &cpus[model_self];
    bool alone = !cpu->traps;

    if (!alone) {
        cpu->inside = true;
        alone = vmm_sched_alone(model_self);
        cpu->inside = false;
        cpu->traps = !alone && cpu->traps;
    }
    if (alone && !(*vmm_sched_due(model_self) & VMM_DUE_YIELD))
        cpu->waits = true;
    else
        end_step(VMM_STEP_BLOCK, deadline);
}

/* A CPU that has nothing pending does what it likes. */
static void act(void)
{
    struct model_cpu *cpu = &cpus[model_self];
    struct model_task *task;

    if (!cpu->running || cpu->poked)
        return;
    if (cpu->waits) { /* its own timer's interrupt comes, some day */
        cpu->waits = rand() % 8;
        return;
    }
    task = model(cpu->running);
    switch (rand() % 8) {
    case 0: /* a guest that waits, with an event that came after it looked */
        if (rand() % 2)
            wake(task);
        end_step(VMM_STEP_BLOCK, VMM_NEVER);
        break;
    case 1:
        guest_waits(now + (uint64_t)(rand() % 3000));
        break;
    case 2:
    case 3:
        wake(&tasks[rand() % NR_TASKS]);
        task->event = false; /* if it was its own, it goes on and sees it */
        break;
    case 4:
        if (rand() % 20 == 0 && !depth)
            stop_the_world();
        break;
    case 5:
        end_step(VMM_STEP_YIELD, VMM_NEVER);
        break;
    default:
        break; /* computes */
    }
    if (!cpu->running)
        pick();
}

/* Another CPU, in the middle of what one does. */
static void others_act(void)
{
    unsigned me = model_self, other = (unsigned)rand() % nr_cpus;

    if (depth == max_depth || rand() % 3 || cpus[other].inside || stopped)
        return;
    depth++;
    model_self = other;
    take_interrupts();
    if (!cpus[other].idle)
        act();
    model_self = me;
    depth--;
}

/* ---- what must hold when all have done what they were at ---- */

static void check_task(const struct model_task *task)
{
    if (task->cpu) {
        assert_int_equal(task->task.state, VMM_TASK_RUNNING);
        assert_ptr_equal(cpus[task->cpu - 1].running, &task->task);
        return;
    }
    assert_int_not_equal(task->task.state, VMM_TASK_RUNNING);
    if (task->task.state == VMM_TASK_RUNNABLE)
        return;
    assert_false(task->event); /* no wake-up is lost */
    if (task->deadline != VMM_NEVER) {
        assert_true(task->task.timed);
        assert_true(cpus[task->task.cpu].alarm <= task->deadline);
    }
}

/* Tasks in a CPU's queue. */
static unsigned check_queue(unsigned n)
{
    unsigned nr = 0;

    for (const struct vmm_task *task = s.cpu[n].queue.head; task; task = task->next) {
        assert_int_equal(task->cpu, n);
        nr++;
    }
    assert_int_equal(s.cpu[n].queue.nr, nr);
    assert_int_equal(!!(s.cpus & WAITING(n)), !!nr);
    return nr;
}

static void check(void)
{
    unsigned waiting = 0, runnable = 0, coming = 0, sleeping = 0, seen = 0;

    for (unsigned i = 0; i < NR_TASKS; i++) {
        check_task(&tasks[i]);
        runnable += tasks[i].task.state == VMM_TASK_RUNNABLE;
    }
    for (unsigned i = 0; i < nr_cpus; i++) {
        waiting += check_queue(i);
        coming += cpus[i].idle && cpus[i].poked;
        sleeping += (cpus[i].idle || !cpus[i].traps) && !cpus[i].poked;
        for (unsigned k = 0; k < i; k++)
            seen += cpus[i].running && cpus[i].running == cpus[k].running;
    }
    assert_int_equal(seen, 0);
    assert_int_equal(waiting, runnable);
    if (waiting <= coming)
        return; /* each that waits has a CPU that was poked for it */
    assert_int_equal(sleeping, 0);
    for (unsigned i = 0; i < nr_cpus; i++)
        assert_true(cpus[i].poked || cpus[i].alarm != VMM_NEVER);
}

static void random_life(unsigned with_cpus, unsigned with_depth)
{
    memset(cpus, 0, sizeof(cpus));
    memset(tasks, 0, sizeof(tasks));
    nr_cpus = with_cpus;
    max_depth = with_depth;
    now = 1;
    longest = 0;
    vmm_sched_init(nr_cpus, SLICE);
    for (unsigned i = 0; i < NR_TASKS; i++) {
        vmm_task_init(&tasks[i].task);
        tasks[i].deadline = VMM_NEVER;
    }
    for (model_self = 0; model_self < nr_cpus; model_self++) {
        cpus[model_self].alarm = VMM_NEVER;
        cpus[model_self].inside = true; /* not yet up for others_act() */
    }
    for (model_self = 0; model_self < nr_cpus; model_self++)
        pick();
    for (unsigned i = 0; i < 200000; i++) {
        model_self = (unsigned)rand() % nr_cpus;
        take_interrupts();
        act();
        check();
        now += (uint64_t)(rand() % 50);
        if (i % 1000 == 0) { /* whoever sleeps for ever is woken now and then */
            model_self = 0;
            for (unsigned k = 0; k < NR_TASKS; k++)
                wake(&tasks[k]);
            if (!cpus[0].running)
                pick(); /* it woke them from an interrupt in its idle loop, which then looks */
        }
    }
    /* With everything alive, a task waits for the slices of those before it, and for CPUs that take their time to look.
     */
    if (longest >= 3 * SLICE * (NR_TASKS / nr_cpus + 1))
        fail_msg("a task waited for %u on %u CPUs", longest, nr_cpus);
}

static void random_lives(void **state)
{
    (void)state;
    srand(1);
    for (unsigned n = 1; n <= NR_CPUS; n++)
        for (unsigned with_depth = 0; with_depth < 3; with_depth++)
            random_life(n, with_depth);
}

/* ---- by hand ---- */

static void one_cpu(void)
{
    memset(cpus, 0, sizeof(cpus));
    cpus[0].alarm = VMM_NEVER;
    cpus[0].inside = true;
    model_self = 0;
    nr_cpus = 1;
    vmm_sched_init(1, SLICE);
}

/* Two that never block: they take turns, and one alone is left in peace. */
static void slices(void **state)
{
    struct vmm_task a, b;

    (void)state;
    one_cpu();
    now = 100;
    vmm_task_init(&a);
    vmm_task_init(&b);
    vmm_sched_wake(&a);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_true(cpus[0].alarm == VMM_NEVER);
    assert_int_equal(*vmm_sched_due(0), 0);
    now += 3 * SLICE;
    vmm_sched_wake(&b); /* a has had its slice long ago */
    assert_true(cpus[0].poked);
    assert_true(vmm_sched_poked(0));
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE);
    assert_false(vmm_sched_alone(0));
    assert_true(cpus[0].alarm <= now);
    assert_true(vmm_sched_tick(0));
    assert_true(*vmm_sched_due(0) & VMM_DUE_YIELD);
    vmm_sched_done(0, &a, VMM_STEP_YIELD, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &b);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE);
    assert_true(cpus[0].alarm == now + SLICE);
    now += SLICE - 1;
    assert_false(vmm_sched_tick(0));
    now += 1;
    assert_true(vmm_sched_tick(0));
    vmm_sched_done(0, &b, VMM_STEP_BLOCK, now + 5);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_int_equal(*vmm_sched_due(0), 0);
    assert_true(cpus[0].alarm == now + 5);
    now += 5;
    assert_true(vmm_sched_tick(0)); /* b is back; a goes on to its slice's end, unless it waits */
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE);
    assert_int_equal(b.state, VMM_TASK_RUNNABLE);
    assert_true(cpus[0].alarm == now - 5 + SLICE);
}

/* One that runs while another waits is alone again when that is gone. */
static void alone_again(void **state)
{
    struct vmm_task a, b;

    (void)state;
    one_cpu();
    now = 100;
    vmm_task_init(&a);
    vmm_task_init(&b);
    vmm_sched_wake(&a);
    vmm_sched_wake(&b);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE);
    assert_false(vmm_sched_alone(0));
    vmm_task_park(&b);
    assert_true(vmm_sched_alone(0));
    assert_int_equal(*vmm_sched_due(0), 0);
    assert_true(cpus[0].alarm == VMM_NEVER);
}

/* Of tasks on two CPUs that never block, none runs twice while others wait, whichever queue these are in. */
static void fair_shares(void **state)
{
    (void)state;
    for (unsigned nr = 3; nr <= 5; nr++) {
        struct vmm_task task[5], *last[2] = { NULL };
        unsigned runs[5] = { 0 };

        one_cpu();
        nr_cpus = 2;
        cpus[1] = cpus[0];
        vmm_sched_init(2, SLICE);
        for (unsigned i = 0; i < nr; i++) {
            vmm_task_init(&task[i]);
            vmm_sched_wake(&task[i]); /* all of them last ran on CPU 0 */
        }
        for (unsigned turn = 0; turn < 60; turn++) {
            model_self = turn % 2;
            if (last[model_self])
                vmm_sched_done(model_self, last[model_self], VMM_STEP_YIELD, VMM_NEVER);
            last[model_self] = vmm_sched_pick(model_self);
            runs[last[model_self] - task]++;
        }
        for (unsigned i = 0; i < nr; i++)
            if (runs[i] < 60 / nr - 3 || runs[i] > 60 / nr + 3)
                fail_msg("task %u of %u ran %u times", i, nr, runs[i]);
    }
}

/* Woken between "nothing to do" and done(): it does not block. */
static void wake_while_blocking(void **state)
{
    struct vmm_task a;

    (void)state;
    one_cpu();
    vmm_task_init(&a);
    vmm_sched_wake(&a);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    vmm_sched_wake(&a);
    vmm_sched_done(0, &a, VMM_STEP_BLOCK, VMM_NEVER);
    assert_int_equal(a.state, VMM_TASK_RUNNABLE);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    vmm_sched_done(0, &a, VMM_STEP_BLOCK, VMM_NEVER);
    assert_int_equal(a.state, VMM_TASK_BLOCKED);
}

/* ---- with threads for CPUs ---- */

#define NR_TOKENS 5
#define HOPS      20000 /* of each token */

static struct thread_cpu {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool poked;
    uint64_t alarm;
    _Atomic bool in_step;
    unsigned random;
} threads[NR_CPUS];

/* Tokens go from task to task, and each takes a wake-up with it. */
static struct thread_task {
    struct vmm_task task;
    _Atomic unsigned tokens; /* bits: they are here */
} holders[NR_TASKS];
static _Atomic unsigned hops[NR_TOKENS];
static _Atomic bool over;

static uint64_t thread_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void thread_arm(uint64_t deadline)
{
    threads[thread_self].alarm = deadline;
}

static void thread_poke(unsigned cpu)
{
    pthread_mutex_lock(&threads[cpu].mutex);
    threads[cpu].poked = true;
    pthread_cond_signal(&threads[cpu].cond);
    pthread_mutex_unlock(&threads[cpu].mutex);
}

/* WFI: until an interrupt is pending. Also at the end of the test. */
static void thread_wait(struct thread_cpu *cpu)
{
    pthread_mutex_lock(&cpu->mutex);
    while (!cpu->poked && !over && cpu->alarm > thread_now()) {
        uint64_t until = thread_now() + 10000000;
        struct timespec t;

        until = cpu->alarm < until ? cpu->alarm : until;
        t = (struct timespec){ .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
        pthread_cond_timedwait(&cpu->cond, &cpu->mutex, &t);
    }
    pthread_mutex_unlock(&cpu->mutex);
}

static void thread_interrupts(struct thread_cpu *cpu)
{
    bool poked;

    pthread_mutex_lock(&cpu->mutex);
    poked = cpu->poked;
    cpu->poked = false;
    pthread_mutex_unlock(&cpu->mutex);
    if (poked)
        vmm_sched_poked(thread_self);
    if (cpu->alarm <= thread_now())
        vmm_sched_tick(thread_self);
}

static unsigned thread_random(struct thread_cpu *cpu, unsigned below)
{
    cpu->random = cpu->random * 1103515245 + 12345;
    return (cpu->random >> 16) % below;
}

static void pass_tokens(struct thread_cpu *cpu, unsigned tokens)
{
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (tokens >> i & 1) {
            struct thread_task *to = &holders[thread_random(cpu, NR_TASKS)];

            atomic_fetch_add(&hops[i], 1);
            atomic_fetch_or(&to->tokens, 1u << i);
            vmm_sched_wake(&to->task);
        }
}

static void thread_stop_the_world(unsigned self)
{
    if (!vmm_sched_stop())
        return;
    for (unsigned i = 0; i < NR_CPUS; i++)
        if (i != self && threads[i].in_step)
            abort(); /* cmocka's assertions are not for threads */
    vmm_sched_resume();
}

/* Until there is no token left here. What an interrupt says to it, it does. */
static enum vmm_step thread_step(struct thread_cpu *cpu, struct thread_task *task, uint64_t *deadline)
{
    const _Atomic unsigned *due = vmm_sched_due(thread_self);

    for (;;) {
        unsigned tokens = atomic_exchange(&task->tokens, 0);

        pass_tokens(cpu, tokens);
        if (thread_random(cpu, 500) == 0)
            thread_stop_the_world(thread_self);
        thread_interrupts(cpu);
        if (*due & VMM_DUE_YIELD || over)
            return VMM_STEP_YIELD;
        if (tokens)
            continue;
        if (thread_random(cpu, 4)) {
            *deadline = thread_random(cpu, 2) ? VMM_NEVER : thread_now() + thread_random(cpu, 100000);
            return VMM_STEP_BLOCK;
        }
        if (vmm_sched_alone(thread_self) && !task->tokens)
            thread_wait(cpu);
    }
}

static void *thread_life(void *arg)
{
    struct thread_cpu *cpu = arg;

    thread_self = (unsigned)(cpu - threads);
    while (!over) {
        struct vmm_task *task = vmm_sched_pick(thread_self);
        uint64_t deadline = VMM_NEVER;
        enum vmm_step how;

        if (task) {
            cpu->in_step = true;
            how = thread_step(cpu, (struct thread_task *)task, &deadline);
            cpu->in_step = false;
            vmm_sched_done(thread_self, task, how, deadline);
        } else {
            thread_wait(cpu);
        }
        thread_interrupts(cpu);
    }
    return NULL;
}

static bool all_hopped(void)
{
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (hops[i] < HOPS)
            return false;
    return true;
}

static void start_threads(pthread_t *ids)
{
    pthread_condattr_t attr;

    vmm_sched_init(NR_CPUS, 100000);
    for (unsigned i = 0; i < NR_TASKS; i++)
        vmm_task_init(&holders[i].task);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < NR_CPUS; i++) {
        threads[i] = (struct thread_cpu){ .alarm = VMM_NEVER, .random = i };
        pthread_mutex_init(&threads[i].mutex, NULL);
        pthread_cond_init(&threads[i].cond, &attr);
    }
    for (unsigned i = 0; i < NR_TOKENS; i++) {
        holders[i].tokens |= 1u << i;
        vmm_sched_wake(&holders[i].task);
    }
    for (unsigned i = 0; i < NR_CPUS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, thread_life, &threads[i]), 0);
}

static void no_token_is_lost(void **state)
{
    const struct timespec pause = { .tv_nsec = 10000000 };
    uint64_t end = thread_now() + UINT64_C(60000000000);
    pthread_t ids[NR_CPUS];

    (void)state;
    with_threads = true;
    start_threads(ids);
    while (!all_hopped() && thread_now() < end)
        nanosleep(&pause, NULL);
    over = true;
    for (unsigned i = 0; i < NR_CPUS; i++)
        pthread_join(ids[i], NULL);
    with_threads = false;
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (hops[i] < HOPS)
            fail_msg("token %u is stuck after %u hops", i, hops[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives),        cmocka_unit_test(slices),
        cmocka_unit_test(alone_again),         cmocka_unit_test(fair_shares),
        cmocka_unit_test(wake_while_blocking), cmocka_unit_test(no_token_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
