/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A shadow virtqueue between a guest's memory and a model of a device, for test_vmm_shadow.c and fuzz_shadow.c.
 *
 * The guest may do anything to its ring, also between two reads of the queue's. Each read of its memory is logged with
 * its value. Afterwards a reference goes over the log: it says what the queue had to read next, what it had to make of
 * it, and what the device must have been given. So a second read of anything is found, as well as a wrong decision.
 * Each write must be into the guest's used ring, or into the device's rings.
 */
#ifndef TEST_SHADOW_WORLD_H
#define TEST_SHADOW_WORLD_H

#include "guest_memory.h"

#define DEVICES 16u /* entries of the device's ring */

/* ---- the rings ---- */

static struct vmm_shadow q;
static struct vmm_slot slot[DEVICES];
static _Alignas(16) uint8_t device_desc[VMM_DESC_BYTES(DEVICES)], device_avail[VMM_AVAIL_BYTES(DEVICES)],
    device_used[VMM_USED_BYTES(DEVICES) + 2];
static struct vmm_shadow_config config;

/* ---- every access of the queue's ---- */

struct logged {
    uint64_t ipa, value;
    unsigned bytes;
};
static struct logged logged[100000];
static unsigned nr_logged, replayed;
static void (*meddle)(void); /* what the guest does between two reads */
static bool used_shown;      /* idx of the guest's used ring was written since the last barrier */

static bool in_memory(const void *p)
{
    return (const uint8_t *)p >= memory && (const uint8_t *)p < memory + 6 * VMM_RAM_BLOCK;
}

void fake_ring_read(const void *p, unsigned bytes)
{
    if (!in_memory(p)) {
        bool is_device =
            ((const uint8_t *)p >= device_used && (const uint8_t *)p + bytes <= device_used + sizeof(device_used));

        assert_true(is_device);
        return;
    }
    if (meddle)
        meddle();
    assert_true(is_memory(ipa_of(p), bytes));
    assert_true(nr_logged < sizeof(logged) / sizeof(logged[0]));
    logged[nr_logged++] = (struct logged){ ipa_of(p), number(p, bytes), bytes };
}

static bool inside(const uint8_t *p, unsigned bytes, const uint8_t *area, size_t size)
{
    return p >= area && p + bytes <= area + size;
}

void fake_ring_write(const void *p, unsigned bytes)
{
    const uint8_t *at = p;

    if (in_memory(p)) {
        uint64_t ipa = ipa_of(p);

        assert_true(ipa >= config.used && ipa + bytes <= config.used + VMM_USED_BYTES(config.size));
        used_shown |= ipa == config.used + 2;
    } else {
        assert_true(inside(at, bytes, device_desc, sizeof(device_desc)) ||
                    inside(at, bytes, device_avail, sizeof(device_avail)));
    }
}

/* ---- barriers towards the device: what must have been written, and what must not ---- */

static uint16_t shown_to_device; /* avail idx at the last DMB OSHST */
static unsigned rmbs, wmbs, mbs;

void vmm_dma_rmb(void)
{
    rmbs++;
}

void vmm_dma_wmb(void)
{
    /* Not yet: what idx will show is complete. */
    SAME(get16(device_avail + 2), shown_to_device);
    for (uint16_t i = shown_to_device; i != q.given; i++)
        assert_true(slot[get16(device_avail + 4 + 2 * (i % DEVICES))].nr);
    shown_to_device = q.given;
    wmbs++;
}

void vmm_dma_mb(void)
{
    SAME(get16(device_avail + 2), shown_to_device);
    mbs++;
}

/* ---- the device ---- */

/* A request as the device should have it: the guest's buffers. */
struct buffer {
    uint64_t ipa;
    uint32_t len;
    bool write;
};
#define MAX_BUFFERS 64
struct request {
    uint16_t head, first; /* the guest's index; the device's */
    unsigned nr;
    struct buffer buffer[MAX_BUFFERS];
};
static struct request request[DEVICES]; /* that the device has, in the order in which it got them */
static unsigned nr_requests, nr_buffers;
static uint16_t device_seen, device_idx_used;
static uint16_t guest_used; /* how many the guest got back */

