/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The model of the firmware configuration device, as firmware uses it: by its registers, and by DMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dev/fwcfg.h"

#define BASE   UINT64_C(0x09020000)
#define MEMORY UINT64_C(0x40000000)
#define BYTES  0x4000u

static struct vmm_fwcfg cfg;
static uint8_t memory[BYTES], kernel[5000];
static unsigned looks;

/* ---- the host ---- */

static void look(void)
{
    looks++;
}

static bool in_memory(uint64_t at, uint32_t bytes)
{
    return at >= MEMORY && at - MEMORY <= BYTES && bytes <= BYTES - (at - MEMORY);
}

static bool host_load(void *ctx, uint64_t from, void *to, uint32_t bytes, void (*fn)(void))
{
    (void)ctx;
    assert_ptr_equal(fn, look);
    if (!in_memory(from, bytes))
        return false;
    memcpy(to, memory + (from - MEMORY), bytes);
    return true;
}

static bool host_store(void *ctx, uint64_t to, const void *from, uint32_t bytes, void (*fn)(void))
{
    (void)ctx;
    assert_ptr_equal(fn, look);
    assert_true(bytes > 0);
    if (!in_memory(to, bytes))
        return false;
    if (from)
        memcpy(memory + (to - MEMORY), from, bytes);
    else
        memset(memory + (to - MEMORY), 0, bytes);
    return true;
}

static const struct vmm_fwcfg_host ops = { host_load, host_store, NULL };

/* ---- the guest ---- */

static bool exited;

static uint64_t access(uint64_t offset, unsigned size, bool write, uint64_t value)
{
    struct avc_exit e = {
        .kind = AVC_MMIO, .key = BASE + offset, .size = (uint8_t)size, .write = write, .value = value
    };

    exited = vmm_fwcfg_access(NULL, &e, &cfg) == AVC_EXIT;
    if (exited)
        assert_true(vmm_fwcfg_exit(&cfg, &e, look));
    assert_int_equal(e.answer, AVC_DONE);
    return e.value;
}

static void select(uint16_t key)
{
    (void)access(8, 2, true, __builtin_bswap16(key));
    assert_false(exited);
}

/* Reads as a driver does, byte by byte. */
static void read_bytes(void *to, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)access(0, 1, false, 0);
}

static void big32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof(value));
}

#define REQUEST 0x100u /* where requests are, in the memory */

/* Does a transfer, and returns what its control word is afterwards. halves: the address is written in two stores. */
static uint32_t transfer(uint32_t control, uint32_t length, uint64_t address, bool halves)
{
    uint32_t result;

    big32(memory + REQUEST, control);
    big32(memory + REQUEST + 4, length);
    big32(memory + REQUEST + 8, (uint32_t)(address >> 32));
    big32(memory + REQUEST + 12, (uint32_t)address);
    if (halves) {
        (void)access(16, 4, true, 0);
        assert_false(exited);
        (void)access(20, 4, true, __builtin_bswap32((uint32_t)MEMORY + REQUEST));
    } else {
        (void)access(16, 8, true, __builtin_bswap64(MEMORY + REQUEST));
    }
    assert_true(exited);
    memcpy(&result, memory + REQUEST, sizeof(result));
    return __builtin_bswap32(result);
}

#define ERROR  1u
#define READ   2u
#define SKIP   4u
#define SELECT 8u
#define WRITE  16u
#define KEY(k) ((uint32_t)(k) << 16 | SELECT)

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(kernel); i++)
        kernel[i] = (uint8_t)(i * 7 + i / 256);
    memset(memory, 0xEE, sizeof(memory));
    vmm_fwcfg_init(&cfg, BASE, &ops);
    assert_true(vmm_fwcfg_add_number(&cfg, VMM_FWCFG_KERNEL_SIZE, sizeof(kernel), 4));
    assert_true(vmm_fwcfg_add(&cfg, VMM_FWCFG_KERNEL_DATA, kernel, sizeof(kernel)));
    assert_true(vmm_fwcfg_add_number(&cfg, VMM_FWCFG_RAM_SIZE, UINT64_C(0x123456789A), 8));
    assert_true(vmm_fwcfg_add_number(&cfg, VMM_FWCFG_NB_CPUS, 0x305, 2));
    assert_true(vmm_fwcfg_add_file(&cfg, "etc/one", "first", 5));
    assert_true(vmm_fwcfg_add_file(&cfg, "opt/two", kernel, 300));
    return 0;
}

/* ---- tests ---- */

