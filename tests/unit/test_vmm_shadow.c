/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The shadow virtqueue: each fault of a guest's, and what correct guests get. shadow_world.h has the checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "shadow_world.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

#define SIZE  8u
#define DESC  (BASE + 0x1000)
#define AVAIL (BASE + 0x2000)
#define USED  (BASE + 0x3000)
#define TABLE (BASE + 0x4000)
#define DATA  (BASE + 0x10000)
#define BLOCK VMM_RAM_BLOCK

static uint16_t avail; /* the guest's idx */

static void begin_with(bool event_idx, bool device_event_idx)
{
    world_begin();
    config = (struct vmm_shadow_config){ DESC, AVAIL, USED, SIZE, event_idx, true };
    vmm_shadow_init(&q, &ram, device_desc, device_avail, device_used, slot, DEVICES, device_event_idx);
    SAME(start(), 0);
    avail = 0;
}

static int begin(void **state)
{
    (void)state;
    begin_with(false, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    stop();
    return 0;
}

/* The guest makes a chain available. */
static void offer(unsigned head)
{
    put16(guest_at(AVAIL + 4 + 2 * (avail % config.size)), head);
    put16(guest_at(AVAIL + 2), ++avail);
}

static void test_faults(void **state)
{
    static const struct {
        const char *name;
        enum vmm_shadow_fault fault; /* FINE: it goes */
        unsigned head, nr;           /* descriptors from 0 on */
        struct {
            uint64_t addr;
            uint32_t len;
            uint16_t flags, next;
        } d[4];
    } rows[] = {
        { "one buffer", 0, 0, 1, { { DATA, 16, 0, 0 } } },
        { "the last descriptor", 0, SIZE - 1, 0, { { 0 } } },
        { "next means nothing without its flag", 0, 0, 1, { { DATA, 1, WRITE, 9999 } } },
        { "unknown flags", 0, 0, 1, { { DATA, 1, 0xfff8, 0 } } },
        { "all of memory", 0, 0, 1, { { BASE, MEMORY, 0, 0 } } },
        { "head out of range", VMM_SHADOW_INDEX, SIZE, 0, { { 0 } } },
        { "head far out of range", VMM_SHADOW_INDEX, 0xffff, 0, { { 0 } } },
        { "next out of range", VMM_SHADOW_INDEX, 0, 1, { { DATA, 1, NEXT, SIZE } } },
        { "itself next", VMM_SHADOW_CHAIN, 0, 1, { { DATA, 1, NEXT, 0 } } },
        { "a loop of two", VMM_SHADOW_CHAIN, 0, 2, { { DATA, 1, NEXT, 1 }, { DATA, 1, NEXT, 0 } } },
        { "no bytes", VMM_SHADOW_ZERO, 0, 1, { { DATA, 0, 0, 0 } } },
        { "no bytes at the end", VMM_SHADOW_ZERO, 0, 2, { { DATA, 1, NEXT, 1 }, { DATA, 0, WRITE, 0 } } },
        { "read behind write", VMM_SHADOW_ORDER, 0, 2, { { DATA, 1, NEXT | WRITE, 1 }, { DATA, 1, 0, 0 } } },
        { "below memory", VMM_SHADOW_MEMORY, 0, 1, { { BASE - 1, 1, 0, 0 } } },
        { "at 0", VMM_SHADOW_MEMORY, 0, 1, { { 0, 1, 0, 0 } } },
        { "into memory", VMM_SHADOW_MEMORY, 0, 1, { { BASE - 1, 2, 0, 0 } } },
        { "out of memory", VMM_SHADOW_MEMORY, 0, 1, { { BASE + MEMORY - 1, 2, WRITE, 0 } } },
        { "behind memory", VMM_SHADOW_MEMORY, 0, 1, { { BASE + MEMORY, 1, 0, 0 } } },
        { "wraps to 0", VMM_SHADOW_MEMORY, 0, 1, { { UINT64_MAX, 1, 0, 0 } } },
        { "wraps into memory", VMM_SHADOW_MEMORY, 0, 1, { { UINT64_MAX - 0xff, UINT32_MAX, 0, 0 } } },
        { "as long as can be", VMM_SHADOW_MEMORY, 0, 1, { { DATA, UINT32_MAX, 0, 0 } } },
        { "a table", 0, 0, 1, { { TABLE, 32, INDIRECT, 0 } } },
        { "a table's own write flag means nothing", 0, 0, 1, { { TABLE, 32, INDIRECT | WRITE, 0 } } },
        { "a table behind buffers", 0, 0, 2, { { DATA, 1, NEXT, 1 }, { TABLE, 32, INDIRECT, 0 } } },
        { "a table that is not aligned", 0, 0, 1, { { TABLE + 0x103, 32, INDIRECT, 0 } } },
        { "a table with next", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE, 32, INDIRECT | NEXT, 1 } } },
        { "an empty table", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE, 0, INDIRECT, 0 } } },
        { "15 bytes of table", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE, 15, INDIRECT, 0 } } },
        { "33 bytes of table", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE, 33, INDIRECT, 0 } } },
        { "a table with too many entries", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE, 0x100010, INDIRECT, 0 } } },
        { "a table with most entries", 0, 0, 1, { { TABLE, 0x100000, INDIRECT, 0 } } },
        { "next out of a table", VMM_SHADOW_INDEX, 0, 1, { { TABLE, 16, INDIRECT, 0 } } },
        { "a table in a table", VMM_SHADOW_INDIRECT, 0, 1, { { TABLE + 0x20, 16, INDIRECT, 0 } } },
        { "a table that loops", VMM_SHADOW_CHAIN, 0, 1, { { TABLE + 0x40, 16, INDIRECT, 0 } } },
        { "a table behind a loop's length",
          VMM_SHADOW_CHAIN,
          0,
          2,
          { { DATA, 1, NEXT, 1 }, { TABLE + 0x40, 16, INDIRECT, 0 } } },
        { "read behind write, in a table",
          VMM_SHADOW_ORDER,
          0,
          2,
          { { DATA, 1, NEXT | WRITE, 1 }, { TABLE, 32, INDIRECT, 0 } } },
        { "a table at 0", VMM_SHADOW_TABLE, 0, 1, { { 0, 16, INDIRECT, 0 } } },
        { "a table that wraps", VMM_SHADOW_TABLE, 0, 1, { { UINT64_MAX - 15, 32, INDIRECT, 0 } } },
        { "a table out of memory", VMM_SHADOW_TABLE, 0, 1, { { BASE + MEMORY - 16, 32, INDIRECT, 0 } } },
        { "a table in two pieces", VMM_SHADOW_TABLE, 0, 1, { { BASE + BLOCK - 16, 32, INDIRECT, 0 } } },
    };

    (void)state;
    for (size_t round = 0; round < 2 * ROWS(rows); round++) {
        size_t i = round / 2;
        bool behind_good = round % 2;
        unsigned result;

        begin_with(false, false);
        put_desc(DESC, SIZE - 1, DATA, 4, 0, 0);
        put_desc(TABLE, 0, DATA, 4, NEXT, 1);
        put_desc(TABLE, 1, DATA + 4, 4, WRITE, 0);
        put_desc(TABLE + 0x20, 0, TABLE, 32, INDIRECT, 0);
        put_desc(TABLE + 0x40, 0, DATA, 1, NEXT, 0);
        put_desc(TABLE + 0x103, 0, DATA + 8, 4, NEXT, 1);
        put_desc(TABLE + 0x103, 1, DATA + 12, 4, WRITE, 0);
        for (unsigned n = 0; n < rows[i].nr; n++)
            put_desc(DESC, n, rows[i].d[n].addr, rows[i].d[n].len, rows[i].d[n].flags, rows[i].d[n].next);
        if (behind_good)
            offer(SIZE - 1);
        offer(rows[i].head);
        result = forward(DEVICES);
        if (q.fault != rows[i].fault)
            fail_msg("%s: %s", rows[i].name, vmm_shadow_fault_text(q.fault));
        SAME(result, rows[i].fault ? VMM_SHADOW_BROKEN : VMM_SHADOW_NOTIFY);
        if (rows[i].fault) {
            SAME(q.faults[rows[i].fault], 1);
            SAME(get16(device_avail + 2), 0); /* the device sees nothing of it, nor of what was in front */
            SAME(ram.pinned, 3 + behind_good);
            SAME(forward(DEVICES), VMM_SHADOW_BROKEN); /* and nothing else happens */
            SAME(give_used(DEVICES, DEVICES), VMM_SHADOW_BROKEN);
            SAME(q.faults[rows[i].fault], 1);
        }
        stop();
    }
    config.indirect = false;
    SAME(start(), 0);
    avail = 0;
    put_desc(DESC, 0, TABLE, 32, INDIRECT, 0);
    offer(0);
    SAME(forward(DEVICES), VMM_SHADOW_BROKEN); /* not negotiated */
    SAME(q.fault, VMM_SHADOW_INDIRECT);
}

