/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Claims: who is asked about a key and in which order, what a claim that passes leaves to the library, and storage of
 * every size.
 */
#include "world.h"

#include "core/claim/index.h"
#include "core/exit/exit.h"
#include "core/exit/trap.h"

#include <cmocka.h>

#include <avc/psci.h>
#include <avc/vgic.h>

#include "arch/esr.h"
#include "arch/pstate.h"

#define DIST UINT64_C(0x08000000)
#define RD   UINT64_C(0x080a0000)

#define EC_HVC 0x16u
#define EC_SMC 0x17u
#define EC_MSR 0x18u

static struct avc_vgic vgic;
static struct avc_vgic_spis spis[2];
static struct avc_vgic_cpu gic_cpus[2];

static void attach_all(void)
{
    memset(&vgic, 0, sizeof vgic);
    memset(spis, 0, sizeof spis);
    memset(gic_cpus, 0, sizeof gic_cpus);
    must(avc_psci_attach(&world.vm));
    must(avc_vgic_attach(
        &vgic, &world.vm,
        &(struct avc_vgic_config){
            .dist_base = DIST, .redist_base = RD, .nr_spis = 64, .max_vcpus = 2, .spis = spis, .cpus = gic_cpus }));
}

static uint64_t seed;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned asked;

static enum avc_answer pass(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    asked++;
    e->answer = AVC_RETRY; /* only the function's result counts */
    return AVC_PASS;
}

/* ---- if all claims pass, the VM behaves as without claims ---- */

static struct fake_trap random_call(struct avc_vcpu *vcpu)
{
    static const uint32_t ids[] = { 0,          0xc6000000, 0x8400ff00,        AVC_SMCCC_VERSION,
                                    0x80000001, 0x84000050, AVC_PSCI_FEATURES, AVC_PSCI_AFFINITY_INFO };
    uint32_t fid = random64() % 2 ? ids[random64() % AVC_ARRAY_SIZE(ids)] : AVC_PSCI_VERSION + random64() % 0x20;
    unsigned ec = random64() % 2 ? EC_HVC : EC_SMC;

    vcpu->x[0] = fid | (random64() % 2 ? AVC_SMC64 : 0);
    vcpu->x[1] = random64() % 4 ? random64() % 3 : AVC_PSCI_VERSION + random64() % 0x20;
    vcpu->x[2] = random64() % 2 ? RAM : 0;
    vcpu->x[3] = random64();
    return (struct fake_trap){ .esr = ESR_MAKE(ec, true, random64() & 0xffff) };
}

static struct fake_trap random_access(struct avc_vcpu *vcpu)
{
    uint64_t base = random64() % 3 ? random64() % 2 ? DIST : RD + random64() % 2 * AVC_VGIC_REDIST_SIZE : NOWHERE;
    uint64_t ipa = base + random64() % 0x1000 / 4 * 4;
    uint64_t iss = ISS_ISV | UINT64_C(2) << 22 | random64() % 31 << 16 | (random64() % 2 ? ISS_WNR : 0) | 6;

    (void)vcpu;
    return (struct fake_trap){ .esr = ESR_MAKE(AVC_EC_DABT_LOWER, true, iss), .far = ipa, .hpfar = ipa >> 12 << 4 };
}

static struct fake_trap random_register(struct avc_vcpu *vcpu)
{
    static const uint32_t keys[] = { AVC_REG_ID_AA64PFR0_EL1, AVC_REG_ACTLR_EL1, AVC_SYSREG_KEY(3, 0, 12, 11, 5),
                                     AVC_SYSREG_KEY(3, 0, 15, 0, 0), AVC_SYSREG_KEY(3, 0, 12, 12, 5) };
    uint32_t k = random64() % 3 ? keys[random64() % AVC_ARRAY_SIZE(keys)] : (uint32_t)random64() & 0xffff;
    uint32_t iss = (k >> 14) << 20 | (k & 7) << 17 | (k >> 11 & 7) << 14 | (k >> 7 & 15) << 10 | (k >> 3 & 15) << 1;

