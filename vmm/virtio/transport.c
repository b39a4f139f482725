/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's side of a relayed device: the registers of a virtio-mmio transport (virtio 1.2, 4.2.2). */
#include "board/virtio.h"
#include "virtio/relay.h"

static struct vmm_relay *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_relay *)(void *)dev;
}

/* The queue that QueueSel names, or NULL: there is none. */
static struct vmm_relay_queue *selected(struct vmm_relay *r)
{
    return r->queue_sel < r->nr_queues && r->queue[r->queue_sel].max ? &r->queue[r->queue_sel] : NULL;
}

/* A half of a 64-bit number. */
static uint32_t half(uint64_t number, uint32_t sel)
{
    return sel > 1 ? 0 : (uint32_t)(number >> 32 * sel);
}

static void set_half(uint64_t *number, uint32_t sel, uint32_t value)
{
    if (sel <= 1)
        *number = (*number & ~(UINT64_C(0xffffffff) << 32 * sel)) | (uint64_t)value << 32 * sel;
}

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    struct vmm_relay *r = from_mmio(dev);
    struct vmm_relay_queue *q = selected(r);

    switch (offset) {
    case VIRTIO_MAGIC_VALUE:
        return VIRTIO_MAGIC;
    case VIRTIO_VERSION:
        return VIRTIO_MODERN;
    case VIRTIO_DEVICE_ID:
        return r->id;
    case VIRTIO_VENDOR_ID:
        return r->vendor;
    case VIRTIO_DEVICE_FEATURES:
        return half(r->features, r->device_sel);
    case VIRTIO_QUEUE_NUM_MAX:
        return q ? q->max : 0;
    case VIRTIO_QUEUE_READY:
        return q && q->ready;
    case VIRTIO_INTERRUPT_STATUS:
        return atomic_load_explicit(&r->isr, memory_order_relaxed);
    case VIRTIO_STATUS:
        return r->status;
    case VIRTIO_CONFIG_GENERATION:
        return vmm_virtio_config_generation(r->host);
    default: /* SHMLen and SHMBase: no region has this number */
        return offset >= VIRTIO_SHM_LEN_LOW && offset <= VIRTIO_SHM_BASE_HIGH ? UINT32_MAX : 0;
    }
}

/* While the queue is ready it does not change (4.2.2.2). */
static void write_queue(struct vmm_relay_queue *q, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case VIRTIO_QUEUE_NUM:
        q->num = value;
        break;
    case VIRTIO_QUEUE_DESC_LOW:
    case VIRTIO_QUEUE_DESC_HIGH:
        set_half(&q->desc, offset == VIRTIO_QUEUE_DESC_HIGH, value);
        break;
    case VIRTIO_QUEUE_DRIVER_LOW:
    case VIRTIO_QUEUE_DRIVER_HIGH:
        set_half(&q->avail, offset == VIRTIO_QUEUE_DRIVER_HIGH, value);
        break;
    case VIRTIO_QUEUE_DEVICE_LOW:
    case VIRTIO_QUEUE_DEVICE_HIGH:
        set_half(&q->used, offset == VIRTIO_QUEUE_DEVICE_HIGH, value);
        break;
    default: /* read-only, or reserved; QueueReset is not offered */
        break;
    }
}

/* Status and QueueReady are vmm_relay_store()'s. */
static void write(struct vmm_mmio *dev, uint32_t offset, uint32_t value)
{
    struct vmm_relay *r = from_mmio(dev);
    struct vmm_relay_queue *q;

    switch (offset) {
    case VIRTIO_DEVICE_FEATURES_SEL:
        r->device_sel = value;
        break;
    case VIRTIO_DRIVER_FEATURES_SEL:
        r->driver_sel = value;
        break;
    case VIRTIO_DRIVER_FEATURES:
        if (!(r->status & VIRTIO_S_FEATURES_OK)) /* 3.1.1: not afterwards */
            set_half(&r->accepted, r->driver_sel, value);
        break;
    case VIRTIO_QUEUE_SEL:
        r->queue_sel = value;
        break;
    case VIRTIO_QUEUE_NOTIFY:
        vmm_relay_kick(r, value);
        break;
    case VIRTIO_INTERRUPT_ACK:
        vmm_relay_lower(r, value);
        break;
    default:
        q = selected(r);
        if (q && !q->ready)
            write_queue(q, offset, value);
        break;
    }
}

void vmm_relay_transport(struct vmm_relay *r)
{
    r->mmio.read = read;
    r->mmio.write = write;
}

/* The configuration has fields of all widths. Those of 64 bits are accessed by halves, the lower one first. */
static uint64_t access_config(struct vmm_relay *r, const struct avc_exit *e, uint32_t offset)
{
    uint64_t value = 0;

    for (unsigned done = 0; done < e->size;) {
        unsigned left = e->size - done, bytes = (offset + done) % 4 == 0 && left >= 4   ? 4
                                                : (offset + done) % 2 == 0 && left >= 2 ? 2
                                                                                        : 1;

        if (VIRTIO_CONFIG + offset + done + bytes > VMM_VIRTIO_MMIO_SIZE)
            break;
        if (e->write)
            vmm_virtio_config_write(r->host, offset + done, (uint32_t)(e->value >> 8 * done) & vmm_mmio_mask(bytes),
                                    bytes);
        else
            value |= (uint64_t)(vmm_virtio_config_read(r->host, offset + done, bytes) & vmm_mmio_mask(bytes))
                     << 8 * done;
        done += bytes;
    }
    return e->write ? e->value : value;
}

enum avc_answer vmm_relay_access(struct vmm_relay *r, struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint32_t offset = (uint32_t)(e->key - r->mmio.base);
    uint64_t value;

    if (offset >= VIRTIO_CONFIG) {
        vmm_lock(&r->mmio.lock);
        value = access_config(r, e, offset - VIRTIO_CONFIG);
        vmm_unlock(&r->mmio.lock);
        return avc_done(e, value);
    }
    if (e->size != 4)
        return vmm_mmio_access(vcpu, e, &r->mmio);
    if (!e->write && offset == VIRTIO_INTERRUPT_STATUS)
        return avc_done(e, atomic_load_explicit(&r->isr, memory_order_relaxed));
    if (e->write && (offset == VIRTIO_STATUS || offset == VIRTIO_QUEUE_READY))
        return AVC_EXIT;
    return vmm_mmio_access(vcpu, e, &r->mmio);
}