/* A chain of more than 2^32 bytes cannot be: the memory is smaller, but the same bytes may be there again. */
static void test_long_chain(void **state)
{
    (void)state;
    stop();
    config.size = 256;
    SAME(start(), 0);
    ram.size = UINT64_C(1) << 32; /* nobody looks into it */
    ram.piece[3].size = ram.size - 3 * BLOCK;
    memset(ram.there, 0xff, sizeof(ram.there));
    put_desc(DESC, 0, BASE + 3 * BLOCK, UINT32_MAX - 3 * BLOCK, NEXT, 1);
    put_desc(DESC, 1, BASE + 3 * BLOCK, 3 * BLOCK + 1, NEXT, 2);
    put_desc(DESC, 2, BASE + 3 * BLOCK, 1, 0, 0);
    put16(guest_at(AVAIL + 4), 0);
    put16(guest_at(AVAIL + 2), 1);
    SAME(vmm_shadow_forward(&q, DEVICES), VMM_SHADOW_BROKEN);
    SAME(q.fault, VMM_SHADOW_LENGTH);
    stop();
    SAME(start(), 0);
    put_desc(DESC, 1, BASE + 3 * BLOCK, 3 * BLOCK + 1, 0, 0); /* 2^32 may be */
    put16(guest_at(AVAIL + 2), 1);
    SAME(vmm_shadow_forward(&q, DEVICES), VMM_SHADOW_NOTIFY);
    ram.size = MEMORY;
    ram.piece[3].size = TAIL;
    memset(ram.there, 0, sizeof(ram.there));
    ram.there[0] = 0xf;
}

