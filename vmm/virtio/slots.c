/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Which transport an access is for. All registers of a transport without a device read 0 but those that say what a
 * transport is, and stores do nothing.
 */
#include "virtio/slots.h"

#include "virtio/regs.h"

#define VENDOR 0x554D4551u /* as the `virt` machine has it: "QEMU" */

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    (void)dev;
    switch (offset % VMM_GUEST_VIRTIO_SIZE) {
    case VIRTIO_MAGIC_VALUE:
        return VIRTIO_MAGIC;
    case VIRTIO_VERSION:
        return VIRTIO_MODERN;
    case VIRTIO_VENDOR_ID:
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

void vmm_slots_init(struct vmm_slots *slots, uint64_t base)
{
    *slots = (struct vmm_slots){ .empty = { .base = base, .size = VMM_SLOTS_SIZE, .read = read, .write = write } };
}

/* An access that begins in one transport and ends in the next is the first one's. */
enum avc_answer vmm_slots_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_slots *slots = ctx;
    struct vmm_relay *r = slots->relay[(e->key - slots->empty.base) / VMM_GUEST_VIRTIO_SIZE];

    return r ? vmm_relay_access(r, vcpu, e) : vmm_mmio_access(vcpu, e, &slots->empty);
}

bool vmm_slots_exit(struct vmm_slots *slots, struct avc_exit *e, void (*look)(void))
{
    uint64_t offset = e->key - slots->empty.base;
    struct vmm_relay *r = offset < VMM_SLOTS_SIZE ? slots->relay[offset / VMM_GUEST_VIRTIO_SIZE] : NULL;

    if (!r || e->kind != AVC_MMIO || !e->write)
        return false;
    vmm_relay_store(r, offset % VMM_GUEST_VIRTIO_SIZE, (uint32_t)e->value, look);
    avc_done(e, e->value);
    return true;
}
