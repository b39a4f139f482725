/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* From an access of any width to whole 32-bit registers; see mmio.h. */
#include "mmio.h"

/*
 * A narrow load takes its bytes out of the register, a 64-bit one reads two, lower address first.
 * A store reaches a register only if it covers its lowest byte: the peripheral bus behind these
 * devices has no byte strobes, and the parts of a register beside that byte have no address.
 */
enum avc_answer vmm_mmio_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_mmio *dev = ctx;
    uint64_t result = 0;

    (void)vcpu;
    vmm_lock(&dev->lock);
    for (unsigned done = 0; done < e->size;) {
        uint64_t offset = e->key - dev->base + done;
        unsigned byte = offset % 4;
        unsigned bytes = 4 - byte < e->size - done ? 4 - byte : e->size - done;
        uint32_t mask = bytes == 4 ? UINT32_MAX : (UINT32_C(1) << 8 * bytes) - 1;

        if (offset >= dev->size) {
            break; /* the tail of an unaligned access: reads as zero */
        } else if (!e->write) {
            uint32_t value = dev->read(dev, (uint32_t)offset - byte) >> 8 * byte;

            result |= (uint64_t)(value & mask) << 8 * done;
        } else if (byte == 0) {
            dev->write(dev, (uint32_t)offset, (uint32_t)(e->value >> 8 * done) & mask);
        }
        done += bytes;
    }
    vmm_unlock(&dev->lock);
    return avc_done(e, e->write ? e->value : result);
}

void vmm_mmio_drive(struct vmm_mmio *dev, bool level)
{
    if (level == dev->line)
        return;
    dev->line = level;
    if (dev->irq)
        dev->irq(dev->irq_ctx, level);
}
