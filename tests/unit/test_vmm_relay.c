/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The relay: the registers of its transport (virtio 1.2, 4.2.2), requests from the guest to the device and back, what
 * is left for the task, what breaks a queue, resets, and saved state. relay_world.h has the device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "relay_world.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

#define SIZE  16u
#define DESC  (BASE + 0x1000)
#define AVAIL (BASE + 0x2000)
#define USED  (BASE + 0x3000)
#define DATA  (BASE + 0x10000)
#define BLOCK VMM_RAM_BLOCK

#define CARRIED (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)

static uint16_t avail;

static int begin(void **state)
{
    (void)state;
    world_begin();
    return 0;
}

/* As a driver does it (3.1.1). */
static void negotiate(uint64_t features)
{
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE);
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER);
    accept_features(features);
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK);
}

static void set_queue(uint32_t queue)
{
    for (unsigned i = 0; i < 0x1000; i++)
        *guest_at(AVAIL + i) = *guest_at(USED + i) = 0;
    avail = 0;
    used_low = USED;
    used_high = USED + VMM_USED_BYTES(SIZE);
    store(VIRTIO_QUEUE_SEL, queue);
    store(VIRTIO_QUEUE_NUM, SIZE);
    store64(VIRTIO_QUEUE_DESC_LOW, DESC);
    store64(VIRTIO_QUEUE_DRIVER_LOW, AVAIL);
    store64(VIRTIO_QUEUE_DEVICE_LOW, USED);
    store(VIRTIO_QUEUE_READY, 1);
}

static void work(void)
{
    unsigned n = 0;

    while (vmm_relay_work(&relay, look))
        assert_true(n++ < 1000);
}

static void go(void)
{
    store(VIRTIO_STATUS, load(VIRTIO_STATUS) | VIRTIO_S_DRIVER_OK);
    SAME(load(VIRTIO_STATUS) & VIRTIO_S_DRIVER_OK, VIRTIO_S_DRIVER_OK);
    work();
}

static void set_up(uint64_t features)
{
    negotiate(features);
    set_queue(0);
    SAME(load(VIRTIO_QUEUE_READY), 1);
    go();
}

static void offer(unsigned head)
{
    put16(guest_at(AVAIL + 4 + 2 * (avail % SIZE)), head);
    put16(guest_at(AVAIL + 2), ++avail);
}

/* ---- registers ---- */

static void test_registers(void **state)
{
    static const struct {
        const char *name;
        uint32_t offset, value;
    } rows[] = {
        { "MagicValue", 0, 0x74726976 },
        { "Version", 4, 2 },
        { "DeviceID", 8, 2 },
        { "VendorID", 0xc, 0x1234 },
        { "DeviceFeatures", 0x10, 0x30ffffff },
        { "DeviceFeaturesSel", 0x14, 0 },
        { "QueueNumMax", 0x34, 64 },
        { "QueueReady", 0x44, 0 },
        { "InterruptStatus", 0x60, 0 },
        { "Status", 0x70, 0 },
        { "SHMLenLow", 0xb0, UINT32_MAX },
        { "SHMLenHigh", 0xb4, UINT32_MAX },
        { "SHMBaseLow", 0xb8, UINT32_MAX },
        { "SHMBaseHigh", 0xbc, UINT32_MAX },
        { "QueueReset", 0xc0, 0 },
    };
    unsigned nonzero = 0;

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (load(rows[i].offset) != rows[i].value)
            fail_msg("%s reads 0x%x", rows[i].name, load(rows[i].offset));
    for (uint32_t offset = 0; offset < 0x100; offset += 4)
        nonzero += load(offset) != 0;
    SAME(nonzero, 10); /* no other one */
    SAME(access(1, 1, false, 0), 'i');
    SAME(access(2, 2, false, 0), 0x7472);
    SAME(access(0, 8, false, 0), UINT64_C(0x274726976));
    store(VIRTIO_QUEUE_SEL, 1);
    SAME(load(VIRTIO_QUEUE_NUM_MAX), 64); /* the next power of two below the device's 100 */
    store(VIRTIO_QUEUE_SEL, 2);
    SAME(load(VIRTIO_QUEUE_NUM_MAX), 0);
    store(VIRTIO_QUEUE_SEL, UINT32_MAX);
    SAME(load(VIRTIO_QUEUE_NUM_MAX), 0);
    store(VIRTIO_DEVICE_FEATURES_SEL, 1);
    SAME(load(VIRTIO_DEVICE_FEATURES), 0xfffc0001);
    store(VIRTIO_DEVICE_FEATURES_SEL, 2);
    SAME(load(VIRTIO_DEVICE_FEATURES), 0);
    model.generation = 77;
    SAME(load(VIRTIO_CONFIG_GENERATION), 77);
}

