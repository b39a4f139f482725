/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The board's virtio devices; see virtio.h. */
#include "board/virtio.h"

#include <stddef.h>

#include "boot/cpu.h"

uint32_t vmm_virtio_probe(const struct vmm_transport *t, const char **why)
{
    uint32_t id, version;

    *why = NULL;
    if (mmio_read32(t->base + VIRTIO_MAGIC_VALUE) != VIRTIO_MAGIC)
        return 0;
    id = mmio_read32(t->base + VIRTIO_DEVICE_ID);
    version = mmio_read32(t->base + VIRTIO_VERSION);
    if (!id)
        return 0;
    if (version != VIRTIO_MODERN)
        *why = version == 1 ? "its transport is legacy (QEMU: -global virtio-mmio.force-legacy=false)"
                            : "its transport is of an unknown version";
    else if (!t->coherent)
        *why = "it is not coherent with the CPUs' caches (dma-coherent)";
    else if (t->iommu)
        *why = "it is behind an IOMMU";
    return id;
}

/* The device is reset when Status reads 0 (2.4.1, 4.2.3.1). */
#define RESET_READS 200

bool vmm_virtio_reset(const struct vmm_transport *t)
{
    mmio_write32(t->base + VIRTIO_STATUS, 0);
    for (unsigned i = 0; i < RESET_READS; i++)
        if (!vmm_virtio_status(t))
            return true;
    return false;
}

uint32_t vmm_virtio_vendor(const struct vmm_transport *t)
{
    return mmio_read32(t->base + VIRTIO_VENDOR_ID);
}

uint64_t vmm_virtio_features(const struct vmm_transport *t)
{
    uint64_t features;

    mmio_write32(t->base + VIRTIO_DEVICE_FEATURES_SEL, 1);
    features = (uint64_t)mmio_read32(t->base + VIRTIO_DEVICE_FEATURES) << 32;
    mmio_write32(t->base + VIRTIO_DEVICE_FEATURES_SEL, 0);
    return features | mmio_read32(t->base + VIRTIO_DEVICE_FEATURES);
}

static void add_status(const struct vmm_transport *t, uint32_t bit)
{
    mmio_write32(t->base + VIRTIO_STATUS, vmm_virtio_status(t) | bit);
}

/* In the order of 3.1.1. */
bool vmm_virtio_accept(const struct vmm_transport *t, uint64_t features)
{
    add_status(t, VIRTIO_S_ACKNOWLEDGE);
    add_status(t, VIRTIO_S_DRIVER);
    mmio_write32(t->base + VIRTIO_DRIVER_FEATURES_SEL, 1);
    mmio_write32(t->base + VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
    mmio_write32(t->base + VIRTIO_DRIVER_FEATURES_SEL, 0);
    mmio_write32(t->base + VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    add_status(t, VIRTIO_S_FEATURES_OK);
    return vmm_virtio_status(t) & VIRTIO_S_FEATURES_OK;
}

void vmm_virtio_go(const struct vmm_transport *t)
{
    add_status(t, VIRTIO_S_DRIVER_OK);
}

uint32_t vmm_virtio_queue_max(const struct vmm_transport *t, uint32_t queue)
{
    mmio_write32(t->base + VIRTIO_QUEUE_SEL, queue);
    return mmio_read32(t->base + VIRTIO_QUEUE_NUM_MAX);
}

static void write_address(const struct vmm_transport *t, uint32_t offset, const void *p)
{
    uint64_t address = (uintptr_t)p; /* EL2 sees memory at its physical address */

    mmio_write32(t->base + offset, (uint32_t)address);
    mmio_write32(t->base + offset + 4, (uint32_t)(address >> 32));
}

void vmm_virtio_queue_start(const struct vmm_transport *t, uint32_t queue, uint32_t size, const void *desc,
                            const void *avail, const void *used)
{
    mmio_write32(t->base + VIRTIO_QUEUE_SEL, queue);
    mmio_write32(t->base + VIRTIO_QUEUE_NUM, size);
    write_address(t, VIRTIO_QUEUE_DESC_LOW, desc);
    write_address(t, VIRTIO_QUEUE_DRIVER_LOW, avail);
    write_address(t, VIRTIO_QUEUE_DEVICE_LOW, used);
    vmm_dma_wmb(); /* the ring was cleared before the device may look at it */
    mmio_write32(t->base + VIRTIO_QUEUE_READY, 1);
}

void vmm_virtio_queue_stop(const struct vmm_transport *t, uint32_t queue)
{
    mmio_write32(t->base + VIRTIO_QUEUE_SEL, queue);
    mmio_write32(t->base + VIRTIO_QUEUE_READY, 0);
    (void)mmio_read32(t->base + VIRTIO_QUEUE_READY); /* 4.2.2.2: the driver reads it back */
}

/* A device that always has another one is broken, and must not keep the CPU. */
#define INTERRUPT_ROUNDS 16

uint32_t vmm_virtio_interrupts(const struct vmm_transport *t)
{
    uint32_t all = 0;

    for (unsigned i = 0; i < INTERRUPT_ROUNDS; i++) {
        uint32_t bits = mmio_read32(t->base + VIRTIO_INTERRUPT_STATUS);

        if (!bits)
            break;
        mmio_write32(t->base + VIRTIO_INTERRUPT_ACK, bits);
        all |= bits;
    }
    return all;
}

/* 4.2.2.2: with the width that the field has. */
uint32_t vmm_virtio_config_read(const struct vmm_transport *t, uint32_t offset, unsigned bytes)
{
    uint64_t at = t->base + VIRTIO_CONFIG + offset;

    return bytes == 1 ? mmio_read8(at) : bytes == 2 ? mmio_read16(at) : mmio_read32(at);
}

void vmm_virtio_config_write(const struct vmm_transport *t, uint32_t offset, uint32_t value, unsigned bytes)
{
    uint64_t at = t->base + VIRTIO_CONFIG + offset;

    if (bytes == 1)
        mmio_write8(at, (uint8_t)value);
    else if (bytes == 2)
        mmio_write16(at, (uint16_t)value);
    else
        mmio_write32(at, value);
}

uint32_t vmm_virtio_config_generation(const struct vmm_transport *t)
{
    return mmio_read32(t->base + VIRTIO_CONFIG_GENERATION);
}