/* What the device finds at the next place of its avail ring is this request: byte for byte. */
static void device_gets(struct request *r)
{
    unsigned steps = 0;
    uint16_t at = get16(device_avail + 4 + 2 * (device_seen % DEVICES));

    r->first = at;
    for (unsigned i = 0; i < r->nr; i++) {
        const struct buffer *b = &r->buffer[i];

        for (uint64_t done = 0; done < b->len;) {
            const uint8_t *d = device_desc + 16 * at;
            uint64_t pa = number(d, 8), len = number(d + 8, 4), flags = number(d + 12, 2);
            bool is_last;

            assert_true(at < DEVICES && ++steps <= DEVICES);
            assert_true(len && len <= b->len - done);
            SAME(pa, (uintptr_t)guest_at(b->ipa + done));
            SAME(pa + len - 1, (uintptr_t)guest_at(b->ipa + done + len - 1));
            done += len;
            is_last = i + 1 == r->nr && done == b->len;
            SAME(flags, (b->write ? WRITE : 0) | (is_last ? 0 : NEXT));
            at = (uint16_t)number(d + 14, 2);
        }
    }
    device_seen++;
    assert_true(nr_requests < DEVICES);
    request[nr_requests++] = *r;
    nr_buffers += r->nr;
}

/* The device uses its n-th request. It says so when it writes its idx. */
static void device_uses(unsigned n, uint32_t len)
{
    uint8_t *e = device_used + 4 + 8 * (device_idx_used % DEVICES);

    put_number(e, request[n].first, 4);
    put_number(e + 4, len, 4);
    device_idx_used++;
    put16(device_used + 2, device_idx_used);
}

/* ---- the reference ---- */

/* The next read of the queue's, which must be this one. */
static uint64_t reads(uint64_t ipa, unsigned bytes)
{
    const struct logged *l = &logged[replayed];

    assert_true(replayed < nr_logged);
    SAME(l->ipa, ipa);
    SAME(l->bytes, bytes);
    replayed++;
    return l->value;
}

/* A descriptor: in two reads, or in 16 if it is not aligned. */
static void reads_desc(uint64_t ipa, uint64_t word[2])
{
    word[0] = word[1] = 0;
    for (unsigned i = 0; i < 16;) {
        unsigned bytes = ipa % 8 ? 1 : 8;

        word[i / 8] |= reads(ipa + i, bytes) << 8 * (i % 8);
        i += bytes;
    }
}

static bool all_there(uint64_t ipa, uint64_t bytes)
{
    for (uint64_t block = (ipa - BASE) / VMM_RAM_BLOCK; block <= (ipa + bytes - 1 - BASE) / VMM_RAM_BLOCK; block++)
        if (!(ram.there[0] >> block & 1))
            return false;
    return true;
}

static unsigned pieces_of(uint64_t ipa, uint64_t bytes)
{
    unsigned nr = 1;

    for (uint64_t end = (ipa - BASE) / VMM_RAM_BLOCK + 1; end * VMM_RAM_BLOCK < ipa - BASE + bytes; end++)
        nr += block_at[end] != block_at[end - 1] + 1;
    return nr;
}

/* What a chain comes to: taken, or why it is not. */
enum outcome { GOES, WAITS_BUDGET, WAITS_ROOM, WAITS_MEMORY, FAULTS };

static enum outcome reference_chain(struct request *r, uint64_t index, unsigned room, unsigned budget, unsigned *filled,
                                    enum vmm_shadow_fault *fault)
{
    uint64_t table = config.desc, entries = config.size, total = 0;
    unsigned steps = 0;
    bool in_table = false, writes = false;

