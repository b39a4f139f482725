/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The register table: encodings, get and set of loaded and other vCPUs, the order of load and put, trapped accesses. */
#include "world.h"

#include <cmocka.h>

#include "arch/gic.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "core/policy/ctx.h"
#include "core/policy/errata.h"
#include "models.h"
#include "core/policy/sysreg.h"
#include "core/object/request.h"

#define E2H AVC_BIT(34)
#define TGE AVC_BIT(27)

struct line {
    const char *name;
    uint32_t key;
    int ctx; /* -1: none */
    unsigned group;
    unsigned cond;
    uint64_t reset, mask;
};

static const struct line lines[] = {
#define CTX(name, op0, op1, crn, crm, op2, group, cond, reset, mask, policy)                                           \
    { #name, AVC_REG_##name, AVC_CTX_##name, AVC_GROUP_##group, AVC_COND_##cond, reset, (uint64_t)(mask) },
#define REG(name, op0, op1, crn, crm, op2, cond, policy, value)                                                        \
    { #name, AVC_REG_##name, -1, AVC_GROUP_SHADOW, AVC_COND_##cond, value, 0 },
#include <avc/sysreg.def>
#undef CTX
#undef REG
};

static bool stored(const struct line *l)
{
    return l->ctx >= 0;
}

/* Compares values that the table spells from names of bits with the numbers of the Arm ARM. */
static void spelled(void **state)
{
    static const struct {
        const char *name;
        uint64_t reset, mask;
    } rows[] = {
        { "SCTLR_EL1", 0x30d50838, ~UINT64_C(0) },
        { "MDSCR_EL1", 0, 0xb001 },
        { "OSLSR_EL1", 0xa, 0x2 },
        { "DBGBCR0_EL1", 0, 0xff01e7 },
        { "DBGWCR15_EL1", 0, 0x1f1f1fff },
        { "CNTV_CTL_EL0", 0, 0x3 },
        { "CNTP_CTL_EL0", 0, 0x3 },
        { "ICC_SRE_EL1", 0x7, 0 },
    };
    unsigned found = 0;

    (void)state;
    for (size_t n = 0; n < AVC_ARRAY_SIZE(rows); n++)
        for (size_t i = 0; i < AVC_ARRAY_SIZE(lines); i++)
            if (!strcmp(rows[n].name, lines[i].name)) {
                if (lines[i].reset != rows[n].reset || lines[i].mask != rows[n].mask)
                    print_error("%s\n", rows[n].name);
                assert_int_equal(lines[i].reset, rows[n].reset);
                assert_int_equal(lines[i].mask, rows[n].mask);
                found++;
            }
    assert_int_equal(found, AVC_ARRAY_SIZE(rows));
    assert_int_equal(SCTLR_EL2_RES1, 0x30c50830);
    assert_int_equal(MPIDR_AFFINITY, UINT64_C(0xff00ffffff));
}

/* A value for each register that no other register has. */
static uint64_t pattern(const struct line *l)
{
    uint64_t value = 0xa5a5000000000000u | (uint64_t)l->key << 16 | (l->key ^ 0x5a5a);

    if (strncmp(l->name, "DBGBCR", 6) == 0)
        value |= 0x1e0; /* BAS: pairs of bits */
    return value & l->mask;
}

/* host_hcr: 0, or E2H and TGE. */
static struct avc_vcpu *two_vcpus(const struct fake_model *model, uint64_t host_hcr, uint32_t uses)
{
    world_model = model;
    world_e2h = host_hcr & E2H;
    world_make();
    world.hal.uses = uses;
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    return &world.vcpu[0];
}

static void encodings_differ(void **state)
{
    for (size_t a = 0; a < AVC_ARRAY_SIZE(lines); a++) {
        assert_string_equal(avc_sysreg_name(lines[a].key), lines[a].name);
        assert_true(lines[a].key < 0x10000);
        for (size_t b = 0; b < a; b++) {
            assert_int_not_equal(lines[a].key, lines[b].key);
            assert_string_not_equal(lines[a].name, lines[b].name);
        }
    }
    assert_null(avc_sysreg_name(AVC_SYSREG_KEY(3, 0, 15, 2, 0)));
    assert_null(avc_sysreg_name(AVC_REG_PC));
    assert_int_equal(AVC_REG_SCTLR_EL1, 0xc080);
    assert_true((int)AVC_NR_CTX_USED <= AVC_NR_CTX);
}

/*
 * EL2 reaches an EL1 register by op1 = 5 instead of 0, and an EL0 register (a timer's) by op1 = 5 instead of 3: D24.2.
 */
static void el12_forms_exist(void **state)
{
    for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++) {
        unsigned op1 = lines[n].key >> 11 & 7;

        switch (lines[n].group) {
        case AVC_GROUP_XLAT:
        case AVC_GROUP_EL1:
            assert_int_equal(op1, 0);
            break;
        case AVC_GROUP_TIMER:
            assert_int_equal(op1, 3);
            break;
        }
    }
}

static void reset_values(void **state)
{
    struct avc_vcpu *vcpu = two_vcpus(&fake_max, 0, 0);

    for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++)
        if (stored(&lines[n]))
            assert_int_equal(vcpu->ctx[lines[n].ctx], lines[n].reset);
    assert_int_equal(vcpu->ctx[AVC_CTX_SCTLR_EL1] & 0x1005, 0);              /* M, C, I */
    assert_int_equal(vcpu->ctx[AVC_CTX_SCTLR_EL1] & 0x30d00800, 0x30d00800); /* RES1 of Armv8.0 */
    assert_int_equal(vcpu->ctx[AVC_CTX_OSLSR_EL1], 0xa);                     /* locked, as after a cold reset */
}

