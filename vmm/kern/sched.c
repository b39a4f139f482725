/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The scheduler's decisions. One lock over everything here: with at most eight CPUs, and sections
 * of some dozen instructions, more would buy nothing.
 *
 * Why no wake-up is lost. A waker first makes its event visible (a pending interrupt, say) and then
 * calls wake(), which takes the lock. A task is picked under the same lock, and pick() clears
 * wake_pending.
 *   - wake() before pick(): the lock orders the event before the pick, so the step that follows
 * sees it.
 *   - wake() after pick() and before done(): wake_pending stays set, and done(BLOCK) turns into
 * "runnable" instead. If the guest is being entered or runs, the poke's SGI pulls it out: it is
 * pending at that CPU when wake() returns, IRQs are masked until the guest runs, and a physical
 * interrupt ends a guest at once.
 *   - wake() after done(): the task is BLOCKED in the lock's eyes, and goes to the queue.
 * Why no runnable task is forgotten. A task enters the queue in done(), whose CPU picks next, or in
 * enqueue(), which sees either an idle CPU (it is no longer counted as idle, and is poked: a CPU
 * that is about to wait has the SGI pending, which ends the wait even with IRQs masked), or a CPU
 * that runs without an end of its slice armed (it is poked to arm one), or only CPUs that have one
 * armed. And pick(), when it takes a task, leaves an armed slice if the queue is not empty then.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "kern/lock.h"
#include "kern/percpu.h"
#include "kern/sched.h"

#define NOBODY (-1u)

static struct {
    struct vmm_lock lock;
    struct vmm_task *head, *tail; /* runnable */
    unsigned nr_cpus;
    uint64_t slice;
    unsigned stopper; /* CPU that has stopped the world, or NOBODY */
    struct cpu {
        struct vmm_task *current;
        struct vmm_task *timers; /* blocked here, earliest deadline first */
        uint64_t slice_end;      /* of current */
        bool slice_armed;        /* its tick will come then */
        bool idle;               /* waits for a poke */
        _Atomic bool must_yield; /* current must; read without the lock, on this CPU */
    } cpu[VMM_MAX_CPUS];
} s;

void vmm_sched_init(unsigned nr_cpus, uint64_t slice)
{
    memset(&s, 0, sizeof(s));
    s.nr_cpus = nr_cpus;
    s.slice = slice;
    s.stopper = NOBODY;
}

void vmm_task_init(struct vmm_task *task)
{
    *task = (struct vmm_task){ .state = VMM_TASK_BLOCKED, .deadline = VMM_NEVER };
}

/* This CPU's alarm: its earliest deadline, and the end of the slice if somebody else wants the CPU. */
static void arm(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    uint64_t at = cpu->timers ? cpu->timers->deadline : VMM_NEVER;

    cpu->slice_armed = cpu->current && s.head && !cpu->must_yield;
    if (cpu->slice_armed && cpu->slice_end < at)
        at = cpu->slice_end;
    vmm_sched_arm(at);
}

static void timer_remove(struct vmm_task *task)
{
    struct vmm_task **link = &s.cpu[task->cpu].timers;

    if (!task->timed)
        return;
    while (*link != task)
        link = &(*link)->timer_next;
    *link = task->timer_next;
    task->timed = false;
}

static void timer_insert(struct vmm_task *task, uint64_t deadline)
{
    struct vmm_task **link = &s.cpu[task->cpu].timers;

    task->deadline = deadline;
    if (deadline == VMM_NEVER)
        return;
    while (*link && (*link)->deadline <= deadline)
        link = &(*link)->timer_next;
    task->timer_next = *link;
    *link = task;
    task->timed = true;
}

/* Has `cpu` look at the queue; it may be the caller's, which then looks by itself. */
static void poke(unsigned self, unsigned cpu)
{
    if (cpu != self)
        vmm_sched_poke(cpu);
    else if (s.cpu[self].current)
        arm(self);
}

static void append(struct vmm_task *task)
{
    task->state = VMM_TASK_RUNNABLE;
    task->next = NULL;
    if (s.head)
        s.tail->next = task;
    else
        s.head = task;
    s.tail = task;
}

static void enqueue(unsigned self, struct vmm_task *task)
{
    unsigned who = NOBODY;

    append(task);
    if (s.stopper != NOBODY)
        return; /* resume() pokes */

    /* Who takes it: the CPU it ran on last, whose caches may still know it; any idle one; one that must share. */
    if (s.cpu[task->cpu].idle)
        who = task->cpu;
    for (unsigned i = 0; who == NOBODY && i < s.nr_cpus; i++)
        if (s.cpu[i].idle)
            who = i;
    if (who != NOBODY) {
        s.cpu[who].idle = false;
    } else {
        for (unsigned i = 0; who == NOBODY && i < s.nr_cpus; i++)
            if (s.cpu[i].current && !s.cpu[i].slice_armed && !s.cpu[i].must_yield)
                who = i;
        if (who != NOBODY)
            s.cpu[who].slice_armed = true; /* it will be: the next comer looks for another */
    }
    if (who != NOBODY)
        poke(self, who);
}

