/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What changes while the decoder looks at it: the instruction, the guest's tables, stage 2, and PC and PSTATE, which a
 * claim may set at any part.
 */
#include "decoder_world.h"

#include <avc/avc.h>

#define MIXED  UINT64_C(0x0a000000) /* 8 bytes of the VMM's, 8 of a claim's, by turns */
#define LAZY   (RAM + RAM_SIZE)     /* a page that nobody has mapped */
#define TABLES (RAM + 0x100000)     /* the guest's own tables */
#define BEYOND UINT64_C(0x70000000) /* not mapped */

/* ---- the instruction ---- */

/*
 * The guest has executed something else than what is read now: what it has switched off comes before an abort of stage
 * 2. It executes the new word, and gets the trap that it asked for.
 */
static void test_switched_off(void **state)
{
    static const struct {
        uint32_t word;
        uint64_t pstate, cpacr, sctlr;
        bool again;
    } cases[] = {
        { STP_Q, EL1H, 0, 0, true },      { STP_Q, EL1H, 1, 0, false },
        { STP_Q, EL1H, 2, 0, true },      { STP_Q, EL1H, 3, 0, false },
        { STP_Q, EL0T, 0, 0, true },      { STP_Q, EL0T, 1, 0, true },
        { STP_Q, EL0T, 2, 0, true },      { STP_Q, EL0T, 3, 0, false },
        { 0xed801b00, USR, 1, 0, true }, /* vstr d1, [r0] */
        { 0xed801b00, USR, 3, 0, false }, { DC_ZVA, EL1H, 0, 0, false },
        { DC_ZVA, EL0T, 0, 0, true },     { DC_ZVA, EL0T, 0, SCTLR_DZE, false },
        { STP, EL1H, 0, 0, false },       { STP, EL0T, 0, 0, false },
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct avc_vcpu *vcpu = make();
        uint64_t top = cases[n].pstate & SPSR_NRW ? 0 : FAR_TOP;

        avc_ctx_set(vcpu, AVC_CTX_CPACR_EL1, cases[n].cpacr << 20);
        avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M | cases[n].sctlr);
        vcpu->x[0] = top | DEVICE;
        memcpy(ram + (START - RAM), &cases[n].word, 4);
        all_pieces(vcpu, take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x24, true, TRANSLATION | WRITE),
                                                        .elr = top | START,
                                                        .spsr = cases[n].pstate,
                                                        .far = top | DEVICE,
                                                        .hpfar = DEVICE >> 8 }));
        if (vcpu->exit.kind != AVC_KICKED || world.trap.elr != (top | START) + (cases[n].again ? 0 : 4) ||
            !nr_seen != cases[n].again)
            fail_msg("case %u: PC %#llx, %u accesses", n, (unsigned long long)world.trap.elr, nr_seen);
        assert_int_equal(vcpu->nr_faults, 0);
    }
}

/* A VM without FP: whatever CPACR_EL1 says, the guest cannot have executed such an instruction. */
static void test_no_fp(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    world.vm.features.has &= ~AVC_BIT(AVC_FEAT_FP);
    vcpu->x[0] = VA(DEVICE);
    execute(vcpu, LDR_Q, TRANSLATION, DEVICE);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(nr_seen, 0);
}

/* Stage 2 maps the instruction's memory as Non-cacheable, or not at all any more, or as a device. */
static void test_code(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    fake_log_clear();
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    assert_int_equal(fake_log_find(0, FAKE_OP, FAKE_OP_dc_civac), -1);
    must(avc_stage2_protect(&world.stage2, START, 0x1000, AVC_RWX | AVC_NC));
    fake_log_clear();
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_dc_civac) >= 0);
    must(avc_stage2_protect(&world.stage2, START, 0x1000, AVC_RW | AVC_DEVICE));
    nr_seen = 0;
    assert_int_equal(execute(vcpu, LDP, TRANSLATION, DEVICE)->kind, AVC_STAGE2); /* undecoded */
    go_on(vcpu);
    must(avc_stage2_unmap(&world.stage2, START, 0x1000));
    assert_int_equal(execute(vcpu, LDP, TRANSLATION, DEVICE)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(nr_seen, 0);
}

/* ---- PC and PSTATE ---- */

