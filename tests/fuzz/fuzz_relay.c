/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A relayed device between a guest that stores anything to its transport and its rings, and a board's device that uses
 * requests in any order, resets slowly, breaks, and rarely returns what it was not given. relay_world.h checks what the
 * relay makes of it: the board's device is driven by the rules, sees no memory but the guest's, and the relay writes
 * nothing of the guest's but used rings. At the end nothing is pinned.
 */
#include "asserts.h"

#include "../unit/relay_world.h"
#include "input.h"

#define DESC(q)  (BASE + 0x1000 + 0x400 * (q))
#define AVAIL(q) (BASE + 0x2000 + 0x400 * (q))
#define USED(q)  (BASE + 0x3000 + 0x400 * (q))
#define TABLE    (BASE + 0x4000)

static uint16_t avail[QUEUES];
static struct request held[8]; /* that the device has, of any queue */
static unsigned held_queue[8], nr_held;

static uint64_t address(void)
{
    uint8_t what = byte();

    if (what == 0xff)
        return take_bytes(8);
    return BASE + ((what & 7) < 5 ? (what & 7) * VMM_RAM_BLOCK : (uint64_t)byte() << 12) + (what >> 4) - 8;
}

static void make_chain(unsigned queue)
{
    uint8_t what = byte();
    unsigned nr = 1 + (what & 3), head = what >> 4;
    bool indirect = what & 8;
    uint64_t table = indirect ? TABLE + 0x100 * (what >> 5) : DESC(queue);

    for (unsigned i = 0; i < nr; i++) {
        uint64_t addr = address();
        uint32_t len = 1 + byte();

        if (!is_memory(addr, len) && byte() % 16)
            addr = BASE + 0x10000 + (addr & 0xfff);
        put_desc(table, indirect ? i : (head + i) % 16, addr, len, (i + 1 < nr ? NEXT : 0) | (i ? WRITE : 0),
                 indirect ? i + 1 : (head + i + 1) % 16);
    }
    if (indirect)
        put_desc(DESC(queue), head, table, 16 * nr, INDIRECT, 0);
    put16(guest_at(AVAIL(queue) + 4 + 2 * (avail[queue] % 16)), head);
    put16(guest_at(AVAIL(queue) + 2), ++avail[queue]);
}

/* What a driver does, but for what the input says otherwise. */
static void set_up(void)
{
    uint8_t what = byte();

    store(VIRTIO_STATUS, 0);
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER);
    accept_features(VIRTIO_F_VERSION_1 | (what & 1 ? VIRTIO_F_EVENT_IDX : 0) | (what & 2 ? VIRTIO_F_INDIRECT_DESC : 0) |
                    (what >> 2 == 63 ? take_bytes(8) : 0));
    store(VIRTIO_STATUS, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK);
    for (unsigned queue = 0; queue < 2; queue++) {
        memset(guest_at(AVAIL(queue)), 0, 0x100);
        memset(guest_at(USED(queue)), 0, 0x100);
        avail[queue] = 0;
        store(VIRTIO_QUEUE_SEL, queue);
        store(VIRTIO_QUEUE_NUM, 16);
        store64(VIRTIO_QUEUE_DESC_LOW, what >> 2 == 62 ? address() : DESC(queue));
        store64(VIRTIO_QUEUE_DRIVER_LOW, what >> 2 == 61 ? address() : AVAIL(queue));
        store64(VIRTIO_QUEUE_DEVICE_LOW, USED(queue) + (what >> 2 == 60 ? byte() : 0));
        if (!(what & 8) || queue == 0)
            store(VIRTIO_QUEUE_READY, 1);
    }
    if (!(what & 4) || byte() & 1)
        store(VIRTIO_STATUS, 15);
}

/* The used ring's address is the one thing that the guest may not choose freely here: the checks know where it is. */
static void any_store(void)
{
    static const uint8_t widths[] = { 4, 4, 4, 4, 4, 1, 2, 8 };
    uint32_t offset = byte() % 0x80 * 4, value = byte();

    if (offset >= VIRTIO_CONFIG + 0x40) { /* rather what matters more */
        store(VIRTIO_QUEUE_SEL, value & 1);
        store(VIRTIO_QUEUE_READY, value >> 1 & 1);
        return;
    }
    if (value >= 0xf0)
        value = (uint32_t)take_bytes(4);
    if (offset == VIRTIO_QUEUE_DEVICE_LOW)
        value = (uint32_t)USED(value & 1) + (value & 4);
    if (offset == VIRTIO_QUEUE_DEVICE_HIGH || offset == VIRTIO_QUEUE_DEVICE_LOW - 4)
        value = 0;
    if (offset < VIRTIO_CONFIG || offset < VIRTIO_CONFIG + sizeof(model.config) - 8)
        access(offset, offset == VIRTIO_QUEUE_DEVICE_LOW - 4 ? 4 : widths[byte() % 8], true, value);
}

