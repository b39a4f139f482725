/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's device tree, read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "guest/fdt.h"

#define BYTES 0x10000

static _Alignas(8) uint8_t tree[BYTES], host[4096];
static const uint64_t mpidr[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static int node(const char *path)
{
    int offset = fdt_path_offset(tree, path);

    assert_true(offset >= 0);
    return offset;
}

static uint32_t cell(const char *path, const char *name, unsigned n)
{
    int length;
    const fdt32_t *p = fdt_getprop(tree, node(path), name, &length);

    assert_non_null(p);
    assert_true((int)(n + 1) * 4 <= length);
    return fdt32_ld(p + n);
}

static void whole(void **state)
{
    struct vmm_fdt_info info = { .cpus = 8,
                                 .mpidr = mpidr,
                                 .ram = 0x40000000,
                                 .ram_size = UINT64_C(0x123400000),
                                 .initrd = UINT64_C(0x150000000),
                                 .initrd_end = UINT64_C(0x150000123),
                                 .bootargs = "console=ttyAMA0 x,y" };
    char path[32] = "/cpus/cpu@0";

    (void)state;
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    assert_int_equal(fdt_check_full(tree, BYTES), 0);
    assert_int_equal(fdt_totalsize(tree), BYTES); /* with free space, for additions */
    for (unsigned i = 0; i < 8; i++) {
        path[10] = (char)('0' + i);
        assert_int_equal(cell(path, "reg", 0), i);
        assert_string_equal(fdt_getprop(tree, node(path), "enable-method", NULL), "psci");
    }
    assert_int_equal(cell("/memory@40000000", "reg", 1), 0x40000000);
    assert_int_equal(cell("/memory@40000000", "reg", 2), 1);
    assert_int_equal(cell("/memory@40000000", "reg", 3), 0x23400000);
    assert_int_equal(cell("/chosen", "linux,initrd-end", 0), 1);
    assert_int_equal(cell("/chosen", "linux,initrd-end", 1), 0x50000123);
    assert_string_equal(fdt_getprop(tree, node("/chosen"), "bootargs", NULL), info.bootargs);
    assert_null(fdt_getprop(tree, node("/chosen"), "rng-seed", NULL));
    assert_string_equal(fdt_getprop(tree, node("/psci"), "method", NULL), "hvc");
    assert_int_equal(cell("/intc@8000000", "reg", 7), 8 * 0x20000);
    /* Each reference names a node that exists. */
    assert_int_equal(fdt_node_offset_by_phandle(tree, cell("/", "interrupt-parent", 0)), node("/intc@8000000"));
    assert_int_equal(fdt_node_offset_by_phandle(tree, cell("/pl011@9000000", "clocks", 1)), node("/apb-pclk"));
    assert_int_equal(node(fdt_getprop(tree, node("/chosen"), "stdout-path", NULL)), node("/pl011@9000000"));
    assert_int_equal(fdt_node_check_compatible(tree, node("/pl031@9010000"), "arm,primecell"), 0);
    assert_int_equal(fdt_node_check_compatible(tree, node("/psci"), "arm,psci-0.2"), 0);
    /* systemd takes a hypervisor that it does not know for "vm-other"; these words it knows. */
    assert_null(strstr(fdt_getprop(tree, node("/hypervisor"), "compatible", NULL), "xen"));
    assert_null(strstr(fdt_getprop(tree, node("/hypervisor"), "compatible", NULL), "vmware"));
    assert_string_not_equal(fdt_getprop(tree, node("/hypervisor"), "compatible", NULL), "linux,kvm");
}

/* What firmware looks for, at the addresses of the virt machine. */
static void firmware(void **state)
{
    static const uint32_t banks[] = { 0, 0, 0, 0x4000000, 0, 0x4000000, 0, 0x4000000 };
    struct vmm_fdt_info info = { .cpus = 1, .mpidr = mpidr, .ram = 0x40000000, .ram_size = 0x1000000 };
    int gpio;

    (void)state;
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(cell("/flash@0", "reg", i), banks[i]);
    assert_int_equal(cell("/flash@0", "bank-width", 0), 4);
    assert_int_equal(fdt_node_check_compatible(tree, node("/flash@0"), "cfi-flash"), 0);
    assert_int_equal(cell("/fw-cfg@9020000", "reg", 1), 0x9020000);
    assert_int_equal(cell("/fw-cfg@9020000", "reg", 3), 0x18);
    assert_int_equal(fdt_node_check_compatible(tree, node("/fw-cfg@9020000"), "qemu,fw-cfg-mmio"), 0);
    gpio = node("/pl061@9030000");
    assert_int_equal(fdt_node_check_compatible(tree, gpio, "arm,primecell"), 0);
    assert_int_equal(cell("/pl061@9030000", "interrupts", 1), 7);
    assert_int_equal(cell("/pl061@9030000", "#gpio-cells", 0), 2);
    assert_int_equal(fdt_node_offset_by_phandle(tree, cell("/gpio-keys/poweroff", "gpios", 0)), gpio);
    assert_int_equal(fdt_node_offset_by_phandle(tree, cell("/pl061@9030000", "clocks", 0)), node("/apb-pclk"));
    assert_int_equal(cell("/gpio-keys/poweroff", "gpios", 1), 3);
    assert_int_equal(cell("/gpio-keys/poweroff", "gpios", 2), 0);
    assert_int_equal(cell("/gpio-keys/poweroff", "linux,code", 0), 116);
}

/* All transports are there, each once, by ascending address, with an interrupt of its own. */
static void transports(void **state)
{
    struct vmm_fdt_info info = { .cpus = 1, .mpidr = mpidr, .ram = 0x40000000, .ram_size = 0x1000000 };
    int at = -1;

    (void)state;
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    for (uint32_t i = 0; i < 32; i++) {
        char path[40];

        at = fdt_node_offset_by_compatible(tree, at, "virtio,mmio");
        assert_true(at >= 0);
        snprintf(path, sizeof(path), "/virtio_mmio@%x", 0xa000000 + 0x200 * i);
        assert_int_equal(node(path), at);
        assert_int_equal(cell(path, "reg", 1), 0xa000000 + 0x200 * i);
        assert_int_equal(cell(path, "reg", 3), 0x200);
        assert_int_equal(cell(path, "interrupts", 0), 0);
        assert_int_equal(cell(path, "interrupts", 1), 16 + i);
        assert_int_equal(cell(path, "interrupts", 2), 1);
        assert_non_null(fdt_getprop(tree, at, "dma-coherent", NULL));
    }
    assert_true(fdt_node_offset_by_compatible(tree, at, "virtio,mmio") < 0);
}

static void little(void **state)
{
    struct vmm_fdt_info info = { .cpus = 1, .mpidr = mpidr, .ram = 0x40000000, .ram_size = 0x1000000, .bootargs = "" };

    (void)state;
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    assert_int_equal(fdt_check_full(tree, BYTES), 0);
    assert_null(fdt_getprop(tree, node("/chosen"), "bootargs", NULL));
    assert_null(fdt_getprop(tree, node("/chosen"), "linux,initrd-start", NULL));
    assert_true(fdt_path_offset(tree, "/cpus/cpu@1") < 0);
}

static void seeds(void **state)
{
    struct vmm_fdt_info info = { .cpus = 1, .mpidr = mpidr, .ram = 0x40000000, .ram_size = 0x1000000, .host = host };
    int length, chosen;

    (void)state;
    assert_int_equal(fdt_create_empty_tree(host, sizeof(host)), 0);
    assert_null(vmm_fdt_make(tree, BYTES, &info)); /* the tree must have no /chosen yet */
    chosen = fdt_add_subnode(host, 0, "chosen");
    assert_int_equal(fdt_setprop(host, chosen, "rng-seed", "0123456789abcdef", 16), 0);
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    assert_memory_equal(fdt_getprop(tree, node("/chosen"), "rng-seed", &length), "0123456789abcdef", 16);
    assert_int_equal(length, 16);
    assert_null(fdt_getprop(tree, node("/chosen"), "kaslr-seed", NULL));
}

static void no_room(void **state)
{
    static char args[BYTES];
    struct vmm_fdt_info info = {
        .cpus = 1, .mpidr = mpidr, .ram = 0x40000000, .ram_size = 0x1000000, .bootargs = args
    };

    (void)state;
    memset(args, 'a', BYTES - 1);
    assert_non_null(vmm_fdt_make(tree, BYTES, &info));
    args[BYTES / 2] = 0;
    assert_null(vmm_fdt_make(tree, BYTES, &info));
    for (size_t bytes = 0; bytes < 1024; bytes += 8)
        assert_non_null(vmm_fdt_make(tree, bytes, &info));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),  cmocka_unit_test(firmware), cmocka_unit_test(transports),
        cmocka_unit_test(little), cmocka_unit_test(seeds),    cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
