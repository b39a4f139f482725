/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* host_main() for tests that need nothing special: one VM, made by `test_config`. */
#include "testvm.h"

#define SLICE 100000 /* ticks: 0.1 to 2 ms */

static struct test_vm default_vm;

/* Says whether the vCPU's last exit was to wait, and nothing has come for it since. */
static bool waits(struct avc_vcpu *vcpu)
{
    enum avc_kind kind = vcpu->exit.kind;

    if (!vcpu->exit.answer && kind == AVC_CLASS) /* has not run yet */
        kind = AVC_CPU_OFF;
    return (kind == AVC_WFI || kind == AVC_CPU_SUSPEND || kind == AVC_CPU_OFF) && !avc_vcpu_has_work(vcpu);
}

/* Returns when a vCPU that waits stops by itself: by its timers, or by the time-out of its WFIT. */
static uint64_t wakes_at(struct avc_vcpu *vcpu)
{
    uint64_t at = avc_vcpu_deadline(vcpu), until = ~UINT64_C(0);

    if (vcpu->exit.kind == AVC_WFI || vcpu->exit.kind == AVC_CPU_SUSPEND)
        until = vcpu->exit.value;
    return until < at ? until : at;
}

/*
 * Returns when vCPU n must make room for others of this CPU: after a slice if one of them can run, or when one of them
 * stops waiting.
 */
static uint64_t slice_end(struct test_vm *t, unsigned cpu, unsigned n)
{
    uint64_t now = host_ticks(), end = ~UINT64_C(0);

    for (unsigned other = cpu; other < avc_vm_nr_vcpus(&t->vm); other += test_nr_cpus) {
        struct avc_vcpu *vcpu = &t->vcpu[other];
        uint64_t at = waits(vcpu) ? wakes_at(vcpu) : now + SLICE;

        if (other != n && at < end)
            end = at;
    }
    return end;
}

/* Runs the vCPUs of one CPU in turn, until the VM is off. */
static void run_share(unsigned cpu)
{
    struct test_vm *t = &default_vm;
    unsigned vcpus = avc_vm_nr_vcpus(&t->vm);
    bool alone = cpu + test_nr_cpus >= vcpus; /* this CPU has one vCPU, which stays loaded */
    bool loaded = false;

    while (!*(volatile bool *)&t->off) {
        bool busy = false;
        uint64_t deadline = ~UINT64_C(0);

        for (unsigned n = cpu; n < vcpus && !t->off; n += test_nr_cpus) {
            struct avc_vcpu *vcpu = &t->vcpu[n];

            if (waits(vcpu)) {
                uint64_t d = wakes_at(vcpu);

                deadline = d < deadline ? d : deadline;
                if (d > host_ticks())
                    continue;
            }
            if (!loaded)
                host_must(avc_vcpu_load(vcpu, &test_pcpu[cpu]));
            loaded = true;
            if (!alone)
                host_timer_set(slice_end(t, cpu, n));
            for (unsigned slice = 0; slice < 200 && test_vcpu_step(t, n, &test_config); slice++)
                ;
            busy = true;
            if (!alone) {
                host_must(avc_vcpu_put(vcpu));
                loaded = false;
            }
        }
        if (!busy) { /* an interrupt that has come since avc_vcpu_has_work() is pending, so WFI ends at once */
            host_timer_set(deadline);
            host_wait();
            host_irq_unmask();
            host_irq_mask();
        }
    }
    if (loaded)
        host_must(avc_vcpu_put(&t->vcpu[cpu]));
}

static void secondary(unsigned cpu)
{
    test_cpu_init(test_config.uses);
    run_share(cpu);
}

int host_main(void)
{
    test_nr_cpus = test_config.cpus ? test_config.cpus : 1;
    test_cpu_init(test_config.uses);
    test_vm_init(&default_vm, &test_config);
    for (unsigned n = 1; n < test_nr_cpus; n++)
        host_cpu_start(n, secondary);
    run_share(0);
    return 0;
}
