/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A relayed device is set up, reset, saved and restored: what the guest does rarely, and what may take long. */
#include "board/virtio.h"
#include "boot/cpu.h"
#include "kern/log.h"
#include "virtio/relay.h"
#include "virtio/types.h"

static uint64_t bit(unsigned queue)
{
    return UINT64_C(1) << queue;
}

/* ---- reset ---- */

/* The board's device is reset, so no queue's memory is accessed any more. */
static void clear(struct vmm_relay *r)
{
    for (unsigned i = 0; i < r->nr_queues; i++) {
        struct vmm_relay_queue *q = &r->queue[i];

        vmm_shadow_stop(&q->shadow);
        q->num = q->max;
        q->desc = q->avail = q->used = 0;
        q->budget = VMM_RELAY_BUDGET;
        q->ready = false;
    }
    r->accepted = 0;
    r->status = r->device_sel = r->driver_sel = r->queue_sel = 0;
    r->stuck = false;
    vmm_relay_lower(r, UINT32_MAX);
}

/* A device of QEMU's is reset at once. Others have what takes them long: some seconds, with the pauses. */
#define RESET_TRIES 100000u

/* The caller holds the lock, which is dropped meanwhile, and has said that it is busy. */
static bool reset(struct vmm_relay *r, void (*look)(void))
{
    r->live = r->todo = 0; /* nothing is forwarded or given back from now on */
    r->counts.resets++;
    for (unsigned n = 0; n < RESET_TRIES; n++) {
        if (vmm_virtio_reset(r->host)) {
            clear(r);
            return true;
        }
        vmm_unlock(&r->mmio.lock);
        look();
        vmm_cpu_relax();
        vmm_lock(&r->mmio.lock);
    }
    if (!r->stuck)
        vmm_log(VMM_ERROR, "guest: virtio device at 0x%llx: the board's device does not end its reset",
                (unsigned long long)r->mmio.base);
    r->stuck = true;
    r->status |= VIRTIO_S_NEEDS_RESET;
    return false;
}

/* One at a time: with the lock dropped another vCPU may want the same. */
static void begin_long(struct vmm_relay *r, void (*look)(void))
{
    vmm_lock(&r->mmio.lock);
    while (r->busy) {
        vmm_unlock(&r->mmio.lock);
        look();
        vmm_cpu_relax();
        vmm_lock(&r->mmio.lock);
    }
    r->busy = true;
}

static void end_long(struct vmm_relay *r)
{
    r->busy = false;
    vmm_unlock(&r->mmio.lock);
}

bool vmm_relay_reset(struct vmm_relay *r, void (*look)(void))
{
    bool done;

    begin_long(r, look);
    done = reset(r, look);
    end_long(r);
    return done;
}

/* ---- Status ---- */

/* The driver must accept VERSION_1 (6.1), and no bit that it was not offered (2.2.1). What the guest accepts of the
   ring is between the guest and the relay. */
static bool accept(struct vmm_relay *r)
{
    uint64_t wanted = r->accepted;

    if (wanted & ~r->features || !(wanted & VIRTIO_F_VERSION_1))
        return false;
    return vmm_virtio_accept(r->host, (wanted & (VIRTIO_F_OF_TYPE | VIRTIO_F_OF_TYPE_HIGH)) | r->own);
}

/* A queue is relayed when it is ready and the driver is. Requests may be there already. */
static void relay(struct vmm_relay *r, uint64_t queues)
{
    if (!queues)
        return;
    r->live |= queues;
    r->todo |= queues;
    r->later(r->later_ctx);
}

static void driver_ok(struct vmm_relay *r)
{
    uint64_t ready = 0;

    vmm_virtio_go(r->host);
    r->status |= VIRTIO_S_DRIVER_OK;
    for (unsigned i = 0; i < r->nr_queues; i++)
        ready |= r->queue[i].ready ? bit(i) : 0;
    relay(r, ready);
}