/* Sets and gets each register, not loaded, loaded, and after put and load; on each model, with both kinds of host. */
static void set_get_everywhere(const struct fake_model *model, uint64_t hcr, uint32_t uses)
{
    struct avc_vcpu *vcpu = two_vcpus(model, hcr, uses);
    const struct avc_features *f = &world.machine.features;
    uint64_t value;
    unsigned tried = 0;

    must(avc_vcpu_start(vcpu, START, 0));
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++) {
            const struct line *l = &lines[n];
            uint64_t want = pattern(l) ^ (round == 1 ? l->mask : 0);

            if (!stored(l))
                continue;
            if (!avc_cond_met(f, l->cond)) {
                assert_int_equal(avc_vcpu_set(vcpu, l->key, want), AVC_ENOENT);
                assert_int_equal(avc_vcpu_get(vcpu, l->key, &value), AVC_ENOENT);
                continue;
            }
            must(avc_vcpu_set(vcpu, l->key, want));
            must(avc_vcpu_get(vcpu, l->key, &value));
            if (l->group == AVC_GROUP_TIMER)
                value &= ~UINT64_C(4); /* ISTATUS, or the same bit of CVAL */
            assert_int_equal(value & l->mask & ~(l->group == AVC_GROUP_TIMER ? 4u : 0u),
                             want & ~(l->group == AVC_GROUP_TIMER ? 4u : 0u));
            tried++;
        }
        if (round == 0)
            must(avc_vcpu_load(vcpu, &world.pcpu));
        if (round == 1)
            must(avc_vcpu_put(vcpu));
        /* A value that was set before the move is still there after it. */
        for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++) {
            const struct line *l = &lines[n];

            if (!stored(l) || l->group == AVC_GROUP_TIMER || !avc_cond_met(f, l->cond) || round == 2)
                continue;
            must(avc_vcpu_get(vcpu, l->key, &value));
            assert_int_equal(value & l->mask, pattern(l) ^ (round == 1 ? l->mask : 0));
        }
    }
    assert_true(tried > 100);
}

static void set_get(void **state)
{
    for (unsigned n = 0; n < FAKE_NR_MODELS; n++) {
        bool vhe = fake_models[n]->id[(7 - 1) * 8 + 1] >> 8 & 0xf; /* ID_AA64MMFR1_EL1.VH */

        set_get_everywhere(fake_models[n], 0, 0);
        set_get_everywhere(fake_models[n], 0, AVC_HOST_SP_EL0 | AVC_HOST_TPIDR | AVC_HOST_PAUTH);
        set_get_everywhere(fake_models[n], 0, AVC_HOST_NO_EL1);
        if (vhe) {
            set_get_everywhere(fake_models[n], E2H | TGE, 0);
            set_get_everywhere(fake_models[n], E2H | TGE, AVC_HOST_NO_EL1 | AVC_HOST_TPIDR);
        }
    }
}

static void set_refuses(void **state)
{
    struct avc_vcpu *vcpu = two_vcpus(&fake_a72, 0, 0);
    uint64_t value = 0;

    assert_int_equal(avc_vcpu_set(vcpu, AVC_REG_MIDR_EL1, 0), AVC_ERANGE);
    assert_int_equal(avc_vcpu_set(vcpu, AVC_REG_ID_AA64PFR0_EL1, 0), AVC_ERANGE);
    assert_int_equal(avc_vcpu_set(vcpu, AVC_SYSREG_KEY(3, 0, 0, 7, 7), 0), AVC_ERANGE);
    assert_int_equal(avc_vcpu_set(vcpu, AVC_SYSREG_KEY(3, 0, 15, 2, 0), 0), AVC_ENOENT);
    assert_int_equal(avc_vcpu_get(vcpu, AVC_SYSREG_KEY(3, 0, 15, 2, 0), &value), AVC_ENOENT);
    assert_int_equal(avc_vcpu_get(vcpu, AVC_REG_OSLAR_EL1, &value), AVC_ENOENT);
    assert_int_equal(avc_vcpu_get(vcpu, AVC_REG_APIAKeyLo_EL1, &value), AVC_ENOENT); /* this CPU has no PAuth */
    assert_int_equal(avc_vcpu_get(vcpu, AVC_REG_ICC_SRE_EL1, &value), AVC_ENOENT);   /* the VM has no controller */
    must(avc_vcpu_get(vcpu, AVC_REG_MPIDR_EL1, &value));
    assert_int_equal(value, 0x80000000);
}

static uint64_t got(struct avc_vcpu *vcpu, uint32_t reg)
{
    uint64_t value;

    must(avc_vcpu_get(vcpu, reg, &value));
    return value;
}

/* ---- load and put ---- */

static long wrote(size_t from, unsigned which)
{
    return fake_log_find(from, FAKE_WRITE, which);
}

static long wrote_ctx(size_t from, unsigned ctx)
{
    return wrote(from, FAKE_NR_REGS + ctx);
}

static bool isb_between(long a, long b)
{
    long isb = fake_log_find((size_t)a, FAKE_OP, FAKE_OP_isb);

    return isb > a && isb < b;
}

