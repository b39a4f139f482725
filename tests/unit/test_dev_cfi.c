/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The model of a flash bank, as drivers use it: through a map of the array, a claim, and the VMM's part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/cfi.h"

#define BASE   UINT64_C(0x04000000)
#define SIZE   0x400000u
#define BLOCKS (SIZE / VMM_CFI_BLOCK)

static struct vmm_cfi cfi;

/* ---- the host ---- */

static uint32_t array[SIZE / 4];
static struct {
    bool given[2];    /* halves of the bank that the guest has */
    bool slow, fails; /* operations are BUSY for some polls; end FAILED */
    unsigned polls;   /* that an operation still needs */
    unsigned exits, unmaps, programs, erases, looks;
    const uint32_t *data;
    uint32_t offset, bytes;
} host;

static uint32_t host_read(void *ctx, uint32_t offset)
{
    (void)ctx;
    assert_int_equal(offset % 4, 0);
    assert_int_equal(host.polls, 0);
    return array[offset / 4];
}

static void look(void)
{
    host.looks++;
}

static enum vmm_cfi_result finish(void)
{
    if (host.fails)
        return VMM_CFI_FAILED;
    if (host.data)
        memcpy(&array[host.offset / 4], host.data, host.bytes);
    else
        memset(&array[host.offset / 4], 0xFF, VMM_CFI_BLOCK);
    return VMM_CFI_DONE;
}

static enum vmm_cfi_result start(uint32_t offset, const uint32_t *data, uint32_t bytes)
{
    assert_false(host.given[0] || host.given[1]);
    host.offset = offset;
    host.data = data;
    host.bytes = bytes;
    if (!host.slow)
        return finish();
    host.polls = 1500;
    return VMM_CFI_BUSY;
}

static enum vmm_cfi_result host_program(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes,
                                        void (*fn)(void))
{
    (void)ctx;
    assert_ptr_equal(fn, look);
    assert_true(bytes && bytes % 4 == 0 && offset % 4 == 0 && offset + bytes <= SIZE);
    for (uint32_t i = 0; i < bytes / 4; i++)
        assert_int_equal(data[i] & ~array[offset / 4 + i], 0);
    host.programs++;
    return start(offset, data, bytes);
}

static enum vmm_cfi_result host_erase(void *ctx, uint32_t offset, void (*fn)(void))
{
    (void)ctx;
    assert_ptr_equal(fn, look);
    assert_int_equal(offset % VMM_CFI_BLOCK, 0);
    host.erases++;
    return start(offset, NULL, VMM_CFI_BLOCK);
}

static enum vmm_cfi_result host_poll(void *ctx)
{
    (void)ctx;
    assert_true(host.polls);
    return --host.polls ? VMM_CFI_BUSY : finish();
}

static bool host_map(void *ctx, uint32_t offset, bool fetch)
{
    (void)ctx;
    host.given[offset / (SIZE / 2)] |= !fetch;
    return !fetch;
}

static void host_unmap(void *ctx)
{
    (void)ctx;
    host.given[0] = host.given[1] = false;
    host.unmaps++;
}

static const struct vmm_cfi_host ops = { host_read, host_program, host_erase, host_poll, host_map, host_unmap, NULL };

/* ---- the guest ---- */

static bool is_given(uint64_t offset)
{
    return offset < SIZE && host.given[offset / (SIZE / 2)];
}

/* A load or store, as stage 2, the library and the VMM take it: what the guest has is loaded without a trap. */
static uint64_t access(uint64_t offset, unsigned size, bool write, uint64_t value)
{
    for (;;) {
        struct avc_exit e = {
            .kind = AVC_MMIO, .key = BASE + offset, .size = (uint8_t)size, .write = write, .value = value
        };

        if (!write && is_given(offset)) {
            uint64_t v = 0;

            memcpy(&v, (uint8_t *)array + offset, size);
            return v;
        }
        if (vmm_cfi_access(NULL, &e, &cfi) == AVC_EXIT) {
            host.exits++;
            assert_true(vmm_cfi_exit(&cfi, &e, look));
        }
        if (e.answer == AVC_DONE)
            return e.value;
        assert_int_equal(e.answer, AVC_RETRY);
        assert_true(is_given(offset));
    }
}

