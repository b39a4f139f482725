/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * For tests of calls: a VM with four vCPUs, 2 MiB of memory and a device. The first vCPU is loaded on CPU 0. A function
 * lets it make a call, first on the fast path and then, from the same registers, on the slow path. Both must have the
 * same result.
 */
#ifndef TEST_FIRMWARE_H
#define TEST_FIRMWARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <avc/psci.h>
#include <avc/stage2.h>
#include <avc/priv/ctx.h>
#include <avc/sysreg.h>

#include "core/exit/call.h"
#include "core/exit/trap.h"
#include "fake.h"
#include "guest.h"
#include "smc.h"
#include "emul/psci/firmware.h"

#define RAM      UINT64_C(0x40000000)
#define RAM_SIZE UINT64_C(0x200000)
#define UART     UINT64_C(0x09000000)
#define NR_VCPUS 4

#define CALL_PC     UINT64_C(0x40001000)         /* ELR_EL2 when the call traps */
#define CALL_PSTATE UINT64_C(0x60200c05)         /* EL1h, NZCV, SS and BTYPE set */
#define JUNK        UINT64_C(0xdeadbeef00000000) /* an SMC32 caller may leave anything above its arguments */

enum way { HVC, SMC };

static struct avc_machine machine;
static struct avc_pcpu pcpu;
static struct avc_stage2 stage2;
static struct avc_vm vm;
static struct avc_vcpu vcpus[NR_VCPUS];
static struct avc_vcpu *vcpu_list[NR_VCPUS];
static struct avc_claim claims[AVC_CLAIM_SLOTS(1100)];
static unsigned woken[NR_VCPUS];

static uint8_t pages[64][AVC_PAGE_SIZE] __attribute__((aligned(65536)));
static size_t pages_used;

static void *page_get(void *ctx, size_t bytes, avc_pa_t *pa)
{
    uint8_t *at;

    while (pages_used * AVC_PAGE_SIZE % bytes)
        pages_used++;
    assert_true(pages_used + bytes / AVC_PAGE_SIZE <= 64);
    at = pages[pages_used];
    pages_used += bytes / AVC_PAGE_SIZE;
    *pa = 0x80000000 + (uint64_t)(at - pages[0]);
    return at;
}

static void page_put(void *ctx, void *va, size_t bytes)
{
}

static void *page_at(void *ctx, avc_pa_t pa)
{
    return &pages[(pa - 0x80000000) / AVC_PAGE_SIZE][pa % AVC_PAGE_SIZE];
}

static const struct avc_mem memory = { NULL, page_get, page_put, page_at };

static void host_panic(void *ctx, const char *why)
{
    fail_msg("panic: %s", why);
}

static void host_wake(void *ctx, struct avc_vcpu *vcpu)
{
    __atomic_fetch_add(&woken[vcpu->index], 1, __ATOMIC_RELAXED);
}

static const struct avc_hal hal = { .panic = host_panic, .wake = host_wake };

static uint64_t mpidrs[NR_VCPUS] = { 0, 1, 0x102, UINT64_C(0x300000003) };

