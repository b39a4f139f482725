/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A shadow virtqueue: the relay's core. The guest has a split ring (virtio 1.2, 2.7) in its memory. The board's device
 * has another one, in memory of the host. Requests of the guest's ring are put into the device's ring, with addresses
 * translated and cut where memory is not contiguous; what the device has used goes back. The data stays where it is: no
 * byte of it is read, written or copied.
 *
 *     guest's ring --- vmm_shadow_forward() ---> device's ring ---> the device
 *     guest's ring <-- vmm_shadow_return() ----- device's ring <--- the device
 *
 * The guest owns its ring, and is not trusted. Each field is read once, into a copy, and the copy is checked. What no
 * correct driver does breaks the queue: it is counted, nothing more is done for this queue, and the transport sets
 * DEVICE_NEEDS_RESET. No request is forwarded by half.
 *
 * The caller serialises all calls on one queue, and owns all storage. Every function may be called in a claim: it waits
 * for nothing, and is bounded by the budget that it is given. What takes longer it leaves to a task of the caller's.
 *
 * Costs, in instructions at EL2, there and back: some 180 for a request, and 80 for each of its descriptors. The
 * goals, with traps and interrupts, are 500 for a read of 4 KiB at depth 32, and 600 for a packet in bursts of 32.
 * tests/guest/shadow counts what this part takes of it. What touches idx and event words, and every barrier, is done
 * once a batch. No table of translations is searched: the memory's own map of blocks is one.
 *
 * Memory order. Guest and EL2 are CPUs of one Inner Shareable domain: acquire and release will do. The device is an
 * observer of its own: DMB OSH orders accesses to its ring. It must be coherent with the CPUs' caches (`dma-coherent`
 * in the board's tree, as QEMU's has it); the queue does no cache maintenance. A guest with its caches off does not see
 * what EL2 writes into its ring, as on any coherent host.
 */
#ifndef VMM_VIRTIO_SHADOW_H
#define VMM_VIRTIO_SHADOW_H

#include <avc/state.h>

#include "guest/ram.h"

#define VMM_QUEUE_MAX 32768u /* entries of a ring (virtio 1.2, 2.7) */

/** Bytes and alignment of the three areas of a ring with `size` entries. */
#define VMM_DESC_BYTES(size)  (16u * (size))
#define VMM_AVAIL_BYTES(size) (6u + 2u * (size))
#define VMM_USED_BYTES(size)  (6u + 8u * (size))
#define VMM_DESC_ALIGN        16u
#define VMM_AVAIL_ALIGN       2u
#define VMM_USED_ALIGN        4u

/** Why a queue is broken. */
#define VMM_SHADOW_FAULTS(X)                                                                                           \
    X(VMM_SHADOW_SIZE, "the ring's size is no power of two, or too big")                                               \
    X(VMM_SHADOW_ALIGN, "an area of the ring is not aligned")                                                          \
    X(VMM_SHADOW_AREA, "an area of the ring is not in memory, or not contiguous there")                                \
    X(VMM_SHADOW_AVAIL, "more requests are available than the ring has entries, or idx went backwards")                \
    X(VMM_SHADOW_INDEX, "the index of a descriptor is out of range")                                                   \
    X(VMM_SHADOW_CHAIN, "a chain is longer than the ring, or loops")                                                   \
    X(VMM_SHADOW_ZERO, "a buffer has no bytes")                                                                        \
    X(VMM_SHADOW_LENGTH, "a chain has more than 2^32 bytes")                                                           \
    X(VMM_SHADOW_ORDER, "a buffer to be read is behind one to be written")                                             \
    X(VMM_SHADOW_INDIRECT, "an indirect descriptor where none may be, or with a table of a wrong size")                \
    X(VMM_SHADOW_TABLE, "an indirect table is not in memory, or not contiguous there")                                 \
    X(VMM_SHADOW_MEMORY, "a buffer is not in memory")                                                                  \
    X(VMM_SHADOW_PIECES, "a chain is in more pieces than the device's ring has entries")                               \
    X(VMM_SHADOW_DEVICE, "the device has returned what it was not given")

enum vmm_shadow_fault {
    VMM_SHADOW_FINE,
#define VMM_SHADOW_ENUM(name, text) name,
    VMM_SHADOW_FAULTS(VMM_SHADOW_ENUM)
#undef VMM_SHADOW_ENUM
        VMM_SHADOW_NR_FAULTS
};

