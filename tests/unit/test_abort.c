/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Aborts: MMIO with every width, sign, register and byte order; memory that moves; permissions; everything else. */
#include "world.h"

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/policy/errata.h"
#include "core/policy/sysreg.h"

static uint64_t dabt(uint64_t iss)
{
    return ESR_MAKE(0x24, true, iss);
}

static uint64_t iabt(uint64_t iss)
{
    return ESR_MAKE(0x20, true, iss);
}

#define TRANSLATION 0x06u
#define ACCESS_FLAG 0x0au
#define PERMISSION  0x0eu

/* Takes the abort of an access to `ipa`, as hardware reports it. The VA has the same offset into its page. */
static struct avc_exit *take_abort(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa, uint64_t pstate)
{
    return take(vcpu, (struct fake_trap){ .esr = esr,
                                          .elr = START,
                                          .spsr = pstate,
                                          .far = 0xffff000012345000 | (ipa & 0xfff),
                                          .hpfar = ipa >> 12 << 4 });
}

static void check_injected(uint64_t esr, uint64_t far)
{
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), esr);
    assert_int_equal(ctx(AVC_CTX_ELR_EL1), START);
    assert_int_equal(ctx(AVC_CTX_FAR_EL1), far);
    assert_int_equal(world.trap.elr & ~UINT64_C(0x7ff), VBAR & ~UINT64_C(0x7ff));
}

/* ---- MMIO ---- */

static struct avc_exit seen;
static uint64_t device_value;
static enum avc_answer device_answer;
static unsigned device_calls;

static enum avc_answer device(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    seen = *e;
    device_calls++;
    e->value = device_value;
    return device_answer;
}

