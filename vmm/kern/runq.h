/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A CPU's queue of runnable tasks, its list of deadlines, and the lock over both. The caller of each function holds the
 * lock. The functions are short: they are all that the scheduler does under a lock. Part of sched.c.
 */
#ifndef VMM_KERN_RUNQ_H
#define VMM_KERN_RUNQ_H

#include <stdatomic.h>
#include <stddef.h>

#include "kern/lock.h"
#include "kern/sched.h"

struct vmm_tasks {
    struct vmm_task *head, *tail;
};

struct vmm_runq {
    struct vmm_lock lock;
    unsigned cpu;
    _Atomic uint32_t *all;         /* word whose bit `cpu` says that tasks wait here */
    _Atomic unsigned nr;           /* tasks that wait; other CPUs read it without the lock */
    struct vmm_tasks first, later; /* `later` gets the CPU when `first` is empty */
    struct vmm_task *timers;       /* tasks that are blocked, earliest deadline first */
};

static inline unsigned runq_nr(const struct vmm_runq *q)
{
    return atomic_load_explicit(&q->nr, memory_order_relaxed);
}

static inline void runq_set_nr(struct vmm_runq *q, unsigned nr)
{
    unsigned before = runq_nr(q);

    atomic_store_explicit(&q->nr, nr, memory_order_relaxed);
    if (!before)
        atomic_fetch_or(q->all, UINT32_C(1) << q->cpu);
    else if (!nr)
        atomic_fetch_and(q->all, ~(UINT32_C(1) << q->cpu));
}

static inline void runq_insert(struct vmm_runq *q, struct vmm_tasks *list, struct vmm_task *task, bool at_end)
{
    task->state = VMM_TASK_RUNNABLE;
    task->next = at_end ? NULL : list->head;
    if (!list->head)
        list->head = list->tail = task;
    else if (at_end)
        list->tail = list->tail->next = task;
    else
        list->head = task;
    runq_set_nr(q, runq_nr(q) + 1);
}

/* Puts a task behind all others, with a new slice. */
static inline void runq_append(struct vmm_runq *q, struct vmm_task *task, uint64_t slice)
{
    task->left = slice;
    runq_insert(q, &q->later, task, true);
}

/* Puts back a task that was preempted. It goes on with its slice when the tasks that preempted it are done. */
static inline void runq_put_back(struct vmm_runq *q, struct vmm_task *task)
{
    runq_insert(q, &q->later, task, false);
}

/* Queues a task that was blocked. Returns true if some of its slice is left: then it comes first. */
static inline bool runq_wake(struct vmm_runq *q, struct vmm_task *task, uint64_t slice)
{
    if (!task->left) {
        runq_append(q, task, slice);
        return false;
    }
    runq_insert(q, &q->first, task, true);
    return true;
}

static inline bool runq_list_remove(struct vmm_tasks *list, struct vmm_task *task)
{
    struct vmm_task **link = &list->head, *last = NULL;

    for (; *link && *link != task; link = &(*link)->next)
        last = *link;
    if (!*link)
        return false;
    *link = task->next;
    if (list->tail == task)
        list->tail = last;
    return true;
}

static inline void runq_remove(struct vmm_runq *q, struct vmm_task *task)
{
    if (!runq_list_remove(&q->first, task))
        runq_list_remove(&q->later, task);
    runq_set_nr(q, runq_nr(q) - 1);
}

/* Takes the next task of the queue, or returns NULL. CPU `self` will run it, and the lock of `self` guards it as
   soon as the caller drops this one. */
static inline struct vmm_task *runq_take(struct vmm_runq *q, unsigned self)
{
    struct vmm_tasks *list = q->first.head ? &q->first : &q->later;
    struct vmm_task *task = list->head;

    if (!task)
        return NULL;
    list->head = task->next;
    runq_set_nr(q, runq_nr(q) - 1);
    task->state = VMM_TASK_RUNNING;
    atomic_store_explicit(&task->wake_pending, false, memory_order_relaxed);
    /* Another CPU may read this and lock `self` without having held this lock. The release shows it the stores
       above. */
    atomic_store_explicit(&task->cpu, self, memory_order_release);
    return task;
}

static inline uint64_t runq_deadline(const struct vmm_runq *q)
{
    return q->timers ? q->timers->deadline : VMM_NEVER;
}

static inline void runq_timer_remove(struct vmm_runq *q, struct vmm_task *task)
{
    struct vmm_task **link = &q->timers;

    if (!task->timed)
        return;
    while (*link != task)
        link = &(*link)->timer_next;
    *link = task->timer_next;
    task->timed = false;
}

static inline void runq_timer_insert(struct vmm_runq *q, struct vmm_task *task, uint64_t deadline)
{
    struct vmm_task **link = &q->timers;

    task->deadline = deadline;
    if (deadline == VMM_NEVER)
        return;
    while (*link && (*link)->deadline <= deadline)
        link = &(*link)->timer_next;
    task->timer_next = *link;
    *link = task;
    task->timed = true;
}

#endif
