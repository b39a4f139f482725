/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A host's own struct avc_hal: what the library asks of the kernel around it, with a context of that kernel's, here its
 * struct for each CPU. Interrupts are fetched by the library, and ended in two steps (EOImode 1; registers:
 * host/gic.c).
 */
#include <avc/avc.h>

#include "host_vm.h"

#define SOON (host_ticks() + 100000)

HOST_GUEST(guest, "1:  cbz x19, 1b                \n" /* busy until the VMM sets x19 */
                  "    print \"guest: waits\"     \n"
                  "    wfi                        \n"
                  "    print \"guest: is awake\"  \n"
                  "    off                        \n");

struct cpu {
    unsigned number, ticks;
    struct avc_vcpu *blocked; /* waits for work, or NULL */
};

static void cpu_log(void *ctx, enum avc_log_level level, const char *line)
{
    host_printf("CPU %u: %s\n", ((const struct cpu *)ctx)->number, line);
}

static void cpu_panic(void *ctx, const char *why)
{
    cpu_log(ctx, AVC_LOG_ERROR, why);
    host_off(1);
}

/* A vCPU has work. On a machine with more CPUs: if it runs on another one, interrupt that. */
static void cpu_wake(void *ctx, struct avc_vcpu *vcpu)
{
    struct cpu *cpu = ctx;

    host_printf("CPU %u: wake\n", cpu->number);
    if (cpu->blocked == vcpu)
        cpu->blocked = NULL;
}

/* What the library has fetched and does not keep for itself: from here on it is ours, to its end. */
static enum avc_answer cpu_irq(void *ctx, avc_irq_t irq)
{
    struct cpu *cpu = ctx;

    host_printf("CPU %u: interrupt %u, tick %u\n", cpu->number, irq, ++cpu->ticks);
    host_timer_set(cpu->ticks < 3 ? SOON : ~UINT64_C(0)); /* first, since its line is a level */
    host_irq_end(ctx, irq, true);
    if (cpu->blocked)
        avc_vcpu_kick(cpu->blocked);             /* which calls wake */
    return cpu->ticks < 3 ? AVC_DONE : AVC_EXIT; /* back to the guest, or to the VMM: run returns */
}

static struct cpu cpu0 = { .number = 0 };

static const struct avc_hal hal = {
    .ctx = &cpu0,
    .panic = cpu_panic,
    .wake = cpu_wake,
    .irq_fetch = host_irq_fetch,
    .irq_end = host_irq_end,
    .irq_mask = host_irq_mask_ppi,
    .irq_handler = cpu_irq,
    .log = cpu_log,
    .eoi_split = true,
};

int host_main(void)
{
    static struct host_vm vm;
    struct avc_exit *e;

    host_gic_init();
    host_vm_cpu(&hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_vm_start(&vm);
    host_timer_set(SOON);

    while ((e = host_vm_run(&vm))) {
        host_printf("vmm: %s\n", avc_kind_name(e->kind));
        if (e->kind == AVC_IRQ)
            avc_vcpu_set_gpr(&vm.vcpu, 19, 1);
        if (e->kind != AVC_WFI)
            continue;
        host_must(avc_vcpu_put(&vm.vcpu)); /* this CPU could run another one meanwhile */
        cpu0.blocked = &vm.vcpu;
        host_timer_set(SOON);
        while (cpu0.blocked && !avc_vcpu_has_work(cpu0.blocked)) { /* asked after "blocked" is set: nothing is missed */
            host_wait();
            avc_pcpu_irq(&host_pcpu); /* an interrupt of the host's own time, by the same handler */
        }
        host_must(avc_vcpu_load(&vm.vcpu, &host_pcpu));
    }
    return 0;
}
