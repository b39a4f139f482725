/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The scheduler: a queue of runnable vCPUs for each CPU, time slices, waiting with a deadline, and wake-ups from
 * anywhere. A CPU whose queue is empty takes from the others' queues. There are no host threads. Each CPU takes a task
 * and calls a function to run it: its step.
 *
 * sched.c has only decisions. It reaches the machine through the hooks at the end, so it also runs in a host test.
 * loop.c has those hooks and each CPU's loop.
 */
#ifndef VMM_KERN_SCHED_H
#define VMM_KERN_SCHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VMM_NEVER UINT64_MAX

#define VMM_SLICE_MS 10

enum vmm_task_state {
    VMM_TASK_BLOCKED,  /* waits for a wake-up or deadline, is not started, or is powered off */
    VMM_TASK_RUNNABLE, /* in a queue */
    VMM_TASK_RUNNING   /* some CPU is in its step */
};

/** How a step ended. */
enum vmm_step {
    VMM_STEP_YIELD, /* the task could go on: it was preempted, or the CPU has something else to do */
    VMM_STEP_BLOCK  /* the task has nothing to do before a wake-up or its deadline */
};

/** Only the scheduler uses its members but `step`. The lock of the CPU in `cpu` guards it. */
struct vmm_task {
    /* What a CPU does that has picked the task. NULL: it is a vCPU's, and lies in its struct vmm_vcpu. The owner sets
       it after vmm_task_init(). */
    enum vmm_step (*step)(struct vmm_task *task, uint64_t *deadline);
    enum vmm_task_state state;
    _Atomic unsigned cpu;      /* where it runs, waits in the queue, or ran last */
    _Atomic bool wake_pending; /* woken after it was picked, or after vmm_sched_woken(); set under the lock */
    bool timed;                /* in the CPU's list of deadlines */
    uint64_t deadline;
    uint64_t left; /* what is left of its slice */
    struct vmm_task *next, *timer_next;
};

/** What the step that runs on a CPU must react to. */
#define VMM_DUE_YIELD 1u /* the step must end: for another task, or because the world is being stopped */
#define VMM_DUE_SHARE 2u /* tasks wait for a CPU: the step must end if it has nothing to do now */
#define VMM_DUE_ASK   4u /* another task ran here within a slice: a guest that waits is vmm_sched_wait()'s business */

/** Initialises a new task, blocked. */
void vmm_task_init(struct vmm_task *task);

/** The task has work. If it is blocked, it becomes runnable. If it runs on another CPU, that CPU is interrupted. If
    it is about to block, it will not. Any CPU may call this, in interrupt handlers and claims too. */
void vmm_sched_wake(struct vmm_task *task);

/** Returns the place of the VMM_DUE_... bits of the calling CPU's step. The place stays the same. */
const _Atomic unsigned *vmm_sched_due(unsigned self);

/** A step on the calling CPU asks to wait in its guest, without ending. Returns true if it may: no other task needs the
    CPU. When that changes, the CPU is poked, or its timer interrupts. */
bool vmm_sched_alone(unsigned self);

/** Returns whether the task, which runs on the calling CPU, was woken since its step has last looked for work: when it
    was picked, poked, or said to be woken here or by vmm_sched_wait(). If it was, the step looks for work now.
    Otherwise it need not look before it blocks. */
bool vmm_sched_woken(struct vmm_task *task);

/** What a step does that has nothing to do. */
enum vmm_wait {
    VMM_WAIT_OVER,     /* the task was woken: the step goes on */
    VMM_WAIT_IN_GUEST, /* the CPU has long been the task's alone: its guest's WFI need not trap, by vmm_sched_due() */
    VMM_WAIT_BLOCK     /* another task wants the CPU: the step ends with VMM_STEP_BLOCK */
};

/** The task that runs on the calling CPU has nothing to do before a wake-up. As long as no other task wants the CPU,
    this sleeps. So the vCPU stays loaded, and its own timers' interrupts wake it. */
enum vmm_wait vmm_sched_wait(unsigned self, struct vmm_task *task);

/**
 * Stops the world, for a VM's reset. A CPU calls it in a step, after it has put its own vCPU. Returns true when no
 * other CPU is in a step. None will begin one before vmm_sched_resume(). Returns false if another CPU is stopping the
 * world: the caller's step must end with VMM_STEP_YIELD.
 */
bool vmm_sched_stop(void);
void vmm_sched_resume(void);

/** Between stop and resume: blocks a task that is not the caller's, and forgets its deadline and pending wake-up. */
void vmm_task_park(struct vmm_task *task);

/* ---- loop.c and host tests ---- */

void vmm_sched_init(unsigned nr_cpus, uint64_t slice);

/** Returns the next task for this CPU. If it returns NULL, the CPU counts as idle until it picks again, and is poked
    when there is work. */
struct vmm_task *vmm_sched_pick(unsigned self);

/** The task's step has ended. */
void vmm_sched_done(unsigned self, struct vmm_task *task, enum vmm_step how, uint64_t deadline);

/** This CPU's timer has interrupted, or it was poked. They return true if a step runs here that has to look at what
    is due. A step that runs its guest looks for work after poked, before the guest goes on. */
bool vmm_sched_tick(unsigned self);
bool vmm_sched_poked(unsigned self);

/** Each CPU's loop. IRQs are masked, and everything is set up. */
_Noreturn void vmm_sched_loop(void);

/* Hooks. They return the calling CPU's index and the time. They interrupt another CPU, which then calls poked. They
   make the step that runs on the calling CPU leave its guest, and look at what is due. They have the calling CPU call
   tick at a time (VMM_NEVER: never). They sleep until an interrupt is pending, and handle it: it may call any of the
   functions above, but for those of a step. They pause in a waiting loop. The scheduler holds no lock when it calls
   one. */
unsigned vmm_sched_self(void);
uint64_t vmm_sched_now(void);
void vmm_sched_poke(unsigned cpu);
void vmm_sched_leave(void);
void vmm_sched_sleep(void);
void vmm_sched_arm(uint64_t deadline);
void vmm_sched_relax(void);

#endif