/* A transport without a device, as programs look at it. */
static void see_empty(uint32_t slot)
{
    for (uint32_t offset = 0; offset < 0x200; offset += 4) {
        uint32_t wanted = offset == 0 ? 0x74726976 : offset == 4 ? 2 : offset == 12 ? 0x554d4551 : 0;

        SAME(load(slot + offset), wanted);
        SAME(access(slot + offset, 1, false, 0), wanted & 0xff);
        SAME(access(slot + offset + 2, 2, false, 0), wanted >> 16);
    }
    SAME(access(slot, 8, false, 0), UINT64_C(0x274726976));
}

static void test_empty(void **state)
{
    (void)state;
    SAME(slots.empty.size, 0x4000);
    for (uint32_t n = 0; n < 32; n++) {
        uint32_t slot = 0x200 * (n - SLOT);

        if (n == SLOT)
            continue;
        see_empty(slot);
        for (uint32_t offset = 0; offset < 0x200; offset += 4)
            store(slot + offset, UINT32_MAX);
        access(slot + 0x70, 8, true, 1);
        access(slot + 0x101, 1, true, 1);
        see_empty(slot);
    }
    SAME(access(0x200 * (32 - SLOT) - 4, 8, false, 0), 0); /* the last bytes, and what is behind them */
    SAME(load(VIRTIO_STATUS), 0);
}

static void test_configuration(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(model.config); i++)
        model.config[i] = (uint8_t)(0x10 + i);
    for (unsigned size = 1; size <= 4; size *= 2) {
        SAME(access(VIRTIO_CONFIG + 4 + size, size, false, 0), number(&model.config[4 + size], size));
        SAME(model.config_bytes, size);
    }
    SAME(access(VIRTIO_CONFIG, 8, false, 0), UINT64_C(0x1716151413121110));
    SAME(access(VIRTIO_CONFIG + 1, 2, false, 0), 0x1211); /* not aligned: by bytes */
    SAME(model.config_bytes, 1);
    access(VIRTIO_CONFIG + 8, 8, true, UINT64_C(0xa1a2a3a4a5a6a7a8));
    SAME(number(&model.config[8], 8), UINT64_C(0xa1a2a3a4a5a6a7a8));
    access(VIRTIO_CONFIG + 3, 1, true, 0xff55);
    SAME(number(&model.config[0], 8), UINT64_C(0x1716151455121110));
}

static void test_features(void **state)
{
    static const struct {
        const char *name;
        uint64_t features;
        bool refuses, ok;
    } rows[] = {
        { "VERSION_1 alone", VIRTIO_F_VERSION_1, false, true },
        { "all that is offered", UINT64_C(0xfffc000130ffffff), false, true },
        { "without VERSION_1", VIRTIO_F_EVENT_IDX, false, false },
        { "nothing", 0, false, false },
        { "packed rings", CARRIED | VIRTIO_F(34), false, false },
        { "ring reset", CARRIED | VIRTIO_F(40), false, false },
        { "ACCESS_PLATFORM", CARRIED | VIRTIO_F_ACCESS_PLATFORM, false, false },
        { "notification data", CARRIED | VIRTIO_F(38), false, false },
        { "what the device does not like", CARRIED, true, false },
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        world_begin();
        model.refuses = rows[i].refuses;
        negotiate(rows[i].features);
        if (!(load(VIRTIO_STATUS) & VIRTIO_S_FEATURES_OK) == rows[i].ok)
            fail_msg("%s", rows[i].name);
        if (!rows[i].ok) {
            store(VIRTIO_STATUS, 15); /* then no DRIVER_OK either */
            SAME(load(VIRTIO_STATUS), 3);
            continue;
        }
        accept_features(0); /* too late */
        SAME(relay.accepted, rows[i].features);
        SAME(model.driver & (VIRTIO_F_OF_TYPE | VIRTIO_F_OF_TYPE_HIGH),
             rows[i].features & (VIRTIO_F_OF_TYPE | VIRTIO_F_OF_TYPE_HIGH));
        SAME(model.driver & VIRTIO_F_INDIRECT_DESC, 0); /* the relay gives it no tables */
    }
}

