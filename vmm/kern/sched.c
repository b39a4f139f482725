/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The scheduler's decisions. Each CPU has a queue of runnable tasks, a list of deadlines, and a lock over both
 * (runq.h). The lock of a task's CPU also guards the task. No hook is called while a lock is held. A function decides
 * under the lock. It programs the timer, or interrupts other CPUs, after it has released the lock.
 *
 * A task runs until it waits or its slice is over. Then it goes to the end of the queue with a new slice. A task that
 * waits keeps a part of its slice. When it wakes, it preempts the task that runs, as long as something of that part is
 * left. The preempted task goes on with its own slice afterwards. When the part is used up, the task queues up like the
 * others. So a task that waits a lot is served at once, and no task waits for ever.
 *
 * One word, s.cpus, tells all CPUs of each other. It has three bits for each CPU. WAITING: tasks wait in its queue.
 * IDLE: it found no task, and sleeps; or its step does so, in vmm_sched_wait(). ALONE: it runs a task, and knows of no
 * task that waits; so its slice has no end. All changes of the word are atomic. So they have one order, on which all
 * CPUs agree.
 *
 * A step that waits keeps its vCPU loaded. Its task is RUNNING, so that no other CPU takes it. The wait ends when the
 * task is woken, or when offer() has chosen this CPU for another task. In the second case the step ends, and the vCPU
 * is put. So a wake-up of a vCPU that ran last on its CPU costs no put and no load, and one of another vCPU costs one
 * of each. When no other task has run on a CPU for the length of a slice, even the trap of WFI is not worth its cost,
 * and the guest waits by itself.
 *
 * Why no wake-up is lost. A waker first makes its event visible, for example a pending interrupt. Then it calls wake(),
 * which takes the lock of the task's CPU. A CPU that takes a task from a queue holds that lock, too, and clears
 * wake_pending.
 *   - wake() comes before the CPU takes the task. The lock orders the event before the step, so the step sees it.
 *   - wake() comes after that and before done(). It sets wake_pending, so done(BLOCK) makes the task runnable. If the
 *     guest runs, or is being entered, the poke's SGI ends it: IRQs are masked until the guest runs, and a physical
 *     interrupt ends a guest at once. It also ends a WFI that does not trap, and the sleep of a step that waits: that
 *     looks at wake_pending before it sleeps, with IRQs masked.
 *   - wake() comes after done(). The task is BLOCKED, and wake() puts it into the queue.
 * The poke is sent after the lock was released. If the task's step has ended by then, done() has seen wake_pending, and
 * the poke has no effect.
 *
 * Why no runnable task is forgotten, and no CPU sleeps while a task waits. WAITING is set and cleared under the queue's
 * lock, and is exact. A CPU sets IDLE or ALONE only by a change of the word in which no WAITING bit is set. If one is
 * set, the CPU looks for a task again, or arms the end of the slice and lets WFI trap. A CPU that puts a task into a
 * queue sets WAITING, and then reads the word (offer()). So in the order of the word's changes either the other CPU saw
 * WAITING, or offer() sees IDLE or ALONE. Then offer() clears such a bit and pokes the CPU: one idle CPU, or if there
 * is none, all that are alone.
 *   - A CPU that was idle picks again. If it is about to sleep, the SGI is pending and ends the WFI, although IRQs are
 *     masked. It picks after offer() has cleared the bit, because a CPU clears its own IDLE before it takes a task.
 *   - A CPU whose step waits looks at its bit after each interrupt. The step ends, and the CPU picks.
 *   - A CPU that was alone arms the end of its slice and lets WFI trap. A guest that waits then gives its CPU away.
 * A task that done() puts back needs no offer: its own CPU picks next. There is one exception: if offer() has chosen a
 * CPU whose step waited, and the task of that step is woken as well, the CPU has two. It offers one of them. resume()
 * offers what was queued while the world was stopped.
 */
#include <stddef.h>
#include <string.h>

