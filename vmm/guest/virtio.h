/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's virtio devices: those of the board's, each behind a transport of the guest's. */
#ifndef VMM_GUEST_VIRTIO_H
#define VMM_GUEST_VIRTIO_H

#include "virtio/slots.h"

/** Looks for the board's devices, and gives the guest those that can be relayed. A device that cannot be is logged, by
    its name, with the reason. irq: drives the guest's interrupt; ctx is the transport's number. */
void vmm_guest_virtio_init(struct vmm_slots *slots, struct vmm_ram *ram, void (*irq)(void *ctx, bool level));

/** Resets all of them. Ends the run if one does not end its reset: it might still write to the memory. */
void vmm_guest_virtio_reset(const struct vmm_slots *slots);

#endif