static uint64_t swap(uint64_t value, unsigned bytes)
{
    return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

static uint64_t low(uint64_t value, unsigned bytes)
{
    return bytes == 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

/* What a load must leave in the register. */
static uint64_t loaded(uint64_t value, unsigned bytes, bool sign, bool sf)
{
    value = low(value, bytes);
    if (sign && bytes < 8 && value >> (8 * bytes - 1))
        value |= ~UINT64_C(0) << 8 * bytes;
    return sf ? value : (uint32_t)value;
}

/*
 * MMIO gives the same result when a claim answers, when a claim says EXIT and the VMM answers, and when there is no
 * claim.
 */
static void test_mmio(void **state)
{
    static const uint64_t values[] = { 0x8899aabbccddeeff, 0x0123456789abcdef, 0x80, 0x8000, 0x80000000, 0 };

    (void)state;
    for (unsigned way = 0; way < 3; way++) {
        bool claimed = way == 2;
        struct avc_vcpu *vcpu;

        world_make();
        if (way)
            world_claim(AVC_MMIO, NOWHERE, NOWHERE + 0xfff, claimed ? device : avc_to_vmm, NULL);
        vcpu = world_load();
        device_answer = AVC_DONE;
        for (unsigned n = 0; n < 4 * 2 * 2 * 32 * 2 * 3; n++) {
            unsigned sas = n % 4, sse = n / 4 % 2, sf = n / 8 % 2, rt = n / 16 % 32, be = n / 512 % 2;
            unsigned bytes = 1u << sas, from = n / 1024; /* at EL1, at EL0, at AArch32 EL0 */
            uint64_t iss = ISS_ISV | sas << 22 | sse << 21 | rt << 16 | sf << 15 | TRANSLATION;
            uint64_t pstate = from == 0 ? EL1H : from == 1 ? EL0T : USR | (be ? SPSR_E : 0);
            uint64_t value = values[n % AVC_ARRAY_SIZE(values)], before[31], mask = be ? ~UINT64_C(0) : 0;
            struct avc_exit *e;

            if (sas == 3 && !sf)
                continue;
            avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, (from == 0 ? AVC_BIT(25) : AVC_BIT(24)) & mask);
            memcpy(before, vcpu->x, sizeof before);

            device_value = value;
            e = take_abort(vcpu, dabt(iss), NOWHERE + 8 * sas, pstate);
            if (!claimed) {
                seen = *e;
                assert_int_equal(e->kind, AVC_MMIO);
                assert_int_equal(e->answer, AVC_FAULT);
                avc_done(e, value);
                go_on(vcpu);
            }
            assert_int_equal(seen.key, NOWHERE + 8 * sas);
            assert_int_equal(seen.size, bytes);
            assert_false(seen.write);
            assert_int_equal(seen.va, 0xffff000012345000 + 8 * sas);
            assert_int_equal(avc_vcpu_gpr(vcpu, rt),
                             rt == 31 ? 0 : loaded(be ? swap(value, bytes) : value, bytes, sse, sf));
            for (unsigned r = 0; r < 31; r++)
                if (r != rt)
                    assert_int_equal(vcpu->x[r], before[r]);
            assert_int_equal(world.trap.elr, START + 4);

            if (rt < 31)
                vcpu->x[rt] = value;
            e = take_abort(vcpu, dabt(iss | ISS_WNR), NOWHERE + 8 * sas, pstate);
            if (!claimed) {
                seen = *e;
                assert_int_equal(e->kind, AVC_MMIO);
                e->answer = AVC_DONE;
                go_on(vcpu);
            }
            assert_true(seen.write);
            assert_int_equal(seen.value, rt == 31 ? 0 : be ? swap(value, bytes) : low(value, bytes));
            assert_int_equal(avc_vcpu_gpr(vcpu, rt), rt == 31 ? 0 : value);
            assert_int_equal(world.trap.elr, START + 4);
        }
    }
}

static void test_mmio_answers(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;
    uint64_t esr = dabt(ISS_ISV | 2 << 22 | 3 << 16 | TRANSLATION);

    (void)state;
    world_make();
    world_claim(AVC_MMIO, NOWHERE, NOWHERE + 0xfff, device, NULL);
    vcpu = world_load();
    device_value = 1;
    device_answer = AVC_RETRY;
    take_abort(vcpu, esr, NOWHERE, EL1H);
    assert_int_equal(world.trap.elr, START);
    device_answer = AVC_FAULT;
    take_abort(vcpu, esr, NOWHERE, EL1H);
    check_injected(ESR_MAKE(0x25, true, FSC_EXTERNAL), 0xffff000012345000);
    take_abort(vcpu, esr | ISS_WNR, NOWHERE, EL0T);
    check_injected(ESR_MAKE(0x24, true, FSC_EXTERNAL | ISS_WNR), 0xffff000012345000);
    device_answer = AVC_PASS;
    e = take_abort(vcpu, esr, NOWHERE, EL1H);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->answer, AVC_FAULT); /* the preset, whatever a claim has written there */
    device_answer = AVC_EXIT;
    e = take_abort(vcpu, esr, NOWHERE, EL1H);
    assert_int_equal(e->kind, AVC_MMIO);
    device_answer = (enum avc_answer)77; /* no answer at all must not get around it */
    take_abort(vcpu, esr, NOWHERE, EL1H);
    check_injected(ESR_MAKE(0x25, true, FSC_EXTERNAL), 0xffff000012345000);
}

/* Without ISV only the VMM is asked. The library counts it. */
static void test_isv0(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, NOWHERE, NOWHERE + 0xfff, device, NULL);
    vcpu = world_load();
    device_calls = 0;
    e = take_abort(vcpu, dabt(TRANSLATION | ISS_WNR), NOWHERE, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->key, NOWHERE);
    assert_int_equal(e->size, 0);
    assert_true(e->write);
    assert_int_equal(vcpu->nr_isv0, 1);
    go_on(vcpu);
    check_injected(ESR_MAKE(0x25, true, FSC_EXTERNAL | ISS_WNR), 0xffff000012345000);
    assert_int_equal(device_calls, 0);
    /* Nobody can complete an access that was not decoded. */
    e = take_abort(vcpu, dabt(TRANSLATION), NOWHERE, EL1H);
    e->answer = AVC_DONE;
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
}

