/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that drives virtio disks, of which each eight bytes are their own number on the disk. The first one fails
 * once. The second one has the serial number "relay-test". The third one cannot be written.
 */
#include "blk.h"
#include "guest.h"

#define SECTORS 8192u /* of each disk */
#define BLOCK   (2ul << 20)

static struct blk disk, other;
static _Alignas(BLOCK) uint64_t data[4 * BLOCK / 8];

static bool is_pattern(const uint64_t *p, uint64_t sector, uint32_t bytes)
{
    for (uint64_t i = 0; i < bytes / 8; i++)
        if (p[i] != sector * 64 + i)
            return false;
    return true;
}

static void clear(uint32_t bytes)
{
    for (uint64_t i = 0; i < bytes / 8; i++)
        data[i] = ~0ul;
}

static void test_found(void)
{
    uint8_t id[20] = { 0 };
    const char *wanted = "relay-test";
    bool same = true;

    guest_ok(blk_find(&disk, 1) && blk_init(&disk, BLK_F_EVENT_IDX | BLK_F_INDIRECT), "a disk, and its features");
    guest_ok(blk_sectors(&disk) == SECTORS, "%u sectors", (unsigned)blk_sectors(&disk));
    guest_ok(blk_do(&disk, BLK_GET_ID, 0, id, sizeof(id)) == BLK_OK, "it tells its serial number");
    for (unsigned i = 0; i < 11; i++)
        same &= id[i] == (uint8_t)wanted[i];
    guest_ok(same, "which is the one that it was given");
}

static void test_sizes(uint64_t features)
{
    unsigned good = 0, tries = 0;

    blk_init(&disk, features);
    for (uint32_t bytes = 512; bytes <= BLOCK; bytes *= 2, tries++) {
        clear(bytes + 512);
        good += blk_do(&disk, BLK_IN, tries, data, bytes) == BLK_OK && is_pattern(data, tries, bytes) &&
                data[bytes / 8] == ~0ul;
    }
    guest_ok(good == tries, "reads of 512 bytes to 2 MiB, features 0x%x: %u of %u", (unsigned)features, good, tries);
    /* Over the end of blocks, and not aligned. */
    clear(4096);
    good = blk_do(&disk, BLK_IN, 7, (uint8_t *)data + BLOCK - 1000, 8192) == BLK_OK;
    for (unsigned i = 0; i < 8192; i++)
        good &= ((uint8_t *)data)[BLOCK - 1000 + i] == (uint8_t)((7ul * 64 + i / 8) >> 8 * (i % 8));
    guest_ok(good, "a read over the end of 2 MiB, at an odd address");
}

/* A table of pages, in any order. */
static void test_table(void)
{
    static _Alignas(16) struct blk_desc table[34];
    bool good = true;

    blk_init(&disk, BLK_F_EVENT_IDX | BLK_F_INDIRECT);
    clear(32 * 8192);
    disk.header[0] = (struct blk_header){ .type = BLK_IN, .sector = 64 };
    disk.status[0] = BLK_PENDING;
    table[0] = (struct blk_desc){ (uintptr_t)&disk.header[0], 16, BLK_NEXT, 1 };
    for (unsigned i = 0; i < 32; i++)
        table[1 + i] =
            (struct blk_desc){ (uintptr_t)&data[1024 * (i * 7 % 32)], 4096, BLK_NEXT | BLK_WRITE, (uint16_t)(i + 2) };
    table[33] = (struct blk_desc){ (uintptr_t)&disk.status[0], 1, BLK_WRITE, 0 };
    disk.desc[9] = (struct blk_desc){ (uintptr_t)table, sizeof(table), BLK_INDIRECT, 0 };
    blk_offer(&disk, 9, 1);
    blk_notify(&disk);
    good = blk_wait(&disk) && disk.status[0] == BLK_OK;
    for (unsigned i = 0; i < 32; i++)
        good &= is_pattern(&data[1024 * (i * 7 % 32)], 64 + 8 * i, 4096) && data[1024 * i + 512] == ~0ul;
    guest_ok(good, "128 KiB in 32 pages, by a table");
}