/* Walks: EPD set, ISB, M set, ISB, tables, ISB, SCTLR, ISB, TCR. On other CPUs each is written once. */
static void order_of_walks(bool erratum)
{
    long first_tcr = wrote_ctx(0, AVC_CTX_TCR_EL1), first_sctlr = wrote_ctx(0, AVC_CTX_SCTLR_EL1);
    long tcr = wrote_ctx((size_t)first_tcr + 1, AVC_CTX_TCR_EL1), vttbr = wrote(0, FAKE_VTTBR_EL2);
    long sctlr = wrote_ctx((size_t)first_sctlr + 1, AVC_CTX_SCTLR_EL1);

    if (!erratum) {
        assert_int_equal(fake_log[first_tcr].value, 0x1234);
        assert_int_equal(tcr, -1);
        assert_int_equal(sctlr, -1);
        return;
    }
    assert_int_equal(fake_log[first_tcr].value & 0x800080, 0x800080);
    assert_int_equal(fake_log[first_sctlr].value & 1, 1);
    assert_int_equal(fake_log[tcr].value, 0x1234);
    assert_true(isb_between(first_tcr, first_sctlr) && isb_between(first_sctlr, vttbr) && isb_between(vttbr, sctlr));
    assert_true(isb_between(sctlr, tcr));
    for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++)
        if (lines[n].group == AVC_GROUP_EL1)
            assert_true(wrote_ctx(0, (unsigned)lines[n].ctx) > first_sctlr &&
                        wrote_ctx(0, (unsigned)lines[n].ctx) < sctlr);
    assert_true(wrote(0, FAKE_VTCR_EL2) > first_sctlr && wrote(0, FAKE_VTCR_EL2) < sctlr);
    assert_true(wrote(0, FAKE_HCR_EL2) > first_sctlr && wrote(0, FAKE_HCR_EL2) < sctlr);
}

static void order_of_load(void **state)
{
    for (int e2h = 0; e2h < 2; e2h++) {
        struct avc_vcpu *vcpu = two_vcpus(e2h ? &fake_n1 : &fake_a72, e2h ? E2H | TGE : 0, 0);
        long off, cval, ctl;

        must(avc_vcpu_start(vcpu, START, 0));
        must(avc_vcpu_set(vcpu, AVC_REG_CNTV_CTL_EL0, 1));
        must(avc_vcpu_set(vcpu, AVC_REG_TCR_EL1, 0x1234));
        fake_log_clear();
        must(avc_vcpu_load(vcpu, &world.pcpu));

        /* Timers: disabled, ISB, offset and compare value, ISB, enabled. */
        off = wrote_ctx(0, AVC_CTX_CNTV_CTL_EL0);
        assert_int_equal(fake_log[off].value, 0);
        assert_true(off < wrote(0, FAKE_CNTVOFF_EL2));
        cval = wrote_ctx(0, AVC_CTX_CNTV_CVAL_EL0);
        ctl = wrote_ctx((size_t)off + 1, AVC_CTX_CNTV_CTL_EL0);
        assert_int_equal(fake_log[ctl].value, 1);
        assert_true(isb_between(off, cval) && isb_between(cval, ctl));
        assert_true(wrote(0, FAKE_CNTVOFF_EL2) < ctl);

        order_of_walks(!e2h);

        /* load writes HCR_EL2 only if speculative walks at EL2 would otherwise be EL1's. */
        if (e2h)
            assert_int_equal(wrote(0, FAKE_HCR_EL2), -1);
        assert_int_equal(vcpu->host_hcr, e2h ? E2H | TGE : 1);
        assert_int_equal(vcpu->hcr & E2H, e2h ? E2H : 0);
        assert_int_equal(vcpu->hcr & TGE, 0);
        must(avc_vcpu_put(vcpu));
        assert_int_equal(fake_cpu->reg[FAKE_HCR_EL2], e2h ? E2H | TGE : 0);
    }
}

/*
 * A host with patterns in its registers gets all of them back at put, and its thread registers at each return of run.
 */