static void test_status(void **state)
{
    (void)state;
    store(VIRTIO_STATUS, VIRTIO_S_FAILED);
    SAME(load(VIRTIO_STATUS), VIRTIO_S_FAILED);
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE);
    SAME(load(VIRTIO_STATUS), VIRTIO_S_FAILED | VIRTIO_S_ACKNOWLEDGE); /* bits are not cleared (2.1.1) */
    store(VIRTIO_STATUS, VIRTIO_S_NEEDS_RESET | 16 | 32);              /* the device's, and reserved ones */
    SAME(load(VIRTIO_STATUS), VIRTIO_S_FAILED | VIRTIO_S_ACKNOWLEDGE);
    access(VIRTIO_STATUS, 1, true, VIRTIO_S_DRIVER); /* 4.2.2.2: 32 bits */
    SAME(load(VIRTIO_STATUS), VIRTIO_S_FAILED | VIRTIO_S_ACKNOWLEDGE);
    store(VIRTIO_STATUS, 0);
    SAME(load(VIRTIO_STATUS), 0);
    SAME(model.resets, 2);
}

static void test_queue_registers(void **state)
{
    (void)state;
    set_queue(0); /* before FEATURES_OK */
    SAME(load(VIRTIO_QUEUE_READY), 0);
    negotiate(CARRIED);
    set_queue(2);
    SAME(load(VIRTIO_QUEUE_READY), 0);
    set_queue(0);
    SAME(load(VIRTIO_QUEUE_READY), 1);
    SAME(relay.queue[0].desc, DESC);
    SAME(relay.queue[0].avail, AVAIL);
    SAME(relay.queue[0].used, USED);
    SAME(ram.pinned, 3);
    store64(VIRTIO_QUEUE_DESC_LOW, 0); /* while it is ready */
    SAME(relay.queue[0].desc, DESC);
    SAME(model.queue[0].num, 64); /* the device's ring is the relay's own */
    SAME(model.queue[0].desc, (uintptr_t)relay_queue[0].shadow.device.desc);
    store(VIRTIO_QUEUE_READY, 0);
    SAME(load(VIRTIO_QUEUE_READY), 0);
    SAME(ram.pinned, 0);
    set_queue(0); /* it was never used */
    SAME(load(VIRTIO_QUEUE_READY), 1);
    SAME(ram.pinned, 3);
    go();
    put_desc(DESC, 0, DATA, 512, 0, 0);
    offer(0);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    SAME(ram.pinned, 4);
    store(VIRTIO_QUEUE_READY, 0);
    SAME(ram.pinned, 4); /* the device may have it */
    SAME(model.queue[0].ready, 0);
    store(VIRTIO_QUEUE_READY, 1);
    SAME(load(VIRTIO_QUEUE_READY), 0); /* not before a reset */
    store(VIRTIO_QUEUE_NOTIFY, 0);
    store(VIRTIO_STATUS, 0);
    SAME(ram.pinned, 0);
    SAME(load(VIRTIO_STATUS), 0);
}

