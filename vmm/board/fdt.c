/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The board's description, read from its device tree with libfdt. This file ignores what it does not understand. If
 * something is missing that the hypervisor needs, it panics and names it.
 */
#include <libfdt.h>
#include <string.h>

#include "arch/idreg.h"
#include "board/board.h"
#include "boot/cpu.h"
#include "kern/log.h"

struct vmm_board vmm_board;

static const void *fdt;

/* Reads the n-th (address, size) of a node's reg. If the parent does not give a size cell count, the root's counts.
   The loaders that write multiboot modules into /chosen take it so. libfdt would take the specification's default
   of 1. */
static bool reg(int node, unsigned n, struct vmm_range *range)
{
    int parent = fdt_parent_offset(fdt, node), length;
    int address_cells = fdt_address_cells(fdt, parent);
    int size_cells =
        fdt_getprop(fdt, parent, "#size-cells", NULL) ? fdt_size_cells(fdt, parent) : fdt_size_cells(fdt, 0);
    const fdt32_t *cell = fdt_getprop(fdt, node, "reg", &length);

    if (!fdt_getprop(fdt, parent, "#address-cells", NULL))
        address_cells = fdt_address_cells(fdt, 0);
    if (!cell || address_cells < 1 || size_cells < 0 || (int)(n + 1) * (address_cells + size_cells) * 4 > length)
        return false;
    range->base = range->size = 0;
    cell += n * (unsigned)(address_cells + size_cells);
    for (int i = 0; i < address_cells; i++)
        range->base = range->base << 32 | fdt32_ld(cell++);
    for (int i = 0; i < size_cells; i++)
        range->size = range->size << 32 | fdt32_ld(cell++);
    return true;
}

static bool is_okay(int node)
{
    const char *status = fdt_getprop(fdt, node, "status", NULL);

    return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

static uint32_t cell_of(int node, const char *name, unsigned n, uint32_t otherwise)
{
    int length;
    const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);

    return cell && (int)(n + 1) * 4 <= length ? fdt32_ld(cell + n) : otherwise;
}

static const char *string_of(int node, const char *name)
{
    int length;
    const char *s = fdt_getprop(fdt, node, name, &length);

    return s && length > 0 && !s[length - 1] ? s : "";
}

static void find_memory(void)
{
    int node = -1;

    while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0) {
        if (!is_okay(node))
            continue;
        for (unsigned n = 0; vmm_board.nr_memory < VMM_MAX_RANGES; n++) {
            struct vmm_range *range = &vmm_board.memory[vmm_board.nr_memory];

            if (!reg(node, n, range))
                break;
            if (range->size)
                vmm_board.nr_memory++;
        }
    }
    if (!vmm_board.nr_memory)
        vmm_panic("the device tree has no memory");
}

static void add_reserved(uint64_t base, uint64_t size)
{
    if (vmm_board.nr_reserved == VMM_MAX_RESERVED)
        vmm_panic("the device tree reserves more than %u pieces of memory", VMM_MAX_RESERVED);
    vmm_board.reserved[vmm_board.nr_reserved++] = (struct vmm_range){ base, size };
}

static void find_reserved(void)
{
    int parent = fdt_path_offset(fdt, "/reserved-memory"), node;
    struct vmm_range range;

    for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
        uint64_t base, size;

        if (!fdt_get_mem_rsv(fdt, i, &base, &size) && size)
            add_reserved(base, size);
    }
    if (parent < 0)
        return;
    fdt_for_each_subnode(node, fdt, parent) for (unsigned n = 0; is_okay(node) && reg(node, n, &range); n++)
    {
        add_reserved(range.base, range.size);
        if (fdt_getprop(fdt, node, "no-map", NULL))
            vmm_board.no_map[vmm_board.nr_no_map++] = range;
    }
}

