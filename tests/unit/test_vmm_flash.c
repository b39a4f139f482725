/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where the guest's flash is: in memory, or on the board. The board's bank is the same model once more, so its driver
 * is tested against a bank that takes its time, fails, or is something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/cpu.h" /* the fake one */

#include "board/nor.c"
#include "guest/flash.c"

#define BASE  UINT64_C(0x04000000)
#define BOARD UINT64_C(0x0C000000) /* where the board has its bank */

static struct avc_stage2 *const stage2 = (struct avc_stage2 *)64; /* a pointer that nobody follows */
static struct vmm_flash flash;
static struct vmm_nor nor;

/* ---- the hypervisor ---- */

static struct {
    uint64_t pa;
    uint32_t attrs;
} map_of[VMM_FLASH_PIECES];
static unsigned pages_left, cleaned, forgotten, mapped_device;

void *vmm_pages_alloc(size_t bytes, size_t align)
{
    static void *all[64]; /* nobody frees them */
    static unsigned nr;

    if (!pages_left)
        return NULL;
    pages_left--;
    assert_true(nr < 64);
    return all[nr++] = aligned_alloc(align, bytes);
}

enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size, uint32_t attrs)
{
    unsigned i = (unsigned)((ipa - BASE) / VMM_FLASH_PIECE);

    assert_ptr_equal(s2, stage2);
    assert_int_equal(size, VMM_FLASH_PIECE);
    assert_int_equal(ipa % VMM_FLASH_PIECE, 0);
    assert_int_equal(pa % VMM_FLASH_PIECE, 0);
    assert_false(attrs & AVC_W);
    if (map_of[i].attrs)
        assert_int_equal(map_of[i].pa, pa);
    map_of[i].pa = pa;
    map_of[i].attrs = attrs;
    return AVC_OK;
}

enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size)
{
    assert_ptr_equal(s2, stage2);
    assert_int_equal(ipa, BASE);
    assert_int_equal(size, VMM_GUEST_FLASH_SIZE);
    memset(map_of, 0, sizeof(map_of));
    return AVC_OK;
}

void vmm_dcache_clean_invalidate(const void *p, size_t bytes)
{
    (void)p;
    cleaned += (unsigned)bytes;
}

void vmm_icache_invalidate(const void *p, size_t bytes)
{
    (void)p;
    forgotten += (unsigned)bytes;
}

void vmm_map(uint64_t base, uint64_t size, enum vmm_map_kind kind)
{
    assert_int_equal(base, BOARD);
    assert_int_equal(size, VMM_GUEST_FLASH_SIZE);
    assert_int_equal(kind, VMM_MAP_DEVICE);
    mapped_device++;
}

void vmm_dsb_sy(void)
{
}

const char *avc_status_text(enum avc_status status)
{
    (void)status;
    return "status";
}

void vmm_exit(int status, const char *format, ...)
{
    (void)format;
    fail_msg("exit %d", status);
    abort();
}

static void look(void)
{
}

/* ---- the board ---- */

static struct vmm_cfi board;
static uint32_t *board_array;
static unsigned delay, polls; /* of each operation */
static bool fails, other_chip;
static struct {
    uint32_t offset, bytes;
    const uint32_t *data;
} job;

static uint32_t array_read(void *ctx, uint32_t offset)
{
    (void)ctx;
    return board_array[offset / 4];
}

static enum vmm_cfi_result array_end(void)
{
    if (fails)
        return VMM_CFI_FAILED;
    if (job.data)
        memcpy(&board_array[job.offset / 4], job.data, job.bytes);
    else
        memset(&board_array[job.offset / 4], 0xFF, VMM_CFI_BLOCK);
    return VMM_CFI_DONE;
}

static enum vmm_cfi_result array_poll(void *ctx)
{
    (void)ctx;
    return --polls ? VMM_CFI_BUSY : array_end();
}

static enum vmm_cfi_result begin_job(uint32_t offset, const uint32_t *data, uint32_t bytes)
{
    job.offset = offset;
    job.data = data;
    job.bytes = bytes;
    polls = 1002 + delay; /* the model waits for 1000 */
    return delay ? VMM_CFI_BUSY : array_end();
}

static enum vmm_cfi_result array_program(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes,
                                         void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    return begin_job(offset, data, bytes);
}