static void host_gets_all_back(void **state)
{
    static const unsigned kept[] = {
        FAKE_HCR_EL2,     FAKE_MDCR_EL2,    FAKE_CPTR_EL2,    FAKE_HSTR_EL2,    FAKE_HFGRTR_EL2,
        FAKE_HFGWTR_EL2,  FAKE_HFGITR_EL2,  FAKE_HCRX_EL2,    FAKE_HDFGRTR_EL2, FAKE_HDFGWTR_EL2,
        FAKE_HAFGRTR_EL2, FAKE_VPIDR_EL2,   FAKE_VMPIDR_EL2,  FAKE_VBAR_EL2,    FAKE_VTTBR_EL2,
        FAKE_VTCR_EL2,    FAKE_CNTVOFF_EL2, FAKE_CNTHCTL_EL2, FAKE_MDSCR_EL1,   FAKE_ICH_HCR_EL2,
    };

    for (unsigned n = 0; n < FAKE_NR_MODELS; n++)
        for (uint32_t uses = 0; uses < 8; uses++)
            for (int debug = 0; debug < 2; debug++) {
                struct avc_vcpu *vcpu = two_vcpus(fake_models[n], n >= 3 ? E2H | TGE : 0, uses);
                uint64_t before_ctx[AVC_NR_CTX], before[FAKE_NR_REGS];

                if (debug) {
                    must(avc_vcpu_set(vcpu, AVC_REG_OSLSR_EL1, 0));
                    must(avc_vcpu_set(vcpu, AVC_REG_MDSCR_EL1, 0x8000));
                }
                for (unsigned r = 0; r < AVC_ARRAY_SIZE(kept); r++)
                    if (kept[r] != FAKE_HCR_EL2)
                        fake_cpu->reg[kept[r]] = 0x1000 + r;
                fake_cpu->reg[FAKE_OSLSR_EL1] = 2;
                for (unsigned c = 0; c < AVC_NR_CTX; c++)
                    fake_cpu->ctx[c] = 0xbad0000000000000 | c;
                fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 2;
                fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0] = 3;
                memcpy(before, fake_cpu->reg, sizeof before);
                memcpy(before_ctx, fake_cpu->ctx, sizeof before_ctx);

                must(avc_vcpu_load(vcpu, &world.pcpu));
                assert_int_equal(vcpu->debug_live, debug);
                assert_true(avc_vcpu_power_on(vcpu, START, 0));
                (void)world_run(vcpu); /* it powers up, which leaves and enters the guest in the middle of run */
                assert_int_equal(vcpu->ctx[AVC_CTX_OSLSR_EL1], 0xa);
                if (uses & AVC_HOST_SP_EL0)
                    assert_int_equal(fake_cpu->ctx[AVC_CTX_SP_EL0], before_ctx[AVC_CTX_SP_EL0]);
                else
                    assert_int_equal(fake_cpu->ctx[AVC_CTX_SP_EL0], 0);
                if (uses & AVC_HOST_TPIDR)
                    assert_int_equal(fake_cpu->ctx[AVC_CTX_TPIDR_EL1], before_ctx[AVC_CTX_TPIDR_EL1]);
                if (uses & AVC_HOST_PAUTH)
                    assert_int_equal(fake_cpu->ctx[AVC_CTX_APIAKeyLo_EL1], before_ctx[AVC_CTX_APIAKeyLo_EL1]);
                assert_int_equal(fake_cpu->ctx[AVC_CTX_VBAR_EL1], 0);
                must(avc_vcpu_put(vcpu));
                for (unsigned r = 0; r < AVC_ARRAY_SIZE(kept); r++)
                    assert_int_equal(fake_cpu->reg[kept[r]], before[kept[r]]);
                for (unsigned c = 0; c < AVC_NR_CTX_USED; c++)
                    assert_int_equal(fake_cpu->ctx[c], before_ctx[c]);
                assert_int_equal(vcpu->live, 0);
            }
}

/*
 * A host that has no use for EL1 gets back what is EL2's own, and the registers that it says it uses. The EL1 timers
 * are off, and on a CPU that walks at EL2 no walk can start.
 */
static void host_without_el1(void **state)
{
    static const unsigned kept[] = {
        FAKE_HCR_EL2,     FAKE_MDCR_EL2,    FAKE_CPTR_EL2,  FAKE_VBAR_EL2,
        FAKE_CNTVOFF_EL2, FAKE_CNTHCTL_EL2, FAKE_MDSCR_EL1, FAKE_ICH_HCR_EL2,
    };

    for (unsigned n = 0; n < FAKE_NR_MODELS; n++)
        for (uint32_t uses = 0; uses < 8; uses++) {
            struct avc_vcpu *vcpu = two_vcpus(fake_models[n], n >= 3 ? E2H | TGE : 0, uses | AVC_HOST_NO_EL1);
            uint64_t before_ctx[AVC_NR_CTX], before[FAKE_NR_REGS];

            must(avc_vcpu_set(vcpu, AVC_REG_CNTV_CTL_EL0, 1));
            must(avc_vcpu_set(vcpu, AVC_REG_TPIDR_EL1, 0x1111));
            must(avc_vcpu_set(vcpu, AVC_REG_SP_EL0, 0x2222));
            for (unsigned r = 0; r < AVC_ARRAY_SIZE(kept); r++)
                if (kept[r] != FAKE_HCR_EL2)
                    fake_cpu->reg[kept[r]] = 0x1000 + r;
            for (unsigned c = 0; c < AVC_NR_CTX; c++)
                fake_cpu->ctx[c] = 0xbad0000000000000 | c;
            memcpy(before, fake_cpu->reg, sizeof before);
            memcpy(before_ctx, fake_cpu->ctx, sizeof before_ctx);

            must(avc_vcpu_load(vcpu, &world.pcpu));
            assert_true(avc_vcpu_power_on(vcpu, START, 0));
            (void)world_run(vcpu); /* it powers up, which leaves and enters the guest in the middle of run */
            must(avc_vcpu_set(vcpu, AVC_REG_CNTP_CTL_EL0, 1));
            must(avc_vcpu_set(vcpu, AVC_REG_VBAR_EL1, VBAR));
            must(avc_vcpu_put(vcpu));
            for (unsigned r = 0; r < AVC_ARRAY_SIZE(kept); r++)
                assert_int_equal(fake_cpu->reg[kept[r]], before[kept[r]]);
            for (size_t l = 0; l < AVC_ARRAY_SIZE(lines); l++)
                if ((lines[l].group == AVC_GROUP_SP0 && uses & AVC_HOST_SP_EL0) ||
                    (lines[l].group == AVC_GROUP_TPIDR && uses & AVC_HOST_TPIDR) ||
                    (lines[l].group == AVC_GROUP_PAUTH && uses & AVC_HOST_PAUTH) || lines[l].group == AVC_GROUP_DEBUG)
                    assert_int_equal(fake_cpu->ctx[lines[l].ctx], before_ctx[lines[l].ctx]);
            assert_int_equal(fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] & 1, 0);
            assert_int_equal(fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0] & 1, 0);
            if (world.pcpu.features.errata & AVC_ERRATUM_AT) {
                assert_int_equal(fake_cpu->ctx[AVC_CTX_TCR_EL1] & 0x800080, 0x800080);
                assert_int_equal(fake_cpu->ctx[AVC_CTX_SCTLR_EL1] & 1, 1);
            }
            assert_int_equal(got(vcpu, AVC_REG_CNTP_CTL_EL0) & 1, 1);
            assert_int_equal(got(vcpu, AVC_REG_VBAR_EL1), VBAR);
            assert_int_equal(got(vcpu, AVC_REG_TCR_EL1), 0);
            assert_int_equal(vcpu->live, 0);

            /* The next one has none of it. */
            must(avc_vcpu_load(&world.vcpu[1], &world.pcpu));
            assert_int_equal(got(&world.vcpu[1], AVC_REG_VBAR_EL1), 0);
            must(avc_vcpu_put(&world.vcpu[1]));
        }
}

