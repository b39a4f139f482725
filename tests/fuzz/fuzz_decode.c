/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Loads and stores without syndrome, fed with bytes: instructions, registers, tables of the guest's, and what claims
 * and the VMM answer to each part. The fault is mostly one that the instruction can cause, and sometimes any. What must
 * hold: the guest is at the instruction, behind it, or in its handler; only behind it have registers changed, and only
 * those that it names; parts have ordinary sizes, and lie in one page. The host's memory is given out in pieces as long
 * as was asked for, so that ASan sees an access beyond them.
 */
#include "../unit/world.h"

#include <avc/decoder.h>

#include "arch/cptr.h"
#include "arch/esr.h"
#include "arch/mmu.h"
#include "arch/pstate.h"
#include "core/decode/decode.h"

#define TOP    UINT64_C(0xffff000000000000)
#define TRAPS  24
#define DEVICE (RAM + RAM_SIZE) /* behind the memory, and in front of it */
#define BEFORE (RAM - 0x1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_left;

static uint64_t take_bytes(unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n && input_left; i++, input_left--)
        value |= (uint64_t)*input++ << 8 * i;
    return value;
}

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "fuzz_decode: %s\n", what);
        abort();
    }
}

/* ---- the guest's memory ---- */

static uint64_t top; /* bits of each address: AArch32 has none */
static uint32_t word;
static uint8_t *piece;

#define CODE (top | START)

static void *memory(void *ctx, avc_ipa_t ipa, size_t size)
{
    (void)ctx;
    require(size && size <= 8 && (ipa & 0xfff) + size <= 0x1000, "memory is asked for over the end of a page");
    free(piece);
    piece = NULL;
    if (ipa < RAM || ipa - RAM > RAM_SIZE - size)
        return NULL;
    piece = malloc(size);
    memset(piece, (int)(ipa & 0xff), size);
    if (ipa == START && size <= 4)
        memcpy(piece, &word, size);
    if (ipa == START + 2 && size == 2)
        memcpy(piece, (uint8_t *)&word + 2, 2);
    return piece;
}

static uint8_t tables; /* what AT instructions find */

static void at(enum fake_op op, uint64_t va)
{
    if (op != FAKE_OP_at_s1e1r && op != FAKE_OP_at_s1e0r && op != FAKE_OP_at_s1e1w && op != FAKE_OP_at_s1e0w)
        return;
    if ((va & ~UINT64_C(0xfff)) != CODE && tables & 1)
        fake_cpu->reg[FAKE_PAR_EL1] = PAR_F | (tables & 0x80 ? PAR_S : 0) | (uint64_t)(tables & 0x7e) << 1;
    else
        fake_cpu->reg[FAKE_PAR_EL1] = (va & UINT64_C(0xfffffffff000)) | (tables & 2   ? UINT64_C(0x44)
                                                                         : tables & 4 ? 0
                                                                                      : UINT64_C(0xff))
                                                                            << 56;
}

/* ---- answers ---- */

static uint64_t from, behind; /* the bytes of the access that no part has had yet */

static enum avc_answer answer_to(struct avc_exit *e)
{
    uint8_t what = (uint8_t)take_bytes(1);
    uint64_t va = e->va, mask = top ? ~UINT64_C(0) : UINT32_MAX;

    require(((va - from) & mask) <= ((behind - from) & mask) && ((behind - va) & mask) >= e->size && !(e->va & ~mask),
            "a part is no part of the access, or comes twice");
    require(e->size == 1 || e->size == 2 || e->size == 4 || e->size == 8, "a part has an odd size");
    require((e->key & 0xfff) == (e->va & 0xfff), "address and key of a part do not agree");
    if (what & 0x80)
        e->value = take_bytes(8);
    if (what & 0x40 && what % 6 != AVC_DONE)
        return (enum avc_answer)(what % 6);
    from = va + e->size;
    return AVC_DONE;
}

static enum avc_answer claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    (void)vcpu, (void)ctx;
    return answer_to(e);
}

/* ---- one instruction ---- */

static bool decode(uint64_t pstate, struct avc_access *a)
{
    uint32_t first = word & 0xffff;

    if (!(pstate & SPSR_NRW))
        return avc_decode_a64(word, a);
    if (!(pstate & SPSR_T32))
        return avc_decode_a32(word, a);
    return avc_decode_t32(first < 0xe800 ? first : first << 16 | word >> 16, a);
}

