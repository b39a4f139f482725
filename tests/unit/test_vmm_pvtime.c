/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Stolen time, as a guest asks for it and reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/mmio.h"
#include "guest/pvtime.h"

#define BASE UINT64_C(0x90A0000)
#define HZ   UINT64_C(62500000)
#define NS   UINT64_C(1000000000)

static struct vmm_pvtime pv;
static _Alignas(64) struct vmm_pvtime_record page[64];

static int setup(void **state)
{
    (void)state;
    memset(page, 0, sizeof(page));
    vmm_pvtime_init(&pv, BASE, page, 3, HZ);
    return 0;
}

static enum avc_answer call(unsigned vcpu, uint32_t function, uint64_t arg, uint64_t *x0)
{
    static struct avc_vcpu v;
    struct avc_exit e = { .kind = AVC_CALL, .key = function };
    enum avc_answer answer;

    v.index = (uint16_t)vcpu;
    v.x[1] = arg;
    answer = vmm_pvtime_call(&v, &e, &pv);
    *x0 = e.value;
    return answer;
}

static void calls(void **state)
{
    static const struct {
        unsigned vcpu;
        uint32_t function;
        uint64_t arg, wanted; /* 1: passed */
    } rows[] = {
        { 0, 0x80000001, 0xC5000020, 0 },
        { 0, 0x80000001, UINT64_C(0xFFFFFFFFC5000020), 0 }, /* W1 counts */
        { 0, 0x80000001, 0xC5000021, 1 },
        { 0, 0x80000001, 0x80008000, 1 },
        { 0, 0xC5000020, 0xC5000020, 0 },
        { 0, 0xC5000020, 0xC5000021, 0 },
        { 0, 0xC5000020, 0xC5000022, UINT64_MAX },
        { 0, 0xC5000020, 0, UINT64_MAX },
        { 0, 0xC5000021, 0, BASE },
        { 2, 0xC5000021, 0, BASE + 128 },
        { 3, 0xC5000021, 0, UINT64_MAX },
    };
    static struct avc_vcpu v;
    struct avc_exit e = { .kind = AVC_CALL, .key = 0xC5000020, .imm = 1 };
    uint64_t x0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (call(rows[i].vcpu, rows[i].function, rows[i].arg, &x0) == AVC_PASS)
            x0 = 1;
        assert_true(x0 == rows[i].wanted);
    }
    assert_int_equal(vmm_pvtime_call(&v, &e, &pv), AVC_PASS); /* HVC #1 is no SMCCC call */
}

static void adds(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct vmm_pvtime_record), 64);
    assert_int_equal(offsetof(struct vmm_pvtime_record, stolen), 8);
    vmm_pvtime_add(&pv, 1, HZ);
    assert_int_equal(page[1].stolen, NS);
    vmm_pvtime_add(&pv, 1, 1);
    vmm_pvtime_add(&pv, 1, 1);
    assert_int_equal(page[1].stolen, NS + 32);
    vmm_pvtime_add(&pv, 2, HZ * 1000000000);
    assert_true(page[2].stolen == NS * 1000000000);
    assert_int_equal(page[0].stolen, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(page[i].revision | page[i].attributes, 0);
    vmm_pvtime_reset(&pv);
    assert_int_equal(page[1].stolen | page[2].stolen, 0);
}

/* A machine whose counter has another rate takes it over: the guest's number does not fall, and goes on. */
static void is_restored(void **state)
{
    struct vmm_pvtime_values there, here;
    struct avc_state_object from = { &vmm_pvtime_state, 1, &there }, to = { &vmm_pvtime_state, 1, &here };
    uint8_t stream[256];
    size_t bytes;

    (void)state;
    for (unsigned n = 1; n < 2000; n++) {
        uint64_t was;

        setup(NULL);
        vmm_pvtime_add(&pv, 1, n * UINT64_C(987654321));
        was = page[1].stolen;
        vmm_pvtime_get(&pv, &there);
        vmm_pvtime_init(&pv, BASE, page, 3, n % 2 ? 1000000000 : 19200000);
        vmm_pvtime_get(&pv, &here);
        assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
        assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
        memset(page, 0, sizeof(page));
        assert_true(vmm_pvtime_set(&pv, &here));
        assert_true(page[1].stolen >= was && page[1].stolen - was < 53);
        vmm_pvtime_add(&pv, 1, pv.hz);
        assert_true(page[1].stolen - was - NS < 53);
    }
    here.base++;
    assert_false(vmm_pvtime_set(&pv, &here));
    here.base--;
    here.ns[2] = UINT64_MAX;
    pv.hz = UINT64_C(1) << 40;
    assert_false(vmm_pvtime_set(&pv, &here));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(calls, setup),
        cmocka_unit_test_setup(adds, setup),
        cmocka_unit_test_setup(is_restored, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