static uint32_t load(uint32_t offset)
{
    return (uint32_t)access(offset, 4, false, 0);
}

static void store(uint32_t offset, uint32_t value)
{
    (void)access(offset, 4, true, value);
}

/* Commands for both chips. */
static void command(uint32_t offset, uint8_t value)
{
    store(offset, value * 0x10001u);
}

static uint8_t status(void)
{
    uint32_t s = load(0);

    assert_int_equal(s >> 16, s & 0xFF);
    return (uint8_t)s;
}

static void read_array(void)
{
    command(0, 0xFF);
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof(host));
    for (uint32_t i = 0; i < SIZE / 4; i++)
        array[i] = i * 2654435761u;
    vmm_cfi_init(&cfi, BASE, SIZE, &ops);
    return 0;
}

/* ---- tests ---- */

static void reads(void **state)
{
    (void)state;
    assert_int_equal(load(0x1234), array[0x1234 / 4]);
    assert_int_equal(host.exits, 1);
    for (uint32_t i = 0; i < SIZE / 2; i += 4)
        assert_int_equal(load(i), array[i / 4]);
    assert_int_equal(host.exits, 1); /* none after the first */
    assert_int_equal(access(SIZE - 8, 8, false, 0), array[SIZE / 4 - 2] | (uint64_t)array[SIZE / 4 - 1] << 32);
    assert_int_equal(host.exits, 2);
    assert_int_equal(host.unmaps, 0);
}

