/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The two rings of a shadow virtqueue: indices, events, start and stop. chain.c has what is done with one request. */
#include "virtio/shadow.h"

#include <string.h>

#include "boot/cpu.h"
#include "dev/mmio.h"
#include "virtio/chain.h"

static const char *const fault_text[] = { "",
#define TEXT(name, text) text,
                                          VMM_SHADOW_FAULTS(TEXT)
#undef TEXT
};

const char *vmm_shadow_fault_text(enum vmm_shadow_fault fault)
{
    return fault_text[fault];
}

/* Did idx pass the event on its way from `before` to `now`? All are of 16 bits and wrap (virtio 1.2, 2.7.7.2). */
static bool passed(uint16_t event, uint16_t before, uint16_t now)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

/* ---- from the guest to the device ---- */

/* Shows the device the requests from `before` on. Returns NOTIFY if it wants to be told. */
static unsigned publish(struct vmm_shadow *q, uint16_t before)
{
    if (q->given == before)
        return 0;
    vmm_dma_wmb(); /* descriptors and entries before idx */
    vmm_ring_write16(q->device.avail + RING_IDX, q->given);
    vmm_dma_mb(); /* idx before the event: the device writes the event and then reads idx */
    if (q->device.event_idx ? passed(vmm_ring_read16(avail_event(&q->device)), before, q->given)
                            : !(vmm_ring_read16(q->device.used + RING_FLAGS) & USED_NO_NOTIFY))
        return VMM_SHADOW_NOTIFY;
    return 0;
}

static uint16_t avail_idx(const struct vmm_shadow *q)
{
    uint16_t idx = vmm_ring_read16(q->guest.avail + RING_IDX);

    atomic_thread_fence(memory_order_acquire); /* before entries and descriptors are read */
    return idx;
}

/* Asks for a notification of the next request. Returns true if it has come meanwhile. */
static bool ask_for_next(struct vmm_shadow *q)
{
    if (!q->guest.event_idx)
        return false; /* the guest tells of each */
    vmm_ring_write16(avail_event(&q->guest), q->seen);
    vmm_ram_wrote(q->ram, &q->area[2]);
    atomic_thread_fence(memory_order_seq_cst); /* the event before idx: the guest writes idx and then reads the event */
    return vmm_ring_read16(q->guest.avail + RING_IDX) != q->seen;
}

/* Takes chains up to idx. Returns false when it must stop before that, and says why in *result. */
static bool take_until(struct vmm_shadow *q, uint16_t idx, unsigned *budget, unsigned *result)
{
    while (q->seen != idx) {
        enum vmm_taken taken =
            *budget ? vmm_chain_take(q, vmm_ring_read16(avail_entry(&q->guest, q->seen)), budget) : VMM_TOO_BIG;

        if (taken != VMM_TAKEN) {
            q->stalled = taken == VMM_NO_ROOM; /* then vmm_shadow_return() goes on */
            *result |= taken == VMM_BROKEN    ? VMM_SHADOW_BROKEN
                       : taken == VMM_ABSENT  ? VMM_SHADOW_ABSENT
                       : taken == VMM_TOO_BIG ? VMM_SHADOW_AGAIN
                                              : 0;
            return false;
        }
        q->seen++;
    }
    return true;
}

unsigned vmm_shadow_forward(struct vmm_shadow *q, unsigned budget)
{
    uint16_t before = q->given;
    unsigned result = 0;

    if (q->fault)
        return VMM_SHADOW_BROKEN;
    if (!q->started)
        return 0;
    q->stalled = false;
    do {
        uint16_t idx = avail_idx(q), ahead = (uint16_t)(idx - q->seen);

        /* Those that the guest has not got back are its ring's, too. */
        if (ahead > q->guest.mask + 1u - (uint16_t)(q->seen - q->used)) {
            vmm_chain_count(q); /* of rounds before */
            return vmm_shadow_break(q, VMM_SHADOW_AVAIL);
        }
        if (!take_until(q, idx, &budget, &result))
            break;
    } while (ask_for_next(q));
    vmm_chain_count(q);
    return result & VMM_SHADOW_BROKEN ? result : result | publish(q, before);
}

/* ---- from the device to the guest ---- */

