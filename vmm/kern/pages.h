/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The page allocator. It has all memory that the device tree names, except what the image, the device tree and the
 * modules occupy. Every page is mapped at its own physical address, read-write and cacheable.
 */
#ifndef VMM_KERN_PAGES_H
#define VMM_KERN_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define VMM_PAGE_SIZE 4096u

/** Takes `bytes`, rounded up to pages, contiguous, at a multiple of `align` (a power of two, of which at least a
    page is used). The memory is not cleared: vmm_zero_out() does that fast. Returns NULL when there is no such
    place. Any CPU may call it. */
void *vmm_pages_alloc(size_t bytes, size_t align);

/** Gives back what vmm_pages_alloc() gave, as a whole or in parts. Freeing a page twice panics. */
void vmm_pages_free(void *p, size_t bytes);

size_t vmm_pages_free_bytes(void);

/** Called once. Makes the allocator from the board's description. */
void vmm_pages_init(void);

#endif