/* What each command shows, at each width. The guest gets the array back afterwards. */
static void shows(void **state)
{
    static const struct {
        uint8_t command;
        uint32_t offset;
        uint16_t wanted; /* of each chip */
    } rows[] = {
        { 0x70, 0, 0x80 },        { 0x70, SIZE - 4, 0x80 }, { 0x90, 0, 0x89 },       { 0x90, 4, 0x18 },
        { 0x90, 8, 0 },           { 0x90, 0x80008, 0 },     { 0x90, 0x80000, 0x89 }, { 0x98, 4 * 0x10, 'Q' },
        { 0x98, 4 * 0x11, 'R' },  { 0x98, 4 * 0x12, 'Y' },  { 0x98, 4 * 0x13, 1 },   { 0x98, 4 * 0x14, 0 },
        { 0x98, 4 * 0x15, 0x31 }, { 0x98, 4 * 0x27, 21 },   { 0x98, 4 * 0x28, 2 },   { 0x98, 4 * 0x2A, 11 },
        { 0x98, 4 * 0x2C, 1 },    { 0x98, 4 * 0x2D, 15 },   { 0x98, 4 * 0x2E, 0 },   { 0x98, 4 * 0x2F, 0 },
        { 0x98, 4 * 0x30, 2 },    { 0x98, 4 * 0x31, 'P' },  { 0x98, 4 * 0x34, '1' }, { 0x98, 4 * 0x35, '0' },
        { 0x98, 4 * 0x36, 0 },    { 0x98, 4 * 0x3F, 1 },    { 0x98, 4 * 0x40, 0 },   { 0x98, 4 * 0xFF, 0 },
        { 0x98, 4 * 0x110, 'Q' }, { 0x98, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t both = rows[i].wanted * 0x10001u;

        load(0);
        command(4 * 0x55, rows[i].command);
        assert_false(host.given[0] || host.given[1]);
        assert_int_equal(access(rows[i].offset, 4, false, 0), both);
        assert_int_equal(access(rows[i].offset, 2, false, 0), rows[i].wanted);
        assert_int_equal(access(rows[i].offset + 2, 2, false, 0), rows[i].wanted);
        assert_int_equal(access(rows[i].offset + 1, 1, false, 0), 0);
        assert_int_equal(access(rows[i].offset + 2, 1, false, 0), rows[i].wanted);
        assert_int_equal((uint32_t)access(rows[i].offset, 8, false, 0), both);
        command(0, i % 2 ? 0xFF : 0xF0);
        assert_int_equal(load(rows[i].offset), array[rows[i].offset / 4]);
    }
    /* Without a load in between, all of this is settled in the claim. */
    host.exits = 0;
    command(0, 0x90);
    assert_int_equal(host.exits, 1); /* the map goes */
    for (unsigned i = 0; i < 100; i++) {
        command(0, 0x70);
        assert_int_equal(status(), 0x80);
        command(0, 0x50);
        command(0, 0x98);
        command(0, 0xFF);
    }
    assert_int_equal(host.exits, 1);
}

static void programs(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        uint32_t at = 0x12340 + 8 * n, before = array[at / 4];

        load(at);
        command(at, n & 1 ? 0x10 : 0x40);
        store(at, 0x0F0F00FFu << n);
        assert_int_equal(status(), 0x80);
        read_array();
        assert_int_equal(load(at), before & 0x0F0F00FFu << n); /* bits are only cleared */
        assert_int_equal(load(at + 4), (at / 4 + 1) * 2654435761u);
        assert_int_equal(host.programs, n + 1);
    }
    /* Narrow stores leave the other bits alone. */
    array[64] = array[65] = UINT32_MAX;
    (void)access(256, 2, true, 0x40);
    (void)access(258, 2, true, 0x1234);
    (void)access(256, 1, true, 0x40);
    (void)access(261, 1, true, 0xAB);
    assert_int_equal(array[64], 0x1234FFFF);
    assert_int_equal(array[65], 0xFFFFABFF);
    /* A store of two words is a command and its data. */
    array[66] = array[67] = UINT32_MAX;
    read_array();
    load(0);
    (void)access(264, 8, true, UINT64_C(0x1122334400400040));
    assert_int_equal(array[67], 0x11223344);
    assert_int_equal(array[66], UINT32_MAX);
    /* A word that crosses: its low byte is the command, the rest is data for the next word. */
    array[68] = array[69] = UINT32_MAX;
    (void)access(4 * 68 + 2, 4, true, 0x56780040);
    assert_int_equal(array[69], 0xFFFF5678);
}

static void erases(void **state)
{
    (void)state;
    load(0);
    command(5 * VMM_CFI_BLOCK + 0x124, 0x20);
    assert_int_equal(status(), 0x80);
    assert_int_equal(host.erases, 0);
    command(5 * VMM_CFI_BLOCK + 0x3FFFC, 0xD0);
    assert_int_equal(host.erases, 1);
    assert_int_equal(status(), 0x80);
    read_array();
    for (uint32_t i = 0; i < SIZE / 4; i++)
        assert_int_equal(array[i], i / (VMM_CFI_BLOCK / 4) == 5 ? UINT32_MAX : i * 2654435761u);
    for (unsigned b = 0; b < BLOCKS; b++) {
        command(b * VMM_CFI_BLOCK, 0x20);
        command(b * VMM_CFI_BLOCK, 0xD0);
    }
    read_array();
    for (uint32_t i = 0; i < SIZE; i += 4)
        assert_int_equal(load(i), UINT32_MAX);
}

static void write_buffer(uint32_t at, uint32_t words, uint8_t confirm)
{
    command(at, 0xE8);
    assert_int_equal(status() & 0x80, 0x80);
    store(at, (words - 1) * 0x10001u);
    for (uint32_t i = 0; i < words; i++)
        store(at + 4 * i, 0x55000000u + at + i);
    command(at, confirm);
}

