/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Loads and stores without a syndrome, from the abort to the registers: parts, answers, faults in the middle, events
 * between two parts, two pages.
 */
#include "decoder_world.h"

#include "core/exit/abort.h"

/* An RTOS fills GICD_IPRIORITYR by `str w2, [x0], #4`. */
static void test_write_back(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE + 0x400);
    vcpu->x[2] = 0xffffffffa0a0a0a0;
    for (unsigned n = 0; n < 8; n++) {
        check_done(execute(vcpu, STR_POST, TRANSLATION | WRITE, DEVICE + 0x400 + 4 * n));
        check_part(n, DEVICE + 0x400 + 4 * n, 4, true);
        assert_int_equal(seen[n].value, 0xa0a0a0a0);
        assert_int_equal(vcpu->x[0], VA(DEVICE + 0x404 + 4 * n));
    }
    assert_int_equal(nr_seen, 8);
    vcpu->x[0] = VA(DEVICE - 8);
    check_done(execute(vcpu, LDR_PRE, TRANSLATION, DEVICE));
    assert_int_equal(vcpu->x[0], VA(DEVICE));
    assert_int_equal(vcpu->x[7], NEW_PAIR0);
    check_done(execute(vcpu, LDR_OWN, TRANSLATION, DEVICE)); /* the register is its own base: the loaded value stays */
    assert_int_equal(vcpu->x[0], NEW_PAIR0);
    for (unsigned el0 = 0; el0 < 2; el0++) {
        avc_ctx_set(vcpu, AVC_CTX_SP_EL0, VA(DEVICE + (el0 ? 0 : 0x100)));
        avc_ctx_set(vcpu, AVC_CTX_SP_EL1, VA(DEVICE + (el0 ? 0x100 : 0)));
        check_done(execute_as(vcpu, LDR_SP, TRANSLATION, DEVICE, el0 ? EL0T : EL1H));
        assert_int_equal(vcpu->x[1], NEW_PAIR0);
        assert_int_equal(ctx(el0 ? AVC_CTX_SP_EL0 : AVC_CTX_SP_EL1), VA(DEVICE + 16));
        assert_int_equal(ctx(el0 ? AVC_CTX_SP_EL1 : AVC_CTX_SP_EL0), VA(DEVICE + 0x100));
    }
    vcpu->x[0] = VA(DEVICE - 8) ^ UINT64_C(0x12) << 48; /* a signed address has bits that authentication removes */
    check_done(execute(vcpu, LDRAA, TRANSLATION, DEVICE));
    assert_int_equal(vcpu->x[0], VA(DEVICE));
    assert_int_equal(world.vcpu[0].nr_isv0, 0);
}

static void test_pairs(void **state)
{
    for (unsigned big = 0; big < 2; big++) {
        struct avc_vcpu *vcpu = make();
        uint64_t one = big ? __builtin_bswap64(NEW_PAIR0) : NEW_PAIR0, before[31];

        (void)state;
        avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M | (big ? SCTLR_EE : 0));
        vcpu->x[0] = VA(DEVICE);
        memcpy(before, vcpu->x, sizeof before);
        check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
        check_part(0, DEVICE, 8, false);
        check_part(1, DEVICE + 8, 8, false);
        assert_int_equal(vcpu->x[3], one);
        assert_int_equal(vcpu->x[4], big ? __builtin_bswap64(NEW_PAIR1) : NEW_PAIR1);
        for (unsigned n = 0; n < 31; n++)
            if (n != 3 && n != 4)
                assert_int_equal(vcpu->x[n], before[n]);
        vcpu->x[0] = VA(DEVICE + 0x20);
        check_done(execute(vcpu, STP, TRANSLATION | WRITE, DEVICE + 0x20));
        assert_memory_equal(device_bytes, device_bytes + 0x20, 16);
        assert_int_equal(words_read, 2);
    }
}

static void test_vectors(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    vcpu->x[6] = 0x30;
    check_done(execute(vcpu, LDR_Q, TRANSLATION, DEVICE));
    check_part(1, DEVICE + 8, 8, false);
    assert_int_equal(vcpu->fp->v[3][0], NEW_PAIR0);
    assert_int_equal(vcpu->fp->v[3][1], NEW_PAIR1);
    nr_seen = 0;
    check_done(execute(vcpu, LD2, TRANSLATION, DEVICE));
    assert_int_equal(nr_seen, 8);
    for (unsigned n = 0; n < 8; n++)
        check_part(n, DEVICE + 2 * n, 2, false);
    assert_int_equal(vcpu->fp->v[4][0], 0x0e0d0a0906050201);
    assert_int_equal(vcpu->fp->v[5][0], 0x100f0c0b08070403);
    assert_int_equal(vcpu->x[0], VA(DEVICE + 0x30));
    /*
     * The guest's FP registers are in the CPU. They are saved for the access, and loaded again by the guest's next use.
     */
    must(avc_vcpu_set_fp(vcpu, 1, (uint64_t[2]){ 1, 2 }));
    must(avc_vcpu_set_fp(vcpu, 2, (uint64_t[2]){ 3, 4 }));
    assert_int_equal(take_sync(vcpu, ESR_MAKE(AVC_EC_FP, true, 0), EL1H)->kind, AVC_KICKED);
    nr_seen = 0;
    check_done(execute(vcpu, STP_Q, TRANSLATION | WRITE, DEVICE + 0x30));
    assert_int_equal(nr_seen, 4);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(seen[n].value, n + 1);
}

static void test_dc_zva(void **state)
{
    static const uint8_t zeros[64];
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE + 0x89);
    check_done(execute(vcpu, DC_ZVA, TRANSLATION | WRITE, DEVICE + 0x89));
    assert_int_equal(nr_seen, 8);
    for (unsigned n = 0; n < 8; n++)
        check_part(n, DEVICE + 0x80 + 8 * n, 8, true);
    assert_memory_equal(device_bytes + 0x80, zeros, 64);
    assert_int_equal(device_bytes[0x7f], 0x80);
    assert_int_equal(device_bytes[0xc0], 0xc1);
    check_done(execute(vcpu, DC_ZVA, TRANSLATION | WRITE, DEVICE + 0x80)); /* FAR may be the first byte of the block */
}

