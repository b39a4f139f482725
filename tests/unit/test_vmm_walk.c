/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The walk of a guest's tables that finds the level at which it leaves the guest's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/walk.h"

#define NOWHERE UINT64_C(0x20000000)
#define TABLE   3u
#define BLOCK   1u

#define TCR(t0sz, tg0, t1sz, tg1)                                                                                      \
    ((uint64_t)(tg1) << 30 | (uint64_t)(t1sz) << 16 | (uint64_t)(tg0) << 14 | (uint64_t)(t0sz))

/* The guest's memory: some descriptors. */
static struct {
    uint64_t ipa, value;
} memory[4];
static bool swapped;

static bool read_memory(void *ctx, uint64_t ipa, uint64_t *value)
{
    assert_ptr_equal(ctx, memory);
    for (unsigned i = 0; i < 4; i++)
        if (memory[i].ipa == ipa) {
            *value = swapped ? __builtin_bswap64(memory[i].value) : memory[i].value;
            return true;
        }
    return false;
}

static void test_levels(void **state)
{
    static const struct {
        const char *name;
        uint64_t tcr, ttbr, va, table;
        uint64_t memory[4][2];
        int level;
    } cases[] = {
        { "no table", TCR(25, 0, 25, 2), 0, 0x40000000, 0, { { 1, 0 } }, 1 },
        { "level 0 of 48 bits", TCR(16, 0, 16, 2), NOWHERE, 0x8000000000, NOWHERE, { { 1, 0 } }, 0 },
        { "level 2", TCR(25, 0, 25, 2), 0x1000, 0x40000000, NOWHERE, { { 0x1008, NOWHERE | TABLE } }, 2 },
        { "level 3",
          TCR(25, 0, 25, 2),
          0x1000,
          0x80203000,
          NOWHERE,
          { { 0x1010, 0x2000 | TABLE }, { 0x2008, NOWHERE | TABLE } },
          3 },
        { "level 3 of 48 bits, attributes and an ASID",
          TCR(16, 0, 16, 2),
          0x0007000000001001,
          0xffffffffffff,
          NOWHERE,
          { { 0x1ff8, 0xf800000000002000 | TABLE }, { 0x2ff8, 0x3000 | TABLE }, { 0x3ff8, NOWHERE | TABLE } },
          3 },
        { "TTBR1", TCR(25, 0, 25, 2), 0x1000, 0xffffffffffffffff, NOWHERE, { { 0x1ff8, NOWHERE | TABLE } }, 2 },
        { "16 KiB", TCR(17, 2, 17, 1), 0x4000, 0x2000000, NOWHERE, { { 0x4000, NOWHERE | TABLE } }, 2 },
        { "16 KiB, another page of the table",
          TCR(17, 2, 17, 1),
          0x4000,
          UINT64_C(2047) << 25,
          NOWHERE + 0x3000,
          { { 0x4000, NOWHERE | TABLE } },
          2 },
        { "64 KiB", TCR(22, 1, 22, 3), 0x10000, 0x40000000, NOWHERE, { { 0x10010, NOWHERE | TABLE } }, 3 },
        { "a block", TCR(25, 0, 25, 2), 0x1000, 0x40000000, NOWHERE, { { 0x1008, NOWHERE | BLOCK } }, -1 },
        { "invalid by now", TCR(25, 0, 25, 2), 0x1000, 0x40000000, NOWHERE, { { 0x1008, NOWHERE } }, -1 },
        { "another page", TCR(25, 0, 25, 2), 0x1000, 0x40000000, NOWHERE, { { 0x1008, 0x30000000 | TABLE } }, -1 },
        { "all tables are there",
          TCR(25, 0, 25, 2),
          0x1000,
          0,
          NOWHERE,
          { { 0x1000, 0x2000 | TABLE }, { 0x2000, 0x3000 | TABLE }, { 0x3000, NOWHERE | TABLE } },
          -1 },
        { "no size", TCR(63, 0, 63, 2), 0x1000, 0, 0x1000, { { 1, 0 } }, -1 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (unsigned order = 0; order < 2; order++) {
            struct vmm_walk walk = {
                .tcr = cases[i].tcr,
                .ttbr = { cases[i].ttbr, cases[i].ttbr },
                .big_endian = order,
                .read = read_memory,
                .ctx = memory,
            };
            int level;

            walk.ttbr[!(cases[i].va >> 55)] = 0x5550000; /* nothing of it is used */
            swapped = order;
            for (unsigned n = 0; n < 4; n++) {
                memory[n].ipa = cases[i].memory[n][1] ? cases[i].memory[n][0] : 1;
                memory[n].value = cases[i].memory[n][1];
            }
            level = vmm_walk_level(&walk, cases[i].va, cases[i].table);
            if (level != cases[i].level)
                fail_msg("%s: level %d", cases[i].name, level);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_levels) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