/* Two vCPUs in turn on one CPU never see each other's registers. */
static void vcpus_are_apart(void **state)
{
    static const uint32_t uses[] = { 0, AVC_HOST_NO_EL1, AVC_HOST_NO_EL1 | AVC_HOST_TPIDR };

    for (unsigned u = 0; u < AVC_ARRAY_SIZE(uses); u++) {
        struct avc_vcpu *a = two_vcpus(&fake_max, E2H | TGE, uses[u]), *b = &world.vcpu[1];
        const struct avc_features *f = &world.machine.features;

        must(avc_vcpu_load(a, &world.pcpu));
        for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++)
            if (stored(&lines[n]) && avc_cond_met(f, lines[n].cond))
                must(avc_vcpu_set(a, lines[n].key, pattern(&lines[n])));
        must(avc_vcpu_put(a));
        must(avc_vcpu_load(b, &world.pcpu));
        for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++)
            if (stored(&lines[n]) && avc_cond_met(f, lines[n].cond))
                assert_int_equal(got(b, lines[n].key), lines[n].reset);
        must(avc_vcpu_put(b));
    }
}

/* ---- trapped accesses ---- */

static uint64_t esr_of(uint32_t key, bool read, unsigned rt)
{
    return UINT64_C(0x18) << 26 | AVC_BIT(25) | (uint64_t)(key >> 14 & 3) << 20 | (uint64_t)(key & 7) << 17 |
           (uint64_t)(key >> 11 & 7) << 14 | (uint64_t)(key >> 7 & 15) << 10 | (uint64_t)rt << 5 |
           (uint64_t)(key >> 3 & 15) << 1 | read;
}

static bool undefined(struct avc_vcpu *vcpu)
{
    return world.trap.elr == VBAR + 0x200 && ctx(AVC_CTX_ESR_EL1) >> 26 == 0;
}

static uint64_t mrs(struct avc_vcpu *vcpu, uint32_t key)
{
    vcpu->x[3] = 0xdead;
    (void)take_sync(vcpu, esr_of(key, true, 3), EL1H);
    return vcpu->x[3];
}

static void msr(struct avc_vcpu *vcpu, uint32_t key, uint64_t value)
{
    vcpu->x[3] = value;
    (void)take_sync(vcpu, esr_of(key, false, 3), EL1H);
}

static void trapped(void **state)
{
    struct avc_vcpu *vcpu;

    two_vcpus(&fake_max, E2H | TGE, 0);
    vcpu = &world.vcpu[0];
    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    (void)world_run(vcpu);
    avc_ctx_set(vcpu, AVC_CTX_VBAR_EL1, VBAR);

    /* ID registers come from the VM's list. Reserved ones are zero. Writes are UNDEFINED. */
    assert_int_equal(mrs(vcpu, AVC_REG_ID_AA64PFR0_EL1), world.vm.id_regs[24]);
    assert_false(undefined(vcpu));
    assert_int_equal(mrs(vcpu, AVC_SYSREG_KEY(3, 0, 0, 7, 7)), 0);
    assert_false(undefined(vcpu));
    msr(vcpu, AVC_REG_ID_AA64PFR0_EL1, 1);
    assert_true(undefined(vcpu));

    /* ACTLR_EL1 reads as zero and ignores writes. IMPLEMENTATION DEFINED registers are UNDEFINED, and counted. */
    msr(vcpu, AVC_REG_ACTLR_EL1, ~0u);
    assert_false(undefined(vcpu));
    assert_int_equal(mrs(vcpu, AVC_REG_ACTLR_EL1), 0);
    vcpu->nr_unclaimed = 0;
    msr(vcpu, AVC_SYSREG_KEY(3, 1, 15, 2, 0), 1);
    assert_true(undefined(vcpu));
    assert_int_equal(vcpu->nr_unclaimed, 1);

    /* Registers of features that are hidden: PMU, LOR, SVE, and MTE's random numbers. */
    mrs(vcpu, AVC_SYSREG_KEY(3, 3, 9, 12, 0));
    assert_true(undefined(vcpu));
    mrs(vcpu, AVC_SYSREG_KEY(3, 0, 10, 4, 3));
    assert_true(undefined(vcpu));
    mrs(vcpu, AVC_SYSREG_KEY(3, 0, 1, 2, 0));
    assert_true(undefined(vcpu));

    /* The OS lock. */
    assert_int_equal(mrs(vcpu, AVC_REG_OSLSR_EL1), 0xa);
    msr(vcpu, AVC_REG_OSLAR_EL1, 0);
    assert_int_equal(mrs(vcpu, AVC_REG_OSLSR_EL1), 8);
    mrs(vcpu, AVC_REG_OSLAR_EL1);
    assert_true(undefined(vcpu));
    msr(vcpu, AVC_REG_OSLSR_EL1, 0);
    assert_true(undefined(vcpu));

    /* An operation by set and way cleans and invalidates, whichever the guest asked for. */
    fake_log_clear();
    msr(vcpu, AVC_REG_DC_ISW, 0x40);
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_dc_cisw) >= 0);
    assert_false(undefined(vcpu));

    /* There are no error records. */
    assert_int_equal(mrs(vcpu, AVC_REG_ERRIDR_EL1), 0);
    mrs(vcpu, AVC_SYSREG_KEY(3, 0, 5, 4, 0));
    assert_true(undefined(vcpu));
}

