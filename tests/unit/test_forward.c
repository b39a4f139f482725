/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A claim forwards the guest's calls to firmware: which calls, with which registers, who sees them, and which calls
 * must never be forwarded.
 */
#include "firmware.h"

#define FID       UINT32_C(0xc2000007)
#define SVE_HINT  UINT32_C(0x10000)
#define EL3_INDEX ((4 - 1) * 8) /* ID_AA64PFR0_EL1 in avc_features.id */

/* What happened, in order. */
static struct {
    enum step { ASKED = 1, SMC_MADE, ANSWERED } what;
    uint64_t x[18], pc, esr;
} step[8];
static unsigned steps;
static bool refuse;

static void note(enum step what, const struct avc_exit *e, const uint64_t x[18])
{
    assert_true(steps < AVC_ARRAY_SIZE(step));
    step[steps].what = what;
    step[steps].pc = e ? e->pc : 0;
    step[steps].esr = e ? e->esr : 0;
    memcpy(step[steps++].x, x, sizeof step[0].x);
}

static bool on_call(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    assert_ptr_equal(ctx, &steps);
    assert_ptr_equal(vcpu, &vcpus[0]);
    note(ASKED, e, x);
    return !refuse;
}

static void on_answer(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    assert_ptr_equal(ctx, &steps);
    assert_ptr_equal(vcpu, &vcpus[0]);
    note(ANSWERED, e, x);
}

static const struct avc_firmware_audit audit = { &steps, on_call, on_answer };

/* Firmware that returns results in all of x0..x17. */
static void firmware(uint64_t x[18])
{
    note(SMC_MADE, NULL, x);
    for (unsigned n = 0; n < 18; n++)
        x[n] = x[n] * 3 + n;
}

/* Makes a VM whose calls first..last go to firmware. */
static void forward(uint32_t first, uint32_t last, const struct avc_firmware_audit *ctx, bool psci)
{
    struct avc_claim c = { AVC_CALL, first, last, avc_to_firmware, (void *)(uintptr_t)ctx };

    make_vm();
    if (psci)
        assert_int_equal(avc_psci_attach(&vm), AVC_OK);
    assert_int_equal(avc_vm_claim(&vm, &c), AVC_OK);
    load();
    vm.features.id[EL3_INDEX] |= 1 << 12;
    fake_on_smc = firmware;
    steps = 0;
    refuse = false;
}

static void arguments(uint64_t x[31], uint32_t fid)
{
    for (unsigned n = 0; n < 31; n++)
        x[n] = random64();
    x[0] = fid;
}

/*
 * The audit gets its own ctx. x0..x17 of the guest reach firmware and come back as firmware left them. No other
 * register changes.
 */
static void both_ways(void **state)
{
    for (enum way way = HVC; way <= SMC; way++) {
        uint64_t before[31], x[31];

        forward(FID, FID, &audit, false);
        arguments(x, FID);
        x[0] |= JUNK; /* is no part of the function id, so firmware must not see it */
        memcpy(before, x, sizeof x);
        before[0] = FID;
        call_with(way, x);
        assert_int_equal(steps, 3);
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(step[n].what, ASKED + n);
            assert_memory_equal(step[n].x, n < 2 ? before : x, sizeof step[n].x);
        }
        for (unsigned n = 0; n < 31; n++)
            assert_true(x[n] == (n < 18 ? before[n] * 3 + n : before[n]));
        for (unsigned n = 0; n < 3; n += 2) {
            assert_int_equal(step[n].pc, CALL_PC);
            assert_int_equal(step[n].esr, esr_of(way, 0));
        }
        assert_int_equal(fake_cpu->reg[FAKE_ELR_EL2], CALL_PC + (way == SMC ? 4 : 0));
    }
}

