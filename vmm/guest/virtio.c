/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Finds the board's virtio devices and makes relays of them. The board's last transport is the guest's last, and so on
 * downwards. So on QEMU's `virt` machine a device has the same address for the guest as for the board.
 */
#include "guest/virtio.h"

#include "board/virtio.h"
#include "virtio/types.h"
#include "vmm.h"

struct device {
    struct vmm_relay relay;
    struct vmm_task task;
};

static struct device *device_of(struct vmm_task *task)
{
    return (struct device *)(void *)((char *)task - offsetof(struct device, task));
}

static enum vmm_step work(struct vmm_task *task, uint64_t *deadline)
{
    const _Atomic unsigned *due = vmm_sched_due(vmm_cpu_self()->index);

    while (vmm_relay_work(&device_of(task)->relay, vmm_irq_window)) {
        vmm_irq_window();
        if (atomic_load_explicit(due, memory_order_relaxed) & VMM_DUE_YIELD)
            return VMM_STEP_YIELD;
    }
    *deadline = VMM_NEVER;
    return VMM_STEP_BLOCK;
}

static void later(void *ctx)
{
    vmm_sched_wake(ctx);
}

static void interrupted(void *ctx)
{
    vmm_relay_interrupt(ctx);
}

/* Cleared, since the rings are read by a device. */
static void *memory(size_t bytes)
{
    void *p = vmm_pages_alloc(bytes, VMM_PAGE_SIZE);

    if (p)
        memset(p, 0, bytes);
    return p;
}

static struct device *make(const struct vmm_transport *t, uint32_t id, unsigned slot, struct vmm_ram *ram,
                           void (*irq)(void *ctx, bool level), const char **why)
{
    struct vmm_relay_config config = {
        .host = t,
        .id = id,
        .base = VMM_GUEST_VIRTIO + slot * VMM_GUEST_VIRTIO_SIZE,
        .ram = ram,
        .nr_queues = vmm_relay_nr_queues(t),
        .memory = memory,
        .irq = irq,
        .irq_ctx = (void *)(uintptr_t)slot,
        .later = later,
    };
    struct device *d = memory(sizeof(*d));

    config.queue = memory(config.nr_queues * sizeof(*config.queue));
    *why = "there is no memory for it";
    if (!d || !config.queue)
        return NULL;
    vmm_task_init(&d->task);
    d->task.step = work;
    config.later_ctx = &d->task;
    *why = vmm_relay_init(&d->relay, &config);
    if (*why)
        return NULL;
    vmm_gic_configure(t->intid, t->edge);
    vmm_irq_register(t->intid, interrupted, &d->relay);
    return d;
}

void vmm_guest_virtio_init(struct vmm_slots *slots, struct vmm_ram *ram, void (*irq)(void *ctx, bool level))
{
    for (unsigned i = 0; i < vmm_board.nr_virtio; i++) {
        const struct vmm_transport *t = &vmm_board.virtio[i];
        unsigned slot = VMM_GUEST_VIRTIO_SLOTS - vmm_board.nr_virtio + i;
        const char *undriven, *why;
        uint32_t id = vmm_virtio_probe(t, &undriven);
        const char *name = vmm_virtio_type(id, &why);
        struct device *d;

        if (!id)
            continue;
        why = undriven ? undriven : why;
        d = why ? NULL : make(t, id, slot, ram, irq, &why);
        if (d) {
            slots->relay[slot] = &d->relay;
            vmm_log(VMM_INFO, "guest: virtio %s at 0x%llx, %u queue%s", name, (unsigned long long)d->relay.mmio.base,
                    d->relay.nr_queues, d->relay.nr_queues == 1 ? "" : "s");
        } else {
            vmm_log(VMM_WARN, "the virtio %s at 0x%llx (type %u) is not the guest's: %s", name,
                    (unsigned long long)t->base, id, why);
        }
    }
}

void vmm_guest_virtio_reset(const struct vmm_slots *slots)
{
    for (unsigned i = 0; i < VMM_GUEST_VIRTIO_SLOTS; i++)
        if (slots->relay[i] && !vmm_relay_reset(slots->relay[i], vmm_irq_window))
            vmm_exit(VMM_EXIT_FAILURE, "a virtio device does not end its reset, and may still write to memory");
}