/* Each field that a guest may get wrong when it makes a queue ready. */
static void test_queue_faults(void **state)
{
    static const struct {
        const char *name;
        uint32_t num;
        uint64_t desc, avail, used;
        enum vmm_shadow_fault fault;
    } rows[] = {
        { "no entries", 0, DESC, AVAIL, USED, VMM_SHADOW_SIZE },
        { "three entries", 3, DESC, AVAIL, USED, VMM_SHADOW_SIZE },
        { "more than QueueNumMax", 128, DESC, AVAIL, USED, VMM_SHADOW_SIZE },
        { "descriptors not aligned", SIZE, DESC + 8, AVAIL, USED, VMM_SHADOW_ALIGN },
        { "avail not aligned", SIZE, DESC, AVAIL + 1, USED, VMM_SHADOW_ALIGN },
        { "used not aligned", SIZE, DESC, AVAIL, USED + 2, VMM_SHADOW_ALIGN },
        { "descriptors below memory", SIZE, 0x1000, AVAIL, USED, VMM_SHADOW_AREA },
        { "avail behind memory", SIZE, DESC, BASE + MEMORY - 8, USED, VMM_SHADOW_AREA },
        { "used in two pieces", SIZE, DESC, AVAIL, BASE + BLOCK - 8, VMM_SHADOW_AREA },
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        world_begin();
        negotiate(CARRIED);
        store(VIRTIO_QUEUE_NUM, rows[i].num);
        store64(VIRTIO_QUEUE_DESC_LOW, rows[i].desc);
        store64(VIRTIO_QUEUE_DRIVER_LOW, rows[i].avail);
        store64(VIRTIO_QUEUE_DEVICE_LOW, rows[i].used);
        store(VIRTIO_QUEUE_READY, 1);
        if (relay_queue[0].shadow.fault != rows[i].fault || !(load(VIRTIO_STATUS) & VIRTIO_S_NEEDS_RESET))
            fail_msg("%s: %s", rows[i].name, vmm_shadow_fault_text(relay_queue[0].shadow.fault));
        SAME(load(VIRTIO_QUEUE_READY), 0);
        SAME(load(VIRTIO_INTERRUPT_STATUS), 0); /* no interrupt before DRIVER_OK (2.1.2) */
        SAME(ram.pinned, 0);
        SAME(logs, 1);
        store(VIRTIO_STATUS, 0);
        set_up(CARRIED);
        SAME(load(VIRTIO_STATUS), 15);
    }
}

static void test_absent_rings(void **state)
{
    (void)state;
    ram.there[0] = 0;
    set_up(CARRIED);
    SAME(ram.there[0], 1);
    assert_true(looks > 0);
}

/* ---- requests ---- */

static void test_request(void **state)
{
    struct request request;

    (void)state;
    set_up(VIRTIO_F_VERSION_1);
    put_desc(DESC, 3, DATA, 16, NEXT, 4);
    put_desc(DESC, 4, BASE + BLOCK - 100, 300, NEXT | WRITE, 5); /* in two pieces */
    put_desc(DESC, 5, DATA + 64, 1, WRITE, 0);
    offer(3);
    assert_false(model_takes(0, &request)); /* not before the notification */
    store(VIRTIO_QUEUE_NOTIFY, 0);
    SAME(model.notified[0], 1);
    assert_true(model_takes(0, &request));
    SAME(request.nr, 4);
    SAME(request.piece[0].ipa, DATA);
    SAME(request.piece[1].ipa, BASE + BLOCK - 100);
    SAME(request.piece[1].len, 100);
    SAME(request.piece[2].ipa, BASE + BLOCK);
    SAME(request.piece[2].len, 200);
    SAME(request.piece[3].ipa, DATA + 64);
    SAME(ram.pinned, 3 + 3);
    SAME(load(VIRTIO_INTERRUPT_STATUS), 0);
    model_uses(0, request.first, 301);
    interrupts();
    SAME(load(VIRTIO_INTERRUPT_STATUS), VIRTIO_INT_USED);
    SAME(get16(guest_at(USED + 2)), 1);
    SAME(number(guest_at(USED + 4), 4), 3);
    SAME(number(guest_at(USED + 8), 4), 301);
    SAME(ram.pinned, 3);
    assert_true(level && edges == 1);
    store(VIRTIO_INTERRUPT_ACK, VIRTIO_INT_CONFIG);
    assert_true(level);
    store(VIRTIO_INTERRUPT_ACK, VIRTIO_INT_USED);
    assert_false(level);
    put16(guest_at(AVAIL), 1); /* VIRTQ_AVAIL_F_NO_INTERRUPT */
    offer(3);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    assert_true(model_takes(0, &request));
    model_uses(0, request.first, 0);
    interrupts();
    SAME(get16(guest_at(USED + 2)), 2);
    assert_false(level);
}

/* What is notified where nothing is. */
static void test_kicks(void **state)
{
    struct request request;

    (void)state;
    negotiate(CARRIED);
    set_queue(0);
    put_desc(DESC, 0, DATA, 16, 0, 0);
    offer(0);
    store(VIRTIO_QUEUE_NOTIFY, 0); /* before DRIVER_OK */
    SAME(relay.counts.kicks, 0);
    store(VIRTIO_STATUS, 15);
    SAME(laters, 1); /* it is looked at now */
    SAME(model.notified[0], 0);
    work();
    SAME(model.notified[0], 1);
    assert_true(model_takes(0, &request));
    for (unsigned i = 1; i < 70; i++)
        store(VIRTIO_QUEUE_NOTIFY, i); /* queue 1 is not ready, and the others do not exist */
    store(VIRTIO_QUEUE_NOTIFY, UINT32_MAX);
    SAME(relay.counts.kicks, 0);
    SAME(load(VIRTIO_STATUS), 15);
    SAME(vmm_relay_work(&relay, look), false); /* called for nothing */
}

