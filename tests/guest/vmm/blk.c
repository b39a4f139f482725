/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The driver of virtio disks; see blk.h. */
#include "blk.h"

#include "guest.h"

#define SIZE BLK_ENTRIES

uint32_t blk_load(const struct blk *b, uint64_t offset)
{
    return *(volatile uint32_t *)(b->at + offset);
}

void blk_store(const struct blk *b, uint64_t offset, uint32_t value)
{
    *(volatile uint32_t *)(b->at + offset) = value;
}

bool blk_find(struct blk *b, unsigned n)
{
    for (b->slot = 0; b->slot < 32; b->slot++) {
        b->at = BLK_SLOTS + b->slot * BLK_SLOT;
        if (blk_load(b, BLK_DEVICE_ID) == 2 && !n--)
            return true;
    }
    return false;
}

static void store64(const struct blk *b, uint64_t offset, const volatile void *p)
{
    blk_store(b, offset, (uint32_t)(uintptr_t)p);
    blk_store(b, offset + 4, (uint32_t)((uintptr_t)p >> 32));
}

static volatile uint16_t *used_idx(const struct blk *b)
{
    return (volatile uint16_t *)(b->used + 2);
}

bool blk_init(struct blk *b, uint64_t wanted)
{
    static _Alignas(4096) uint8_t rings[4][8192];
    static unsigned disks;
    static uint64_t known[4];
    unsigned i = 0;

    while (i < disks && known[i] != b->at)
        i++;
    if (i == disks)
        known[disks++] = b->at;
    for (unsigned k = 0; k < sizeof(rings[i]); k++)
        rings[i][k] = 0;
    b->desc = (struct blk_desc *)(void *)rings[i];
    b->avail = (volatile uint16_t *)(void *)(rings[i] + 0x800);
    b->used = rings[i] + 0x1000;
    b->next = b->seen = 0;

    blk_store(b, BLK_STATUS, 0);
    if (blk_load(b, BLK_STATUS))
        return false;
    blk_store(b, BLK_STATUS, 3);
    blk_store(b, 0x14, 1);
    b->features = (uint64_t)blk_load(b, 0x10) << 32;
    blk_store(b, 0x14, 0);
    b->features |= blk_load(b, 0x10);
    b->features &= wanted | BLK_F_VERSION_1;
    blk_store(b, 0x24, 0);
    blk_store(b, 0x20, (uint32_t)b->features);
    blk_store(b, 0x24, 1);
    blk_store(b, 0x20, (uint32_t)(b->features >> 32));
    blk_store(b, BLK_STATUS, 11);
    blk_store(b, 0x30, 0);
    blk_store(b, 0x38, SIZE);
    store64(b, 0x80, b->desc);
    store64(b, 0x90, b->avail);
    store64(b, 0xa0, b->used);
    blk_store(b, BLK_QUEUE_READY, 1);
    blk_store(b, BLK_STATUS, 15);
    return b->features == (wanted | BLK_F_VERSION_1) && blk_load(b, BLK_STATUS) == 15;
}

uint64_t blk_sectors(const struct blk *b)
{
    return (uint64_t)blk_load(b, 0x104) << 32 | blk_load(b, 0x100);
}

void blk_offer(struct blk *b, unsigned head, unsigned nr)
{
    (void)nr;
    b->avail[2 + b->next % SIZE] = (uint16_t)head;
    b->next++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    b->avail[1] = b->next;
}

void blk_put(struct blk *b, unsigned n, uint32_t type, uint64_t sector, void *data, uint32_t bytes)
{
    unsigned at = 3 * n, status = bytes ? at + 2 : at + 1;

    b->header[n] = (struct blk_header){ .type = type, .sector = sector };
    b->status[n] = BLK_PENDING;
    b->desc[at] = (struct blk_desc){ (uintptr_t)&b->header[n], 16, BLK_NEXT, (uint16_t)(at + 1) };
    if (bytes)
        b->desc[at + 1] = (struct blk_desc){ (uintptr_t)data, bytes, BLK_NEXT | (type == BLK_OUT ? 0 : BLK_WRITE),
                                             (uint16_t)(at + 2) };
    b->desc[status] = (struct blk_desc){ (uintptr_t)&b->status[n], 1, BLK_WRITE, 0 };
    blk_offer(b, at, 3);
}

void blk_notify(const struct blk *b)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    blk_store(b, BLK_QUEUE_NOTIFY, 0);
}

bool blk_wait(struct blk *b)
{
    uint64_t end = READ("cntvct_el0") + 20 * READ("cntfrq_el0");

    while (*used_idx(b) != b->next)
        if (READ("cntvct_el0") > end)
            return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    b->seen = b->next;
    *(volatile uint16_t *)&b->avail[2 + SIZE] = b->seen; /* used_event */
    return true;
}

unsigned blk_do(struct blk *b, uint32_t type, uint64_t sector, void *data, uint32_t bytes)
{
    blk_put(b, 0, type, sector, data, bytes);
    blk_notify(b);
    return blk_wait(b) ? b->status[0] : BLK_PENDING;
}

void blk_interrupt(const struct blk *b, bool edge)
{
    unsigned intid = 32 + 16 + b->slot;
    volatile uint32_t *gicd = (volatile uint32_t *)GUEST_DIST;

    gicd[(0x080 + intid / 32 * 4) / 4] |= 1u << intid % 32;
    gicd[(0x180 + intid / 32 * 4) / 4] = 1u << intid % 32;
    if (edge)
        gicd[(0xc00 + intid / 16 * 4) / 4] |= 2u << intid % 16 * 2;
    else
        gicd[(0xc00 + intid / 16 * 4) / 4] &= ~(2u << intid % 16 * 2);
    ((volatile uint8_t *)GUEST_DIST)[0x400 + intid] = 0xa0;
    *(volatile uint64_t *)(GUEST_DIST + 0x6000 + 8ul * intid) = 0;
    gicd[(0x100 + intid / 32 * 4) / 4] = 1u << intid % 32;
}