/* ---- answers ---- */

/* The VMM answers. Each part is an exit, and nothing changes before the last one is answered. */
static void test_vmm(void **state)
{
    struct avc_vcpu *vcpu = make();
    struct avc_exit *e;

    (void)state;
    vcpu->x[0] = VA(OTHER);
    vcpu->x[3] = vcpu->x[4] = 1;
    e = execute(vcpu, LDP, TRANSLATION, OTHER);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->answer, AVC_FAULT);
    assert_int_equal(e->key, OTHER);
    assert_int_equal(e->size, 8);
    assert_false(e->write);
    avc_done(e, 0x1234);
    world.taken = true;
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->key, OTHER + 8);
    assert_int_equal(e->pc, CODE);
    assert_int_equal(vcpu->x[3], 1);
    assert_int_equal(vcpu->pc, CODE);
    avc_done(e, 0x5678);
    go_on(vcpu);
    assert_int_equal(vcpu->x[3], 0x1234);
    assert_int_equal(vcpu->x[4], 0x5678);
    assert_int_equal(world.trap.elr, CODE + 4);
    /* If the VMM does not answer, the guest gets the abort. */
    execute(vcpu, LDP, TRANSLATION, OTHER);
    go_on(vcpu);
    check_abort(FSC_EXTERNAL, false, VA(OTHER));
}

/* Each answer that does not complete a part, at each part, by a claim and by the VMM. */
static void test_not_done(void **state)
{
    static const enum avc_answer answers[] = { AVC_FAULT, AVC_RETRY, AVC_PASS, (enum avc_answer)77 };

    (void)state;
    for (unsigned n = 0; n < 2 * AVC_ARRAY_SIZE(answers); n++)
        for (unsigned vmm = 0; vmm < 2; vmm++) {
            struct avc_vcpu *vcpu = make();
            uint64_t before[31], ipa = vmm ? OTHER : DEVICE;
            enum avc_answer answer = answers[n / 2];
            unsigned part = n % 2;
            struct avc_exit *e;

            vcpu->x[0] = VA(ipa);
            memcpy(before, vcpu->x, sizeof before);
            fail_at = part;
            failure = answer;
            e = execute(vcpu, STP_WB, TRANSLATION | WRITE, ipa);
            for (unsigned i = 0; vmm && i <= part; i++) {
                assert_int_equal(e->kind, AVC_MMIO);
                e->answer = i == part ? answer : AVC_DONE;
                world.taken = true;
                e = world_run(vcpu);
            }
            if (!vmm && answer == AVC_PASS) { /* no claim answers, so the VMM is asked */
                assert_int_equal(e->kind, AVC_MMIO);
                assert_int_equal(e->answer, AVC_FAULT);
                assert_int_equal(e->key, ipa + 8 * part);
                go_on(vcpu);
            }
            assert_memory_equal(before, vcpu->x, sizeof before);
            if (answer == AVC_RETRY || (vmm && answer != AVC_FAULT))
                assert_int_equal(world.trap.elr, CODE);
            else
                check_abort(FSC_EXTERNAL, true, VA(ipa + 8 * part));
            /* The instruction can be repeated from its first part. */
            fail_at = ~0u;
            nr_seen = 0;
            vcpu->x[0] = VA(DEVICE);
            check_done(execute(vcpu, STP_WB, TRANSLATION | WRITE, DEVICE));
            check_part(0, DEVICE, 8, true);
            assert_int_equal(nr_seen, 2);
            assert_int_equal(vcpu->x[0], VA(DEVICE + 16));
        }
}

/* ---- events between two parts ---- */

static void test_between(void **state)
{
    struct avc_vcpu *vcpu = make();
    struct avc_exit *e;

    (void)state;
    /* A kick does not keep the other parts from being done first. */
    vcpu->x[0] = VA(OTHER);
    e = execute(vcpu, STP_WB, TRANSLATION | WRITE, OTHER);
    avc_vcpu_kick(vcpu);
    e->answer = AVC_DONE;
    world.taken = true;
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->key, OTHER + 8);
    e->answer = AVC_DONE;
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], VA(OTHER + 16));
    assert_int_equal(vcpu->pc, CODE + 4);
    /* It goes on on another CPU, which has no guest's FP registers. */
    vcpu->x[0] = VA(OTHER);
    e = execute(vcpu, LDR_Q, TRANSLATION, OTHER);
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    fake_on_op = at;
    avc_done(e, 11);
    world.taken = true;
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_MMIO);
    avc_done(e, 12);
    go_on(vcpu);
    assert_int_equal(vcpu->fp->v[3][0], 11);
    assert_int_equal(vcpu->fp->v[3][1], 12);
    assert_int_equal(world.trap.elr, CODE + 4);
    /* The VMM sends the vCPU elsewhere: nothing is left of the access. */
    vcpu->x[3] = 77;
    e = execute(vcpu, LDP, TRANSLATION, OTHER);
    e->answer = AVC_RETRY;
    must(avc_vcpu_set(vcpu, AVC_REG_PC, START));
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->x[3], 77);
    /* A reset. */
    e = execute(vcpu, LDP, TRANSLATION, OTHER);
    e->answer = AVC_DONE;
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->x[3], 0);
}

