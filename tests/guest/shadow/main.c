/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the shadow virtqueue of the reference hypervisor executes for a request, at EL2, as it is compiled for it. No
 * guest runs: this program writes the guest's ring and is the device, too. In the counting mode a tick of the counter
 * is an instruction. Also: the data, which is memory that nobody touches, stays as it was.
 */
#include "host.h"

#include "virtio/shadow.h"
#include "vmm.h"

#define SIZE    128u
#define ENTRIES 256u
#define BASE    UINT64_C(0x40000000) /* of the guest's memory, in its addresses */
#define BLOCKS  4u
#define DESC    (BASE + 0x1000)
#define AVAIL   (BASE + 0x3000)
#define USED    (BASE + 0x4000)
#define TABLES  (BASE + 0x10000)
#define DATA    (BASE + VMM_RAM_BLOCK)

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

static _Alignas(VMM_RAM_BLOCK) uint8_t memory[BLOCKS * VMM_RAM_BLOCK];
static struct vmm_ram ram;
static struct vmm_shadow q;
static struct vmm_slot slot[ENTRIES];
static _Alignas(16) uint8_t desc[VMM_DESC_BYTES(ENTRIES)], avail[VMM_AVAIL_BYTES(ENTRIES)],
    used[VMM_USED_BYTES(ENTRIES)];
static uint16_t offered, device_used;
static unsigned tests;

/* ---- what guest/ram.c wants of the kernel ---- */

void *vmm_pages_alloc(size_t bytes, size_t align)
{
    (void)align;
    return bytes == sizeof(memory) ? memory : NULL;
}

void vmm_pages_free(void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
}

void vmm_zero_out(void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
}

void vmm_dcache_clean_invalidate(const void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
}

void vmm_icache_invalidate(const void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    host_printf("Bail out! %s\n", fmt);
    host_off(1);
}

_Noreturn void vmm_exit(int status, const char *fmt, ...)
{
    host_printf("Bail out! %s\n", fmt);
    host_off(status);
}

/* ---- the guest and the device ---- */

static uint8_t *at(uint64_t ipa)
{
    return memory + (ipa - BASE);
}

static void put_desc(uint64_t table, unsigned n, uint64_t addr, uint32_t len, uint64_t flags, uint64_t next)
{
    uint64_t *p = (uint64_t *)(void *)(at(table) + 16 * n);

    p[0] = addr;
    p[1] = next << 48 | flags << 32 | len;
}

static void put16(uint8_t *p, uint16_t value)
{
    *(volatile uint16_t *)(void *)p = value;
}

static void put32(uint8_t *p, uint32_t value)
{
    *(volatile uint32_t *)(void *)p = value;
}

/* A kind of request: `nr` descriptors, the last `writing` of them to be written, in a table or in the ring. */
struct kind {
    const char *name;
    unsigned depth, nr, writing;
    uint32_t bytes; /* of each buffer but the first and the last of several */
    bool table;
    unsigned limit; /* instructions of forward and return together, for each request */
};

static void prepare(const struct kind *k)
{
    for (unsigned n = 0; n < k->depth; n++) {
        uint64_t table = TABLES + 1024 * n, data = DATA + 32 * 4096 * n;
        unsigned first = k->table ? 0 : n * k->nr;

        for (unsigned i = 0; i < k->nr; i++)
            put_desc(k->table ? table : DESC, first + i, data + 4096 * i, k->nr > 1 && i == 0 ? 16 : k->bytes,
                     (i + 1 < k->nr ? NEXT : 0) | (i >= k->nr - k->writing ? WRITE : 0), first + i + 1);
        if (k->table)
            put_desc(DESC, n, table, 16 * k->nr, INDIRECT, 0);
    }
}

/* A batch of requests goes to the device and comes back. Returns the instructions of both ways. */
static uint64_t batch(const struct kind *k)
{
    uint64_t began, ticks;
    unsigned result;

    for (unsigned n = 0; n < k->depth; n++) {
        put16(at(AVAIL + 4 + 2 * (offered % SIZE)), (uint16_t)(k->table ? n : n * k->nr));
        offered++;
    }
    put16(at(AVAIL + 2), offered);
    put16(at(AVAIL + 4 + 2 * SIZE), device_used); /* used_event: the first that comes back */
    began = host_ticks();
    result = vmm_shadow_forward(&q, ENTRIES);
    ticks = host_ticks() - began;
    if (result != VMM_SHADOW_NOTIFY)
        vmm_panic("forward");
    for (unsigned n = 0; n < k->depth; n++) {
        put32(used + 4 + 8 * (device_used % ENTRIES), *(uint16_t *)(void *)(avail + 4 + 2 * (device_used % ENTRIES)));
        put32(used + 8 + 8 * (device_used % ENTRIES), 4097);
        device_used++;
    }
    put16(used + 2, device_used);
    put16(used + 4 + 8 * ENTRIES, device_used); /* avail_event */
    began = host_ticks();
    result = vmm_shadow_return(&q, SIZE, ENTRIES);
    ticks += host_ticks() - began;
    if (result != VMM_SHADOW_INTERRUPT)
        vmm_panic("return");
    return ticks;
}

static void measure(const struct kind *k)
{
    uint64_t ticks;

    prepare(k);
    batch(k);
    ticks = (batch(k) + k->depth - 1) / k->depth;
    host_printf("%s %u - %s: %u instructions a request, %u at most\n", ticks <= k->limit ? "ok" : "not ok", ++tests,
                k->name, (unsigned)ticks, k->limit);
}

static bool data_is(uint8_t value)
{
    for (size_t i = 0; i < sizeof(memory) - VMM_RAM_BLOCK; i++)
        if (memory[VMM_RAM_BLOCK + i] != value)
            return false;
    return true;
}

int host_main(void)
{
    static const struct kind kinds[] = {
        { "a read of 4 KiB, depth 1", 1, 3, 2, 4096, false, 620 },
        { "a read of 4 KiB, depth 32", 32, 3, 2, 4096, false, 420 },
        { "a read of 4 KiB by a table, depth 32", 32, 3, 2, 4096, true, 615 },
        { "a read of 64 KiB in 16 pages by a table, depth 8", 8, 18, 17, 4096, true, 1810 },
        { "a packet to be sent, burst of 32", 32, 1, 0, 1526, false, 265 },
        { "a packet received, burst of 32", 32, 1, 1, 1526, false, 265 },
    };
    const struct vmm_shadow_config config = { DESC, AVAIL, USED, SIZE, true, true };

    if (!vmm_ram_init(&ram, BASE, sizeof(memory), NULL))
        vmm_panic("memory");
    ram.there[0] = (1u << BLOCKS) - 1;
    memset(memory + VMM_RAM_BLOCK, 0x5a, sizeof(memory) - VMM_RAM_BLOCK);
    vmm_shadow_init(&q, &ram, desc, avail, used, slot, ENTRIES, true);
    if (vmm_shadow_start(&q, &config))
        vmm_panic("start");
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        measure(&kinds[i]);
    host_printf("%s %u - no byte of the data was written\n", data_is(0x5a) ? "ok" : "not ok", ++tests);
    vmm_shadow_stop(&q);
    host_printf("%s %u - nothing is pinned any more\n", ram.pinned ? "not ok" : "ok", ++tests);
    host_printf("1..%u\n", tests);
    return 0;
}