/* ---- memory that is there when the library looks ---- */

static void test_moving_memory(void **state)
{
    static const uint64_t statuses[] = { 0x04, 0x05, 0x06, 0x07, 0x2a, 0x2b };
    static const uint64_t isses[] = { 0, ISS_ISV | 2 << 22, ISS_WNR, ISS_CM | ISS_WNR, ISS_S1PTW };
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(statuses); i++) {
        for (unsigned k = 0; k < AVC_ARRAY_SIZE(isses); k++) {
            assert_int_equal(take_abort(vcpu, dabt(isses[k] | statuses[i]), RAM + 0x1234, EL1H)->kind, AVC_KICKED);
            assert_int_equal(world.trap.elr, START);
        }
        assert_int_equal(take_abort(vcpu, iabt(statuses[i]), RAM + 0x1234, EL0T)->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, START);
    }
    assert_int_equal(vcpu->nr_faults + vcpu->nr_isv0, 0);
}

/* The VMM maps memory on demand. */
static void test_demand(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    vcpu = world_load();
    e = take_abort(vcpu, iabt(TRANSLATION), 0x70000000, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_true(e->fetch);
    assert_false(e->write);
    assert_int_equal(e->key, 0x70000000);
    must(avc_stage2_map(&world.stage2, 0x70000000, UINT64_C(0xb0000000), 0x1000, AVC_RWX));
    e->answer = AVC_RETRY;
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->nr_faults, 0);
    /* It may also leave the fault alone. */
    e = take_abort(vcpu, iabt(TRANSLATION), 0x71000000, EL0T);
    go_on(vcpu);
    check_injected(ESR_MAKE(0x20, true, FSC_EXTERNAL), 0xffff000012345000);
}