static void registers(void **state)
{
    static const struct {
        uint16_t key;
        unsigned bytes;
        uint64_t wanted; /* as bytes in memory */
    } rows[] = {
        { 0x00, 4, 0x554D4551 }, { 0x01, 4, 3 },    { 0x03, 8, 0x123456789A },
        { 0x05, 2, 0x305 },      { 0x08, 4, 5000 }, { 0x4008, 4, 5000 },
        { 0x77, 8, 0 },          { 0x1F, 4, 0 },    { 0x20, 5, 0x7473726966 },
        { 0x8008, 4, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 0;

        select(rows[i].key);
        read_bytes(&value, rows[i].bytes);
        assert_true(value == rows[i].wanted);
        assert_int_equal(access(0, 1, false, 0), 0); /* behind the end */
        assert_int_equal(access(0, 8, false, 0), 0);
    }
    /* Bytes have the order of the item at any width, at any address of the register. */
    select(VMM_FWCFG_KERNEL_DATA);
    for (unsigned i = 0, size = 1; i < 4000; i += size, size = size == 8 ? 1 : 2 * size) {
        uint64_t wanted = 0;

        memcpy(&wanted, kernel + i, size);
        assert_true(access(i / 100 % (9 - size), size, false, 0) == wanted);
    }
    select(VMM_FWCFG_KERNEL_DATA);
    assert_int_equal(access(0, 1, false, 0), kernel[0]); /* from the beginning again */
    /* Reads of the others; stores that mean nothing. */
    assert_int_equal(access(8, 2, false, 0), 0);
    assert_true(access(16, 8, false, 0) == __builtin_bswap64(UINT64_C(0x51454D5520434647)));
    assert_int_equal((uint32_t)access(16, 4, false, 0), 0x554D4551); /* "QEMU" in memory */
    assert_int_equal((uint32_t)access(20, 4, false, 0), 0x47464320);
    (void)access(0, 8, true, 0);
    (void)access(8, 4, true, 0);
    (void)access(8, 1, true, 0);
    (void)access(9, 1, true, 0);
    (void)access(16, 2, true, 0);
    (void)access(18, 4, true, 0);
    (void)access(12, 8, true, 0);
    assert_false(exited);
    assert_int_equal(access(0, 1, false, 0), kernel[1]); /* nothing has changed */
}

static void directory(void **state)
{
    uint8_t dir[4 + 3 * 64];

    (void)state;
    select(VMM_FWCFG_FILE_DIR);
    read_bytes(dir, sizeof(dir));
    assert_memory_equal(dir, "\0\0\0\2\0\0\0\5\0\x20\0\0etc/one\0", 20);
    assert_memory_equal(dir + 4 + 64, "\0\0\1\x2c\0\x21\0\0opt/two\0", 16);
    for (unsigned i = 4 + 2 * 64; i < sizeof(dir); i++)
        assert_int_equal(dir[i], 0);
}

static void full(void **state)
{
    static char names[10][64];
    char longest[57];

    (void)state;
    assert_false(vmm_fwcfg_add_number(&cfg, VMM_FWCFG_NB_CPUS, 1, 2)); /* it is there */
    memset(longest, 'n', sizeof(longest));
    longest[56] = 0;
    assert_false(vmm_fwcfg_add_file(&cfg, longest, "", 0));
    longest[55] = 0;
    assert_true(vmm_fwcfg_add_file(&cfg, longest, "", 0));
    for (unsigned i = 0; i < 10; i++) {
        snprintf(names[i], sizeof(names[i]), "file%u", i);
        assert_int_equal(vmm_fwcfg_add_file(&cfg, names[i], "x", 1), i < VMM_FWCFG_FILES - 3);
    }
    for (uint16_t key = 0x100; key < 0x10C; key++) /* 7 are there */
        assert_int_equal(vmm_fwcfg_add_number(&cfg, key, 0, 2), key < 0x109);
}

static void dma_reads(void **state)
{
    (void)state;
    for (unsigned halves = 0; halves < 2; halves++) {
        assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA) | READ, sizeof(kernel), MEMORY + 0x1000, halves), 0);
        assert_memory_equal(memory + 0x1000, kernel, sizeof(kernel));
        assert_int_equal(memory[0xFFF], 0xEE);
        assert_int_equal(memory[0x1000 + sizeof(kernel)], 0xEE);
        assert_int_equal(transfer(READ, 16, MEMORY + 0x1000, halves), 0); /* behind the end: zeros */
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(memory[0x1000 + i], 0);
    }
    /* A part at a time, by the registers in between, and past the end. */
    assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA) | READ, 100, MEMORY + 0x1000, false), 0);
    assert_int_equal(access(0, 1, false, 0), kernel[100]);
    assert_int_equal(transfer(SKIP, 99, 0, false), 0);
    assert_int_equal(transfer(READ, 4900, MEMORY + 0x1000, false), 0);
    assert_memory_equal(memory + 0x1000, kernel + 200, 4800);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(memory[0x1000 + 4800 + i], 0);
    assert_int_equal(transfer(KEY(0x999) | READ, 8, MEMORY + 0x1000, false), 0); /* no such item */
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(memory[0x1000 + i], 0);
    assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA), 77, 0, false), 0); /* selects, no more */
    assert_int_equal(access(0, 1, false, 0), kernel[0]);
    assert_int_equal(transfer(SKIP, UINT32_MAX, 0, false), 0);
    assert_int_equal(access(0, 1, false, 0), 0);
    assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA) | READ | SKIP, 0, MEMORY, false), 0);
    assert_int_equal(access(0, 1, false, 0), kernel[0]);
}

