/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor's scheduler against a model of CPUs. Each CPU is in a step or idle, has a pending poke or
 * not, and an alarm. Its guest computes, or waits in a WFI that traps or does not. Time passes, and random numbers say
 * what the CPUs do. Other CPUs also act inside of a call of the scheduler: in its hooks, and whenever it reads s.cpus
 * without a lock, and while a step waits. No task may run twice at a time. No wake-up and no deadline may get lost. No
 * CPU may sleep, idle or in a WFI, while a task waits. No task may wait longer than the slices before it.
 */
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Called before each read of s.cpus, the word by which CPUs see each other's state. */
static void a_look(void);
#undef atomic_load
#define atomic_load(p) (a_look(), atomic_load_explicit(p, memory_order_seq_cst))

#include "kern/sched.c" /* with its locks and s.cpus */

#define NR_CPUS  4
#define NR_TASKS 11
#define SLICE    1000

static struct model_cpu {
    struct vmm_task *running;
    bool inside; /* it is inside of a call of the scheduler, so it does not act for others */
    bool poked, idle;
    bool shares; /* it knows of tasks that wait, by the step's last look at what is due */
    bool traps;  /* WFI traps, by the same look */
    bool waits;  /* its guest is in a WFI that does not trap */
    bool leaves; /* its guest is to be left, so that the step looks */
    uint64_t alarm;
    uint64_t timer; /* of the guest that waits loaded */
} cpus[NR_CPUS];

static struct model_task {
    struct vmm_task task;
    bool event;        /* a waker has made it visible; a step sees it when it begins or goes on */
    uint64_t deadline; /* it blocks until then */
    uint64_t runnable; /* since when it has waited for a CPU */
    unsigned cpu;      /* 1 + the CPU that it runs on; 0: none */
} tasks[NR_TASKS];

static uint64_t now;
static unsigned nr_cpus, longest, depth, max_depth;
static bool stopped;
static unsigned self;

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
    if (!is_locked())
        others_act();
}

unsigned vmm_sched_self(void)
{
    return self;
}

uint64_t vmm_sched_now(void)
{
    no_lock();
    others_act();
    return now;
}

void vmm_sched_poke(unsigned cpu)
{
    no_lock();
    assert_true(cpu < nr_cpus);
    assert_int_not_equal(cpu, self);
    others_act();
    cpus[cpu].poked = true;
    others_act();
}

void vmm_sched_leave(void)
{
    no_lock();
    assert_non_null(cpus[self].running);
    cpus[self].leaves = true;
}

static struct model_task *model(struct vmm_task *task)
{
    return (struct model_task *)task; /* its first member */
}

static unsigned tasks_waiting(void)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < nr_cpus; i++)
        nr += s.cpu[i].queue.nr;
    return nr;
}

/* CPUs that were idle, and will pick a task as soon as they take the interrupt. */
static unsigned cpus_coming(void)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < nr_cpus; i++)
        nr += cpus[i].idle && cpus[i].poked;
    return nr;
}

/* What an example does in place of the others, while a step waits. */
static void (*while_it_waits)(void);
static unsigned waits_loaded;

/* The CPU sleeps until it is poked, its alarm comes, or the timer of the guest that is loaded interrupts. */
void vmm_sched_sleep(void)
{
    struct model_cpu *cpu = &cpus[self];
    struct model_task *task = model(cpu->running);

    no_lock();
    if (task->event && !cpu->poked)
        fail_msg("a wake-up is lost while its task waits");
    if (!depth && s.cpus & IDLE(self))
        assert_true(tasks_waiting() <= cpus_coming());
    waits_loaded++;
    if (while_it_waits)
        while_it_waits();
    for (unsigned n = 0; !while_it_waits && !cpu->poked && cpu->alarm > now && cpu->timer > now; n++) {
        others_act();
        now += (uint64_t)(rand() % 50);
        if (n == 20) /* somebody's SPI */
            cpu->timer = now;
    }
    if (cpu->timer <= now) {
        task->event = true;
        vmm_sched_wake(&task->task);
        cpu->timer = VMM_NEVER;
    }
    if (cpu->poked) {
        cpu->poked = false;
        assert_false(vmm_sched_poked(self));
    }
    if (cpu->alarm <= now)
        assert_false(vmm_sched_tick(self));
}

