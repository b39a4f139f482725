/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* HVC and SMC: keys, claims, and the fast path against the slow path. No call may reach firmware. */
#include "firmware.h"

#include "core/exit/call.h"
#include "core/claim/claim.h"

static struct avc_exit seen;
static unsigned times;

static enum avc_answer note(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    seen = *e;
    times++;
    return avc_done(e, (uintptr_t)ctx);
}

static void claim(uint32_t first, uint32_t last, avc_claim_fn *fn, uintptr_t ctx)
{
    struct avc_claim c = { AVC_CALL, first, last, fn, (void *)ctx };

    assert_int_equal(avc_vm_claim(&vm, &c), AVC_OK);
}

static int bare(void **state)
{
    make_vm();
    times = 0;
    return 0;
}

/* A call that nobody has claimed gets NOT_SUPPORTED, sign-extended, and does not exit. */
static void unknown_ids(void **state)
{
    load();
    for (unsigned n = 0; n < 20000; n++)
        assert_true(call(n % 2 ? HVC : SMC, random64(), random64(), random64(), random64()) == ~UINT64_C(0));
    for (uint64_t bit = 1; bit; bit <<= 1) {
        assert_true(call(HVC, bit, 0, 0, 0) == ~UINT64_C(0));
        assert_true(call(SMC, ~bit, 0, 0, 0) == ~UINT64_C(0));
    }
    assert_int_equal(fake_smc_calls, 0);
}

static void key_is_w0(void **state)
{
    claim(0xc2001234, 0xc2001234, note, 77);
    load();
    assert_int_equal(call(HVC, 0xc2001234, 1, 2, 3), 77);
    assert_int_equal(call(SMC, 0xc2001234 | JUNK, 1, 2, 3), 77);
    assert_int_equal(times, 2);
    assert_int_equal(seen.kind, AVC_CALL);
    assert_int_equal(seen.key, 0xc2001234);
    assert_int_equal(seen.pc, CALL_PC);
    assert_true(call(HVC, 0xc2001233, 0, 0, 0) == ~UINT64_C(0));
    assert_true(call(HVC, 0xc2001235, 0, 0, 0) == ~UINT64_C(0));
    assert_int_equal(times, 2);
}

static void immediate(void **state)
{
    claim(0, 9, note, 5);
    load();
    vcpus[0].x[0] = 3;
    avc_trap_call(&vcpus[0], esr_of(HVC, 0xea1));
    assert_int_equal(seen.imm, 0xea1);
    avc_trap_call(&vcpus[0], esr_of(SMC, 0xffff));
    assert_int_equal(seen.imm, 0xffff);
}

/* If the VMM gives no value, the guest gets NOT_SUPPORTED. The PC moves as for the instruction. */
static void vmm_answers(void **state)
{
    static const struct {
        enum avc_answer answer;
        uint64_t x0, hvc, smc; /* x0; the PC after HVC and after SMC, from CALL_PC */
    } rows[] = {
        { AVC_DONE, 42, 0, 4 },
        { AVC_FAULT, ~UINT64_C(0), 0, 4 },
        { AVC_RETRY, 0x8600ff00, -UINT64_C(4), 0 },
    };

    claim(0x8600ff00, 0x8600ff00, avc_to_vmm, 0);
    load();
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        for (enum way way = HVC; way <= SMC; way++) {
            struct avc_exit *e = exit_of(way, 0x8600ff00, 1, 2, 3);

            assert_int_equal(e->kind, AVC_CALL);
            assert_int_equal(e->answer, AVC_FAULT); /* the preset */
            assert_int_equal(avc_vcpu_gpr(&vcpus[0], 2), 2);
            e->value = 42;
            e->answer = rows[n].answer;
            avc_complete_saved(&vcpus[0], e);
            assert_true(vcpus[0].x[0] == rows[n].x0);
            assert_true(vcpus[0].pc == CALL_PC + (way == HVC ? rows[n].hvc : rows[n].smc));
        }
}

static void deny(void **state)
{
    claim(0x86000000, 0x8600ffff, avc_deny, 0);
    load();
    assert_true(call(HVC, 0x86000001, 0, 0, 0) == ~UINT64_C(0));
    assert_true(call(SMC, 0x86000001, 0, 0, 0) == ~UINT64_C(0));
}