    (void)vcpu;
    return (struct fake_trap){ .esr = ESR_MAKE(EC_MSR, true, iss | random64() % 32 << 5 | random64() % 2) };
}

static struct fake_trap random_class(struct avc_vcpu *vcpu)
{
    static const unsigned classes[] = { 0x00, 0x01, 0x07, 0x0e, 0x20, 0x22, 0x34, 0x3c };

    (void)vcpu;
    return (struct fake_trap){ .esr = ESR_MAKE(classes[random64() % AVC_ARRAY_SIZE(classes)], true, 0),
                               .hpfar = NOWHERE >> 12 << 4 };
}

/* What an exception has led to. */
struct outcome {
    struct avc_exit e;
    uint64_t x[31], elr, spsr, esr_el1, elr_el1, far_el1, mode;
};

#define ROUNDS 6000

static void take_all(struct outcome *out, bool claims)
{
    static struct fake_trap (*const events[])(struct avc_vcpu *) = { random_call, random_access, random_register,
                                                                     random_class };
    struct avc_vcpu *vcpu;

    seed = 88172645463325252;
    world_make();
    if (claims) {
        world_claim(AVC_CALL, 0, UINT32_MAX, pass, NULL);
        world_claim(AVC_MMIO, 0, (UINT64_C(1) << 36) - 1, pass, NULL);
        world_claim(AVC_SYSREG, 0, 0xffff, pass, NULL);
        world_claim(AVC_CLASS, 0, 63, pass, NULL);
    }
    attach_all();
    vcpu = world_load();
    for (unsigned n = 0; n < ROUNDS; n++, out++) {
        struct fake_trap trap;
        struct avc_exit *e;

        trap = events[random64() % AVC_ARRAY_SIZE(events)](vcpu);
        trap.elr = START;
        trap.spsr = EL1H;
        memset(out, 0, sizeof *out);
        e = take(vcpu, trap);
        out->e.kind = e->kind, out->e.answer = e->answer, out->e.key = e->key, out->e.value = e->value;
        out->e.size = e->size, out->e.write = e->write, out->e.esr = e->esr;
        if (e->kind == AVC_CALL || e->kind == AVC_CLASS || e->kind == AVC_SVC)
            out->e.imm = e->imm;
        if (e->kind == AVC_MMIO || e->kind == AVC_STAGE2)
            out->e.va = e->va;
        if (e->kind == AVC_CPU_OFF || e->kind == AVC_SYSTEM_OFF || e->kind == AVC_SYSTEM_RESET) {
            must(avc_vcpu_put(vcpu));
            must(avc_vcpu_start(vcpu, START, 0));
            must(avc_vcpu_load(vcpu, &world.pcpu));
        }
        go_on(vcpu);
        memcpy(out->x, vcpu->x, sizeof out->x);
        out->elr = vcpu->pc, out->spsr = vcpu->pstate;
        out->esr_el1 = ctx(AVC_CTX_ESR_EL1), out->elr_el1 = ctx(AVC_CTX_ELR_EL1);
        out->far_el1 = ctx(AVC_CTX_FAR_EL1), out->mode = vcpu->power;
    }
    must(avc_vcpu_put(vcpu));
}

static void test_pass_is_nothing(void **state)
{
    static struct outcome without[ROUNDS], with[ROUNDS];
    unsigned kinds[AVC_NR_KINDS] = { 0 };

    (void)state;
    take_all(without, false);
    asked = 0;
    take_all(with, true);
    assert_true(asked > ROUNDS); /* the class claims, and most of the claims on keys */
    for (unsigned n = 0; n < ROUNDS; n++) {
        kinds[with[n].e.kind]++;
        assert_memory_equal(&with[n], &without[n], sizeof with[n]);
    }
    /* The events must be of many kinds. */
    assert_true(kinds[AVC_KICKED] > ROUNDS / 4 && kinds[AVC_MMIO] > 100 && kinds[AVC_WFI] > 10);
    assert_true(kinds[AVC_SYSTEM_OFF] > 10 && kinds[AVC_CPU_OFF] > 10 && kinds[AVC_STAGE2] > 10);
}