/* One used element. Returns false if it is none of the device's. */
static bool give_back(struct vmm_shadow *q)
{
    const uint8_t *from = used_entry(&q->device, q->got);
    uint8_t *to = used_entry(&q->guest, q->used);
    uint32_t first = vmm_ring_read32(from);

    if (first > q->device.mask || !q->slot[first].nr)
        return false;
    vmm_ring_write32(to, q->slot[first].head);
    vmm_ring_write32(to + 4, vmm_ring_read32(from + 4));
    vmm_chain_release(q, (uint16_t)first);
    q->got++;
    q->used++;
    return true;
}

static uint16_t device_idx(const struct vmm_shadow *q)
{
    uint16_t idx = vmm_ring_read16(q->device.used + RING_IDX);

    vmm_dma_rmb(); /* before the elements, and before what the device wrote for the guest */
    return idx;
}

/* Asks the device for an interrupt at the next buffer that it uses. Returns true if it has used one meanwhile. */
static bool ask_for_used(struct vmm_shadow *q)
{
    if (!q->device.event_idx)
        return false; /* it tells of each */
    vmm_ring_write16(used_event(&q->device), q->got);
    vmm_dma_mb();
    return vmm_ring_read16(q->device.used + RING_IDX) != q->got;
}

/* Shows the guest what was used from `before` on. Returns INTERRUPT if it wants to be told. */
static unsigned show(struct vmm_shadow *q, uint16_t before)
{
    if (q->used == before)
        return 0;
    atomic_thread_fence(memory_order_release); /* elements before idx */
    vmm_ring_write16(q->guest.used + RING_IDX, q->used);
    vmm_ram_wrote(q->ram, &q->area[2]);
    atomic_thread_fence(memory_order_seq_cst); /* idx before the event: the guest writes the event and then reads idx */
    if (q->guest.event_idx ? passed(vmm_ring_read16(used_event(&q->guest)), before, q->used)
                           : !(vmm_ring_read16(q->guest.avail + RING_FLAGS) & AVAIL_NO_INTERRUPT))
        return VMM_SHADOW_INTERRUPT;
    return 0;
}

/* Returns AGAIN if the limit was not enough, BROKEN if the device is. */
static unsigned give_back_all(struct vmm_shadow *q, unsigned limit)
{
    do {
        for (uint16_t idx = device_idx(q); q->got != idx; limit--) {
            if (!limit)
                return VMM_SHADOW_AGAIN;
            if (!give_back(q))
                return vmm_shadow_break(q, VMM_SHADOW_DEVICE);
        }
    } while (ask_for_used(q));
    return 0;
}

unsigned vmm_shadow_return(struct vmm_shadow *q, unsigned limit, unsigned budget)
{
    uint16_t before = q->used;
    unsigned result;

    if (q->fault)
        return VMM_SHADOW_BROKEN;
    if (!q->started)
        return 0;
    result = give_back_all(q, limit);
    vmm_chain_count(q);
    if (result & VMM_SHADOW_BROKEN)
        return result;
    result |= show(q, before);
    return q->stalled && q->used != before ? result | vmm_shadow_forward(q, budget) : result;
}

/* ---- start and stop ---- */

void vmm_shadow_init(struct vmm_shadow *q, struct vmm_ram *ram, void *desc, void *avail, void *used,
                     struct vmm_slot *slot, uint32_t size, bool event_idx)
{
    *q = (struct vmm_shadow){
        .ram = ram,
        .device = { .desc = desc, .avail = avail, .used = used, .mask = (uint16_t)(size - 1), .event_idx = event_idx },
        .slot = slot,
    };
}

/* The device's ring is empty, and all of its descriptors are free. The device is told of it after this. */
static void empty(struct vmm_shadow *q)
{
    uint32_t size = q->device.mask + 1u;

    memset(q->device.avail, 0, VMM_AVAIL_BYTES(size));
    memset(q->device.used, 0, VMM_USED_BYTES(size));
    for (uint32_t i = 0; i < size; i++)
        q->slot[i] = (struct vmm_slot){ .next = (uint16_t)(i + 1) };
    q->free = 0;
    q->nr_free = (uint16_t)size;
    q->given = q->got = 0;
}

/* Pins an area of the guest's ring. Returns where EL2 sees it, or NULL: then *result says why. */
static uint8_t *pin_area(struct vmm_shadow *q, unsigned n, unsigned *result)
{
    struct vmm_piece piece;
    unsigned nr = 1;
    enum vmm_pinned pinned = vmm_ram_pin(q->ram, &q->area[n], NULL, &piece, &nr, &q->absent);

    if (!pinned)
        return (uint8_t *)(uintptr_t)piece.pa;
    *result = pinned == VMM_PIN_ABSENT ? VMM_SHADOW_ABSENT : vmm_shadow_break(q, VMM_SHADOW_AREA);
    return NULL;
}

