/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The scheduler: one queue of runnable vCPUs for all CPUs, time slices, waiting with a deadline,
 * wake-ups from anywhere. There are no host threads; each CPU takes a task from the queue and runs
 * it as a function call, its step.
 *
 * sched.c is decisions only and reaches the machine through the five hooks at the end, so that it
 * also runs in a host test; loop.c is those hooks and each CPU's loop.
 */
#ifndef VMM_KERN_SCHED_H
#define VMM_KERN_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#define VMM_NEVER UINT64_MAX

#define VMM_SLICE_MS 10

enum vmm_task_state {
    VMM_TASK_BLOCKED,  /* waits for wake-up or deadline; also: not started, powered off */
    VMM_TASK_RUNNABLE, /* in the queue */
    VMM_TASK_RUNNING   /* some CPU is in its step */
};

/** How a step ended. */
enum vmm_step {
    VMM_STEP_YIELD, /* it could go on: preempted, or the CPU has something else to do */
    VMM_STEP_BLOCK  /* nothing to do before a wake-up or its deadline */
};

struct vmm_task {
    enum vmm_task_state state;
    unsigned cpu;      /* where it runs, or ran last */
    bool wake_pending; /* woken after it was picked */
    bool timed;        /* in a CPU's list of deadlines */
    uint64_t deadline;
    struct vmm_task *next, *timer_next;
};

/** A new task, blocked. */
void vmm_task_init(struct vmm_task *task);

/** The task has work: if it is blocked, it becomes runnable; if it runs on another CPU, that CPU is
   interrupted; if it is about to block, it will not. Any CPU, interrupt handlers and claims too. */
void vmm_sched_wake(struct vmm_task *task);

/** Whether the task that runs on this CPU must end its step: slice over, or the world is being stopped. */
bool vmm_sched_must_yield(unsigned cpu);

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

/** The next task for this CPU, or NULL: the CPU counts as idle until it picks again, and is poked
 * when there is work. */
struct vmm_task *vmm_sched_pick(unsigned self);

/** Its step has ended. */
void vmm_sched_done(unsigned self, struct vmm_task *task, enum vmm_step how, uint64_t deadline);

/** A timer interrupt or a poke of this CPU. Returns vmm_sched_must_yield(). */
bool vmm_sched_tick(unsigned self);

/** Each CPU's loop; IRQs masked, all set up. */
_Noreturn void vmm_sched_loop(void);

/* Hooks: the calling CPU's index; the time; interrupt another CPU, which then calls tick; have this
   CPU call tick at a time (VMM_NEVER: not); pause in a waiting loop. Called with the scheduler's
   lock held, but for the last. */
unsigned vmm_sched_self(void);
uint64_t vmm_sched_now(void);
void vmm_sched_poke(unsigned cpu);
void vmm_sched_arm(uint64_t deadline);
void vmm_sched_relax(void);

#endif