void vmm_sched_wake(struct vmm_task *task)
{
    unsigned self = vmm_sched_self();

    vmm_lock(&s.lock);
    switch (task->state) {
    case VMM_TASK_BLOCKED:
        timer_remove(task);
        enqueue(self, task);
        break;
    case VMM_TASK_RUNNING:
        task->wake_pending = true;
        if (task->cpu != self)
            vmm_sched_poke(task->cpu);
        break;
    case VMM_TASK_RUNNABLE:
        break; /* its step has not begun and will see the event */
    }
    vmm_unlock(&s.lock);
}

struct vmm_task *vmm_sched_pick(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    struct vmm_task *task;

    vmm_lock(&s.lock);
    task = s.stopper == NOBODY ? s.head : NULL;
    if (task) {
        s.head = task->next;
        task->state = VMM_TASK_RUNNING;
        task->wake_pending = false;
        task->cpu = self;
        cpu->slice_end = vmm_sched_now() + s.slice;
    }
    cpu->current = task;
    cpu->idle = !task;
    cpu->must_yield = false;
    arm(self);
    vmm_unlock(&s.lock);
    return task;
}

void vmm_sched_done(unsigned self, struct vmm_task *task, enum vmm_step how, uint64_t deadline)
{
    vmm_lock(&s.lock);
    s.cpu[self].current = NULL;
    if (how == VMM_STEP_YIELD || task->wake_pending) {
        append(task); /* this CPU picks next: one more task and one more CPU, so nobody needs to be
                         poked */
    } else {
        task->state = VMM_TASK_BLOCKED;
        timer_insert(task, deadline); /* armed by the pick that follows */
    }
    vmm_unlock(&s.lock);
}

bool vmm_sched_tick(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    uint64_t now;
    bool yield;

    vmm_lock(&s.lock);
    now = vmm_sched_now();
    while (cpu->timers && cpu->timers->deadline <= now) {
        struct vmm_task *task = cpu->timers;

        timer_remove(task);
        enqueue(self, task);
    }
    if (cpu->current && s.head && now >= cpu->slice_end)
        cpu->must_yield = true;
    arm(self);
    yield = cpu->must_yield;
    vmm_unlock(&s.lock);
    return yield;
}

bool vmm_sched_must_yield(unsigned cpu)
{
    return atomic_load_explicit(&s.cpu[cpu].must_yield, memory_order_relaxed);
}

static bool others_run(unsigned self)
{
    bool run = false;

    vmm_lock(&s.lock);
    for (unsigned i = 0; i < s.nr_cpus; i++)
        run |= i != self && s.cpu[i].current;
    vmm_unlock(&s.lock);
    return run;
}

bool vmm_sched_stop(void)
{
    unsigned self = vmm_sched_self();
    bool mine;

    vmm_lock(&s.lock);
    mine = s.stopper == NOBODY;
    if (mine) {
        s.stopper = self;
        for (unsigned i = 0; i < s.nr_cpus; i++)
            if (i != self && s.cpu[i].current) {
                s.cpu[i].must_yield = true;
                vmm_sched_poke(i);
            }
    }
    vmm_unlock(&s.lock);
    /* Each of them leaves its guest for the SGI, sees must_yield, and ends its step; pick() gives no other. */
    while (mine && others_run(self))
        vmm_sched_relax();
    return mine;
}

void vmm_sched_resume(void)
{
    unsigned self = vmm_sched_self();

    vmm_lock(&s.lock);
    s.stopper = NOBODY;
    for (unsigned i = 0; i < s.nr_cpus; i++)
        if (i != self && s.cpu[i].idle && s.head) {
            s.cpu[i].idle = false;
            vmm_sched_poke(i);
        }
    arm(self);
    vmm_unlock(&s.lock);
}

void vmm_task_park(struct vmm_task *task)
{
    struct vmm_task **link = &s.head, *last = NULL;

    vmm_lock(&s.lock);
    timer_remove(task);
    if (task->state == VMM_TASK_RUNNABLE) {
        for (; *link != task; link = &(*link)->next)
            last = *link;
        *link = task->next;
        if (s.tail == task)
            s.tail = last;
    }
    /* The caller's own is RUNNING; its step decides how it ends. */
    if (task->state != VMM_TASK_RUNNING)
        task->state = VMM_TASK_BLOCKED;
    task->wake_pending = false;
    vmm_unlock(&s.lock);
}