/* What the instruction names, by a second reading of what the decoder says: bits for general and for V registers. */
static void named(const struct avc_access *a, uint32_t *x, uint32_t *v)
{
    unsigned nr = a->form == AVC_FORM_LANES ? (unsigned)a->rounds * a->regs : a->nr;

    *x = a->write_back && a->base < 31 ? UINT32_C(1) << a->base : 0;
    *v = 0;
    if (a->what != AVC_ACCESS_LOAD)
        return;
    if (a->form == AVC_FORM_LIST)
        *x |= a->list & 0x7fff;
    for (unsigned n = 0; n < nr; n++) {
        if (a->form == AVC_FORM_GPR && a->reg[n & 1] < 31 && !a->r15)
            *x |= UINT32_C(1) << a->reg[n & 1];
        if (a->form == AVC_FORM_VECTOR)
            *v |= UINT32_C(1) << a->reg[n & 1];
        if (a->form >= AVC_FORM_LANES && a->form <= AVC_FORM_REPLICATE)
            *v |= UINT32_C(1) << ((a->reg[0] + n) & 31);
        if (a->form == AVC_FORM_BANK)
            *v |= UINT32_C(1) << (a->reg[0] + n) * a->width / 16;
    }
    for (unsigned n = 0; a->form > AVC_FORM_BANK && n < a->rounds + (a->regs - 1u) * a->step; n++)
        *v |= UINT32_C(1) << (a->reg[0] + n) / 2;
}

static void check_registers(const struct avc_vcpu *vcpu, const struct avc_access *a, const uint64_t before[31],
                            const struct avc_fp *fp)
{
    uint32_t x, v;

    named(a, &x, &v);
    for (unsigned n = 0; n < 31; n++)
        require(x >> n & 1 || vcpu->x[n] == before[n], "a general register changes that is not named");
    for (unsigned n = 0; n < 32; n++)
        require(v >> n & 1 || !memcmp(vcpu->fp->v[n], fp->v[n], 16), "a V register changes that is not named");
    require(vcpu->fp->fpcr == fp->fpcr && vcpu->fp->fpsr == fp->fpsr, "FPCR or FPSR changes");
}

/* Where the access must be, if the syndrome does not describe it. */
static void expect(const struct avc_vcpu *vcpu, uint64_t pstate, bool anywhere)
{
    struct avc_access a;
    uint64_t base, index, size;

    from = 0;
    behind = ~UINT64_C(0);
    if (anywhere || !decode(pstate, &a) || a.what == AVC_ACCESS_NONE || a.what == AVC_ACCESS_EXCLUSIVE)
        return;
    base = a.base < 31 ? vcpu->x[a.base] : a.base == AVC_BASE_SP ? ctx(AVC_CTX_SP_EL1) : CODE;
    if (a.base == AVC_BASE_PC && pstate & SPSR_NRW)
        base = (base + (pstate & SPSR_T32 ? 4 : 8)) & (a.table ? ~UINT64_C(0) : ~UINT64_C(3));
    index = a.index < 31 ? vcpu->x[a.index] : 0;
    size = a.what == AVC_ACCESS_ZERO ? 4u << (fake_cpu->reg[FAKE_DCZID_EL0] & 15) : avc_access_bytes(&a);
    from = a.post || a.what == AVC_ACCESS_ZERO ? base : base + avc_access_distance(&a, index, pstate & SPSR_C);
    if (a.what == AVC_ACCESS_ZERO)
        from &= ~(size - 1);
    if (!top)
        from = (uint32_t)from;
    behind = from + size;
}

static struct fake_trap fault(struct avc_vcpu *vcpu, uint64_t pstate)
{
    struct avc_access a;
    uint64_t far = vcpu->x[0], iss = take_bytes(1) & 1 ? 0x06 : 0x0e;
    uint8_t how = (uint8_t)take_bytes(1);

    if (how & 0x40) { /* any */
        far = top | (RAM + RAM_SIZE - 0x20 + take_bytes(2));
        iss |= take_bytes(4) & 0x1ffffff;
    } else if (decode(pstate, &a)) {
        uint64_t base = a.base < 31 ? vcpu->x[a.base] : a.base == 32 ? CODE : ctx(AVC_CTX_SP_EL1);
        uint64_t index = a.index < 31 ? vcpu->x[a.index] : 0;

        far = a.post ? base : base + avc_access_distance(&a, index, pstate & SPSR_C);
        if (!top)
            far = (uint32_t)far;
        if (a.what != AVC_ACCESS_LOAD)
            iss |= ISS_WNR;
        if (how & 1 && a.size && (far & 0xfff) + a.size * (a.nr ? a.nr : 1u) > 0x1000)
            far = (far | 0xfff) + 1; /* the second page */
        if (how & 2 && a.size && a.size <= 8 && a.nr == 1)
            iss |= ISS_ISV | (uint64_t)__builtin_ctz(a.size) << 22 | (uint64_t)a.reg[0] << 16 | ISS_SF;
    }
    return (struct fake_trap){ .esr = ESR_MAKE(0x24, true, iss),
                               .elr = CODE,
                               .spsr = pstate,
                               .far = far,
                               .hpfar = (far & UINT64_C(0xffffffffffff)) >> 12 << 4 };
}