static void test_depth(void)
{
    unsigned good = 0;

    blk_init(&disk, BLK_F_EVENT_IDX);
    for (unsigned round = 0; round < 20; round++) {
        clear(20 * 4096);
        for (unsigned n = 0; n < 20; n++)
            blk_put(&disk, n, BLK_IN, 8 * (n * 13 % 20) + round, &data[512 * n], 4096);
        blk_notify(&disk);
        if (!blk_wait(&disk))
            break;
        for (unsigned n = 0; n < 20; n++)
            good += disk.status[n] == BLK_OK && is_pattern(&data[512 * n], 8 * (n * 13 % 20) + round, 4096);
    }
    guest_ok(good == 400, "20 reads at once, 20 times: %u", good);
}

static void test_write(void)
{
    bool good;

    for (unsigned i = 0; i < 8192 / 8; i++)
        data[i] = i * 0x9e3779b97f4a7c15ul;
    good = blk_do(&disk, BLK_OUT, 100, data, 8192) == BLK_OK && blk_do(&disk, BLK_FLUSH, 0, NULL, 0) == BLK_OK;
    clear(16384);
    good &= blk_do(&disk, BLK_IN, 92, data, 16384) == BLK_OK;
    good &= is_pattern(data, 92, 4096) && is_pattern(&data[512 + 1024], 116, 4096);
    for (unsigned i = 0; i < 8192 / 8; i++)
        good &= data[512 + i] == i * 0x9e3779b97f4a7c15ul;
    guest_ok(good, "what was written is read, and what is beside it has not changed");
    for (unsigned i = 0; i < 8192 / 8; i++)
        data[i] = 100 * 64 + i;
    guest_ok(blk_do(&disk, BLK_OUT, 100, data, 8192) == BLK_OK, "it is written back");
    guest_ok(blk_do(&disk, BLK_IN, SECTORS - 1, data, 1024) == BLK_IOERR, "a read over the disk's end is an error");
    guest_ok(blk_do(&disk, 77, 0, data, 512) == BLK_UNSUPP, "an unknown request is one that is not supported");
}

/* ---- interrupts ---- */

static volatile unsigned interrupts, spurious;

static void on_irq(struct guest_regs *regs)
{
    uint32_t intid = guest_gic_ack(), status;

    (void)regs;
    if (intid != 32 + 16 + disk.slot) {
        spurious++;
        return;
    }
    status = blk_load(&disk, BLK_INTERRUPT_STATUS);
    blk_store(&disk, BLK_INTERRUPT_ACK, status);
    interrupts += status & 1;
    guest_gic_eoi(intid);
}

static void test_interrupts(bool edge)
{
    unsigned good = 0;

    blk_init(&disk, BLK_F_EVENT_IDX);
    interrupts = 0;
    blk_interrupt(&disk, edge);
    for (unsigned round = 0; round < 50; round++) {
        unsigned was = interrupts;

        blk_put(&disk, 0, BLK_IN, round, data, 512);
        blk_notify(&disk);
        while (interrupts == was) { /* masked: what has come since ends the WFI */
            __asm__ volatile("wfi" ::: "memory");
            guest_irq_unmask();
            guest_irq_mask();
        }
        good += blk_wait(&disk) && disk.status[0] == BLK_OK && is_pattern(data, round, 512);
    }
    guest_ok(good == 50 && interrupts == 50, "50 requests, each with an interrupt (%s): %u, %u",
             edge ? "edge" : "level", good, interrupts);
    disk.avail[2 + BLK_ENTRIES] = (uint16_t)(disk.next - 1); /* used_event: one that is over */
    good = blk_do(&disk, BLK_IN, 1, data, 512) == BLK_OK;
    disk.avail[2 + BLK_ENTRIES] = (uint16_t)(disk.next + 5);
    good &= blk_do(&disk, BLK_IN, 2, data, 512) == BLK_OK && !blk_load(&disk, BLK_INTERRUPT_STATUS);
    guest_ok(good, "and none where the event word wants none");
    guest_irq_unmask();
    guest_irq_mask();
}

/* ---- resets in the midst of reads ---- */

