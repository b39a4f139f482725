/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The model of the real-time clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/pl031.h"

#define BASE 0x09010000u
#define NOW  1700000000u

static struct vmm_pl031 rtc;
static uint64_t time_now;
static bool line;

static uint64_t seconds(void *ctx)
{
    (void)ctx;
    return time_now;
}

static void irq(void *ctx, bool level)
{
    (void)ctx;
    line = level;
}

static uint64_t load(uint64_t offset, unsigned size)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = (uint8_t)size };

    assert_int_equal(vmm_mmio_access(NULL, &e, &rtc), AVC_DONE);
    return e.value;
}

static void store(uint64_t offset, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4, .write = true, .value = value };

    assert_int_equal(vmm_mmio_access(NULL, &e, &rtc), AVC_DONE);
}

static int setup(void **state)
{
    (void)state;
    time_now = 1000;
    line = false;
    vmm_pl031_init(&rtc, BASE, NOW, seconds, NULL);
    rtc.mmio.irq = irq;
    return 0;
}

static void counts(void **state)
{
    (void)state;
    assert_int_equal(load(0, 4), NOW);
    time_now += 5;
    assert_int_equal(load(0, 4), NOW + 5);
    assert_int_equal(load(0, 2), (NOW + 5) & 0xFFFF);
    assert_int_equal(load(0, 8), NOW + 5); /* and MR */
    store(0, 7);                           /* DR is read-only */
    assert_int_equal(load(0, 4), NOW + 5);
    store(0x0C, 0); /* the clock cannot be stopped */
    assert_int_equal(load(0x0C, 4), 1);
    assert_int_equal(load(0xFE0, 4), 0x31);
    assert_int_equal(load(0xFE4, 4), 0x10);
    assert_int_equal(load(0xFF0, 8), UINT64_C(0xF00000000D));
    assert_int_equal(load(0x20, 4), 0);
}

static void can_be_set(void **state)
{
    (void)state;
    store(0x08, 42);
    assert_int_equal(load(0x08, 4), 42);
    assert_int_equal(load(0, 4), 42);
    time_now += 10;
    assert_int_equal(load(0, 4), 52);
    store(0x08, 0xFFFFFFFF);
    time_now += 2;
    assert_int_equal(load(0, 4), 1); /* the counter wraps */
    vmm_pl031_reset(&rtc);
    assert_int_equal(load(0, 4), 1); /* a reset does not set the clock */
    assert_int_equal(load(0x08, 4), 0);
}

static void alarm_rings(void **state)
{
    (void)state;
    store(0x04, NOW + 3);
    assert_int_equal(load(0x04, 4), NOW + 3);
    assert_true(vmm_pl031_poll(&rtc) == UINT64_MAX); /* the interrupt is masked */
    store(0x10, 1);
    assert_int_equal(load(0x10, 4), 1);
    assert_int_equal(vmm_pl031_poll(&rtc), 1003);
    time_now = 1002;
    assert_int_equal(vmm_pl031_poll(&rtc), 1003);
    assert_false(line);
    time_now = 1004;
    assert_true(vmm_pl031_poll(&rtc) == UINT64_MAX);
    assert_true(line);
    assert_int_equal(load(0x14, 4), 1);
    assert_int_equal(load(0x18, 4), 1);
    store(0x10, 0);
    assert_false(line);
    assert_int_equal(load(0x14, 4), 1);
    assert_int_equal(load(0x18, 4), 0);
    store(0x10, 1);
    store(0x1C, 1);
    assert_false(line);
    assert_int_equal(load(0x14, 4), 0);
    time_now += 100;
    vmm_pl031_poll(&rtc);
    assert_false(line); /* only once */
    store(0x04, NOW + 104);
    assert_true(line); /* an alarm for now comes at once */
    vmm_pl031_reset(&rtc);
    assert_false(line);
}

static void alarm_follows_the_time_set(void **state)
{
    (void)state;
    store(0x10, 1);
    store(0x04, NOW + 1000);
    store(0x08, NOW + 990);
    assert_int_equal(vmm_pl031_poll(&rtc), 1010);
    store(0x04, NOW + 980); /* in the past: the alarm comes after the counter has wrapped */
    assert_true(vmm_pl031_poll(&rtc) == time_now + UINT32_MAX - 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counts, setup),
        cmocka_unit_test_setup(can_be_set, setup),
        cmocka_unit_test_setup(alarm_rings, setup),
        cmocka_unit_test_setup(alarm_follows_the_time_set, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