/* ---- a claim may change an event and pass it on ---- */

/* A filter that keeps interrupt 40 from being enabled. */
static enum avc_answer mask_40(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    e->value &= ~UINT64_C(0x100);
    return AVC_PASS;
}

static void test_value_goes_on(void **state)
{
    struct fake_trap trap = { .elr = START, .spsr = EL1H, .far = DIST + 0x104, .hpfar = DIST >> 12 << 4 };
    uint64_t iss = ISS_ISV | UINT64_C(2) << 22 | 3 << 16 | 6;
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, DIST + 0x104, DIST + 0x107, mask_40, NULL); /* GICD_ISENABLER1 */
    world_claim(AVC_MMIO, NOWHERE, NOWHERE + 3, mask_40, NULL);
    attach_all();
    vcpu = world_load();
    vcpu->x[3] = 0x301;
    trap.esr = ESR_MAKE(AVC_EC_DABT_LOWER, true, iss | ISS_WNR);
    assert_int_equal(take(vcpu, trap)->kind, AVC_KICKED);
    trap.esr = ESR_MAKE(AVC_EC_DABT_LOWER, true, iss);
    assert_int_equal(take(vcpu, trap)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[3], 0x201);
    /* Nobody claims this address, so the VMM gets what the filter has left. */
    vcpu->x[3] = 0x301;
    trap.esr = ESR_MAKE(AVC_EC_DABT_LOWER, true, iss | ISS_WNR);
    trap.far = NOWHERE, trap.hpfar = NOWHERE >> 12 << 4;
    e = take(vcpu, trap);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->value, 0x201);
    assert_int_equal(e->answer, AVC_FAULT);
}

static enum avc_answer other_kind(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    e->kind = AVC_WFI;
    e->answer = AVC_DONE;
    return AVC_PASS;
}

static enum avc_answer no_answer(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)e, (void)context;
    return (enum avc_answer)77;
}

static void test_bad_answers(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_CALL, AVC_PSCI_VERSION, AVC_PSCI_VERSION, other_kind, NULL);
    world_claim(AVC_CALL, AVC_PSCI_FEATURES, AVC_PSCI_FEATURES, no_answer, NULL);
    attach_all();
    vcpu = world_load();
    vcpu->x[0] = AVC_PSCI_VERSION;
    take_sync(vcpu, ESR_MAKE(EC_HVC, true, 0), EL1H);
    assert_int_equal(vcpu->x[0], 0x10001);
    vcpu->x[0] = AVC_PSCI_FEATURES;
    vcpu->x[1] = AVC_PSCI_VERSION;
    take_sync(vcpu, ESR_MAKE(EC_HVC, true, 0), EL1H);
    assert_true(vcpu->x[0] == ~UINT64_C(0)); /* after FAULT */
}

/* ---- CLASS claims do not affect other classes; exits that the VMM does not answer ---- */

/* ---- a claim without a function is like one that always answers EXIT ---- */

static enum avc_answer wrapped(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    e->answer = AVC_DONE; /* only the function's result counts */
    return avc_to_vmm(vcpu, e, context);
}

