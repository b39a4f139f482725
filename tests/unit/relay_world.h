/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A relay between a guest and a model of a board's device, for test_vmm_relay.c and fuzz_relay.c. The model is a
 * virtio-mmio transport, with the rules of a driver: what the relay writes to it in a wrong order fails, and so does a
 * descriptor that leads out of the guest's memory, or to memory that nobody has touched.
 */
#ifndef TEST_RELAY_WORLD_H
#define TEST_RELAY_WORLD_H

#include "guest_memory.h"

#include "board/virtio.h"
#include "virtio/relay.h"
#include "virtio/slots.h"
#include "virtio/types.h"

#define HOST   UINT64_C(0x0b000000)
#define SLOT   5u
#define GUEST  (VMM_GUEST_VIRTIO + SLOT * VMM_GUEST_VIRTIO_SIZE)
#define QUEUES 3u

/* ---- the board's device ---- */

struct model_queue {
    uint32_t max, num;
    uint64_t desc, avail, used;
    bool ready;
    uint16_t seen, idx;
};

static struct model {
    uint32_t id, version, status, isr, device_sel, driver_sel, queue_sel;
    uint64_t features, driver;
    struct model_queue queue[QUEUES];
    bool refuses;         /* it does not set FEATURES_OK */
    unsigned reset_takes; /* reads of Status before it is reset */
    unsigned reset_left;
    unsigned notified[QUEUES], resets;
    uint32_t generation;
    uint8_t config[64];
    unsigned config_bytes; /* of the last access */
} model;

static struct vmm_transport host = { .base = HOST, .intid = 48, .edge = true, .coherent = true };
static struct vmm_relay relay;
static struct vmm_relay_queue relay_queue[QUEUES];
static struct vmm_slots slots;
static _Alignas(16) uint8_t arena[1 << 18];
static size_t arena_used;
static bool level;
static unsigned edges, laters, looks, logs;
static char last_log[400];

static bool model_resets(void)
{
    return model.reset_left && --model.reset_left;
}

static void model_is_reset(void)
{
    for (unsigned i = 0; i < QUEUES; i++)
        model.queue[i] = (struct model_queue){ .max = model.queue[i].max };
    model.status = model.isr = 0;
    model.driver = 0;
    model.resets++;
}

static struct model_queue *model_queue(void)
{
    return model.queue_sel < QUEUES ? &model.queue[model.queue_sel] : NULL;
}

uint32_t mmio_read32(uint64_t address)
{
    const struct model_queue *mq = model_queue();

    switch (address - HOST) {
    case VIRTIO_MAGIC_VALUE:
        return VIRTIO_MAGIC;
    case VIRTIO_VERSION:
        return model.version;
    case VIRTIO_DEVICE_ID:
        return model.id;
    case VIRTIO_VENDOR_ID:
        return 0x1234;
    case VIRTIO_DEVICE_FEATURES:
        assert_true(model.device_sel <= 1);
        return (uint32_t)(model.features >> 32 * model.device_sel);
    case VIRTIO_QUEUE_NUM_MAX:
        return mq ? mq->max : 0;
    case VIRTIO_QUEUE_READY:
        return mq && mq->ready;
    case VIRTIO_INTERRUPT_STATUS:
        return model.isr;
    case VIRTIO_STATUS:
        if (model.reset_left && !model_resets())
            model_is_reset();
        return model.status | (model.reset_left != 0);
    case VIRTIO_CONFIG_GENERATION:
        return model.generation;
    default:
        assert_true(address >= HOST + VIRTIO_CONFIG && address + 4 <= HOST + VIRTIO_CONFIG + sizeof(model.config));
        model.config_bytes = 4;
        return (uint32_t)number(&model.config[address - HOST - VIRTIO_CONFIG], 4);
    }
}

static uint8_t *model_config(uint64_t address, unsigned bytes)
{
    assert_true(address >= HOST + VIRTIO_CONFIG && address + bytes <= HOST + VIRTIO_CONFIG + sizeof(model.config));
    assert_true(address % bytes == 0);
    model.config_bytes = bytes;
    return &model.config[address - HOST - VIRTIO_CONFIG];
}

uint8_t mmio_read8(uint64_t address)
{
    return *model_config(address, 1);
}

uint16_t mmio_read16(uint64_t address)
{
    return get16(model_config(address, 2));
}

void mmio_write8(uint64_t address, uint8_t value)
{
    *model_config(address, 1) = value;
}

void mmio_write16(uint64_t address, uint16_t value)
{
    put16(model_config(address, 2), value);
}