/* DC ISW, CSW and CISW with any operand: a line that the CPU has is cleaned and invalidated, and nothing else is done.
   The fake ends the test at an operand that its CPU does not have. */
static bool cleaned(struct avc_vcpu *vcpu, uint32_t key, uint64_t operand, uint64_t *done)
{
    long at;

    fake_log_clear();
    msr(vcpu, key, operand);
    assert_false(undefined(vcpu));
    at = fake_log_find(0, FAKE_OP, FAKE_OP_dc_cisw);
    *done = at < 0 ? 0 : fake_log[at].value;
    return at >= 0;
}

static void sets_and_ways(void **state)
{
    static const uint32_t keys[] = { AVC_REG_DC_ISW, AVC_REG_DC_CSW, AVC_REG_DC_CISW };
    static const uint64_t wrong[] = { 0x2, 0x4, 0xe, 0xfffffffe, ~UINT64_C(0), 0xfffffff0, 0xf };
    struct fake_model odd = fake_a72, one = fake_a72, none = fake_a72;
    const struct fake_model *cpus[] = { &fake_a53, &fake_a57, &fake_a72, &fake_n1, &fake_max, &odd, &one, &none };
    uint64_t done;

    odd.id[ID_REG(7, 2)] |= UINT64_C(1) << 20;        /* FEAT_CCIDX */
    odd.ccsidr[0] = UINT64_C(299) << 32 | 2 << 3 | 2; /* 300 sets, 3 ways of 64 bytes */
    odd.ccsidr[2] = UINT64_C(16383) << 32 | 15 << 3 | 3;
    one.ccsidr[0] = 0;       /* one line of 16 bytes */
    none.clidr = 4 << 6 | 1; /* instructions alone; what stands above a level without caches means nothing */
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cpus); n++) {
        struct avc_vcpu *vcpu;
        unsigned nr = 0;

        fake_reset();
        vcpu = two_vcpus(cpus[n], 0, 0);
        assert_int_equal(fake_cpu->reg[FAKE_CSSELR_EL1], 0); /* the host's again */
        must(avc_vcpu_start(vcpu, START, 0));
        must(avc_vcpu_load(vcpu, &world.pcpu));
        (void)world_run(vcpu);
        avc_ctx_set(vcpu, AVC_CTX_VBAR_EL1, VBAR);
        for (unsigned i = 0; i < AVC_ARRAY_SIZE(wrong); i++)
            (void)cleaned(vcpu, keys[i % 3], wrong[i], &done);
        for (uint64_t i = 0, operand = 1; i < 20000; i++) {
            operand = operand * UINT64_C(6364136223846793005) + 1442695040888963407;
            nr += cleaned(vcpu, keys[i % 3], i % 2 ? operand >> 32 : operand >> 40 & ~UINT64_C(0xc), &done);
        }
        assert_int_equal(nr != 0, cpus[n] != &none);
        assert_int_equal(cleaned(vcpu, keys[0], 0, &done), cpus[n] != &none);
        assert_int_equal(done, 0);
        if (cpus[n] == &odd) { /* each of them goes through as it is; the first that is too big does not */
            assert_true(cleaned(vcpu, keys[1], UINT64_C(2) << 30 | 299 << 6, &done));
            assert_int_equal(done, UINT64_C(2) << 30 | 299 << 6);
            assert_false(cleaned(vcpu, keys[1], UINT64_C(3) << 30, &done));
            assert_false(cleaned(vcpu, keys[1], 300 << 6, &done));
            assert_true(cleaned(vcpu, keys[2], UINT64_C(15) << 28 | 16383 << 7 | 2, &done));
            assert_int_equal(done, UINT64_C(15) << 28 | 16383 << 7 | 2);
        }
        if (cpus[n] == &one) {
            assert_false(cleaned(vcpu, keys[0], 0x10, &done));
            assert_false(cleaned(vcpu, keys[0], 0x80000000, &done));
        }
        /* what is no part of the operand */
        if (cpus[n] != &none) {
            assert_true(cleaned(vcpu, keys[0], UINT64_C(1) << 32 | 1, &done));
            assert_int_equal(done, 0);
        }
        must(avc_vcpu_put(vcpu));
    }
}

/* The table is made at enable, with interrupts masked, and the host keeps its CSSELR_EL1. */
static void host_keeps_csselr(void **state)
{
    fake_reset();
    fake_become(0, &fake_a72);
    memset(&world, 0, sizeof world);
    world.hal = (struct avc_hal){ .panic = hal_panic };
    fake_cpu->reg[FAKE_CSSELR_EL1] = 3;
    must(avc_machine_init(&world.machine));
    must(avc_pcpu_init(&world.pcpu, &world.machine, &world.hal));
    must(avc_pcpu_enable(&world.pcpu));
    assert_int_equal(fake_cpu->reg[FAKE_CSSELR_EL1], 3);
}