static void test_to_vmm(void **state)
{
    static const struct {
        enum avc_kind kind;
        uint64_t key, esr, hpfar, far;
    } rows[] = {
        { AVC_CALL, 0xffff, ESR_MAKE(EC_HVC, true, 7), 0, 0 },
        { AVC_CALL, 0xffff, ESR_MAKE(EC_SMC, true, 7), 0, 0 },
        { AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 15, 2, 1),
          UINT64_C(0x18) << 26 | ESR_IL | 3 << 20 | 1 << 17 | 15 << 10 | 2 << 1, 0, 0 },
        { AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 15, 2, 1),
          UINT64_C(0x18) << 26 | ESR_IL | 3 << 20 | 1 << 17 | 15 << 10 | 24 << 5 | 2 << 1 | ISS_READ, 0, 0 },
        { AVC_MMIO, 0x0a000008, ESR_MAKE(AVC_EC_DABT_LOWER, true, ISS_ISV | 2u << 22 | 3u << 16 | 7), 0x0a000 << 4, 8 },
        { AVC_MMIO, 0x0a000008, ESR_MAKE(AVC_EC_DABT_LOWER, true, ISS_ISV | ISS_WNR | 2u << 22 | 24u << 16 | 7),
          0x0a000 << 4, 8 },
        { AVC_CLASS, 0x01, ESR_MAKE(0x01, true, 0), 0, 0 },
    };
    avc_claim_fn *const fns[] = { NULL, avc_to_vmm, wrapped };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        for (unsigned wide = 0; wide < 2; wide++) {
            struct avc_exit first = { 0 };

            for (unsigned f = 0; f < AVC_ARRAY_SIZE(fns); f++) {
                /* Claims inside of a page or a row of sixteen ids, and much wider ones. */
                uint64_t more = wide ? 0x10000 : 0;
                struct avc_exit *e;
                struct avc_vcpu *vcpu;

                world_make();
                if (rows[n].kind == AVC_CLASS || rows[n].kind == AVC_SYSREG)
                    world_claim(rows[n].kind, rows[n].key, rows[n].key, fns[f], NULL);
                else
                    world_claim(rows[n].kind, rows[n].key & ~UINT64_C(0xfff), rows[n].key | 0xfff | more, fns[f], NULL);
                vcpu = world_load();
                vcpu->x[0] = 0xffff;
                vcpu->x[24] = 0x5555;
                e = take(
                    vcpu,
                    (struct fake_trap){
                        .esr = rows[n].esr, .elr = START, .spsr = EL1H, .hpfar = rows[n].hpfar, .far = rows[n].far });
                assert_int_equal(e->kind, rows[n].kind);
                assert_int_equal(e->key, rows[n].key);
                assert_int_equal(e->answer, rows[n].kind == AVC_CLASS ? AVC_PASS : AVC_FAULT);
                if (!f)
                    first = *e;
                assert_memory_equal(e, &first, sizeof first);
            }
        }
}

/* A claim on one class must not take the fast path away from other classes, such as HVC. */
static void test_classes_apart(void **state)
{
    (void)state;
    for (unsigned ec = 0; ec < 64; ec++) {
        struct avc_vcpu *vcpu;

        world_make();
        world.machine.features.has = ~UINT64_C(0);
        if (avc_vm_claim(&world.vm, &(struct avc_claim){ AVC_CLASS, ec, ec, pass, NULL }))
            continue;
        vcpu = world_load();
        for (unsigned n = 0; n < AVC_NR_TRAPS; n++) {
            bool claimed = n == ec || (ec == 0x1a && (n == 0x20 || n == 0x32)); /* for ERETAA */

            assert_ptr_equal(vcpu->dispatch[n].fn, claimed ? avc_trap_slow : avc_trap_rows[n].fn);
            assert_ptr_equal(vcpu->dispatch[n].slow, claimed ? avc_trap_claimed : avc_trap_rows[n].slow);
            assert_ptr_equal(vcpu->dispatch[n].about, avc_trap_rows[n].about);
        }
        asked = 0;
        take_sync(vcpu, ESR_MAKE(ec, true, 0), EL1H);
        assert_int_equal(asked, 1);
        take_sync(vcpu, ESR_MAKE(ec ? 0x00 : 0x01, true, 0), EL1H);
        assert_int_equal(asked, 1);
        must(avc_vcpu_put(vcpu));
    }
}

