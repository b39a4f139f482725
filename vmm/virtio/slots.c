/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Transports without a device: all registers read 0 but those that say what a transport is, and stores do nothing. */
#include "virtio/slots.h"

enum { /* register offsets; virtio 1.2, 4.2.2 */
       MAGIC_VALUE = 0x00,
       VERSION = 0x04,
       VENDOR_ID = 0x0C
};

#define MAGIC  0x74726976u /* "virt" */
#define MODERN 2u
#define VENDOR 0x554D4551u /* as the `virt` machine has it: "QEMU" */

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    (void)dev;
    switch (offset % VMM_GUEST_VIRTIO_SIZE) {
    case MAGIC_VALUE:
        return MAGIC;
    case VERSION:
        return MODERN;
    case VENDOR_ID:
        return VENDOR;
    default:
        return 0;
    }
}

static void write(struct vmm_mmio *dev, uint32_t offset, uint32_t value)
{
    (void)dev;
    (void)offset;
    (void)value;
}

void vmm_slots_init(struct vmm_mmio *slots, uint64_t base)
{
    *slots = (struct vmm_mmio){ .base = base, .size = VMM_SLOTS_SIZE, .read = read, .write = write };
}
