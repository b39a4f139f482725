/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The 32 virtio-mmio transports of the `virt` machine (virtio 1.2, 4.2). One without a device says so: DeviceID reads
 * 0, which tells a driver to go on to the next (4.2.2). Programs for that machine look at each of them, tree or no
 * tree.
 */
#ifndef VMM_VIRTIO_SLOTS_H
#define VMM_VIRTIO_SLOTS_H

#include "guest/map.h"
#include "virtio/relay.h"

#define VMM_SLOTS_SIZE (VMM_GUEST_VIRTIO_SLOTS * VMM_GUEST_VIRTIO_SIZE)

struct vmm_slots {
    struct vmm_mmio empty; /* all of the transports, as if none had a device */
    struct vmm_relay *relay[VMM_GUEST_VIRTIO_SLOTS];
};

/** Prepares the transports, without devices. The owner puts relays into them, each initialised for the transport's
    address, before the claim is made. */
void vmm_slots_init(struct vmm_slots *slots, uint64_t base);

/** The claim's function. ctx is the struct vmm_slots. */
avc_claim_fn vmm_slots_access;

/** An MMIO event that came to the VMM. Is it one of a transport? Then the event is answered. It takes as long as a
    reset of a device. look: see vmm_relay_store(). */
bool vmm_slots_exit(struct vmm_slots *slots, struct avc_exit *e, void (*look)(void));

#endif
