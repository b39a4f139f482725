/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The driver of the board's virtio devices, behind virtio-mmio transports (virtio 1.2, 4.2). It knows registers, and
 * nothing of what is in a queue. The caller serialises calls for one device. Every function may be called in a claim.
 */
#ifndef VMM_BOARD_VIRTIO_H
#define VMM_BOARD_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "board/mmio.h"
#include "virtio/regs.h"

/** Is there a device? Returns its type (5), or 0: there is none. *why: NULL, or why it cannot be driven. */
uint32_t vmm_virtio_probe(const struct vmm_transport *t, const char **why);

static inline uint32_t vmm_virtio_status(const struct vmm_transport *t)
{
    return mmio_read32(t->base + VIRTIO_STATUS);
}

/** Begins a reset, or goes on waiting for its end, for some hundred reads of a register at most. Returns true when the
    device is reset: it accesses no memory any more. */
bool vmm_virtio_reset(const struct vmm_transport *t);

uint32_t vmm_virtio_vendor(const struct vmm_transport *t);
uint64_t vmm_virtio_features(const struct vmm_transport *t);

/** After a reset: says which features the driver wants. Returns false if the device does not want them so. */
bool vmm_virtio_accept(const struct vmm_transport *t, uint64_t features);

/** The device may use its queues from now on. */
void vmm_virtio_go(const struct vmm_transport *t);

/** Returns the most entries that a queue's ring may have; 0: there is no such queue. */
uint32_t vmm_virtio_queue_max(const struct vmm_transport *t, uint32_t queue);

/** Gives the device a queue: its ring's entries, and where its three areas are. */
void vmm_virtio_queue_start(const struct vmm_transport *t, uint32_t queue, uint32_t size, const void *desc,
                            const void *avail, const void *used);

/** Takes the queue from the device. What it has of it, it may go on with until it is reset. */
void vmm_virtio_queue_stop(const struct vmm_transport *t, uint32_t queue);

/** Tells the device that there are requests. They and idx were written before, and a DMB OSH has followed. */
static inline void vmm_virtio_notify(const struct vmm_transport *t, uint32_t queue)
{
    mmio_write32(t->base + VIRTIO_QUEUE_NOTIFY, queue);
}

/** Acknowledges the device's interrupts, and returns what they were: VIRTIO_INT_... . The line is low afterwards, so
    that what comes later is an edge again. */
uint32_t vmm_virtio_interrupts(const struct vmm_transport *t);

/** Accesses the device's configuration: 1, 2 or 4 bytes, aligned. */
uint32_t vmm_virtio_config_read(const struct vmm_transport *t, uint32_t offset, unsigned bytes);
void vmm_virtio_config_write(const struct vmm_transport *t, uint32_t offset, uint32_t value, unsigned bytes);
uint32_t vmm_virtio_config_generation(const struct vmm_transport *t);

#endif
