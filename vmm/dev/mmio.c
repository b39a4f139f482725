/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Turns an access of any width into accesses to whole 32-bit registers: see mmio.h. */
#include "mmio.h"

/*
 * A narrow load takes its bytes out of the register. A 64-bit one reads two registers, the lower address first. A store
 * reaches a register only if it covers its lowest byte. The peripheral bus behind these devices has no byte strobes,
 * and the other bytes of a register have no address.
 */
static uint64_t access_parts(struct vmm_mmio *dev, const struct avc_exit *e)
{
    uint64_t result = 0;

    for (unsigned done = 0; done < e->size;) {
        uint64_t offset = e->key - dev->base + done;
        unsigned byte = offset % 4;
        unsigned bytes = 4 - byte < e->size - done ? 4 - byte : e->size - done;
        uint32_t mask = vmm_mmio_mask(bytes);

        if (offset >= dev->size) {
            break; /* the tail of an unaligned access reads as zero */
        } else if (!e->write) {
            uint32_t value = dev->read(dev, (uint32_t)offset - byte) >> 8 * byte;

            result |= (uint64_t)(value & mask) << 8 * done;
        } else if (byte == 0) {
            dev->write(dev, (uint32_t)offset, (uint32_t)(e->value >> 8 * done) & mask);
        }
        done += bytes;
    }
    return e->write ? e->value : result;
}

enum avc_answer vmm_mmio_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_mmio *dev = ctx;
    uint32_t offset = (uint32_t)(e->key - dev->base);
    uint64_t value = e->value;

    (void)vcpu;
    vmm_lock(&dev->lock);
    if (!vmm_mmio_is_one(offset, e->size))
        value = access_parts(dev, e);
    else if (e->write)
        dev->write(dev, offset, (uint32_t)value & vmm_mmio_mask(e->size));
    else
        value = dev->read(dev, offset) & vmm_mmio_mask(e->size);
    vmm_unlock(&dev->lock);
    return avc_done(e, value);
}

void vmm_mmio_drive(struct vmm_mmio *dev, bool level)
{
    if (level == dev->line)
        return;
    dev->line = level;
    if (dev->irq)
        dev->irq(dev->irq_ctx, level);
}