/* Cache maintenance on an address without memory is stepped over. The VMM is not asked. */
static void test_cache_maintenance(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    assert_int_equal(take_abort(vcpu, dabt(ISS_CM | ISS_WNR | TRANSLATION), NOWHERE, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    assert_int_equal(vcpu->nr_faults + vcpu->nr_isv0, 0);
}

/* An abort on a walk of the guest's own tables. */
static void test_walk(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, NOWHERE, NOWHERE + 0xfff, device, NULL);
    vcpu = world_load();
    device_calls = 0;
    /* ISV is 0 for walks. A table inside of an emulated device is no MMIO. */
    e = take_abort(vcpu, dabt(ISS_S1PTW | ISS_WNR | TRANSLATION), NOWHERE + 0x18, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->key, NOWHERE); /* the offset is unknown */
    assert_int_equal(device_calls, 0);
    go_on(vcpu);
    check_injected(ESR_MAKE(0x25, true, (FSC_EXTERNAL_WALK + 3) | ISS_WNR), 0xffff000012345018);
    /* In Device memory, with HCR_EL2.PTW: the guest gets an abort at once. */
    assert_int_equal(take_abort(vcpu, dabt(ISS_S1PTW | PERMISSION), PASS, EL1H)->kind, AVC_KICKED);
    check_injected(ESR_MAKE(0x25, true, FSC_EXTERNAL_WALK + 3), 0xffff000012345000);
    assert_int_equal(take_abort(vcpu, iabt(ISS_S1PTW | PERMISSION), PASS, EL0T)->kind, AVC_KICKED);
    check_injected(ESR_MAKE(0x20, true, FSC_EXTERNAL_WALK + 3), 0xffff000012345000);
    /* Hardware updates a table in memory that the VMM may have made read-only, so the VMM is asked. */
    e = take_abort(vcpu, dabt(ISS_S1PTW | PERMISSION), ROM, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    /* The memory has become writable again. */
    assert_int_equal(take_abort(vcpu, dabt(ISS_S1PTW | PERMISSION), RAM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
}

#define TCR(t0sz, tg0, t1sz, tg1)                                                                                      \
    ((uint64_t)(tg1) << 30 | (uint64_t)(t1sz) << 16 | (uint64_t)(tg0) << 14 | (uint64_t)(t0sz))

/* The level in the guest's syndrome is that of its own stage 1: the first one where the address of the table says so,
   else the last. The VMM may say another. */
static void test_walk_level(void **state)
{
    static const struct {
        const char *name;
        uint64_t tcr, ttbr0, ttbr1, va, table;
        unsigned level;
    } cases[] = {
        { "4 KiB, 39 bits, no table", TCR(25, 0, 25, 2), 0, RAM, 0x40001000, 0, 1 },
        { "... of TTBR1", TCR(25, 0, 25, 2), RAM, 0, 0xffffff8040001000, 0, 1 },
        { "... a deeper table", TCR(25, 0, 25, 2), RAM, RAM, 0x40001000, NOWHERE, 3 },
        { "... the other TTBR's page", TCR(25, 0, 25, 2), RAM, NOWHERE, 0x40001000, NOWHERE, 3 },
        { "4 KiB, 48 bits", TCR(16, 0, 16, 2), NOWHERE, 0, 0x0000ff8000000000, NOWHERE, 0 },
        { "... with an ASID and CnP", TCR(16, 0, 16, 2), NOWHERE | 0x0042000000000001, 0, 0x1000, NOWHERE, 0 },
        { "... with a tag", TCR(16, 0, 16, 2), NOWHERE, 0, 0x3f00000000001000, NOWHERE, 0 },
        { "4 KiB, 31 bits", TCR(33, 0, 33, 2), NOWHERE, 0, 0x7fffffff, NOWHERE, 1 },
        { "4 KiB, 30 bits", TCR(34, 0, 34, 2), NOWHERE, 0, 0x3fffffff, NOWHERE, 2 },
        { "4 KiB, 21 bits", TCR(43, 0, 43, 2), NOWHERE, 0, 0x1fffff, NOWHERE, 3 },
        { "16 KiB, 48 bits", TCR(16, 2, 16, 1), NOWHERE, 0, 0x0000ffffffffffff, NOWHERE, 0 },
        { "16 KiB, 47 bits, TTBR1", TCR(17, 2, 17, 1), RAM, NOWHERE, 0xffffffffffffffff, NOWHERE + 0x3000, 1 },
        { "... another page of it", TCR(17, 2, 17, 1), RAM, NOWHERE, 0xffffffffffffffff, NOWHERE, 3 },
        { "64 KiB, 48 bits", TCR(16, 1, 16, 3), NOWHERE, 0, 0x0000ffffffffffff, NOWHERE, 1 },
        { "64 KiB, 42 bits", TCR(22, 1, 22, 3), NOWHERE, 0, UINT64_C(512) << 29, NOWHERE + 0x1000, 2 },
        { "64 KiB, 42 bits, TTBR1", TCR(22, 1, 22, 3), RAM, NOWHERE, 0xfffffc0000000000, NOWHERE, 2 },
        { "a size that is none", TCR(63, 0, 63, 2), NOWHERE, 0, 0, NOWHERE, 3 },
        { "more bits than there are", TCR(0, 0, 0, 2), NOWHERE, 0, 0x1000, NOWHERE, 0 },
    };
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(cases); i++)
        for (unsigned set = 0; set < 2; set++) {
            struct fake_trap trap = { .esr = set ? dabt(ISS_S1PTW | TRANSLATION) : iabt(ISS_S1PTW | TRANSLATION),
                                      .elr = START,
                                      .spsr = EL1H,
                                      .far = cases[i].va,
                                      .hpfar = cases[i].table >> 12 << 4 };
            uint64_t level = set ? (cases[i].level + 1) % 4 : cases[i].level;
            struct avc_exit *e;

            assert_int_equal(avc_vcpu_set(vcpu, AVC_REG_TCR_EL1, cases[i].tcr), AVC_OK);
            assert_int_equal(avc_vcpu_set(vcpu, AVC_REG_TTBR0_EL1, cases[i].ttbr0), AVC_OK);
            assert_int_equal(avc_vcpu_set(vcpu, AVC_REG_TTBR1_EL1, cases[i].ttbr1), AVC_OK);
            e = take(vcpu, trap);
            if (e->kind != AVC_STAGE2 || e->value != cases[i].level)
                fail_msg("%s: level %llu", cases[i].name, (unsigned long long)e->value);
            e->value = level;
            go_on(vcpu);
            check_injected(ESR_MAKE(set ? 0x25 : 0x21, true, FSC_EXTERNAL_WALK + level), cases[i].va);
        }
}

/* ---- permission faults: HPFAR_EL2 is not valid, so AT finds the IPA ---- */

#define PAR_OF_GUEST UINT64_C(0xff00000012345b80)

static uint64_t at_par;
static unsigned at_count;

static void at_hook(enum fake_op op, uint64_t va)
{
    if (op != FAKE_OP_at_s1e1r && op != FAKE_OP_at_s1e1w && op != FAKE_OP_at_s1e0r && op != FAKE_OP_at_s1e0w)
        return;
    assert_int_equal(va, fake_cpu->reg[FAKE_FAR_EL2]);
    fake_cpu->reg[FAKE_PAR_EL1] = at_par;
    at_count++;
}

static struct avc_exit *take_permission(struct avc_vcpu *vcpu, uint64_t esr, avc_ipa_t ipa, uint64_t pstate)
{
    struct avc_exit *e;

    fake_on_op = at_hook;
    fake_cpu->reg[FAKE_PAR_EL1] = PAR_OF_GUEST;
    at_par = UINT64_C(0xff00000000000b80) | (ipa & ~UINT64_C(0xfff));
    at_count = 0;
    e = take(vcpu,
             (struct fake_trap){
                 .esr = esr, .elr = START, .spsr = pstate, .far = 0x8000 | (ipa & 0xfff), .hpfar = ~UINT64_C(0) });
    assert_int_equal(fake_cpu->reg[FAKE_PAR_EL1], PAR_OF_GUEST);
    assert_int_equal(at_count, 1);
    return e;
}

static void test_permission(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    vcpu = world_load();
    /* A write to read-only memory goes to the VMM, decoded if it has a syndrome. */
    vcpu->x[5] = 0x1122334455667788;
    e = take_permission(vcpu, dabt(ISS_ISV | 2 << 22 | 5 << 16 | ISS_WNR | PERMISSION), ROM + 0x40, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->key, ROM + 0x40);
    assert_int_equal(e->size, 4);
    assert_int_equal(e->value, 0x55667788);
    assert_true(e->write);
    e->answer = AVC_DONE; /* the VMM has made the write itself */
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START + 4);
    e = take_permission(vcpu, dabt(ISS_WNR | PERMISSION), ROM + 0x40, EL0T);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->size, 0);
    go_on(vcpu);
    check_injected(ESR_MAKE(0x24, true, FSC_EXTERNAL | ISS_WNR), 0x8040);
    /* A fetch from memory that is not executable. */
    e = take_permission(vcpu, iabt(PERMISSION), ROM, EL1H);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_true(e->fetch);
    go_on(vcpu);
    check_injected(ESR_MAKE(0x21, true, FSC_EXTERNAL), 0x8000);
    /* A fetch from a device: nobody is asked. */
    assert_int_equal(take_permission(vcpu, iabt(PERMISSION), PASS, EL1H)->kind, AVC_KICKED);
    check_injected(ESR_MAKE(0x21, true, FSC_EXTERNAL), 0x8000);
    /* DC IVAC */
    assert_int_equal(take_permission(vcpu, dabt(ISS_CM | ISS_WNR | PERMISSION), ROM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    /* The VMM has given the permission meanwhile. */
    assert_int_equal(take_permission(vcpu, dabt(ISS_WNR | PERMISSION), RAM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(take_permission(vcpu, iabt(PERMISSION), RAM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(take_permission(vcpu, dabt(PERMISSION), ROM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
}

/* If stage 1 does not translate the address any more, the access is tried again. */
static void test_permission_at_fails(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    fake_on_op = at_hook;
    fake_cpu->reg[FAKE_PAR_EL1] = PAR_OF_GUEST;
    at_par = 0x80d;
    assert_int_equal(take_abort(vcpu, dabt(ISS_WNR | PERMISSION), ROM, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(fake_cpu->reg[FAKE_PAR_EL1], PAR_OF_GUEST);
    assert_int_equal(vcpu->nr_faults, 0);
}

/* A CPU that may report a fault of stage 1 as one of stage 2 (erratum 834220): stage 1 is asked, with the rights of the
   access, before a claim is. Others are believed, and so is cache maintenance: it crosses no page, and its WnR does not
   say that it wants to write. A guest that cleans a page which it may only read would fault for ever. */
static void test_stage1_reported_as_stage2(void **state)
{
    static const struct {
        uint64_t pstate, iss;
        enum fake_op at;
    } cases[] = {
        { EL1H, ISS_ISV | 9 << 16, FAKE_OP_at_s1e1r }, { EL1H, ISS_ISV | 9 << 16 | ISS_WNR, FAKE_OP_at_s1e1w },
        { EL0T, ISS_ISV | 9 << 16, FAKE_OP_at_s1e0r }, { EL0T, ISS_ISV | 9 << 16 | ISS_WNR, FAKE_OP_at_s1e0w },
        { EL1H, ISS_CM | ISS_WNR, FAKE_OP_at_s1e1w },  { EL0T, ISS_CM | ISS_WNR, FAKE_OP_at_s1e0w },
    };

    (void)state;
    for (unsigned n = 0; n < 4 * AVC_ARRAY_SIZE(cases); n++) {
        bool has = n & 1, faults = n & 2, maintains = cases[n / 4].iss & ISS_CM, asks = has && !maintains;
        unsigned k = n / 4, asked = 0;
        struct avc_vcpu *vcpu;

        world_make();
        world_claim(AVC_MMIO, NOWHERE, NOWHERE + 0xfff, device, NULL);
        if (has) {
            world.machine.features.errata |= AVC_ERRATUM_STAGE1;
            world.pcpu.features.errata |= AVC_ERRATUM_STAGE1;
        }
        vcpu = world_load();
        device_answer = AVC_DONE;
        device_calls = 0;
        fake_on_op = at_hook;
        fake_cpu->reg[FAKE_PAR_EL1] = PAR_OF_GUEST;
        at_par = faults ? 0x80d : 0xff00000000000000 | NOWHERE;
        fake_log_clear();
        assert_int_equal(take_abort(vcpu, dabt(cases[k].iss | TRANSLATION), NOWHERE, cases[k].pstate)->kind,
                         AVC_KICKED);
        for (size_t i = 0; i < fake_log_len; i++)
            asked += fake_log[i].what == FAKE_OP && fake_log[i].which == cases[k].at;
        assert_int_equal(asked, asks);
        assert_int_equal(device_calls, !(asks && faults) && !maintains);
        assert_int_equal(world.trap.elr, START + (asks && faults ? 0 : 4));
        assert_int_equal(fake_cpu->reg[FAKE_PAR_EL1], PAR_OF_GUEST);
        assert_int_equal(vcpu->nr_faults, 0);
    }
}

/* Flash: reads go to memory, writes to registers. */
static void test_flash(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, ROM, ROM + 0xfff, device, NULL);
    vcpu = world_load();
    device_answer = AVC_DONE;
    device_calls = 0;
    vcpu->x[9] = 0x98;
    assert_int_equal(take_permission(vcpu, dabt(ISS_ISV | 9 << 16 | ISS_WNR | PERMISSION), ROM + 0x55, EL1H)->kind,
                     AVC_KICKED);
    assert_int_equal(device_calls, 1);
    assert_int_equal(seen.key, ROM + 0x55);
    assert_int_equal(seen.value, 0x98);
    assert_int_equal(world.trap.elr, START + 4);
}

/* ---- every fault status ---- */

/*
 * What each fault status leads to, at an address without memory: m AVC_MMIO, v AVC_STAGE2, x an external abort, s an
 * abort with the same status, r the access again, p AVC_STAGE2 after a permission fault.
 */
static const char by_status[] = "vvvvmmmmvvvvpppp" /* 0x00 */
                                "sxxxxxxxsxxxxxxx" /* 0x10: external; parity */
                                "xsxxxxxxxvmmvxxx" /* 0x20: alignment; level -1, -2 */
                                "rsxxssxxxxxxxxxx" /* 0x30: conflict; atomic, lockdown, exclusive */;

static void test_statuses(void **state)
{
    (void)state;
    assert_int_equal(sizeof by_status - 1, 64);
    for (unsigned fsc = 0; fsc < 64; fsc++)
        for (unsigned el0 = 0; el0 < 2; el0++) {
            uint64_t esr = dabt((by_status[fsc] == 'm' ? ISS_ISV : 0) | fsc | ISS_EA | ISS_WNR);
            uint64_t out = ESR_MAKE(el0 ? 0x24 : 0x25, true, ISS_EA | ISS_WNR);
            struct avc_vcpu *vcpu;
            struct avc_exit *e;

            world_make();
            vcpu = world_load();
            fake_on_op = at_hook;
            at_par = NOWHERE;
            e = take_abort(vcpu, esr, NOWHERE, el0 ? EL0T : EL1H);
            switch (by_status[fsc]) {
            case 'm':
                assert_int_equal(e->kind, AVC_MMIO);
                break;
            case 'v':
            case 'p':
                assert_int_equal(e->kind, AVC_STAGE2);
                assert_int_equal(e->key, NOWHERE);
                break;
            case 'r':
                assert_int_equal(e->kind, AVC_KICKED);
                assert_int_equal(world.trap.elr, START);
                assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_tlbi_vmalls12e1) > 0);
                break;
            case 's':
                assert_int_equal(e->kind, AVC_KICKED);
                check_injected(out | fsc, 0xffff000012345000);
                break;
            case 'x':
                assert_int_equal(e->kind, AVC_KICKED);
                check_injected(out | FSC_EXTERNAL, 0xffff000012345000);
                break;
            }
        }
}

/* If FnV is set, FAR_EL1 keeps its value. */
static void test_fnv(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    avc_ctx_set(vcpu, AVC_CTX_FAR_EL1, 0x1234);
    take_abort(vcpu, dabt(ISS_FNV | FSC_EXTERNAL), NOWHERE, EL1H);
    check_injected(ESR_MAKE(0x25, true, ISS_FNV | FSC_EXTERNAL), 0x1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mmio),
        cmocka_unit_test(test_mmio_answers),
        cmocka_unit_test(test_isv0),
        cmocka_unit_test(test_moving_memory),
        cmocka_unit_test(test_demand),
        cmocka_unit_test(test_cache_maintenance),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_level),
        cmocka_unit_test(test_permission),
        cmocka_unit_test(test_permission_at_fails),
        cmocka_unit_test(test_stage1_reported_as_stage2),
        cmocka_unit_test(test_flash),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_fnv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