/* If a VMM ignores the exit, WFI and WFE are complete. Other classes become the guest's own exception, or UNDEFINED. */
static void test_class_exit_ignored(void **state)
{
    (void)state;
    for (unsigned event = 0; event < 2; event++) {
        struct avc_vcpu *vcpu;

        world_make();
        world_claim(AVC_CLASS, 0x01, 0x01, avc_to_vmm, NULL);
        vcpu = world_load();
        assert_int_equal(take_sync(vcpu, ESR_MAKE(0x01, true, event), EL1H)->kind, AVC_CLASS);
        go_on(vcpu);
        assert_int_equal(world.trap.elr, START + 4);
        assert_int_equal(world.trap.spsr, EL1H);
        must(avc_vcpu_put(vcpu));
    }
}

/* ---- the log line of a register that does not exist ---- */

static char last_line[256];

static void hal_log(void *context, enum avc_log_level level, const char *line)
{
    (void)context, (void)level;
    snprintf(last_line, sizeof last_line, "%s", line);
}

static struct fake_trap register_trap(uint32_t k, bool read)
{
    uint64_t iss = (k >> 14) << 20 | (k & 7) << 17 | (k >> 11 & 7) << 14 | (k >> 7 & 15) << 10 | (k >> 3 & 15) << 1;

    return (struct fake_trap){ .esr = ESR_MAKE(EC_MSR, true, iss | 3 << 5 | read), .elr = START, .spsr = EL1H };
}

/* Returns the line of an access to k by a guest whose host has claimed nothing; "" if there is none. */
static const char *line_of(uint32_t k, bool read)
{
    struct avc_vcpu *vcpu;

    world_make();
    world.hal.log = hal_log;
    vcpu = world_load();
    last_line[0] = 0;
    take(vcpu, register_trap(k, read));
    must(avc_vcpu_put(vcpu));
    return last_line;
}

/* The line must name a claim on this register and no other. */
static void check_line(uint32_t k, bool read)
{
    unsigned op0, op1, crn, crm, op2;
    const char *at = strstr(line_of(k, read), "AVC_SYSREG_KEY(");
    struct avc_vcpu *vcpu;
    int length = 0;

    assert_non_null(at);
    assert_int_equal(sscanf(at, "AVC_SYSREG_KEY(%u, %u, %u, %u, %u)%n", &op0, &op1, &crn, &crm, &op2, &length), 5);
    assert_int_equal(at[length], 0); /* to the end of the line */
    assert_int_equal(AVC_SYSREG_KEY(op0, op1, crn, crm, op2), k);
    world_make();
    world_claim(AVC_SYSREG, AVC_SYSREG_KEY(op0, op1, crn, crm, op2), AVC_SYSREG_KEY(op0, op1, crn, crm, op2), pass,
                NULL);
    vcpu = world_load();
    asked = 0;
    take(vcpu, register_trap(k, read));
    assert_int_equal(asked, 1);
    for (unsigned bit = 0; bit < 16; bit++)
        take(vcpu, register_trap(k ^ 1u << bit, read));
    assert_int_equal(asked, 1);
    must(avc_vcpu_put(vcpu));
}