/* Bits are set, and cleared by a reset alone (2.1.1). */
static void set_status(struct vmm_relay *r, uint32_t value, void (*look)(void))
{
    uint32_t bits = value & ~r->status;

    if (!value) {
        reset(r, look);
        return;
    }
    if (r->stuck)
        return;
    r->status |= bits & (VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FAILED);
    if (r->status & VIRTIO_S_NEEDS_RESET)
        return;
    if (bits & VIRTIO_S_FEATURES_OK && accept(r))
        r->status |= VIRTIO_S_FEATURES_OK;
    if (bits & VIRTIO_S_DRIVER_OK && r->status & VIRTIO_S_FEATURES_OK)
        driver_ok(r);
}

/* ---- QueueReady ---- */

static struct vmm_shadow_config config_of(const struct vmm_relay *r, const struct vmm_relay_queue *q)
{
    return (struct vmm_shadow_config){
        .desc = q->desc,
        .avail = q->avail,
        .used = q->used,
        .size = q->num <= q->max ? q->num : 0,
        .event_idx = r->accepted & VIRTIO_F_EVENT_IDX,
        .indirect = r->accepted & VIRTIO_F_INDIRECT_DESC,
    };
}

/* Touches what is not there. The lock is dropped meanwhile. Returns false if the call is to be made again. */
static bool is_there(struct vmm_relay *r, const struct vmm_relay_queue *q, unsigned result, void (*look)(void))
{
    avc_ipa_t absent = q->shadow.absent;

    if (!(result & VMM_SHADOW_ABSENT))
        return true;
    vmm_unlock(&r->mmio.lock);
    vmm_ram_touch(r->ram, absent, look);
    look(); /* another CPU may be at it */
    vmm_lock(&r->mmio.lock);
    return false;
}

static void give_queue(struct vmm_relay *r, unsigned queue)
{
    struct vmm_relay_queue *q = &r->queue[queue];
    const struct vmm_ring *ring = &q->shadow.device;

    q->ready = true;
    vmm_virtio_queue_start(r->host, queue, q->max, ring->desc, ring->avail, ring->used);
}

/* A queue that the device has had requests of stays out of use until the device is reset: virtio has no other way to
   get them back (2.6.1 is not offered). */
static void start_queue(struct vmm_relay *r, unsigned queue, void (*look)(void))
{
    struct vmm_relay_queue *q = &r->queue[queue];
    struct vmm_shadow_config config = config_of(r, q);
    unsigned result;

    if (q->ready || q->shadow.started || r->status & VIRTIO_S_NEEDS_RESET || !(r->status & VIRTIO_S_FEATURES_OK))
        return;
    do
        result = vmm_shadow_start(&q->shadow, &config);
    while (!is_there(r, q, result, look));
    if (result & VMM_SHADOW_BROKEN) {
        vmm_relay_break(r, queue);
        return;
    }
    give_queue(r, queue);
    if (r->status & VIRTIO_S_DRIVER_OK)
        relay(r, bit(queue));
}

static void stop_queue(struct vmm_relay *r, unsigned queue)
{
    struct vmm_relay_queue *q = &r->queue[queue];

    if (!q->ready)
        return;
    r->live &= ~bit(queue);
    r->todo &= ~bit(queue);
    q->ready = false;
    vmm_virtio_queue_stop(r->host, queue);
    if (!q->shadow.given) /* otherwise it may still access what it has: that stays pinned */
        vmm_shadow_stop(&q->shadow);
}

void vmm_relay_store(struct vmm_relay *r, uint32_t offset, uint32_t value, void (*look)(void))
{
    begin_long(r, look);
    if (offset == VIRTIO_STATUS)
        set_status(r, value, look);
    else if (r->queue_sel >= r->nr_queues || r->stuck)
        ; /* there is no such queue */
    else if (value & 1)
        start_queue(r, r->queue_sel, look);
    else
        stop_queue(r, r->queue_sel);
    end_long(r);
}

/* ---- making ---- */

/* Rings have powers of two of entries (2.7). */
static uint32_t ring_size(uint32_t max)
{
    uint32_t size = VMM_RELAY_RING;

    while (size > max)
        size /= 2;
    return size;
}

unsigned vmm_relay_nr_queues(const struct vmm_transport *host)
{
    unsigned nr = 0;

    while (nr < VMM_RELAY_QUEUES && vmm_virtio_queue_max(host, nr))
        nr++;
    return nr;
}