/* An access of many parts is done in pieces: run returns between two of them, with nothing changed. */
static void test_pieces(void **state)
{
    struct avc_vcpu *vcpu = make();
    unsigned pieces = 0, before;
    struct avc_exit *e;

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    e = begin_at(vcpu, LD4, TRANSLATION, DEVICE, EL1H);
    for (; has_more(vcpu, e); pieces++) {
        assert_int_equal(e->answer, AVC_DONE);
        assert_int_equal(vcpu->pc, CODE);
        assert_int_equal(vcpu->x[0], VA(DEVICE));
        assert_int_equal(vcpu->fp->v[2][0], 0);
        if (pieces == 3) { /* the host may do anything between two pieces */
            must(avc_vcpu_put(vcpu));
            must(avc_vcpu_load(vcpu, &world.pcpu));
            fake_on_op = at;
        }
        before = nr_seen;
        e->answer = (enum avc_answer)(pieces % 5); /* no answer means anything */
        world.taken = true;
        e = world_run(vcpu);
        assert_in_range(nr_seen - before, 1, 4);
    }
    assert_in_range(pieces, 15, 16);
    check_done(e);
    assert_int_equal(nr_seen, 64);
    for (unsigned n = 0; n < 64; n++)
        check_part(n, DEVICE + n, 1, false);
    assert_int_equal(vcpu->x[0], VA(DEVICE + 64));
    assert_int_equal(vcpu->fp->v[2][0], 0x1d1915110d090501);
    assert_int_equal(vcpu->fp->v[5][1], 0x403c3834302c2824);
    /* A kick: the host hears it at the end of a piece at the latest. */
    nr_seen = 0;
    vcpu->x[0] = VA(DEVICE + 0x80);
    e = begin_at(vcpu, ST4, TRANSLATION | WRITE, DEVICE + 0x80, EL1H);
    assert_true(has_more(vcpu, e));
    assert_int_equal(nr_seen, 0); /* to gather so many registers is a piece */
    avc_vcpu_kick(vcpu);
    before = nr_seen;
    world.taken = true;
    e = world_run(vcpu);
    assert_true(has_more(vcpu, e));
    assert_in_range(nr_seen - before, 1, 4);
    e = all_pieces(vcpu, e);
    assert_int_equal(vcpu->pc, CODE + 4);
    assert_memory_equal(device_bytes + 0x80, device_bytes, 64);
    /* A VMM that sends the vCPU elsewhere between two pieces, and a reset. */
    nr_seen = 0;
    vcpu->x[0] = VA(DEVICE);
    begin_at(vcpu, LD4, TRANSLATION, DEVICE, EL1H);
    must(avc_vcpu_set(vcpu, AVC_REG_PC, START));
    before = nr_seen;
    go_on(vcpu);
    assert_int_equal(nr_seen, before);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->x[0], VA(DEVICE));
    begin_at(vcpu, LD4, TRANSLATION, DEVICE, EL1H);
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_start(vcpu, CODE, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    before = nr_seen;
    go_on(vcpu);
    assert_int_equal(nr_seen, before);
    assert_int_equal(world.trap.elr, CODE);
}

static unsigned traces;

static void trace(void *context, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    (void)context, (void)vcpu;
    assert_int_equal(t->trap, AVC_EC_DABT_LOWER);
    traces++;
}

/* An observer calls the slow function of the VM's own row. */
static void test_observed(void **state)
{
    static const struct avc_observer observer = { .trace = trace };
    struct avc_vcpu *vcpu = make();

    (void)state;
    must(avc_vcpu_observe(vcpu, &observer));
    vcpu->x[0] = VA(DEVICE);
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    assert_int_equal(nr_seen, 2);
    assert_int_equal(traces, 1);
}

static enum avc_answer passes(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)e, (void)context;
    return AVC_PASS;
}

/* If a claim on the exception class passes, the decoder gets the abort. */
static void test_class_claim(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_CLASS, AVC_EC_DABT_LOWER, AVC_EC_DABT_LOWER, passes, NULL);
    world_claim(AVC_MMIO, DEVICE, DEVICE + 0x1fff, device, NULL);
    must(avc_decoder_attach(
        &decoder, &world.vm,
        &(struct avc_decoder_config){ .memory = memory, .cpus = cpus, .max_vcpus = 2, .across_pages = across }));
    vcpu = world_load();
    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M);
    fake_on_op = at;
    nr_seen = 0;
    vcpu->x[0] = VA(DEVICE);
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    assert_int_equal(nr_seen, 2);
}

/* ---- instructions that are not decoded ---- */

static void check_undecoded(struct avc_vcpu *vcpu, const struct avc_exit *e, uint64_t ipa, unsigned count)
{
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->key, ipa);
    assert_int_equal(e->size, 0);
    assert_int_equal(vcpu->nr_isv0, count);
    assert_int_equal(nr_seen, 0);
    go_on(vcpu);
}

static void test_disagrees(void **state)
{
    struct avc_vcpu *vcpu = make();
    uint64_t par = fake_cpu->reg[FAKE_PAR_EL1] = 0x1234;

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    check_undecoded(vcpu, execute(vcpu, LDP, TRANSLATION | WRITE, DEVICE), DEVICE, 1); /* a load is no write */
    check_undecoded(vcpu, execute(vcpu, STP, TRANSLATION, DEVICE), DEVICE, 2);
    check_undecoded(vcpu, execute(vcpu, LDP, TRANSLATION, DEVICE + 16), DEVICE + 16, 3); /* another address */
    vcpu->x[0] = VA(DEVICE + 1);
    check_undecoded(vcpu, execute(vcpu, LDP, TRANSLATION, DEVICE), DEVICE, 4);
    vcpu->x[0] = VA(DEVICE);
    check_undecoded(vcpu, execute(vcpu, 0xd503201f, TRANSLATION, DEVICE), DEVICE, 5); /* NOP */
    check_undecoded(vcpu, execute(vcpu, 0xf9800000, TRANSLATION, DEVICE), DEVICE, 6); /* PRFM */
    check_undecoded(vcpu, execute(vcpu, 0, TRANSLATION, DEVICE), DEVICE, 7);
    assert_int_equal(fake_cpu->reg[FAKE_PAR_EL1], par); /* the guest's own value */
    /* The address may have a tag that the fault does not have. */
    vcpu->x[0] = VA(DEVICE) ^ UINT64_C(0x5a) << 56;
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    /* The host knows no memory of the guest's at the code's address. */
    nr_seen = 0;
    take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x24, true, TRANSLATION),
                                   .elr = VA(ROM),
                                   .spsr = EL1H,
                                   .far = VA(DEVICE),
                                   .hpfar = DEVICE >> 8 });
    assert_int_equal(vcpu->exit.kind, AVC_STAGE2);
    assert_int_equal(vcpu->nr_isv0, 8);
    go_on(vcpu);
    /* The page of the code is gone: the guest executes the instruction again, and takes its own abort. */
    no_page = CODE & ~UINT64_C(0xfff);
    par_fault = PAR_F | 7 << 1;
    vcpu->x[0] = VA(DEVICE);
    assert_int_equal(execute(vcpu, LDP, TRANSLATION, DEVICE)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(nr_seen, 0);
}

