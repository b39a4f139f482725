/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that looks at the 32 virtio transports of the virt machine, as programs do that are made for it: at the known
 * addresses, without a device tree. All of them are empty, and none is an abort.
 */
#include "guest.h"

#define SLOTS 0x0a000000ul
#define SIZE  0x200ul

static uint32_t load(uint64_t at)
{
    return *(volatile uint32_t *)at;
}

static void store(uint64_t at, uint32_t value)
{
    *(volatile uint32_t *)at = value;
}

static bool is_empty(uint64_t slot)
{
    return load(slot) == 0x74726976 && load(slot + 4) == 2 && load(slot + 8) == 0;
}

int guest_main(unsigned cpu)
{
    unsigned good = 0, zeros = 0;

    (void)cpu;
    for (uint64_t slot = SLOTS; slot < SLOTS + 32 * SIZE; slot += SIZE)
        good += is_empty(slot);
    guest_ok(good == 32, "magic, version 2 and no device, 32 times: %u", good);

    for (uint64_t slot = SLOTS; slot < SLOTS + 32 * SIZE; slot += SIZE) {
        store(slot + 0x70, 0); /* Status: reset, acknowledge, driver */
        store(slot + 0x70, 3);
        store(slot + 0x30, 0);   /* QueueSel */
        store(slot + 0x44, 1);   /* QueueReady */
        store(slot + 0x50, 0);   /* QueueNotify */
        store(slot + 0x100, 77); /* the configuration */
    }
    for (uint64_t at = SLOTS; at < SLOTS + 32 * SIZE; at += 4)
        zeros += at % SIZE > 12 && load(at) == 0;
    guest_ok(zeros == 32 * (SIZE - 16) / 4, "stores do nothing, all other registers read 0: %u", zeros);

    good = 0;
    for (uint64_t slot = SLOTS; slot < SLOTS + 32 * SIZE; slot += SIZE)
        good += *(volatile uint8_t *)(slot + 1) == 'i' && *(volatile uint16_t *)(slot + 2) == 0x7472 &&
                *(volatile uint8_t *)(slot + 0x1ff) == 0;
    guest_ok(good == 32, "bytes and halfwords: %u", good);

    guest_ok(is_empty(SLOTS) && is_empty(SLOTS + 31 * SIZE), "the first and the last once more");
    guest_plan();
    return 0;
}
