/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The architecture calls of SMCCC 1.2, and the random number interface. */
#include "firmware.h"

#define FOR_EACH_WAY(w) for (enum way w = HVC; w <= SMC; w++)

static int64_t features(enum way way, uint64_t fid)
{
    return (int64_t)call(way, JUNK | AVC_SMCCC_ARCH_FEATURES, JUNK | fid, random64(), random64());
}

static void versions(void **state)
{
    FOR_EACH_WAY(w)
    {
        assert_int_equal(call(w, AVC_SMCCC_VERSION, 0, 0, 0), 0x10002);
        assert_int_equal(features(w, AVC_SMCCC_VERSION), 0);
        assert_int_equal(features(w, AVC_SMCCC_ARCH_FEATURES), 0);
        assert_int_equal(features(w, AVC_SMCCC_ARCH_SOC_ID), -1);
        assert_int_equal((int64_t)call(w, AVC_SMCCC_ARCH_SOC_ID, 0, 0, 0), -1);
        assert_int_equal((int64_t)call(w, AVC_SMCCC_VERSION | AVC_SMC64, 0, 0, 0), -1);
        assert_int_equal((int64_t)call(w, AVC_SMCCC_ARCH_FEATURES | AVC_SMC64, AVC_SMCCC_VERSION, 0, 0), -1);
        assert_int_equal((int64_t)call(w, 0x8600ff01, 0, 0, 0), -1); /* UID of a vendor-specific hypervisor service */
        for (unsigned n = 0; n < 2000; n++) {
            uint32_t fid = (uint32_t)random64();

            if (!function_of(fid) || function_of(fid)->family != SMCCC)
                assert_answer(features(w, fid), -1, fid);
        }
        for (size_t n = 0; n < AVC_ARRAY_SIZE(functions); n++)
            if (functions[n].family != SMCCC)
                assert_answer(features(w, functions[n].id), -1, functions[n].id);
    }
}

static const uint32_t ids[] = { 0, AVC_SMCCC_ARCH_WORKAROUND_1, AVC_SMCCC_ARCH_WORKAROUND_2,
                                AVC_SMCCC_ARCH_WORKAROUND_3 };
static uint64_t firmware_saw[18];

static void firmware(uint64_t x[18])
{
    memcpy(firmware_saw, x, sizeof firmware_saw);
    for (unsigned n = 0; n < 18; n++) /* firmware may destroy all of them */
        x[n] = random64();
}

/* The guest gets the truth about firmware, for each of the three workarounds by itself. */
static void workarounds(void **state)
{
    static const struct {
        int64_t one_and_three, two; /* ARCH_FEATURES */
    } rows[] = {
        [AVC_WORKAROUND_UNKNOWN] = { -1, -1 },
        [AVC_WORKAROUND_CALL] = { 0, 1 },
        [AVC_WORKAROUND_NOT_HERE] = { 1, 1 },
        [AVC_WORKAROUND_NOT_REQUIRED] = { 0, -2 },
    };

    FOR_EACH_WAY(w)
    for (uint32_t all = 0; all < 64; all++) {
        vm.features.workarounds = all;
        avc_index_seal(&vm); /* it reads the features */
        for (unsigned n = 1; n <= 3; n++) {
            enum avc_workaround is = avc_workaround_of(all, n);
            int64_t offer = n == 2 ? rows[is].two : rows[is].one_and_three;
            unsigned before = fake_smc_calls;

            if (is == AVC_WORKAROUND_NOT_REQUIRED && n != 2)
                continue; /* firmware cannot answer this */
            fake_on_smc = NULL;
            assert_int_equal(features(w, ids[n]), offer);
            if (offer == 0)
                fake_on_smc = firmware;
            /* Only x0 changes, and firmware sees nothing of the guest's registers. */
            assert_int_equal((int64_t)call(w, JUNK | ids[n], random64(), random64(), random64()),
                             is == AVC_WORKAROUND_UNKNOWN ? -1 : 0);
            assert_int_equal(fake_smc_calls - before, offer == 0);
            if (offer == 0) {
                assert_int_equal(firmware_saw[0], ids[n]);
                for (unsigned i = 1; i < 18; i++)
                    assert_int_equal(firmware_saw[i], 0);
            }
        }
    }
}

/* ---- TRNG ---- */

static void trng_absent(void **state)
{
    vm.features.has &= ~AVC_BIT(AVC_FEAT_RNDR);
    avc_index_seal(&vm);
    fake_rndr_left = 1000;
    FOR_EACH_WAY(w)
    {
        for (uint32_t fid = AVC_TRNG_VERSION; fid <= AVC_TRNG_LAST; fid++) {
            assert_int_equal((int64_t)call(w, fid, 32, 0, 0), -1);
            assert_int_equal((int64_t)call(w, fid | AVC_SMC64, 32, 0, 0), -1);
        }
    }
    assert_int_equal(fake_rndr_left, 1000);
}

