/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest's memory for tests of what reads its rings: guest/ram.c over memory of the build host. It is in four pieces,
 * one for each block of guest addresses, in another order than these.
 */
#ifndef TEST_GUEST_MEMORY_H
#define TEST_GUEST_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "boot/cpu.h" /* the fake one */

#include "virtio/access.h" /* the fake one, too */
#include "virtio/shadow.h"
#include "guest/ram.c"

#define BASE   UINT64_C(0x40000000)
#define TAIL   (2 * UINT64_C(4096))
#define MEMORY (3 * VMM_RAM_BLOCK + TAIL)

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

/* ---- what guest/ram.c needs of the kernel ---- */

static uint8_t *memory; /* six blocks */
static struct vmm_ram ram;
static const uint8_t block_at[] = { 3, 0, 1, 5 }; /* blocks 1 and 2 are neighbours */
static unsigned pieces;

void *vmm_pages_alloc(uint64_t bytes, uint64_t align)
{
    (void)align;
    return bytes > VMM_RAM_BLOCK ? NULL : memory + block_at[pieces++] * VMM_RAM_BLOCK;
}

void vmm_pages_free(void *p, uint64_t bytes)
{
    (void)p;
    (void)bytes;
}

void vmm_zero_out(void *p, size_t bytes)
{
    memset(p, 0, bytes);
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

void vmm_cpu_relax(void)
{
}

enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size, uint32_t attrs)
{
    (void)s2;
    (void)ipa;
    (void)pa;
    (void)size;
    (void)attrs;
    return AVC_OK;
}

enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size)
{
    (void)s2;
    (void)ipa;
    (void)size;
    return AVC_OK;
}

const char *avc_status_text(enum avc_status status)
{
    (void)status;
    return "status";
}

#define SAME(a, b) assert_int_equal((uint64_t)(a), (uint64_t)(b))

_Noreturn void vmm_exit(int status, const char *fmt, ...)
{
    (void)status;
    (void)fmt;
    abort();
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

static uint8_t *guest_at(uint64_t ipa)
{
    uint64_t offset = ipa - BASE;

    return memory + block_at[offset / VMM_RAM_BLOCK] * VMM_RAM_BLOCK + offset % VMM_RAM_BLOCK;
}

/* Where the guest sees that place. */
static uint64_t ipa_of(const void *p)
{
    uint64_t at = (uint64_t)((const uint8_t *)p - memory);

    for (unsigned i = 0; i < sizeof(block_at); i++)
        if (at / VMM_RAM_BLOCK == block_at[i])
            return BASE + i * VMM_RAM_BLOCK + at % VMM_RAM_BLOCK;
    return 0;
}

static bool is_memory(uint64_t ipa, uint64_t bytes)
{
    return ipa >= BASE && ipa - BASE < MEMORY && bytes <= MEMORY - (ipa - BASE);
}

/* ---- numbers in it ---- */

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put_number(uint8_t *p, uint64_t value, unsigned bytes)
{
    while (bytes--) {
        *p++ = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t number(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | p[bytes];
    return value;
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)number(p, 2);
}

static void put_desc(uint64_t table, unsigned n, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
    for (unsigned i = 0; i < 16; i++) { /* a table may lie over the end of a piece */
        uint64_t word = i < 8 ? addr : (uint64_t)next << 48 | (uint64_t)flags << 32 | len;

        if (is_memory(table + 16 * n + i, 1))
            *guest_at(table + 16 * n + i) = (uint8_t)(word >> 8 * (i % 8));
    }
}

#endif
