/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* PSCI 1.1: every function in both widths, every error, and junk in the upper halves that 32-bit callers may leave. */
#include "firmware.h"

#include <pthread.h>
#include "core/object/request.h"
#include "core/policy/sysreg.h"

#define FOR_EACH_WAY(w) for (enum way w = HVC; w <= SMC; w++)

/* Returns the result as a caller of the 32-bit form reads it, and checks that it is the same in 64 bits. */
static int64_t psci(enum way way, uint32_t fid, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t clean = (int64_t)call(way, fid, a, b, c);

    assert_true(clean == (int32_t)clean); /* sign-extended in both forms */
    return clean;
}

/* ---- which functions exist ---- */

/* The numbers of the specifications. A wrong row of avc/psci.def is found here. */
static void ids(void **state)
{
    static const struct {
        uint32_t id, wanted;
    } pinned[] = {
        { AVC_PSCI_VERSION, 0x84000000 },       { AVC_PSCI_CPU_ON | AVC_SMC64, 0xc4000003 },
        { AVC_PSCI_AFFINITY_INFO, 0x84000004 }, { AVC_PSCI_SYSTEM_OFF, 0x84000008 },
        { AVC_PSCI_FEATURES, 0x8400000a },      { AVC_PSCI_SYSTEM_RESET2 | AVC_SMC64, 0xc4000012 },
        { AVC_SMCCC_VERSION, 0x80000000 },      { AVC_SMCCC_ARCH_WORKAROUND_1, 0x80008000 },
        { AVC_TRNG_VERSION, 0x84000050 },       { AVC_TRNG_RND | AVC_SMC64, 0xc4000053 },
    };
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        [PSCI] = { AVC_PSCI_VERSION, AVC_PSCI_LAST },
        [SMCCC] = { AVC_SMCCC_VERSION, AVC_SMCCC_ARCH_LAST },
        [TRNG] = { AVC_TRNG_VERSION, AVC_TRNG_LAST },
    };

    assert_true(AVC_PSCI_NOT_SUPPORTED == AVC_SMCCC_NOT_SUPPORTED && AVC_TRNG_NOT_SUPPORTED == AVC_SMCCC_NOT_SUPPORTED);
    for (size_t n = 0; n < AVC_ARRAY_SIZE(pinned); n++)
        assert_int_equal(pinned[n].id, pinned[n].wanted);
    for (size_t n = 0; n < AVC_ARRAY_SIZE(functions); n++) {
        const struct function *f = &functions[n];

        assert_in_range(f->id, ranges[f->family].first, ranges[f->family].last);
        assert_ptr_equal(function_of(f->widths == SMC64 ? f->id | AVC_SMC64 : f->id), f); /* no other row has this id */
    }
}

static bool is_offered(uint32_t fid)
{
    const struct function *f = function_of(fid);

    return f && f->family == PSCI && f->offered != NEVER;
}

static void features(void **state)
{
    FOR_EACH_WAY(w)
    {
        for (uint32_t n = 0; n < 32; n++)
            for (unsigned wide = 0; wide < 2; wide++) {
                uint32_t fid = (AVC_PSCI_VERSION + n) | (wide ? AVC_SMC64 : 0);
                int64_t wanted = is_offered(fid) ? AVC_PSCI_SUCCESS : AVC_PSCI_NOT_SUPPORTED;

                assert_answer(psci(w, AVC_PSCI_FEATURES, fid, 0, 0), wanted, fid);
                assert_answer(psci(w, AVC_PSCI_FEATURES, JUNK | fid, JUNK, JUNK), wanted, fid);
            }
        assert_int_equal(psci(w, AVC_PSCI_FEATURES, AVC_SMCCC_VERSION, 0, 0), 0);
        assert_int_equal(psci(w, AVC_PSCI_FEATURES, AVC_SMCCC_ARCH_FEATURES, 0, 0), -1);
        assert_int_equal(psci(w, AVC_PSCI_FEATURES, AVC_TRNG_VERSION, 0, 0), -1);
        for (unsigned n = 0; n < 2000; n++) {
            uint32_t fid = (uint32_t)random64();

            if (fid != AVC_SMCCC_VERSION)
                assert_answer(psci(w, AVC_PSCI_FEATURES, fid, 0, 0), is_offered(fid) ? 0 : -1, fid);
        }
    }
}