static int with_rndr(void **state)
{
    setup(state);
    vm.features.has |= AVC_BIT(AVC_FEAT_RNDR);
    avc_index_seal(&vm);
    return 0;
}

static void trng_discovery(void **state)
{
    FOR_EACH_WAY(w)
    {
        uint64_t x[31] = { AVC_TRNG_GET_UUID };

        assert_int_equal(call(w, AVC_TRNG_VERSION, 0, 0, 0), 0x10000);
        for (uint32_t n = 0; n < 16; n++)
            for (unsigned wide = 0; wide < 2; wide++) {
                uint32_t fid = (AVC_TRNG_VERSION + n) | (wide ? AVC_SMC64 : 0);
                bool offered = function_of(fid) && function_of(fid)->offered == RNDR;

                assert_answer((int64_t)call(w, AVC_TRNG_FEATURES, JUNK | fid, 0, 0), offered ? 0 : -1, fid);
                if (!offered)
                    assert_answer((int64_t)call(w, fid, 0, 0, 0), -1, fid);
            }
        assert_int_equal((int64_t)call(w, AVC_TRNG_FEATURES, AVC_PSCI_VERSION, 0, 0), -1);
        call_with(w, x);
        for (unsigned n = 0; n < 4; n++)
            assert_true(x[n] <= UINT32_MAX);
        assert_true(x[0] != UINT32_MAX);       /* would read as NOT_SUPPORTED */
        assert_int_equal(x[1] >> 12 & 0xf, 4); /* random UUID */
        assert_int_equal(x[2] >> 30, 2);
    }
}

/* The registers hold at most `bits` bits, the lowest in x3. The words are the generator's, in order. */
static void trng_random(void **state)
{
    FOR_EACH_WAY(w)
    for (unsigned width = 32; width <= 64; width += 32)
        for (unsigned bits = 1; bits <= 3 * width; bits++) {
            uint32_t fid = AVC_TRNG_RND | (width == 64 ? AVC_SMC64 : 0);
            uint64_t x[31] = { fid, bits | (width == 32 ? JUNK : 0), JUNK, JUNK };
            unsigned words = (bits + width - 1) / width;
            uint64_t expect;

            fake_smc_reset();
            fake_rndr_left = words; /* it must take no more than it needs */
            fake_rndr_next |= UINT64_C(0x8000000080000000);
            expect = fake_rndr_next;
            call_with(w, x);
            assert_int_equal(x[0], 0);
            assert_int_equal(fake_rndr_left, 0);
            for (unsigned n = 0; n < 3; n++) {
                unsigned left = bits > n * width ? bits - n * width : 0;
                uint64_t mask = left == 0 ? 0 : ~UINT64_C(0) >> (64 - (left < width ? left : width));

                assert_true(x[3 - n] == (expect & mask));
                expect = expect * UINT64_C(6364136223846793005) + 1442695040888963407;
            }
        }
}

static void trng_errors(void **state)
{
    static const struct {
        uint32_t fid;
        uint64_t bits;
        unsigned left;
        int64_t result;
    } rows[] = {
        { AVC_TRNG_RND, 0, 100, -2 },
        { AVC_TRNG_RND, JUNK, 100, -2 },
        { AVC_TRNG_RND, 97, 100, -2 },
        { AVC_TRNG_RND, 0xffffffff, 100, -2 },
        { AVC_TRNG_RND | AVC_SMC64, 0, 100, -2 },
        { AVC_TRNG_RND | AVC_SMC64, 193, 100, -2 },
        { AVC_TRNG_RND | AVC_SMC64, JUNK | 64, 100, -2 },
        { AVC_TRNG_RND | AVC_SMC64, ~UINT64_C(0), 100, -2 },
        { AVC_TRNG_RND, 32, 0, -3 },
        { AVC_TRNG_RND, 96, 2, -3 },
        { AVC_TRNG_RND | AVC_SMC64, 192, 2, -3 },
        { AVC_TRNG_RND | AVC_SMC64, 65, 1, -3 },
    };

    FOR_EACH_WAY(w)
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        uint64_t x[31] = { rows[n].fid, rows[n].bits, random64(), random64(), 7 };

        fake_rndr_left = rows[n].left;
        call_with(w, x);
        assert_int_equal((int64_t)x[0], rows[n].result);
        assert_true(x[1] == 0 && x[2] == 0 && x[3] == 0);
        assert_int_equal(x[4], 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(versions, setup),        cmocka_unit_test_setup(workarounds, setup),
        cmocka_unit_test_setup(trng_absent, setup),     cmocka_unit_test_setup(trng_discovery, with_rndr),
        cmocka_unit_test_setup(trng_random, with_rndr), cmocka_unit_test_setup(trng_errors, with_rndr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
