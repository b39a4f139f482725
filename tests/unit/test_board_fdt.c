/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A board's device tree as the reference hypervisor reads it: memory that is not to be used, flash, a power button. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "boot/cpu.h" /* the fake one */

#include "board/board.h"
#include "kern/log.h"
#include "kern/pages.h"

#define PAGE UINT64_C(4096)

uint64_t fake_mpidr;
static _Alignas(8) uint8_t tree[16384];

void vmm_panic(const char *format, ...)
{
    fail_msg("panic: %s", format);
    abort();
}

/* ---- a tree ---- */

static void cells(int node, const char *name, unsigned nr, const uint32_t *value)
{
    fdt_delprop(tree, node, name);
    for (unsigned i = 0; i < nr; i++)
        assert_int_equal(fdt_appendprop_u32(tree, node, name, value[i]), 0);
}

#define CELLS(node, name, ...)                                                                                         \
    cells(node, name, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, (const uint32_t[]){ __VA_ARGS__ })

static int add(const char *path, const char *name, const char *compatible)
{
    int node = fdt_add_subnode(tree, fdt_path_offset(tree, path), name);

    assert_true(node >= 0);
    if (compatible)
        assert_int_equal(fdt_setprop_string(tree, node, "compatible", compatible), 0);
    return node;
}

static int setup(void **state)
{
    int node;

    (void)state;
    assert_int_equal(fdt_create_empty_tree(tree, sizeof(tree)), 0);
    CELLS(0, "#address-cells", 2);
    CELLS(0, "#size-cells", 2);
    node = add("/", "memory@40000000", NULL);
    assert_int_equal(fdt_setprop_string(tree, node, "device_type", "memory"), 0);
    CELLS(node, "reg", 0, 0x40000000, 0, 0x40000000, 1, 0, 0, 0x20000000);
    node = add("/", "uart@9000000", "arm,pl011");
    CELLS(node, "reg", 0, 0x9000000, 0, 0x1000);
    node = add("/", "gic@8000000", "arm,gic-v3");
    CELLS(node, "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0x100000);
    return 0;
}

static void discover(void)
{
    memset(&vmm_board, 0, sizeof(vmm_board));
    vmm_board.fdt_size = sizeof(tree);
    vmm_board_discover((uintptr_t)tree);
}

/* ---- tests ---- */

static void reserved(void **state)
{
    int parent, node;

    (void)state;
    discover();
    assert_int_equal(vmm_board.nr_memory, 2);
    assert_int_equal(vmm_board.nr_reserved, 0);
    assert_int_equal(fdt_add_mem_rsv(tree, 0x50000000, 0x3000), 0);
    parent = add("/", "reserved-memory", NULL);
    CELLS(parent, "#address-cells", 2);
    CELLS(parent, "#size-cells", 2);
    node = add("/reserved-memory", "firmware@60000000", NULL);
    CELLS(node, "reg", 0, 0x60000000, 0, 0x10000, 0, 0x61000000, 0, 0x20000);
    assert_int_equal(fdt_setprop_empty(tree, node, "no-map"), 0);
    node = add("/reserved-memory", "pool", NULL); /* a size, but no place */
    CELLS(node, "size", 0, 0x1000000);
    assert_int_equal(fdt_setprop_empty(tree, node, "reusable"), 0);
    node = add("/reserved-memory", "kept@70000000", NULL);
    CELLS(node, "reg", 0, 0x70000000, 0, 0x1000);
    node = add("/reserved-memory", "off@71000000", NULL);
    CELLS(node, "reg", 0, 0x71000000, 0, 0x1000);
    assert_int_equal(fdt_setprop_string(tree, node, "status", "disabled"), 0);
    discover();
    assert_int_equal(vmm_board.nr_reserved, 4);
    assert_int_equal(vmm_board.nr_no_map, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(vmm_board.no_map[i].base, i ? 0x61000000 : 0x60000000);
        assert_int_equal(vmm_board.no_map[i].size, i ? 0x20000 : 0x10000);
    }
}

/* As many as a board has: more than there are ranges of memory. */
static void many(void **state)
{
    char name[32];
    int parent = add("/", "reserved-memory", NULL);

    (void)state;
    CELLS(parent, "#address-cells", 2);
    CELLS(parent, "#size-cells", 2);
    for (unsigned i = 0; i < VMM_MAX_RESERVED; i++) {
        int node;

        snprintf(name, sizeof(name), "r@%x", 0x50000000 + 0x100000 * i);
        node = add("/reserved-memory", name, NULL);
        CELLS(node, "reg", 0, 0x50000000 + 0x100000 * i, 0, 0x1000);
        assert_int_equal(fdt_setprop_empty(tree, node, "no-map"), 0);
    }
    discover();
    assert_int_equal(vmm_board.nr_no_map, VMM_MAX_RESERVED);
}

/* ---- pieces ---- */

static struct vmm_range piece[16];
static unsigned nr;

static void note(uint64_t base, uint64_t size)
{
    assert_true(nr < 16 && size > 0);
    assert_true(!nr || base >= piece[nr - 1].base + piece[nr - 1].size);
    piece[nr++] = (struct vmm_range){ base, size };
}

/* Against a map of single pages, with holes of all kinds. */
static void pieces(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        struct vmm_range hole[5], range;
        bool wanted[64], got[64] = { false };

#define RANDOM(limit) ((seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407) >> 33) % (limit)
        range.base = PAGE * (RANDOM(32));
        range.size = PAGE * (1 + RANDOM(32));
        for (unsigned i = 0; i < 64; i++)
            wanted[i] = PAGE * i >= range.base && PAGE * i < range.base + range.size;
        for (unsigned h = 0; h < 5; h++) {
            hole[h].base = RANDOM(64 * PAGE);
            hole[h].size = RANDOM(4) ? RANDOM(8 * PAGE) : 0;
            for (uint64_t at = hole[h].base; at < hole[h].base + hole[h].size && at < 64 * PAGE; at++)
                wanted[at / PAGE] = false;
        }
        nr = 0;
        vmm_board_pieces(&range, hole, 5, note);
        for (unsigned i = 0; i < nr; i++)
            for (uint64_t at = piece[i].base; at < piece[i].base + piece[i].size; at += PAGE)
                got[at / PAGE] = true;
        assert_memory_equal(got, wanted, sizeof(got));
    }
}

