/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What a kernel's file asks for, and where in the guest's memory things go. It uses values only, so the same file runs
 * on the build host.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_IMAGE_PARTS 16

/** A piece of the file, and the memory that it takes. What the file does not fill is zero. */
struct vmm_image_part {
    uint64_t from, bytes; /* in the file */
    uint64_t at, size;    /* in the guest's memory; `at` of an arm64 Image is vmm_image_place()'s to write */
};

struct vmm_image {
    bool fixed;           /* the file says where it goes (ELF), or the caller has; otherwise it is an arm64 Image */
    uint64_t text_offset; /* of an Image: from a 2 MiB boundary */
    uint64_t entry;       /* in the guest's memory; of an Image vmm_image_place() writes it */
    unsigned nr;          /* at least 1 */
    struct vmm_image_part part[VMM_IMAGE_PARTS];
};

/** Bits of the `granules` argument below. */
#define VMM_GRANULE_4K  (1u << 1)
#define VMM_GRANULE_16K (1u << 2)
#define VMM_GRANULE_64K (1u << 3)

/**
 * Reads the header of a file of `bytes`: an arm64 Image or an ELF file. If `raw` is not 0, the file is taken as it is,
 * goes to that address of the guest, and is entered there. `granules` says which page sizes EL1 of this CPU has, each
 * as the bit whose number is the Image's field. Returns NULL, or what is wrong with the file.
 */
const char *vmm_image_check(const void *image, size_t bytes, uint32_t granules, uint64_t raw, struct vmm_image *info);

/** Addresses in the guest's memory. */
struct vmm_layout {
    uint64_t dtb;                /* X0 at entry */
    uint64_t dtb_copy;           /* another one; 0: none */
    uint64_t initrd, initrd_end; /* both are 0 without an initrd */
};

/** Room for a device tree. */
#define VMM_DTB_ROOM UINT64_C(0x10000)

/** Lays out memory of `size` bytes from `base` (a multiple of 2 MiB). Returns NULL, or what does not fit. */
const char *vmm_image_place(uint64_t base, uint64_t size, struct vmm_image *kernel, uint64_t initrd_bytes,
                            struct vmm_layout *layout);

#endif