/* FEATURES tells the truth: a function that it denies returns NOT_SUPPORTED, and one that it offers does not. */
static void offered(void **state)
{
    FOR_EACH_WAY(w)
    for (uint32_t n = 0; n < 32; n++)
        for (unsigned wide = 0; wide < 2; wide++) {
            uint32_t fid = (AVC_PSCI_VERSION + n) | (wide ? AVC_SMC64 : 0);
            uint64_t x[31] = { fid, AVC_PSCI_VERSION }, back = call_with(w, x);

            assert_answer(back == AVC_RESUME && (int64_t)x[0] == AVC_PSCI_NOT_SUPPORTED, !is_offered(fid), fid);
            if (back == AVC_LEAVE)
                avc_complete_saved(&vcpus[0], &vcpus[0].exit);
            vcpus[0].power = AVC_POWER_ON;
            vcpus[0].requests = 0;
        }
    for (unsigned n = 0; n < NR_VCPUS; n++)
        assert_int_equal(vcpus[n].power, n ? AVC_POWER_OFF : AVC_POWER_ON);
}

static void constants(void **state)
{
    FOR_EACH_WAY(w)
    {
        assert_int_equal(psci(w, AVC_PSCI_VERSION, random64(), random64(), 0), 0x10001);
        assert_int_equal(call(w, JUNK | AVC_PSCI_VERSION, 0, 0, 0), 0x10001);
        assert_int_equal(psci(w, AVC_PSCI_MIGRATE_INFO_TYPE, random64(), 0, 0), 2);
    }
}

/* ---- AFFINITY_INFO ---- */