static void test_log_line(void **state)
{
#define PASTED(text)                                                                                                   \
    {                                                                                                                  \
        text, #text                                                                                                    \
    }
    static const struct {
        uint32_t key;
        const char *text;
    } pasted[] = {
        PASTED(AVC_SYSREG_KEY(3, 0, 15, 2, 1)),
        PASTED(AVC_SYSREG_KEY(1, 3, 11, 15, 7)),
        PASTED(AVC_SYSREG_KEY(2, 1, 7, 8, 6)),
    };
#undef PASTED
    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(pasted); n++) {
        const char *line = line_of(pasted[n].key, n % 2);

        assert_true(strlen(line) > strlen(pasted[n].text));
        assert_string_equal(line + strlen(line) - strlen(pasted[n].text), pasted[n].text);
    }
    seed = 987654321;
    for (unsigned n = 0; n < 200; n++) { /* IMPLEMENTATION DEFINED: op0 1 or 3, CRn 11 or 15 */
        uint64_t r = random64();

        check_line(AVC_SYSREG_KEY((r & 2) | 1, r >> 2 & 7, r & 32 ? 11 : 15, r >> 6 & 15, r >> 10 & 7), r >> 13 & 1);
    }
    assert_non_null(strstr(line_of(AVC_SYSREG_KEY(3, 0, 15, 0, 0), true), ": MRS S3_0_C15_C0_0"));
    assert_non_null(strstr(line_of(AVC_SYSREG_KEY(3, 0, 15, 0, 0), false), ": MSR S3_0_C15_C0_0"));
    assert_non_null(strstr(line_of(AVC_SYSREG_KEY(1, 3, 15, 0, 1), true), ": SYSL S1_3_C15_C0_1"));
    assert_non_null(strstr(line_of(AVC_SYSREG_KEY(1, 3, 15, 0, 1), false), ": SYS S1_3_C15_C0_1"));
}

/* ---- random sets of claims, storage of every size ---- */

struct who {
    unsigned called;
};

static enum avc_answer count_done(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu;
    ((struct who *)context)->called++;
    return avc_done(e, 0);
}

static enum avc_answer count_pass(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)e;
    ((struct who *)context)->called++;
    return AVC_PASS;
}

static struct avc_claim mine[40], own[AVC_CLAIM_SLOTS(0) / 2];
static struct who my_turn[AVC_ARRAY_SIZE(mine)], own_turn[AVC_ARRAY_SIZE(own)];

/* Makes sorted, disjoint claims close together. The fake machine gives no meaning to keys of these kinds. */
static unsigned make_claims(struct avc_claim *c, struct who *turn, unsigned n, avc_claim_fn *fn)
{
    static const enum avc_kind kinds[] = { AVC_CALL, AVC_MMIO };
    uint64_t at[2] = { 0 };
    unsigned made = 0;

    for (; made < n; made++) {
        unsigned k = random64() % 2;
        uint64_t first = at[k] + random64() % 4, last = first + random64() % 12;

        c[made] = (struct avc_claim){ kinds[k], first, last, fn, &turn[made] };
        at[k] = last + 1;
    }
    for (unsigned i = n; i > 1; i--) { /* in any order */
        unsigned j = random64() % i;
        struct avc_claim t = c[i - 1];

        c[i - 1] = c[j];
        c[j] = t;
    }
    return made;
}

static struct who *find(const struct avc_claim *c, unsigned n, enum avc_kind kind, uint64_t key)
{
    for (unsigned i = 0; i < n; i++)
        if (c[i].kind == kind && c[i].first <= key && key <= c[i].last)
            return c[i].ctx;
    return NULL;
}

/*
 * Asks for every key: the embedder's claim must be called first and, because it passes, then the library's, once each.
 */
static void ask_everywhere(struct avc_vcpu *vcpu, unsigned nr_mine, unsigned nr_own)
{
    for (unsigned k = 0; k < 2; k++)
        for (uint64_t key = 0; key < 700; key++) {
            enum avc_kind kind = k ? AVC_MMIO : AVC_CALL;
            struct who *one = find(mine, nr_mine, kind, key), *other = find(own, nr_own, kind, key);
            enum avc_answer answer;
            struct avc_exit *e;

            memset(my_turn, 0, sizeof my_turn);
            memset(own_turn, 0, sizeof own_turn);
            e = avc_exit_begin(vcpu, kind, key, 0);
            answer = avc_claim_offer(vcpu, e);
            assert_int_equal(answer, other ? AVC_DONE : AVC_PASS);
            for (unsigned i = 0; i < nr_mine; i++)
                assert_int_equal(my_turn[i].called, &my_turn[i] == one);
            for (unsigned i = 0; i < nr_own; i++)
                assert_int_equal(own_turn[i].called, &own_turn[i] == other);
            assert_int_equal(e->kind, kind);
            assert_int_equal(e->answer, AVC_FAULT);
        }
}