static enum vmm_cfi_result array_erase(void *ctx, uint32_t offset, void (*fn)(void))
{
    (void)ctx;
    (void)fn;
    return begin_job(offset, NULL, VMM_CFI_BLOCK);
}

static bool no_map(void *ctx, uint32_t offset, bool fetch)
{
    (void)ctx;
    (void)offset;
    (void)fetch;
    return false;
}

static const struct vmm_cfi_host board_host = {
    array_read, array_program, array_erase, array_poll, no_map, NULL, NULL
};

static uint64_t board_access(uint64_t address, bool write, uint32_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = address, .size = 4, .write = write, .value = value };

    assert_true(vmm_cfi_has(&board, address));
    assert_null(map_of[0].attrs ? "the guest has a map" : NULL);
    if (!write && board.mode == VMM_CFI_ARRAY && !board.busy)
        return board_array[(address - BOARD) / 4];
    if (vmm_cfi_access(NULL, &e, &board) == AVC_EXIT)
        assert_true(vmm_cfi_exit(&board, &e, look));
    assert_int_equal(e.answer, AVC_DONE);
    return e.value;
}

uint32_t mmio_read32(uint64_t address)
{
    uint32_t value = (uint32_t)board_access(address, false, 0);

    return other_chip && board.mode == VMM_CFI_QUERY ? value & 0xFFFF : value;
}

void mmio_write32(uint64_t address, uint32_t value)
{
    (void)board_access(address, true, value);
}

/* ---- the guest ---- */

static uint32_t guest_load(uint32_t offset)
{
    for (;;) {
        struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4 };
        unsigned i = offset / VMM_FLASH_PIECE;

        if (map_of[i].attrs) {
            uint64_t pa = map_of[i].pa + offset % VMM_FLASH_PIECE;

            return flash.board ? board_array[(pa - BOARD) / 4] : *(uint32_t *)(uintptr_t)pa;
        }
        if (vmm_cfi_access(NULL, &e, &flash.cfi) == AVC_EXIT)
            assert_true(vmm_cfi_exit(&flash.cfi, &e, look));
        if (e.answer == AVC_DONE)
            return (uint32_t)e.value;
    }
}

static void guest_store(uint32_t offset, uint32_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4, .write = true, .value = value };

    if (vmm_cfi_access(NULL, &e, &flash.cfi) == AVC_EXIT)
        assert_true(vmm_cfi_exit(&flash.cfi, &e, look));
    assert_int_equal(e.answer, AVC_DONE);
}

static uint8_t wait(void)
{
    uint32_t status;

    do
        status = guest_load(0);
    while (!(status & 0x80));
    return (uint8_t)status;
}

static uint8_t guest_program(uint32_t offset, uint32_t value)
{
    uint8_t status;

    guest_store(offset, 0x400040);
    guest_store(offset, value);
    status = wait();
    guest_store(0, 0x500050);
    guest_store(0, 0xFF00FF);
    return status;
}

static uint8_t guest_erase(uint32_t offset)
{
    uint8_t status;

    guest_store(offset, 0x200020);
    guest_store(offset, 0xD000D0);
    status = wait();
    guest_store(0, 0x500050);
    guest_store(0, 0xFF00FF);
    return status;
}

/* ---- tests ---- */

static int setup(void **state)
{
    (void)state;
    memset(map_of, 0, sizeof(map_of));
    memset(&flash, 0, sizeof(flash));
    pages_left = 100;
    delay = 0;
    fails = other_chip = false;
    return 0;
}