static void test_avail(void **state)
{
    static const struct {
        const char *name;
        uint16_t before, used, idx; /* taken; given back; what the guest says then */
        bool fine;
    } rows[] = {
        { "as many as there are", 0, 0, SIZE, true },
        { "one more", 0, 0, SIZE + 1, false },
        { "backwards", 0, 0, 0xffff, false },
        { "backwards over some that were taken", 4, 0, 3, false },
        { "backwards over some that were given back", 4, 4, 3, false },
        { "with some out", 4, 2, SIZE + 2, true },
        { "with some out, one more", 4, 2, SIZE + 3, false },
        { "far", 4, 4, 0x8004, false },
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        begin_with(false, false);
        for (unsigned n = 0; n < SIZE; n++) {
            put_desc(DESC, n, DATA + n, 1, 0, 0);
            put16(guest_at(AVAIL + 4 + 2 * n), n);
        }
        put16(guest_at(AVAIL + 2), rows[i].before);
        forward(DEVICES);
        for (unsigned n = 0; n < rows[i].used; n++)
            device_uses(n, 0);
        give_used(DEVICES, DEVICES);
        put16(guest_at(AVAIL + 2), rows[i].idx);
        forward(DEVICES);
        if (rows[i].fine ? q.fault : q.fault != VMM_SHADOW_AVAIL)
            fail_msg("%s: %s", rows[i].name, vmm_shadow_fault_text(q.fault));
        stop();
    }
}