/* Tries a VM with this much storage. Either a claim is refused, or load is, or everything works. */
static enum { REFUSED, NO_LOAD, ALL_WELL } with_storage(unsigned nr_mine, unsigned nr_own, uint32_t slots)
{
    static struct avc_claim storage[AVC_CLAIM_SLOTS(AVC_ARRAY_SIZE(mine)) + 1];
    const struct avc_claim fence = { AVC_SVC, 1, 2, pass, storage };
    enum avc_status status;

    world_make();
    storage[slots] = fence;
    world.vm.claims = slots ? storage : NULL;
    world.vm.max_claims = slots;
    for (unsigned n = 0; n < nr_own + nr_mine; n++) {
        status = n < nr_own ? avc_vm_claim_builtin(&world.vm, &own[n]) : avc_vm_claim(&world.vm, &mine[n - nr_own]);
        assert_int_equal(status, n < slots ? AVC_OK : AVC_ENOMEM);
        if (status)
            return REFUSED;
    }
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_vcpu_start(&world.vcpu[0], START, 0));
    status = avc_vcpu_load(&world.vcpu[0], &world.pcpu);
    assert_memory_equal(&storage[slots], &fence, sizeof fence);
    if (status) {
        assert_int_equal(status, AVC_ENOMEM);
        assert_int_equal(avc_vcpu_load(&world.vcpu[0], &world.pcpu), AVC_ENOMEM); /* and it fails again */
        return NO_LOAD;
    }
    ask_everywhere(&world.vcpu[0], nr_mine, nr_own);
    must(avc_vcpu_put(&world.vcpu[0]));
    return ALL_WELL;
}

static void test_storage(void **state)
{
    unsigned seen[3] = { 0 };

    (void)state;
    seed = 1234567;
    for (unsigned round = 0; round < 24; round++) {
        unsigned nr_mine = round ? (unsigned)(random64() % AVC_ARRAY_SIZE(mine)) : 0, nr_own = round % 2 ? 4 : 32,
                 well = 0;

        make_claims(mine, my_turn, nr_mine, count_pass);
        make_claims(own, own_turn, nr_own, count_done);
        for (uint32_t slots = 0; slots <= AVC_CLAIM_SLOTS(nr_mine); slots++) {
            unsigned how = with_storage(nr_mine, nr_own, slots);

            seen[how]++;
            assert_true(!well || how == ALL_WELL); /* more storage must not be worse */
            well = how == ALL_WELL;
            if (well && slots + 8 < AVC_CLAIM_SLOTS(nr_mine)) /* nothing can change before the last eight sizes */
                slots = AVC_CLAIM_SLOTS(nr_mine) - 8;
        }
        assert_true(well); /* AVC_CLAIM_SLOTS is enough */
    }
    assert_true(seen[REFUSED] > 100 && seen[NO_LOAD] > 100 && seen[ALL_WELL] > 100);
}

/* The worst case: each of the embedder's claims lies in the middle of one of the library's. */
static void test_worst_cut(void **state)
{
    (void)state;
    for (unsigned nr_own = 1; nr_own <= AVC_ARRAY_SIZE(own); nr_own++) {
        for (unsigned n = 0; n < nr_own; n++)
            own[n] = (struct avc_claim){ AVC_CALL, 20 * n, 20 * n + 19, count_done, &own_turn[n] };
        for (unsigned n = 0; n < AVC_ARRAY_SIZE(mine); n++) {
            uint64_t at = 20 * (n % nr_own) + 1 + 2 * (n / nr_own % 9);

            mine[n] = (struct avc_claim){ AVC_CALL, at, at, count_pass, &my_turn[n] };
        }
        for (unsigned nr = 1; nr <= AVC_ARRAY_SIZE(mine) && nr <= 9 * nr_own; nr += 3)
            assert_int_equal(with_storage(nr, nr_own, AVC_CLAIM_SLOTS(nr)), ALL_WELL);
    }
}

