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

void *vmm_pages_alloc(uint64_t bytes, uint64_t align)
{
    assert_int_equal(bytes, SIZE);
    assert_int_equal(align, VMM_RAM_BLOCK);
    return memory;
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
    vmm_ram_reset(&ram);
    assert_true(vmm_ram_touch(&ram, BASE, NULL));
    did(wanted, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces, begin, end),
        cmocka_unit_test_setup_teardown(test_first_touch, begin, end),
        cmocka_unit_test_setup_teardown(test_write, begin, end),
        cmocka_unit_test_setup_teardown(test_reset, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