/* Requests of 16 buffers each: more than the budget of a claim, and less than the device's ring has room for. */
static void test_budget(void **state)
{
    struct request request;
    unsigned got = 0;

    (void)state;
    world_ring = 512;
    world_begin();
    world_ring = 64;
    set_up(CARRIED);
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 16; k++)
            put_desc(BASE + 0x8000 + 256 * i, k, DATA + 64 * k, 64, k < 15 ? NEXT : 0, k + 1);
        put_desc(DESC, i, BASE + 0x8000 + 256 * i, 256, INDIRECT, 0);
        offer(i);
    }
    laters = 0;
    store(VIRTIO_QUEUE_NOTIFY, 0);
    SAME(laters, 1);
    while (model_takes(0, &request)) {
        SAME(request.nr, 16);
        got++;
    }
    assert_in_range(got, 1, 15);
    work();
    while (model_takes(0, &request))
        got++;
    SAME(got, 16);
    assert_true(relay.counts.works > 2); /* in pieces */
}

/* A ring that is smaller than what the guest has waiting: it goes on when there is room, without a notification. */
static void test_no_room(void **state)
{
    struct request request[16];
    unsigned got = 0;

    (void)state;
    set_up(CARRIED);
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 16; k++)
            put_desc(BASE + 0x8000 + 256 * i, k, DATA + 64 * k, 64, k < 15 ? NEXT : 0, k + 1);
        put_desc(DESC, i, BASE + 0x8000 + 256 * i, 256, INDIRECT, 0);
        offer(i);
    }
    store(VIRTIO_QUEUE_NOTIFY, 0);
    work();
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 4; i++)
            assert_true(model_takes(0, &request[got++]));
        assert_false(model_takes(0, &request[0]));
        for (unsigned i = got - 4; i < got; i++)
            model_uses(0, request[i].first, 0);
        interrupts();
        work();
    }
    SAME(get16(guest_at(USED + 2)), 16);
}

/* A chain that takes more than the task's first budget. */
static void test_long_chain(void **state)
{
    struct request request;

    (void)state;
    world_ring = 512;
    world_begin();
    world_ring = 64;
    negotiate(CARRIED);
    set_queue(0);
    store(VIRTIO_QUEUE_READY, 0);
    store(VIRTIO_QUEUE_NUM, 512);
    used_high = USED + VMM_USED_BYTES(512);
    store64(VIRTIO_QUEUE_DRIVER_LOW, BASE + 0x40000);
    store(VIRTIO_QUEUE_READY, 1);
    go();
    put_desc(DESC, 0, BASE + 0x20000, 16 * 400, INDIRECT, 0);
    for (unsigned k = 0; k < 400; k++)
        put_desc(BASE + 0x20000, k, DATA, 64, k < 399 ? NEXT : 0, k + 1);
    put16(guest_at(BASE + 0x40002), 1);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    assert_false(model_takes(0, &request));
    work();
    assert_true(model_takes(0, &request));
    SAME(request.nr, 400);
    SAME(relay_queue[0].budget, VMM_RELAY_BUDGET); /* for what comes next */
}

static void test_absent(void **state)
{
    struct request request;

    (void)state;
    set_up(CARRIED);
    ram.there[0] = 1;
    put_desc(DESC, 0, BASE + 2 * BLOCK - 8, 16, WRITE, 0);
    offer(0);
    laters = 0;
    store(VIRTIO_QUEUE_NOTIFY, 0);
    SAME(laters, 1);
    assert_false(model_takes(0, &request));
    work(); /* each touches a block */
    SAME(ram.there[0], 7);
    assert_true(model_takes(0, &request));
    SAME(request.nr, 1); /* blocks 1 and 2 are neighbours */
    SAME(request.piece[0].len, 16);
}