static void buffers(void **state)
{
    static const struct {
        uint32_t at, words;
    } rows[] = { { 0, 1 }, { 0x1FC0, 16 }, { 0x3000, 1024 }, { 0x40FFC, 1 }, { SIZE - 0x80, 32 } };

    (void)state;
    memset(array, 0xFF, sizeof(array));
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        load(0);
        host.exits = host.programs = 0;
        write_buffer(rows[r].at, rows[r].words, 0xD0);
        assert_int_equal(host.programs, 1);
        assert_int_equal(host.exits, 2); /* the first command, and the last */
        assert_int_equal(status(), 0x80);
        read_array();
        for (uint32_t i = 0; i < rows[r].words; i++)
            assert_int_equal(load(rows[r].at + 4 * i), 0x55000000u + rows[r].at + i);
        if (rows[r].at)
            assert_int_equal(array[rows[r].at / 4 - 1], UINT32_MAX);
    }
    /* In any order, with a gap: what is not brought stays. */
    memset(array, 0xFF, sizeof(array));
    array[0x801] = 0x1234;
    command(0x2000, 0xE8);
    store(0x2000, 1);
    store(0x2008, 8);
    store(0x2000, 7);
    command(0, 0xD0);
    assert_int_equal(array[0x800], 7);
    assert_int_equal(array[0x801], 0x1234);
    assert_int_equal(array[0x802], 8);
}

static void sequence_errors(void **state)
{
    static const struct {
        const char *what;
        uint8_t first, second;
    } rows[] = { { "erase", 0x20, 0xFF }, { "erase", 0x20, 0x70 }, { "lock", 0x60, 0x00 }, { "lock", 0x60, 0xFF } };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        command(0, rows[i].first);
        command(0, rows[i].second);
        assert_int_equal(status(), 0xB0);
        command(0, 0x50);
        assert_int_equal(status(), 0x80);
        read_array();
    }
    write_buffer(0x100, 4, 0xFF); /* not confirmed */
    assert_int_equal(status(), 0xB0);
    command(0, 0x50);
    command(0, 0xE8);
    store(0, 1024); /* more than the buffer has */
    assert_int_equal(status(), 0xB0);
    command(0, 0x50);
    command(0, 0xE8);
    store(0, 1);
    store(0xFFC, 0);
    store(0x1000, 0); /* another buffer's piece */
    assert_int_equal(status(), 0xB0);
    command(0, 0xD0);
    assert_int_equal(host.programs, 0);
    command(0, 0x50);
    for (unsigned i = 0; i < 3; i++) { /* locks: accepted */
        command(0, 0x60);
        command(0, (const uint8_t[]){ 0x01, 0xD0, 0x2F }[i]);
        assert_int_equal(status(), 0x80);
    }
    command(0, 0xB0); /* commands that it does not have */
    command(0, 0x33);
    assert_int_equal(status(), 0x80);
    read_array();
    for (uint32_t i = 0; i < SIZE / 4; i += 99)
        assert_int_equal(load(4 * i), i * 2654435761u);
}

/* A host that takes its time: the bank is busy in the eyes of all others, and then is not. */
static void busy(void **state)
{
    (void)state;
    host.slow = true;
    load(0);
    command(0, 0x20);
    command(0, 0xD0);
    assert_true(host.looks >= 999); /* the VMM has waited a while */
    assert_int_equal(host.polls, 500);
    command(0, 0xFF); /* ignored: 499 */
    store(4, 0x12345678);
    for (unsigned i = 498; i > 1; i--) {
        assert_int_equal(host.polls, i);
        assert_int_equal(status(), 0);
    }
    assert_int_equal(status(), 0x80);
    read_array();
    assert_int_equal(load(0), UINT32_MAX);
    assert_int_equal(load(VMM_CFI_BLOCK), VMM_CFI_BLOCK / 4 * 2654435761u);

    command(0x40, 0x40); /* the same for a word; then a command comes when it is over */
    store(0x40, 0x1234);
    host.polls = 1;
    command(0, 0xFF);
    assert_int_equal(load(0x40), 0x1234);

    command(0, 0x40);
    store(0, 1);
    vmm_cfi_reset(&cfi, look); /* waits */
    assert_int_equal(host.polls, 0);
    assert_int_equal(load(0), 1);
}

