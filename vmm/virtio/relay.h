/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A virtio device for the guest which is one of the board's. The guest has a virtio-mmio transport (virtio 1.2, 4.2)
 * that is emulated here. Behind it each queue is a shadow virtqueue (shadow.h), whose other end is a queue of the
 * board's device (board/virtio.h). The device's configuration is the guest's, too.
 *
 *     guest --- stores, loads ---> transport.c --- notifications ---> relay.c ---> shadow.c ---> the board's device
 *     guest <---- interrupt ------------------------------------------ relay.c <---- interrupt ---
 *
 * Who calls what, and what may take long:
 *
 * - vmm_relay_access() is called by the claim on the transport. It waits for nothing. A notification is settled there:
 *   requests are forwarded, as many as a small budget allows. What is left is for the device's task.
 * - Stores to Status and QueueReady are not settled in the claim: resetting a device and touching the memory of rings
 *   take long. The claim says AVC_EXIT, and the vCPU's loop calls vmm_relay_store().
 * - vmm_relay_interrupt() is called when the board's device interrupts. It gives back as much as a budget allows; what
 *   is left is for the task.
 * - vmm_relay_work() is what the device's task does, piece by piece.
 *
 * One lock for each device guards all of its state, but InterruptStatus, which is read without it. It is held for a
 * budget at most, with interrupts masked.
 *
 * What no correct driver does with a ring makes the guest's device DEVICE_NEEDS_RESET (2.1.2): it is counted, the first
 * is logged, and the device does nothing any more until the guest resets it.
 */
#ifndef VMM_VIRTIO_RELAY_H
#define VMM_VIRTIO_RELAY_H

#include <avc/state.h>

#include "board/board.h"
#include "dev/mmio.h"
#include "virtio/shadow.h"

#define VMM_RELAY_QUEUES 64    /* of a device, at most: the others are not there for the guest */
#define VMM_RELAY_RING   1024u /* entries of a ring, at most, the guest's and the device's */

/** Bytes of memory, at a multiple of 16, for a device's ring of `size` entries and what the relay knows of each. */
#define VMM_RELAY_RING_BYTES(size)                                                                                     \
    (VMM_DESC_BYTES(size) + VMM_AVAIL_BYTES(size) + 2 + VMM_USED_BYTES(size) + 6 + (size) * sizeof(struct vmm_slot))

struct vmm_relay_queue {
    struct vmm_shadow shadow;
    uint32_t max; /* entries of the device's ring, and at most of the guest's; 0: there is no such queue */
    uint32_t num; /* QueueNum, and the areas, as the guest has written them */
    uint64_t desc, avail, used;
    uint32_t budget; /* of the task, see there */
    bool ready;      /* QueueReady */
};

struct vmm_relay {
    struct vmm_mmio mmio; /* first. Its irq is the guest's */
    _Atomic uint32_t isr; /* InterruptStatus; changed under the lock */
    const struct vmm_transport *host;
    struct vmm_ram *ram;
    void (*later)(void *ctx); /* makes the task call vmm_relay_work(); with the lock held, on any CPU */
    void *later_ctx;
    uint32_t id, vendor;
    unsigned nr_queues;
    struct vmm_relay_queue *queue;
    uint64_t features, own; /* what the guest is offered; what the relay itself wants of the device */
    uint64_t accepted;      /* DriverFeatures */
    uint32_t status;
    uint32_t device_sel, driver_sel, queue_sel;
    uint64_t live; /* queues that are relayed: a bit for each */
    uint64_t todo; /* of these, those that the task is to look at */
    unsigned last; /* that it has looked at */
    bool busy;     /* a vCPU is in a store that takes long, and has dropped the lock */
    bool stuck;    /* the device does not end its reset */
    struct {
        uint32_t kicks, interrupts, works, resets, breaks;
    } counts;
};

struct vmm_relay_config {
    const struct vmm_transport *host; /* the board's, which vmm_virtio_probe() has accepted */
    uint32_t id;                      /* the device's type */
    uint64_t base;                    /* of the guest's transport */
    struct vmm_ram *ram;
    struct vmm_relay_queue *queue; /* room for the queues: VMM_RELAY_QUEUES at most */
    unsigned nr_queues;
    void *(*memory)(size_t bytes); /* for a ring: VMM_RELAY_RING_BYTES(), aligned; NULL: there is none */
    void (*irq)(void *ctx, bool level);
    void *irq_ctx;
    void (*later)(void *ctx);
    void *later_ctx;
};

/** Returns how many queues the board's device has: VMM_RELAY_QUEUES at most. */
unsigned vmm_relay_nr_queues(const struct vmm_transport *host);

/** Prepares the relay, and resets the board's device. Returns NULL, or what is wrong. */
const char *vmm_relay_init(struct vmm_relay *r, const struct vmm_relay_config *config);

/** The claim's answer to an access of the transport. AVC_EXIT: the VMM calls vmm_relay_store(). */
enum avc_answer vmm_relay_access(struct vmm_relay *r, struct avc_vcpu *vcpu, struct avc_exit *e);

/** Does a store that takes longer, in the loop of the vCPU that has stored. look: looks for interrupts, every few
    thousand instructions. offset: as vmm_relay_access() had it. */
void vmm_relay_store(struct vmm_relay *r, uint32_t offset, uint32_t value, void (*look)(void));

/** The board's device has interrupted. */
void vmm_relay_interrupt(struct vmm_relay *r);

/** A piece of the task's work. Returns true if there is more. The caller looks for interrupts between two calls. */
bool vmm_relay_work(struct vmm_relay *r, void (*look)(void));

/** Resets the device, the board's as well: none has memory of the guest's afterwards. Returns false if the board's does
    not end its reset. Any CPU, when no vCPU runs and no task is at work. */
bool vmm_relay_reset(struct vmm_relay *r, void (*look)(void));

/* ---- between transport.c, relay.c and control.c; the caller holds the lock ---- */

#define VMM_RELAY_BUDGET 64u /* of a queue's task to begin with: descriptors */

/** Sets the functions of r->mmio. */
void vmm_relay_transport(struct vmm_relay *r);

void vmm_relay_kick(struct vmm_relay *r, uint32_t queue);

/** A queue is broken. */
void vmm_relay_break(struct vmm_relay *r, unsigned queue);

/** Adds bits to InterruptStatus, or takes bits from it. The line follows. */
void vmm_relay_raise(struct vmm_relay *r, uint32_t bits);
void vmm_relay_lower(struct vmm_relay *r, uint32_t bits);

/* ---- saved state ---- */

struct vmm_relay_values {
    uint64_t base, features, accepted;
    uint32_t id, status, isr, device_sel, driver_sel, queue_sel;
    uint8_t ready[VMM_RELAY_QUEUES];
    uint16_t idx[VMM_RELAY_QUEUES]; /* of both rings: what was taken was given back */
    uint32_t num[VMM_RELAY_QUEUES];
    uint64_t desc[VMM_RELAY_QUEUES], avail[VMM_RELAY_QUEUES], used[VMM_RELAY_QUEUES];
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_relay_state;

/** Tells the state. Returns false while the device has requests, or while a store takes long. Any CPU. */
bool vmm_relay_get(struct vmm_relay *r, struct vmm_relay_values *values);

/** Takes a state over, of a relay that is as after its reset, and makes the board's device follow. Returns false if no
    relay of this device can be in that state; then it is as after a reset. In a task, no vCPU runs. */
bool vmm_relay_set(struct vmm_relay *r, const struct vmm_relay_values *values, void (*look)(void));

#endif