/* Both members of an audit are optional, and so is the audit. */
static void parts_of_an_audit(void **state)
{
    static const struct avc_firmware_audit calls = { &steps, on_call, NULL }, answers = { &steps, NULL, on_answer };
    static const struct avc_firmware_audit *const audits[] = { NULL, &calls, &answers };

    for (unsigned n = 0; n < 3; n++) {
        uint64_t x[31];

        forward(FID, FID, audits[n], false);
        arguments(x, FID);
        call_with(HVC, x);
        assert_int_equal(x[0], (uint64_t)FID * 3);
        assert_int_equal(fake_smc_calls, 1);
        assert_int_equal(steps, n ? 2 : 1);
    }
}

static void audit_refuses(void **state)
{
    for (enum way way = HVC; way <= SMC; way++) {
        forward(FID, FID, &audit, false);
        refuse = true;
        fake_on_smc = NULL;
        assert_true(call(way, FID, 1, 2, 3) == ~UINT64_C(0)); /* x1..x30 are unchanged */
        assert_int_equal(steps, 1);
        assert_int_equal(fake_smc_calls, 0);
    }
}

/*
 * Says whether a call must never be forwarded, whatever is claimed. Only the number counts: bits 23..16 and the width
 * may have any value.
 */
static bool kept(uint32_t fid)
{
    uint32_t owner = fid >> 24 & 0x3f, number = fid & 0xffff;

    if (!(fid >> 31))
        return false;
    return owner == 4 ? number < 0x40 || (number >= 0x110 && number < 0x130) : owner == 0 && number == 0x7fff;
}

/* Calls this id, and checks that it reaches firmware exactly if it may. */
static void check_fid(uint32_t fid)
{
    uint64_t x[31];

    steps = 0;
    fake_on_smc = kept(fid) ? NULL : firmware; /* NULL: a call of firmware ends the test */
    arguments(x, fid);
    call_with(fid % 2 ? HVC : SMC, x);
    assert_int_equal(steps, kept(fid) ? 0 : 3);
    if (steps)
        assert_int_equal(step[1].x[0], fid >> 31 ? fid & ~SVE_HINT : fid);
}

/* The next test checks PSCI's answers. */
static bool is_psci(uint32_t fid)
{
    return (fid & 0xbfffffe0) == AVC_PSCI_VERSION;
}

static void never_forwarded(void **state)
{
    forward(0, UINT32_MAX, &audit, true);
    for (unsigned width = 0; width < 2; width++)
        for (unsigned owner = 0; owner < 8; owner++)
            for (unsigned middle = 0; middle < 256; middle++) {
                uint32_t of_owner = 0x80000000 | width << 30 | owner << 24 | middle << 16;
                static const uint16_t edges[] = { 0,    1,     9,     0xe,   0x1f,  0x20,   0x3f,   0x40,   0x50,
                                                  0x53, 0x10f, 0x110, 0x12f, 0x130, 0x7ffe, 0x7fff, 0x8000, 0xffff };

                for (unsigned n = 0; n < AVC_ARRAY_SIZE(edges); n++)
                    if (!is_psci(of_owner | edges[n]))
                        check_fid(of_owner | edges[n]);
            }
    for (unsigned n = 0; n < 100000; n++) {
        uint32_t fid = (uint32_t)random64();

        if (!is_psci(fid))
            check_fid(fid);
    }
}