void vmm_sched_arm(uint64_t deadline)
{
    no_lock();
    assert_true(cpus[self].alarm != deadline); /* it is programmed only when it changes */
    cpus[self].alarm = deadline;
    others_act();
}

/* vmm_sched_stop() waits here for other CPUs, so one of them ends its step. */
static void end_step(enum vmm_step how, uint64_t deadline);

void vmm_sched_relax(void)
{
    unsigned me = self;

    no_lock();
    for (unsigned i = 0; i < nr_cpus; i++)
        if (i != me && cpus[i].running) {
            self = i;
            assert_true(cpus[i].poked);
            cpus[i].poked = cpus[i].waits = false;
            cpus[i].inside = true;
            assert_true(vmm_sched_poked(i)); /* it leaves its guest, and must yield */
            cpus[i].inside = false;
            assert_true(*vmm_sched_due(i) & VMM_DUE_YIELD);
            end_step(VMM_STEP_YIELD, VMM_NEVER);
            self = me;
            return;
        }
    fail_msg("waits for nobody");
}

/* ---- what CPUs do ---- */

/* Does what the step's loop does before it runs the guest. */
static void heed_due(void)
{
    struct model_cpu *cpu = &cpus[self];
    unsigned due = *vmm_sched_due(self);

    if (due & VMM_DUE_YIELD)
        end_step(VMM_STEP_YIELD, VMM_NEVER);
    cpu->shares = due & VMM_DUE_SHARE;
    cpu->traps = due & (VMM_DUE_SHARE | VMM_DUE_ASK);
}

static void pick(void)
{
    struct model_cpu *cpu = &cpus[self];

    while (!cpu->running) {
        struct vmm_task *task;

        cpu->inside = true;
        task = vmm_sched_pick(self);
        cpu->inside = false;
        cpu->idle = !task;
        cpu->running = task;
        if (!task)
            return;
        assert_int_equal(model(task)->cpu, 0);
        assert_int_equal(task->state, VMM_TASK_RUNNING);
        model(task)->cpu = self + 1;
        model(task)->event = false;
        model(task)->deadline = VMM_NEVER;
        if (now - model(task)->runnable > longest)
            longest = (unsigned)(now - model(task)->runnable);
        heed_due();
    }
}

static void end_step(enum vmm_step how, uint64_t deadline)
{
    struct model_cpu *cpu = &cpus[self];
    struct model_task *task = model(cpu->running);

    assert_false(cpu->waits);
    task->cpu = 0;
    task->runnable = now;
    task->deadline = how == VMM_STEP_BLOCK ? deadline : VMM_NEVER;
    cpu->running = NULL;
    cpu->leaves = false;
    cpu->inside = true;
    vmm_sched_done(self, &task->task, how, deadline);
    cpu->inside = false;
}