/* Exclusives and atomics get the architecture's abort on a device. Elsewhere the VMM is asked. */
static void test_exclusive(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    assert_int_equal(execute(vcpu, LDXR, TRANSLATION, DEVICE)->kind, AVC_KICKED);
    check_abort(FSC_EXCLUSIVE, false, VA(DEVICE));
    assert_int_equal(execute(vcpu, LDADD, TRANSLATION | WRITE, DEVICE)->kind, AVC_KICKED);
    check_abort(FSC_EXCLUSIVE, true, VA(DEVICE));
    check_undecoded(vcpu, execute(vcpu, LDXR, TRANSLATION, 0x70000000), 0x70000000, 1);
}

/* Memory that the VMM maps on demand, and memory that another CPU has just mapped. */
static void test_memory_comes(void **state)
{
    struct avc_vcpu *vcpu = make();
    struct avc_exit *e;

    (void)state;
    vcpu->x[0] = VA(UINT64_C(0x70000000));
    e = execute(vcpu, STP_WB, TRANSLATION | WRITE, 0x70000000);
    assert_int_equal(e->kind, AVC_MMIO);
    assert_int_equal(e->key, 0x70000000);
    must(avc_stage2_map(&world.stage2, 0x70000000, UINT64_C(0xb0000000), 0x1000, AVC_RWX));
    e->answer = AVC_RETRY;
    go_on(vcpu);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(execute(vcpu, STP_WB, TRANSLATION | WRITE, 0x70000000)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(vcpu->nr_faults + vcpu->nr_isv0, 0);
    /* Read-only memory behind a claim: stores go to the flash. */
    vcpu->x[0] = VA(ROM);
    check_done(execute(vcpu, STP, PERMISSION | WRITE, ROM));
    check_part(0, ROM, 8, true);
    check_part(1, ROM + 8, 8, true);
}

/* ---- AArch32 at EL0 ---- */

#define T32 (USR | SPSR_T32)

/* The guest executes the bytes at `pc`. */
static struct avc_exit *execute32(struct avc_vcpu *vcpu, uint64_t pc, uint32_t bytes, uint64_t iss, uint64_t ipa,
                                  uint64_t pstate)
{
    memcpy(ram + (pc - RAM), &bytes, sizeof bytes);
    return all_pieces(vcpu, take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x24, true, iss | TRANSLATION),
                                                           .elr = pc,
                                                           .spsr = pstate,
                                                           .far = ipa,
                                                           .hpfar = ipa >> 12 << 4 }));
}

static void test_aarch32(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = UINT64_C(0x123400000000) | DEVICE; /* the upper half is nobody's */
    assert_int_equal(execute32(vcpu, START, 0xe8b0000e, 0, DEVICE, USR)->kind, AVC_KICKED); /* ldm r0!, {r1-r3} */
    assert_int_equal(world.trap.elr, START + 4);
    assert_int_equal(vcpu->x[0], DEVICE + 12);
    assert_int_equal(vcpu->x[1], 0x04030201);
    assert_int_equal(vcpu->x[3], 0x0c0b0a09);
    assert_int_equal(nr_seen, 3);
    vcpu->x[13] = DEVICE + 16;
    vcpu->x[14] = 0x11223344;
    execute32(vcpu, START, 0xb502, WRITE, DEVICE + 8, T32 | AVC_BIT(11)); /* push {r1, lr}, last of IT */
    assert_int_equal(world.trap.elr, START + 2);
    assert_false(world.trap.spsr & (SPSR_IT_7_2 | SPSR_IT_1_0));
    assert_int_equal(vcpu->x[13], DEVICE + 8);
    assert_int_equal(seen[3].key, DEVICE + 8);
    assert_int_equal(seen[3].value, 0x04030201);
    assert_int_equal(seen[4].value, 0x11223344);
    vcpu->x[0] = DEVICE + 16;
    execute32(vcpu, START, 0xe9d01200 >> 16 | 0x1200u << 16, 0, DEVICE + 16, T32 | SPSR_E); /* ldrd r1, r2, [r0] */
    assert_int_equal(world.trap.elr, START + 4);
    assert_int_equal(vcpu->x[1], 0x11121314);
    assert_int_equal(vcpu->x[2], 0x15161718);
    execute32(vcpu, START + 0xffe, 0xe9d01200 >> 16 | 0x1200u << 16, 0, DEVICE + 16, T32); /* in two pages */
    assert_int_equal(world.trap.elr, START + 0x1002);
    assert_int_equal(vcpu->x[1], 0x14131211);
    execute32(vcpu, START, 0xec901b04, 0, DEVICE + 16, USR); /* vldm r0, {d1-d2} */
    assert_int_equal(vcpu->fp->v[0][1], 0x1817161514131211);
    assert_int_equal(vcpu->fp->v[1][0], 0x201f1e1d1c1b1a19);
    assert_int_equal(execute32(vcpu, START, 0xe1901f9f, 0, DEVICE + 16, USR)->kind, AVC_KICKED); /* ldrex r1, [r0] */
    assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_MAKE(0x24, true, FSC_EXCLUSIVE));
    assert_int_equal(vcpu->nr_isv0, 0);
}

/* A CPU that may report a fault of stage 1 as one of stage 2 (erratum 834220): nothing is read, decoded or offered
   while stage 1 faults. */
static void test_stage1_first(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, DEVICE, DEVICE + 0x1fff, device, NULL);
    world.machine.features.errata |= AVC_ERRATUM_STAGE1;
    world.pcpu.features.errata |= AVC_ERRATUM_STAGE1;
    vcpu = load_with_decoder();
    vcpu->x[0] = VA(DEVICE);
    no_page = VA(DEVICE) & ~UINT64_C(0xfff);
    par_fault = PAR_F | 7 << 1;
    assert_int_equal(execute(vcpu, LDP, TRANSLATION, DEVICE)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE);
    assert_int_equal(nr_seen + words_read, 0);
    no_page = 0;
    check_done(execute(vcpu, LDP, TRANSLATION, DEVICE));
    assert_int_equal(nr_seen, 2);
}