#include "kern/percpu.h"
#include "kern/runq.h"
#include "kern/sched.h"

/* Bits of s.cpus. */
#define WAITING(cpu) (UINT32_C(1) << (cpu))
#define IDLE(cpu)    (UINT32_C(1) << (8 + (cpu)))
#define ALONE(cpu)   (UINT32_C(1) << (16 + (cpu)))
#define ANY_WAITING  UINT32_C(0x0000ff)
#define ANY_IDLE     UINT32_C(0x00ff00)
#define ANY_ALONE    UINT32_C(0xff0000)
#define STOPPED      (UINT32_C(1) << 24) /* no step begins */
_Static_assert(VMM_MAX_CPUS <= 8, "bits in s.cpus");

/*
 * A task that waits keeps at most the slice divided by this, and gets it at once when it wakes. It is small, because
 * the task may spin for a lock that the preempted vCPU of its guest holds.
 */
#define AT_ONCE 16

struct cpu {
    struct vmm_runq queue;
    _Atomic unsigned due; /* VMM_DUE_...; other CPUs only set VMM_DUE_YIELD, under the lock */
    _Atomic bool busy;    /* the CPU is in a step, or chooses a task for one */
    bool preempted;       /* a task that woke makes its step end; under the lock */
    /* Only this CPU uses these. */
    bool waits;             /* its step is in vmm_sched_wait() */
    bool waited;            /* its step has waited, and ends for another task */
    bool yielded;           /* the task whose step has just ended went back into the queue */
    struct vmm_task *last;  /* the task that ran last, or runs */
    uint64_t since;         /* when another one ran here before it */
    uint64_t slice_end;     /* of the task that runs */
    uint64_t next_deadline; /* the first deadline when this CPU looked last; other CPUs only remove deadlines */
    uint64_t armed;         /* what the timer was last programmed with */
} __attribute__((aligned(64)));

static struct {
    _Atomic uint32_t cpus;
    unsigned nr_cpus;
    uint64_t slice;
    struct cpu cpu[VMM_MAX_CPUS];
} s;

void vmm_sched_init(unsigned nr_cpus, uint64_t slice)
{
    memset(&s, 0, sizeof(s));
    s.nr_cpus = nr_cpus;
    s.slice = slice;
    for (unsigned i = 0; i < VMM_MAX_CPUS; i++) {
        s.cpu[i].queue.cpu = i;
        s.cpu[i].queue.all = &s.cpus;
        s.cpu[i].armed = s.cpu[i].next_deadline = VMM_NEVER;
    }
}

void vmm_task_init(struct vmm_task *task)
{
    *task = (struct vmm_task){ .state = VMM_TASK_BLOCKED, .deadline = VMM_NEVER };
}

/*
 * Locks the CPU whose lock guards the task, and returns it. The task may move to another CPU before the lock is taken.
 */
static struct cpu *lock_task(struct vmm_task *task)
{
    for (;;) {
        unsigned n = atomic_load_explicit(&task->cpu, memory_order_relaxed);

        vmm_lock(&s.cpu[n].queue.lock);
        if (n == atomic_load_explicit(&task->cpu, memory_order_acquire)) /* see runq_take() */
            return &s.cpu[n];
        vmm_unlock(&s.cpu[n].queue.lock);
    }
}

/* ---- without a lock ---- */

/* Programs this CPU's timer for its earliest deadline, and for the end of the slice if another task waits for a CPU. */
static void arm(struct cpu *cpu)
{
    unsigned due = atomic_load_explicit(&cpu->due, memory_order_relaxed);
    uint64_t at = cpu->next_deadline;

    if (atomic_load_explicit(&cpu->busy, memory_order_relaxed) && (due & ~VMM_DUE_ASK) == VMM_DUE_SHARE &&
        cpu->slice_end < at)
        at = cpu->slice_end;
    if (at == cpu->armed)
        return;
    cpu->armed = at;
    vmm_sched_arm(at);
}

