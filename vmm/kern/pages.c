/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The page allocator: one bit a page over all memory, set if the page is taken. A single page comes from the first free
 * place after the last search. A large piece comes from the first free place in memory, in aligned steps. A hypervisor
 * allocates at boot, and when guests map memory for the first time. So what matters is that large aligned pieces stay
 * free.
 */
#include <string.h>

#include "board/board.h"
#include "boot/boot.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/pages.h"

#define PAGE_SHIFT 12

static struct vmm_lock lock;
static struct area {
    uint64_t first, count; /* pages */
    uint64_t *taken;       /* bits */
    uint64_t hint;         /* no page below it is free */
} areas[VMM_MAX_RANGES];
static unsigned nr_areas;
static size_t free_pages;

static bool is_taken(const struct area *area, uint64_t i)
{
    return area->taken[i / 64] >> i % 64 & 1;
}

static void set_taken(struct area *area, uint64_t i, bool taken)
{
    uint64_t bit = 1ull << i % 64;

    free_pages += (size_t)is_taken(area, i) - taken;
    area->taken[i / 64] = taken ? area->taken[i / 64] | bit : area->taken[i / 64] & ~bit;
}

/* Returns the first page at or after i that is taken, or free if !taken, and at most `end`. */
static uint64_t next(const struct area *area, uint64_t i, uint64_t end, bool taken)
{
    while (i < end) {
        uint64_t word = taken ? area->taken[i / 64] : ~area->taken[i / 64];

        word >>= i % 64;
        if (word) {
            i += (uint64_t)__builtin_ctzll(word);
            return i < end ? i : end;
        }
        i = (i / 64 + 1) * 64;
    }
    return end;
}

static void *take(struct area *area, uint64_t pages, uint64_t align)
{
    uint64_t i = area->hint = next(area, area->hint, area->count, false);

    for (;;) {
        uint64_t stop;

        i = ((area->first + i + align - 1) & ~(align - 1)) - area->first;
        if (i >= area->count || pages > area->count - i)
            return NULL;
        stop = next(area, i, i + pages, true);
        if (stop == i + pages)
            break;
        i = next(area, stop, area->count, false);
    }
    for (uint64_t k = 0; k < pages; k++)
        set_taken(area, i + k, true);
    return (void *)(uintptr_t)((area->first + i) << PAGE_SHIFT);
}

void *vmm_pages_alloc(size_t bytes, size_t align)
{
    uint64_t pages = (bytes + VMM_PAGE_SIZE - 1) >> PAGE_SHIFT;
    uint64_t align_pages = align > VMM_PAGE_SIZE ? align >> PAGE_SHIFT : 1;
    void *p = NULL;

    if (!pages || pages > UINT64_MAX >> (PAGE_SHIFT + 1) || align & (align - 1))
        return NULL;
    vmm_lock(&lock);
    for (unsigned a = 0; !p && a < nr_areas; a++)
        p = take(&areas[a], pages, align_pages);
    vmm_unlock(&lock);
    return p;
}

void vmm_pages_free(void *p, size_t bytes)
{
    uint64_t page = (uintptr_t)p >> PAGE_SHIFT, pages = (bytes + VMM_PAGE_SIZE - 1) >> PAGE_SHIFT;

    vmm_lock(&lock);
    for (unsigned a = 0; a < nr_areas; a++) {
        struct area *area = &areas[a];

        if (page < area->first || page - area->first >= area->count)
            continue;
        vmm_assert(!((uintptr_t)p & (VMM_PAGE_SIZE - 1)) && pages <= area->count - (page - area->first));
        for (uint64_t i = page - area->first; i < page - area->first + pages; i++) {
            vmm_assert(is_taken(area, i));
            set_taken(area, i, false);
        }
        if (page - area->first < area->hint)
            area->hint = page - area->first;
        vmm_unlock(&lock);
        return;
    }
    vmm_panic("free of %p, which is no memory", p);
}

size_t vmm_pages_free_bytes(void)
{
    return free_pages << PAGE_SHIFT;
}

/* Takes all pages of [base, base + size), including pages that are only partly in it. */
static void reserve(uint64_t base, uint64_t size)
{
    uint64_t from = base >> PAGE_SHIFT, to = (base + size + VMM_PAGE_SIZE - 1) >> PAGE_SHIFT;

    if (!size)
        return;
    for (unsigned a = 0; a < nr_areas; a++) {
        struct area *area = &areas[a];

        for (uint64_t page = from; page < to; page++)
            if (page >= area->first && page - area->first < area->count)
                set_taken(area, page - area->first, true);
    }
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* Finds a place in a range of memory for its bitmap, clear of all that the loader has put there. Returns 0 if there
   is none. */
static uint64_t place(const struct vmm_range *range, uint64_t bytes, const struct vmm_range *used, unsigned n)
{
    uint64_t at = (range->base + VMM_PAGE_SIZE - 1) & ~(uint64_t)(VMM_PAGE_SIZE - 1);

    for (unsigned i = 0; i < n; i++) {
        if (overlap(at, bytes, used[i].base, used[i].size)) {
            at = (used[i].base + used[i].size + VMM_PAGE_SIZE - 1) & ~(uint64_t)(VMM_PAGE_SIZE - 1);
            i = -1u; /* again with all of them */
        }
    }
    return at + bytes <= range->base + range->size ? at : 0;
}

void vmm_pages_init(void)
{
    struct vmm_range used[5 + VMM_MAX_RESERVED] = {
        { (uintptr_t)_start, (uint64_t)(vmm_image_end - _start) },
        { vmm_board.fdt, vmm_board.fdt_size },
        { vmm_board.kernel.base, vmm_board.kernel.size },
        { vmm_board.ramdisk.base, vmm_board.ramdisk.size },
        vmm_board.firmware,
    };
    unsigned nr_used = 5;

    for (unsigned i = 0; i < vmm_board.nr_reserved; i++)
        used[nr_used++] = vmm_board.reserved[i];
    for (unsigned i = 0; i < vmm_board.nr_memory; i++) {
        const struct vmm_range *range = &vmm_board.memory[i];
        struct area *area = &areas[nr_areas];
        uint64_t end = (range->base + range->size) >> PAGE_SHIFT;
        uint64_t bytes, at;

        area->first = (range->base + VMM_PAGE_SIZE - 1) >> PAGE_SHIFT;
        area->count = end > area->first ? end - area->first : 0;
        bytes = (area->count + 63) / 64 * 8;
        at = place(range, bytes, used, nr_used);
        if (!area->count || !at) {
            vmm_log(VMM_WARN, "memory at %lx is too small to use", range->base);
            continue;
        }
        area->taken = (uint64_t *)(uintptr_t)at;
        memset(area->taken, 0, bytes);
        nr_areas++;
        free_pages += area->count;
        reserve(at, bytes);
    }
    for (unsigned i = 0; i < nr_used; i++)
        reserve(used[i].base, used[i].size);
}
