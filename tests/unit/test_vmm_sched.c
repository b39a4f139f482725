/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor's scheduler against a model of CPUs: each is in a step or idle, has a poke pending or not and
 * an alarm; time passes, and what they do next is drawn at random. Whatever happens: nobody runs twice, no wake-up and no
 * deadline is lost, no CPU stays idle while a task waits, and no task waits longer than the slices before it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kern/percpu.h"
#include "kern/sched.h"

#define NR_CPUS  4
#define NR_TASKS 11
#define SLICE    1000

static struct model_cpu {
    struct vmm_task *running;
    bool poked, idle;
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
static unsigned self, longest;

unsigned vmm_sched_self(void)
{
    return self;
}

uint64_t vmm_sched_now(void)
{
    return now;
}

void vmm_sched_poke(unsigned cpu)
{
    assert_int_not_equal(cpu, self);
    assert_true(cpu < NR_CPUS);
    cpus[cpu].poked = true;
}

void vmm_sched_arm(uint64_t deadline)
{
    cpus[self].alarm = deadline;
}

/* vmm_sched_stop() waits for the others here: one of them does what it has to. */
static void end_step(enum vmm_step how, uint64_t deadline);

void vmm_sched_relax(void)
{
    unsigned me = self;

    for (unsigned i = 0; i < NR_CPUS; i++)
        if (i != me && cpus[i].running) {
            self = i;
            assert_true(cpus[i].poked);
            cpus[i].poked = false;
            assert_true(vmm_sched_tick(i)); /* it leaves its guest, and has to yield */
            end_step(VMM_STEP_YIELD, VMM_NEVER);
            self = me;
            return;
        }
    fail_msg("waits for nobody");
}

static struct model_task *model(struct vmm_task *task)
{
    return (struct model_task *)task; /* its first member */
}

static void pick(void)
{
    struct model_cpu *cpu = &cpus[self];
    struct vmm_task *task = vmm_sched_pick(self);

    cpu->idle = !task;
    cpu->running = task;
    if (task) {
        assert_int_equal(model(task)->cpu, 0);
        assert_int_equal(task->state, VMM_TASK_RUNNING);
        model(task)->cpu = self + 1;
        model(task)->event = false;
        model(task)->deadline = VMM_NEVER;
        if (now - model(task)->runnable > longest)
            longest = (unsigned)(now - model(task)->runnable);
    }
}

static void end_step(enum vmm_step how, uint64_t deadline)
{
    struct model_task *task = model(cpus[self].running);

    task->cpu = 0;
    task->runnable = now;
    task->deadline = how == VMM_STEP_BLOCK ? deadline : VMM_NEVER;
    cpus[self].running = NULL;
    vmm_sched_done(self, &task->task, how, deadline);
}

/* Interrupts that this CPU has pending are taken: in its guest, in its idle loop or in a window. */
static void take_interrupts(void)
{
    struct model_cpu *cpu = &cpus[self];
    bool yield = false;

    while (cpu->poked || cpu->alarm <= now) {
        cpu->poked = false;
        yield = vmm_sched_tick(self);
        assert_true(cpu->alarm > now); /* or its level would stay */
        if (cpu->running)
            model(cpu->running)->event = false; /* the library has looked */
    }
    if (cpu->running && yield)
        end_step(VMM_STEP_YIELD, VMM_NEVER);
    if (!cpu->running)
        pick();
}

static void wake(struct model_task *task)
{
    task->event = true;
    if (task->task.state == VMM_TASK_BLOCKED)
        task->runnable = now;
    vmm_sched_wake(&task->task);
    if (task->cpu && task->cpu - 1 != self)
        assert_true(cpus[task->cpu - 1].poked); /* it will leave its guest */
}

static void stop_the_world(void)
{
    assert_true(vmm_sched_stop());
    for (unsigned i = 0; i < NR_CPUS; i++)
        assert_true(i == self || !cpus[i].running);
    for (unsigned i = 0; i < NR_CPUS; i++) {
        unsigned me = self;

        if (i == me)
            continue;
        self = i;
        assert_null(vmm_sched_pick(i));
        cpus[i].idle = true;
        assert_false(vmm_sched_stop()); /* somebody else does */
        self = me;
    }
    if (rand() % 2) {
        struct model_task *task = &tasks[rand() % NR_TASKS];

        vmm_task_park(&task->task);
        task->event = false;
        task->deadline = VMM_NEVER;
    }
    vmm_sched_resume();
}

/* A CPU that has nothing pending does what it likes. */
static void act(void)
{
    struct model_cpu *cpu = &cpus[self];
    struct model_task *task;

    if (!cpu->running)
        return;
    task = model(cpu->running);
    switch (rand() % 8) {
    case 0: /* a guest that waits, with an event that came after it looked */
        if (rand() % 2)
            wake(task);
        end_step(VMM_STEP_BLOCK, VMM_NEVER);
        break;
    case 1:
        end_step(VMM_STEP_BLOCK, now + (uint64_t)(rand() % 3000));
        break;
    case 2:
    case 3:
        wake(&tasks[rand() % NR_TASKS]);
        break;
    case 4:
        if (rand() % 20 == 0)
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

static void check(void)
{
    unsigned waiting = 0, idle = 0, coming = 0, armed = 0, seen = 0;

    for (unsigned i = 0; i < NR_TASKS; i++) {
        struct model_task *task = &tasks[i];

        if (task->cpu) {
            assert_int_equal(task->task.state, VMM_TASK_RUNNING);
            assert_ptr_equal(cpus[task->cpu - 1].running, &task->task);
            continue;
        }
        assert_int_not_equal(task->task.state, VMM_TASK_RUNNING);
        if (task->task.state == VMM_TASK_RUNNABLE) {
            waiting++;
        } else {
            assert_false(task->event); /* no wake-up is lost */
            if (task->deadline != VMM_NEVER) {
                assert_true(task->task.timed);
                assert_true(cpus[task->task.cpu].alarm <= task->deadline || cpus[task->task.cpu].poked);
            }
        }
    }
    for (unsigned i = 0; i < NR_CPUS; i++) {
        idle += cpus[i].idle && !cpus[i].poked;
        coming += cpus[i].idle && cpus[i].poked;
        armed += cpus[i].poked || cpus[i].alarm != VMM_NEVER;
        for (unsigned k = 0; k < i; k++)
            seen += cpus[i].running && cpus[i].running == cpus[k].running;
    }
    assert_int_equal(seen, 0);
    if (idle) /* each that waits has a CPU that was poked for it */
        assert_true(waiting <= coming);
    if (waiting)
        assert_true(armed);
}

static void random_life(void **state)
{
    (void)state;
    srand(1);
    memset(cpus, 0, sizeof(cpus));
    memset(tasks, 0, sizeof(tasks));
    now = 1;
    longest = 0;
    vmm_sched_init(NR_CPUS, SLICE);
    for (unsigned i = 0; i < NR_TASKS; i++) {
        vmm_task_init(&tasks[i].task);
        tasks[i].deadline = VMM_NEVER;
    }
    for (self = 0; self < NR_CPUS; self++) {
        cpus[self].alarm = VMM_NEVER;
        pick();
    }
    self = 0;
    for (unsigned i = 0; i < NR_TASKS; i++)
        wake(&tasks[i]);
    pick();
    for (unsigned i = 0; i < 300000; i++) {
        self = (unsigned)rand() % NR_CPUS;
        take_interrupts();
        act();
        check();
        now += (uint64_t)(rand() % 50);
        if (i % 1000 == 0) { /* whoever sleeps for ever is woken now and then */
            self = 0;
            for (unsigned k = 0; k < NR_TASKS; k++)
                wake(&tasks[k]);
            if (!cpus[0].running)
                pick(); /* it woke them from an interrupt in its idle loop, which then looks */
        }
    }
    /* With everything alive, a task waits for the slices of those before it, and for CPUs that take their time to look. */
    assert_true(longest < 3 * SLICE * (NR_TASKS / NR_CPUS + 1));
}

/* One CPU, two that never block: they take turns, and one alone is left in peace. */
static void slices(void **state)
{
    struct vmm_task a, b;

    (void)state;
    self = 0;
    now = 100;
    vmm_sched_init(1, SLICE);
    vmm_task_init(&a);
    vmm_task_init(&b);
    vmm_sched_wake(&a);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_true(cpus[0].alarm == VMM_NEVER);
    now += 3 * SLICE;
    vmm_sched_wake(&b); /* a has had its slice long ago */
    assert_true(cpus[0].alarm <= now);
    assert_true(vmm_sched_tick(0));
    assert_true(vmm_sched_must_yield(0));
    vmm_sched_done(0, &a, VMM_STEP_YIELD, VMM_NEVER);
    assert_ptr_equal(vmm_sched_pick(0), &b);
    assert_false(vmm_sched_must_yield(0));
    assert_true(cpus[0].alarm == now + SLICE);
    now += SLICE - 1;
    assert_false(vmm_sched_tick(0));
    now += 1;
    assert_true(vmm_sched_tick(0));
    vmm_sched_done(0, &b, VMM_STEP_BLOCK, now + 5);
    assert_ptr_equal(vmm_sched_pick(0), &a);
    assert_true(cpus[0].alarm == now + 5);
    now += 5;
    assert_false(vmm_sched_tick(0)); /* b is back; a goes on to its slice's end */
    assert_int_equal(b.state, VMM_TASK_RUNNABLE);
    assert_true(cpus[0].alarm == now - 5 + SLICE);
}

/* Woken between "nothing to do" and done(): it does not block. */
static void wake_while_blocking(void **state)
{
    struct vmm_task a;

    (void)state;
    self = 0;
    vmm_sched_init(1, SLICE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_life),
        cmocka_unit_test(slices),
        cmocka_unit_test(wake_while_blocking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