static void scribble(void)
{
    uint64_t where = take_bytes(2), areas[] = { DESC(0), AVAIL(0), TABLE, DESC(1) };

    put_number(guest_at(areas[where & 3] + (where >> 2) % 0x400), take_bytes(4), 1 + (where >> 14));
}

/* Of a queue that the guest has stopped the device goes on to have requests, but returns none. */
static bool in_use(unsigned queue)
{
    return model.queue[queue].ready && model.status & VIRTIO_S_DRIVER_OK;
}

static void device_step(void)
{
    uint8_t what = byte();
    unsigned queue = what & 1;

    if (what & 2 && nr_held < 8 && model_takes(queue, &held[nr_held])) {
        held_queue[nr_held++] = queue;
    } else if (what == 0xfd && in_use(queue)) {
        model_uses(queue, (uint32_t)take_bytes(4), 0);
    } else if (nr_held) {
        unsigned n = (what >> 2) % nr_held;

        if (!in_use(held_queue[n]))
            return;
        model_uses(held_queue[n], held[n].first, (uint32_t)take_bytes(2));
        nr_held--;
        held[n] = held[nr_held];
        held_queue[n] = held_queue[nr_held];
    }
    model.isr |= what == 0xf9 ? VIRTIO_INT_CONFIG : 0;
    if (what == 0xf5 && model.status & VIRTIO_S_DRIVER_OK) {
        model.status |= VIRTIO_S_NEEDS_RESET;
        model.isr |= VIRTIO_INT_CONFIG;
    }
}

static void save_and_restore(void)
{
    static struct vmm_relay_values values;

    if (!vmm_relay_get(&relay, &values))
        return;
    SAME(nr_held, 0);
    assert_true(vmm_relay_reset(&relay, look));
    SAME(ram.pinned, 0);
    if (byte() & 1)
        ((uint8_t *)&values)[take_bytes(2) % offsetof(struct vmm_relay_values, used)] ^= byte();
    vmm_relay_set(&relay, &values, look);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned resets;

    input_is(data, size);
    world_begin();
    used_low = USED(0);
    used_high = USED(2);
    memset(guest_at(BASE), 0, 0x6000);
    nr_held = 0;
    model.refuses = byte() > 250;
    set_up();
    resets = model.resets;
    for (unsigned n = 0; n < 300 && input_left; n++) {
        uint8_t what = byte();

        if (resets != model.resets)
            nr_held = 0;
        resets = model.resets;
        switch (what & 15) {
        case 0:
        case 1:
        case 2:
            make_chain(what >> 4 & 1);
            break;
        case 3:
        case 4:
        case 5:
            store(VIRTIO_QUEUE_NOTIFY, what >> 4 & 1);
            break;
        case 6:
        case 7:
        case 8:
            device_step();
            break;
        case 9:
        case 10:
            interrupts();
            break;
        case 11:
            for (unsigned i = 0; i < 1u + (what >> 4) && vmm_relay_work(&relay, look); i++)
                ;
            break;
        case 12:
            if (what & 16)
                scribble();
            else
                any_store();
            break;
        case 13:
            store(VIRTIO_INTERRUPT_ACK, what >> 4);
            load(byte() % 0x40 * 4);
            break;
        case 14:
            if (what >> 4 == 0)
                save_and_restore();
            else if (!ram.pinned)
                ram.there[0] = 1 | byte();
            break;
        default:
            model.reset_takes = what >> 4 == 15 ? 150 : 0;
            if (relay.status & VIRTIO_S_NEEDS_RESET || what & 64)
                set_up();
        }
        SAME(level, relay.isr != 0);
        if (resets == model.resets)
            assert_true(ram.pinned >= nr_held);
    }
    assert_true(vmm_relay_reset(&relay, look));
    SAME(ram.pinned, 0);
    SAME(load(VIRTIO_STATUS), 0);
    assert_false(level);
    return 0;
}