/* The embedder's claims come before the library's, for each id. */
static void embedder_wins(void **state)
{
    claim(AVC_PSCI_VERSION, AVC_PSCI_VERSION, note, 99);
    claim(AVC_PSCI_SYSTEM_OFF, AVC_PSCI_SYSTEM_OFF, avc_deny, 0);
    assert_int_equal(avc_psci_attach(&vm), AVC_OK);
    load();
    assert_int_equal(call(HVC, AVC_PSCI_VERSION, 0, 0, 0), 99);
    assert_true(call(HVC, AVC_PSCI_SYSTEM_OFF, 0, 0, 0) == ~UINT64_C(0));
    assert_int_equal(call(HVC, AVC_PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
    assert_int_equal(call(HVC, AVC_PSCI_AFFINITY_INFO, 0, 0, 0), AVC_PSCI_AFF_ON);
}

/* For random sets of claims the fast path finds the claim that avc_claim_find() finds. */
static void fast_path_finds_the_same(void **state)
{
    for (unsigned round = 0; round < 40; round++) {
        uint64_t at = 0;
        unsigned wanted = round < 8 ? round : 1u << (round % 10), made = 0;

        make_vm();
        assert_int_equal(avc_psci_attach(&vm), AVC_OK);
        while (made < wanted) {
            uint64_t gap = random64() >> (32 + random64() % 30), size = random64() >> (32 + random64() % 32);

            if (round % 3 == 0)
                at = at < 0x86000000 ? 0x86000000 : at, gap &= 7, size &= 7; /* many ids in one bucket of the index */
            if (at + gap + size > UINT32_MAX)
                break;
            claim((uint32_t)(at + gap), (uint32_t)(at + gap + size), note, made);
            at += gap + size + 1;
            made++;
        }
        load();
        for (unsigned n = 0; n < 2000; n++) {
            const struct avc_claim *c = &vm.claims[random64() % (vm.nr_claims ? vm.nr_claims : 1)], *found;
            uint32_t fid = (uint32_t)random64();
            enum avc_result result;

            if (n % 2)
                fid = (uint32_t)(random64() % 2 ? c->first : c->last) + (uint32_t)(random64() % 3) - 1;
            found = avc_claim_find(&vm, AVC_CALL, fid);
            if (found && found->kind & AVC_CLAIM_FAST)
                continue; /* other tests check the library's own answers */
            vcpus[0].x[0] = fid;
            fake_cpu->reg[FAKE_ESR_EL2] = esr_of(HVC, 0);
            result = avc_trap_hvc(&vcpus[0], esr_of(HVC, 0));
            if (found || result == AVC_SLOW) { /* if there are too many wide claims, the fast path says SLOW */
                assert_true(result == AVC_SLOW || (result == AVC_ASK && vcpus[0].asked == found));
                assert_int_equal(vcpus[0].x[0], fid);
            } else {
                assert_int_equal(result, AVC_RESUME);
                assert_true(vcpus[0].x[0] == ~UINT64_C(0));
            }
            if (!found && wanted <= 4)
                assert_int_equal(result, AVC_RESUME);
        }
    }
}

/* With a thousand claims of the embedder's around PSCI's, PSCI stays on the fast path, and lists stay short. */
static void crowded(void **state)
{
    for (uint32_t n = 0; n < 500; n++) {
        claim(0x86000000 + 4 * n, 0x86000001 + 4 * n, note, n);
        claim(n << 22, n << 22, note, n);
    }
    assert_int_equal(avc_psci_attach(&vm), AVC_OK);
    load();
    assert_int_equal(call(HVC, AVC_PSCI_VERSION, 0, 0, 0), 0x10001);
    for (uint32_t n = 0; n < 500; n++) {
        assert_int_equal(call(HVC, 0x86000001 + 4 * n, 0, 0, 0), n);
        assert_true(call(HVC, 0x86000002 + 4 * n, 0, 0, 0) == ~UINT64_C(0));
        assert_int_equal(call(HVC, n << 22, 0, 0, 0), n);
    }
    vcpus[0].x[0] = AVC_PSCI_VERSION;
    assert_int_equal(avc_trap_hvc(&vcpus[0], esr_of(HVC, 0)), AVC_RESUME);
    vcpus[0].x[0] = AVC_PSCI_VERSION | AVC_SMC64;
    assert_int_equal(avc_trap_hvc(&vcpus[0], esr_of(HVC, 0)), AVC_RESUME);
}

/* The fast path counts a call once. */
static void counted(void **state)
{
    uint64_t before;

    load();
    before = vcpus[0].nr_traps[0x16];
    vcpus[0].x[0] = 0;
    avc_trap_hvc(&vcpus[0], esr_of(HVC, 0));
    assert_int_equal(vcpus[0].nr_traps[0x16], before + 1);
}

/* A claim on the exception class sees calls first, and only those of its class. */
static void class_claims_come_first(void **state)
{
    struct avc_claim c = { AVC_CLASS, 0x16, 0x16, note, NULL };

    load();
    assert_ptr_equal(vcpus[0].dispatch, avc_trap_rows);
    make_vm();
    assert_int_equal(avc_vm_claim(&vm, &c), AVC_OK);
    load();
    assert_ptr_equal(vcpus[0].dispatch[0x16].slow, avc_trap_claimed);
    assert_ptr_equal(vcpus[0].dispatch[0x17].fn, avc_trap_smc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unknown_ids, bare),
        cmocka_unit_test_setup(key_is_w0, bare),
        cmocka_unit_test_setup(immediate, bare),
        cmocka_unit_test_setup(vmm_answers, bare),
        cmocka_unit_test_setup(deny, bare),
        cmocka_unit_test_setup(embedder_wins, bare),
        cmocka_unit_test_setup(fast_path_finds_the_same, bare),
        cmocka_unit_test_setup(crowded, bare),
        cmocka_unit_test_setup(counted, bare),
        cmocka_unit_test_setup(class_claims_come_first, bare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