/* ---- devices ---- */

static void flash(void **state)
{
    int node = add("/", "flash@0", "cfi-flash");

    (void)state;
    CELLS(node, "reg", 0, 0, 0, 0x4000000, 0, 0x4000000, 0, 0x4000000);
    discover();
    assert_int_equal(vmm_board.flash[1].size, 0); /* no width, so it is not ours */
    CELLS(node, "bank-width", 2);
    discover();
    assert_int_equal(vmm_board.flash[1].size, 0);
    CELLS(node, "bank-width", 4);
    discover();
    assert_int_equal(vmm_board.flash[0].size, 0x4000000);
    assert_int_equal(vmm_board.flash[1].base, 0x4000000);
    CELLS(node, "reg", 0, 0, 0, 0x4000000);
    discover();
    assert_int_equal(vmm_board.flash[1].size, 0);
}

static void button(void **state)
{
    int gpio = add("/", "gpio@9030000", "arm,pl061"), key;

    (void)state;
    CELLS(gpio, "reg", 0, 0x9030000, 0, 0x1000);
    CELLS(gpio, "interrupts", 0, 7, 4);
    CELLS(gpio, "phandle", 5);
    add("/", "gpio-keys", "gpio-keys");
    key = add("/gpio-keys", "other", NULL);
    CELLS(key, "linux,code", 115);
    CELLS(key, "gpios", 5, 1, 0);
    discover();
    assert_int_equal(vmm_board.button.base, 0);
    key = add("/gpio-keys", "poweroff", NULL);
    CELLS(key, "linux,code", 116);
    for (unsigned good = 0; good < 4; good++) {
        CELLS(key, "gpios", good == 0 ? 6u : 5u, good == 1 ? 8u : 3u, good == 2); /* no such GPIO; no such pin; low */
        discover();
        assert_int_equal(vmm_board.button.base, good == 3 ? 0x9030000 : 0);
    }
    assert_int_equal(vmm_board.button.intid, 39);
    assert_int_equal(vmm_board.button.pin, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reserved, setup), cmocka_unit_test_setup(many, setup),   cmocka_unit_test(pieces),
        cmocka_unit_test_setup(flash, setup),    cmocka_unit_test_setup(button, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