/*
 * A task was put into the queue of `home`. Returns the CPUs that must be poked for it, as bits. `home` comes first,
 * because its caches may still have the task's data.
 */
static unsigned offer(unsigned home)
{
    uint32_t cpus = atomic_load(&s.cpus), told;

    do {
        if (cpus & STOPPED || !(cpus & ANY_WAITING))
            return 0;
        told = cpus & IDLE(home);
        if (!told)
            told = cpus & ANY_IDLE & -(cpus & ANY_IDLE);
        if (!told)
            told = cpus & ANY_ALONE;
    } while (told && !atomic_compare_exchange_weak(&s.cpus, &cpus, cpus & ~told));
    return (told / IDLE(0) | told / ALONE(0)) & 0xff;
}

/* Returns whether the step on this CPU must look at what is due. A step that waits looks for itself. */
static bool heed(struct cpu *cpu)
{
    unsigned due = atomic_load_explicit(&cpu->due, memory_order_relaxed);

    if (!atomic_load_explicit(&cpu->busy, memory_order_relaxed) || cpu->waits)
        return false;
    if (!(due & VMM_DUE_SHARE) && !(atomic_load(&s.cpus) & ALONE(cpu->queue.cpu))) { /* offer() has cleared it */
        atomic_fetch_or_explicit(&cpu->due, VMM_DUE_SHARE, memory_order_relaxed);
        return true;
    }
    return due & VMM_DUE_YIELD;
}

static bool look(struct cpu *cpu)
{
    bool due = heed(cpu);

    if (due)
        arm(cpu);
    return due;
}

bool vmm_sched_woken(struct vmm_task *task)
{
    return atomic_load_explicit(&task->wake_pending, memory_order_relaxed) &&
           atomic_exchange(&task->wake_pending, false);
}

/* A step that runs its guest sees what the task was woken for when this returns, so it need not look once more before
   it blocks. One that waits has to be told. If nothing is due, WFI does not trap, and the step will not ask. */
bool vmm_sched_poked(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];

    if (atomic_load_explicit(&cpu->due, memory_order_relaxed) && !cpu->waits &&
        atomic_load_explicit(&cpu->busy, memory_order_relaxed))
        vmm_sched_woken(cpu->last);
    return look(cpu);
}

/* This CPU, if it is among them, needs no SGI. It looks now, and its step leaves the guest. */
static void poke(unsigned self, unsigned cpus)
{
    bool here = cpus >> self & 1;

    for (unsigned others = cpus & ~(1u << self); others; others &= others - 1)
        vmm_sched_poke((unsigned)__builtin_ctz(others));
    if (here && look(&s.cpu[self]))
        vmm_sched_leave();
}

/*
 * Lets the step of a CPU end for a task that comes first in its queue, unless an idle CPU will take the task. The
 * caller holds the CPU's lock. Returns true if the CPU must be poked.
 */
static bool preempt(struct cpu *cpu)
{
    if (!atomic_load_explicit(&cpu->busy, memory_order_relaxed) ||
        atomic_load_explicit(&s.cpus, memory_order_relaxed) & ANY_IDLE)
        return false;
    cpu->preempted = true;
    atomic_fetch_or_explicit(&cpu->due, VMM_DUE_YIELD, memory_order_relaxed);
    return true;
}

void vmm_sched_wake(struct vmm_task *task)
{
    struct cpu *cpu = lock_task(task);
    enum vmm_task_state was = task->state;
    unsigned home = cpu->queue.cpu, self = vmm_sched_self();
    bool preempted = false;

    switch (was) {
    case VMM_TASK_BLOCKED:
        runq_timer_remove(&cpu->queue, task);
        preempted = runq_wake(&cpu->queue, task, s.slice) && preempt(cpu);
        break;
    case VMM_TASK_RUNNING:
        atomic_store_explicit(&task->wake_pending, true, memory_order_release);
        break;
    case VMM_TASK_RUNNABLE:
        break; /* its step has not begun, and will see the event */
    }
    vmm_unlock(&cpu->queue.lock);
    if (was == VMM_TASK_BLOCKED)
        poke(self, offer(home) | (unsigned)preempted << home);
    else if (was == VMM_TASK_RUNNING && home != self)
        vmm_sched_poke(home);
}