static void dma_errors(void **state)
{
    static const struct {
        uint32_t control, length;
        uint64_t address;
    } rows[] = {
        { READ, 5000, MEMORY + BYTES - 4999 }, { READ, 1, MEMORY - 1 },       { READ, 1, 0 },
        { READ, 6000, MEMORY + BYTES - 5999 }, { READ, UINT32_MAX, MEMORY },  { READ, 2, UINT64_MAX },
        { WRITE, 1, MEMORY + 0x1000 },         { WRITE, UINT32_MAX, MEMORY }, { READ, 1, BASE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA) | rows[i].control, rows[i].length, rows[i].address, false),
                         ERROR);
        assert_int_equal(access(0, 1, false, 0), kernel[0]); /* nothing was taken */
    }
    /* A request that is nowhere: nothing happens. */
    memset(memory, 0xEE, sizeof(memory));
    (void)access(16, 8, true, __builtin_bswap64(MEMORY + BYTES - 15));
    assert_true(exited);
    (void)access(16, 8, true, 0);
    (void)access(16, 8, true, UINT64_MAX);
    for (unsigned i = 0; i < BYTES; i++)
        assert_int_equal(memory[i], 0xEE);
    /* A transfer over its own request: what it was does not change meanwhile. */
    assert_int_equal(transfer(KEY(VMM_FWCFG_KERNEL_DATA) | READ, 32, MEMORY + REQUEST - 8, false), 0);
    assert_memory_equal(memory + REQUEST - 8, kernel, 8);
    assert_memory_equal(memory + REQUEST + 4, kernel + 12, 20);
    /* The upper half counts for one transfer. */
    (void)access(16, 4, true, 0x01000000);
    (void)access(20, 4, true, __builtin_bswap32((uint32_t)MEMORY));
    assert_int_equal(transfer(KEY(VMM_FWCFG_ID) | READ, 1, MEMORY, true), 0);
    (void)access(16, 4, true, 0x01000000);
    (void)access(16, 8, true, __builtin_bswap64(MEMORY + REQUEST));
    big32(memory + REQUEST, KEY(VMM_FWCFG_NB_CPUS) | READ);
    (void)access(20, 4, true, __builtin_bswap32((uint32_t)MEMORY + REQUEST));
    assert_int_equal(memory[REQUEST], 0);
}

static void other_exits(void **state)
{
    struct avc_exit e = { .kind = AVC_STAGE2, .key = BASE, .fetch = true, .answer = AVC_FAULT };

    (void)state;
    assert_false(vmm_fwcfg_exit(&cfg, &e, look));
    e = (struct avc_exit){ .kind = AVC_MMIO, .key = BASE, .size = 4, .answer = AVC_FAULT };
    assert_false(vmm_fwcfg_exit(&cfg, &e, look));
    assert_int_equal(e.answer, AVC_FAULT);
    assert_true(vmm_fwcfg_has(&cfg, BASE) && vmm_fwcfg_has(&cfg, BASE + 23));
    assert_false(vmm_fwcfg_has(&cfg, BASE - 1) || vmm_fwcfg_has(&cfg, BASE + 24));
}

/* A second device takes the state over from the stream. */
static void is_restored(void **state)
{
    struct vmm_fwcfg_values there, here;
    struct avc_state_object from = { &vmm_fwcfg_state, 1, &there }, to = { &vmm_fwcfg_state, 1, &here };
    struct vmm_fwcfg first;
    uint8_t stream[256];
    size_t bytes;

    (void)state;
    select(VMM_FWCFG_KERNEL_DATA);
    for (unsigned i = 0; i < 300; i++)
        (void)access(0, 1, false, 0);
    (void)access(16, 4, true, 0x01000000);
    vmm_fwcfg_get(&cfg, &there);
    first = cfg;
    setup(NULL);
    vmm_fwcfg_get(&cfg, &here);
    assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
    assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
    assert_true(vmm_fwcfg_set(&cfg, &here));
    assert_int_equal(cfg.dma_high, first.dma_high);
    assert_int_equal(access(0, 1, false, 0), kernel[300]);
    here.base++;
    here.key = 0;
    assert_false(vmm_fwcfg_set(&cfg, &here));
    assert_int_equal(access(0, 1, false, 0), kernel[301]);
    vmm_fwcfg_reset(&cfg);
    assert_int_equal(access(0, 1, false, 0), 'Q');
    assert_int_equal(cfg.dma_high, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers, setup),   cmocka_unit_test_setup(directory, setup),
        cmocka_unit_test_setup(full, setup),        cmocka_unit_test_setup(dma_reads, setup),
        cmocka_unit_test_setup(dma_errors, setup),  cmocka_unit_test_setup(other_exits, setup),
        cmocka_unit_test_setup(is_restored, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
