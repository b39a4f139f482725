/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the reference hypervisor is given by its loader: a kernel's header, sizes, a board's device tree, of any bytes
 * and of nodes and properties that it looks for. It refuses, or what it has read lies where it may lie. And the tree
 * that it writes for the guest is sound, whatever it was told.
 */
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/board.h"
#include "boot/cpu.h"
#include "guest/fdt.h"
#include "guest/image.h"
#include "input.h"
#include "kern/log.h"

#define BASE UINT64_C(0x40000000)

uint64_t fake_mpidr;

static void wrong(const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "images: %s: %#llx, %#llx\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

static void must(bool ok, const char *what, uint64_t a, uint64_t b)
{
    if (!ok)
        wrong(what, a, b);
}

/* ---- a kernel ---- */

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a + a_size <= b || b + b_size <= a;
}

static bool inside(uint64_t at, uint64_t bytes, uint64_t size)
{
    return at >= BASE && bytes <= size && at - BASE <= size - bytes;
}

static void check_place(const char *what, uint64_t at, uint64_t bytes, const struct vmm_image *k, uint64_t size)
{
    must(inside(at, bytes, size), what, at, bytes);
    for (unsigned i = 0; i < k->nr; i++)
        must(apart(at, bytes, k->part[i].at, k->part[i].size), what, at, k->part[i].at);
}

static void check_layout(const struct vmm_layout *l, const struct vmm_image *k, uint64_t size, uint64_t initrd)
{
    for (unsigned i = 0; i < k->nr; i++)
        must(inside(k->part[i].at, k->part[i].size, size), "the kernel", k->part[i].at, k->part[i].size);
    if (!k->fixed) {
        must(k->entry == k->part[0].at && (k->entry - k->text_offset) % (2 << 20) == 0, "the kernel's alignment",
             k->entry, k->text_offset);
        must(l->dtb == BASE && !l->dtb_copy, "the device tree", l->dtb, l->dtb_copy);
    }
    check_place("the device tree", l->dtb, VMM_DTB_ROOM, k, size);
    if (l->dtb_copy) {
        check_place("the copy", l->dtb_copy, VMM_DTB_ROOM, k, size);
        must(apart(l->dtb, VMM_DTB_ROOM, l->dtb_copy, VMM_DTB_ROOM), "device trees", l->dtb, l->dtb_copy);
    }
    if (!initrd) {
        must(!l->initrd && !l->initrd_end, "no initrd", l->initrd, l->initrd_end);
        return;
    }
    must(l->initrd_end - l->initrd == initrd, "the initrd", l->initrd, initrd);
    check_place("the initrd", l->initrd, initrd, k, size);
    must(apart(l->initrd, initrd, l->dtb, VMM_DTB_ROOM), "the initrd and the device tree", l->initrd, initrd);
    must(!l->dtb_copy || apart(l->initrd, initrd, l->dtb_copy, VMM_DTB_ROOM), "the initrd and the copy", l->initrd,
         initrd);
}

static void check_file(const uint8_t *image, size_t bytes, uint64_t raw, const struct vmm_image *k)
{
    must(k->nr >= 1 && k->nr <= VMM_IMAGE_PARTS, "parts", k->nr, 0);
    for (unsigned i = 0; i < k->nr; i++)
        must(k->part[i].from <= bytes && k->part[i].bytes <= bytes - k->part[i].from &&
                 k->part[i].bytes <= k->part[i].size,
             "a part", k->part[i].from, k->part[i].bytes);
    if (raw || (bytes >= 4 && !memcmp(image,
                                      "\x7f"
                                      "ELF",
                                      4))) {
        must(k->fixed && (!raw || k->entry == raw), "a place of its own", k->entry, raw);
        return;
    }
    must(bytes >= 64 && !memcmp(image + 56, "ARM\x64", 4), "an Image", bytes, 0);
    must(!k->fixed && k->text_offset % 8 == 0 && k->part[0].size >> 40 == 0, "size or offset", k->part[0].size,
         k->text_offset);
}

/* Makes of the bytes what comes near to a file that is taken. */
static void steer(uint8_t *image, size_t bytes)
{
    static const uint8_t elf[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 183, 0 };

    if (bytes < 64)
        return;
    if (image[0] & 1) {
        memcpy(image, elf, sizeof(elf));
        if (image[20] & 1) { /* headers right behind, of one to seven segments with small numbers */
            memset(image + 33, 0, 7);
            image[32] = 64;
            image[54] = 56;
            image[55] = image[57] = 0;
            image[56] = image[56] % 7 + 1;
            for (size_t at = 64; at + 56 <= bytes; at += 56) {
                memset(image + at + 1, 0, 3);
                image[at] &= 3;
                memset(image + at + 10, 0, 6); /* the offset */
                memset(image + at + 28, 0, 4); /* the address */
                memset(image + at + 34, 0, 6); /* the sizes */
                memset(image + at + 43, 0, 5);
            }
        }
    } else if (image[0] & 2) {
        memcpy(image + 56, "ARM\x64", 4);
    }
}