/* The CPU takes its pending interrupts: in its guest, in its idle loop, or where it unmasks them for a moment. */
static void take_interrupts(void)
{
    struct model_cpu *cpu = &cpus[self];

    while (cpu->poked || cpu->leaves || cpu->alarm <= now) {
        bool look = cpu->leaves;
        uint64_t at = now;

        cpu->waits = cpu->leaves = false;
        cpu->inside = true;
        if (cpu->poked) {
            cpu->poked = false;
            look |= vmm_sched_poked(self);
        }
        if (cpu->alarm <= now) {
            look |= vmm_sched_tick(self);
            assert_true(cpu->alarm > at); /* otherwise the timer's interrupt would come again at once */
        }
        cpu->inside = false;
        if (cpu->running)
            model(cpu->running)->event = false; /* the library has looked for events */
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
    cpus[self].inside = true;
    vmm_sched_wake(&task->task);
    cpus[self].inside = false;
    if (task->event && task->cpu && task->cpu - 1 != self)
        assert_true(cpus[task->cpu - 1].poked); /* so it leaves its guest */
}

static void stop_the_world(void)
{
    unsigned me = self;

    cpus[me].inside = true;
    assert_true(vmm_sched_stop());
    stopped = true;
    for (unsigned i = 0; i < nr_cpus; i++)
        assert_true(i == me || !cpus[i].running);
    for (unsigned i = 0; i < nr_cpus; i++) {
        if (i == me)
            continue;
        self = i;
        cpus[i].inside = true;
        assert_null(vmm_sched_pick(i));
        cpus[i].inside = false;
        cpus[i].idle = true;
        assert_false(vmm_sched_stop()); /* another CPU stops the world already */
        self = me;
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

/* The guest executes WFI. Its timer interrupts at the deadline. */
static void guest_waits(uint64_t deadline)
{
    struct model_cpu *cpu = &cpus[self];
    struct model_task *task = model(cpu->running);
    enum vmm_wait how;

    if (!cpu->traps) {
        cpu->waits = true;
        return;
    }
    if (vmm_sched_woken(&task->task) && task->event) {
        task->event = false;
        return;
    }
    cpu->timer = deadline;
    cpu->inside = true;
    how = vmm_sched_wait(self, &task->task);
    cpu->inside = false;
    switch (how) {
    case VMM_WAIT_OVER:
        task->event = false;
        heed_due();
        break;
    case VMM_WAIT_IN_GUEST:
        heed_due();
        cpu->waits = cpu->running && !cpu->traps;
        break;
    case VMM_WAIT_BLOCK:
        end_step(VMM_STEP_BLOCK, deadline);
    }
}

/* A CPU without pending interrupts acts at random. */
static void act(void)
{
    struct model_cpu *cpu = &cpus[self];
    struct model_task *task;

    if (!cpu->running || cpu->poked || cpu->leaves)
        return;
    if (cpu->waits) { /* at some time an interrupt ends the WFI */
        cpu->waits = rand() % 8;
        return;
    }
    task = model(cpu->running);
    switch (rand() % 8) {
    case 0: /* a guest that waits; an event may come after it has looked */
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
        task->event = false; /* if the event is for the running task, it goes on and sees it */
        break;
    case 4:
        if (rand() % 20 == 0 && !depth)
            stop_the_world();
        break;
    case 5:
        end_step(VMM_STEP_YIELD, VMM_NEVER);
        break;
    default:
        break; /* the guest computes */
    }
    if (!cpu->running)
        pick();
}

/* Another CPU acts in the middle of this one's call. */
static void others_act(void)
{
    unsigned me = self, other = (unsigned)rand() % nr_cpus;

    if (depth == max_depth || rand() % 3 || cpus[other].inside || stopped)
        return;
    depth++;
    self = other;
    take_interrupts();
    if (!cpus[other].idle)
        act();
    self = me;
    depth--;
}

/* ---- what must hold when all CPUs are outside of calls ---- */

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
    assert_false(task->event); /* a wake-up would be lost */
    if (task->deadline != VMM_NEVER) {
        assert_true(task->task.timed);
        assert_true(cpus[task->task.cpu].alarm <= task->deadline);
    }
}

/* Checks a CPU's queue, and returns how many tasks are in it. */
static unsigned check_queue(unsigned n)
{
    unsigned nr = 0;

    for (unsigned list = 0; list < 2; list++)
        for (const struct vmm_task *task = (list ? s.cpu[n].queue.later : s.cpu[n].queue.first).head; task;
             task = task->next) {
            assert_int_equal(task->cpu, n);
            nr++;
        }
    assert_int_equal(s.cpu[n].queue.nr, nr);
    assert_int_equal(!!(s.cpus & WAITING(n)), !!nr);
    return nr;
}

static void check(void)
{
    unsigned waiting = 0, runnable = 0, sleeping = 0, seen = 0;

    for (unsigned i = 0; i < NR_TASKS; i++) {
        check_task(&tasks[i]);
        runnable += tasks[i].task.state == VMM_TASK_RUNNABLE;
    }
    for (unsigned i = 0; i < nr_cpus; i++) {
        waiting += check_queue(i);
        sleeping += (cpus[i].idle || !cpus[i].shares) && !cpus[i].poked && !cpus[i].leaves;
        for (unsigned k = 0; k < i; k++)
            seen += cpus[i].running && cpus[i].running == cpus[k].running;
    }
    assert_int_equal(seen, 0);
    assert_int_equal(waiting, runnable);
    if (waiting <= cpus_coming())
        return; /* for each task that waits, an idle CPU was poked */
    assert_int_equal(sleeping, 0);
    for (unsigned i = 0; i < nr_cpus; i++)
        assert_true(cpus[i].poked || cpus[i].leaves || cpus[i].alarm != VMM_NEVER);
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
    for (self = 0; self < nr_cpus; self++) {
        cpus[self].alarm = VMM_NEVER;
        cpus[self].inside = true; /* others_act() must not use it before it has started */
    }
    for (self = 0; self < nr_cpus; self++)
        pick();
    for (unsigned i = 0; i < 200000; i++) {
        self = (unsigned)rand() % nr_cpus;
        take_interrupts();
        act();
        check();
        now += (uint64_t)(rand() % 50);
        if (i % 1000 == 0) { /* wakes the tasks that would otherwise sleep for ever */
            self = 0;
            for (unsigned k = 0; k < NR_TASKS; k++)
                wake(&tasks[k]);
            if (!cpus[0].running)
                pick(); /* an interrupt in its idle loop woke them, so it looks for one */
        }
    }
    /* A task waits for the slices of those before it, and for CPUs that are slow to look. */
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
    assert_true(waits_loaded > 10000);
}

/* ---- examples ---- */

static void one_cpu(void)
{
    memset(cpus, 0, sizeof(cpus));
    cpus[0].alarm = VMM_NEVER;
    cpus[0].inside = true;
    self = 0;
    nr_cpus = 1;
    while_it_waits = NULL;
    vmm_sched_init(1, SLICE);
}

/* Two tasks that never block take turns. One alone is not interrupted. */
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
    cpus[0].running = &a;
    vmm_sched_wake(&b); /* a's slice ended long ago */
    assert_true(cpus[0].leaves);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE);
    assert_false(vmm_sched_alone(0));
    assert_true(cpus[0].alarm <= now);
    assert_true(vmm_sched_tick(0));
    assert_true(*vmm_sched_due(0) & VMM_DUE_YIELD);
    vmm_sched_done(0, &a, VMM_STEP_YIELD, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &b);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE | VMM_DUE_ASK);
    assert_true(cpus[0].alarm == now + SLICE);
    now += SLICE - 1;
    assert_false(vmm_sched_tick(0));
    now += 1;
    assert_true(vmm_sched_tick(0));
    vmm_sched_done(0, &b, VMM_STEP_BLOCK, now + 5);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_ASK);
    assert_true(cpus[0].alarm == now + 5);
    now += 5;
    assert_true(vmm_sched_tick(0)); /* b is runnable again; a runs to the end of its slice, unless it waits */
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_SHARE | VMM_DUE_ASK);
    assert_int_equal(b.state, VMM_TASK_RUNNABLE);
    assert_true(cpus[0].alarm == now - 5 + SLICE);
}