    r->nr = *filled = 0;
    *fault = VMM_SHADOW_FINE;
    if (!room)
        return WAITS_ROOM;
#define IF(condition, what)                                                                                            \
    if (condition)                                                                                                     \
    return *fault = (what), FAULTS
    for (;;) {
        uint64_t word[2];
        unsigned flags, nr;
        uint32_t len;

        IF(index >= entries, VMM_SHADOW_INDEX);
        reads_desc(table + 16 * index, word);
        len = (uint32_t)word[1];
        flags = word[1] >> 32 & 0xffff;
        if (flags & INDIRECT) {
            IF(!config.indirect || in_table || flags & NEXT || !len || len % 16 || len > 16 * 65536,
               VMM_SHADOW_INDIRECT);
            IF(!is_memory(word[0], len), VMM_SHADOW_TABLE);
            if (!all_there(word[0], len))
                return WAITS_MEMORY;
            IF(pieces_of(word[0], len) > 1, VMM_SHADOW_TABLE);
            in_table = true;
            table = word[0];
            entries = len / 16;
            index = 0;
            continue;
        }
        IF(steps++ == config.size, VMM_SHADOW_CHAIN);
        IF(!len, VMM_SHADOW_ZERO);
        IF(writes && !(flags & WRITE), VMM_SHADOW_ORDER);
        writes = flags & WRITE;
        total += len;
        IF(total > UINT64_C(1) << 32, VMM_SHADOW_LENGTH);
        IF(!is_memory(word[0], len), VMM_SHADOW_MEMORY);
        if (!all_there(word[0], len))
            return WAITS_MEMORY;
        nr = pieces_of(word[0], len);
        if (*filled + nr > room) {
            IF(room == DEVICES, VMM_SHADOW_PIECES);
            return WAITS_ROOM;
        }
        if (*filled + nr > budget)
            return WAITS_BUDGET;
        *filled += nr;
        assert_true(r->nr < MAX_BUFFERS);
        r->buffer[r->nr++] = (struct buffer){ word[0], len, writes };
        if (!(flags & NEXT))
            return GOES;
        index = word[1] >> 48;
    }
#undef IF
}

static bool passes(uint16_t event, uint16_t before, uint16_t now)
{
    for (; before != now; before++)
        if (before == event)
            return true;
    return false;
}

static unsigned device_room(void)
{
    unsigned room = DEVICES;

    for (unsigned i = 0; i < nr_requests; i++)
        for (unsigned k = 0; k < request[i].nr; k++)
            room -= pieces_of(request[i].buffer[k].ipa, request[i].buffer[k].len);
    return room;
}

static uint16_t guest_seen; /* what the queue has taken of the guest's avail ring */
static bool is_stalled;

/* What vmm_shadow_forward() had to do. The log begins with its reads. */
static unsigned reference_forward(unsigned budget)
{
    uint16_t before = device_seen;
    unsigned result = 0;
    bool more;

    is_stalled = false;
    do {
        uint16_t idx = (uint16_t)reads(config.avail + 2, 2);

        more = false;
        if ((uint16_t)(idx - guest_seen) > config.size - (uint16_t)(guest_seen - guest_used)) {
            SAME(q.fault, VMM_SHADOW_AVAIL);
            return VMM_SHADOW_BROKEN;
        }
        while (guest_seen != idx) {
            struct request r;
            enum vmm_shadow_fault fault;
            enum outcome outcome;
            unsigned filled;

            if (!budget) {
                result |= VMM_SHADOW_AGAIN;
                break;
            }
            r.head = (uint16_t)reads(config.avail + 4 + 2 * (guest_seen % config.size), 2);
            outcome = reference_chain(&r, r.head, device_room(), budget, &filled, &fault);
            if (outcome == FAULTS) {
                SAME(q.fault, fault);
                SAME(get16(device_avail + 2), before); /* also of the requests in front of this one */
                return VMM_SHADOW_BROKEN;
            }
            if (outcome != GOES) {
                result |= outcome == WAITS_BUDGET ? VMM_SHADOW_AGAIN : outcome == WAITS_MEMORY ? VMM_SHADOW_ABSENT : 0;
                is_stalled = outcome == WAITS_ROOM;
                break;
            }
            budget -= filled;
            device_gets(&r);
            guest_seen++;
        }
        if (guest_seen == idx && config.event_idx) {
            SAME(get16(guest_at(config.used + 4 + 8 * config.size)), guest_seen);
            more = (uint16_t)reads(config.avail + 2, 2) != guest_seen;
        }
    } while (more);
    if (device_seen != before) {
        SAME(get16(device_avail + 2), device_seen);
        if (q.device.event_idx ? passes(get16(device_used + 4 + 8 * DEVICES), before, device_seen)
                               : !get16(device_used))
            result |= VMM_SHADOW_NOTIFY;
    }
    return result;
}