/* The two PL011s with the lowest addresses. The first is the guest's console, the second is for our log. */
static void find_uarts(void)
{
    struct vmm_uart *first = &vmm_board.guest_uart, *second = &vmm_board.log_uart;
    int node = -1;

    while ((node = fdt_node_offset_by_compatible(fdt, node, "arm,pl011")) >= 0) {
        struct vmm_uart uart = { .intid = 0 };
        struct vmm_range range;

        if (!is_okay(node) || !reg(node, 0, &range))
            continue;
        uart.base = range.base;
        if (cell_of(node, "interrupts", 0, 1) == 0) /* an SPI */
            uart.intid = 32 + cell_of(node, "interrupts", 1, 0);
        if (!first->base || uart.base < first->base) {
            *second = *first;
            *first = uart;
        } else if (!second->base || uart.base < second->base) {
            *second = uart;
        }
    }
    if (!first->base)
        vmm_panic("the device tree has no PL011");
}

/* A bridge's ranges: the PCI address, whose first cell has the kind; the address on the parent's bus; the size
   (IEEE 1275, PCI bus binding 2.1, 2.2.1.1). */
static void find_pci(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic"), length, stride;
    struct vmm_pci *pci = &vmm_board.pci;
    int parent_cells = fdt_address_cells(fdt, 0);
    const fdt32_t *cell;

    if (node < 0 || !is_okay(node) || cell_of(node, "bus-range", 0, 0) != 0)
        return;
    cell = fdt_getprop(fdt, node, "ranges", &length);
    if (!cell || parent_cells < 1 || parent_cells > 2 || !reg(node, 0, &pci->ecam))
        return;
    stride = 3 + parent_cells + 2;
    for (; length >= stride * 4; cell += stride, length -= stride * 4) {
        const fdt32_t *to = cell + 3, *size = to + parent_cells;

        if ((fdt32_ld(cell) >> 24 & 3) != 1) /* I/O */
            continue;
        pci->io_port = (uint64_t)fdt32_ld(cell + 1) << 32 | fdt32_ld(cell + 2);
        pci->io.base = parent_cells == 2 ? (uint64_t)fdt32_ld(to) << 32 | fdt32_ld(to + 1) : fdt32_ld(to);
        pci->io.size = (uint64_t)fdt32_ld(size) << 32 | fdt32_ld(size + 1);
        return;
    }
}

#define IRQ_EDGE 3u /* of an interrupt specifier's flags: rising or falling */

/* Transports are many, and their nodes in any order. */
static void find_virtio(void)
{
    int node = -1;

    while ((node = fdt_node_offset_by_compatible(fdt, node, "virtio,mmio")) >= 0) {
        struct vmm_transport *at = &vmm_board.virtio[vmm_board.nr_virtio], found;
        struct vmm_range range;

        if (!is_okay(node) || !reg(node, 0, &range) || cell_of(node, "interrupts", 0, 1) != 0 /* an SPI */ ||
            vmm_board.nr_virtio == VMM_MAX_VIRTIO)
            continue;
        found = (struct vmm_transport){
            .base = range.base,
            .intid = 32 + cell_of(node, "interrupts", 1, 0),
            .edge = cell_of(node, "interrupts", 2, 0) & IRQ_EDGE,
            .coherent = fdt_getprop(fdt, node, "dma-coherent", NULL),
            .iommu = fdt_getprop(fdt, node, "iommus", NULL),
        };
        for (; at > vmm_board.virtio && at[-1].base > found.base; at--)
            *at = at[-1];
        *at = found;
        vmm_board.nr_virtio++;
    }
}

static void find_rtc(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl031");
    struct vmm_range range;

    if (node >= 0 && is_okay(node) && reg(node, 0, &range))
        vmm_board.rtc = range.base;
}

#define KEY_POWER 116 /* of gpio-keys' binding: Linux's input-event-codes.h */

/* A gpio-keys node with a power key, which is active high, on a PL061. */
static void find_button(void)
{
    int parent = fdt_node_offset_by_compatible(fdt, -1, "gpio-keys"), key, gpio;
    struct vmm_range range;
    uint32_t pin;

    if (parent < 0 || !is_okay(parent))
        return;
    fdt_for_each_subnode(key, fdt, parent)
    {
        if (cell_of(key, "linux,code", 0, 0) != KEY_POWER || cell_of(key, "gpios", 2, 1) != 0)
            continue;
        gpio = fdt_node_offset_by_phandle(fdt, cell_of(key, "gpios", 0, 0));
        pin = cell_of(key, "gpios", 1, 8);
        if (gpio < 0 || fdt_node_check_compatible(fdt, gpio, "arm,pl061") || pin > 7 || !reg(gpio, 0, &range) ||
            cell_of(gpio, "interrupts", 0, 1) != 0)
            continue;
        vmm_board.button =
            (struct vmm_button){ .base = range.base, .intid = 32 + cell_of(gpio, "interrupts", 1, 0), .pin = pin };
    }
}