/* All three, or none. */
static unsigned pin_areas(struct vmm_shadow *q)
{
    uint8_t **at[] = { &q->guest.desc, &q->guest.avail, &q->guest.used };
    unsigned result = 0;

    for (unsigned n = 0; n < 3; n++) {
        *at[n] = pin_area(q, n, &result);
        if (result) {
            while (n--)
                vmm_ram_unpin(q->ram, &q->area[n]);
            break;
        }
    }
    return result;
}

unsigned vmm_shadow_start(struct vmm_shadow *q, const struct vmm_shadow_config *config)
{
    uint32_t size = config->size;
    unsigned result;

    q->fault = VMM_SHADOW_FINE;
    if (!size || size > VMM_QUEUE_MAX || size & (size - 1))
        return vmm_shadow_break(q, VMM_SHADOW_SIZE);
    if (config->desc % VMM_DESC_ALIGN || config->avail % VMM_AVAIL_ALIGN || config->used % VMM_USED_ALIGN)
        return vmm_shadow_break(q, VMM_SHADOW_ALIGN);
    q->area[0] = (struct vmm_pin){ config->desc, VMM_DESC_BYTES(size), false };
    q->area[1] = (struct vmm_pin){ config->avail, VMM_AVAIL_BYTES(size), false };
    q->area[2] = (struct vmm_pin){ config->used, VMM_USED_BYTES(size), true };
    result = pin_areas(q);
    if (result)
        return result;
    q->guest.mask = (uint16_t)(size - 1);
    q->guest.event_idx = config->event_idx;
    q->indirect = config->indirect;
    q->seen = q->used = 0;
    q->stalled = false;
    empty(q);
    q->started = true;
    return 0;
}

void vmm_shadow_stop(struct vmm_shadow *q)
{
    q->fault = VMM_SHADOW_FINE;
    if (!q->started)
        return;
    q->started = false;
    for (uint32_t i = 0; i <= q->device.mask; i++)
        if (q->slot[i].nr)
            vmm_chain_release(q, (uint16_t)i);
    vmm_chain_count(q);
    for (unsigned n = 0; n < 3; n++)
        vmm_ram_unpin(q->ram, &q->area[n]);
}

/* ---- saved state ---- */

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_NEEDED, struct vmm_shadow_values, started, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_shadow_values, size, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_shadow_values, desc, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_shadow_values, avail, 1),
    AVC_STATE_ROW(4, AVC_STATE_NEEDED, struct vmm_shadow_values, used, 1),
    AVC_STATE_ROW(5, AVC_STATE_NEEDED, struct vmm_shadow_values, event_idx, 1),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct vmm_shadow_values, indirect, 1),
    AVC_STATE_ROW(7, AVC_STATE_NEEDED, struct vmm_shadow_values, idx, 1),
};

const struct avc_state_model vmm_shadow_state = { .id = VMM_STATE_SHADOW,
                                                  .nr = sizeof(fields) / sizeof(fields[0]),
                                                  .field = fields };

bool vmm_shadow_get(const struct vmm_shadow *q, struct vmm_shadow_values *values)
{
    *values = (struct vmm_shadow_values){ .started = false };
    if (q->fault || (q->started && q->nr_free != q->device.mask + 1u))
        return false;
    if (q->started)
        *values = (struct vmm_shadow_values){
            .desc = q->area[0].from,
            .avail = q->area[1].from,
            .used = q->area[2].from,
            .size = q->guest.mask + 1u,
            .idx = q->used,
            .started = true,
            .event_idx = q->guest.event_idx,
            .indirect = q->indirect,
        };
    return true;
}

/* The device had no requests, so what was taken was given back. */
unsigned vmm_shadow_set(struct vmm_shadow *q, const struct vmm_shadow_values *values)
{
    struct vmm_shadow_config config = {
        .desc = values->desc,
        .avail = values->avail,
        .used = values->used,
        .size = values->size,
        .event_idx = values->event_idx,
        .indirect = values->indirect,
    };
    unsigned result;

    if (values->started > 1 || values->event_idx > 1 || values->indirect > 1)
        return VMM_SHADOW_BROKEN;
    if (!values->started)
        return 0;
    result = vmm_shadow_start(q, &config);
    if (result) {
        q->fault = VMM_SHADOW_FINE;
        return result;
    }
    q->seen = q->used = values->idx;
    return 0;
}
