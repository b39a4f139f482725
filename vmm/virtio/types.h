/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What the relay carries: types of devices, and feature bits. */
#ifndef VMM_VIRTIO_TYPES_H
#define VMM_VIRTIO_TYPES_H

#include <stdint.h>

/** Returns what a type of device (virtio 1.2, 5) is called. *why: NULL, or why the relay does not carry it. */
const char *vmm_virtio_type(uint32_t id, const char **why);

/** Returns those of a device's feature bits that a guest may see. */
uint64_t vmm_virtio_offered(uint64_t features);

/** Returns those of a device's feature bits that the relay itself accepts, whatever the guest does. */
uint64_t vmm_virtio_own(uint64_t features);

#endif