static void test_setup(void **state)
{
    static const struct {
        const char *name;
        struct vmm_shadow_config config;
        enum vmm_shadow_fault fault;
    } rows[] = {
        { "one entry", { DESC, AVAIL, USED, 1, 0, 0 }, 0 },
        { "256 entries", { DESC, AVAIL, USED, 256, 0, 0 }, 0 },
        { "most entries", { BASE, BASE + BLOCK, BASE + 2 * BLOCK, 32768, 0, 0 }, 0 },
        { "no entries", { DESC, AVAIL, USED, 0, 0, 0 }, VMM_SHADOW_SIZE },
        { "6 entries", { DESC, AVAIL, USED, 6, 0, 0 }, VMM_SHADOW_SIZE },
        { "65536 entries", { DESC, AVAIL, USED, 65536, 0, 0 }, VMM_SHADOW_SIZE },
        { "2^31 entries", { DESC, AVAIL, USED, 1u << 31, 0, 0 }, VMM_SHADOW_SIZE },
        { "desc at 8", { DESC + 8, AVAIL, USED, 8, 0, 0 }, VMM_SHADOW_ALIGN },
        { "avail at 1", { DESC, AVAIL + 1, USED, 8, 0, 0 }, VMM_SHADOW_ALIGN },
        { "avail at 2", { DESC, AVAIL + 2, USED, 8, 0, 0 }, 0 },
        { "used at 2", { DESC, AVAIL, USED + 2, 8, 0, 0 }, VMM_SHADOW_ALIGN },
        { "used at 4", { DESC, AVAIL, USED + 4, 8, 0, 0 }, 0 },
        { "desc nowhere", { 0, AVAIL, USED, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "desc out of memory", { BASE + MEMORY - 112, AVAIL, USED, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "desc that wraps", { UINT64_MAX - 15, AVAIL, USED, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "avail out of memory", { DESC, BASE + MEMORY - 20, USED, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "used out of memory", { DESC, AVAIL, BASE + MEMORY - 68, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "desc in two pieces", { BASE + BLOCK - 16, AVAIL, USED, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "used in two pieces", { DESC, AVAIL, BASE + 3 * BLOCK - 4, 8, 0, 0 }, VMM_SHADOW_AREA },
        { "used over two blocks of a piece", { DESC, AVAIL, BASE + 2 * BLOCK - 4, 8, 0, 0 }, 0 },
    };

    (void)state;
    for (unsigned fault = VMM_SHADOW_FINE + 1; fault < VMM_SHADOW_NR_FAULTS; fault++)
        assert_true(*vmm_shadow_fault_text(fault));
    for (size_t i = 0; i < ROWS(rows); i++) {
        stop();
        config = rows[i].config;
        if (start() != (rows[i].fault ? VMM_SHADOW_BROKEN : 0) || q.fault != rows[i].fault)
            fail_msg("%s: %s", rows[i].name, vmm_shadow_fault_text(q.fault));
        SAME(ram.pinned, rows[i].fault ? 0 : 3);
        SAME(forward(DEVICES), rows[i].fault ? VMM_SHADOW_BROKEN : 0);
    }
    stop();
    config = rows[0].config;
    ram.there[0] = 0xe;
    SAME(start(), VMM_SHADOW_ABSENT);
    SAME(q.absent, DESC);
    SAME(forward(DEVICES), 0);
    SAME(give_used(DEVICES, DEVICES), 0);
    vmm_ram_touch(&ram, q.absent, NULL);
    SAME(start(), 0);
}

/* Memory that nobody has touched: nothing is taken until the task has touched it. */
static void test_absent(void **state)
{
    (void)state;
    ram.there[0] = 1;
    put_desc(DESC, 0, DATA, 16, NEXT, 1);
    put_desc(DESC, 1, BASE + 2 * BLOCK - 8, 16, WRITE, 0);
    put_desc(DESC, 2, BASE + BLOCK + 32, 32, INDIRECT, 0);
    offer(0);
    offer(2);
    SAME(forward(DEVICES), VMM_SHADOW_ABSENT);
    SAME(q.absent, BASE + 2 * BLOCK - 8);
    SAME(ram.pinned, 3);
    vmm_ram_touch(&ram, q.absent, NULL);
    SAME(forward(DEVICES), VMM_SHADOW_ABSENT);
    SAME(q.absent, BASE + 2 * BLOCK);
    vmm_ram_touch(&ram, q.absent, NULL);
    ram.there[0] = 5;
    put_desc(DESC, 1, BASE + 2 * BLOCK + 8, 16, WRITE, 0);
    SAME(forward(DEVICES), VMM_SHADOW_ABSENT | VMM_SHADOW_NOTIFY); /* the first goes, the table is missing */
    SAME(q.absent, BASE + BLOCK + 32);
    ram.there[0] = 7;
    put_desc(BASE + BLOCK + 32, 0, DATA, 1, NEXT, 1);
    put_desc(BASE + BLOCK + 32, 1, DATA, 1, 0, 0);
    SAME(forward(DEVICES), VMM_SHADOW_NOTIFY);
}

/* The budget counts descriptors of the device's. A chain that is too long for what is left of it waits whole. */
static void test_budget(void **state)
{
    (void)state;
    put_desc(DESC, 0, DATA, 1, NEXT, 1);
    put_desc(DESC, 1, BASE + BLOCK - 1, 2, NEXT, 2); /* in two pieces */
    put_desc(DESC, 2, DATA, 1, WRITE, 0);
    offer(2);
    offer(0);
    offer(2);
    SAME(forward(0), VMM_SHADOW_AGAIN);
    SAME(forward(1), VMM_SHADOW_AGAIN | VMM_SHADOW_NOTIFY);
    for (unsigned budget = 0; budget < 4; budget++)
        SAME(forward(budget), VMM_SHADOW_AGAIN);
    SAME(forward(4), VMM_SHADOW_AGAIN | VMM_SHADOW_NOTIFY);
    SAME(forward(1), VMM_SHADOW_NOTIFY);
    SAME(forward(DEVICES), 0);
}

/* The device's ring is full: what waits goes when something was used, without the guest. */
static void test_full(void **state)
{
    (void)state;
    for (unsigned n = 0; n < SIZE; n++)
        put_desc(DESC, n, DATA + 16 * n, 16, n % 4 == 3 ? WRITE : NEXT, n + 1);
    for (unsigned n = 0; n < 6; n++)
        offer(n % 2 * 4);
    SAME(forward(100), VMM_SHADOW_NOTIFY);
    SAME(nr_requests, 4);
    SAME(q.nr_free, 0);
    SAME(forward(100), 0);
    SAME(give_used(100, 100), 0);
    device_uses(2, 7);
    SAME(give_used(100, 100), VMM_SHADOW_INTERRUPT | VMM_SHADOW_NOTIFY);
    SAME(nr_requests, 4);
    device_uses(3, 0);
    device_uses(0, 0);
    SAME(give_used(1, 100), VMM_SHADOW_INTERRUPT | VMM_SHADOW_NOTIFY | VMM_SHADOW_AGAIN);
    SAME(give_used(100, 100), VMM_SHADOW_INTERRUPT);
    SAME(nr_requests, 3);
    /* More pieces than the device's ring has entries: it could wait for ever. */
    stop();
    config.size = 32;
    SAME(start(), 0);
    avail = 0;
    for (unsigned n = 0; n < 32; n++)
        put_desc(DESC, n, DATA + n, 1, n == 16 ? 0 : NEXT, n + 1);
    put_desc(DESC, 20, DATA, 1, 0, 0);
    offer(20);
    offer(0);
    SAME(forward(100), VMM_SHADOW_NOTIFY); /* the second waits for the first */
    device_uses(0, 0);
    SAME(give_used(100, 100), VMM_SHADOW_INTERRUPT | VMM_SHADOW_BROKEN);
    SAME(q.fault, VMM_SHADOW_PIECES);
}

/* The device returns what it was not given, or the same twice. */
static void test_device(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        begin_with(false, false);
        put_desc(DESC, 0, DATA, 1, NEXT, 1);
        put_desc(DESC, 1, DATA, 1, 0, 0);
        offer(0);
        forward(DEVICES);
        device_uses(0, 0);
        if (what < 2)
            put_number(device_used + 4, what == 0 ? 1 : DEVICES, 4);
        else
            device_uses(0, 0);
        SAME(give_used(DEVICES, DEVICES), VMM_SHADOW_BROKEN);
        SAME(q.fault, VMM_SHADOW_DEVICE);
        stop();
    }
}

/* Who keeps a copy is told of what was written before the guest is: all of each buffer, whatever the device says. */
static uint64_t told;
static unsigned told_ring;

static void note_written(void *ctx, avc_ipa_t from, uint32_t bytes)
{
    (void)ctx;
    if (from == config.used) {
        SAME(bytes, VMM_USED_BYTES(SIZE));
        told_ring++;
        return;
    }
    SAME(get16(guest_at(config.used + 2)), 0);
    told += from - DATA + UINT64_C(1000) * bytes;
}

static void test_written(void **state)
{
    (void)state;
    ram.written = note_written;
    told = told_ring = 0;
    put_desc(DESC, 0, DATA + 1, 100, NEXT, 1);
    put_desc(DESC, 1, DATA + 300, 5, NEXT | WRITE, 2);
    put_desc(DESC, 2, DATA + 400, 6, WRITE, 0);
    offer(0);
    forward(1); /* taken in part and undone: nothing was written */
    forward(2);
    SAME(told, 0);
    forward(3);
    device_uses(0, 1);
    give_used(1, 1);
    SAME(told, 700 + 11000);
    SAME(told_ring, 1);
    vmm_shadow_stop(&q);
    SAME(told_ring, 2);
}

/* Each field is read once, and its barriers stand. */
static void test_barriers(void **state)
{
    (void)state;
    rmbs = wmbs = mbs = 0;
    put_desc(DESC, 0, DATA, 1, 0, 0);
    offer(0);
    offer(0);
    forward(DEVICES);
    SAME(nr_logged, 1 + 2 * 3); /* idx; entry, and two words, of each */
    SAME(wmbs, 1);              /* of a batch */
    SAME(mbs, 1);
    SAME(rmbs, 0);
    device_uses(0, 0);
    device_uses(1, 0);
    give_used(DEVICES, DEVICES);
    SAME(rmbs, 1);
    SAME(wmbs, 1);
}

/* ---- a correct guest and a correct device, at random ---- */

struct driver {
    bool out[256]; /* heads that the queue has */
    unsigned nr_out;
    uint16_t back; /* used ring */
};

/* A descriptor for each chain, and a table of up to 3 buffers. */
static void offer_random(struct driver *d, unsigned head)
{
    unsigned nr = 1 + (unsigned)rand() % 3, reading = (unsigned)rand() % (nr + 1);
    uint64_t table = TABLE + 64 * head;

    for (unsigned n = 0; n < nr; n++) {
        uint64_t near = (uint64_t)(rand() % 4) * BLOCK,
                 addr = BASE + (near + (uint64_t)(rand() % 64) - 32) % (MEMORY - 64);

        put_desc(table, n, addr, 1 + (uint32_t)rand() % 64, (n + 1 < nr ? NEXT : 0) | (n >= reading ? WRITE : 0),
                 n + 1);
    }
    put_desc(DESC, head, table, 16 * nr, INDIRECT, 0);
    offer(head);
    d->out[head] = true;
    d->nr_out++;
}

/* The driver takes used elements, in any order of heads. Returns how many. */
static unsigned take_back(struct driver *d)
{
    unsigned nr = 0;

    for (; d->back != get16(guest_at(USED + 2)); d->back++, nr++) {
        uint64_t head = number(guest_at(USED + 4 + 8 * (d->back % config.size)), 4);

        assert_true(head < config.size && d->out[head]);
        d->out[head] = false;
        d->nr_out--;
    }
    return nr;
}

static void correct(bool event_idx, bool device_event_idx, unsigned rounds)
{
    static struct driver d;
    unsigned taken = 0;

    begin_with(event_idx, device_event_idx);
    memset(&d, 0, sizeof(d));
    for (unsigned round = 0; round < rounds; round++) {
        unsigned result;

        for (unsigned n = (unsigned)rand() % 9; n && d.nr_out < SIZE; n--) {
            unsigned head = (unsigned)rand() % SIZE;

            while (d.out[head])
                head = (head + 1) % SIZE;
            offer_random(&d, head);
        }
        if (rand() % 2)
            put16(device_used + 4 + 8 * DEVICES, device_seen + (unsigned)rand() % 4);
        if (!device_event_idx)
            put16(device_used, rand() % 2);
        do
            result = forward((unsigned)rand() % 20);
        while (result & VMM_SHADOW_AGAIN);
        for (unsigned n = nr_requests ? (unsigned)rand() % (nr_requests + 1) : 0; n; n--) {
            device_uses((unsigned)rand() % nr_requests, (uint32_t)rand());
            put16(guest_at(AVAIL + 4 + 2 * SIZE), d.back + (unsigned)rand() % 4);
            if (!event_idx)
                put16(guest_at(AVAIL), rand() % 2);
            do
                result = give_used((unsigned)rand() % 3, (unsigned)rand() % 20);
            while (result & VMM_SHADOW_AGAIN);
            taken += take_back(&d);
        }
    }
    assert_true(taken > rounds);
    stop();
}

static void test_correct(void **state)
{
    (void)state;
    srand(1);
    for (unsigned i = 0; i < 4; i++)
        correct(i & 1, i & 2, 5000);
}

/* The indices have 16 bits. */
static void test_wraps(void **state)
{
    (void)state;
    begin_with(true, true);
    put_desc(DESC, 0, DATA, 1, 0, 0);
    for (unsigned n = 0; n < 70000; n++) {
        put16(device_used + 4 + 8 * DEVICES, n);
        put16(guest_at(AVAIL + 4 + 2 * SIZE), n);
        offer(0);
        SAME(forward(1), VMM_SHADOW_NOTIFY);
        device_uses(0, n);
        SAME(give_used(1, 1), VMM_SHADOW_INTERRUPT);
    }
}

/* The device was reset with requests in it. Nothing of them is left, and the queue works again. */
static void test_stop(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        put_desc(DESC, 0, DATA, 1, NEXT, 1);
        put_desc(DESC, 1, DATA, 1, WRITE, 0);
        offer(0);
        offer(0);
        SAME(forward(100), VMM_SHADOW_NOTIFY);
        device_uses(0, 0);
        stop();
        stop();
        SAME(start(), 0);
        avail = 0;
        SAME(q.nr_free, DEVICES);
        SAME(give_used(100, 100), 0);
    }
    correct(false, false, 100);
}

/* Through a stream into another queue, which goes on where this one was. */
static void test_restored(void **state)
{
    struct vmm_shadow_values there, here = { 0 };
    struct avc_state_object from = { &vmm_shadow_state, 0, &there }, to = { &vmm_shadow_state, 0, &here };
    uint8_t stream[512];
    size_t bytes;

    (void)state;
    begin_with(true, false);
    put_desc(DESC, 0, DATA, 1, 0, 0);
    for (unsigned n = 0; n < 5; n++) {
        offer(0);
        forward(1);
        assert_false(vmm_shadow_get(&q, &there)); /* the device has a request */
        device_uses(0, 0);
        give_used(1, 1);
    }
    offer(0); /* this one is still the guest's */
    assert_true(vmm_shadow_get(&q, &there));
    vmm_shadow_stop(&q);
    device_reset();
    assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
    assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
    vmm_shadow_init(&q, &ram, device_desc, device_avail, device_used, slot, DEVICES, false);
    SAME(vmm_shadow_set(&q, &here), 0);
    guest_seen = guest_used = 5;
    SAME(forward(1), VMM_SHADOW_NOTIFY);
    device_uses(0, 0x77);
    give_used(1, 1);
    SAME(get16(guest_at(USED + 2)), 6);
    /* What cannot be. */
    stop();
    here.size = 7;
    SAME(vmm_shadow_set(&q, &here), VMM_SHADOW_BROKEN);
    here.size = 8;
    here.event_idx = 2;
    SAME(vmm_shadow_set(&q, &here), VMM_SHADOW_BROKEN);
    here.event_idx = 1;
    here.indirect = 2;
    SAME(vmm_shadow_set(&q, &here), VMM_SHADOW_BROKEN);
    here.indirect = 0;
    here.started = 2;
    SAME(vmm_shadow_set(&q, &here), VMM_SHADOW_BROKEN);
    SAME(forward(1), 0);
    here.started = 0;
    SAME(vmm_shadow_set(&q, &here), 0);
    SAME(forward(1), 0);
    assert_true(vmm_shadow_get(&q, &there));
    SAME(there.started, 0);
    here.started = 1;
    SAME(vmm_shadow_set(&q, &here), 0);
    put16(guest_at(AVAIL + 2), 0x4444);
    guest_seen = guest_used = 5;
    SAME(forward(1), VMM_SHADOW_BROKEN);
    assert_false(vmm_shadow_get(&q, &there));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults, begin, end),
        cmocka_unit_test_setup_teardown(test_long_chain, begin, end),
        cmocka_unit_test_setup_teardown(test_avail, begin, end),
        cmocka_unit_test_setup_teardown(test_setup, begin, end),
        cmocka_unit_test_setup_teardown(test_absent, begin, end),
        cmocka_unit_test_setup_teardown(test_budget, begin, end),
        cmocka_unit_test_setup_teardown(test_full, begin, end),
        cmocka_unit_test_setup_teardown(test_device, begin, end),
        cmocka_unit_test_setup_teardown(test_written, begin, end),
        cmocka_unit_test_setup_teardown(test_barriers, begin, end),
        cmocka_unit_test_setup_teardown(test_correct, begin, end),
        cmocka_unit_test_setup_teardown(test_wraps, begin, end),
        cmocka_unit_test_setup_teardown(test_stop, begin, end),
        cmocka_unit_test_setup_teardown(test_restored, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