/* When the task that waits is gone, the one that runs is alone again. */
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

/* Tasks that never block run on two CPUs. None runs twice while others wait, whichever queue these are in. */
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
            vmm_sched_wake(&task[i]); /* each has CPU 0 as its last CPU */
        }
        for (unsigned turn = 0; turn < 60; turn++) {
            self = turn % 2;
            if (last[self])
                vmm_sched_done(self, last[self], VMM_STEP_YIELD, VMM_NEVER);
            last[self] = vmm_sched_pick(self);
            runs[last[self] - task]++;
        }
        for (unsigned i = 0; i < nr; i++)
            if (runs[i] < 60 / nr - 3 || runs[i] > 60 / nr + 3)
                fail_msg("task %u of %u ran %u times", i, nr, runs[i]);
    }
}

/* A task that was blocked preempts one that computes, until it has used up the rest of its slice. */
static void who_waits_comes_first(void **state)
{
    struct vmm_task waits, computes;
    unsigned preempted = 0;

    (void)state;
    one_cpu();
    now = 100;
    vmm_task_init(&waits);
    vmm_task_init(&computes);
    vmm_sched_wake(&waits);
    assert_ptr_equal(vmm_sched_pick(0), &waits);
    cpus[0].running = &waits;
    vmm_sched_wake(&computes);
    for (;;) {
        now += SLICE / AT_ONCE / 3; /* three are a little less than it keeps */
        vmm_sched_done(0, &waits, VMM_STEP_BLOCK, now + 10);
        assert_ptr_equal(vmm_sched_pick(0), &computes);
        assert_int_equal(cpus[0].alarm, now + 10);
        now += 10;
        assert_true(vmm_sched_tick(0));
        if (!(*vmm_sched_due(0) & VMM_DUE_YIELD))
            break;
        preempted++;
        vmm_sched_done(0, &computes, VMM_STEP_YIELD, VMM_NEVER);
        assert_ptr_equal(vmm_sched_pick(0), &waits);
    }
    assert_int_equal(preempted, 4);
    now = cpus[0].alarm; /* the slice of the other task is over; it has lost nothing */
    assert_true(vmm_sched_tick(0));
    vmm_sched_done(0, &computes, VMM_STEP_YIELD, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &waits);
    assert_int_equal(cpus[0].alarm, now + SLICE);
}

