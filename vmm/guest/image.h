/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What an arm64 kernel image asks for, and where in the guest's memory things go. It uses values only, so the same file
 * runs on the build host.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct vmm_image {
    uint64_t text_offset; /* from a 2 MiB boundary */
    uint64_t size;        /* of the memory that it takes: at least that of the file */
};

/** Bits of the `granules` argument below. */
#define VMM_GRANULE_4K  (1u << 1)
#define VMM_GRANULE_16K (1u << 2)
#define VMM_GRANULE_64K (1u << 3)

/** Reads the header of an image of `bytes`. `granules` says which page sizes EL1 of this CPU has, each as the bit
    whose number is the image's field. Returns NULL, or what is wrong with the image. */
const char *vmm_image_check(const void *image, size_t bytes, uint32_t granules, struct vmm_image *info);

/** Addresses in the guest's memory. */
struct vmm_layout {
    uint64_t dtb, kernel, initrd, initrd_end; /* both ends are 0 without an initrd */
};

/** Room for the device tree, at the start of memory. */
#define VMM_DTB_ROOM UINT64_C(0x10000)

/** Lays out memory of `size` bytes from `base` (a multiple of 2 MiB). Returns NULL, or what does not fit. */
const char *vmm_image_place(uint64_t base, uint64_t size, const struct vmm_image *kernel, uint64_t initrd_bytes,
                            struct vmm_layout *layout);

#endif
