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

/* A second device takes the state over from the stream, at a host whose clock has another origin. */
static struct vmm_pl031 other;
static uint64_t other_now;

static uint64_t other_seconds(void *ctx)
{
    (void)ctx;
    return other_now;
}

static void move(void)
{
    struct vmm_pl031_values there, here;
    struct avc_state_object from = { &vmm_pl031_state, 7, &there }, to = { &vmm_pl031_state, 7, &here };
    uint8_t stream[256];
    size_t bytes;

    other_now = 50000;
    vmm_pl031_init(&other, BASE, 12345, other_seconds, NULL);
    other.mmio.irq = irq;
    vmm_pl031_get(&rtc, &there);
    vmm_pl031_get(&other, &here);
    assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
    assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
    line = false; /* the other device's from here on */
    assert_true(vmm_pl031_set(&other, &here));
}

static uint64_t other_load(uint64_t offset)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4 };

    assert_int_equal(vmm_mmio_access(NULL, &e, &other), AVC_DONE);
    return e.value;
}

/* Each register reads the same, and the alarm rings as many seconds later as it would have. */
static void is_restored(void **state)
{
    static const uint16_t regs[] = { 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18 };

    (void)state;
    for (unsigned what = 0; what < 16; what++) {
        bool masked = what & 1, rung = what & 2, set = what & 4, wraps = what & 8;
        uint32_t now;

        setup(NULL);
        if (set)
            store(0x08, wraps ? 0xFFFFFFFE : 77);
        now = (uint32_t)load(0, 4);
        store(0x04, now + (rung ? 0 : 5));
        store(0x10, !masked);
        time_now += 3;
        move();
        for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
            assert_int_equal(other_load(regs[i]), load(regs[i], 4));
        assert_int_equal(line, rung && !masked);
        assert_true(vmm_pl031_poll(&other) == (rung || masked ? UINT64_MAX : 50002));
        other_now += 1;
        vmm_pl031_poll(&other);
        assert_int_equal(line, rung && !masked);
        other_now += 1;
        vmm_pl031_poll(&other);
        assert_int_equal(line, !masked);
        assert_int_equal(other_load(0x14), 1);
    }
}

static void impossible_states(void **state)
{
    struct vmm_pl031_values good, now;

    (void)state;
    vmm_pl031_get(&rtc, &good);
#define REFUSED(what)                                                                                                  \
    do {                                                                                                               \
        struct vmm_pl031_values v = good;                                                                              \
                                                                                                                       \
        v.what;                                                                                                        \
        v.mr = 99;                                                                                                     \
        assert_false(vmm_pl031_set(&rtc, &v));                                                                         \
        vmm_pl031_get(&rtc, &now);                                                                                     \
        assert_int_equal(now.mr, good.mr);                                                                             \
    } while (0)
    REFUSED(base = BASE + 0x1000);
    REFUSED(imsc = 2);
    REFUSED(ris = 2);
    REFUSED(armed = 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counts, setup),      cmocka_unit_test_setup(can_be_set, setup),
        cmocka_unit_test_setup(alarm_rings, setup), cmocka_unit_test_setup(alarm_follows_the_time_set, setup),
        cmocka_unit_test_setup(is_restored, setup), cmocka_unit_test_setup(impossible_states, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