/* AVC_CLAIM_SLOTS relies on this number. */
static void test_own_claims_are_few(void **state)
{
    (void)state;
    world_make();
    attach_all();
    assert_true(world.vm.nr_builtin <= AVC_CLAIM_SLOTS(0) / 2);
}

/* If a part of the library cannot be attached, none of its claims may stay. */
static void test_attach_all_or_nothing(void **state)
{
    struct avc_vgic_config config = {
        .dist_base = DIST, .redist_base = RD, .nr_spis = 64, .max_vcpus = 2, .spis = spis, .cpus = gic_cpus
    };
    uint32_t needed;

    (void)state;
    world_make();
    attach_all();
    needed = world.vm.nr_builtin;
    for (uint32_t slots = 0; slots < needed; slots++) {
        world_make();
        world.vm.max_claims = slots;
        if (avc_psci_attach(&world.vm) == AVC_OK)
            assert_int_equal(avc_vgic_attach(&vgic, &world.vm, &config), AVC_ENOMEM);
        assert_true(world.vm.nr_builtin == 0 || world.vm.psci);
        assert_null(world.vm.irqc);
        world.vm.max_claims = AVC_ARRAY_SIZE(world.claims);
        if (!world.vm.psci)
            must(avc_psci_attach(&world.vm));
        must(avc_vgic_attach(&vgic, &world.vm, &config));
    }
    world_make();
    config.redist_base = UINT64_C(1) << 36; /* outside of the VM */
    assert_int_equal(avc_vgic_attach(&vgic, &world.vm, &config), AVC_ERANGE);
    assert_int_equal(world.vm.nr_builtin, 0);
}

/* A device has its page in the index, whatever else is claimed: flash, windows, a GIC. */
static void test_large_claims_take_no_room(void **state)
{
    static const uint64_t size[] = { 0x1000, 0x40000, 0x41000, 64 << 20, UINT64_C(1) << 32 };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(size); n++)
        for (unsigned large = 0; large < 4; large++) {
            unsigned missed = 0;

            world_make();
            attach_all();
            for (unsigned i = 0; i < large; i++)
                world_claim(AVC_MMIO, size[n] * i + (UINT64_C(4) << 32), size[n] * (i + 1) + (UINT64_C(4) << 32) - 1,
                            count_pass, NULL);
            for (unsigned i = 0; i < 8; i++)
                world_claim(AVC_MMIO, (UINT64_C(10) << 32) + 0x10000 * i, (UINT64_C(10) << 32) + 0x10000 * i + 0xfff,
                            count_pass, NULL);
            must(avc_vm_seal(&world.vm));
            for (unsigned i = 0; i < 8; i++) {
                uint64_t hpfar = ((UINT64_C(10) << 32) + 0x10000 * i) >> 8;

                missed += world.vm.mmio[avc_index_at(hpfar, world.vm.mmio_hash)].hpfar != hpfar;
            }
            assert_int_equal(missed, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pass_is_nothing),
        cmocka_unit_test(test_value_goes_on),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_to_vmm),
        cmocka_unit_test(test_classes_apart),
        cmocka_unit_test(test_class_exit_ignored),
        cmocka_unit_test(test_log_line),
        cmocka_unit_test(test_storage),
        cmocka_unit_test(test_worst_cut),
        cmocka_unit_test(test_own_claims_are_few),
        cmocka_unit_test(test_attach_all_or_nothing),
        cmocka_unit_test(test_large_claims_take_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