static unsigned set_at, parts_seen;
static uint32_t set_reg;
static uint64_t set_value;
static enum avc_answer set_answer;

static enum avc_answer mover(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)context;
    if (parts_seen++ == set_at) {
        must(avc_vcpu_set(vcpu, set_reg, set_value));
        return set_answer;
    }
    e->value = 0x77;
    return AVC_DONE;
}

/*
 * Whoever answers a part of an access sets the PC or PSTATE, as he may in any event. DONE moves the PC on from what is
 * set, RETRY goes on there, and FAULT is taken there. It is the same for a claim in the trap, for one after a part of
 * the VMM's, and for the VMM.
 */
static void test_set_at_a_part(void **state)
{
    (void)state;
    for (unsigned base = 0; base < 2; base++) /* the first part is a claim's, or the VMM's */
        for (unsigned part = 0; part < 2; part++)
            for (unsigned what = 0; what < 4; what++) {
                uint64_t ipa = MIXED + 8 * !base, pstate = EL1H, pc = CODE;
                struct avc_vcpu *vcpu;
                struct avc_exit *e;

                world_make();
                for (unsigned n = 0; n < 4; n++)
                    world_claim(AVC_MMIO, MIXED + 8 * n, MIXED + 8 * n + 7, n & 1 ? mover : avc_to_vmm, NULL);
                vcpu = load_with_decoder();
                vcpu->x[0] = VA(ipa);
                vcpu->x[3] = vcpu->x[4] = 5;
                parts_seen = 0;
                set_at = part == base ? 0 : ~0u;
                set_reg = what == 3 ? AVC_REG_PSTATE : AVC_REG_PC;
                set_value = what == 3 ? SPSR_PAN | EL1H : CODE + 0x100;
                set_answer = what == 1 ? AVC_RETRY : what == 2 ? AVC_FAULT : AVC_DONE;
                e = execute(vcpu, LDP, TRANSLATION, ipa);
                if (e->kind == AVC_MMIO) { /* the VMM's part */
                    assert_int_equal(e->key, ipa + 8 * !base);
                    if (set_at) {
                        must(avc_vcpu_set(vcpu, set_reg, set_value));
                        e->answer = set_answer;
                    } else {
                        e->answer = AVC_DONE;
                    }
                    go_on(vcpu);
                }
                if (what == 3)
                    pstate = set_value;
                else
                    pc = set_value;
                if (what == 2) {
                    assert_int_equal(ctx(AVC_CTX_ELR_EL1), pc);
                    continue;
                }
                if (world.trap.elr != pc + (what == 1 ? 0 : 4) || world.trap.spsr != pstate ||
                    (vcpu->x[4] == 5) != (what == 1))
                    fail_msg("first part %u, set at %u, case %u: PC %#llx, PSTATE %#llx, X4 %#llx", base, part, what,
                             (unsigned long long)world.trap.elr, (unsigned long long)world.trap.spsr,
                             (unsigned long long)vcpu->x[4]);
            }
}

/* Between two parts run returns for something else, and the VMM sends the vCPU elsewhere: nothing is left of the
   access. */
static void test_sent_elsewhere(void **state)
{
    struct avc_vcpu *vcpu = make();
    struct avc_exit *e;

    (void)state;
    vcpu->x[0] = VA(OTHER);
    vcpu->x[3] = 77;
    e = execute(vcpu, LDP, TRANSLATION, OTHER);
    e->answer = AVC_DONE;
    vcpu->serror = AVC_BIT(63);
    avc_fetch_or(&vcpu->requests, (uint64_t)AVC_REQUEST_SERROR);
    world.taken = true;
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_SERROR);
    e->answer = AVC_DONE;
    must(avc_vcpu_set(vcpu, AVC_REG_PC, START));
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->x[3], 77);
}

/* A claim may write anything into the event. The library goes by its own size. */
static enum avc_answer liar(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    e->value = 0x0807060504030201 + e->key;
    e->size = 0xff;
    e->write = true;
    e->key = ~UINT64_C(0);
    return AVC_DONE;
}

