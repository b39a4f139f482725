/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's memory in the reference hypervisor: what is done to a block before it is mapped, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/cpu.h" /* the fake one */

#include "guest/ram.c"

#define BASE UINT64_C(0x40000000)
#define SIZE (3 * VMM_RAM_BLOCK + 2 * VMM_PAGE_SIZE)

static uint8_t *memory;
static struct avc_stage2 *const stage2 = (struct avc_stage2 *)64; /* a pointer that nobody follows */
static struct vmm_ram ram;

/* What was done, in order: kind, offset in the memory, bytes. */
enum what { ZERO, CLEAN, INVALIDATE, MAP, UNMAP };
static struct done {
    enum what what;
    uint64_t at, bytes;
} done[16];
static unsigned nr_done;

static void note(enum what what, uint64_t at, uint64_t bytes)
{
    struct done *last = nr_done ? &done[nr_done - 1] : NULL;

    assert_int_equal(ram.lock.taken, 0);
    if (last && last->what == what && last->at + last->bytes == at) { /* the next piece */
        last->bytes += bytes;
        return;
    }
    assert_true(nr_done < 16);
    done[nr_done++] = (struct done){ what, at, bytes };
}

void vmm_zero_out(void *p, size_t bytes)
{
    assert_null(vmm_ram_at(&ram, BASE + (uint64_t)((uint8_t *)p - memory), 1)); /* it is still another owner's */
    memset(p, 0, bytes);
    note(ZERO, (uint64_t)((uint8_t *)p - memory), bytes);
}

void vmm_dcache_clean_invalidate(const void *p, size_t bytes)
{
    note(CLEAN, (uint64_t)((const uint8_t *)p - memory), bytes);
}

void vmm_icache_invalidate(const void *p, size_t bytes)
{
    note(INVALIDATE, (uint64_t)((const uint8_t *)p - memory), bytes);
}

enum avc_status avc_stage2_map(struct avc_stage2 *s2, avc_ipa_t ipa, avc_pa_t pa, uint64_t size, uint32_t attrs)
{
    assert_ptr_equal(s2, stage2);
    assert_int_equal(attrs, AVC_RWX | AVC_NORMAL);
    assert_int_equal(pa - (uintptr_t)memory, ipa - BASE);
    assert_non_null(vmm_ram_at(&ram, ipa, 1)); /* from here on another CPU's trap may be about it */
    note(MAP, ipa - BASE, size);
    return AVC_OK;
}

enum avc_status avc_stage2_unmap(struct avc_stage2 *s2, avc_ipa_t ipa, uint64_t size)
{
    assert_ptr_equal(s2, stage2);
    note(UNMAP, ipa - BASE, size);
    return AVC_OK;
}

const char *avc_status_text(enum avc_status status)
{
    (void)status;
    return "status";
}

/* Where the memory's pieces are to lie, in blocks from `memory` on; the last one is the rest. NULL: there is one. */
static const struct layout {
    uint8_t at, blocks;
} * layout;

void *vmm_pages_alloc(uint64_t bytes, uint64_t align)
{
    const struct layout *l = layout;

    assert_int_equal(align, VMM_RAM_BLOCK);
    if (!l) {
        assert_int_equal(bytes, SIZE);
        return memory;
    }
    if (bytes > l->blocks * VMM_RAM_BLOCK)
        return NULL;
    layout++;
    return memory + l->at * VMM_RAM_BLOCK;
}

static unsigned relaxed;

void vmm_cpu_relax(void)
{
    relaxed++;
}

void vmm_pages_free(void *p, uint64_t bytes)
{
    (void)p;
    (void)bytes;
    fail();
}

_Noreturn void vmm_exit(int status, const char *fmt, ...)
{
    (void)status;
    fail_msg("exit: %s", fmt);
    abort();
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    fail_msg("panic: %s", fmt);
    abort();
}

static int begin(void **state)
{
    (void)state;
    memory = aligned_alloc(VMM_RAM_BLOCK, 4 * VMM_RAM_BLOCK);
    memset(memory, 0xa5, SIZE);
    nr_done = 0;
    layout = NULL;
    return !vmm_ram_init(&ram, BASE, SIZE, stage2);
}

