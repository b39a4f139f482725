/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The reference hypervisor's scheduler, with threads of the build host as CPUs. Tokens go from task to task, each with
 * a wake-up. If a wake-up were lost, its token would never move again. In the model of test_vmm_sched.c CPUs act inside
 * of each other's calls, but never while a lock is held. Here they do.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "kern/sched.h"

#define NR_CPUS   4
#define NR_TASKS  11
#define SLICE     100000 /* ns */
#define NR_TOKENS 5
#define HOPS      20000 /* of each token */

static struct thread_cpu {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool poked;
    uint64_t alarm;
    _Atomic bool in_step;
    unsigned seed;
} threads[NR_CPUS];

/* The tasks, and the tokens that are with each. */
static struct thread_task {
    struct vmm_task task;
    _Atomic unsigned tokens; /* a bit for each token that is here */
} holders[NR_TASKS];
static _Atomic unsigned hops[NR_TOKENS];
static _Atomic bool over;
static _Thread_local unsigned thread_self;
static _Thread_local struct vmm_task *running;
static _Atomic unsigned loaded_waits; /* how often a step has waited without ending, and was woken */

/* ---- hooks ---- */

unsigned vmm_sched_self(void)
{
    return thread_self;
}

uint64_t vmm_sched_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void vmm_sched_arm(uint64_t deadline)
{
    threads[thread_self].alarm = deadline;
}

void vmm_sched_poke(unsigned cpu)
{
    pthread_mutex_lock(&threads[cpu].mutex);
    threads[cpu].poked = true;
    pthread_cond_signal(&threads[cpu].cond);
    pthread_mutex_unlock(&threads[cpu].mutex);
}

void vmm_sched_relax(void)
{
}

/* The step looks at what is due in any case. */
void vmm_sched_leave(void)
{
}

/* ---- CPUs ---- */

/* WFI: waits until an interrupt is pending, or the test ends. */
static void wait(struct thread_cpu *cpu)
{
    pthread_mutex_lock(&cpu->mutex);
    while (!cpu->poked && !over && cpu->alarm > vmm_sched_now()) {
        uint64_t until = vmm_sched_now() + 10000000;
        struct timespec t;

        until = cpu->alarm < until ? cpu->alarm : until;
        t = (struct timespec){ .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
        pthread_cond_timedwait(&cpu->cond, &cpu->mutex, &t);
    }
    pthread_mutex_unlock(&cpu->mutex);
}

static void interrupts(struct thread_cpu *cpu)
{
    bool poked;

    pthread_mutex_lock(&cpu->mutex);
    poked = cpu->poked;
    cpu->poked = false;
    pthread_mutex_unlock(&cpu->mutex);
    if (poked)
        vmm_sched_poked(thread_self);
    if (cpu->alarm <= vmm_sched_now())
        vmm_sched_tick(thread_self);
}

void vmm_sched_sleep(void)
{
    wait(&threads[thread_self]);
    interrupts(&threads[thread_self]);
    if (over)
        vmm_sched_wake(running);
}

static unsigned draw(struct thread_cpu *cpu, unsigned below)
{
    cpu->seed = cpu->seed * 1103515245 + 12345;
    return (cpu->seed >> 16) % below;
}

static void pass_tokens(struct thread_cpu *cpu, unsigned tokens)
{
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (tokens >> i & 1) {
            struct thread_task *to = &holders[draw(cpu, NR_TASKS)];

            atomic_fetch_add(&hops[i], 1);
            atomic_fetch_or(&to->tokens, 1u << i);
            vmm_sched_wake(&to->task);
        }
}

static void stop_the_world(unsigned self)
{
    if (!vmm_sched_stop())
        return;
    for (unsigned i = 0; i < NR_CPUS; i++)
        if (i != self && threads[i].in_step)
            abort(); /* cmocka's assertions work in its own thread only */
    vmm_sched_resume();
}

/* Passes tokens on until there is none left here. An interrupt may make it yield. */
static enum vmm_step step(struct thread_cpu *cpu, struct thread_task *task, uint64_t *deadline)
{
    const _Atomic unsigned *due = vmm_sched_due(thread_self);

    for (;;) {
        unsigned tokens = atomic_exchange(&task->tokens, 0);

        pass_tokens(cpu, tokens);
        if (draw(cpu, 500) == 0)
            stop_the_world(thread_self);
        interrupts(cpu);
        if (*due & VMM_DUE_YIELD || over)
            return VMM_STEP_YIELD;
        if (tokens || task->tokens) /* after interrupts() it has to look again */
            continue;
        if (vmm_sched_woken(&task->task) && task->tokens)
            continue;
        *deadline = draw(cpu, 2) ? VMM_NEVER : vmm_sched_now() + draw(cpu, 100000);
        if (!draw(cpu, 4))
            return VMM_STEP_BLOCK;
        switch (vmm_sched_wait(thread_self, &task->task)) {
        case VMM_WAIT_OVER:
            loaded_waits++;
            continue;
        case VMM_WAIT_BLOCK:
            return VMM_STEP_BLOCK;
        case VMM_WAIT_IN_GUEST:
            break;
        }
        if (vmm_sched_alone(thread_self) && !task->tokens)
            wait(cpu);
    }
}

static void *life(void *arg)
{
    struct thread_cpu *cpu = arg;

    thread_self = (unsigned)(cpu - threads);
    while (!over) {
        struct vmm_task *task = vmm_sched_pick(thread_self);
        uint64_t deadline = VMM_NEVER;
        enum vmm_step how;

        running = task;
        if (task) {
            cpu->in_step = true;
            how = step(cpu, (struct thread_task *)task, &deadline);
            cpu->in_step = false;
            vmm_sched_done(thread_self, task, how, deadline);
        } else {
            wait(cpu);
        }
        interrupts(cpu);
    }
    return NULL;
}

static bool all_hopped(void)
{
    if (loaded_waits < 20)
        return false;
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (hops[i] < HOPS)
            return false;
    return true;
}

static void start_threads(pthread_t *ids)
{
    pthread_condattr_t attr;

    vmm_sched_init(NR_CPUS, SLICE);
    for (unsigned i = 0; i < NR_TASKS; i++)
        vmm_task_init(&holders[i].task);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < NR_CPUS; i++) {
        threads[i] = (struct thread_cpu){ .alarm = VMM_NEVER, .seed = i };
        pthread_mutex_init(&threads[i].mutex, NULL);
        pthread_cond_init(&threads[i].cond, &attr);
    }
    for (unsigned i = 0; i < NR_TOKENS; i++) {
        holders[i].tokens |= 1u << i;
        vmm_sched_wake(&holders[i].task);
    }
    for (unsigned i = 0; i < NR_CPUS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, life, &threads[i]), 0);
}

static void no_token_is_lost(void **state)
{
    const struct timespec pause = { .tv_nsec = 10000000 };
    uint64_t end = vmm_sched_now() + UINT64_C(60000000000);
    pthread_t ids[NR_CPUS];

    (void)state;
    start_threads(ids);
    while (!all_hopped() && vmm_sched_now() < end)
        nanosleep(&pause, NULL);
    over = true;
    for (unsigned i = 0; i < NR_CPUS; i++)
        pthread_join(ids[i], NULL);
    if (loaded_waits < 20)
        fail_msg("%u steps were woken while they waited", loaded_waits);
    for (unsigned i = 0; i < NR_TOKENS; i++)
        if (hops[i] < HOPS)
            fail_msg("token %u is stuck after %u hops", i, hops[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_token_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
