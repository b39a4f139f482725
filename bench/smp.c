/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL2 half for two CPUs. Each CPU runs one vCPU of the same VM, and never another. WFI is not trapped, and a kick
 * goes straight back to the guest.
 */
#include "bench_host.h"

#include "rows.h"

static struct test_vm t;

static enum avc_answer on_irq(void *ctx, avc_irq_t irq)
{
    host_irq_end(ctx, irq, true);
    return AVC_DONE;
}

static const struct avc_irq_handler handler = { .fn = on_irq };

static void run(unsigned cpu)
{
    struct avc_vcpu *vcpu = &t.vcpu[cpu];

    host_must(avc_pcpu_set_irq_handler(&test_pcpu[cpu], &handler));
    host_must(avc_vcpu_load(vcpu, &test_pcpu[cpu]));
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(vcpu);

        switch (e->kind) {
        case AVC_CALL:
            host_putc((char)avc_vcpu_gpr(vcpu, 1));
            avc_done(e, 0);
            break;
        case AVC_CPU_OFF: /* wake() ends it */
            host_wait();
            avc_pcpu_irq(&test_pcpu[cpu]);
            break;
        case AVC_SYSTEM_OFF:
            host_off(0);
        case AVC_FAIL:
            host_must(e->status);
            break;
        default:
            break;
        }
    }
}

static void secondary(unsigned cpu)
{
    test_cpu_init(AVC_HOST_NO_EL1);
    run(cpu);
}

int host_main(void)
{
    test_nr_cpus = 2;
    test_trusts_guests = true;
    test_cpu_init(AVC_HOST_NO_EL1);
    bench_vm_init(&t, AVC_VM_NO_WFI);
    host_cpu_start(1, secondary);
    run(0);
    return 0;
}
