/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The shadow virtqueue between a guest that does anything to its ring, also between two reads of the queue's, and a
 * device that uses requests in any order, and rarely returns what it was not given. The checks are those of
 * shadow_world.h: after each step the reference says what had to come of it.
 */
#include "asserts.h"

#include "../unit/shadow_world.h"
#include "input.h"

#define DESC  (BASE + 0x1000)
#define AVAIL (BASE + 0x2000)
#define USED  (BASE + 0x3000)
#define TABLE (BASE + 0x4000) /* tables of 16 entries, some of them not aligned */

static uint16_t avail;
static uint64_t noise; /* of what the guest does meanwhile; 0: nothing */

static uint64_t table_at(unsigned n)
{
    return TABLE + 0x110 * (n % 8) + (n % 8 == 7 ? 3 : 0);
}

/* An address near the border of two blocks, or of the memory. */
static uint64_t address(void)
{
    uint8_t what = byte();
    uint64_t near = (what & 7) < 5 ? (what & 7) * VMM_RAM_BLOCK : what & 8 ? MEMORY : (uint64_t)byte() << 12;

    if (what == 0xff)
        return take_bytes(8);
    return BASE + near + (what >> 4) - 8;
}

static uint32_t length(void)
{
    uint32_t what = byte();

    if (what < 200)
        return 1 + what % 32;
    if (what < 220)
        return (what & 3) * (uint32_t)VMM_RAM_BLOCK + what;
    return what < 230 ? 0 : (uint32_t)take_bytes(4);
}

/* Mostly a chain that is right, in the ring or in a table; then a part of it is changed. */
static void make_chain(unsigned head)
{
    uint8_t what = byte();
    unsigned nr = 1 + (what & 3), writing = (what >> 2 & 3) % (nr + 1);
    bool indirect = what & 16;
    uint64_t table = indirect ? table_at(what >> 5) : DESC;

    for (unsigned i = 0; i < nr; i++) {
        unsigned at = indirect ? i : (head + i) % 16;
        uint64_t addr = address();
        uint32_t len = length();

        if (!is_memory(addr, len) && byte() % 8) {
            addr = BASE + 0x10000 + (addr & 0xfff);
            len = 1 + len % 4096;
        }
        put_desc(table, at, addr, len, (i + 1 < nr ? NEXT : 0) | (i >= nr - writing ? WRITE : 0),
                 indirect ? i + 1 : (head + i + 1) % 16);
    }
    if (indirect)
        put_desc(DESC, head, table, 16 * nr, INDIRECT, 0);
}

/* 1 to 8 bytes anywhere in what the guest owns and the queue reads. */
static void scribble(uint64_t value)
{
    static const struct {
        uint64_t at;
        unsigned bytes;
    } areas[] = { { DESC, 256 }, { DESC, 256 }, { TABLE, 0x900 }, { AVAIL, 64 } };
    unsigned n = value & 3, bytes = 1 + (value >> 2 & 7);
    uint64_t at = areas[n].at + (value >> 5 & 0xfff) % (areas[n].bytes - 8);

    if (n == 3 && value >> 20 & 7) { /* idx less often, and by little */
        at = AVAIL + 4 + (value >> 5 & 15) * 2;
        bytes = 1;
        value &= ~(UINT64_C(0xf0) << 32);
    }
    put_number(guest_at(at), value >> 32, bytes);
}

static void guest_meddles(void)
{
    noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407;
    if (noise >> 61 == 0)
        scribble(noise >> 3);
}

static void restart(void)
{
    uint8_t what = byte();

    stop();
    config = (struct vmm_shadow_config){ DESC, AVAIL, USED, 1u << (what & 7) % 5, what & 8, what & 16 || what & 32 };
    if (what >> 6 == 3) {
        uint8_t wrong = byte();

        if (wrong & 1)
            config.size = (uint32_t)take_bytes(4);
        if (wrong & 2)
            config.desc = address();
        if (wrong & 4)
            config.avail = address();
        if (wrong & 8)
            config.used = address();
    }
    vmm_shadow_init(&q, &ram, device_desc, device_avail, device_used, slot, DEVICES, byte() & 1);
    if (start()) {
        stop();
        config = (struct vmm_shadow_config){ DESC, AVAIL, USED, 16, what & 8, what & 16 };
        ram.there[0] |= 1;
        SAME(start(), 0);
    } else if (config.desc != DESC || config.avail != AVAIL || config.used != USED) {
        stop(); /* areas could overlap, and the reference would find that the queue has changed them */
        config.desc = DESC;
        config.avail = AVAIL;
        config.used = USED;
        config.size = config.size < 16 ? config.size : 16;
        SAME(start(), 0);
    }
    avail = 0;
}

static void device_step(void)
{
    uint8_t what = byte();

    if (what == 0xff && q.started && !is_broken) { /* it returns anything */
        put_number(device_used + 4 + 8 * (device_idx_used % DEVICES), take_bytes(4), 4);
        put16(device_used + 2, ++device_idx_used);
    } else if (nr_requests) {
        unsigned n = what % nr_requests, before = 0;

        /* Not one that it has returned already. */
        for (uint16_t i = q.got; i != device_idx_used; i++)
            before += number(device_used + 4 + 8 * (i % DEVICES), 4) == request[n].first;
        if (!before)
            device_uses(n, (uint32_t)take_bytes(4));
    }
    put16(device_used + 4 + 8 * DEVICES, device_seen + (what >> 5) - 3);
    put16(device_used, what >> 4 & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_is(data, size);
    world_begin();
    memset(guest_at(BASE), 0, 0x5000);
    memset(device_used, 0, sizeof(device_used));
    ram.pinned = 0;
    memset(&q, 0, sizeof(q));
    restart();
    for (unsigned n = 0; n < 300 && input_left; n++) {
        uint8_t what = byte();

        meddle = NULL;
        if (what & 128) {
            noise = what * UINT64_C(0x9e3779b97f4a7c15) + n;
            meddle = guest_meddles;
        }
        switch (what & 15) {
        case 0:
        case 1:
        case 2:
        case 3: {
            unsigned head = (what >> 4 & 7) + (what & 1) * 8;

            meddle = NULL;
            make_chain(head);
            put16(guest_at(AVAIL + 4 + 2 * (avail % config.size)), head % config.size);
            put16(guest_at(AVAIL + 2), ++avail);
            break;
        }
        case 4:
            scribble(take_bytes(8));
            break;
        case 5:
        case 6:
        case 7:
            forward(what & 64 ? DEVICES : byte() % 20);
            break;
        case 8:
        case 9:
        case 10:
            device_step();
            break;
        case 11:
        case 12:
            put16(guest_at(AVAIL + 4 + 2 * config.size), guest_used + (what >> 4 & 7) - 3);
            give_used(what & 64 ? DEVICES : byte() % 4, what & 32 ? DEVICES : byte() % 20);
            break;
        case 13:
            ram.there[0] = 1 | byte();
            break;
        case 14:
            avail = get16(guest_at(AVAIL + 2)); /* the driver goes on from what is there */
            break;
        default:
            if (is_broken || what & 64)
                restart();
        }
    }
    stop();
    return 0;
}