static void affinity_info(void **state)
{
    static const struct {
        enum avc_power power;
        int info;
    } rows[] = {
        { AVC_POWER_OFF, AVC_PSCI_AFF_OFF },
        { AVC_POWER_CLAIMED, AVC_PSCI_AFF_ON_PENDING },
        { AVC_POWER_PENDING, AVC_PSCI_AFF_ON_PENDING },
        { AVC_POWER_ON, AVC_PSCI_AFF_ON },
    };
    const uint32_t id32 = AVC_PSCI_AFFINITY_INFO, id64 = id32 | AVC_SMC64;

    FOR_EACH_WAY(w)
    for (unsigned n = 0; n < NR_VCPUS; n++) {
        for (unsigned i = 0; i < AVC_ARRAY_SIZE(rows); i++) {
            vcpus[n].power = rows[i].power;
            assert_int_equal(psci(w, id64, mpidrs[n], 0, random64()), rows[i].info);
            assert_int_equal(psci(w, id64, mpidrs[n], JUNK, 0), rows[i].info);
            if (!(mpidrs[n] >> 32)) /* Aff3 does not fit into 32 bits */
                assert_int_equal(psci(w, id32, JUNK | mpidrs[n], JUNK, 0), rows[i].info);
            vcpus[n].power = n ? AVC_POWER_OFF : AVC_POWER_ON;
        }
        /* Affinity levels above 0 are not offered. */
        for (unsigned level = 1; level < 40; level++)
            assert_int_equal(psci(w, id64, mpidrs[n], level, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id64, mpidrs[n], 0xffffffff, 0), AVC_PSCI_INVALID_PARAMETERS);
        /* Reserved bits must be 0. */
        for (unsigned bit = 24; bit < 64; bit = bit == 31 ? 40 : bit + 1)
            assert_int_equal(psci(w, id64, mpidrs[n] | UINT64_C(1) << bit, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
        for (unsigned bit = 24; bit < 32; bit++)
            assert_int_equal(psci(w, id32, (uint32_t)mpidrs[n] | 1u << bit, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
    }
    FOR_EACH_WAY(w)
    { /* no vCPU has this MPIDR */
        assert_int_equal(psci(w, id64, 2, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id64, 0x100, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id32, 3, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id64, 0x1000000000, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
    }
}

/* A destroyed vCPU does not exist, whatever bits are set in the target. The last vCPU has Aff0 = 15. */
static void destroyed(void **state)
{
    static const uint64_t targets[] = { 15, MPIDR_AFFINITY, ~UINT64_C(0), ~UINT64_C(0) << 4 | 15, UINT32_MAX };
    uint64_t before = mpidrs[3];

    mpidrs[3] = 15;
    setup(state);
    mpidrs[3] = before;
    assert_int_equal(psci(HVC, AVC_PSCI_AFFINITY_INFO, 15, 0, 0), AVC_PSCI_AFF_OFF);
    assert_int_equal(avc_vcpu_destroy(&vcpus[3]), AVC_OK);
    FOR_EACH_WAY(w)
    for (size_t n = 0; n < AVC_ARRAY_SIZE(targets); n++)
        for (unsigned wide = 0; wide < 2; wide++) {
            uint32_t form = wide ? AVC_SMC64 : 0;

            assert_int_equal(psci(w, AVC_PSCI_AFFINITY_INFO | form, targets[n], 0, 0), AVC_PSCI_INVALID_PARAMETERS);
            assert_int_equal(psci(w, AVC_PSCI_CPU_ON | form, targets[n], RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        }
    assert_int_equal(vcpus[3].power, AVC_POWER_GONE);
    assert_false(avc_vcpu_power_on(&vcpus[3], RAM, 0));
}

/* ---- CPU_ON ---- */

static void cpu_on(void **state)
{
    FOR_EACH_WAY(w)
    for (unsigned n = 1; n < NR_VCPUS; n++)
        for (unsigned wide = 0; wide < 2; wide++) {
            uint32_t fid = AVC_PSCI_CPU_ON | (wide ? AVC_SMC64 : 0);
            uint64_t context = random64(), junk = wide ? 0 : JUNK;

            if (!wide && mpidrs[n] >> 32)
                continue;
            vcpus[n].power = AVC_POWER_OFF;
            vcpus[n].requests = 0;
            woken[n] = 0;
            assert_int_equal(psci(w, fid, junk | mpidrs[n], junk | (RAM + 0x1000), context), AVC_PSCI_SUCCESS);
            assert_int_equal(vcpus[n].power, AVC_POWER_PENDING);
            assert_int_equal(vcpus[n].start_pc, RAM + 0x1000);
            assert_int_equal(vcpus[n].start_x0, wide ? context : (uint32_t)context);
            assert_int_equal(woken[n], 1);
            assert_true(avc_vcpu_has_work(&vcpus[n]));

            assert_int_equal(psci(w, fid, mpidrs[n], RAM, 0), AVC_PSCI_ON_PENDING);
            vcpus[n].power = AVC_POWER_CLAIMED;
            assert_int_equal(psci(w, fid, mpidrs[n], RAM, 0), AVC_PSCI_ON_PENDING);
            vcpus[n].power = AVC_POWER_ON;
            assert_int_equal(psci(w, fid, mpidrs[n], RAM, 0), AVC_PSCI_ALREADY_ON);
            assert_int_equal(vcpus[n].start_pc, RAM + 0x1000); /* the calls that failed have not changed it */
            assert_int_equal(woken[n], 1);
        }
    assert_int_equal(psci(HVC, AVC_PSCI_CPU_ON, 0, RAM, 0), AVC_PSCI_ALREADY_ON); /* itself */
}

static void cpu_on_bad_target(void **state)
{
    const uint32_t id32 = AVC_PSCI_CPU_ON, id64 = id32 | AVC_SMC64;

    FOR_EACH_WAY(w)
    {
        for (unsigned bit = 24; bit < 64; bit = bit == 31 ? 40 : bit + 1)
            assert_int_equal(psci(w, id64, 1 | UINT64_C(1) << bit, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        for (unsigned bit = 24; bit < 32; bit++)
            assert_int_equal(psci(w, id32, 1 | 1u << bit, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id64, 2, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id64, 0x3, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, id32, 3, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
    }
    for (unsigned n = 1; n < NR_VCPUS; n++)
        assert_int_equal(vcpus[n].power, AVC_POWER_OFF);
}

/* Entry points from which nothing can be fetched: outside of memory, in a device, not aligned, beyond the IPA space. */
static const uint64_t bad_entries[] = {
    0,       RAM - 4, RAM + RAM_SIZE,    UART,         RAM + 1,
    RAM + 2, RAM + 3, UINT64_C(1) << 40, ~UINT64_C(3), UINT64_C(0xffff000040000000)
};

static void cpu_on_bad_entry(void **state)
{
    FOR_EACH_WAY(w)
    {
        for (unsigned n = 0; n < AVC_ARRAY_SIZE(bad_entries); n++)
            assert_int_equal(psci(w, AVC_PSCI_CPU_ON | AVC_SMC64, 1, bad_entries[n], 0), AVC_PSCI_INVALID_ADDRESS);
        assert_int_equal(psci(w, AVC_PSCI_CPU_ON, 1, UART, 0), AVC_PSCI_INVALID_ADDRESS);
        assert_int_equal(vcpus[1].power, AVC_POWER_OFF);
        assert_int_equal(psci(w, AVC_PSCI_CPU_ON | AVC_SMC64, 1, RAM + RAM_SIZE - 4, 0), AVC_PSCI_SUCCESS);
        vcpus[1].power = AVC_POWER_OFF;
    }
}

/* Two CPUs switch on the same vCPU. One call wins, and its start state counts. */
static pthread_barrier_t barrier;
static unsigned winners;

static void *racer(void *arg)
{
    for (unsigned round = 0; round < 2000; round++) {
        pthread_barrier_wait(&barrier);
        if (avc_vcpu_power_on(&vcpus[1], (uintptr_t)arg, (uintptr_t)arg))
            __atomic_fetch_add(&winners, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void cpu_on_race(void **state)
{
    pthread_t threads[2];

    pthread_barrier_init(&barrier, NULL, 3);
    for (uintptr_t n = 0; n < 2; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, racer, (void *)(n + 1)), 0);
    for (unsigned round = 0; round < 2000; round++) {
        vcpus[1].power = AVC_POWER_OFF;
        winners = 0;
        fake_log_clear();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        assert_int_equal(winners, 1);
        assert_int_equal(vcpus[1].power, AVC_POWER_PENDING);
        assert_int_equal(vcpus[1].start_pc, vcpus[1].start_x0);
    }
    for (unsigned n = 0; n < 2; n++)
        pthread_join(threads[n], NULL);
    pthread_barrier_destroy(&barrier);
}

/* ---- CPU_OFF, SYSTEM_... ---- */

static void cpu_off(void **state)
{
    FOR_EACH_WAY(w)
    {
        struct avc_exit *e = exit_of(w, AVC_PSCI_CPU_OFF | JUNK, 1, 2, 3);

        assert_int_equal(e->kind, AVC_CPU_OFF);
        assert_int_equal(vcpus[0].power, AVC_POWER_OFF);
        assert_true(vcpus[0].requests & AVC_REQUEST_POWER);
        /* After it has asked, it can be switched on again, even before the VMM has looked. */
        assert_true(avc_vcpu_power_on(&vcpus[0], RAM, 7));
        avc_complete_saved(&vcpus[0], e);
        vcpus[0].power = AVC_POWER_ON;
        vcpus[0].requests = 0;
    }
}

static void system_end(void **state)
{
    static const struct {
        uint32_t fid;
        enum avc_kind kind;
        uint64_t type, cookie, value, arg;
    } rows[] = {
        { AVC_PSCI_SYSTEM_OFF, AVC_SYSTEM_OFF, 5, 6, 0, 0 },
        { AVC_PSCI_SYSTEM_RESET, AVC_SYSTEM_RESET, 5, 6, 0, 0 },
        { AVC_PSCI_SYSTEM_RESET2, AVC_SYSTEM_RESET, JUNK, JUNK | 9, 0, 9 },
        { AVC_PSCI_SYSTEM_RESET2, AVC_SYSTEM_RESET, 0x80000000, 0xffffffff, 0x80000000, 0xffffffff },
        { AVC_PSCI_SYSTEM_RESET2 | AVC_SMC64, AVC_SYSTEM_RESET, 0, JUNK | 9, 0, JUNK | 9 },
        { AVC_PSCI_SYSTEM_RESET2 | AVC_SMC64, AVC_SYSTEM_RESET, JUNK | 0x80000001, 0, 0x80000001, 0 },
    };

    FOR_EACH_WAY(w)
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        struct avc_exit *e = exit_of(w, JUNK | rows[n].fid, rows[n].type, rows[n].cookie, 0);

        assert_int_equal(e->kind, rows[n].kind);
        assert_int_equal(e->key, rows[n].fid);
        assert_int_equal(e->value, rows[n].value);
        assert_int_equal(e->arg, rows[n].arg);
        /* A VMM that ignores the exit must not make the call return. */
        assert_int_equal(vcpus[0].power, AVC_POWER_OFF);
        vcpus[0].power = AVC_POWER_ON;
        vcpus[0].requests = 0;
    }
    FOR_EACH_WAY(w)
    for (uint64_t type = 1; type < AVC_PSCI_RESET_VENDOR; type <<= 1) {
        assert_int_equal(psci(w, AVC_PSCI_SYSTEM_RESET2, type, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, AVC_PSCI_SYSTEM_RESET2 | AVC_SMC64, JUNK | type, 0, 0), AVC_PSCI_INVALID_PARAMETERS);
    }
}

/* ---- CPU_SUSPEND ---- */

static void standby(void **state)
{
    FOR_EACH_WAY(w)
    for (unsigned wide = 0; wide < 2; wide++)
        for (uint32_t level = 0; level < 3; level++) {
            uint32_t power_state = level << 24 | 0x1234;
            /* Entry point and context id are ignored. */
            struct avc_exit *e = exit_of(w, AVC_PSCI_CPU_SUSPEND | (wide ? AVC_SMC64 : 0), JUNK | power_state, 1, 2);

            assert_int_equal(e->kind, AVC_CPU_SUSPEND);
            assert_int_equal(e->key, power_state);
            assert_true(e->value == ~UINT64_C(0)); /* no timer is set */
            assert_int_equal(e->answer, AVC_DONE);
            avc_complete_saved(&vcpus[0], e);
            assert_int_equal(vcpus[0].x[0], 0);
            assert_int_equal(vcpus[0].pc, w == HVC ? CALL_PC : CALL_PC + 4);
            assert_int_equal(vcpus[0].power, AVC_POWER_ON);
        }
}

static void powerdown(void **state)
{
    FOR_EACH_WAY(w)
    for (unsigned wide = 0; wide < 2; wide++) {
        uint32_t fid = AVC_PSCI_CPU_SUSPEND | (wide ? AVC_SMC64 : 0);
        uint64_t junk = wide ? 0 : JUNK, sctlr = UINT64_C(0x3000000034f4d91d) | AVC_BIT(25);
        struct avc_exit *e;

        avc_ctx_set(&vcpus[0], AVC_CTX_SCTLR_EL1, sctlr);
        e = exit_of(w, fid, JUNK | AVC_PSCI_STATE_POWERDOWN | 3, junk | (RAM + 0x40), JUNK | 5);
        assert_int_equal(e->kind, AVC_CPU_SUSPEND);
        assert_int_equal(e->key, AVC_PSCI_STATE_POWERDOWN | 3);
        avc_complete_saved(&vcpus[0], e);
        assert_int_equal(vcpus[0].pc, RAM + 0x40);
        assert_int_equal(vcpus[0].pstate, 0x3c5);
        assert_true(vcpus[0].x[0] == (wide ? JUNK | 5 : 5));
        assert_true(avc_ctx_get(&vcpus[0], AVC_CTX_SCTLR_EL1) == (sctlr & ~UINT64_C(0x1005)));
        assert_int_equal(vcpus[0].power, AVC_POWER_ON); /* AFFINITY_INFO says ON for a CPU that sleeps */
    }
}

static void suspend_errors(void **state)
{
    FOR_EACH_WAY(w)
    for (unsigned wide = 0; wide < 2; wide++) {
        uint32_t fid = AVC_PSCI_CPU_SUSPEND | (wide ? AVC_SMC64 : 0);

        for (unsigned bit = 17; bit < 32; bit++)
            if (bit != 24 && bit != 25)
                assert_int_equal(psci(w, fid, 1u << bit, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, fid, 0x03000000, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        assert_int_equal(psci(w, fid, 0x03010000, RAM, 0), AVC_PSCI_INVALID_PARAMETERS);
        for (unsigned n = 0; n < AVC_ARRAY_SIZE(bad_entries); n++)
            if (wide || bad_entries[n] <= UINT32_MAX)
                assert_int_equal(psci(w, fid, AVC_PSCI_STATE_POWERDOWN, bad_entries[n], 0), AVC_PSCI_INVALID_ADDRESS);
    }
}

/* With work pending, both kinds of suspend return at once, and no power-down takes place. */
static void suspend_with_work(void **state)
{
    FOR_EACH_WAY(w)
    {
        uint64_t sctlr = 0x1005;

        avc_ctx_set(&vcpus[0], AVC_CTX_SCTLR_EL1, sctlr);
        vcpus[0].irq_line = true;
        assert_int_equal(psci(w, AVC_PSCI_CPU_SUSPEND, 0, 0, 0), AVC_PSCI_SUCCESS);
        assert_int_equal(psci(w, AVC_PSCI_CPU_SUSPEND, AVC_PSCI_STATE_POWERDOWN, RAM, 0), AVC_PSCI_SUCCESS);
        assert_int_equal(avc_ctx_get(&vcpus[0], AVC_CTX_SCTLR_EL1), sctlr);
        vcpus[0].irq_line = false;
    }
}

/* ---- attaching ---- */

static void attach_errors(void **state)
{
    static struct avc_vm blank;
    uint32_t max;

    assert_int_equal(avc_psci_attach(NULL), AVC_EINVAL);
    assert_int_equal(avc_psci_attach(&blank), AVC_ENOENT);
    assert_int_equal(avc_psci_attach(&vm), AVC_ESEALED);
    make_vm();
    max = vm.max_claims;
    for (uint32_t n = 0; n < 5; n++) { /* all or nothing */
        vm.max_claims = n;
        assert_int_equal(avc_psci_attach(&vm), AVC_ENOMEM);
        assert_int_equal(vm.nr_builtin, 0);
    }
    vm.max_claims = max;
    assert_int_equal(avc_psci_attach(&vm), AVC_OK);
    assert_int_equal(avc_psci_attach(&vm), AVC_EEXIST);
}

/* No PSCI call may have reached firmware. */
static int teardown(void **state)
{
    assert_int_equal(fake_smc_calls, 0);
    return 0;
}

/* Whatever the VMM answers to a standby, the guest goes on behind the call. */
static void standby_answers(void **state)
{
    static const enum avc_answer answers[] = { AVC_DONE, AVC_FAULT, AVC_RETRY, AVC_PASS };

    (void)state;
    FOR_EACH_WAY(w)
    for (unsigned a = 0; a < sizeof answers / sizeof answers[0]; a++) {
        struct avc_exit *e = exit_of(w, AVC_PSCI_CPU_SUSPEND, 0, 1, 2);

        assert_int_equal(e->kind, AVC_CPU_SUSPEND);
        e->answer = answers[a];
        avc_complete_saved(&vcpus[0], e);
        assert_int_equal(vcpus[0].pc, w == HVC ? CALL_PC : CALL_PC + 4);
        assert_int_equal(vcpus[0].x[0], AVC_PSCI_SUCCESS);
    }
}

static void assert_ok(enum avc_status status)
{
    assert_int_equal(status, AVC_OK);
}

/* Tables of the host's own, which the library cannot read: any address of the IPA space may be an entry point. */
static void cpu_on_adopted(void **state)
{
    (void)state;
    make_vm();
    stage2.vm = NULL;
    assert_ok(avc_stage2_destroy(&stage2));
    assert_ok(avc_stage2_adopt(&stage2, &machine, NULL, 0x90000000, 40));
    stage2.vm = &vm;
    assert_ok(avc_psci_attach(&vm));
    load();
    assert_int_equal(psci(HVC, AVC_PSCI_CPU_ON | AVC_SMC64, 1, UINT64_C(1) << 40, 0), AVC_PSCI_INVALID_ADDRESS);
    assert_int_equal(psci(HVC, AVC_PSCI_CPU_ON | AVC_SMC64, 1, 0x40000002, 0), AVC_PSCI_INVALID_ADDRESS);
    assert_int_equal(psci(HVC, AVC_PSCI_CPU_ON | AVC_SMC64, 1, (UINT64_C(1) << 40) - 4, 0), AVC_PSCI_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_on_adopted),
        cmocka_unit_test(ids),
        cmocka_unit_test_setup_teardown(features, setup, teardown),
        cmocka_unit_test_setup_teardown(offered, setup, teardown),
        cmocka_unit_test_setup_teardown(constants, setup, teardown),
        cmocka_unit_test_setup_teardown(affinity_info, setup, teardown),
        cmocka_unit_test_setup_teardown(destroyed, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_on, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_on_bad_target, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_on_bad_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_on_race, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_off, setup, teardown),
        cmocka_unit_test_setup_teardown(system_end, setup, teardown),
        cmocka_unit_test_setup_teardown(standby, setup, teardown),
        cmocka_unit_test_setup_teardown(standby_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(powerdown, setup, teardown),
        cmocka_unit_test_setup_teardown(suspend_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(suspend_with_work, setup, teardown),
        cmocka_unit_test_setup_teardown(attach_errors, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