/* ---- set before the first run ---- */

static struct {
    uint64_t x[31], pc, pstate;
} entered;

static bool note_entry(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    memcpy(entered.x, vcpu->x, sizeof entered.x);
    entered.pc = trap->elr;
    entered.pstate = trap->spsr;
    return false;
}

/* Everything that can be set, by its id. `check`: it is there, in the guest. */
static void set_or_check_all(struct avc_vcpu *vcpu, const char *way, bool check)
{
    const struct avc_features *f = &world.machine.features;
    uint64_t v[2] = { 0x123, 0x456 }, there[2];

    for (size_t n = 0; n < AVC_ARRAY_SIZE(lines); n++) {
        const struct line *l = &lines[n];

        if (!stored(l) || l->group == AVC_GROUP_TIMER || !avc_cond_met(f, l->cond))
            continue;
        if (!check)
            must(avc_vcpu_set(vcpu, l->key, pattern(l)));
        if ((got(vcpu, l->key) ^ pattern(l)) & l->mask)
            fail_msg("%s: %s %s", way, l->name, check ? "is lost" : "is not set");
    }
    for (unsigned n = 1; n < 31; n++)
        if (!check)
            must(avc_vcpu_set(vcpu, AVC_REG_X0 + n, 1000 + n));
        else if (entered.x[n] != 1000 + n)
            fail_msg("%s: X%u is lost", way, n);
    if (!check) {
        must(avc_vcpu_set(vcpu, AVC_REG_PC, START + 0x100));
        must(avc_vcpu_set(vcpu, AVC_REG_PSTATE, EL1H & ~1u));
        must(avc_vcpu_set(vcpu, AVC_REG_FPCR, 0x1000000));
        must(avc_vcpu_set_fp(vcpu, 3, v));
        return;
    }
    must(avc_vcpu_get_fp(vcpu, 3, there));
    if (entered.pc != START + 0x100 || entered.pstate != (EL1H & ~1u) || entered.x[0] != 99 ||
        got(vcpu, AVC_REG_FPCR) != 0x1000000 || memcmp(v, there, sizeof v) != 0)
        fail_msg("%s: PC, PSTATE, X0, FPCR or V3 is lost", way);
}

/* Start means: the state is now the reset state, plus what the caller sets. So it is for a vCPU that CPU_ON starts. */
static void set_before_the_first_run(void **state)
{
    static const struct {
        const char *name;
        bool cpu_on, by_smc, load_first, load_late;
    } ways[] = {
        { "start, set, load", false, false, false, true },
        { "start, load, set", false, false, true, false },
        { "CPU_ON, set, load", true, false, false, true },
        { "CPU_ON, load, set", true, false, false, false },
        { "load, CPU_ON, set", true, false, true, false },
        { "load, CPU_OFF by SMC, CPU_ON, set", true, true, true, false },
    };

    for (unsigned model = 0; model < FAKE_NR_MODELS; model++)
        for (unsigned n = 0; n < AVC_ARRAY_SIZE(ways); n++) {
            struct avc_vcpu *vcpu = two_vcpus(fake_models[model], 0, n % 2 ? AVC_HOST_TPIDR | AVC_HOST_SP_EL0 : 0);
            struct avc_exit *e;

            vcpu->x[7] = 7; /* of an earlier life */
            avc_ctx_set(vcpu, AVC_CTX_TPIDR_EL1, 7);
            fake_guest = note_entry;
            if (!ways[n].cpu_on)
                must(avc_vcpu_start(vcpu, START + 64, 99));
            if (ways[n].load_first)
                must(avc_vcpu_load(vcpu, &world.pcpu));
            if (ways[n].cpu_on) {
                if (ways[n].load_first) {
                    e = world_run(vcpu);
                    assert_int_equal(e->kind, AVC_CPU_OFF);
                    if (ways[n].by_smc)
                        e->step = true; /* as CPU_OFF by SMC leaves it */
                }
                assert_true(avc_vcpu_power_on(vcpu, START + 64, 99));
            }
            if (!ways[n].load_first && !ways[n].load_late)
                must(avc_vcpu_load(vcpu, &world.pcpu));
            if (got(vcpu, AVC_REG_PC) != START + 64 || got(vcpu, AVC_REG_X0) != 99 || got(vcpu, AVC_REG_X0 + 7) ||
                got(vcpu, AVC_REG_TPIDR_EL1) || got(vcpu, AVC_REG_PSTATE) != EL1H)
                fail_msg("%s: not the reset state", ways[n].name);
            if (ways[n].load_first && ways[n].cpu_on)
                assert_int_equal(e->kind, AVC_CPU_OFF); /* the VMM's until it runs the vCPU again */
            set_or_check_all(vcpu, ways[n].name, false);
            assert_true(avc_vcpu_has_work(vcpu)); /* it is to be run */
            if (ways[n].load_late)
                must(avc_vcpu_load(vcpu, &world.pcpu));
            assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
            set_or_check_all(vcpu, ways[n].name, true);
            must(avc_vcpu_put(vcpu));
            set_or_check_all(vcpu, ways[n].name, true);
        }
}

