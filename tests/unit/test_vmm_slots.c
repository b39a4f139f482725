/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The empty virtio transports, as programs look at them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/map.h"
#include "virtio/slots.h"

static struct vmm_mmio slots;

static uint64_t load(uint64_t at, unsigned size)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = at, .size = (uint8_t)size };

    assert_int_equal(vmm_mmio_access(NULL, &e, &slots), AVC_DONE);
    return e.value;
}

static void store(uint64_t at, unsigned size, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = at, .size = (uint8_t)size, .write = true, .value = value };

    assert_int_equal(vmm_mmio_access(NULL, &e, &slots), AVC_DONE);
}

static void see(uint64_t slot)
{
    for (uint64_t offset = 0; offset < 0x200; offset += 4) {
        uint32_t wanted = offset == 0 ? 0x74726976 : offset == 4 ? 2 : offset == 12 ? 0x554d4551 : 0;

        assert_int_equal(load(slot + offset, 4), wanted);
        assert_int_equal(load(slot + offset, 1), wanted & 0xff);
        assert_int_equal(load(slot + offset + 2, 2), wanted >> 16);
    }
    assert_int_equal(load(slot, 8), UINT64_C(0x274726976));
}

static void every_register(void **state)
{
    (void)state;
    vmm_slots_init(&slots, VMM_GUEST_VIRTIO);
    assert_int_equal(slots.size, 0x4000);
    for (uint64_t n = 0; n < 32; n++) {
        uint64_t slot = 0x0a000000 + 0x200 * n;

        see(slot);
        for (uint64_t offset = 0; offset < 0x200; offset += 4)
            store(slot + offset, 4, 0xffffffff);
        store(slot + 0x70, 8, 1);
        store(slot + 0x101, 1, 1);
        see(slot);
    }
    assert_int_equal(load(0x0a003ffc, 8), 0); /* the last bytes, and what is behind them */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_register) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