/* More than an interrupt gives back at once. */
static void test_many_used(void **state)
{
    struct request request;

    (void)state;
    world_begin();
    set_up(CARRIED);
    put_desc(DESC, 0, DATA, 1, 0, 0);
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < SIZE; i++)
            offer(0);
        store(VIRTIO_QUEUE_NOTIFY, 0);
        for (unsigned i = 0; i < SIZE; i++) {
            assert_true(model_takes(0, &request));
            model_uses(0, request.first, i);
        }
        put16(guest_at(AVAIL + 4 + 2 * SIZE), avail - 1); /* used_event: the last */
        interrupts();
        SAME(get16(guest_at(USED + 2)), avail);
        SAME(load(VIRTIO_INTERRUPT_STATUS), VIRTIO_INT_USED);
        store(VIRTIO_INTERRUPT_ACK, 3);
    }
    SAME(edges, 100);
    SAME(ram.pinned, 3);
}

/* ---- faults ---- */

static void test_broken(void **state)
{
    struct request request;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        set_up(CARRIED);
        put_desc(DESC, 0, DATA, 8, 0, 0);
        put_desc(DESC, 1, 0x1000, 8, 0, 0);
        offer(0);
        store(VIRTIO_QUEUE_NOTIFY, 0);
        offer(1);
        store(VIRTIO_QUEUE_NOTIFY, 0);
        SAME(load(VIRTIO_STATUS), 15 | VIRTIO_S_NEEDS_RESET);
        SAME(load(VIRTIO_INTERRUPT_STATUS), VIRTIO_INT_CONFIG); /* 2.1.2 */
        SAME(relay.counts.breaks, round + 1);
        SAME(relay_queue[0].shadow.faults[VMM_SHADOW_MEMORY], round + 1);
        SAME(logs, 1);
        assert_true(strstr(last_log, "a buffer is not in memory") && strstr(last_log, "0xa000a00, queue 0"));
        SAME(ram.pinned, 4); /* the device has one */
        assert_true(model_takes(0, &request));
        model_uses(0, request.first, 1);
        interrupts();
        SAME(get16(guest_at(USED + 2)), 0); /* nothing happens any more */
        offer(0);
        store(VIRTIO_QUEUE_NOTIFY, 0);
        assert_false(model_takes(0, &request));
        store(VIRTIO_INTERRUPT_ACK, 3);
        store(VIRTIO_STATUS, 15);
        SAME(load(VIRTIO_STATUS), 15 | VIRTIO_S_NEEDS_RESET);
        store(VIRTIO_STATUS, 0);
        SAME(load(VIRTIO_STATUS), 0);
        SAME(ram.pinned, 0);
        SAME(model.resets, 2 + round);
    }
}

/* The board's device breaks: it returns what it was not given, or says that it needs a reset. */
static void test_broken_device(void **state)
{
    (void)state;
    set_up(CARRIED);
    model_uses(0, 5, 0);
    interrupts();
    SAME(relay_queue[0].shadow.fault, VMM_SHADOW_DEVICE);
    SAME(load(VIRTIO_STATUS), 15 | VIRTIO_S_NEEDS_RESET);
    store(VIRTIO_STATUS, 0);
    set_up(CARRIED);
    model.isr = VIRTIO_INT_CONFIG;
    interrupts();
    SAME(load(VIRTIO_INTERRUPT_STATUS), VIRTIO_INT_CONFIG);
    SAME(load(VIRTIO_STATUS), 15);
    store(VIRTIO_INTERRUPT_ACK, 3);
    model.isr = VIRTIO_INT_CONFIG;
    model.status |= VIRTIO_S_NEEDS_RESET;
    interrupts();
    SAME(load(VIRTIO_INTERRUPT_STATUS), VIRTIO_INT_CONFIG);
    SAME(load(VIRTIO_STATUS), 15 | VIRTIO_S_NEEDS_RESET);
}

/* ---- resets ---- */

static unsigned pinned_before;

/* Nothing is released while the device may still write. */
static void look_at_pins(void)
{
    looks++;
    if (model.reset_left)
        SAME(ram.pinned, pinned_before);
}