static void in_memory(void **state)
{
    (void)state;
    assert_null(vmm_flash_init(&flash, BASE, stage2, NULL, 0));
    for (unsigned i = 0; i < VMM_FLASH_PIECES; i++)
        assert_int_equal(guest_load(i * VMM_FLASH_PIECE + 0x123454), 0);
    assert_int_equal(map_of[0].attrs, AVC_R | AVC_NORMAL);
    assert_int_equal(map_of[0].pa, map_of[31].pa); /* all of it is one piece */
    pages_left = 2;
    assert_int_equal(guest_program(0x400000, 0x1234), 0x80); /* takes no memory */
    assert_int_equal(pages_left, 2);
    assert_int_equal(guest_load(0x400000), 0);
    cleaned = forgotten = 0;
    assert_int_equal(guest_erase(0x400000), 0x80);
    assert_int_equal(pages_left, 1);
    assert_int_equal(cleaned, VMM_FLASH_PIECE + VMM_CFI_BLOCK); /* the guest may have its caches off, or execute it */
    assert_int_equal(forgotten, VMM_FLASH_PIECE + VMM_CFI_BLOCK);
    cleaned = forgotten = 0;
    assert_int_equal(guest_program(0x400000, 0x1234), 0x80);
    assert_int_equal(cleaned, 4);
    assert_int_equal(forgotten, 4);
    assert_int_equal(guest_load(0x400000), 0x1234);
    assert_int_equal(map_of[2].attrs, AVC_R | AVC_X | AVC_NORMAL);
    assert_int_equal(guest_load(0x400004), UINT32_MAX);
    assert_int_equal(guest_load(0x440000), 0);
    assert_int_equal(guest_erase(0x5C0000), 0x80);
    assert_int_equal(guest_program(0x5FFFFC, 0x5678), 0x80);
    assert_int_equal(pages_left, 1);
    assert_int_equal(guest_erase(0x3C0000), 0x80);
    assert_int_equal(guest_program(0x3FFFFC, 0x9ABC), 0x80);
    assert_int_equal(guest_erase(0), 0xA0); /* no memory is left */
    assert_int_equal(guest_load(0), 0);
    assert_int_equal(guest_erase(0x400000), 0x80);
    assert_int_equal(guest_load(0x400000), UINT32_MAX);
    assert_int_equal(guest_load(0x5FFFFC), 0x5678);
    assert_int_equal(guest_load(0x3FFFFC), 0x9ABC);
}

/* Firmware of any size, aligned or not: it is all there, with zeros behind it. */
static void images(void **state)
{
    static const struct {
        uint64_t bytes;
        unsigned offset, pages; /* from a piece's boundary; that are copies */
    } rows[] = {
        { 1000, 0, 1 },
        { VMM_FLASH_PIECE, 0, 0 },
        { VMM_FLASH_PIECE + 4, 0, 1 },
        { VMM_FLASH_PIECE * 2, 4096, 2 },
        { VMM_GUEST_FLASH_SIZE, 0, 0 },
    };
    uint8_t *memory = aligned_alloc(VMM_FLASH_PIECE, VMM_GUEST_FLASH_SIZE + VMM_FLASH_PIECE);

    (void)state;
    for (size_t i = 0; i < (VMM_GUEST_FLASH_SIZE + VMM_FLASH_PIECE) / 4; i++)
        ((uint32_t *)(void *)memory)[i] = (uint32_t)i * 2654435761u;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        memset(map_of, 0, sizeof(map_of));
        pages_left = rows[r].pages;
        assert_null(vmm_flash_init(&flash, BASE, stage2, memory + rows[r].offset, rows[r].bytes));
        assert_int_equal(pages_left, 0);
        for (uint32_t at = 0; at < VMM_GUEST_FLASH_SIZE; at += 0xFFC)
            assert_int_equal(guest_load(at), at < rows[r].bytes ? (rows[r].offset + at) / 4 * 2654435761u : 0);
        if (rows[r].pages) {
            pages_left = rows[r].pages - 1;
            assert_non_null(vmm_flash_init(&flash, BASE, stage2, memory + rows[r].offset, rows[r].bytes));
        }
    }
    assert_non_null(vmm_flash_init(&flash, BASE, stage2, memory, VMM_GUEST_FLASH_SIZE + UINT64_C(1)));
    free(memory);
}

static const struct vmm_range range = { BOARD, VMM_GUEST_FLASH_SIZE };

static int on_board(void **state)
{
    setup(state);
    if (!board_array)
        board_array = malloc(VMM_GUEST_FLASH_SIZE);
    for (uint32_t i = 0; i < VMM_GUEST_FLASH_SIZE / 4; i++)
        board_array[i] = i;
    vmm_cfi_init(&board, BOARD, VMM_GUEST_FLASH_SIZE, &board_host);
    board.mode = VMM_CFI_ID; /* as who was here before may have left it */
    return 0;
}