/* Branches by a table that is on a device. Offsets are halfwords from the PC, which is 4 ahead. */
static void test_table_branches(void **state)
{
    static const struct {
        const char *what;
        uint32_t bytes, index, base, from; /* base: 0 for the PC */
        uint64_t pstate, then;
        unsigned size, offset;
    } cases[] = {
        { "tbb [r0, r1]", 0xf001e8d0, 3, DEVICE, DEVICE + 3, T32, T32, 1, 0x04 },
        { "tbb [r0, r1], the last of IT", 0xf001e8d0, 0xff, DEVICE, DEVICE + 0xff, T32 | AVC_BIT(11), T32, 1, 0 },
        { "tbb [r0, r1], an index that wraps", 0xf001e8d0, ~3u, DEVICE + 8, DEVICE + 4, T32, T32, 1, 5 },
        { "tbh [r0, r1, lsl #1]", 0xf011e8d0, 8, DEVICE, DEVICE + 16, T32, T32, 2, 0x1211 },
        { "tbh [r0, r1, lsl #1], big-endian", 0xf011e8d0, 8, DEVICE, DEVICE + 16, T32 | SPSR_E, T32 | SPSR_E, 2,
          0x1112 },
        { "tbb [pc, r1]", 0xf001e8df, (uint32_t)(DEVICE - START - 6), 0, DEVICE, T32, T32, 1, 1 },
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct avc_vcpu *vcpu = make();
        uint64_t before[31], at = START + (cases[n].base ? 0 : 2);

        vcpu->x[0] = cases[n].base;
        vcpu->x[1] = cases[n].index;
        memcpy(before, vcpu->x, sizeof before);
        execute32(vcpu, at, cases[n].bytes, 0, cases[n].from, cases[n].pstate);
        if (world.trap.elr != at + 4 + 2 * cases[n].offset || world.trap.spsr != cases[n].then || nr_seen != 1 ||
            seen[0].key != cases[n].from || seen[0].size != cases[n].size)
            fail_msg("%s: PC %#llx, PSTATE %#llx", cases[n].what, (unsigned long long)world.trap.elr,
                     (unsigned long long)world.trap.spsr);
        assert_memory_equal(before, vcpu->x, sizeof before);
        assert_int_equal(vcpu->nr_isv0, 0);
    }
}

/* Loads of the PC branch, and choose the instruction set. Stores of it give the PC that A32 reads: 8 more. */
static void test_aarch32_pc(void **state)
{
    static const struct {
        const char *what;
        uint32_t bytes, loaded;
        uint64_t pstate, then; /* PSTATE */
        unsigned at;           /* where the PC is from the base on */
    } cases[] = {
        { "ldr pc, [r0], #8", 0xe490f008, 0x10204, USR, USR, 0 },
        { "ldr pc, [r0], #8, to T32", 0xe490f008, 0x10205, USR, T32, 0 },
        { "ldr pc, [r0], #8, not aligned", 0xe490f008, 0x10206, USR, USR, 0 },
        { "ldr pc, [r0], #8, big-endian", 0xe490f008, 0x04020100, USR | SPSR_E, USR | SPSR_E, 0 },
        { "ldmia r0!, {r1, pc}", 0xe8b08002, 0x10204, USR, USR, 4 },
        { "ldmia r0!, {r1, pc}, to T32", 0xe8b08002, 0x10203, USR, T32, 4 },
        { "pop {r1, pc}, last of IT", 0xbd02, 0x10203, T32 | AVC_BIT(11), T32, 4 },
        { "pop {r1, pc}, to A32", 0xbd02, 0x10200, T32, USR, 4 },
        { "ldr.w pc, [r0], #8", 0xfb08f850, 0x10203, T32, T32, 0 },
        { "ldmia.w r0!, {r1, pc}", 0x8002e8b0, 0x10203, T32, T32, 4 },
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct avc_vcpu *vcpu = make();
        bool big = cases[n].pstate & SPSR_E;
        uint32_t to = big ? __builtin_bswap32(cases[n].loaded) : cases[n].loaded;

        vcpu->x[0] = vcpu->x[13] = DEVICE;
        vcpu->x[15] = 0x7777;
        memcpy(device_bytes + cases[n].at, &cases[n].loaded, 4);
        execute32(vcpu, START, cases[n].bytes, 0, DEVICE, cases[n].pstate);
        if (world.trap.elr != (to & (to & 1 ? ~1u : ~3u)) || world.trap.spsr != cases[n].then)
            fail_msg("%s: PC %#llx, PSTATE %#llx", cases[n].what, (unsigned long long)world.trap.elr,
                     (unsigned long long)world.trap.spsr);
        assert_int_equal(vcpu->x[cases[n].bytes == 0xbd02 ? 13 : 0], DEVICE + 8);
        assert_int_equal(vcpu->x[15], 0x7777);
        assert_int_equal(vcpu->nr_isv0, 0);
    }
    for (unsigned big = 0; big < 2; big++) {
        struct avc_vcpu *vcpu = make();

        vcpu->x[0] = DEVICE;
        vcpu->x[1] = 0x11223344;
        vcpu->x[15] = 0x7777;
        execute32(vcpu, START, 0xe8a08002, WRITE, DEVICE, USR | (big ? SPSR_E : 0)); /* stmia r0!, {r1, pc} */
        assert_int_equal(world.trap.elr, START + 4);
        assert_int_equal(nr_seen, 2);
        assert_int_equal(seen[1].value, big ? __builtin_bswap32((uint32_t)START + 8) : START + 8);
        vcpu->x[0] = DEVICE;
        execute32(vcpu, START, 0xe480f004, WRITE, DEVICE, USR); /* str pc, [r0], #4 */
        assert_int_equal(seen[2].value, START + 8);
    }
}