/** What is to be done after a call: bits. */
#define VMM_SHADOW_NOTIFY    1u  /* tell the device: write its QueueNotify, after the stores of the call (DMB OSHST) */
#define VMM_SHADOW_INTERRUPT 2u  /* interrupt the guest: a buffer was used */
#define VMM_SHADOW_AGAIN     4u  /* more waits than the budget allowed: call again, later */
#define VMM_SHADOW_ABSENT    8u  /* memory at `absent` was never touched: vmm_ram_touch() in a task, then call again */
#define VMM_SHADOW_BROKEN    16u /* the queue is broken: `fault` says why */

/** A descriptor of the device's ring. */
struct vmm_slot {
    /* The buffer, if somebody is to be told of what is written to it: otherwise not set. It has no bytes if the
       descriptor in front has the same buffer's beginning. */
    struct vmm_pin pin;
    uint16_t next; /* the next one of the chain, or of those that are free */
    uint16_t last; /* of a chain's first: its last */
    uint16_t head; /* of a chain's first: the guest's index of it */
    uint16_t nr;   /* of a chain's first: descriptors in it; otherwise 0 */
    uint16_t pins; /* of a chain's first: buffers */
};

/** One of the two rings, as EL2 sees it. */
struct vmm_ring {
    uint8_t *desc, *avail, *used;
    uint16_t mask; /* entries - 1 */
    bool event_idx;
};

struct vmm_shadow {
    struct vmm_ram *ram;
    struct vmm_ring guest, device;
    struct vmm_slot *slot; /* one for each entry of the device's ring */
    bool started, indirect;
    bool stalled;                          /* a request waits for room in the device's ring */
    uint16_t seen, used;                   /* how far the guest's avail and used rings are */
    uint16_t given, got;                   /* how far the device's are */
    uint16_t free, nr_free;                /* descriptors of the device's ring */
    uint32_t pins, unpins;                 /* of this call, that do not count yet */
    struct vmm_pin area[3];                /* of the guest's ring: desc, avail, used */
    avc_ipa_t absent;                      /* see VMM_SHADOW_ABSENT */
    enum vmm_shadow_fault fault;           /* since the last start */
    uint32_t faults[VMM_SHADOW_NR_FAULTS]; /* how often each was found, since init */
};

/** How the guest has set a queue up. */
struct vmm_shadow_config {
    avc_ipa_t desc, avail, used;
    uint32_t size;
    bool event_idx, indirect; /* VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC: negotiated with the guest */
};

/**
 * Prepares a queue. `size` is the number of entries of the device's ring, a power of two up to VMM_QUEUE_MAX; `desc`,
 * `avail` and `used` are its areas, aligned and of the bytes above, in memory that the device may access, and `slot`
 * has as many entries. event_idx: negotiated with the device.
 */
void vmm_shadow_init(struct vmm_shadow *q, struct vmm_ram *ram, void *desc, void *avail, void *used,
                     struct vmm_slot *slot, uint32_t size, bool event_idx);

/** The guest has made the queue ready. Both rings start anew; the device's own queue is set up afterwards. Returns 0,
    BROKEN, or ABSENT: then nothing has started. */
unsigned vmm_shadow_start(struct vmm_shadow *q, const struct vmm_shadow_config *config);

/**
 * Forwards what the guest has made available. budget: descriptors of the device's ring that this call may fill. A chain
 * that needs more waits; with as many as the device's ring has entries, each chain can go.
 * Returns NOTIFY, AGAIN, ABSENT, BROKEN.
 */
unsigned vmm_shadow_forward(struct vmm_shadow *q, unsigned budget);

/**
 * Gives back what the device has used, at most `limit` requests, and then forwards requests that waited for room in the
 * device's ring, with `budget` as above.
 * Returns INTERRUPT, NOTIFY, AGAIN, ABSENT, BROKEN.
 */
unsigned vmm_shadow_return(struct vmm_shadow *q, unsigned limit, unsigned budget);

/** Forgets all requests and the guest's ring. The device was reset, and accesses no memory of this queue any more. */
void vmm_shadow_stop(struct vmm_shadow *q);

/** Returns what a fault is, in words. */
const char *vmm_shadow_fault_text(enum vmm_shadow_fault fault);

/* ---- saved state ---- */

struct vmm_shadow_values {
    uint64_t desc, avail, used;
    uint32_t size;
    uint16_t idx; /* of both rings: what was taken was given back */
    uint8_t started, event_idx, indirect;
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_shadow_state;

/** Tells the queue's state. Returns false while the device has requests, or if the queue is broken. */
bool vmm_shadow_get(const struct vmm_shadow *q, struct vmm_shadow_values *values);

/** Takes a state over; the queue is stopped. Returns 0; BROKEN if no queue can be in that state, or ABSENT: then it is
    still stopped. After 0 the caller makes the device's own queue ready, and calls vmm_shadow_forward(). */
unsigned vmm_shadow_set(struct vmm_shadow *q, const struct vmm_shadow_values *values);

#endif