static void test_size(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, MIXED, MIXED + 0xfff, liar, NULL);
    vcpu = load_with_decoder();
    vcpu->x[0] = VA(MIXED);
    memset(cpus[0].data, 0xee, sizeof cpus[0].data);
    check_done(execute(vcpu, LDP, TRANSLATION, MIXED));
    assert_int_equal(vcpu->x[3], 0x0807060504030201 + MIXED);
    assert_int_equal(vcpu->x[4], 0x0807060504030201 + MIXED + 8);
    for (unsigned n = 16; n < sizeof cpus[0].data; n++)
        assert_int_equal(cpus[0].data[n], 0xee);
}

/* ---- stage 2 ---- */

static avc_ipa_t take_away; /* another CPU does so just when the host's function is called for an access there */
static uint32_t leave_attrs;

static void *memory_that_goes(void *ctx, avc_ipa_t ipa, size_t size)
{
    void *p = memory(ctx, ipa, size);

    if (take_away && (ipa ^ take_away) < 0x1000) {
        avc_ipa_t page = take_away;

        take_away = 0;
        assert_int_equal(world.stage2.lock.held, 0);
        if (leave_attrs)
            must(avc_stage2_protect(&world.stage2, page, 0x1000, leave_attrs));
        else
            must(avc_stage2_unmap(&world.stage2, page, 0x1000));
    }
    return p;
}

/* Another CPU unmaps or protects the page with the first half of a store. After that nobody writes there. */
static void test_taken_away(void **state)
{
    static const uint32_t attrs[] = { 0, AVC_R, AVC_RW | AVC_DEVICE };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(attrs); n++) {
        struct avc_vcpu *vcpu = make_neighbours();
        uint8_t before[16];

        decoder.memory = memory_that_goes;
        take_away = LAST;
        leave_attrs = attrs[n];
        memcpy(before, ram + RAM_SIZE - 16, 16);
        vcpu->x[0] = VA(RAM + RAM_SIZE - 8);
        execute(vcpu, STP, TRANSLATION | WRITE, RAM + RAM_SIZE);
        assert_int_equal(take_away, 0);
        assert_memory_equal(ram + RAM_SIZE - 16, before, 16);
        assert_int_equal(nr_seen, 0);
        if (n < 2) {
            assert_int_equal(vcpu->exit.kind, n ? AVC_STAGE2 : AVC_MMIO);
            assert_int_equal(vcpu->exit.key, RAM + RAM_SIZE - 8);
        }
    }
}

static void op_under_lock(enum fake_op op, uint64_t value)
{
    at(op, value);
    if (op == FAKE_OP_dc_civac)
        assert_int_not_equal(world.stage2.lock.held, 0);
}

/* The copy is made under the lock that a change of the tables takes, cache maintenance included. */
static void test_lock(void **state)
{
    struct avc_vcpu *vcpu = make_neighbours();

    (void)state;
    attributes = 0x44;
    fake_on_op = op_under_lock;
    vcpu->x[0] = VA(RAM + RAM_SIZE - 8);
    fake_log_clear();
    check_done(execute(vcpu, STP, TRANSLATION | WRITE, RAM + RAM_SIZE));
    assert_true(fake_log_find(0, FAKE_OP, FAKE_OP_dc_civac) >= 0);
    assert_int_equal(world.stage2.lock.held, 0);
}

/* A claim is asked about a page that nobody has mapped. Meanwhile another CPU maps it. */
static enum avc_answer maps(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    must(avc_stage2_map(&world.stage2, e->key & ~UINT64_C(0xfff), UINT64_C(0xb0000000), 0x1000, AVC_RWX));
    return AVC_PASS;
}

static void test_mapped_meanwhile(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, LAZY, LAZY + 0xfff, maps, NULL);
    world_claim(AVC_MMIO, LAZY + 0x1000, LAZY + 0x1fff, device, NULL);
    vcpu = load_with_decoder();
    vcpu->x[0] = VA(LAZY + 0xff8);
    assert_int_equal(execute(vcpu, STP, TRANSLATION | WRITE, LAZY + 0x1000)->kind, AVC_KICKED);
    assert_int_equal(vcpu->nr_faults, 0);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(nr_seen, 0);
}