/* Firmware for this board reads its variables from the second bank. */
static void find_flash(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "cfi-flash");

    if (node < 0 || !is_okay(node) || cell_of(node, "bank-width", 0, 0) != 4)
        return;
    for (unsigned n = 0; n < 2; n++)
        (void)reg(node, n, &vmm_board.flash[n]);
}

static void find_gic(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
    unsigned regions;

    if (node < 0 || !reg(node, 0, &vmm_board.gicd))
        vmm_panic("the device tree has no GICv3 (QEMU: -M virt,gic-version=3)");
    regions = cell_of(node, "#redistributor-regions", 0, 1);
    while (vmm_board.nr_gicr < regions && vmm_board.nr_gicr < VMM_MAX_RANGES &&
           reg(node, 1 + vmm_board.nr_gicr, &vmm_board.gicr[vmm_board.nr_gicr]))
        vmm_board.nr_gicr++;
    if (!vmm_board.nr_gicr)
        vmm_panic("the GICv3 has no redistributors");
    /* The property has one or two cells. A stride never needs the upper one. */
    if (fdt_getprop(fdt, node, "redistributor-stride", NULL))
        vmm_board.gicr_stride = cell_of(node, "redistributor-stride", 1, cell_of(node, "redistributor-stride", 0, 0));
}

/* The boot CPU becomes number 0. CPUs beyond VMM_MAX_CPUS are not used. */
static void find_cpus(void)
{
    uint64_t self = vmm_read_MPIDR_EL1() & MPIDR_AFFINITY;
    int parent = fdt_path_offset(fdt, "/cpus"), node;
    struct vmm_range range;

    vmm_board.mpidr[0] = self;
    vmm_board.nr_cpus = vmm_board.nr_cpus_seen = 1;
    if (parent < 0)
        return;
    fdt_for_each_subnode(node, fdt, parent)
    {
        if (strcmp(string_of(node, "device_type"), "cpu") != 0 || !is_okay(node) || !reg(node, 0, &range) ||
            range.base == self)
            continue;
        vmm_board.nr_cpus_seen++;
        if (vmm_board.nr_cpus < VMM_MAX_CPUS)
            vmm_board.mpidr[vmm_board.nr_cpus++] = range.base;
    }
}

static void find_psci(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-0.2");

    if (node < 0)
        node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-1.0");
    vmm_board.psci = node >= 0;
    vmm_board.psci_hvc = node >= 0 && !strcmp(string_of(node, "method"), "hvc");
}

/* Loaders write the modules in any order. Their compatible property says what each is. */
static void find_module(const char *compatible, struct vmm_module *module)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, compatible);
    struct vmm_range range;

    module->bootargs = "";
    if (node < 0 || !reg(node, 0, &range))
        return;
    module->base = range.base;
    module->size = range.size;
    module->bootargs = string_of(node, "bootargs");
}

void vmm_board_discover(uint64_t address)
{
    int chosen;

    fdt = (const void *)(uintptr_t)address;
    /* vmm_mmu_early() mapped the tree only if it is sound, and then left its size here. */
    if (!vmm_board.fdt_size || fdt_check_full(fdt, vmm_board.fdt_size))
        vmm_panic("x0 was %lx on entry, which is no device tree", address);
    vmm_board.fdt = address;
    chosen = fdt_path_offset(fdt, "/chosen");
    vmm_board.bootargs = chosen >= 0 ? string_of(chosen, "bootargs") : "";
    find_uarts();
    find_pci();
    find_memory();
    find_reserved();
    find_rtc();
    find_virtio();
    find_flash();
    find_button();
    find_gic();
    find_cpus();
    find_psci();
    find_module("multiboot,kernel", &vmm_board.kernel);
    find_module("multiboot,ramdisk", &vmm_board.ramdisk);
}
