/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Tests of the kernel on the machine itself, without a guest.
 *
 *   sched    tasks that sleep, spin and wake each other on all CPUs, then stopping the world; ends with status 0
 *   priority the tick is taken before the interrupts that a guest can cause; ends with status 0
 *
 * Each of the others is a mistake of EL2's own. It has to be caught, and end in a report and status 1:
 *
 *   wx       a store to code
 *   rodata   a store to a constant
 *   exec     a jump into data
 *   null     a load from address 0
 *   stack    endless recursion
 *   panic    vmm_panic()
 */
#include <stdatomic.h>

#include "boot/boot.h"
#include "kern/selftest.h"

#define TASKS_PER_CPU 3
#define ROUNDS        60

static struct test {
    struct vmm_vcpu vv;
    unsigned round;
    unsigned sleeps, spins, preempted;
    uint64_t wake_at;
} tests[VMM_MAX_CPUS * TASKS_PER_CPU];
static unsigned nr_tests;
static _Atomic unsigned finished, too_early, late;
static _Atomic unsigned stops, in_step[VMM_MAX_CPUS];
static _Atomic unsigned total_steps;

static void finish(void)
{
    unsigned cpus = 0, preempted = 0;
    bool idle = true;

    for (unsigned i = 0; i < vmm_nr_cpus; i++) {
        struct vmm_cpu *cpu = &vmm_cpus[i];

        vmm_log(VMM_INFO, "CPU %u: %u timer interrupts, %u pokes", i, cpu->ticks, cpu->pokes);
        cpus += cpu->up;
        idle &= !cpu->up || cpu->ticks > 0;
    }
    for (unsigned i = 0; i < nr_tests; i++)
        preempted += tests[i].preempted;
    vmm_log(VMM_INFO, "%u tasks on %u CPUs: %u steps, %u preempted, %u stops of the world, %u woken late", nr_tests,
            cpus, total_steps, preempted, stops, late);
    if (too_early || !preempted || !stops || !idle)
        vmm_exit(VMM_EXIT_FAILURE,
                 "selftest: woken too early %u times, preempted %u, world stopped %u, ticks on all: %u", too_early,
                 preempted, stops, idle);
    vmm_exit(VMM_EXIT_OFF, "selftest");
}

/* No other CPU may be in a step while the world is stopped. */
static void stop_the_world(struct vmm_cpu *cpu)
{
    unsigned before;

    if (!vmm_sched_stop())
        return;
    before = total_steps;
    for (unsigned i = 0; i < vmm_nr_cpus; i++)
        vmm_assert(i == cpu->index || !in_step[i]);
    for (uint64_t end = vmm_time_now() + vmm_time_from_ms(1); vmm_time_now() < end;)
        vmm_cpu_relax();
    vmm_assert(total_steps == before);
    atomic_fetch_add(&stops, 1);
    vmm_sched_resume();
}

static enum vmm_step one_round(struct vmm_cpu *cpu, struct test *test, unsigned n, uint64_t *deadline)
{
    uint64_t now = vmm_time_now();

    if (test->wake_at) {
        if (now < test->wake_at)
            atomic_fetch_add(&too_early, 1);
        if (now > test->wake_at + vmm_time_from_ms(500))
            atomic_fetch_add(&late, 1);
        test->wake_at = 0;
    }
    if (test->round == ROUNDS) {
        if (atomic_fetch_add(&finished, 1) + 1 == nr_tests)
            finish();
        test->round++;
        return VMM_STEP_BLOCK;
    }
    if (test->round > ROUNDS)
        return VMM_STEP_BLOCK;
    test->round++;
    switch ((test->round + n) % 4) {
    case 0: /* sleep: no other task wakes this one */
        test->sleeps++;
        test->wake_at = *deadline = now + vmm_time_from_ms(1 + n % 3);
        return VMM_STEP_BLOCK;
    case 1: /* compute until another task wants the CPU, or for 15 ms */
        test->spins++;
        for (uint64_t end = now + vmm_time_from_ms(15); vmm_time_now() < end; vmm_irq_window())
            if (*vmm_sched_due(cpu->index) & VMM_DUE_YIELD) {
                test->preempted++;
                break;
            }
        return VMM_STEP_YIELD;
    case 2: /* woken before it is blocked */
        vmm_sched_wake(&test->vv.task);
        return VMM_STEP_BLOCK;
    default:
        if (n % 5 == 1)
            stop_the_world(cpu);
        return VMM_STEP_YIELD;
    }
}