/* Makes the VM, without loading a vCPU, so that claims can still be made. */
static void make_vm(void)
{
    struct avc_vm_config config = {
        .stage2 = &stage2,
        .vcpus = vcpu_list,
        .max_vcpus = NR_VCPUS,
        .claims = claims,
        .max_claims = AVC_CLAIM_SLOTS(1100),
    };

    fake_reset();
    fake_smc_reset();
    memset(&machine, 0, sizeof machine);
    memset(&pcpu, 0, sizeof pcpu);
    memset(&stage2, 0, sizeof stage2);
    memset(&vm, 0, sizeof vm);
    memset(vcpus, 0, sizeof vcpus);
    memset(claims, 0, sizeof claims);
    memset(woken, 0, sizeof woken);
    pages_used = 0;
    assert_int_equal(avc_machine_init(&machine), AVC_OK);
    assert_int_equal(avc_pcpu_init(&pcpu, &machine, &hal), AVC_OK);
    assert_int_equal(avc_pcpu_enable(&pcpu), AVC_OK);
    assert_int_equal(avc_stage2_init(&stage2, &machine, &memory, 40), AVC_OK);
    assert_int_equal(avc_stage2_map(&stage2, RAM, 0x50000000, RAM_SIZE, AVC_RWX), AVC_OK);
    assert_int_equal(avc_stage2_map(&stage2, UART, UART, AVC_PAGE_SIZE, AVC_RW | AVC_DEVICE), AVC_OK);
    assert_int_equal(avc_vm_init(&vm, &machine, &config), AVC_OK);
    for (unsigned n = 0; n < NR_VCPUS; n++) {
        struct avc_vcpu_config one = { .mpidr = mpidrs[n] };

        assert_int_equal(avc_vcpu_init(&vcpus[n], &vm, &one), AVC_OK);
    }
}

/* avc/psci.def as a list. */
enum family { PSCI, SMCCC, TRNG };
enum widths { SMC32 = 1, SMC64 = 2, BOTH = 3 };
enum offered { NEVER, ALWAYS, RNDR, WORKAROUND_1, WORKAROUND_2, WORKAROUND_3 };
static const struct function {
    const char *name;
    uint32_t id;
    enum family family;
    enum widths widths;
    enum offered offered;
} functions[] = {
#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) { #name, name, family, widths, offered },
#include <avc/psci.def>
#undef AVC_FUNCTION
};

/* Returns the row that has this id in either form, or NULL. */
static inline const struct function *function_of(uint32_t fid)
{
    for (size_t n = 0; n < AVC_ARRAY_SIZE(functions); n++)
        if (functions[n].id == (fid & ~AVC_SMC64) && functions[n].widths & (fid & AVC_SMC64 ? SMC64 : SMC32))
            return &functions[n];
    return NULL;
}

static inline void assert_answer(int64_t is, int64_t wanted, uint32_t fid)
{
    const struct function *function = function_of(fid);

    if (is != wanted)
        print_error("%#x (%s): %lld, not %lld\n", fid, function ? function->name : "not in avc/psci.def", (long long)is,
                    (long long)wanted);
    assert_int_equal(is, wanted);
}

/* Starts and loads the first vCPU. For the library it is now in its guest. */
static void load(void)
{
    assert_int_equal(avc_vcpu_start(&vcpus[0], CALL_PC, 0), AVC_OK);
    assert_int_equal(avc_vcpu_load(&vcpus[0], &pcpu), AVC_OK);
    vcpus[0].power = AVC_POWER_ON;
    vcpus[0].requests = 0;
    vcpus[0].mode = AVC_MODE_GUEST;
    memset(woken, 0, sizeof woken);
}

static inline int setup(void **state)
{
    make_vm();
    assert_int_equal(avc_psci_attach(&vm), AVC_OK);
    load();
    return 0;
}