static void is_kept(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        on_board(NULL);
        delay = n;
        assert_null(vmm_flash_init(&flash, BASE, stage2, NULL, 0));
        assert_null(vmm_nor_init(&nor, &range));
        assert_int_equal(nor.block, VMM_CFI_BLOCK);
        vmm_flash_use(&flash, &nor);
        assert_int_equal(guest_load(0x100), 0x40);
        assert_int_equal(map_of[0].pa, BOARD);
        assert_int_equal(map_of[0].attrs, AVC_R | AVC_NC);
        assert_int_equal(guest_program(0x8FFFC, 0xFFFF000F), 0x80);
        assert_int_equal(guest_load(0x8FFFC), (0x8FFFC / 4) & 0xFFFF000F);
        assert_int_equal(guest_erase(0x40000), 0x80);
        for (uint32_t at = 0; at < 0x100000; at += 4)
            assert_int_equal(board_array[at / 4], at / 0x40000 == 1 ? UINT32_MAX
                                                  : at == 0x8FFFC   ? (0x8FFFC / 4) & 0xFFFF000F
                                                                    : at / 4);
        guest_store(0x41000, 0xE800E8);
        guest_store(0x41000, 0x3FF03FF);
        for (uint32_t i = 0; i < 1024; i++)
            guest_store(0x41000 + 4 * i, i * 3);
        guest_store(0x41000, 0xD000D0);
        assert_int_equal(wait(), 0x80);
        guest_store(0, 0xFF00FF);
        for (uint32_t i = 0; i < 1024; i++)
            assert_int_equal(guest_load(0x41000 + 4 * i), i * 3);
        assert_int_equal(guest_load(0x42000), UINT32_MAX);
        assert_int_equal(board.mode, VMM_CFI_ARRAY);
    }
}

static void slow_board(void **state)
{
    (void)state;
    assert_null(vmm_flash_init(&flash, BASE, stage2, NULL, 0));
    assert_null(vmm_nor_init(&nor, &range));
    vmm_flash_use(&flash, &nor);
    delay = 3000;
    guest_store(0, 0x200020);
    guest_store(0, 0xD000D0);
    assert_int_equal(guest_load(0), 0); /* both chips are busy, and nothing waits for them */
    assert_int_equal(wait(), 0x80);
    guest_store(0, 0xFF00FF);
    assert_int_equal(guest_load(0), UINT32_MAX);
    assert_int_equal(guest_program(0x10, 0x77), 0x80);
    assert_int_equal(board_array[4], 0x77);
}

static void broken_board(void **state)
{
    (void)state;
    assert_null(vmm_flash_init(&flash, BASE, stage2, NULL, 0));
    assert_null(vmm_nor_init(&nor, &range));
    vmm_flash_use(&flash, &nor);
    fails = true;
    assert_int_equal(guest_program(0, 0), 0x90);
    assert_int_equal(guest_erase(0), 0xA0);
    assert_int_equal(guest_load(4), 1);
    fails = false;
    assert_int_equal(guest_program(4, 0), 0x80); /* the board's error is gone, too */
    assert_int_equal(guest_load(4), 0);
}

/* Nobody executes on the board, or where nobody has stored anything. */
static void no_fetch(void **state)
{
    struct avc_exit e = { .kind = AVC_STAGE2, .key = BASE, .fetch = true, .answer = AVC_FAULT };

    (void)state;
    assert_null(vmm_flash_init(&flash, BASE, stage2, NULL, 0));
    assert_false(vmm_cfi_exit(&flash.cfi, &e, look));
    assert_int_equal(e.answer, AVC_FAULT);
    assert_int_equal(guest_erase(0), 0x80);
    assert_true(vmm_cfi_exit(&flash.cfi, &e, look));
    assert_int_equal(e.answer, AVC_RETRY);
    memset(map_of, 0, sizeof(map_of));
    assert_null(vmm_nor_init(&nor, &range));
    vmm_flash_use(&flash, &nor);
    assert_false(vmm_cfi_exit(&flash.cfi, &e, look));
}

static void not_a_bank(void **state)
{
    (void)state;
    other_chip = true;
    assert_non_null(vmm_nor_init(&nor, &range));
    assert_int_equal(board.mode, VMM_CFI_ARRAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_memory, setup),       cmocka_unit_test_setup(images, setup),
        cmocka_unit_test_setup(is_kept, on_board),      cmocka_unit_test_setup(slow_board, on_board),
        cmocka_unit_test_setup(broken_board, on_board), cmocka_unit_test_setup(no_fetch, on_board),
        cmocka_unit_test_setup(not_a_bank, on_board),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