/* ---- picking ---- */

/*
 * Chooses the fullest queue. The CPU's own queue wins a draw. The task that has just yielded does not count, so that it
 * does not run again while others wait.
 */
static unsigned choose_queue(const struct cpu *own, uint32_t cpus)
{
    unsigned self = own->queue.cpu, best = self, most = runq_nr(&own->queue);

    if (most && own->yielded)
        most--;
    for (uint32_t others = cpus & ANY_WAITING & ~WAITING(self); others; others &= others - 1) {
        unsigned n = (unsigned)__builtin_ctz(others);
        unsigned nr = runq_nr(&s.cpu[n].queue);

        if (nr > most) {
            best = n;
            most = nr;
        }
    }
    return best;
}

/*
 * Takes a task for this CPU, or returns NULL. The CPU is `busy` before it reads whether the world is stopped. stop()
 * reads `busy` under the same lock. So one of the two sees the other.
 */
static struct vmm_task *take(struct cpu *own)
{
    unsigned self = own->queue.cpu, from = self;
    struct vmm_task *task = NULL;
    uint32_t cpus;

    vmm_lock(&own->queue.lock);
    atomic_store_explicit(&own->busy, true, memory_order_relaxed);
    atomic_store_explicit(&own->due, 0, memory_order_relaxed);
    own->preempted = false;
    cpus = atomic_load(&s.cpus);
    if (!(cpus & STOPPED)) {
        from = choose_queue(own, cpus);
        if (from == self)
            task = runq_take(&own->queue, self);
    }
    own->next_deadline = runq_deadline(&own->queue);
    vmm_unlock(&own->queue.lock);
    if (from != self) {
        vmm_lock(&s.cpu[from].queue.lock);
        task = runq_take(&s.cpu[from].queue, self);
        vmm_unlock(&s.cpu[from].queue.lock);
    }
    return task;
}

/* Says in s.cpus that this CPU runs a task. Returns true if it is alone. */
static bool become_runner(unsigned self)
{
    uint32_t cpus = atomic_load(&s.cpus), next;

    do {
        next = cpus & ~(ALONE(self) | IDLE(self));
        if (!(cpus & ANY_WAITING))
            next |= ALONE(self);
    } while (next != cpus && !atomic_compare_exchange_weak(&s.cpus, &cpus, next));
    return next & ALONE(self);
}

/* Says in s.cpus that this CPU has nothing to do. Returns false if there may be a task for it. */
static bool become_idle(unsigned self)
{
    uint32_t cpus = atomic_load(&s.cpus);

    do
        if (cpus & ANY_WAITING && !(cpus & STOPPED))
            return false;
    while (!atomic_compare_exchange_weak(&s.cpus, &cpus, (cpus & ~ALONE(self)) | IDLE(self)));
    return true;
}

/* The CPU runs a task from now on. */
static void begin(struct cpu *cpu, struct vmm_task *task)
{
    uint64_t now = vmm_sched_now();
    unsigned due = 0;

    cpu->slice_end = now + task->left;
    if (task != cpu->last) {
        cpu->since = cpu->last ? now : now - s.slice;
        cpu->last = task;
    }
    if (now - cpu->since < s.slice)
        due |= VMM_DUE_ASK;
    if (!become_runner(cpu->queue.cpu))
        due |= VMM_DUE_SHARE;
    if (due)
        atomic_fetch_or_explicit(&cpu->due, due, memory_order_relaxed);
}