static bool make_queue(struct vmm_relay *r, unsigned queue, void *(*memory)(size_t bytes))
{
    struct vmm_relay_queue *q = &r->queue[queue];
    uint32_t size = ring_size(vmm_virtio_queue_max(r->host, queue));
    uint8_t *desc = memory(VMM_RELAY_RING_BYTES(size)), *used, *avail;

    if (!desc)
        return false;
    /* By what each must be aligned to, the most first. */
    used = desc + VMM_DESC_BYTES(size) + size * sizeof(struct vmm_slot);
    avail = used + VMM_USED_BYTES(size) + 2;
    *q = (struct vmm_relay_queue){ .max = size };
    vmm_shadow_init(&q->shadow, r->ram, desc, avail, used, (struct vmm_slot *)(void *)(desc + VMM_DESC_BYTES(size)),
                    size, r->own & VIRTIO_F_EVENT_IDX);
    return true;
}

const char *vmm_relay_init(struct vmm_relay *r, const struct vmm_relay_config *config)
{
    uint64_t features;

    *r = (struct vmm_relay){
        .mmio = { .base = config->base, .size = VMM_VIRTIO_MMIO_SIZE, .irq = config->irq, .irq_ctx = config->irq_ctx },
        .host = config->host,
        .ram = config->ram,
        .later = config->later,
        .later_ctx = config->later_ctx,
        .id = config->id,
        .vendor = vmm_virtio_vendor(config->host),
        .nr_queues = config->nr_queues,
        .queue = config->queue,
    };
    vmm_relay_transport(r);
    if (!vmm_virtio_reset(r->host))
        return "it does not end its reset";
    features = vmm_virtio_features(r->host);
    if (!(features & VIRTIO_F_VERSION_1))
        return "it does not offer VIRTIO_F_VERSION_1";
    r->features = vmm_virtio_offered(features);
    r->own = vmm_virtio_own(features);
    for (unsigned i = 0; i < r->nr_queues; i++)
        if (!make_queue(r, i, config->memory))
            return "there is no memory for its queues";
    clear(r);
    return NULL;
}

/* ---- saved state ---- */

#define ROW(id, cls, member, count) AVC_STATE_ROW(id, cls, struct vmm_relay_values, member, count)

static const struct avc_state_field fields[] = {
    ROW(0, AVC_STATE_FIXED, base, 1),
    ROW(1, AVC_STATE_FIXED, id, 1),
    ROW(2, AVC_STATE_NEEDED, features, 1),
    ROW(3, AVC_STATE_NEEDED, accepted, 1),
    ROW(4, AVC_STATE_NEEDED, status, 1),
    ROW(5, AVC_STATE_NEEDED, isr, 1),
    ROW(6, AVC_STATE_NEEDED, device_sel, 1),
    ROW(7, AVC_STATE_NEEDED, driver_sel, 1),
    ROW(8, AVC_STATE_NEEDED, queue_sel, 1),
    ROW(9, AVC_STATE_NEEDED, ready, VMM_RELAY_QUEUES),
    ROW(10, AVC_STATE_NEEDED, idx, VMM_RELAY_QUEUES),
    ROW(11, AVC_STATE_NEEDED, num, VMM_RELAY_QUEUES),
    ROW(12, AVC_STATE_NEEDED, desc, VMM_RELAY_QUEUES),
    ROW(13, AVC_STATE_NEEDED, avail, VMM_RELAY_QUEUES),
    ROW(14, AVC_STATE_NEEDED, used, VMM_RELAY_QUEUES),
};

const struct avc_state_model vmm_relay_state = { .id = VMM_STATE_RELAY,
                                                 .nr = sizeof(fields) / sizeof(fields[0]),
                                                 .field = fields };

static bool get_queues(struct vmm_relay *r, struct vmm_relay_values *values)
{
    for (unsigned i = 0; i < r->nr_queues; i++) {
        const struct vmm_relay_queue *q = &r->queue[i];
        struct vmm_shadow_values shadow;

        if (!vmm_shadow_get(&q->shadow, &shadow) || shadow.started != q->ready)
            return false;
        values->ready[i] = q->ready;
        values->idx[i] = shadow.idx;
        values->num[i] = q->num;
        values->desc[i] = q->desc;
        values->avail[i] = q->avail;
        values->used[i] = q->used;
    }
    return true;
}