static void breakpoints(void **state)
{
    struct avc_vcpu *vcpu = two_vcpus(&fake_a72, 0, 0);

    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    (void)world_run(vcpu);
    avc_ctx_set(vcpu, AVC_CTX_VBAR_EL1, VBAR);
    fake_cpu->ctx[AVC_CTX_DBGBVR0_EL1] = 0x4057; /* the host's */
    fake_cpu->reg[FAKE_MDSCR_EL1] = 0;

    /* The values are stored, but get into the CPU only when MDE is set and the OS lock is open. */
    msr(vcpu, AVC_REG_DBGBVR0_EL1, START);
    msr(vcpu, AVC_REG_DBGBCR0_EL1, 0xffffffff);
    assert_int_equal(mrs(vcpu, AVC_REG_DBGBCR0_EL1) & 0xe000, 0); /* HMC and SSC: never at EL2 */
    msr(vcpu, AVC_REG_MDSCR_EL1, 0x8000);
    assert_int_equal(fake_cpu->ctx[AVC_CTX_DBGBVR0_EL1], 0x4057);
    assert_int_equal(fake_cpu->reg[FAKE_MDSCR_EL1], 0);
    msr(vcpu, AVC_REG_OSLAR_EL1, 0);
    assert_true(vcpu->debug_live);
    assert_int_equal(fake_cpu->ctx[AVC_CTX_DBGBVR0_EL1], START);
    assert_int_equal(fake_cpu->reg[FAKE_MDSCR_EL1], 0x8000);
    assert_int_equal(mrs(vcpu, AVC_REG_DBGBVR0_EL1), START);
    msr(vcpu, AVC_REG_DBGBVR0_EL1, START + 4); /* reaches the CPU at once */
    assert_int_equal(fake_cpu->ctx[AVC_CTX_DBGBVR0_EL1], START + 4);

    /* The CPU has only six breakpoints. */
    msr(vcpu, AVC_REG_DBGBVR6_EL1, 1);
    assert_true(undefined(vcpu));

    msr(vcpu, AVC_REG_MDSCR_EL1, 0);
    assert_false(vcpu->debug_live);
    assert_int_equal(fake_cpu->ctx[AVC_CTX_DBGBVR0_EL1], 0x4057);
    assert_int_equal(mrs(vcpu, AVC_REG_DBGBVR0_EL1), START + 4);
    must(avc_vcpu_put(vcpu));
}

static void timer_views(void **state)
{
    struct avc_vcpu *vcpu = two_vcpus(&fake_a72, 0, 0);
    uint64_t value;

    fake_cpu->reg[FAKE_CNTPCT_EL0] = 1000000;
    must(avc_vm_set_counter_offset(&world.vm, 400000));
    must(avc_vcpu_get(vcpu, AVC_REG_CNTVCT_EL0, &value));
    assert_int_equal(value, 600000);
    must(avc_vcpu_set(vcpu, AVC_REG_CNTV_TVAL_EL0, 500));
    must(avc_vcpu_get(vcpu, AVC_REG_CNTV_CVAL_EL0, &value));
    assert_int_equal(value, 600500);
    must(avc_vcpu_set(vcpu, AVC_REG_CNTP_TVAL_EL0, 0xffffffff)); /* signed: one tick ago */
    must(avc_vcpu_get(vcpu, AVC_REG_CNTP_CVAL_EL0, &value));
    assert_int_equal(value, 999999);
    must(avc_vcpu_set(vcpu, AVC_REG_CNTP_CTL_EL0, 1));
    must(avc_vcpu_get(vcpu, AVC_REG_CNTP_CTL_EL0, &value));
    assert_int_equal(value, 5);
    must(avc_vcpu_get(vcpu, AVC_REG_CNTV_CTL_EL0, &value));
    assert_int_equal(value, 0);
}

/* A guest that reads registers which do not exist, for ever, gets sixteen log lines, then one at each power of two. */
static unsigned logged;
static void count_line(void *ctx, enum avc_log_level level, const char *line)
{
    (void)ctx;
    if (logged++ == 0)
        assert_non_null(strstr(line, "AVC_SYSREG_KEY(3, 0, 15, 2, 1)"));
}

static void log_is_bounded(void **state)
{
    struct avc_vcpu *vcpu = two_vcpus(&fake_a72, 0, 0);

    world.hal.log = count_line;
    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    (void)world_run(vcpu);
    logged = 0;
    for (unsigned n = 0; n < 1000; n++)
        mrs(vcpu, AVC_SYSREG_KEY(3, 0, 15, 2, 1));
    assert_int_equal(logged, 16 + 5); /* 32, 64, 128, 256, 512 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelled),           cmocka_unit_test(encodings_differ),
        cmocka_unit_test(el12_forms_exist),  cmocka_unit_test(reset_values),
        cmocka_unit_test(set_get),           cmocka_unit_test(set_refuses),
        cmocka_unit_test(order_of_load),     cmocka_unit_test(host_gets_all_back),
        cmocka_unit_test(host_without_el1),  cmocka_unit_test(vcpus_are_apart),
        cmocka_unit_test(trapped),           cmocka_unit_test(breakpoints),
        cmocka_unit_test(timer_views),       cmocka_unit_test(log_is_bounded),
        cmocka_unit_test(sets_and_ways),     cmocka_unit_test(set_before_the_first_run),
        cmocka_unit_test(host_keeps_csselr),
    };

    return cmocka_run_group_tests_name("sysreg", tests, NULL, NULL);
}