/* A task is woken after it has found nothing to do, and before done(). It must not block. */
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

/* ---- a step that waits ---- */

#define first  tasks[0].task
#define second tasks[1].task
#define other  tasks[2].task

/* CPU 0 runs `first`, and has run `second` before it. Both CPUs are there; CPU 1 computes. */
static void two_take_turns(void)
{
    one_cpu();
    nr_cpus = 2;
    cpus[1] = cpus[0];
    max_depth = 0;
    memset(tasks, 0, sizeof(tasks));
    vmm_sched_init(2, SLICE);
    now = 100;
    vmm_task_init(&first);
    vmm_task_init(&second);
    vmm_task_init(&other);
    vmm_sched_wake(&other);
    assert_ptr_equal(vmm_sched_pick(1), &other);
    vmm_sched_wake(&second);
    assert_ptr_equal(vmm_sched_pick(0), &second);
    now += 10;
    vmm_sched_done(0, &second, VMM_STEP_BLOCK, VMM_NEVER);
    vmm_sched_wake(&first);
    assert_ptr_equal(vmm_sched_pick(0), &first);
    assert_int_equal(*vmm_sched_due(0), VMM_DUE_ASK);
    cpus[0].running = &first;
    cpus[0].timer = VMM_NEVER;
    cpus[0].poked = cpus[1].poked = false;
    waits_loaded = 0;
}

static void its_timer(void)
{
    now += 3 * SLICE;
    cpus[0].timer = now;
}

static void by_cpu_1(struct vmm_task *task)
{
    self = 1;
    vmm_sched_wake(task);
    self = 0;
    assert_true(cpus[0].poked);
}

static void wake_first(void)
{
    by_cpu_1(&first);
}

static void wake_second(void)
{
    by_cpu_1(&second);
}

static void wake_both(void)
{
    by_cpu_1(&second);
    by_cpu_1(&first);
}

static void nothing_wanted(void)
{
    cpus[0].poked = true; /* an interrupt that concerns nobody */
    if (waits_loaded == 3)
        while_it_waits = wake_first;
}

/* What ends the wait of a step, and what it costs. */
static void waits_in_its_step(void **state)
{
    static const struct {
        const char *name;
        void (*event)(void);
        enum vmm_wait how;
        unsigned due; /* afterwards */
        unsigned sleeps;
    } cases[] = {
        { "its own timer", its_timer, VMM_WAIT_OVER, VMM_DUE_ASK, 1 },
        { "another CPU wakes it", wake_first, VMM_WAIT_OVER, VMM_DUE_ASK, 1 },
        { "another task wakes", wake_second, VMM_WAIT_BLOCK, VMM_DUE_ASK, 1 },
        { "both wake", wake_both, VMM_WAIT_OVER, VMM_DUE_ASK | VMM_DUE_SHARE, 1 },
        { "interrupts in between", nothing_wanted, VMM_WAIT_OVER, VMM_DUE_ASK, 4 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t left;
        enum vmm_wait how;

        two_take_turns();
        while_it_waits = cases[i].event;
        left = s.cpu[0].slice_end - now;
        how = vmm_sched_wait(0, &first);
        if (how != cases[i].how || waits_loaded != cases[i].sleeps || *vmm_sched_due(0) != cases[i].due ||
            s.cpu[0].slice_end - now != left)
            fail_msg("%s: %d after %u sleeps, due %u", cases[i].name, how, waits_loaded, *vmm_sched_due(0));
        assert_int_equal(first.state, VMM_TASK_RUNNING); /* so that no other CPU takes it */
        assert_int_equal(!!(s.cpus & ALONE(0)), how == VMM_WAIT_OVER && !(cases[i].due & VMM_DUE_SHARE));
        if (how == VMM_WAIT_BLOCK) {
            vmm_sched_done(0, &first, VMM_STEP_BLOCK, VMM_NEVER);
            assert_ptr_equal(vmm_sched_pick(0), &second);
            assert_int_equal(first.state, VMM_TASK_BLOCKED);
        }
        assert_false(s.cpus & IDLE(0));
    }
}

/* A deadline of a task that has blocked on this CPU comes while the step waits. */
static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    two_take_turns();
    vmm_sched_done(0, &first, VMM_STEP_BLOCK, now + 50);
    vmm_sched_wake(&second);
    assert_ptr_equal(vmm_sched_pick(0), &second);
    cpus[0].running = &second;
    cpus[0].timer = now + 1000;
    assert_int_equal(vmm_sched_wait(0, &second), VMM_WAIT_BLOCK);
    assert_true(now >= 150 && now < 300);
    vmm_sched_done(0, &second, VMM_STEP_BLOCK, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &first);
}