static void kernel(void)
{
    uint64_t size = (UINT64_C(1) + take_bytes(3)) << 21, initrd = take_bytes(byte() & 8 ? 8 : 3), raw = 0;
    uint32_t granules = byte();
    uint8_t *image = malloc(input_left + 1); /* of exactly this size, so that one byte beyond is found */
    size_t bytes;
    struct vmm_image info;
    struct vmm_layout layout;

    if (granules & 0x10)
        raw = BASE + take_bytes(granules & 0x20 ? 8 : 3);
    bytes = input_left;
    memcpy(image, input, bytes);
    steer(image, bytes);
    if (!vmm_image_check(image, bytes, granules & 0xe, raw, &info)) {
        check_file(image, bytes, raw, &info);
        if (!vmm_image_place(BASE, size, &info, initrd, &layout))
            check_layout(&layout, &info, size, initrd);
    }
    free(image);
}

/* ---- a board's device tree ---- */

static jmp_buf refused;
static const struct vmm_board vmm_board_clean;
static char last_words[128];

void vmm_panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(last_words, sizeof last_words, fmt, args); /* reads what the message names */
    va_end(args);
    longjmp(refused, 1);
}

static uint8_t tree[4096] __attribute__((aligned(8)));

/* What the hypervisor looks for, and what is nearly that. */
static const char *const names[] = { "memory@0",        "chosen", "cpus",     "cpu@0",  "intc", "pl011@9000000",
                                     "reserved-memory", "psci",   "module@0", "pcie@0", "rtc",  "soc" };
static const char *const properties[] = { "reg",      "#address-cells",      "#size-cells", "compatible",
                                          "status",   "device_type",         "method",      "bootargs",
                                          "ranges",   "bus-range",           "interrupts",  "#redistributor-regions",
                                          "rng-seed", "redistributor-stride" };
static const char *const strings[] = { "arm,gic-v3",
                                       "arm,pl011",
                                       "arm,pl031",
                                       "memory",
                                       "cpu",
                                       "okay",
                                       "disabled",
                                       "arm,psci-1.0",
                                       "arm,psci-0.2",
                                       "hvc",
                                       "smc",
                                       "multiboot,kernel",
                                       "multiboot,ramdisk",
                                       "pci-host-ecam-generic" };
#define ANY_OF(list) (list)[one_of(sizeof(list) / sizeof(*(list)))]

static void property(void)
{
    const char *name = ANY_OF(properties), *string = ANY_OF(strings);
    uint8_t how = byte();
    uint8_t value[64];
    unsigned n;

    if (how & 1) {
        fdt_property_string(tree, name, string);
    } else if (how & 2) {
        fdt_property_u32(tree, name, how >> 2 & 3);
    } else {
        n = how >> 2;
        for (unsigned k = 0; k < n; k++)
            value[k] = byte();
        fdt_property(tree, name, value, (int)n);
    }
}

/* With what no board can do without, so that something comes of the rest. */
static void usual_parts(void)
{
    const fdt32_t two[] = { cpu_to_fdt32(2) };
    const fdt32_t at[] = { 0, cpu_to_fdt32(0x9000000), 0, cpu_to_fdt32(0x1000),
                           0, cpu_to_fdt32(0x80a0000), 0, cpu_to_fdt32(0xf60000) };

    fdt_property(tree, "#address-cells", two, 4);
    fdt_property(tree, "#size-cells", two, 4);
    fdt_begin_node(tree, "uart");
    fdt_property_string(tree, "compatible", "arm,pl011");
    fdt_property(tree, "reg", at, 16);
    fdt_end_node(tree);
    fdt_begin_node(tree, "gic");
    fdt_property_string(tree, "compatible", "arm,gic-v3");
    fdt_property(tree, "reg", at, 32);
    fdt_end_node(tree);
    fdt_begin_node(tree, "memory");
    fdt_property_string(tree, "device_type", "memory");
    fdt_property(tree, "reg", at, 16);
    fdt_end_node(tree);
}