static void one(struct avc_vcpu *vcpu)
{
    static const uint64_t pstates[8] = { EL1H, EL0T,           EL1H | SPSR_C,  0x3c4,
                                         USR,  USR | SPSR_T32, USR | SPSR_T32, USR | SPSR_E };
    uint8_t how = (uint8_t)take_bytes(1);
    uint64_t before[31], pstate = pstates[how & 7], where = how & 0x80 ? BEFORE + 0xfe0 : RAM + RAM_SIZE - 0x20;
    struct fake_trap trap;
    struct avc_access a;
    struct avc_fp fp;
    struct avc_exit *e;
    bool described, known;

    top = pstate & SPSR_NRW ? 0 : TOP;
    tables = (uint8_t)take_bytes(1);
    word = (uint32_t)take_bytes(4);
    if (how & 8)
        word = (word & ~UINT32_C(0x0a000000)) | UINT32_C(0x08000000);
    for (unsigned n = 0; n < 31; n++)
        vcpu->x[n] = how & 16 && n & 1 ? n : top | (where + (take_bytes(1) & 0x3f));
    avc_ctx_set(vcpu, AVC_CTX_SP_EL1, vcpu->x[2]);
    avc_ctx_set(vcpu, AVC_CTX_SP_EL0, vcpu->x[2]);
    avc_ctx_set(vcpu, AVC_CTX_SCTLR_EL1, (how & 32 ? SCTLR_EE | SCTLR_E0E : 0) | (how & 64 ? SCTLR_C : 0));
    avc_ctx_set(vcpu, AVC_CTX_CPACR_EL1, (tables & 0x30) == 0x30 ? take_bytes(1) << 16 : CPTR_VHE_FPEN);
    if (tables & 1) {
        uint64_t tables_at = take_bytes(4);

        avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, take_bytes(5));
        avc_ctx_set(vcpu, AVC_CTX_TTBR0_EL1, RAM - 0x2000 + (tables_at & 0x3fff));
        avc_ctx_set(vcpu, AVC_CTX_TTBR1_EL1, RAM + RAM_SIZE - 0x2000 + (tables_at >> 16 & 0x3fff));
    }
    memset(&fp, how, sizeof fp);
    *vcpu->fp = fp;
    memcpy(before, vcpu->x, sizeof before);
    trap = fault(vcpu, pstate);
    described = trap.esr & ISS_ISV;
    expect(vcpu, pstate, described);
    e = take(vcpu, trap);
    for (unsigned n = 0; e->kind != AVC_KICKED || vcpu->requests & AVC_REQUEST_PART; n++) { /* or between two pieces */
        require(n < 400, "an instruction has no end");
        require(e->kind == AVC_MMIO || e->kind == AVC_STAGE2 || e->kind == AVC_KICKED, "an exit of another kind");
        require(!memcmp(before, vcpu->x, sizeof before) && !memcmp(&fp, vcpu->fp, sizeof fp),
                "registers change while parts are left");
        if (e->kind != AVC_KICKED)
            e->answer = e->size ? answer_to(e) : (enum avc_answer)(take_bytes(1) % 5);
        world.taken = true;
        e = world_run(vcpu);
    }
    known = decode(pstate, &a);
    if (world.trap.elr == CODE + 4 || (pstate & SPSR_T32 && pstate & SPSR_NRW && world.trap.elr == CODE + 2)) {
        if (known && !described)
            check_registers(vcpu, &a, before, &fp);
        return;
    }
    if (known && (a.r15 || a.table) && a.what == AVC_ACCESS_LOAD) { /* anywhere, in either instruction set */
        require(!(world.trap.elr & (world.trap.spsr & SPSR_T32 ? 1 : 3)) || (world.trap.elr & ~UINT64_C(0x7ff)) == VBAR,
                "a branch to no instruction");
        return;
    }
    require(world.trap.elr == CODE || (world.trap.elr & ~UINT64_C(0x7ff)) == (VBAR & ~UINT64_C(0x7ff)), "elsewhere");
    require(!memcmp(before, vcpu->x, sizeof before) && !memcmp(&fp, vcpu->fp, sizeof fp),
            "registers have changed, and the instruction is not done");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct avc_decoder decoder;
    static struct avc_decoder_cpu cpus[2];
    struct avc_vcpu *vcpu;

    input = data;
    input_left = size;
    world_make();
    world_claim(AVC_MMIO, DEVICE, DEVICE + 0xfff, take_bytes(1) & 1 ? claim : avc_to_vmm, NULL);
    if (take_bytes(1) & 1)
        world_claim(AVC_MMIO, BEFORE, BEFORE + 0xfff, claim, NULL);
    must(avc_decoder_attach(&decoder, &world.vm,
                            &(struct avc_decoder_config){
                                .memory = memory, .cpus = cpus, .max_vcpus = 2, .across_pages = take_bytes(1) & 1 }));
    vcpu = world_load();
    fake_on_op = at;
    fake_cpu->reg[FAKE_DCZID_EL0] = take_bytes(1) % 10;
    for (unsigned n = 0; n < TRAPS && input_left; n++)
        one(vcpu);
    free(piece);
    piece = NULL;
    return 0;
}