/* A claim on all ids does not forward PSCI. The library answers it. */
static void psci_is_served_here(void **state)
{
    struct avc_exit *e;

    forward(0x80000000, UINT32_MAX, &audit, true);
    fake_on_smc = NULL;
    for (enum way way = HVC; way <= SMC; way++) {
        assert_int_equal(call(way, AVC_PSCI_VERSION, 0, 0, 0), 0x10001);
        assert_int_equal(call(way, AVC_PSCI_VERSION | JUNK, 0, 0, 0), 0x10001);
        assert_int_equal(call(way, AVC_PSCI_FEATURES, AVC_PSCI_SYSTEM_RESET, 0, 0), 0);
        assert_true(call(way, AVC_PSCI_SYSTEM_SUSPEND, 0x1000, 0, 0) == ~UINT64_C(0));
        assert_true(call(way, AVC_PSCI_SYSTEM_SUSPEND | AVC_SMC64, 0x1000, 0, 0) == ~UINT64_C(0));
        assert_true(call(way, AVC_PSCI_SYSTEM_RESET | SVE_HINT, 0, 0, 0) == ~UINT64_C(0));
        assert_int_equal(call(way, AVC_PSCI_CPU_ON | AVC_SMC64, 2, RAM, 0) & ~UINT64_C(0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(call(way, AVC_SMCCC_ARCH_WORKAROUND_2, 0, 0, 0), AVC_SMCCC_NOT_SUPPORTED);
        e = exit_of(way, AVC_PSCI_CPU_SUSPEND, 0, 0, 0);
        assert_int_equal(e->kind, AVC_CPU_SUSPEND);
    }
    assert_int_equal(steps, 0);
    e = exit_of(SMC, AVC_PSCI_SYSTEM_RESET, 0, 0, 0);
    assert_int_equal(e->kind, AVC_SYSTEM_RESET);
    assert_int_equal(fake_smc_calls, 0);
}

/* If the library's PSCI is not attached, the VM has no PSCI. It does not get the host's. */
static void psci_is_never_firmwares(void **state)
{
    forward(0, UINT32_MAX, &audit, false);
    fake_on_smc = NULL;
    for (enum way way = HVC; way <= SMC; way++)
        for (uint32_t n = 0; n < 0x40; n++) {
            assert_true(call(way, AVC_PSCI_VERSION + n, 0, 0, 0) == ~UINT64_C(0));
            assert_true(call(way, (AVC_PSCI_VERSION | AVC_SMC64) + n, 0, 0, 0) == ~UINT64_C(0));
        }
    assert_int_equal(steps, 0);
}

/* An HVC or SMC with an immediate is no call by SMCCC, so it is not forwarded. */
static void immediates(void **state)
{
    forward(0, UINT32_MAX, &audit, false);
    for (unsigned imm = 1; imm < 0x10000; imm <<= 1) {
        vcpus[0].x[0] = FID;
        avc_trap_call(&vcpus[0], esr_of(HVC, imm));
        assert_true(vcpus[0].x[0] == ~UINT64_C(0));
        vcpus[0].x[0] = FID;
        avc_trap_call(&vcpus[0], esr_of(SMC, imm));
        assert_true(vcpus[0].x[0] == ~UINT64_C(0));
    }
    assert_int_equal(fake_smc_calls, 0);
    assert_int_equal(steps, 0);
}

/*
 * Without EL3 an SMC is UNDEFINED, and EL2 would take the exception. So no call is forwarded, unless the host says that
 * it can be.
 */
static void no_el3(void **state)
{
    struct avc_hal knows = hal;

    knows.uses = AVC_HOST_SMC;
    forward(0, UINT32_MAX, &audit, false);
    vm.features.id[EL3_INDEX] &= ~UINT64_C(0xf000);
    fake_on_smc = NULL;
    assert_true(call(HVC, FID, 0, 0, 0) == ~UINT64_C(0));
    assert_true(call(SMC, FID, 0, 0, 0) == ~UINT64_C(0));
    assert_int_equal(steps, 0);
    pcpu.hal = &knows;
    check_fid(FID);
}

/* For an event that is no call, avc_to_firmware() sends no registers to EL3. */
static void calls_only(void **state)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = FID };

    forward(FID, FID, &audit, false);
    assert_int_equal(avc_to_firmware(&vcpus[0], &e, NULL), AVC_FAULT);
    assert_int_equal(fake_smc_calls, 0);
}

static void by_hand(void **state)
{
    uint64_t x[18] = { 10, [17] = 1 };

    forward(FID, FID, NULL, false);
    avc_smc(x);
    assert_int_equal(x[0], 30);
    assert_int_equal(x[17], 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),           cmocka_unit_test(parts_of_an_audit),
        cmocka_unit_test(audit_refuses),       cmocka_unit_test(never_forwarded),
        cmocka_unit_test(psci_is_served_here), cmocka_unit_test(psci_is_never_firmwares),
        cmocka_unit_test(immediates),          cmocka_unit_test(no_el3),
        cmocka_unit_test(calls_only),          cmocka_unit_test(by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