/* 2.1.1, 3.1.1: bits are added, in this order. */
static void model_status(uint32_t value)
{
    if (!value) {
        model.reset_left = model.reset_takes;
        if (!model.reset_left)
            model_is_reset();
        return;
    }
    assert_false(model.reset_left);
    assert_true((value & model.status) == model.status);
    assert_true(!(value & VIRTIO_S_DRIVER) || value & VIRTIO_S_ACKNOWLEDGE);
    assert_true(!(value & VIRTIO_S_FEATURES_OK) || model.status & VIRTIO_S_DRIVER);
    assert_true(!(value & VIRTIO_S_DRIVER_OK) || model.status & VIRTIO_S_FEATURES_OK);
    if (value & VIRTIO_S_FEATURES_OK && !(model.status & VIRTIO_S_FEATURES_OK)) {
        SAME(model.driver & ~model.features, 0);
        assert_true(model.driver & VIRTIO_F_VERSION_1);
        SAME(model.driver & (VIRTIO_F_EVENT_IDX | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM),
             model.features & (VIRTIO_F_EVENT_IDX | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM));
        if (model.refuses)
            value &= ~VIRTIO_S_FEATURES_OK;
    }
    model.status = value;
}

static void set_part(uint64_t *number_, unsigned high, uint32_t value)
{
    *number_ = (*number_ & ~(UINT64_C(0xffffffff) << 32 * high)) | (uint64_t)value << 32 * high;
}

static void model_queue_write(struct model_queue *mq, uint32_t offset, uint32_t value)
{
    assert_true(mq && mq->max);
    if (offset == VIRTIO_QUEUE_READY) {
        assert_true(model.status & VIRTIO_S_FEATURES_OK || !value);
        mq->ready = value;
        return;
    }
    assert_false(mq->ready);
    if (offset == VIRTIO_QUEUE_NUM) {
        assert_true(value && value <= mq->max && !(value & (value - 1)));
        mq->num = value;
    } else {
        uint64_t *areas[] = { &mq->desc, &mq->avail, &mq->used };
        unsigned n = (offset - VIRTIO_QUEUE_DESC_LOW) / 16;

        assert_true(n < 3 && offset % 16 <= 4);
        set_part(areas[n], offset % 16 / 4, value);
    }
}

void mmio_write32(uint64_t address, uint32_t value)
{
    switch (address - HOST) {
    case VIRTIO_DEVICE_FEATURES_SEL:
        model.device_sel = value;
        break;
    case VIRTIO_DRIVER_FEATURES_SEL:
        model.driver_sel = value;
        break;
    case VIRTIO_DRIVER_FEATURES:
        assert_false(model.status & VIRTIO_S_FEATURES_OK);
        set_part(&model.driver, model.driver_sel, value);
        break;
    case VIRTIO_QUEUE_SEL:
        model.queue_sel = value;
        break;
    case VIRTIO_QUEUE_NOTIFY:
        assert_true(value < QUEUES && model.queue[value].ready && model.status & VIRTIO_S_DRIVER_OK);
        model.notified[value]++;
        break;
    case VIRTIO_INTERRUPT_ACK:
        model.isr &= ~value;
        break;
    case VIRTIO_STATUS:
        model_status(value);
        break;
    default:
        if (address >= HOST + VIRTIO_CONFIG)
            put_number(model_config(address, 4), value, 4);
        else
            model_queue_write(model_queue(), (uint32_t)(address - HOST), value);
    }
}

/* A request that the device has: where its buffers are, as the guest sees them. */
struct request {
    uint16_t first;
    unsigned nr;
    struct {
        uint64_t ipa;
        uint32_t len;
        bool write;
    } piece[32];
};

static uint8_t *host_at(uint64_t pa)
{
    return (uint8_t *)(uintptr_t)pa;
}

/* Takes the next request of a queue. Returns false if there is none. */
static bool model_takes(unsigned queue, struct request *request)
{
    struct model_queue *mq = &model.queue[queue];
    const uint8_t *avail = host_at(mq->avail);
    unsigned at;

    if (!mq->ready || !(model.status & VIRTIO_S_DRIVER_OK) || get16(avail + 2) == mq->seen)
        return false;
    at = get16(avail + 4 + 2 * (mq->seen % mq->num));
    *request = (struct request){ .first = (uint16_t)at };
    for (bool more = true; more;) {
        const uint8_t *d = host_at(mq->desc) + 16 * at;
        uint64_t pa = number(d, 8), len = number(d + 8, 4), flags = number(d + 12, 2);
        uint64_t ipa = ipa_of(host_at(pa));

        assert_true(at < mq->num && request->nr < mq->num && len);
        assert_true(is_memory(ipa, len));
        /* All of it is in one piece of memory, and there. */
        SAME((uintptr_t)guest_at(ipa + len - 1) - pa, len - 1);
        for (uint64_t b = (ipa - BASE) / VMM_RAM_BLOCK; b <= (ipa + len - 1 - BASE) / VMM_RAM_BLOCK; b++)
            assert_true(ram.there[0] >> b & 1);
        if (request->nr < 32) {
            request->piece[request->nr].ipa = ipa;
            request->piece[request->nr].len = (uint32_t)len;
            request->piece[request->nr].write = flags & WRITE;
        }
        request->nr++;
        at = (unsigned)number(d + 14, 2);
        more = flags & NEXT;
    }
    mq->seen++;
    return true;
}