struct vmm_task *vmm_sched_pick(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    struct vmm_task *task;

    if (atomic_load(&s.cpus) & IDLE(self)) /* otherwise offer() could rely on this CPU after it has taken a task */
        atomic_fetch_and(&s.cpus, ~IDLE(self));
    while (!(task = take(cpu))) {
        atomic_store_explicit(&cpu->busy, false, memory_order_release);
        if (become_idle(self))
            break;
    }
    cpu->yielded = false;
    if (task)
        begin(cpu, task);
    arm(cpu);
    return task;
}

void vmm_sched_done(unsigned self, struct vmm_task *task, enum vmm_step how, uint64_t deadline)
{
    struct cpu *cpu = &s.cpu[self];
    uint64_t now = vmm_sched_now();

    vmm_lock(&cpu->queue.lock);
    task->left = now < cpu->slice_end ? cpu->slice_end - now : 0;
    if (cpu->preempted && task->left && how == VMM_STEP_YIELD) {
        runq_put_back(&cpu->queue, task);
    } else if (how == VMM_STEP_YIELD || deadline <= now ||
               atomic_load_explicit(&task->wake_pending, memory_order_relaxed)) {
        runq_append(&cpu->queue, task, s.slice);
        cpu->yielded = true;
    } else {
        task->state = VMM_TASK_BLOCKED;
        if (task->left > s.slice / AT_ONCE)
            task->left = s.slice / AT_ONCE;
        runq_timer_insert(&cpu->queue, task, deadline); /* the pick that follows programs the timer */
    }
    atomic_store_explicit(&cpu->busy, false, memory_order_release);
    vmm_unlock(&cpu->queue.lock);
    if (cpu->waited) {
        cpu->waited = false;
        if (cpu->yielded) /* this CPU was chosen for another task, and now there are two */
            poke(self, offer(self));
    }
}

/* ---- while a step runs ---- */

const _Atomic unsigned *vmm_sched_due(unsigned cpu)
{
    return &s.cpu[cpu].due;
}

bool vmm_sched_alone(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    unsigned due = atomic_load_explicit(&cpu->due, memory_order_relaxed);

    if (due & VMM_DUE_SHARE && !(atomic_load(&s.cpus) & ANY_WAITING) && become_runner(self)) {
        due = atomic_fetch_and_explicit(&cpu->due, ~VMM_DUE_SHARE, memory_order_relaxed) & ~VMM_DUE_SHARE;
        arm(cpu);
    }
    return !(due & ~VMM_DUE_ASK);
}

/* Sleeps until the task is woken, or something else wants the CPU: offer() has chosen it, or the step must end. Returns
   true if the task was woken. */
static bool sleep(struct cpu *cpu, struct vmm_task *task)
{
    for (;;) {
        if (vmm_sched_woken(task))
            return true;
        if (atomic_load_explicit(&cpu->due, memory_order_relaxed) & VMM_DUE_YIELD ||
            !(atomic_load(&s.cpus) & IDLE(cpu->queue.cpu)))
            return false;
        vmm_sched_sleep();
    }
}

enum vmm_wait vmm_sched_wait(unsigned self, struct vmm_task *task)
{
    struct cpu *cpu = &s.cpu[self];
    uint64_t now;
    bool woken;

    if (atomic_load(&s.cpus) & ANY_WAITING || !vmm_sched_alone(self))
        return VMM_WAIT_BLOCK;
    now = vmm_sched_now();
    if (now - cpu->since >= s.slice) {
        atomic_fetch_and_explicit(&cpu->due, ~VMM_DUE_ASK, memory_order_relaxed);
        return VMM_WAIT_IN_GUEST;
    }
    if (!become_idle(self))
        return VMM_WAIT_BLOCK;
    cpu->slice_end -= now;
    cpu->waits = true;
    woken = sleep(cpu, task);
    cpu->slice_end += vmm_sched_now(); /* the wait is not of its slice */
    cpu->waited = !woken;
    if (woken && !become_runner(self)) {
        /* The task for which offer() may have chosen this CPU can go to another one. */
        atomic_fetch_or_explicit(&cpu->due, VMM_DUE_SHARE, memory_order_relaxed);
        arm(cpu);
        poke(self, offer(self));
    }
    cpu->waits = false;
    return woken ? VMM_WAIT_OVER : VMM_WAIT_BLOCK;
}