bool vmm_relay_get(struct vmm_relay *r, struct vmm_relay_values *values)
{
    bool done;

    vmm_lock(&r->mmio.lock);
    *values = (struct vmm_relay_values){
        .base = r->mmio.base,
        .features = r->features,
        .accepted = r->accepted,
        .id = r->id,
        .status = r->status,
        .isr = atomic_load_explicit(&r->isr, memory_order_relaxed),
        .device_sel = r->device_sel,
        .driver_sel = r->driver_sel,
        .queue_sel = r->queue_sel,
    };
    done = !r->busy && !(r->status & VIRTIO_S_NEEDS_RESET) && get_queues(r, values);
    vmm_unlock(&r->mmio.lock);
    return done;
}

/* Could a relay of this device be in this state? The queues say more themselves. */
static bool is_possible(const struct vmm_relay *r, const struct vmm_relay_values *v)
{
    const uint32_t status =
        VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_DRIVER_OK | VIRTIO_S_FEATURES_OK | VIRTIO_S_FAILED;

    if (v->base != r->mmio.base || v->id != r->id || v->features & ~r->features || v->accepted & ~v->features ||
        v->status & ~status || v->isr & ~(VIRTIO_INT_USED | VIRTIO_INT_CONFIG) ||
        (v->status & VIRTIO_S_DRIVER_OK && !(v->status & VIRTIO_S_FEATURES_OK)))
        return false;
    for (unsigned i = 0; i < VMM_RELAY_QUEUES; i++)
        if (v->ready[i] > 1 ||
            (v->ready[i] && (i >= r->nr_queues || v->num[i] > r->queue[i].max || !(v->status & VIRTIO_S_FEATURES_OK))))
            return false;
    return true;
}

static bool set_queue(struct vmm_relay *r, const struct vmm_relay_values *v, unsigned queue, void (*look)(void))
{
    struct vmm_relay_queue *q = &r->queue[queue];
    struct vmm_shadow_values shadow;
    unsigned result;

    q->num = v->num[queue];
    q->desc = v->desc[queue];
    q->avail = v->avail[queue];
    q->used = v->used[queue];
    if (!v->ready[queue])
        return true;
    shadow = (struct vmm_shadow_values){
        .desc = q->desc,
        .avail = q->avail,
        .used = q->used,
        .size = q->num,
        .idx = v->idx[queue],
        .started = true,
        .event_idx = (r->accepted & VIRTIO_F_EVENT_IDX) != 0,
        .indirect = (r->accepted & VIRTIO_F_INDIRECT_DESC) != 0,
    };
    do
        result = vmm_shadow_set(&q->shadow, &shadow);
    while (!is_there(r, q, result, look));
    if (!result)
        give_queue(r, queue);
    return !result;
}

static bool set_all(struct vmm_relay *r, const struct vmm_relay_values *v, void (*look)(void))
{
    if (!is_possible(r, v))
        return false;
    r->accepted = v->accepted;
    r->device_sel = v->device_sel;
    r->driver_sel = v->driver_sel;
    r->queue_sel = v->queue_sel;
    if (v->status & VIRTIO_S_FEATURES_OK && !accept(r))
        return false;
    r->status = v->status & ~VIRTIO_S_DRIVER_OK;
    for (unsigned i = 0; i < r->nr_queues; i++)
        if (!set_queue(r, v, i, look))
            return false;
    if (v->status & VIRTIO_S_DRIVER_OK)
        driver_ok(r);
    if (v->isr)
        vmm_relay_raise(r, v->isr);
    r->features = v->features; /* the guest keeps what it was offered */
    return true;
}

bool vmm_relay_set(struct vmm_relay *r, const struct vmm_relay_values *values, void (*look)(void))
{
    bool done;

    begin_long(r, look);
    done = set_all(r, values, look);
    if (!done)
        reset(r, look);
    end_long(r);
    return done;
}