/* The device is done with a request. It interrupts when the test says so. */
static void model_uses(unsigned queue, uint32_t first, uint32_t len)
{
    struct model_queue *mq = &model.queue[queue];
    uint8_t *used = host_at(mq->used);

    put_number(used + 4 + 8 * (mq->idx % mq->num), first, 4);
    put_number(used + 8 + 8 * (mq->idx % mq->num), len, 4);
    put16(used + 2, ++mq->idx);
    model.isr |= VIRTIO_INT_USED;
}

static void interrupts(void)
{
    vmm_relay_interrupt(&relay);
    SAME(model.isr, 0);
}

/* ---- what the relay and the rings need ---- */

static uint64_t used_low, used_high; /* where the guest has its used rings: nothing else of its memory is written */

void fake_ring_read(const void *p, unsigned bytes)
{
    (void)p;
    (void)bytes;
}

void fake_ring_write(const void *p, unsigned bytes)
{
    uint64_t ipa = ipa_of(p);

    if ((const uint8_t *)p >= memory && (const uint8_t *)p < memory + 6 * VMM_RAM_BLOCK)
        assert_true(ipa >= used_low && ipa + bytes <= used_high);
}

void vmm_dma_rmb(void)
{
}

void vmm_dma_wmb(void)
{
}

void vmm_dma_mb(void)
{
}

void vmm_log(enum vmm_log_level loudness, const char *fmt, ...)
{
    va_list args;

    (void)loudness;
    va_start(args, fmt);
    vsnprintf(last_log, sizeof(last_log), fmt, args);
    va_end(args);
    logs++;
}

static void look(void)
{
    looks++;
}

static void *take(size_t bytes)
{
    void *p = arena + arena_used;

    arena_used += (bytes + 15) & ~(size_t)15;
    return arena_used <= sizeof(arena) ? memset(p, 0, bytes) : NULL;
}

static void irq(void *ctx, bool on)
{
    SAME((uintptr_t)ctx, SLOT);
    edges += on && !level;
    level = on;
}

static void later(void *ctx)
{
    assert_ptr_equal(ctx, &laters);
    laters++;
}

/* ---- the guest ---- */

static uint64_t access(uint32_t offset, unsigned size, bool write, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO,
                          .key = GUEST + (uint64_t)(int32_t)offset,
                          .size = (uint8_t)size,
                          .write = write,
                          .value = value };
    enum avc_answer answer = vmm_slots_access(NULL, &e, &slots);

    if (answer == AVC_EXIT) {
        assert_true(write);
        assert_true(vmm_slots_exit(&slots, &e, look));
        answer = e.answer;
    }
    SAME(answer, AVC_DONE);
    SAME(level, relay.isr != 0);
    return e.value;
}

static uint32_t load(uint32_t offset)
{
    return (uint32_t)access(offset, 4, false, 0);
}

static void store(uint32_t offset, uint32_t value)
{
    access(offset, 4, true, value);
}

static void store64(uint32_t offset, uint64_t value)
{
    store(offset, (uint32_t)value);
    store(offset + 4, (uint32_t)(value >> 32));
}

static void accept_features(uint64_t features)
{
    store(VIRTIO_DRIVER_FEATURES_SEL, 0);
    store(VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    store(VIRTIO_DRIVER_FEATURES_SEL, 1);
    store(VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

/* ---- the world ---- */

#define ALL_FEATURES ~UINT64_C(0)

static uint32_t world_ring = 64; /* entries of queue 0's ring */

static void world_begin(void)
{
    struct vmm_relay_config config = {
        .host = &host,
        .base = GUEST,
        .ram = &ram,
        .queue = relay_queue,
        .memory = take,
        .irq = irq,
        .irq_ctx = (void *)(uintptr_t)SLOT,
        .later = later,
        .later_ctx = &laters,
    };
    const char *why;

    if (!memory) {
        memory = aligned_alloc(VMM_RAM_BLOCK, 6 * VMM_RAM_BLOCK);
        assert_true(memory && vmm_ram_init(&ram, BASE, MEMORY, NULL));
        memset(memory, 0, 6 * VMM_RAM_BLOCK);
    }
    ram.there[0] = 0xf;
    ram.pinned = 0;
    arena_used = 0;
    level = false;
    edges = laters = looks = logs = 0;
    used_low = used_high = 0;
    model = (struct model){ .id = 2, .version = VIRTIO_MODERN, .features = ALL_FEATURES };
    model.queue[0].max = world_ring;
    model.queue[1].max = 100;            /* no power of two */
    model.status = VIRTIO_S_ACKNOWLEDGE; /* firmware has used it */
    config.id = vmm_virtio_probe(&host, &why);
    assert_true(config.id == 2 && !why);
    config.nr_queues = vmm_relay_nr_queues(&host);
    SAME(config.nr_queues, 2);
    assert_null(vmm_relay_init(&relay, &config));
    SAME(model.resets, 1);
    vmm_slots_init(&slots, VMM_GUEST_VIRTIO);
    slots.relay[SLOT] = &relay;
}

#endif