static uint64_t random64(void)
{
    static uint64_t seed = 88172645463325252;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t esr_of(enum way way, unsigned imm)
{
    return (way == HVC ? UINT64_C(0x16) : UINT64_C(0x17)) << 26 | 1 << 25 | imm;
}

/*
 * Makes the call with registers x, on the fast path and on the slow path, which must agree. x gets the registers
 * afterwards. Returns AVC_RESUME or AVC_LEAVE. Every second call that the fast path hands to a claim asks the claim on
 * the fast path; the others ask it on the slow path.
 */
static enum avc_result call_with(enum way way, uint64_t x[31])
{
    static unsigned turn;
    struct avc_vcpu *vcpu = &vcpus[0];
    uint64_t fast[31], pc, esr = esr_of(way, 0);
    enum avc_result result, slow;
    struct avc_exit event;
    unsigned smc_calls = fake_smc_calls, rndr_left = fake_rndr_left;
    uint64_t rndr_next = fake_rndr_next;

    fake_cpu->reg[FAKE_ELR_EL2] = CALL_PC;
    fake_cpu->reg[FAKE_SPSR_EL2] = CALL_PSTATE;
    fake_cpu->reg[FAKE_ESR_EL2] = esr;
    memcpy(vcpu->x, x, sizeof vcpu->x);
    fake_log_clear();
    result = vcpu->dispatch[esr >> 26].fn(vcpu, esr);
    if (way == HVC && result == AVC_RESUME)
        assert_int_equal(fake_log_len, 0); /* completing an HVC accesses no system register */
    if (result == AVC_ASK && turn++ % 2) {
        result = fake_ask(vcpu);
        memcpy(x, vcpu->x, sizeof vcpu->x);
        return result;
    }
    if (result == AVC_ASK)
        result = AVC_SLOW;
    assert_true(result == AVC_RESUME || result == AVC_LEAVE || result == AVC_SLOW);
    if (result != AVC_RESUME)
        assert_memory_equal(vcpu->x, x, sizeof vcpu->x);
    memcpy(fast, vcpu->x, sizeof fast);
    event = vcpu->exit;
    pc = fake_cpu->reg[FAKE_ELR_EL2];
    if (result != AVC_RESUME)
        assert_int_equal(pc, CALL_PC);

    fake_cpu->reg[FAKE_ELR_EL2] = CALL_PC;
    memcpy(vcpu->x, x, sizeof vcpu->x);
    fake_smc_calls = smc_calls; /* the slow path must find the same firmware and random numbers */
    fake_rndr_left = rndr_left;
    fake_rndr_next = rndr_next;
    slow = vcpu->dispatch[esr >> 26].slow(vcpu, esr);
    if (result != AVC_SLOW)
        assert_int_equal(slow, result);
    if (result == AVC_RESUME) {
        assert_memory_equal(fast, vcpu->x, sizeof fast);
        assert_int_equal(pc, fake_cpu->reg[FAKE_ELR_EL2]);
    } else if (result == AVC_LEAVE) {
        event.va = vcpu->exit.va; /* calls have no use for these members */
        event.arg = vcpu->exit.arg;
        event.status = vcpu->exit.status;
        assert_memory_equal(&event, &vcpu->exit, sizeof event);
    }
    memcpy(x, vcpu->x, sizeof vcpu->x);
    return slow;
}

/*
 * Makes a call that returns to the guest, and returns x0. No other register may have changed; after an SMC the PC has.
 */
static inline uint64_t call(enum way way, uint64_t fid, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x[31], before[31];

    for (unsigned n = 0; n < 31; n++)
        x[n] = random64();
    x[0] = fid;
    x[1] = a;
    x[2] = b;
    x[3] = c;
    memcpy(before, x, sizeof x);
    assert_int_equal(call_with(way, x), AVC_RESUME);
    assert_memory_equal(&x[1], &before[1], sizeof x - sizeof x[0]);
    if (way == HVC) {
        assert_int_equal(fake_cpu->reg[FAKE_ELR_EL2], CALL_PC);
        assert_int_equal(fake_cpu->reg[FAKE_SPSR_EL2], CALL_PSTATE);
    } else {
        assert_int_equal(fake_cpu->reg[FAKE_ELR_EL2], CALL_PC + 4);
        assert_int_equal(fake_cpu->reg[FAKE_SPSR_EL2], CALL_PSTATE & ~UINT64_C(0x200c00));
    }
    return x[0];
}

/* Makes a call that goes to the VMM. */
static inline struct avc_exit *exit_of(enum way way, uint64_t fid, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x[31] = { fid, a, b, c };

    assert_int_equal(call_with(way, x), AVC_LEAVE);
    /* The vector saves these when it leaves. */
    vcpus[0].pc = fake_cpu->reg[FAKE_ELR_EL2];
    vcpus[0].pstate = fake_cpu->reg[FAKE_SPSR_EL2];
    return &vcpus[0].exit;
}

#endif