static void test_resets(void)
{
    unsigned good = 0, rounds = 0;

    for (; rounds < 100; rounds++) {
        blk_init(&disk, BLK_F_EVENT_IDX);
        for (unsigned n = 0; n < 16; n++)
            blk_put(&disk, n, BLK_IN, 8 * n, &data[4096 * n], 32768);
        blk_notify(&disk);
        blk_store(&disk, BLK_STATUS, 0);
        if (blk_load(&disk, BLK_STATUS) || blk_load(&disk, BLK_QUEUE_READY) || blk_load(&disk, BLK_INTERRUPT_STATUS))
            break;
        clear(16 * 32768); /* from now on the memory is the guest's own */
        blk_init(&disk, 0);
        if (blk_do(&disk, BLK_IN, 5, &data[4096 * 20], 4096) != BLK_OK || !is_pattern(&data[4096 * 20], 5, 4096))
            break;
        good = 1;
        for (unsigned i = 0; i < 16 * 4096; i++)
            good &= data[i] == ~0ul;
        if (!good)
            break;
    }
    guest_ok(rounds == 100, "resets with 16 reads in the device, which write nothing afterwards: %u", rounds);
}

/* ---- rings that no driver makes ---- */

static bool is_broken(void)
{
    uint64_t end = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

    while (!(blk_load(&disk, BLK_STATUS) & 64))
        if (READ("cntvct_el0") > end)
            return false;
    return blk_load(&disk, BLK_INTERRUPT_STATUS) & 2;
}

static void test_broken(void)
{
    static const struct {
        const char *name;
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } rows[] = {
        { "an address that is no memory", 0x1000, 16, 0, 0 },
        { "the board's memory, not the guest's", 0x48000000, 4096, 0, 0 },
        { "a device's address", 0x0a000000, 512, BLK_WRITE, 0 },
        { "a buffer that wraps", 0xffffffffffffff00, 512, 0, 0 },
        { "a loop", 0x40400000, 16, BLK_NEXT, 0 },
        { "an index out of range", 0x40400000, 16, BLK_NEXT, BLK_ENTRIES },
        { "no bytes", 0x40400000, 0, 0, 0 },
        { "a table that was not negotiated", 0x40400000, 16, BLK_INDIRECT, 0 },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool good;

        blk_init(&disk, BLK_F_EVENT_IDX);
        disk.desc[0] = (struct blk_desc){ rows[i].addr, rows[i].len, rows[i].flags, rows[i].next };
        blk_offer(&disk, 0, 1);
        blk_notify(&disk);
        good = is_broken();
        blk_put(&disk, 1, BLK_IN, 0, data, 512);
        blk_notify(&disk);
        good &= disk.status[1] == BLK_PENDING;
        guest_ok(good && blk_init(&disk, 0) && blk_do(&disk, BLK_IN, 3, data, 512) == BLK_OK &&
                     is_pattern(data, 3, 512),
                 "%s: the device needs a reset, and works after it", rows[i].name);
    }
    blk_init(&disk, 0);
    disk.avail[1] = 200;
    blk_notify(&disk);
    guest_ok(is_broken(), "more requests than the ring has entries");
    blk_init(&disk, 0);
}

/* ---- the others ---- */

static void test_read_only(void)
{
    guest_ok(blk_find(&other, 2) && blk_init(&other, 1ul << 5), "another disk says that it is read-only");
    guest_ok(blk_do(&other, BLK_IN, 9, data, 512) == BLK_OK && is_pattern(data, 9, 512), "it can be read");
    guest_ok(blk_do(&other, BLK_OUT, 9, data, 512) == BLK_IOERR, "and not be written");
}

static void test_failing(void)
{
    bool good;

    guest_ok(blk_find(&other, 0) && blk_init(&other, 0), "a disk that fails");
    good = blk_do(&other, BLK_IN, 64, data, 4096) == BLK_IOERR;
    guest_ok(good, "a request fails in the disk: an I/O error");
    guest_ok(blk_do(&other, BLK_IN, 64, data, 4096) == BLK_OK && is_pattern(data, 64, 4096),
             "and the next one does not");
    guest_ok(blk_do(&disk, BLK_IN, 1, data, 512) == BLK_OK && is_pattern(data, 1, 512), "the other disk goes on");
}

int guest_main(unsigned cpu)
{
    (void)cpu;
    guest_on_irq = on_irq;
    guest_gic_init();
    test_found();
    test_sizes(0);
    test_sizes(BLK_F_EVENT_IDX);
    test_table();
    test_depth();
    test_write();
    test_interrupts(true);
    test_interrupts(false);
    test_resets();
    test_broken();
    test_read_only();
    test_failing();
    guest_ok(spurious == 0, "no interrupt without a cause: %u", spurious);
    guest_plan();
    return 0;
}