static void test_slow_reset(void **state)
{
    (void)state;
    set_up(CARRIED);
    put_desc(DESC, 0, DATA, 8, WRITE, 0);
    offer(0);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    pinned_before = ram.pinned;
    SAME(pinned_before, 4);
    vmm_relay_raise(&relay, VIRTIO_INT_USED);
    model.reset_takes = 199; /* reads: within one look, as the relay begins anew with each */
    assert_true(vmm_relay_reset(&relay, look_at_pins));
    SAME(ram.pinned, 0);
    SAME(model.resets, 2);
    SAME(load(VIRTIO_INTERRUPT_STATUS), 0);
    assert_false(level);
    set_up(CARRIED);
    SAME(load(VIRTIO_STATUS), 15);
}

static void test_endless_reset(void **state)
{
    (void)state;
    set_up(CARRIED);
    put_desc(DESC, 0, DATA, 8, WRITE, 0);
    offer(0);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    pinned_before = ram.pinned;
    model.reset_takes = 1000000;
    model.status &= ~VIRTIO_S_NEEDS_RESET;
    store(VIRTIO_STATUS, 0);
    SAME(load(VIRTIO_STATUS), 15 | VIRTIO_S_NEEDS_RESET); /* it never reads 0 */
    SAME(ram.pinned, 4);
    SAME(logs, 1);
    store(VIRTIO_STATUS, 15);
    store(VIRTIO_QUEUE_READY, 1);
    store(VIRTIO_QUEUE_NOTIFY, 0);
    assert_false(vmm_relay_reset(&relay, look_at_pins));
    SAME(ram.pinned, 4);
    SAME(logs, 1);
    model.reset_takes = 1; /* it comes back */
    store(VIRTIO_STATUS, 0);
    SAME(load(VIRTIO_STATUS), 0);
    SAME(ram.pinned, 0);
    set_up(CARRIED);
}

/* ---- what the relay refuses ---- */

static void test_probe(void **state)
{
    const char *why;

    (void)state;
    model.version = 1;
    SAME(vmm_virtio_probe(&host, &why), 2);
    assert_true(why && strstr(why, "legacy") && strstr(why, "force-legacy=false"));
    model.version = 3;
    SAME(vmm_virtio_probe(&host, &why), 2);
    assert_non_null(why);
    model.version = 2;
    model.id = 0;
    SAME(vmm_virtio_probe(&host, &why), 0);
    assert_null(why);
    model.id = 1;
    host.coherent = false;
    vmm_virtio_probe(&host, &why);
    assert_true(why && strstr(why, "coherent"));
    host.coherent = true;
    host.iommu = true;
    vmm_virtio_probe(&host, &why);
    assert_true(why && strstr(why, "IOMMU"));
    host.iommu = false;
    vmm_virtio_probe(&host, &why);
    assert_null(why);
}

static void test_types(void **state)
{
    static const uint8_t carried[] = { 1, 2, 3, 4, 8, 9, 18, 19, 20, 25, 26 };
    unsigned nr = 0;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof(carried); i++) {
        assert_non_null(vmm_virtio_type(carried[i], &why));
        assert_null(why);
    }
    for (uint32_t id = 1; id < 200; id++) {
        assert_non_null(vmm_virtio_type(id, &why));
        nr += !why;
    }
    SAME(nr, sizeof(carried));
    assert_string_equal(vmm_virtio_type(16, &why), "GPU");
    assert_string_equal(why, "its requests have addresses of memory in them");
}

static void test_init(void **state)
{
    struct vmm_relay_config config = {
        .host = &host, .ram = &ram, .queue = relay_queue, .nr_queues = 1, .memory = take, .irq = irq
    };

    (void)state;
    model.features &= ~VIRTIO_F_VERSION_1;
    assert_non_null(vmm_relay_init(&relay, &config));
    model.features = ALL_FEATURES;
    model.reset_takes = UINT32_MAX;
    assert_non_null(vmm_relay_init(&relay, &config));
    model.reset_takes = model.reset_left = 0;
    arena_used = sizeof(arena); /* full */
    assert_non_null(vmm_relay_init(&relay, &config));
}

/* ---- saved state ---- */

static bool save(uint8_t *stream, size_t room, size_t *bytes)
{
    static struct vmm_relay_values values;
    struct avc_state_object object = { &vmm_relay_state, SLOT, &values };

    if (!vmm_relay_get(&relay, &values))
        return false;
    SAME(avc_state_write(stream, room, &object, 1, bytes), AVC_OK);
    return true;
}