/* Adopted tables that the library cannot read: what is read, the host's function alone decides. */
static void test_adopted(void **state)
{
    struct avc_vcpu *vcpu = make_neighbours();
    void *root = world.stage2.root;
    uint64_t x3;

    (void)state;
    memcpy(&x3, ram + RAM_SIZE - 8, 8);
    world.stage2.root = NULL;
    vcpu->x[0] = VA(RAM + RAM_SIZE - 8);
    check_done(execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE));
    assert_int_equal(vcpu->x[3], x3);
    assert_int_equal(execute(vcpu, STP, TRANSLATION | WRITE, RAM + RAM_SIZE)->kind, AVC_MMIO);
    assert_int_equal(vcpu->exit.key, RAM + RAM_SIZE - 8);
    world.stage2.root = root;
}

/* ---- the guest's own tables ---- */

static uint64_t page_of_table(unsigned level)
{
    return TABLES + 0x10000 * (uint64_t)level;
}

/* Makes the guest's tables for one address: one for each level, by 2^page bytes; the one of `hole` lies in BEYOND.
   `big`: as a big-endian guest writes them. */
static void make_tables(struct avc_vcpu *vcpu, uint64_t va, unsigned page, unsigned bits, unsigned hole, bool big)
{
    static const uint8_t tg0[] = { [12] = 0, [14] = 2, [16] = 1 }, tg1[] = { [12] = 2, [14] = 1, [16] = 3 };
    unsigned stride = page - 3, start = 4 - (bits - page + stride - 1) / stride;
    bool upper = va >> 55 & 1;
    uint64_t tcr = upper ? (uint64_t)tg1[page] << 30 | (64 - bits) << 16 : (uint64_t)tg0[page] << 14 | (64 - bits);

    for (unsigned level = start; level < 3; level++) {
        unsigned shift = page + stride * (3 - level);
        uint64_t index = (va & (AVC_BIT(bits) - 1)) >> shift & (AVC_BIT(stride) - 1);
        uint64_t next = (level + 1 == hole ? BEYOND : page_of_table(level + 1)) | 3;

        next = big ? __builtin_bswap64(next) : next;
        memcpy(ram + (page_of_table(level) + 8 * index - RAM), &next, 8);
    }
    avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, tcr);
    avc_ctx_set(vcpu, upper ? AVC_CTX_TTBR1_EL1 : AVC_CTX_TTBR0_EL1,
                (start == hole ? BEYOND : page_of_table(start)) | 7); /* the low bits are no address */
    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M | (big ? SCTLR_EE : 0));
}

static uint64_t index_bytes(uint64_t va, unsigned page, unsigned bits, unsigned level)
{
    unsigned stride = page - 3;

    return 8 * ((va & (AVC_BIT(bits) - 1)) >> (page + stride * (3 - level)) & (AVC_BIT(stride) - 1));
}

/*
 * The other page's walk needs a table that stage 2 does not map. The VMM gets the table's address, as when the CPU
 * finds that. It maps it, and the guest goes on; or it does not, and the guest gets the abort of its walk.
 */
static void test_table_missing(void **state)
{
    static const struct {
        unsigned page, bits;
    } cases[] = { { 12, 48 }, { 12, 39 }, { 12, 36 }, { 14, 47 }, { 14, 36 }, { 16, 48 }, { 16, 42 }, { 12, 25 } };
    uint64_t other = VA(RAM + RAM_SIZE - 8);

    (void)state;
    for (unsigned n = 0; n < 2 * AVC_ARRAY_SIZE(cases); n++) {
        unsigned page = cases[n / 2].page, bits = cases[n / 2].bits, stride = page - 3;
        unsigned start = 4 - (bits - page + stride - 1) / stride;
        bool big = n & 1;

        for (unsigned hole = start; hole < 4; hole++)
            for (unsigned answer = 0; answer < 2; answer++) {
                struct avc_vcpu *vcpu = make_neighbours();
                uint64_t want = (BEYOND + index_bytes(other, page, bits, hole)) & ~UINT64_C(0xfff);
                struct avc_exit *e;

                make_tables(vcpu, other, page, bits, hole, big);
                no_page = other & ~UINT64_C(0xfff);
                par_fault = PAR_F | PAR_S | 7u << 1;
                vcpu->x[0] = other;
                e = execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE);
                if (e->kind != AVC_STAGE2 || e->key != want || e->value != hole || e->va != other ||
                    !(e->esr & ISS_S1PTW))
                    fail_msg("%u bits by 2^%u, level %u: kind %u, key %#llx, level %llu", bits, page, hole, e->kind,
                             (unsigned long long)e->key, (unsigned long long)e->value);
                assert_int_equal(nr_seen, 0);
                if (answer) {
                    no_page = 0;
                    e->answer = AVC_RETRY;
                    go_on(vcpu);
                    assert_int_equal(world.trap.elr, CODE);
                    check_done(execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE));
                } else {
                    go_on(vcpu);
                    check_abort(FSC_EXTERNAL_WALK + hole, false, other);
                }
            }
    }
}

