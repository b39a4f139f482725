/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The 32 virtio-mmio transports of the `virt` machine (virtio 1.2, 4.2). None has a device: DeviceID reads 0, which
 * tells a driver to go on to the next (4.2.2). Programs for that machine look at each of them, tree or no tree.
 */
#ifndef VMM_VIRTIO_SLOTS_H
#define VMM_VIRTIO_SLOTS_H

#include "dev/mmio.h"
#include "guest/map.h"

#define VMM_SLOTS_SIZE (VMM_GUEST_VIRTIO_SLOTS * VMM_GUEST_VIRTIO_SIZE)

/** Prepares the transports as one device. The claim's function is vmm_mmio_access(). They have no state. */
void vmm_slots_init(struct vmm_mmio *slots, uint64_t base);

#endif