/* Woken before it asks, it does not wait. A wake-up for what it has dealt with does not keep it from waiting. */
static void woken_before_the_wait(void **state)
{
    (void)state;
    two_take_turns();
    assert_false(vmm_sched_woken(&first));
    vmm_sched_wake(&first);
    assert_int_equal(vmm_sched_wait(0, &first), VMM_WAIT_OVER);
    assert_int_equal(waits_loaded, 0);
    assert_false(vmm_sched_woken(&first));
    vmm_sched_wake(&first);
    assert_true(vmm_sched_woken(&first));
    assert_false(vmm_sched_woken(&first));
    by_cpu_1(&first); /* its guest runs: it is poked, and looks */
    vmm_sched_poked(0);
    assert_false(vmm_sched_woken(&first));
    while_it_waits = wake_first;
    assert_int_equal(vmm_sched_wait(0, &first), VMM_WAIT_OVER);
    assert_int_equal(waits_loaded, 1);
    assert_false(vmm_sched_woken(&first));
}

/* When no other task has run for a slice, the guest waits by itself. It does so from the start if there never was
   another one. */
static void alone_for_a_slice(void **state)
{
    struct vmm_task only;

    (void)state;
    two_take_turns();
    now += SLICE;
    assert_int_equal(vmm_sched_wait(0, &first), VMM_WAIT_IN_GUEST);
    assert_int_equal(*vmm_sched_due(0), 0);
    assert_int_equal(waits_loaded, 0);
    vmm_sched_done(0, &first, VMM_STEP_YIELD, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &first);
    assert_int_equal(*vmm_sched_due(0), 0);

    one_cpu();
    vmm_task_init(&only);
    vmm_sched_wake(&only);
    assert_ptr_equal(vmm_sched_pick(0), &only);
    assert_int_equal(*vmm_sched_due(0), 0);
}

/* A reset of the VM ends the wait: the vCPU must not stay loaded. CPU 1 has begun to stop the world. */
static void begin_to_stop(void)
{
    atomic_fetch_or(&s.cpus, STOPPED);
    atomic_fetch_or(&s.cpu[0].due, VMM_DUE_YIELD);
    cpus[0].poked = true;
}

static void stopped_while_it_waits(void **state)
{
    (void)state;
    two_take_turns();
    while_it_waits = begin_to_stop;
    assert_int_equal(vmm_sched_wait(0, &first), VMM_WAIT_BLOCK);
    vmm_sched_done(0, &first, VMM_STEP_BLOCK, VMM_NEVER);
    assert_false(s.cpu[0].busy);
    assert_null(vmm_sched_pick(0));
}

/* A step whose deadline has come already does not block. */
static void deadline_in_the_past(void **state)
{
    (void)state;
    two_take_turns();
    vmm_sched_done(0, &first, VMM_STEP_BLOCK, now);
    assert_int_equal(first.state, VMM_TASK_RUNNABLE);
    assert_ptr_equal(vmm_sched_pick(0), &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives),
        cmocka_unit_test(slices),
        cmocka_unit_test(alone_again),
        cmocka_unit_test(fair_shares),
        cmocka_unit_test(who_waits_comes_first),
        cmocka_unit_test(wake_while_blocking),
        cmocka_unit_test(waits_in_its_step),
        cmocka_unit_test(a_deadline_ends_the_wait),
        cmocka_unit_test(woken_before_the_wait),
        cmocka_unit_test(alone_for_a_slice),
        cmocka_unit_test(stopped_while_it_waits),
        cmocka_unit_test(deadline_in_the_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