/* Stage 2's own entry for a page, which is mapped by itself. */
static uint64_t *entry_of(avc_ipa_t ipa)
{
    const struct avc_stage2 *s2 = &world.stage2;
    uint64_t *table = s2->root;

    must(avc_stage2_protect(&world.stage2, ipa, 0x1000, AVC_RW));
    for (unsigned level = s2->start_level; level < 3; level++)
        table = page_at(NULL, table[ipa >> (39 - 9 * level) & 511] & S2_OA);
    return &table[ipa >> 12 & 511];
}

/* The same for a table below, and for what else a walk may find. */
static void test_table_found(void **state)
{
    uint64_t other = VA(RAM + RAM_SIZE - 8);

    (void)state;
    for (unsigned n = 0; n < 9; n++) {
        struct avc_vcpu *vcpu = make_neighbours();
        void *root = world.stage2.root;
        uint64_t leaf = RAM | 3, none = 0, table = page_of_table(3) & ~UINT64_C(0xfff);
        struct avc_exit *e;

        make_tables(vcpu, other, 12, 48, 9, false);
        memcpy(ram + (page_of_table(3) + index_bytes(other, 12, 48, 3) - RAM), &leaf, 8);
        no_page = other & ~UINT64_C(0xfff);
        par_fault = PAR_F | PAR_S | 7u << 1;
        vcpu->x[0] = other;
        switch (n) {
        case 1: /* a device: no VMM can help */
            avc_ctx_set(vcpu, AVC_CTX_TTBR1_EL1, PASS);
            break;
        case 2: /* stage 2 maps memory that the host does not know */
            avc_ctx_set(vcpu, AVC_CTX_TTBR1_EL1, ROM);
            break;
        case 3: /* not for writing, and the CPU wants to set the access flag there */
            must(avc_stage2_protect(&world.stage2, table, 0x1000, AVC_R));
            avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, avc_ctx_get(vcpu, AVC_CTX_TCR_EL1) | TCR_HA);
            break;
        case 4: /* not for writing, and nobody wants to */
            must(avc_stage2_protect(&world.stage2, table, 0x1000, AVC_R));
            break;
        case 5: /* the guest has taken the table away */
            memcpy(ram + (page_of_table(1) + index_bytes(other, 12, 48, 1) - RAM), &none, 8);
            break;
        case 7: /* adopted tables that the library cannot read */
            world.stage2.root = NULL;
            break;
        case 8: /* adopted tables may have an entry without access flag */
            *entry_of(table) &= ~S2_AF;
            break;
        case 6: /* addresses of the lower half, of which there are none */
            avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, UINT64_C(63) << 16);
            break;
        default: /* all is there by now */
            break;
        }
        e = execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE);
        world.stage2.root = root;
        if (n == 3 || n == 8) {
            assert_int_equal(e->kind, AVC_STAGE2);
            assert_int_equal(e->key, table);
            assert_int_equal(e->value, 3);
        } else if (n == 1 || n == 2 || n == 7) {
            assert_int_equal(e->kind, AVC_KICKED);
            check_abort(FSC_EXTERNAL_WALK + (n == 7 ? 3 : 0), false, other);
        } else {
            assert_int_equal(e->kind, AVC_KICKED);
            assert_int_equal(world.trap.elr, CODE);
            assert_int_equal(vcpu->nr_faults, 0);
        }
        assert_int_equal(nr_seen, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_no_fp),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_set_at_a_part),
        cmocka_unit_test(test_sent_elsewhere),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_taken_away),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_mapped_meanwhile),
        cmocka_unit_test(test_adopted),
        cmocka_unit_test(test_table_missing),
        cmocka_unit_test(test_table_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