static void test_state(void **state)
{
    static uint8_t stream[16384], again[16384];
    static struct vmm_relay_values values, wrong;
    struct avc_state_object object = { &vmm_relay_state, SLOT, &values };
    struct request request;
    size_t bytes, more;

    (void)state;
    set_up(CARRIED);
    put_desc(DESC, 0, DATA, 8, WRITE, 0);
    for (unsigned i = 0; i < 5; i++) {
        offer(0);
        store(VIRTIO_QUEUE_NOTIFY, 0);
        assert_false(save(stream, sizeof(stream), &bytes)); /* the device has it */
        assert_true(model_takes(0, &request));
        model_uses(0, request.first, 8);
        put16(guest_at(AVAIL + 4 + 2 * SIZE), i);
        interrupts();
    }
    offer(0); /* not notified */
    store(VIRTIO_DEVICE_FEATURES_SEL, 1);
    SAME(relay.isr, VIRTIO_INT_USED);
    assert_true(save(stream, sizeof(stream), &bytes));

    /* Another machine, with the same memory. */
    world_begin();
    used_low = USED;
    used_high = USED + VMM_USED_BYTES(SIZE);
    assert_true(vmm_relay_get(&relay, &values));
    SAME(avc_state_read(stream, bytes, &object, 1, NULL), AVC_OK);
    assert_true(vmm_relay_set(&relay, &values, look));
    assert_true(level);
    assert_true(save(again, sizeof(again), &more));
    SAME(more, bytes);
    assert_memory_equal(again, stream, bytes);
    SAME(load(VIRTIO_STATUS), 15);
    SAME(load(VIRTIO_DEVICE_FEATURES), 0xfffc0001);
    work(); /* what was not notified goes, or what was notified on the other machine and not yet seen */
    assert_true(model_takes(0, &request));
    SAME(request.piece[0].ipa, DATA);
    model_uses(0, request.first, 8);
    interrupts();
    SAME(get16(guest_at(USED + 2)), 6);
    store(VIRTIO_STATUS, 0);
    SAME(ram.pinned, 0);

    /* No relay can be in these states. */
    for (unsigned i = 0; i < 9; i++) {
        wrong = values;
        *(i == 0   ? &wrong.base
          : i == 1 ? &wrong.features
          : i == 2 ? &wrong.accepted
          : i == 3 ? &wrong.desc[0]
                   : &wrong.avail[40]) ^= i == 3  ? 1
                                          : i < 3 ? VIRTIO_F(30)
                                                  : 0;
        wrong.status ^= i == 4 ? VIRTIO_S_NEEDS_RESET : i == 5 ? VIRTIO_S_FEATURES_OK : 0;
        wrong.isr ^= i == 6 ? 4 : 0;
        wrong.ready[i == 7 ? 5 : 0] ^= i == 7 ? 1 : 0;
        wrong.num[0] = i == 8 ? 128 : wrong.num[0];
        if (vmm_relay_set(&relay, &wrong, look))
            fail_msg("wrong state %u", i);
        SAME(load(VIRTIO_STATUS), 0);
        SAME(ram.pinned, 0);
    }
    assert_true(vmm_relay_set(&relay, &values, look)); /* and it can still be in this one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registers, begin),     cmocka_unit_test_setup(test_empty, begin),
        cmocka_unit_test_setup(test_configuration, begin), cmocka_unit_test_setup(test_features, begin),
        cmocka_unit_test_setup(test_status, begin),        cmocka_unit_test_setup(test_queue_registers, begin),
        cmocka_unit_test_setup(test_queue_faults, begin),  cmocka_unit_test_setup(test_absent_rings, begin),
        cmocka_unit_test_setup(test_request, begin),       cmocka_unit_test_setup(test_kicks, begin),
        cmocka_unit_test_setup(test_budget, begin),        cmocka_unit_test_setup(test_no_room, begin),
        cmocka_unit_test_setup(test_long_chain, begin),    cmocka_unit_test_setup(test_absent, begin),
        cmocka_unit_test_setup(test_many_used, begin),     cmocka_unit_test_setup(test_broken, begin),
        cmocka_unit_test_setup(test_broken_device, begin), cmocka_unit_test_setup(test_slow_reset, begin),
        cmocka_unit_test_setup(test_endless_reset, begin), cmocka_unit_test_setup(test_probe, begin),
        cmocka_unit_test_setup(test_types, begin),         cmocka_unit_test_setup(test_init, begin),
        cmocka_unit_test_setup(test_state, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
