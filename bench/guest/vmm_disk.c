/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest of the reference hypervisor that reads a disk, and polls. What is measured is what everything but the guest
 * takes for a request: the notification, the device's interrupt, and the guest's load of InterruptStatus and its
 * acknowledgement. The board's disk answers when it likes. So the guest knows what its own instructions are, and counts
 * what is beyond. A row is the median of its rounds, because an interrupt may come in two.
 */
#include "blk.h"
#include "code.h"
#include "vmm.h"

#define DISK_ROUNDS 1000u
#define DEEP        32u

static struct blk disk;
static _Alignas(4096) uint8_t data[32 * 4096];
static uint64_t taken[DISK_ROUNDS];

/* Instructions from before a load or store to behind it, beyond its own and one of the two reads of the counter. */
static uint64_t timed_store(uint64_t at, uint32_t value)
{
    uint64_t from, to;

    __asm__ volatile("mrs %0, cntvct_el0; str %w3, [%2]; mrs %1, cntvct_el0"
                     : "=&r"(from), "=r"(to)
                     : "r"(at), "r"(value)
                     : "memory");
    return to - from - 2;
}

static uint64_t timed_load(uint64_t at, uint32_t *value)
{
    uint64_t from, to;

    __asm__ volatile("mrs %0, cntvct_el0; ldr %w2, [%3]; mrs %1, cntvct_el0"
                     : "=&r"(from), "=&r"(to), "=&r"(*value)
                     : "r"(at)
                     : "memory");
    return to - from - 2;
}

/* Four instructions a turn. */
static uint64_t timed_poll(const volatile uint8_t *idx, uint16_t wanted)
{
    uint64_t from, to, turns = 0;
    uint32_t seen;

    __asm__ volatile("mrs %0, cntvct_el0\n"
                     "1: add %2, %2, #1; ldrh %w3, [%4]; cmp %w3, %w5; b.ne 1b\n"
                     "mrs %1, cntvct_el0"
                     : "=&r"(from), "=&r"(to), "+&r"(turns), "=&r"(seen)
                     : "r"(idx), "r"(wanted)
                     : "memory", "cc");
    return to - from - 1 - 4 * turns;
}

/* All that was offered goes and comes back. The interrupt stays masked, and is taken from the controller. */
static uint64_t there_and_back(bool warm)
{
    uint64_t ticks;
    uint32_t status, intid;

    if (warm)
        MARK(COUNT);
    ticks = timed_store(disk.at + BLK_QUEUE_NOTIFY, 0);
    ticks += timed_poll(disk.used + 2, disk.next);
    ticks += timed_load(disk.at + BLK_INTERRUPT_STATUS, &status);
    ticks += timed_store(disk.at + BLK_INTERRUPT_ACK, status);
    MARK(PAUSE);
    intid = guest_gic_ack();
    if (intid == 32 + 16 + disk.slot)
        guest_gic_eoi(intid);
    if (!blk_wait(&disk))
        guest_printf("the disk does not answer\n");
    return ticks;
}

static void print_median(const char *row, unsigned requests)
{
    for (unsigned i = 1; i < DISK_ROUNDS; i++) {
        uint64_t at = taken[i];
        unsigned k = i;

        for (; k && taken[k - 1] > at; k--)
            taken[k] = taken[k - 1];
        taken[k] = at;
    }
    print_row(row, NULL, taken[DISK_ROUNDS / 2] * DISK_ROUNDS, DISK_ROUNDS * requests);
}

static void measure_reads(const char *row, unsigned depth)
{
    for (unsigned round = 0; round < WARM + DISK_ROUNDS; round++) {
        uint64_t ticks;

        for (unsigned n = 0; n < depth; n++)
            blk_put(&disk, n, BLK_IN, 8 * n, &data[4096 * n], 4096);
        ticks = there_and_back(round >= WARM);
        if (round >= WARM)
            taken[round - WARM] = ticks;
    }
    print_median(row, depth);
}

/* A table with a descriptor for each page. The pages lie apart, as a guest's may. */
static void measure_large(const char *row)
{
    static _Alignas(16) struct blk_desc table[34];

    disk.header[0] = (struct blk_header){ .type = BLK_IN };
    table[0] = (struct blk_desc){ (uintptr_t)&disk.header[0], 16, BLK_NEXT, 1 };
    for (unsigned i = 0; i < 32; i++)
        table[1 + i] =
            (struct blk_desc){ (uintptr_t)&data[4096 * (i * 7 % 32)], 4096, BLK_NEXT | BLK_WRITE, (uint16_t)(i + 2) };
    table[33] = (struct blk_desc){ (uintptr_t)&disk.status[0], 1, BLK_WRITE, 0 };
    disk.desc[0] = (struct blk_desc){ (uintptr_t)table, sizeof(table), BLK_INDIRECT, 0 };
    for (unsigned round = 0; round < WARM + DISK_ROUNDS; round++) {
        uint64_t ticks;

        blk_offer(&disk, 0, 1);
        ticks = there_and_back(round >= WARM);
        if (round >= WARM)
            taken[round - WARM] = ticks;
    }
    print_median(row, 32);
}

int guest_main(unsigned cpu)
{
    (void)cpu;
    vmm_guest_init();
    if (!blk_find(&disk, 0) || !blk_init(&disk, BLK_F_EVENT_IDX | BLK_F_INDIRECT))
        return 1;
    blk_interrupt(&disk, true);
    measure_reads("vmm_disk_1", 1);
    measure_reads("vmm_disk_32", DEEP);
    measure_large("vmm_disk_large");
    return 0;
}
