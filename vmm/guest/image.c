/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The arm64 boot protocol's image header (Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image"), and
 * ELF files (System V ABI, "Object Files"). The launcher has checked its file. If another loader put the image into
 * memory, nobody has.
 */
#include "image.h"

#include <string.h>

#define MIB2 (UINT64_C(2) << 20)

/* All fields little-endian, as EL2 is. */
struct image_header {
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

static const char *check_image(const void *image, size_t bytes, uint32_t granules, struct vmm_image *info)
{
    struct image_header h;

    if (bytes < sizeof(h))
        return "the kernel is smaller than an image header";
    memcpy(&h, image, sizeof(h));
    if (h.magic != MAGIC)
        return "the kernel is neither an uncompressed arm64 Image nor an ELF file";
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
    info->nr = 1;
    info->part[0] = (struct vmm_image_part){ .bytes = bytes, .size = h.image_size > bytes ? h.image_size : bytes };
    return NULL;
}

/* ---- ELF ---- */

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static const uint8_t elf_magic[4] = { 0x7f, 'E', 'L', 'F' };

enum {
    EI_CLASS = 4,
    EI_DATA = 5,
    ELFCLASS64 = 2,
    ELFDATA2LSB = 1,
    ET_EXEC = 2,
    ET_DYN = 3,
    EM_AARCH64 = 183,
    PT_LOAD = 1
};

static const char *check_segment(const struct elf_segment *s, size_t bytes)
{
    if (s->offset > bytes || s->filesz > bytes - s->offset)
        return "a segment of the kernel is not all in its ELF file";
    if (s->filesz > s->memsz)
        return "a segment of the kernel has more bytes in its ELF file than in memory";
    return NULL;
}

/* A CPU that is sent elsewhere faults before it executes anything. */
static const char *check_entry(const struct vmm_image *info)
{
    bool inside = false;

    for (unsigned i = 0; i < info->nr; i++)
        inside |= info->entry - info->part[i].at < info->part[i].size;
    return !inside           ? "the kernel's entry is in none of its segments"
           : info->entry % 4 ? "the kernel's entry is no multiple of 4"
                             : NULL;
}

/* The entry is a virtual address, and segments go to their physical ones. So the segment that has the entry says how
   far apart these are. If none has it, it is physical. */
static const char *check_elf(const uint8_t *image, size_t bytes, struct vmm_image *info)
{
    struct elf_header h;
    const char *error = NULL;

    if (bytes < sizeof(h))
        return "the kernel is smaller than an ELF header";
    memcpy(&h, image, sizeof(h));
    if (h.ident[EI_CLASS] != ELFCLASS64 || h.machine != EM_AARCH64)
        return "the kernel is an ELF file for another machine";
    if (h.ident[EI_DATA] != ELFDATA2LSB)
        return "the kernel is big-endian";
    if (h.type != ET_EXEC && h.type != ET_DYN)
        return "the kernel is an ELF file, and no program";
    if (h.phentsize != sizeof(struct elf_segment) || h.phoff > bytes || h.phnum > (bytes - h.phoff) / h.phentsize)
        return "the kernel's program headers are not all in its ELF file";
    info->fixed = true;
    info->entry = h.entry;
    for (unsigned n = 0; n < h.phnum && !error; n++) {
        struct elf_segment s;

        memcpy(&s, image + h.phoff + n * sizeof(s), sizeof(s));
        if (s.type != PT_LOAD || !s.memsz)
            continue;
        if (info->nr == VMM_IMAGE_PARTS)
            return "the kernel has more than 16 segments";
        info->part[info->nr++] = (struct vmm_image_part){ s.offset, s.filesz, s.paddr, s.memsz };
        if (h.entry - s.vaddr < s.memsz)
            info->entry = h.entry - s.vaddr + s.paddr;
        error = check_segment(&s, bytes);
    }
    if (!error && !info->nr)
        error = "the kernel's ELF file has no segment to load";
    return error ? error : check_entry(info);
}

const char *vmm_image_check(const void *image, size_t bytes, uint32_t granules, uint64_t raw, struct vmm_image *info)
{
    *info = (struct vmm_image){ 0 };
    if (raw % 4)
        return "the kernel's address is no multiple of 4";
    if (raw) {
        info->fixed = true;
        info->entry = raw;
        info->nr = 1;
        info->part[0] = (struct vmm_image_part){ .bytes = bytes, .at = raw, .size = bytes };
        return NULL;
    }
    if (bytes >= sizeof(elf_magic) && !memcmp(image, elf_magic, sizeof(elf_magic)))
        return check_elf(image, bytes, info);
    return check_image(image, bytes, granules, info);
}

/* ---- where things go ---- */

static uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static bool fits(uint64_t at, uint64_t size, uint64_t base, uint64_t end)
{
    return at >= base && at <= end && size <= end - at;
}

/*
 * The device tree goes to the start of memory. A program that does not look at X0 finds it there on the `virt` machine,
 * too. A kernel wants text_offset from a 2 MiB boundary. It gets the first boundary if the device tree has room below
 * the kernel, otherwise the second. That costs 2 MiB, but Linux (from 4.6 on) uses them all the same.
 */
static const char *place_image(uint64_t base, uint64_t end, struct vmm_image *kernel, uint64_t *after)
{
    struct vmm_image_part *p = &kernel->part[0];

    p->at = base + kernel->text_offset + (kernel->text_offset < VMM_DTB_ROOM ? MIB2 : 0);
    if (!fits(p->at, p->size, base, end))
        return "the kernel does not fit into the guest's memory";
    kernel->entry = p->at;
    *after = align_up(p->at + p->size, MIB2);
    return NULL;
}

/*
 * A program that says where it goes. If it leaves room at the start of memory, the device tree is there, and a copy of
 * it is above the program, for those that look there: at the next 2 MiB boundary, which leaves room for a stack. If it
 * does not leave room, the device tree is there.
 */
static const char *place_fixed(uint64_t base, uint64_t end, const struct vmm_image *kernel, struct vmm_layout *layout,
                               uint64_t *after)
{
    uint64_t low = end, high = base;

    for (unsigned i = 0; i < kernel->nr; i++) {
        const struct vmm_image_part *p = &kernel->part[i];

        if (!fits(p->at, p->size, base, end))
            return "the kernel wants memory that the guest does not have";
        for (unsigned j = 0; j < i; j++)
            if (p->at < kernel->part[j].at + kernel->part[j].size && kernel->part[j].at < p->at + p->size)
                return "two segments of the kernel overlap";
        low = p->at < low ? p->at : low;
        high = p->at + p->size > high ? p->at + p->size : high;
    }
    *after = align_up(high, MIB2);
    if (fits(*after, VMM_DTB_ROOM, base, end)) {
        layout->dtb_copy = *after;
        *after += MIB2;
    }
    if (low - base >= VMM_DTB_ROOM)
        return NULL;
    layout->dtb = layout->dtb_copy;
    layout->dtb_copy = 0;
    return layout->dtb ? NULL : "the kernel leaves no room for the device tree in the guest's memory";
}

/* The initrd follows the kernel. So it is inside the window of 32 GiB around the kernel that the boot protocol asks
   for, whatever the size of memory. */
const char *vmm_image_place(uint64_t base, uint64_t size, struct vmm_image *kernel, uint64_t initrd_bytes,
                            struct vmm_layout *layout)
{
    uint64_t end = base + size, after;
    const char *error;

    *layout = (struct vmm_layout){ .dtb = base };
    error = kernel->fixed ? place_fixed(base, end, kernel, layout, &after) : place_image(base, end, kernel, &after);
    if (error || initrd_bytes == 0)
        return error;
    if (!fits(after, initrd_bytes, base, end))
        return "the initrd does not fit into the guest's memory";
    layout->initrd = after;
    layout->initrd_end = after + initrd_bytes;
    return NULL;
}