static void failures(void **state)
{
    (void)state;
    for (unsigned slow = 0; slow < 2; slow++) {
        host.slow = slow;
        host.fails = true;
        command(0, 0x40);
        store(0, 0);
        while (!(status() & 0x80))
            ;
        assert_int_equal(status(), 0x90);
        command(0, 0x50);
        command(0, 0x20);
        command(0, 0xD0);
        while (!(status() & 0x80))
            ;
        assert_int_equal(status(), 0xA0);
        host.fails = false;
        command(0, 0x20);
        command(0, 0xD0);
        while (!(status() & 0x80))
            ;
        assert_int_equal(status(), 0xA0); /* sticky */
        command(0, 0x50);
        assert_int_equal(status(), 0x80);
        read_array();
    }
}

/* Exits that are no load or store of a register: fetches, walks, atomics. */
static void other_exits(void **state)
{
    struct avc_exit fetch = { .kind = AVC_STAGE2, .key = BASE, .fetch = true, .answer = AVC_FAULT };
    struct avc_exit walk = { .kind = AVC_STAGE2, .key = BASE + 0x100, .answer = AVC_FAULT };
    struct avc_exit atomic = { .kind = AVC_STAGE2, .key = BASE, .write = true, .answer = AVC_FAULT };

    (void)state;
    assert_false(vmm_cfi_exit(&cfi, &fetch, look)); /* this host's map has no fetches */
    assert_int_equal(fetch.answer, AVC_FAULT);
    assert_true(vmm_cfi_exit(&cfi, &walk, look));
    assert_int_equal(walk.answer, AVC_RETRY);
    fetch.esr = 0x80; /* the walk for a fetch */
    assert_true(vmm_cfi_exit(&cfi, &fetch, look));
    assert_int_equal(fetch.answer, AVC_RETRY);
    assert_true(host.given[0]);
    command(0, 0x90);
    walk.answer = AVC_FAULT;
    assert_false(vmm_cfi_exit(&cfi, &walk, look));
    assert_false(vmm_cfi_exit(&cfi, &atomic, look));
    assert_int_equal(walk.answer, AVC_FAULT);
    assert_int_equal(atomic.answer, AVC_FAULT);
    assert_true(vmm_cfi_has(&cfi, BASE) && vmm_cfi_has(&cfi, BASE + SIZE - 1));
    assert_false(vmm_cfi_has(&cfi, BASE - 1) || vmm_cfi_has(&cfi, BASE + SIZE));
    /* Tails that reach beyond the bank. */
    assert_int_equal(access(SIZE - 1, 8, false, 0), 0);
    (void)access(SIZE - 4, 8, true, UINT64_C(0x7000000098)); /* the second word is nowhere */
    assert_int_equal(load(4 * 0x10), 'Q' * 0x10001u);
}

/* Another vCPU has moved the bank on between the claim and the VMM's part: nothing is lost, and nothing mapped. */
static void races(void **state)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE, .size = 4 };

    (void)state;
    assert_int_equal(vmm_cfi_access(NULL, &e, &cfi), AVC_EXIT);
    command(0, 0x90);
    assert_true(vmm_cfi_exit(&cfi, &e, look));
    assert_int_equal(e.answer, AVC_DONE);
    assert_int_equal(e.value, 0x890089);
    assert_false(host.given[0]);
}

static struct vmm_cfi other;

static void move(void)
{
    struct vmm_cfi_values there, here;
    struct avc_state_object from = { &vmm_cfi_state, 3, &there }, to = { &vmm_cfi_state, 3, &here };
    static uint8_t stream[8192];
    size_t bytes;

    vmm_cfi_init(&other, BASE, SIZE, &ops);
    vmm_cfi_get(&cfi, &there, look);
    vmm_cfi_get(&other, &here, look);
    assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
    assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
    if (host.given[0] || host.given[1])
        host_unmap(NULL); /* the new machine's map */
    assert_true(vmm_cfi_set(&other, &here, look));
    cfi = other;
}