enum vmm_step vmm_selftest_step(struct vmm_cpu *cpu, struct vmm_vcpu *vv, uint64_t *deadline)
{
    struct test *test = (struct test *)vv; /* its first member */
    enum vmm_step how;

    vmm_assert(vmm_irq_masked());
    vmm_assert(!atomic_exchange(&in_step[cpu->index], 1));
    atomic_fetch_add(&total_steps, 1);
    how = one_round(cpu, test, (unsigned)(test - tests), deadline);
    atomic_store(&in_step[cpu->index], 0);
    return how;
}

/* All are pending at once on this CPU. The timers' and the maintenance interrupt may not come before the tick. */
static void take_in_order(void)
{
    static const uint32_t of_guests[] = { VMM_MAINTENANCE_INTID, VMM_VTIMER_INTID, VMM_PTIMER_INTID };
    uint32_t token;

    for (unsigned i = 0; i < sizeof(of_guests) / sizeof(of_guests[0]); i++)
        vmm_gic_pend(of_guests[i]);
    vmm_timer_arm(0);
    token = vmm_gic_ack();
    if (vmm_gic_intid(token) != VMM_TIMER_INTID)
        vmm_exit(VMM_EXIT_FAILURE, "selftest: interrupt %u before the tick", vmm_gic_intid(token));
    vmm_timer_arm(VMM_NEVER);
    vmm_gic_end(token, true);
    for (unsigned i = 0; i < sizeof(of_guests) / sizeof(of_guests[0]); i++) {
        token = vmm_gic_ack();
        if (vmm_gic_intid(token) >= VMM_INTID_SPURIOUS)
            vmm_exit(VMM_EXIT_FAILURE, "selftest: %u interrupts of a guest's, not 3", i);
        vmm_gic_end(token, true);
    }
    vmm_exit(VMM_EXIT_OFF, "selftest");
}

/* Recurses deeper than any stack. */
static unsigned recurse(volatile unsigned *depth)
{
    volatile unsigned deeper = *depth + 1;

    return *depth < 1000000 ? recurse(&deeper) + deeper : 0;
}

static const unsigned constant[4] = { 1, 2, 3, 4 };
static volatile unsigned code_in_data = 0xd65f03c0; /* RET */
static volatile unsigned *volatile nowhere = (volatile unsigned *)16;

void vmm_selftest(void)
{
    const char *what = vmm_options.selftest;

    if (!strcmp(what, "wx"))
        *(volatile unsigned *)(uintptr_t)_start = 0;
    else if (!strcmp(what, "rodata"))
        *(volatile unsigned *)(uintptr_t)constant = 0;
    else if (!strcmp(what, "exec"))
        ((void (*)(void))(uintptr_t)&code_in_data)();
    else if (!strcmp(what, "null"))
        (void)*nowhere;
    else if (!strcmp(what, "stack"))
        recurse(&(unsigned){ 0 });
    else if (!strcmp(what, "panic"))
        vmm_panic("as asked for");
    else if (!strcmp(what, "priority"))
        take_in_order();
    else if (!strcmp(what, "sched")) {
        nr_tests = vmm_nr_cpus * TASKS_PER_CPU;
        for (unsigned i = 0; i < nr_tests; i++)
            vmm_task_init(&tests[i].vv.task);
        for (unsigned i = 0; i < nr_tests; i++)
            vmm_sched_wake(&tests[i].vv.task);
        return;
    }
    vmm_exit(VMM_EXIT_FAILURE, "selftest=%s: nothing happened", what);
}