static int end(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static void did(const struct done *wanted, unsigned nr)
{
    assert_int_equal(nr_done, nr);
    for (unsigned i = 0; i < nr; i++)
        if (done[i].what != wanted[i].what || done[i].at != wanted[i].at || done[i].bytes != wanted[i].bytes)
            fail_msg("step %u: %d at 0x%llx, 0x%llx bytes", i, (int)done[i].what, (unsigned long long)done[i].at,
                     (unsigned long long)done[i].bytes);
    nr_done = 0;
}

/* Looks for an interrupt: never with the lock held. */
static unsigned looks;

static void look(void)
{
    looks++;
    assert_int_equal(ram.lock.taken, 0);
}

/* Another CPU's vCPU touches the block meanwhile: it does nothing, and its guest tries again. */
static void look_and_touch(void)
{
    unsigned before = nr_done;

    look();
    assert_true(vmm_ram_touch(&ram, BASE + 5, NULL));
    assert_int_equal(nr_done, before);
}

static void test_pieces(void **state)
{
    static const struct done wanted[] = { { ZERO, 0, VMM_RAM_BLOCK },
                                          { INVALIDATE, 0, VMM_RAM_BLOCK },
                                          { MAP, 0, VMM_RAM_BLOCK } };
    static uint8_t image[3 * VMM_PAGE_SIZE + 5];

    (void)state;
    looks = 0;
    assert_true(vmm_ram_touch(&ram, BASE + 77, look_and_touch));
    did(wanted, 3);
    assert_int_equal(looks, VMM_RAM_BLOCK / (32 << 10));
    vmm_ram_touch_all(&ram, look);
    assert_int_equal(looks, 3 * VMM_RAM_BLOCK / (32 << 10) + 1);
    looks = nr_done = 0;
    assert_true(vmm_ram_write(&ram, BASE, image, sizeof(image), look));
    assert_int_equal(looks, 4);
}

/* Instruction caches must forget old contents before the guest can execute the block. */
static void test_first_touch(void **state)
{
    static const struct done second[] = { { ZERO, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { INVALIDATE, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { MAP, VMM_RAM_BLOCK, VMM_RAM_BLOCK } };
    static const struct done tail[] = { { ZERO, 3 * VMM_RAM_BLOCK, 2 * VMM_PAGE_SIZE },
                                        { INVALIDATE, 3 * VMM_RAM_BLOCK, 2 * VMM_PAGE_SIZE },
                                        { MAP, 3 * VMM_RAM_BLOCK, 2 * VMM_PAGE_SIZE } };

    (void)state;
    assert_true(vmm_ram_touch(&ram, BASE + VMM_RAM_BLOCK + 0x1234, NULL));
    did(second, 3);
    assert_true(vmm_ram_touch(&ram, BASE + VMM_RAM_BLOCK, NULL)); /* it is mapped already */
    did(NULL, 0);
    assert_true(vmm_ram_touch(&ram, BASE + SIZE - 1, NULL));
    did(tail, 3);
    assert_false(vmm_ram_touch(&ram, BASE + SIZE, NULL));
    assert_false(vmm_ram_touch(&ram, BASE - 1, NULL));
    did(NULL, 0);
}

static void test_write(void **state)
{
    static const struct done wanted[] = { { ZERO, 0, VMM_RAM_BLOCK },
                                          { INVALIDATE, 0, VMM_RAM_BLOCK },
                                          { MAP, 0, VMM_RAM_BLOCK },
                                          { CLEAN, VMM_RAM_BLOCK - 3, 3 },
                                          { INVALIDATE, VMM_RAM_BLOCK - 3, 3 },
                                          { ZERO, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { INVALIDATE, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { MAP, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { CLEAN, VMM_RAM_BLOCK, 2 },
                                          { INVALIDATE, VMM_RAM_BLOCK, 2 } };
    char back[5];

    (void)state;
    assert_true(vmm_ram_write(&ram, BASE + VMM_RAM_BLOCK - 3, "words", 5, NULL));
    did(wanted, 10);
    assert_memory_equal(memory + VMM_RAM_BLOCK - 3, "words", 5);
    assert_int_equal(memory[VMM_RAM_BLOCK - 4], 0);
    assert_true(vmm_ram_read(&ram, back, BASE + VMM_RAM_BLOCK - 3, 5));
    assert_memory_equal(back, "words", 5);
    assert_false(vmm_ram_read(&ram, back, BASE + 2 * VMM_RAM_BLOCK, 5)); /* it is still another owner's */
    assert_false(vmm_ram_write(&ram, BASE + SIZE - 4, "words", 5, NULL));
}

/* After a reset each block is cleared again. */
static void test_reset(void **state)
{
    static const struct done wanted[] = {
        { UNMAP, 0, SIZE }, { ZERO, 0, VMM_RAM_BLOCK }, { INVALIDATE, 0, VMM_RAM_BLOCK }, { MAP, 0, VMM_RAM_BLOCK }
    };

    (void)state;
    assert_true(vmm_ram_touch(&ram, BASE, NULL));
    nr_done = 0;
    assert_true(vmm_ram_reset(&ram));
    assert_true(vmm_ram_touch(&ram, BASE, NULL));
    did(wanted, 4);
}

/* ---- memory for devices ---- */

static struct vmm_piece piece[4];
static unsigned nr;
static avc_ipa_t at;

static enum vmm_pinned pin(uint64_t from, uint32_t bytes, void (*look_for)(void))
{
    struct vmm_pin p = { from, bytes, false };

    nr = 4;
    at = 1;
    return vmm_ram_pin(&ram, &p, look_for, piece, &nr, &at);
}

/* The short way says the same as the long one, if the range is in one block and there; otherwise it does nothing. */
static void short_way(uint64_t from, uint32_t bytes, enum vmm_pinned result, avc_pa_t pa)
{
    struct vmm_pin p = { from, bytes, false };
    uint32_t before = ram.pinned;
    bool one = result == VMM_PIN_DONE && (from - BASE) / VMM_RAM_BLOCK == (from + bytes - 1 - BASE) / VMM_RAM_BLOCK;
    avc_pa_t found = 0;

    assert_int_equal(vmm_ram_pin_block(&ram, &p, &found), one);
    assert_int_equal(ram.pinned, before); /* it does not count yet */
    vmm_ram_count_pins(&ram, one);
    if (one) {
        assert_int_equal(found, pa);
        vmm_ram_unpin(&ram, &p);
    }
}

static void unpin(uint64_t from, uint32_t bytes, bool write)
{
    vmm_ram_unpin(&ram, &(struct vmm_pin){ from, bytes, write });
}

static void test_pin_bounds(void **state)
{
    static const struct {
        uint64_t from;
        uint32_t bytes;
        enum vmm_pinned result;
        uint64_t at;
    } rows[] = {
        { BASE, 1, VMM_PIN_DONE, 0 },
        { BASE, SIZE, VMM_PIN_DONE, 0 },
        { BASE + SIZE - 1, 1, VMM_PIN_DONE, 0 },
        { BASE + VMM_RAM_BLOCK - 1, 2, VMM_PIN_DONE, 0 },
        { BASE, 0, VMM_PIN_OUTSIDE, BASE },
        { BASE + 77, 0, VMM_PIN_OUTSIDE, BASE + 77 },
        { BASE, SIZE + 1, VMM_PIN_OUTSIDE, BASE + SIZE },
        { BASE + SIZE - 1, 2, VMM_PIN_OUTSIDE, BASE + SIZE },
        { BASE + SIZE, 1, VMM_PIN_OUTSIDE, BASE + SIZE },
        { BASE + 5, UINT32_MAX, VMM_PIN_OUTSIDE, BASE + SIZE },
        { BASE - 1, 1, VMM_PIN_OUTSIDE, BASE - 1 },
        { BASE - 1, 2, VMM_PIN_OUTSIDE, BASE - 1 },
        { BASE - 1, UINT32_MAX, VMM_PIN_OUTSIDE, BASE - 1 },
        { 0, 1, VMM_PIN_OUTSIDE, 0 },
        { 0, UINT32_MAX, VMM_PIN_OUTSIDE, 0 },
        { UINT64_MAX, 1, VMM_PIN_OUTSIDE, UINT64_MAX },
        { UINT64_MAX, 2, VMM_PIN_OUTSIDE, UINT64_MAX },
        { UINT64_MAX - 3, UINT32_MAX, VMM_PIN_OUTSIDE, UINT64_MAX - 3 },
    };

    (void)state;
    vmm_ram_touch_all(&ram, look);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum vmm_pinned result = pin(rows[i].from, rows[i].bytes, i % 2 ? look : NULL);
        bool is_done = result == VMM_PIN_DONE;

        if (result != rows[i].result || (!is_done && at != rows[i].at))
            fail_msg("row %zu: %d, 0x%llx", i, (int)result, (unsigned long long)at);
        assert_int_equal(ram.pinned, is_done);
        short_way(rows[i].from, rows[i].bytes, result, piece[0].pa);
        if (is_done) {
            assert_int_equal(nr, 1);
            assert_int_equal(piece[0].pa, (uintptr_t)memory + rows[i].from - BASE);
            assert_int_equal(piece[0].bytes, rows[i].bytes);
            unpin(rows[i].from, rows[i].bytes, false);
        }
    }
}

/* Without `look` what is not there is reported; with it, it is there afterwards, cleared and mapped. */
static void test_pin_absent(void **state)
{
    static const struct done wanted[] = { { ZERO, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { INVALIDATE, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { MAP, VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { ZERO, 2 * VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { INVALIDATE, 2 * VMM_RAM_BLOCK, VMM_RAM_BLOCK },
                                          { MAP, 2 * VMM_RAM_BLOCK, VMM_RAM_BLOCK } };
    uint64_t from = BASE + VMM_RAM_BLOCK - 8;

    (void)state;
    assert_int_equal(pin(from, 9, NULL), VMM_PIN_ABSENT);
    assert_int_equal(at, from);
    short_way(from, 8, VMM_PIN_ABSENT, 0);
    assert_true(vmm_ram_touch(&ram, BASE, NULL));
    assert_int_equal(pin(from, 8, NULL), VMM_PIN_DONE);
    assert_int_equal(pin(from, 9, NULL), VMM_PIN_ABSENT);
    assert_int_equal(at, BASE + VMM_RAM_BLOCK);
    assert_int_equal(ram.pinned, 1);
    nr_done = looks = 0;
    assert_int_equal(pin(from, VMM_RAM_BLOCK + 9, look), VMM_PIN_DONE);
    did(wanted, 6);
    assert_int_equal(looks, 2 * VMM_RAM_BLOCK / (32 << 10));
    assert_int_equal(ram.pinned, 2);
    assert_int_equal(nr, 1);
    assert_int_equal(pin(from, VMM_RAM_BLOCK + 9, NULL), VMM_PIN_DONE);
    did(NULL, 0);
}

/* Another CPU is about to clear the block, and is done after some looks. */
static void look_and_finish(void)
{
    uint64_t bit, word = word_of(&ram, BASE + VMM_RAM_BLOCK, &bit);

    if (++looks == 3) {
        ram.filling[word] &= ~bit;
        ram.there[word] |= bit;
    }
}

static void test_pin_waits(void **state)
{
    uint64_t bit, word = word_of(&ram, BASE + VMM_RAM_BLOCK, &bit);

    (void)state;
    looks = relaxed = 0;
    ram.filling[word] |= bit;
    assert_int_equal(pin(BASE + VMM_RAM_BLOCK, 1, look_and_finish), VMM_PIN_DONE);
    assert_int_equal(looks, 3);
    assert_int_equal(relaxed, 3);
    did(NULL, 0); /* it was the other one's to do */
}

/* A piece for each block. The second and the third are neighbours in memory, too. */
static int begin_scattered(void **state)
{
    static const struct layout three[] = { { 3, 1 }, { 0, 1 }, { 1, 1 }, { 5, 1 } };

    (void)state;
    memory = aligned_alloc(VMM_RAM_BLOCK, 6 * VMM_RAM_BLOCK);
    layout = three;
    return !vmm_ram_init(&ram, BASE, SIZE, stage2);
}

static uint64_t where(uint64_t offset)
{
    static const uint8_t block[] = { 3, 0, 1, 5 };

    return (uintptr_t)memory + block[offset / VMM_RAM_BLOCK] * VMM_RAM_BLOCK + offset % VMM_RAM_BLOCK;
}

/* Every byte of a pin is where the memory is, in order, and no two pieces could be one. */
static void test_pin_pieces(void **state)
{
    (void)state;
    assert_int_equal(ram.nr, 4);
    memset(ram.there, 0xff, sizeof(ram.there));
    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t near = (uint64_t)(rand() % 4) * VMM_RAM_BLOCK, offset = (near + (uint64_t)(rand() % 9) - 4) % SIZE;
        uint64_t bytes = 1 + (uint64_t)(rand() % 3) * VMM_RAM_BLOCK + (uint64_t)(rand() % 9), sum = 0;
        struct vmm_pin p = { BASE + offset, (uint32_t)bytes, false };
        struct vmm_piece all[4];

        bytes = bytes <= SIZE - offset ? bytes : SIZE - offset;
        p.bytes = (uint32_t)bytes;
        nr = 4;
        assert_int_equal(vmm_ram_pin(&ram, &p, NULL, all, &nr, &at), VMM_PIN_DONE);
        for (unsigned i = 0; i < nr; sum += all[i++].bytes) {
            assert_int_equal(all[i].pa, where(offset + sum));
            assert_int_equal(all[i].pa + all[i].bytes - 1, where(offset + sum + all[i].bytes - 1));
            assert_true(i == 0 || all[i - 1].pa + all[i - 1].bytes != all[i].pa);
        }
        assert_int_equal(sum, bytes);
        short_way(p.from, p.bytes, VMM_PIN_DONE, all[0].pa);
        if (nr > 1) {
            unsigned room = nr - 1;

            assert_int_equal(vmm_ram_pin(&ram, &p, NULL, all, &room, &at), VMM_PIN_SCATTERED);
        }
        vmm_ram_unpin(&ram, &p);
        assert_int_equal(ram.pinned, 0);
    }
}

/* The memory stays as long as anything of it is pinned. */
static void test_pin_keeps(void **state)
{
    (void)state;
    assert_int_equal(pin(BASE, 16, look), VMM_PIN_DONE);
    assert_int_equal(pin(BASE + 8, 16, look), VMM_PIN_DONE);
    nr_done = 0;
    assert_false(vmm_ram_reset(&ram));
    unpin(BASE, 16, false);
    assert_false(vmm_ram_reset(&ram));
    did(NULL, 0);
    assert_non_null(vmm_ram_at(&ram, BASE, 16));
    unpin(BASE + 8, 16, false);
    assert_true(vmm_ram_reset(&ram));
    assert_int_equal(pin(BASE, 16, NULL), VMM_PIN_ABSENT);
}

static struct {
    uint64_t from;
    unsigned times;
} told;

static void note_written(void *ctx, avc_ipa_t from, uint32_t bytes)
{
    assert_ptr_equal(ctx, &told);
    assert_int_equal(bytes, 5);
    assert_int_equal(ram.pinned, 1); /* it is still there */
    told.from = from;
    told.times++;
}

/* Who keeps a copy hears of what devices have written, and of nothing else. */
static void test_pin_written(void **state)
{
    (void)state;
    assert_int_equal(pin(BASE + 3, 5, look), VMM_PIN_DONE);
    unpin(BASE + 3, 5, true); /* nobody listens */
    ram.written = note_written;
    ram.written_ctx = &told;
    told.times = 0;
    assert_int_equal(pin(BASE + 3, 5, look), VMM_PIN_DONE);
    assert_int_equal(told.times, 0);
    unpin(BASE + 3, 5, false);
    assert_int_equal(told.times, 0);
    assert_int_equal(pin(BASE + 3, 5, look), VMM_PIN_DONE);
    unpin(BASE + 3, 5, true);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.from, BASE + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces, begin, end),
        cmocka_unit_test_setup_teardown(test_first_touch, begin, end),
        cmocka_unit_test_setup_teardown(test_write, begin, end),
        cmocka_unit_test_setup_teardown(test_reset, begin, end),
        cmocka_unit_test_setup_teardown(test_pin_bounds, begin, end),
        cmocka_unit_test_setup_teardown(test_pin_absent, begin, end),
        cmocka_unit_test_setup_teardown(test_pin_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_pin_pieces, begin_scattered, end),
        cmocka_unit_test_setup_teardown(test_pin_keeps, begin, end),
        cmocka_unit_test_setup_teardown(test_pin_written, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