/* A driver that is moved before each of its accesses finds what it would have found. */
static void is_restored(void **state)
{
    (void)state;
    memset(array, 0xFF, sizeof(array));
    for (unsigned slow = 0; slow < 2; slow++) {
        host.slow = slow;
        move();
        command(0x1000, 0xE8);
        move();
        store(0x1000, 2);
        for (unsigned i = 0; i < 3; i++) {
            move();
            store(0x1000 + 4 * i, 0x77 + i);
        }
        move();
        command(0, 0xD0);
        move();
        assert_int_equal(status(), 0x80);
        command(0, 0x60);
        move();
        command(0, 0);
        move();
        assert_int_equal(status(), 0xB0);
        command(0, 0x50);
        command(0, 0x98);
        move();
        assert_int_equal(load(0x40), 'Q' * 0x10001u);
        command(0, 0x40);
        move();
        store(0, slow ? 0x120 : 0x123);
        move();
        read_array();
        move();
        assert_int_equal(load(0), slow ? 0x120 : 0x123);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(load(0x1000 + 4 * i), 0x77 + i);
        command(0x1000, 0x20);
        move();
        command(0x1000, 0xD0);
        move();
        read_array();
        assert_int_equal(load(0x1000), UINT32_MAX);
    }
}

static void impossible_states(void **state)
{
    struct vmm_cfi_values good, now;

    (void)state;
    vmm_cfi_get(&cfi, &good, look);
#define REFUSED(...)                                                                                                   \
    do {                                                                                                               \
        struct vmm_cfi_values v = good;                                                                                \
                                                                                                                       \
        v.buffer[5] = 99;                                                                                              \
        __VA_ARGS__;                                                                                                   \
        assert_false(vmm_cfi_set(&cfi, &v, look));                                                                     \
        vmm_cfi_get(&cfi, &now, look);                                                                                 \
        assert_memory_equal(&now, &good, sizeof(now));                                                                 \
    } while (0)
    REFUSED(v.base++);
    REFUSED(v.size *= 2);
    REFUSED(v.mode = 4);
    REFUSED(v.phase = 7);
    REFUSED(v.phase = VMM_CFI_DATA); /* in array mode */
    REFUSED(v.mode = VMM_CFI_ID; v.phase = VMM_CFI_ERASE);
    REFUSED(v.mode = VMM_CFI_STATUS; v.phase = VMM_CFI_BUFFER_GO); /* with an empty buffer */
    REFUSED(v.status = 0);
    REFUSED(v.status = 0x81);
    REFUSED(v.left = 1024);
    REFUSED(v.low = v.high = 2);
    REFUSED(v.low = 8; v.high = 4);
    REFUSED(v.low = SIZE; v.high = SIZE);
    REFUSED(v.low = SIZE - 4; v.high = SIZE + 4);
    REFUSED(v.low = 0xFFC; v.high = 0x1004);
    /* The map goes with a state that is no array. */
    load(0);
    good.mode = VMM_CFI_ID;
    assert_true(vmm_cfi_set(&cfi, &good, look));
    assert_false(host.given[0]);
    assert_int_equal(load(0), 0x890089);
    vmm_cfi_reset(&cfi, look);
    assert_int_equal(load(0), array[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads, setup),       cmocka_unit_test_setup(shows, setup),
        cmocka_unit_test_setup(programs, setup),    cmocka_unit_test_setup(erases, setup),
        cmocka_unit_test_setup(buffers, setup),     cmocka_unit_test_setup(sequence_errors, setup),
        cmocka_unit_test_setup(busy, setup),        cmocka_unit_test_setup(failures, setup),
        cmocka_unit_test_setup(other_exits, setup), cmocka_unit_test_setup(races, setup),
        cmocka_unit_test_setup(is_restored, setup), cmocka_unit_test_setup(impossible_states, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
