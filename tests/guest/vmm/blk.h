/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A driver of virtio disks for programs that run in a VM: virtio-mmio transports at their known addresses (virtio 1.2,
 * 4.2), one queue, requests of a header, data and a status (5.2.6). It polls; who wants interrupts takes them.
 */
#ifndef GUEST_BLK_H
#define GUEST_BLK_H

#include <stdbool.h>
#include <stdint.h>

#define BLK_SLOTS   0x0a000000ul
#define BLK_SLOT    0x200ul
#define BLK_ENTRIES 128u /* of the ring */

enum { BLK_IN = 0, BLK_OUT = 1, BLK_FLUSH = 4, BLK_GET_ID = 8 };
enum { BLK_OK = 0, BLK_IOERR = 1, BLK_UNSUPP = 2, BLK_PENDING = 0xee };
enum { BLK_NEXT = 1, BLK_WRITE = 2, BLK_INDIRECT = 4 };

enum { /* registers */
       BLK_DEVICE_ID = 0x08,
       BLK_QUEUE_READY = 0x44,
       BLK_QUEUE_NOTIFY = 0x50,
       BLK_INTERRUPT_STATUS = 0x60,
       BLK_INTERRUPT_ACK = 0x64,
       BLK_STATUS = 0x70
};

#define BLK_F_EVENT_IDX (1ul << 29)
#define BLK_F_INDIRECT  (1ul << 28)
#define BLK_F_VERSION_1 (1ul << 32)

struct blk_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct blk {
    uint64_t at; /* the transport */
    unsigned slot;
    uint64_t features; /* that were accepted */
    struct blk_desc *desc;
    volatile uint16_t *avail; /* flags, idx, ring, used_event */
    volatile uint8_t *used;   /* flags, idx, ring of id and len, avail_event */
    uint16_t next, seen;
    struct blk_header {
        uint32_t type, reserved;
        uint64_t sector;
    } header[BLK_ENTRIES];
    volatile uint8_t status[BLK_ENTRIES];
};

uint32_t blk_load(const struct blk *b, uint64_t offset);
void blk_store(const struct blk *b, uint64_t offset, uint32_t value);

/* Finds the n-th disk, by ascending addresses. */
bool blk_find(struct blk *b, unsigned n);

/* Resets it and sets it up. Returns whether it has taken the features that are wanted. */
bool blk_init(struct blk *b, uint64_t wanted);
uint64_t blk_sectors(const struct blk *b);

/* Puts request number n (less than BLK_ENTRIES / 3) into descriptors 3 n and up, and makes it available. It does not
   notify. bytes 0: no data. */
void blk_put(struct blk *b, unsigned n, uint32_t type, uint64_t sector, void *data, uint32_t bytes);
void blk_offer(struct blk *b, unsigned head, unsigned nr);
void blk_notify(const struct blk *b);

/* Waits until all that was offered has come back. Returns false if that takes seconds. */
bool blk_wait(struct blk *b);

/* Enables its interrupt, at the first vCPU, as an edge or a level. */
void blk_interrupt(const struct blk *b, bool edge);

/* One request, and its status. */
unsigned blk_do(struct blk *b, uint32_t type, uint64_t sector, void *data, uint32_t bytes);

#endif
