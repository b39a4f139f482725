/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Between the guest's transport and the board's device: notifications, interrupts, and what is left for a task. */
#include "virtio/relay.h"

#include "board/virtio.h"
#include "kern/log.h"

/* Descriptors of the device's ring that a claim fills: a burst of 32 small requests goes. A claim is bounded by it to
   some 12,000 instructions. */
#define KICK_BUDGET 96u
/* Requests that an interrupt gives back, of each queue. What was waiting for room goes then, within the budget. */
#define INTERRUPT_LIMIT 64u
/* Pieces of the task's work. A chain that does not fit is tried with twice as many, up to the size of the ring. */
#define WORK_LIMIT  64u
#define WORK_BUDGET VMM_RELAY_BUDGET

static uint64_t bit(unsigned queue)
{
    return UINT64_C(1) << queue;
}

void vmm_relay_raise(struct vmm_relay *r, uint32_t bits)
{
    atomic_store_explicit(&r->isr, atomic_load_explicit(&r->isr, memory_order_relaxed) | bits, memory_order_relaxed);
    vmm_mmio_drive(&r->mmio, true);
}

void vmm_relay_lower(struct vmm_relay *r, uint32_t bits)
{
    uint32_t left = atomic_load_explicit(&r->isr, memory_order_relaxed) & ~bits;

    atomic_store_explicit(&r->isr, left, memory_order_relaxed);
    vmm_mmio_drive(&r->mmio, left);
}

/* The device does nothing any more. What it had before stays pinned until its reset. */
static void need_reset(struct vmm_relay *r)
{
    r->live = r->todo = 0;
    r->status |= VIRTIO_S_NEEDS_RESET;
    if (r->status & VIRTIO_S_DRIVER_OK) /* 2.1.2 */
        vmm_relay_raise(r, VIRTIO_INT_CONFIG);
}

void vmm_relay_break(struct vmm_relay *r, unsigned queue)
{
    if (!r->counts.breaks++)
        vmm_log(VMM_WARN, "guest: virtio device at 0x%llx, queue %u: %s: it needs a reset",
                (unsigned long long)r->mmio.base, queue, vmm_shadow_fault_text(r->queue[queue].shadow.fault));
    need_reset(r);
}

/* Does what has come of forwarding or giving back. */
static inline void settle(struct vmm_relay *r, unsigned queue, unsigned result)
{
    if (result & VMM_SHADOW_NOTIFY)
        vmm_virtio_notify(r->host, queue);
    if (result & VMM_SHADOW_INTERRUPT)
        vmm_relay_raise(r, VIRTIO_INT_USED);
    if (result & VMM_SHADOW_BROKEN) {
        vmm_relay_break(r, queue);
    } else if (result & (VMM_SHADOW_AGAIN | VMM_SHADOW_ABSENT)) {
        r->todo |= bit(queue);
        r->later(r->later_ctx);
    }
}

void vmm_relay_kick(struct vmm_relay *r, uint32_t queue)
{
    if (queue >= r->nr_queues || !(r->live & bit(queue)))
        return;
    r->counts.kicks++;
    settle(r, queue, vmm_shadow_forward(&r->queue[queue].shadow, KICK_BUDGET));
}

/* A device may also say that it is broken itself. */
static void config_changed(struct vmm_relay *r)
{
    if (vmm_virtio_status(r->host) & VIRTIO_S_NEEDS_RESET) {
        need_reset(r);
        return;
    }
    if (r->status & VIRTIO_S_DRIVER_OK)
        vmm_relay_raise(r, VIRTIO_INT_CONFIG);
}

void vmm_relay_interrupt(struct vmm_relay *r)
{
    uint32_t bits;

    vmm_lock(&r->mmio.lock);
    bits = vmm_virtio_interrupts(r->host); /* before the rings are looked at: what comes later interrupts again */
    r->counts.interrupts++;
    if (bits & VIRTIO_INT_USED)
        for (uint64_t left = r->live; left; left &= left - 1) {
            unsigned queue = (unsigned)__builtin_ctzll(left);

            settle(r, queue, vmm_shadow_return(&r->queue[queue].shadow, INTERRUPT_LIMIT, KICK_BUDGET));
            if (!r->live)
                break;
        }
    if (bits & VIRTIO_INT_CONFIG)
        config_changed(r);
    vmm_unlock(&r->mmio.lock);
}

/* ---- the task ---- */

/* Both ways, for one queue. Returns true if memory is wanted, at *absent. */
static bool work_on(struct vmm_relay *r, unsigned queue, avc_ipa_t *absent)
{
    struct vmm_relay_queue *q = &r->queue[queue];
    unsigned result = vmm_shadow_return(&q->shadow, WORK_LIMIT, WORK_BUDGET), forwarded = 0;
    uint16_t given = q->shadow.given;

    if (!(result & (VMM_SHADOW_BROKEN | VMM_SHADOW_ABSENT)))
        forwarded = vmm_shadow_forward(&q->shadow, q->budget);
    if (!(forwarded & VMM_SHADOW_AGAIN) || q->shadow.given != given)
        q->budget = WORK_BUDGET;
    else if (q->budget < q->max) /* a long chain is the next */
        q->budget *= 2;
    result |= forwarded;
    *absent = q->shadow.absent;
    settle(r, queue, result);
    return !(result & VMM_SHADOW_BROKEN) && result & VMM_SHADOW_ABSENT;
}

bool vmm_relay_work(struct vmm_relay *r, void (*look)(void))
{
    bool wanted = false, more;
    avc_ipa_t absent = 0;

    vmm_lock(&r->mmio.lock);
    if (r->todo) {
        uint64_t rest = r->todo & ~(bit(r->last) | (bit(r->last) - 1)); /* in turn: one that is busy stops no other */
        unsigned queue = (unsigned)__builtin_ctzll(rest ? rest : r->todo);

        r->last = queue;
        r->counts.works++;
        r->todo &= ~bit(queue);
        wanted = work_on(r, queue, &absent);
    }
    more = r->todo;
    vmm_unlock(&r->mmio.lock);
    if (wanted)
        vmm_ram_touch(r->ram, absent, look);
    return more;
}