/* What vmm_shadow_return() had to do when the device had used all up to `to`. */
static unsigned reference_return(uint16_t from, unsigned limit, unsigned budget)
{
    uint16_t before = guest_used;
    unsigned result = 0;

    for (; from != device_idx_used; from++) {
        const uint8_t *e = device_used + 4 + 8 * (from % DEVICES);
        unsigned n = 0;

        if (!limit--) {
            result |= VMM_SHADOW_AGAIN;
            break;
        }
        while (n < nr_requests && request[n].first != number(e, 4))
            n++;
        if (n == nr_requests) {
            SAME(q.fault, VMM_SHADOW_DEVICE);
            return VMM_SHADOW_BROKEN;
        }
        SAME(number(guest_at(config.used + 4 + 8 * (guest_used % config.size)), 4), request[n].head);
        SAME(number(guest_at(config.used + 8 + 8 * (guest_used % config.size)), 4), number(e + 4, 4));
        nr_buffers -= request[n].nr;
        memmove(&request[n], &request[n + 1], (nr_requests - n - 1) * sizeof(request[0]));
        nr_requests--;
        guest_used++;
    }
    SAME(get16(guest_at(config.used + 2)), guest_used);
    if (q.device.event_idx && !(result & VMM_SHADOW_AGAIN)) /* it asks for the next one */
        SAME(get16(device_avail + 4 + 2 * DEVICES), device_idx_used);
    if (guest_used != before) {
        bool wanted;

        assert_true(used_shown);
        if (config.event_idx)
            wanted = passes((uint16_t)reads(config.avail + 4 + 2 * config.size, 2), before, guest_used);
        else
            wanted = !(reads(config.avail, 2) & 1);
        result |= wanted ? VMM_SHADOW_INTERRUPT : 0;
        if (is_stalled)
            result |= reference_forward(budget);
    }
    return result;
}

/* ---- steps, each compared with the reference ---- */

static bool is_broken;

static void check_state(void)
{
    if (!is_broken)
        SAME(ram.pinned, q.started ? 3 + nr_buffers : 0);
    SAME(q.fault != VMM_SHADOW_FINE, is_broken);
}

static unsigned forward(unsigned budget)
{
    unsigned result;

    nr_logged = replayed = 0;
    result = vmm_shadow_forward(&q, budget);
    if (is_broken) {
        SAME(result, VMM_SHADOW_BROKEN);
        SAME(nr_logged, 0);
        return result;
    }
    if (!q.started) {
        SAME(result, 0);
        return 0;
    }
    SAME(reference_forward(budget), result);
    SAME(replayed, nr_logged);
    is_broken = result & VMM_SHADOW_BROKEN;
    check_state();
    return result;
}

static unsigned give_used(unsigned limit, unsigned budget)
{
    uint16_t from = q.got;
    unsigned result;

    nr_logged = replayed = 0;
    used_shown = false;
    result = vmm_shadow_return(&q, limit, budget);
    if (is_broken) {
        SAME(result, VMM_SHADOW_BROKEN);
        SAME(nr_logged, 0);
        return result;
    }
    if (!q.started) {
        SAME(result, 0);
        return 0;
    }
    SAME(reference_return(from, limit, budget), result);
    SAME(replayed, nr_logged);
    is_broken = result & VMM_SHADOW_BROKEN;
    check_state();
    return result;
}

static void world_begin(void)
{
    if (!memory) {
        memory = aligned_alloc(VMM_RAM_BLOCK, 6 * VMM_RAM_BLOCK);
        assert_true(memory && vmm_ram_init(&ram, BASE, MEMORY, NULL));
        memset(memory, 0, 6 * VMM_RAM_BLOCK);
    }
    ram.there[0] = 0xf;
    ram.pinned = 0;
    ram.written = NULL;
    meddle = NULL;
    is_broken = is_stalled = false;
}

static void device_reset(void)
{
    nr_requests = nr_buffers = 0;
    device_seen = device_idx_used = shown_to_device = 0;
    guest_seen = guest_used = 0;
    is_broken = is_stalled = false;
}

/* Starts as `config` says. The guest has zeroed its rings. */
static unsigned start(void)
{
    unsigned result;

    if (config.size && config.size <= 256 && is_memory(config.avail, VMM_AVAIL_BYTES(config.size)) &&
        is_memory(config.used, VMM_USED_BYTES(config.size))) {
        for (unsigned i = 0; i < VMM_AVAIL_BYTES(config.size); i++)
            *guest_at(config.avail + i) = 0;
        for (unsigned i = 0; i < VMM_USED_BYTES(config.size); i++)
            *guest_at(config.used + i) = 0;
    }
    device_reset();
    result = vmm_shadow_start(&q, &config);
    is_broken = result & VMM_SHADOW_BROKEN;
    check_state();
    return result;
}

static void stop(void)
{
    vmm_shadow_stop(&q);
    device_reset();
    SAME(ram.pinned, 0);
    check_state();
}

#endif