/* Puts the tasks whose deadline has come into the queue. Returns how many. */
static unsigned expire(struct cpu *cpu, uint64_t now)
{
    unsigned nr = 0;

    vmm_lock(&cpu->queue.lock);
    while (runq_deadline(&cpu->queue) <= now) {
        struct vmm_task *task = cpu->queue.timers;

        runq_timer_remove(&cpu->queue, task);
        if (runq_wake(&cpu->queue, task, s.slice))
            preempt(cpu);
        nr++;
    }
    cpu->next_deadline = runq_deadline(&cpu->queue);
    vmm_unlock(&cpu->queue.lock);
    return nr;
}

bool vmm_sched_tick(unsigned self)
{
    struct cpu *cpu = &s.cpu[self];
    uint64_t now = vmm_sched_now();
    unsigned told = 0;
    bool look;

    for (unsigned nr = expire(cpu, now); nr; nr--)
        told |= offer(self);
    poke(self, told & ~(1u << self)); /* this CPU calls heed(), or picks next */
    look = heed(cpu);
    if (atomic_load_explicit(&cpu->busy, memory_order_relaxed) && now >= cpu->slice_end &&
        (atomic_load_explicit(&cpu->due, memory_order_relaxed) & ~VMM_DUE_ASK) == VMM_DUE_SHARE &&
        !vmm_sched_alone(self)) {
        atomic_fetch_or_explicit(&cpu->due, VMM_DUE_YIELD, memory_order_relaxed);
        look = true;
    }
    arm(cpu);
    return look;
}

/* ---- stopping the world ---- */

static bool others_run(unsigned self)
{
    for (unsigned i = 0; i < s.nr_cpus; i++)
        if (i != self && atomic_load_explicit(&s.cpu[i].busy, memory_order_acquire))
            return true;
    return false;
}

bool vmm_sched_stop(void)
{
    unsigned self = vmm_sched_self(), running = 0;

    if (atomic_fetch_or(&s.cpus, STOPPED) & STOPPED)
        return false;
    for (unsigned i = 0; i < s.nr_cpus; i++) {
        if (i == self)
            continue;
        vmm_lock(&s.cpu[i].queue.lock);
        if (s.cpu[i].busy) {
            atomic_fetch_or_explicit(&s.cpu[i].due, VMM_DUE_YIELD, memory_order_relaxed);
            running |= 1u << i;
        }
        vmm_unlock(&s.cpu[i].queue.lock);
    }
    poke(self, running);
    /* The SGI ends the guest of each of them. Its step sees VMM_DUE_YIELD, and ends. take() gives it no other task. */
    while (others_run(self))
        vmm_sched_relax();
    return true;
}

/*
 * A CPU that becomes idle changes s.cpus. If that comes before this change, the CPU is poked here. If it comes after
 * it, the CPU sees what waits.
 */
void vmm_sched_resume(void)
{
    uint32_t cpus = atomic_fetch_and(&s.cpus, ~(STOPPED | ANY_IDLE));
    unsigned self = vmm_sched_self();

    poke(self, (cpus & ANY_IDLE) / IDLE(0));
    poke(self, offer(self));
}

void vmm_task_park(struct vmm_task *task)
{
    struct cpu *cpu = lock_task(task);

    runq_timer_remove(&cpu->queue, task);
    if (task->state == VMM_TASK_RUNNABLE)
        runq_remove(&cpu->queue, task);
    /* The caller's own task is RUNNING, and its step decides how it ends. */
    if (task->state != VMM_TASK_RUNNING)
        task->state = VMM_TASK_BLOCKED;
    atomic_store_explicit(&task->wake_pending, false, memory_order_relaxed);
    vmm_unlock(&cpu->queue.lock);
}