/* An access at the end of AArch32's addresses goes on at 0, and not in AArch64's addresses behind it. */
static void test_aarch32_wraps(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 2; second++) {
        struct avc_vcpu *vcpu;

        world_make();
        world_claim(AVC_MMIO, 0, 0xfff, device, NULL);
        world_claim(AVC_MMIO, 0xfffff000, 0xffffffff, device, NULL);
        vcpu = load_with_decoder();
        for (unsigned n = 0; n < sizeof device_bytes; n++)
            device_bytes[n] = (uint8_t)(n + 1);
        vcpu->x[0] = 0xfffffffc;
        execute32(vcpu, START, 0xe8b00006, 0, second ? 0 : 0xfffffffc, USR); /* ldm r0!, {r1, r2} */
        assert_int_equal(world.trap.elr, START + 4);
        assert_int_equal(nr_seen, 2);
        assert_int_equal(seen[0].key, 0xfffffffc);
        assert_int_equal(seen[1].key, 0);
        assert_int_equal(seen[1].va, 0);
        assert_int_equal(vcpu->x[0], 4);
        assert_int_equal(vcpu->x[2], 0x04030201);
    }
}

/* Structures of D registers: the other half of a V register stays. */
static void test_aarch32_structures(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    memset(vcpu->fp->v, 0x5a, sizeof vcpu->fp->v);
    vcpu->x[0] = DEVICE;
    vcpu->x[2] = 0x100;
    execute32(vcpu, START, 0xf4201102, 0, DEVICE, USR); /* vld4.8 {d1, d3, d5, d7}, [r0], r2 */
    assert_int_equal(world.trap.elr, START + 4);
    assert_int_equal(vcpu->x[0], DEVICE + 0x100);
    assert_int_equal(nr_seen, 32);
    assert_int_equal(vcpu->fp->v[0][0], UINT64_C(0x5a5a5a5a5a5a5a5a));
    assert_int_equal(vcpu->fp->v[0][1], UINT64_C(0x1d1915110d090501));
    assert_int_equal(vcpu->fp->v[3][1], UINT64_C(0x201c1814100c0804));
    vcpu->x[0] = DEVICE + 0x40;
    nr_seen = 0;
    execute32(vcpu, START, 0x1a4df9c0, WRITE, DEVICE + 0x40, T32); /* vst3.32 {d17[0], d19[0], d21[0]}, [r0]! */
    assert_int_equal(nr_seen, 3);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(seen[n].key, DEVICE + 0x40 + 4 * n);
        assert_int_equal(seen[n].value, 0x5a5a5a5a);
    }
    assert_int_equal(vcpu->x[0], DEVICE + 0x4c);
}

/* What cannot be read of the instruction: its second page, or its first. */
static void test_aarch32_fetch(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = DEVICE;
    par_fault = PAR_F | 7 << 1;
    for (unsigned n = 0; n < 2; n++) {
        no_page = START + 0x1000 * n;
        assert_int_equal(execute32(vcpu, START + 0xffe, 0x1200e9d0, 0, DEVICE, T32)->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, START + 0xffe);
    }
    assert_int_equal(nr_seen, 0);
}

/* ---- two pages ---- */

/*
 * A doubleword at every offset around the end of a page: with a syndrome and with write-back, loads and stores, the
 * device second and first. Each byte must come from its own side.
 */
static void test_crossing(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++)
        for (unsigned over = 1; over < 8; over++)
            for (unsigned described = 0; described < 2; described++) {
                struct avc_vcpu *vcpu = make_neighbours();
                uint64_t edge = first ? RAM : RAM + RAM_SIZE, start = edge - 8 + over, fault = first ? start : edge;
                uint64_t iss = TRANSLATION | (described ? PLAIN(3) : 0), load = described ? LDR : 0xf8408401;
                uint64_t store = described ? STR : 0xf8008401, want = 0;
                const uint8_t *p = ram + (first ? 0 : RAM_SIZE - 8 + over);

                for (unsigned n = 0; n < 8; n++) {
                    bool there = first ? n >= 8 - over : n < 8 - over;
                    uint8_t byte = there ? p[first ? n - (8 - over) : n] : device_bytes[(start + n) & 0x1fff];

                    want |= (uint64_t)byte << 8 * n;
                }
                vcpu->x[0] = VA(start);
                check_done(execute(vcpu, (uint32_t)load, iss, fault));
                assert_int_equal(vcpu->x[1], want);
                assert_true(nr_seen >= 1 && nr_seen <= 3);
                for (unsigned n = 0; n < nr_seen; n++) {
                    assert_int_equal(seen[n].key & (seen[n].size - 1), 0);
                    assert_true(first ? seen[n].key < edge : seen[n].key >= edge);
                }
                vcpu->x[0] = VA(start);
                vcpu->x[1] = UINT64_C(0x1122334455667788);
                check_done(execute(vcpu, (uint32_t)store, iss | WRITE, fault));
                vcpu->x[0] = VA(start);
                check_done(execute(vcpu, (uint32_t)load, iss, fault));
                assert_int_equal(vcpu->x[1], 0x1122334455667788);
                assert_int_equal(vcpu->x[0], VA(start) + (described ? 0 : 8));
            }
}

/* A pair with one element in each page, and a literal. */
static void test_other_crossings(void **state)
{
    struct avc_vcpu *vcpu = make_neighbours();
    uint64_t x3, x4;

    (void)state;
    memcpy(&x3, ram + RAM_SIZE - 8, 8);
    memcpy(&x4, device_bytes, 8);
    vcpu->x[0] = VA(RAM + RAM_SIZE - 8);
    check_done(execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE));
    assert_int_equal(vcpu->x[3], x3);
    assert_int_equal(vcpu->x[4], x4);
    memcpy(&x3, device_bytes + 0x1ff8, 8);
    check_done(execute(vcpu, 0x58000000 | ((uint32_t)(RAM - 8 - START) >> 2 & 0x7ffff) << 5 | 1, TRANSLATION, RAM - 8));
    assert_int_equal(vcpu->x[1], x3);
}