static void build(bool usual)
{
    unsigned depth = 1;

    fdt_create(tree, sizeof tree);
    while (byte() & 1)
        fdt_add_reservemap_entry(tree, take_bytes(8), take_bytes(4));
    fdt_finish_reservemap(tree);
    fdt_begin_node(tree, "");
    if (usual)
        usual_parts();
    while (input_left) {
        uint8_t what = byte();

        if (what % 4 == 0 && depth < 6) {
            fdt_begin_node(tree, ANY_OF(names));
            depth++;
        } else if (what % 4 == 1 && depth > 1) {
            fdt_end_node(tree);
            depth--;
        } else {
            property();
        }
    }
    while (depth--)
        fdt_end_node(tree);
    fdt_finish(tree);
}

static void check_board(void)
{
    const struct vmm_board *b = &vmm_board;

    must(b->nr_memory >= 1 && b->nr_memory <= VMM_MAX_RANGES, "ranges of memory", b->nr_memory, 0);
    for (unsigned n = 0; n < b->nr_memory; n++)
        must(b->memory[n].size != 0, "an empty range", n, 0);
    must(b->nr_reserved <= VMM_MAX_RESERVED && b->nr_no_map <= b->nr_reserved, "reserved", b->nr_reserved,
         b->nr_no_map);
    must(b->nr_gicr >= 1 && b->nr_gicr <= VMM_MAX_RANGES, "ranges", b->nr_gicr, 0);
    must(b->nr_cpus >= 1 && b->nr_cpus <= VMM_MAX_CPUS && b->nr_cpus_seen >= b->nr_cpus, "CPUs", b->nr_cpus,
         b->nr_cpus_seen);
    must(b->mpidr[0] == fake_mpidr, "the boot CPU", b->mpidr[0], fake_mpidr);
    must(b->guest_uart.base != 0, "the console", 0, 0);
    must(!b->log_uart.base || b->log_uart.base >= b->guest_uart.base, "the second UART", b->log_uart.base, 0);
    must(b->bootargs && strlen(b->bootargs) < sizeof tree, "the command line", 0, 0); /* it ends within the tree */
    must(b->kernel.bootargs && strlen(b->kernel.bootargs) < sizeof tree, "the kernel's", 0, 0);
}

static void board(void)
{
    uint8_t how = byte();
    uint8_t *blob;
    size_t bytes;

    fake_mpidr = how >> 4;
    if (how & 1) {
        build(how & 2);
        bytes = fdt_totalsize(tree) < sizeof tree ? fdt_totalsize(tree) : sizeof tree;
    } else {
        bytes = input_left < sizeof tree ? input_left : sizeof tree;
        memcpy(tree, input, bytes);
    }
    blob = aligned_alloc(8, (bytes + 8) & ~(size_t)7); /* so that a byte beyond it is found, up to the alignment */
    memcpy(blob, tree, bytes);
    vmm_board = vmm_board_clean;
    vmm_board.fdt_size = bytes;
    if (!setjmp(refused)) {
        vmm_board_discover((uintptr_t)blob);
        check_board();
    }
    free(blob);
}

/* ---- the guest's device tree ---- */

static void guests_tree(void)
{
    static uint8_t out[8192] __attribute__((aligned(8)));
    static char args[1024];
    uint64_t mpidr[8];
    struct vmm_fdt_info info = { .mpidr = mpidr, .ram = BASE, .bootargs = args };
    uint8_t how = byte();
    size_t room = how & 1 ? sizeof out : take_bytes(2) % (sizeof out + 1) & ~7u;
    size_t n;

    info.cpus = 1 + (how >> 1 & 7);
    for (n = 0; n < 8; n++)
        mpidr[n] = take_bytes(4);
    info.ram_size = take_bytes(8);
    if (how & 16) {
        info.initrd = take_bytes(8);
        info.initrd_end = take_bytes(8);
    }
    if (how & 32) {
        build(false);
        if (!fdt_check_full(tree, sizeof tree)) /* as vmm_board_discover() asks */
            info.host = tree;
    }
    for (n = 0; n < sizeof args - 1 && input_left; n++)
        args[n] = (char)byte();
    args[n] = '\0';
    if (vmm_fdt_make(out, room, &info))
        return; /* no room, as it says */
    must(fdt_check_full(out, room) == 0, "the guest's tree", room, 0);
    must(fdt_totalsize(out) == room, "its size", fdt_totalsize(out), room);
    must(fdt_path_offset(out, "/cpus/cpu@0") >= 0 && fdt_path_offset(out, "/intc@8000000") >= 0, "its nodes", 0, 0);
    if (args[0])
        must(!strcmp(fdt_getprop(out, fdt_path_offset(out, "/chosen"), "bootargs", NULL), args), "bootargs", 0, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_is(data, size);
    switch (one_of(4)) {
    case 0:
        kernel();
        break;
    case 1:
        guests_tree();
        break;
    default:
        board();
    }
    return 0;
}
