/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the files of the shadow virtqueue share: the layout of split rings, and the taking of one chain. */
#ifndef VMM_VIRTIO_CHAIN_H
#define VMM_VIRTIO_CHAIN_H

#include "virtio/access.h"
#include "virtio/shadow.h"

/* struct virtq_desc (virtio 1.2, 2.7.5): addr, then len, flags and next in one doubleword. */
#define DESC_SIZE       16u
#define DESC_F_NEXT     1u
#define DESC_F_WRITE    2u
#define DESC_F_INDIRECT 4u

/* struct virtq_avail (2.7.6), struct virtq_used (2.7.8) */
#define RING_FLAGS         0u
#define RING_IDX           2u
#define RING_ENTRY         4u
#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY     1u

static inline uint8_t *avail_entry(const struct vmm_ring *r, uint16_t n)
{
    return r->avail + RING_ENTRY + 2u * (n & r->mask);
}

static inline uint8_t *used_entry(const struct vmm_ring *r, uint16_t n)
{
    return r->used + RING_ENTRY + 8u * (n & r->mask);
}

/* Behind the last entry of either ring. */
static inline uint8_t *used_event(const struct vmm_ring *r)
{
    return r->avail + RING_ENTRY + 2u * (r->mask + 1u);
}

static inline uint8_t *avail_event(const struct vmm_ring *r)
{
    return r->used + RING_ENTRY + 8u * (r->mask + 1u);
}

/* What becomes of a chain. */
enum vmm_taken {
    VMM_TAKEN,
    VMM_TOO_BIG, /* for the budget */
    VMM_NO_ROOM, /* in the device's ring, now */
    VMM_ABSENT,  /* memory at q->absent was never touched */
    VMM_BROKEN,  /* q->fault says why */
};

/** Makes the pins and releases of the calls below count. Before a device is told of a range, or the guest. */
static inline void vmm_chain_count(struct vmm_shadow *q)
{
    if (q->pins)
        vmm_ram_count_pins(q->ram, q->pins);
    if (q->unpins)
        vmm_ram_count_unpins(q->ram, q->unpins);
    q->pins = q->unpins = 0;
}

/** Takes the chain that begins with the guest's descriptor `head` into the device's ring, or leaves everything as it
    was. *budget: descriptors that it may fill; what it fills is taken off. */
enum vmm_taken vmm_chain_take(struct vmm_shadow *q, uint16_t head, unsigned *budget);

/** Frees the chain that begins with the device's descriptor `first`: the device is done with it. */
void vmm_chain_release(struct vmm_shadow *q, uint16_t first);

/** Notes why the queue is broken. Returns VMM_SHADOW_BROKEN. */
static inline unsigned vmm_shadow_break(struct vmm_shadow *q, enum vmm_shadow_fault fault)
{
    q->fault = fault;
    q->faults[fault]++;
    return VMM_SHADOW_BROKEN;
}

#endif