/* Literals: the PC is ahead, and aligned. */
static void test_aarch32_literal(void **state)
{
    static const struct {
        uint32_t bytes;
        uint64_t pc, pstate, ipa;
    } cases[] = {
        { 0xe51f1010, RAM, USR, RAM - 8 },       /* ldr r1, [pc, #-16] */
        { 0x1010f85f, RAM + 2, T32, RAM - 0xc }, /* ldr.w r1, [pc, #-16] */
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct avc_vcpu *vcpu = make_neighbours();
        uint32_t want;

        memcpy(&want, device_bytes + (cases[n].ipa & 0x1fff), 4);
        execute32(vcpu, cases[n].pc, cases[n].bytes, 0, cases[n].ipa, cases[n].pstate);
        assert_int_equal(world.trap.elr, cases[n].pc + 4);
        assert_int_equal(vcpu->x[1], want);
    }
}

/* The other page is memory that the host's function does not know, or that is read-only. */
static void test_other_page(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    world_claim(AVC_MMIO, ROM + 0x1000, ROM + 0x1fff, device, NULL);
    must(avc_decoder_attach(
        &decoder, &world.vm,
        &(struct avc_decoder_config){ .memory = memory, .cpus = cpus, .max_vcpus = 2, .across_pages = across }));
    vcpu = world_load();
    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_C | SCTLR_M);
    fake_on_op = at;
    attributes = 0xff;
    no_page = nr_seen = 0;
    vcpu->x[0] = VA(ROM + 0xff8);
    assert_int_equal(execute(vcpu, LDP, TRANSLATION, ROM + 0x1000)->kind, AVC_KICKED);
    check_abort(FSC_EXTERNAL, false, VA(ROM + 0xff8));
    e = execute(vcpu, STP, TRANSLATION | WRITE, ROM + 0x1000);
    assert_int_equal(e->kind, AVC_STAGE2);
    assert_int_equal(e->key, ROM + 0xff8);
    assert_int_equal(e->size, 8);
    assert_int_equal(nr_seen, 0);
    e->answer = AVC_DONE; /* emulated */
    go_on(vcpu);
    assert_int_equal(world.trap.elr, CODE + 4);
    check_part(0, ROM + 0x1000, 8, true);
    vcpu->x[0] = VA(PASS + 0xff8); /* stage 2 maps this device, and nothing behind it */
    execute(vcpu, LDP, TRANSLATION, PASS + 0x1000);
    check_abort(FSC_EXTERNAL, false, VA(PASS + 0xff8));
}

/* Aborts that are no load or store of a device are handled as without a decoder. */
static void test_other_aborts(void **state)
{
    struct avc_vcpu *vcpu = make();

    (void)state;
    vcpu->x[0] = VA(DEVICE);
    assert_int_equal(execute(vcpu, LDP, 0x0a, DEVICE)->kind, AVC_STAGE2); /* access flag */
    assert_int_equal(execute(vcpu, LDP, TRANSLATION | ISS_S1PTW, DEVICE)->kind, AVC_STAGE2);
    check_done(execute(vcpu, LDP, TRANSLATION | ISS_CM | WRITE, DEVICE)); /* cache maintenance is stepped over */
    assert_int_equal(nr_seen, 0);
    check_done(execute(vcpu, LDP, 0x2b, DEVICE)); /* translation fault, level -1 */
    assert_int_equal(nr_seen, 2);
    no_page = VA(ROM); /* a permission fault, whose page is gone when the library looks */
    par_fault = PAR_F | 7 << 1;
    vcpu->x[0] = VA(ROM);
    assert_int_equal(execute(vcpu, STP, PERMISSION | WRITE, ROM)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, CODE);
}

static unsigned translations(void)
{
    unsigned n = 0;

    for (long at = -1; (at = fake_log_find((size_t)(at + 1), FAKE_OP, FAKE_OP_at_s1e1r)) >= 0;)
        n++;
    return n;
}

/*
 * Accesses that do not cross are handled as without a decoder, at the edges of a page, too. The library asks for the
 * guest's attributes where several bytes begin at the first byte of a page, and reads the instruction if they are not
 * Device. For others it does neither.
 */
static void test_not_crossing(void **state)
{
    static const unsigned offsets[] = { 0, 1, 2, 4, 7, 8, 0x800, 0xff0, 0xff7, 0xff8, 0xffa, 0xffc, 0xffe, 0xfff };
    static const uint32_t loads[] = { 0x39400001, 0x79400001, 0xb9400001, LDR };

    (void)state;
    for (unsigned n = 0; n < 2 * 4 * AVC_ARRAY_SIZE(offsets); n++) {
        unsigned log = n / 2 % 4, offset = offsets[n / 8], device = n % 2;
        uint64_t ipa = RAM + RAM_SIZE + offset;
        struct avc_vcpu *vcpu;

        if (offset + (1u << log) > 0x1000)
            continue;
        vcpu = make_neighbours();
        attributes = device ? 0x04 : 0xff;
        words_read = 0;
        vcpu->x[0] = VA(ipa);
        fake_log_clear();
        check_done(execute(vcpu, loads[log], TRANSLATION | PLAIN(log), ipa));
        assert_int_equal(nr_seen, 1);
        check_part(0, ipa, 1u << log, false);
        assert_int_equal(words_read, !offset && log && !device);
        if (!!translations() != (!offset && log))
            fail_msg("%u bytes at %#x: %u translations", 1u << log, offset, translations());
        assert_int_equal(vcpu->nr_traps[AVC_EC_DABT_LOWER], 1);
    }
}

/* Without `across_pages`: what the syndrome describes is the device's that has faulted, whole, and costs no look at
   anything. What it does not describe is done page by page all the same. */
static void test_not_across(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    across = false;
    vcpu = make_neighbours();
    across = true;
    assert_ptr_equal(vcpu->dispatch[AVC_EC_DABT_LOWER].fn, avc_trap_dabt);
    fake_log_clear();
    vcpu->x[0] = VA(RAM + RAM_SIZE - 4);
    check_done(execute(vcpu, LDR, TRANSLATION | PLAIN(3), RAM + RAM_SIZE));
    assert_int_equal(nr_seen, 1);
    check_part(0, RAM + RAM_SIZE, 8, false);
    assert_int_equal(fake_log_find(0, FAKE_OP, FAKE_OP_at_s1e1r), -1);
    assert_int_equal(words_read, 0);
    nr_seen = 0;
    vcpu->x[0] = VA(RAM + RAM_SIZE - 8);
    check_done(execute(vcpu, LDP, TRANSLATION, RAM + RAM_SIZE));
    assert_int_equal(nr_seen, 1);
    check_part(0, RAM + RAM_SIZE, 8, false);
}

