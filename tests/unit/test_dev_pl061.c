/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The model of the general-purpose I/O. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/pl061.h"

#define BASE 0x09030000u

enum {
    ALL = 0x3FC,
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40C,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41C,
    AFSEL = 0x420
};

static struct vmm_pl061 gpio;
static bool line;

static void irq(void *ctx, bool level)
{
    (void)ctx;
    assert_true(line != level);
    line = level;
}

static uint64_t load(uint64_t offset)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4 };

    assert_int_equal(vmm_mmio_access(NULL, &e, &gpio), AVC_DONE);
    return e.value;
}

static void store(uint64_t offset, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = 4, .write = true, .value = value };

    assert_int_equal(vmm_mmio_access(NULL, &e, &gpio), AVC_DONE);
}

static int setup(void **state)
{
    (void)state;
    line = false;
    vmm_pl061_init(&gpio, BASE);
    gpio.mmio.irq = irq;
    return 0;
}

/* Registers that can be written, and all of the identification (DDI 0190, 3.3.13 on). */
static void registers(void **state)
{
    static const uint16_t writable[] = { DIR, IS, IBE, IEV, IE, AFSEL };
    static const uint8_t ids[] = { 0x61, 0x10, 0x04, 0x00, 0x0D, 0xF0, 0x05, 0xB1 };

    (void)state;
    for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
        assert_int_equal(load(writable[i]), 0);
        store(writable[i], 0xFFFFFF5A);
        assert_int_equal(load(writable[i]), 0x5A);
    }
    for (unsigned i = 0; i < 8; i++) {
        store(0xFE0 + 4 * i, 0);
        assert_int_equal(load(0xFE0 + 4 * i), ids[i]);
    }
    for (unsigned offset = 0x424; offset < 0xFE0; offset += 4)
        assert_int_equal(load(offset), 0);
    assert_int_equal(load(IC), 0);
    vmm_pl061_reset(&gpio);
    for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
        assert_int_equal(load(writable[i]), 0);
}

/* Address bits say which pins an access is about. */
static void data(void **state)
{
    (void)state;
    vmm_pl061_pin(&gpio, 0, true);
    vmm_pl061_pin(&gpio, 5, true);
    assert_int_equal(load(ALL), 0x21);
    for (unsigned mask = 0; mask < 256; mask++)
        assert_int_equal(load(4 * mask), 0x21 & mask);
    store(ALL, 0xFF); /* all are inputs */
    assert_int_equal(load(ALL), 0x21);
    store(DIR, 0xF0);
    assert_int_equal(load(ALL), 0x01); /* outputs are low after reset */
    store(4 * 0x90, 0xFF);
    assert_int_equal(load(ALL), 0x91);
    store(4 * 0x0F, 0);
    assert_int_equal(load(ALL), 0x91);
    store(4 * 0x30, 0x20);
    assert_int_equal(load(ALL), 0xA1);
    vmm_pl061_pin(&gpio, 5, false); /* what comes from outside is not seen */
    assert_int_equal(load(ALL), 0xA1);
    store(DIR, 0);
    assert_int_equal(load(ALL), 0x01);
}

/* Each pin under each kind of sensitivity: which of four changes make it pending, and for how long. */
static void interrupts(void **state)
{
    static const struct {
        bool is, ibe, iev;
        uint8_t pending; /* after: low at first, rise, clear, fall, clear, a bit each from 0 on */
    } rows[] = {
        { false, false, true, 1 << 1 },          { false, false, false, 1 << 3 },
        { false, true, false, 1 << 1 | 1 << 3 }, { false, true, true, 1 << 1 | 1 << 3 },
        { true, false, true, 1 << 1 | 1 << 2 },  { true, false, false, 1 << 0 | 1 << 3 | 1 << 4 },
        { true, true, true, 1 << 1 | 1 << 2 },
    };

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        for (unsigned pin = 0; pin < 8; pin++) {
            uint8_t bit = (uint8_t)(1u << pin);

            setup(NULL);
            store(IS, rows[r].is ? bit : 0);
            store(IBE, rows[r].ibe ? bit : 0);
            store(IEV, rows[r].iev ? bit : 0);
            store(IC, 0xFF);
            store(IE, bit);
            for (unsigned step = 0; step < 5; step++) {
                if (step == 1 || step == 3)
                    vmm_pl061_pin(&gpio, pin, step == 1);
                else if (step)
                    store(IC, bit);
                assert_int_equal(line, rows[r].pending >> step & 1);
                assert_int_equal(load(MIS), line ? bit : 0);
                assert_int_equal(load(RIS) & bit, line ? bit : 0);
            }
            vmm_pl061_pin(&gpio, pin, true);
            vmm_pl061_pin(&gpio, pin, true); /* no change, no edge */
            store(IE, 0);
            assert_false(line);
            assert_int_equal(load(MIS), 0);
        }
    }
}

/* Outputs make edges, too; an edge is forgotten when the pin becomes sensitive to its level. */
static void corners(void **state)
{
    (void)state;
    store(IEV, 0x10);
    store(IE, 0x10);
    store(DIR, 0x10);
    assert_false(line);
    store(ALL, 0x10);
    assert_true(line);
    store(ALL, 0);
    assert_true(line);
    store(IS, 0x10);
    assert_false(line);
    store(IS, 0);
    assert_false(line);
    store(ALL, 0x10);
    assert_true(line);
    store(IC, 0xEF);
    assert_true(line);
    vmm_pl061_reset(&gpio);
    assert_false(line);
}

/* A second device takes the state over from the stream: all reads the same, and goes on the same. */
static void is_restored(void **state)
{
    static const uint16_t offsets[] = { ALL, DIR, IS, IBE, IEV, IE, RIS, MIS, AFSEL };
    struct vmm_pl061_values there, here;
    struct avc_state_object from = { &vmm_pl061_state, 1, &there }, to = { &vmm_pl061_state, 1, &here };
    uint8_t stream[512];
    size_t bytes;

    (void)state;
    for (unsigned n = 0; n < 2000; n++) {
        uint64_t was[9], seed = n * UINT64_C(0x9E3779B97F4A7C15);

        setup(NULL);
        for (unsigned i = 1; i < 6; i++)
            store(offsets[i], seed >> 8 * i);
        store(AFSEL, seed);
        store(ALL, seed >> 3);
        for (unsigned i = 0; i < 8; i++)
            vmm_pl061_pin(&gpio, i, seed >> i & 1);
        for (unsigned i = 0; i < 9; i++)
            was[i] = load(offsets[i]);
        vmm_pl061_get(&gpio, &there);
        setup(NULL);
        vmm_pl061_get(&gpio, &here);
        assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
        assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
        assert_true(vmm_pl061_set(&gpio, &here));
        for (unsigned i = 0; i < 9; i++)
            assert_int_equal(load(offsets[i]), was[i]);
        assert_int_equal(line, was[7] != 0);
    }
    here.base++;
    assert_false(vmm_pl061_set(&gpio, &here));
    here.base--;
    here.edges = here.is = 1;
    assert_false(vmm_pl061_set(&gpio, &here));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers, setup),   cmocka_unit_test_setup(data, setup),
        cmocka_unit_test_setup(interrupts, setup),  cmocka_unit_test_setup(corners, setup),
        cmocka_unit_test_setup(is_restored, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
