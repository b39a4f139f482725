/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The arm64 boot protocol's image header (Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image"). The
 * launcher has checked its file. If another loader put the image into memory, nobody has.
 */
#include "image.h"

#include <stdbool.h>
#include <string.h>

#define MIB2 (UINT64_C(2) << 20)

/* All fields little-endian, as EL2 is. */
struct header {
    uint32_t code0, code1;
    uint64_t text_offset;
    uint64_t image_size;
    uint64_t flags;
    uint64_t res2, res3, res4;
    uint32_t magic;
    uint32_t res5;
};

#define MAGIC          0x644d5241u /* "ARM\x64" */
#define OLD_OFFSET     UINT64_C(0x80000)
#define FLAG_BIG       (UINT64_C(1) << 0)
#define FLAG_PAGE(f)   ((f) >> 1 & 3) /* 0: any; 1: 4, 2: 16, 3: 64 KiB */
#define OFFSET_TOO_BIG (UINT64_C(1) << 40)

const char *vmm_image_check(const void *image, size_t bytes, uint32_t granules, struct vmm_image *info)
{
    struct header h;

    if (bytes < sizeof(h))
        return "the kernel is smaller than an image header";
    memcpy(&h, image, sizeof(h));
    if (h.magic != MAGIC)
        return "the kernel is not an uncompressed arm64 Image";
    /* A kernel that leaves image_size at 0 is older than 3.17. Its text_offset is in the kernel's byte order, so it
       cannot be relied upon. */
    if (h.image_size == 0)
        h.text_offset = OLD_OFFSET;
    else if (h.flags & FLAG_BIG)
        return "the kernel is big-endian";
    else if (FLAG_PAGE(h.flags) && !(granules >> FLAG_PAGE(h.flags) & 1))
        return "the kernel's page size is one that this CPU does not have";
    if (h.text_offset >= OFFSET_TOO_BIG || h.image_size >= OFFSET_TOO_BIG || h.text_offset % 8)
        return "the kernel's header asks for an impossible place or size";
    info->text_offset = h.text_offset;
    info->size = h.image_size > bytes ? h.image_size : bytes;
    return NULL;
}

static uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/*
 * The device tree goes to the start of memory. A program that does not look at X0 finds it there on the `virt` machine,
 * too. A kernel wants text_offset from a 2 MiB boundary. It gets the first boundary if the device tree has room below
 * the kernel, otherwise the second. That costs 2 MiB, but Linux (from 4.6 on) uses them all the same. The initrd
 * follows the kernel. So it is inside the window of 32 GiB around the kernel that the boot protocol asks for, whatever
 * the size of memory.
 */
const char *vmm_image_place(uint64_t base, uint64_t size, const struct vmm_image *kernel, uint64_t initrd_bytes,
                            struct vmm_layout *layout)
{
    uint64_t end = base + size, after;

    layout->dtb = base;
    layout->kernel = base + kernel->text_offset + (kernel->text_offset < VMM_DTB_ROOM ? MIB2 : 0);
    layout->initrd = layout->initrd_end = 0;
    if (layout->kernel > end || kernel->size > end - layout->kernel)
        return "the kernel does not fit into the guest's memory";
    if (initrd_bytes == 0)
        return NULL;
    after = align_up(layout->kernel + kernel->size, MIB2);
    if (after > end || initrd_bytes > end - after)
        return "the initrd does not fit into the guest's memory";
    layout->initrd = after;
    layout->initrd_end = after + initrd_bytes;
    return NULL;
}
