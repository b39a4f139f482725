/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where the kernel meets the library: its machine, its object of each CPU, and its callbacks. The library fetches
 * interrupts: it acknowledges an IRQ for which a guest is left through irq_fetch(). An interrupt that is not the
 * library's own goes to irq_handler().
 */
#include "kern/hal.h"
#include "vmm.h"

struct avc_machine vmm_machine;

static struct avc_pcpu pcpus[VMM_MAX_CPUS];

static void hal_panic(void *ctx, const char *why)
{
    (void)ctx;
    vmm_panic("the library: %s", why);
}

static void hal_wake(void *ctx, struct avc_vcpu *vcpu)
{
    (void)ctx;
    vmm_sched_wake(&vmm_vcpu_of(vcpu)->task);
}

static avc_irq_t hal_irq_fetch(void *ctx)
{
    uint32_t token = vmm_gic_ack();
    uint32_t intid = vmm_gic_intid(token);

    (void)ctx;
    return intid >= VMM_INTID_SPURIOUS && intid < VMM_INTID_SPURIOUS + 4 ? AVC_IRQ_SPURIOUS : token;
}

static void hal_irq_end(void *ctx, avc_irq_t irq, bool deactivate)
{
    (void)ctx;
    vmm_gic_end(irq, deactivate);
}

static void hal_irq_mask(void *ctx, uint32_t intid, bool masked)
{
    (void)ctx;
    if (masked)
        vmm_gic_disable(intid);
    else
        vmm_gic_enable(intid);
}

static enum avc_answer hal_irq_handler(void *ctx, avc_irq_t irq)
{
    (void)ctx;
    return vmm_irq_handle(irq) ? AVC_EXIT : AVC_DONE;
}

static void hal_log(void *ctx, enum avc_log_level level, const char *line)
{
    static const enum vmm_log_level levels[] = {
        [AVC_LOG_ERROR] = VMM_ERROR, [AVC_LOG_WARN] = VMM_WARN, [AVC_LOG_INFO] = VMM_INFO
    };

    (void)ctx;
    vmm_log(levels[level], "%s", line);
}

static const struct avc_hal hal = {
    .panic = hal_panic,
    .wake = hal_wake,
    .irq_fetch = hal_irq_fetch,
    .irq_end = hal_irq_end,
    .irq_mask = hal_irq_mask,
    .irq_handler = hal_irq_handler,
    .log = hal_log,
    .eoi_split = true, /* board/gic.c runs with EOImode 1 */
    .vtimer_ppi = VMM_VTIMER_INTID,
    .ptimer_ppi = VMM_PTIMER_INTID,
    .maintenance_ppi = VMM_MAINTENANCE_INTID,
    .uses = AVC_HOST_NO_FP | AVC_HOST_NO_EL1, /* FP is libfdt's alone, and only while no vCPU is loaded */
};

void vmm_hal_init(void)
{
    enum avc_status status = avc_machine_init(&vmm_machine);

    if (status)
        vmm_panic("avc_machine_init: %s", avc_status_text(status));
}

void vmm_pcpu_enable(struct vmm_cpu *cpu)
{
    enum avc_status status = avc_pcpu_init(&pcpus[cpu->index], &vmm_machine, &hal);

    if (!status)
        status = avc_pcpu_enable(&pcpus[cpu->index]);
    if (!status)
        status = avc_pcpu_harden(&pcpus[cpu->index]);
    if (status)
        vmm_panic("CPU %u cannot run guests: %s", cpu->index, avc_status_text(status));
    cpu->pcpu = &pcpus[cpu->index];
    vmm_gic_enable(VMM_VTIMER_INTID);
    vmm_gic_enable(VMM_PTIMER_INTID);
    vmm_gic_enable(VMM_MAINTENANCE_INTID);
}

void vmm_irq_dispatch(void)
{
    avc_pcpu_irq(vmm_cpu_self()->pcpu);
}