/* The guest's stage 1 does not map the other page, so the guest takes its own fault. */
static void test_second_page_faults(void **state)
{
    struct avc_vcpu *vcpu = make_neighbours();

    (void)state;
    no_page = VA(RAM);
    par_fault = PAR_F | 0xfu << 1; /* permission fault, level 3 */
    vcpu->x[0] = VA(RAM - 4);
    assert_int_equal(execute(vcpu, STR, TRANSLATION | PLAIN(3) | WRITE, RAM - 4)->kind, AVC_KICKED);
    check_abort(0xf, true, VA(RAM));
    assert_int_equal(nr_seen, 0);
}

/*
 * If the guest's attributes bypass the caches, the memory is cleaned and invalidated before it is read, and after it is
 * written.
 */
static void test_caches(void **state)
{
    for (unsigned way = 0; way < 3; way++) {
        struct avc_vcpu *vcpu = make_neighbours();
        bool cached = way == 0;
        long clean, barrier;

        (void)state;
        attributes = way == 1 ? 0x44 : 0xff;
        if (way == 2)
            avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, SCTLR_M);
        vcpu->x[0] = VA(RAM + RAM_SIZE - 4);
        fake_log_clear();
        check_done(execute(vcpu, STR, TRANSLATION | PLAIN(3) | WRITE, RAM + RAM_SIZE));
        clean = fake_log_find(0, FAKE_OP, FAKE_OP_dc_civac);
        assert_int_equal(clean < 0, cached);
        if (cached)
            continue;
        for (unsigned n = 0; n < 3; n++) { /* the instruction; and the store, before and after */
            clean = fake_log_find((size_t)clean, FAKE_OP, FAKE_OP_dc_civac);
            assert_true(clean >= 0);
            barrier = fake_log_find((size_t)clean, FAKE_OP, FAKE_OP_dsb_sy);
            assert_true(barrier > clean);
            clean = barrier;
        }
    }
}

/* Accesses of EL0, and unprivileged ones, are translated with EL0's rights, and stores as stores. */
static void test_rights(void **state)
{
    static const struct {
        uint32_t word;
        uint64_t pstate;
        enum fake_op op;
    } cases[] = {
        { 0xf8400801, EL1H, FAKE_OP_at_s1e0r },            /* ldtr x1, [x0] */
        { 0xf8400801, EL1H | SPSR_UAO, FAKE_OP_at_s1e1r }, /* UAO overrides it */
        { 0xf8000801, EL1H, FAKE_OP_at_s1e0w },            /* sttr x1, [x0] */
        { LDR, EL0T, FAKE_OP_at_s1e0r },
        { STR, EL0T, FAKE_OP_at_s1e0w },
        { LDR, EL1H, FAKE_OP_at_s1e1r },
        { STR, EL1H, FAKE_OP_at_s1e1w },
    };

    (void)state;
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(cases); n++) {
        struct avc_vcpu *vcpu = make_neighbours();
        bool write = !(cases[n].word & 0x400000);
        long at_op;

        vcpu->x[0] = VA(RAM - 4);
        fake_log_clear();
        check_done(
            execute_as(vcpu, cases[n].word, TRANSLATION | PLAIN(3) | (write ? WRITE : 0), RAM - 4, cases[n].pstate));
        at_op = fake_log_find(0, FAKE_OP, FAKE_OP_at_s1e1r); /* for the instruction */
        for (size_t i = 0; i < fake_log_len; i++)
            if (fake_log[i].what == FAKE_OP && fake_log[i].which >= FAKE_OP_at_s1e1r &&
                fake_log[i].which <= FAKE_OP_at_s1e0w)
                at_op = (long)i;
        assert_int_equal(fake_log[at_op].which, cases[n].op);
        assert_int_equal(fake_log[at_op].value, VA(RAM));
    }
}

static void test_attach(void **state)
{
    struct avc_decoder_config config = { .memory = memory, .cpus = cpus, .max_vcpus = 2 };
    struct avc_decoder_config few = { .memory = memory, .cpus = cpus, .max_vcpus = 1 };
    struct avc_decoder_config none = { .cpus = cpus, .max_vcpus = 2 };

    (void)state;
    world_make();
    assert_int_equal(avc_decoder_attach(NULL, &world.vm, &config), AVC_EINVAL);
    assert_int_equal(avc_decoder_attach(&decoder, NULL, &config), AVC_EINVAL);
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, NULL), AVC_EINVAL);
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, &none), AVC_EINVAL);
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, &few), AVC_ERANGE);
    must(avc_decoder_attach(&decoder, &world.vm, &config));
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, &config), AVC_EEXIST);
    world_load();
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, &config), AVC_ESEALED);
    world.vm.magic = 0;
    assert_int_equal(avc_decoder_attach(&decoder, &world.vm, &config), AVC_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_back),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_dc_zva),
        cmocka_unit_test(test_vmm),
        cmocka_unit_test(test_not_done),
        cmocka_unit_test(test_between),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_observed),
        cmocka_unit_test(test_class_claim),
        cmocka_unit_test(test_disagrees),
        cmocka_unit_test(test_exclusive),
        cmocka_unit_test(test_memory_comes),
        cmocka_unit_test(test_aarch32),
        cmocka_unit_test(test_aarch32_pc),
        cmocka_unit_test(test_table_branches),
        cmocka_unit_test(test_stage1_first),
        cmocka_unit_test(test_aarch32_structures),
        cmocka_unit_test(test_aarch32_wraps),
        cmocka_unit_test(test_aarch32_fetch),
        cmocka_unit_test(test_aarch32_literal),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_other_crossings),
        cmocka_unit_test(test_other_page),
        cmocka_unit_test(test_other_aborts),
        cmocka_unit_test(test_not_crossing),
        cmocka_unit_test(test_not_across),
        cmocka_unit_test(test_second_page_faults),
        cmocka_unit_test(test_caches),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_attach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
