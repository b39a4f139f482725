/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The scheduler: a queue of runnable vCPUs for each CPU, time slices, waiting with a deadline, wake-ups from anywhere. A
 * CPU whose queue is empty takes from the others' queues. There are no host threads; each CPU takes a task and runs it as
 * a function call, its step.
 *
 * sched.c is decisions only and reaches the machine through the five hooks at the end, so that it also runs in a host
 * test; loop.c is those hooks and each CPU's loop.
 */
#ifndef VMM_KERN_SCHED_H
#define VMM_KERN_SCHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VMM_NEVER UINT64_MAX

#define VMM_SLICE_MS 10

enum vmm_task_state {
    VMM_TASK_BLOCKED,  /* waits for wake-up or deadline; also: not started, powered off */
    VMM_TASK_RUNNABLE, /* in a queue */
    VMM_TASK_RUNNING   /* some CPU is in its step */
};

/** How a step ended. */
enum vmm_step {
    VMM_STEP_YIELD, /* it could go on: preempted, or the CPU has something else to do */
    VMM_STEP_BLOCK  /* nothing to do before a wake-up or its deadline */
};

/** All of it is the scheduler's. The lock of the CPU that `cpu` names guards it. */
struct vmm_task {
    enum vmm_task_state state;
    _Atomic unsigned cpu; /* where it runs, waits in the queue, or ran last */
    bool wake_pending;    /* woken after it was picked */
    bool timed;           /* in the CPU's list of deadlines */
    uint64_t deadline;
    uint64_t left; /* of its slice */
    struct vmm_task *next, *timer_next;
};

/** What the step that runs on a CPU has to heed. */
#define VMM_DUE_YIELD 1u /* it must end: for another task, or because the world is being stopped */
#define VMM_DUE_SHARE 2u /* tasks wait for a CPU: if this one has nothing to do now, it must end */

/** A new task, blocked. */
void vmm_task_init(struct vmm_task *task);

/** The task has work: if it is blocked, it becomes runnable; if it runs on another CPU, that CPU is
   interrupted; if it is about to block, it will not. Any CPU, interrupt handlers and claims too. */
void vmm_sched_wake(struct vmm_task *task);

/** Where VMM_DUE_... bits of the calling CPU's step are found; the place stays the same. */
const _Atomic unsigned *vmm_sched_due(unsigned self);

/** A step on the calling CPU would like to wait without ending. True: it may, nothing is due, and the CPU is poked or its
    timer interrupts when that changes. */
bool vmm_sched_alone(unsigned self);

/**
 * Stops the world, for a VM's reset: called in a step, by a CPU that has put its own vCPU; comes
 * back with true when no other CPU is inside of a step, and none will begin one before
 * vmm_sched_resume(). False: another CPU is doing the same; the caller's step is to end with
 * VMM_STEP_YIELD.
 */
bool vmm_sched_stop(void);
void vmm_sched_resume(void);

/** Between stop and resume: makes a task that is not the caller's blocked, its deadline and pending wake-up forgotten.
   */
void vmm_task_park(struct vmm_task *task);

/* ---- loop.c and host tests ---- */

void vmm_sched_init(unsigned nr_cpus, uint64_t slice);

/** The next task for this CPU, or NULL: the CPU counts as idle until it picks again, and is poked when there is work. */
struct vmm_task *vmm_sched_pick(unsigned self);

/** Its step has ended. */
void vmm_sched_done(unsigned self, struct vmm_task *task, enum vmm_step how, uint64_t deadline);

/** A timer interrupt of this CPU; a poke of it. True: the step, if one runs here, has to look at what is due. */
bool vmm_sched_tick(unsigned self);
bool vmm_sched_poked(unsigned self);

/** Each CPU's loop; IRQs masked, all set up. */
_Noreturn void vmm_sched_loop(void);

/* Hooks: the calling CPU's index; the time; interrupt a CPU (the calling one as well, as soon as its IRQs are not masked),
   which then calls poked; have the calling CPU call tick at a time (VMM_NEVER: not); pause in a waiting loop. No lock of the
   scheduler is held. */
unsigned vmm_sched_self(void);
uint64_t vmm_sched_now(void);
void vmm_sched_poke(unsigned cpu);
void vmm_sched_arm(uint64_t deadline);
void vmm_sched_relax(void);

#endif
