/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Feeds the whole path of an exit with bytes. They choose the CPU, the host and the claims; then exceptions with any
 * syndrome, and what the claims and the VMM answer. oracle.h checks after each exception what must hold. Nothing here
 * knows how the library works inside.
 */
#include "oracle.h"

#include "input.h"

#include <avc/decoder.h>
#include <avc/observe.h>
#include <avc/psci.h>
#include <avc/vgic.h>

#include "core/decode/decode.h"

#define MAX_TRAPS 48

#define DIST   UINT64_C(0x08000000)
#define REDIST UINT64_C(0x080a0000)

/* ---- claims, which answer as the input says ---- */

static enum avc_answer any_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    uint8_t what = byte();
    enum avc_answer answer = (enum avc_answer)(what % 6); /* 5 is not an answer */

    (void)context;
    oracle_claim(vcpu, e, answer);
    if (what & 0x40)
        e->value = take_bytes(8);
    if (what & 0x80) {
        unsigned n = byte() % 31;

        avc_vcpu_set_gpr(vcpu, n, take_bytes(4));
        oracle_may_change(1u << n);
    }
    e->answer = (enum avc_answer)(what >> 3 & 7); /* only the function's result counts */
    return answer;
}

static struct avc_vgic vgic;
static struct avc_vgic_spis spis[2];
static struct avc_vgic_cpu gic_cpus[2];

static void may(enum avc_status status)
{
    (void)status; /* a CPU without the trap refuses the claim */
}

static void claims(unsigned which)
{
    static const struct {
        unsigned bit; /* of `which` */
        enum avc_kind kind;
        uint64_t first, last;
        avc_claim_fn *fn;
    } rows[] = {
        { 0, AVC_MMIO, NOWHERE, NOWHERE + 0xfff, any_claim },
        { 0, AVC_MMIO, NOWHERE + 0x1000, NOWHERE + 0xffff, avc_to_vmm },
        { 1, AVC_MMIO, ROM, ROM + 0xfff, any_claim },
        { 2, AVC_CALL, 0xc6000000, 0xc600000f, any_claim },
        { 2, AVC_CALL, 0xc6000010, 0xc6000017, avc_to_vmm },
        { 2, AVC_CALL, 0xc6000018, 0xc600ffff, any_claim }, /* too wide for index entries */
        { 3, AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 1, 0, 1), AVC_SYSREG_KEY(3, 0, 1, 0, 1), any_claim },    /* ACTLR_EL1 */
        { 3, AVC_SYSREG, AVC_SYSREG_KEY(1, 0, 7, 14, 2), AVC_SYSREG_KEY(1, 0, 7, 14, 2), avc_to_vmm }, /* DC CISW */
        { 4, AVC_SYSREG, AVC_SYSREG_KEY(3, 3, 14, 0, 0), AVC_SYSREG_KEY(3, 3, 14, 15, 7), any_claim },
        { 5, AVC_SVC, 0, 1000, any_claim },
        { 6, AVC_CLASS, 0x00, 0x15, any_claim },
        { 7, AVC_CLASS, 0x18, 0x3f, any_claim },
    };

    for (unsigned i = 0; i < AVC_ARRAY_SIZE(rows); i++) {
        if (!(which >> rows[i].bit & 1))
            continue;
        if (rows[i].kind != AVC_CLASS) {
            may(avc_vm_claim(&world.vm,
                             &(struct avc_claim){ rows[i].kind, rows[i].first, rows[i].last, rows[i].fn, NULL }));
            continue;
        }
        for (uint64_t ec = rows[i].first; ec <= rows[i].last; ec++) /* a claim for each class, because some classes
                                                                     * cannot trap */
            may(avc_vm_claim(&world.vm, &(struct avc_claim){ AVC_CLASS, ec, ec, rows[i].fn, NULL }));
    }
}

/* ---- the guest ---- */

static unsigned traps_left;

static uint64_t address(void)
{
    static const uint64_t bases[16] = {
        RAM,
        ROM,
        PASS,
        NOWHERE,
        DIST,
        REDIST,
        0,
        0x70000000,
        RAM + 0x3ff000,
        ROM + 0x1000,
        REDIST + 0x10000,
        REDIST + 0x20000,
        UINT64_C(1) << 35,
        UINT64_C(0xffffff000),
        DIST + 0xf000,
        UINT64_C(1) << 47,
    };
    uint64_t at = take_bytes(3);

    return bases[at & 15] + (at >> 4 & 0xfffff);
}

static uint64_t function_id(void)
{
    static const uint32_t bases[8] = { 0x84000000, 0xc4000000, 0x80000000, 0x80008000,
                                       0x80003fff, 0xc6000000, 0x84000050, 0x80007fff };
    uint8_t what = byte();

    return bases[what & 7] + (what >> 3) + ((uint64_t)(what >> 7) << 40); /* the upper half of a W register may hold
                                                                           * anything */
}

/* Builds the ISS of a trapped MSR or MRS from the key's op0, op2, op1, CRn and CRm. */
static uint64_t sysreg_iss(uint32_t key)
{
    return AVC_FIELD(key, 15, 14) << 20 | AVC_FIELD(key, 2, 0) << 17 | AVC_FIELD(key, 13, 11) << 14 |
           AVC_FIELD(key, 10, 7) << 10 | AVC_FIELD(key, 6, 3) << 1;
}

static uint64_t any_pstate(void)
{
    static const uint64_t modes[8] = { 0x5, 0x5, 0x5, 0x4, 0x0, 0x0, 0x10, 0x30 };
    uint64_t raw = take_bytes(4), p = modes[raw & 7];

    p |= raw & 0xf0000000;
    if (p & SPSR_NRW)
        return p | (raw & (SPSR_E | SPSR_SS | SPSR_PAN | (UINT64_C(0x3f) << 10) | (UINT64_C(3) << 25)));
    return p | (raw & (SPSR_DAIF | SPSR_BTYPE | SPSR_SSBS | SPSR_SS | SPSR_PAN | SPSR_UAO | SPSR_DIT | SPSR_TCO));
}

/* Half of the syndromes are any 32 bits. The others are of classes in which the library decides much. */
static uint64_t some_esr(void)
{
    static const uint32_t keys[] = {
#define CTX(name, op0, op1, crn, crm, op2, ...) AVC_SYSREG_KEY(op0, op1, crn, crm, op2),
#define REG(name, op0, op1, crn, crm, op2, ...) AVC_SYSREG_KEY(op0, op1, crn, crm, op2),
#include <avc/sysreg.def>
#undef CTX
#undef REG
        AVC_SYSREG_KEY(3, 0, 12, 11, 5), AVC_SYSREG_KEY(3, 0, 12, 11, 6), AVC_SYSREG_KEY(3, 0, 12, 11, 7), /* SGIs */
        AVC_SYSREG_KEY(3, 0, 12, 11, 1), AVC_SYSREG_KEY(3, 0, 4, 6, 0), /* ICC_DIR_EL1, ICC_PMR_EL1 */
        AVC_SYSREG_KEY(1, 0, 7, 14, 2),  AVC_SYSREG_KEY(1, 3, 7, 5, 1),   AVC_SYSREG_KEY(1, 0, 8, 3, 0),
    };
    static const uint8_t calls[] = { 0x16, 0x16, 0x17, 0x01, 0x07, 0x1a, 0x15, 0x03 };
    uint64_t raw = take_bytes(4), il = ESR_IL;
    uint32_t key;

    switch (raw >> 28 & 15) {
    case 8: /* translation faults, with any other syndrome bits */
    case 9:
        return ESR_MAKE(0x24, il, (raw & 0xffff40) | ISS_ISV | 4 | (raw & 3)) & ~(ISS_CM | ISS_S1PTW);
    case 10: /* permission faults */
        return ESR_MAKE(0x24, il, (raw & 0x1ffffc0) | 0xc | (raw & 3));
    case 11:
        return ESR_MAKE(0x24, il, (raw & 0x1ffffc0) | 4 | (raw & 3));
    case 12:
        return ESR_MAKE(0x20, il, (raw & 0x2c0) | (raw & 0xf));
    case 13:
    case 14:
        key = keys[(raw & 0xffff) % AVC_ARRAY_SIZE(keys)];
        return ESR_MAKE(0x18, il, sysreg_iss(key) | AVC_FIELD(raw, 20, 16) << 5 | AVC_FIELD(raw, 21, 21));
    case 15:
        return ESR_MAKE(calls[raw >> 25 & 7], il, raw & 0xffff);
    default:
        return raw | (raw >> 1 & 1) << 31;
    }
}

/* A CPU describes no access whose table walk has faulted: ISV is 0. */
static uint64_t any_esr(void)
{
    uint64_t esr = some_esr();

    return ESR_EC(esr) == AVC_EC_DABT_LOWER && esr & ISS_S1PTW ? esr & ~ISS_ISV : esr;
}

static void at_hook(enum fake_op op, uint64_t va)
{
    if (op != FAKE_OP_at_s1e1r && op != FAKE_OP_at_s1e1w && op != FAKE_OP_at_s1e0r && op != FAKE_OP_at_s1e0w)
        return;
    if (va == now.trap.elr) /* the instruction, which the decoder wants */
        fake_cpu->reg[FAKE_PAR_EL1] = RAM | UINT64_C(0xff) << 56;
    else
        fake_cpu->reg[FAKE_PAR_EL1] = byte() & 1 ? 0x80d : oracle_ipa() & ~UINT64_C(0xfff);
}

/* ---- loads and stores without syndrome ---- */

static bool decodes;
static uint32_t word;
static uint8_t *piece; /* as long as was asked for: ASan sees an access beyond it */

static void *memory(void *ctx, avc_ipa_t ipa, size_t size)
{
    (void)ctx;
    free(piece);
    piece = NULL;
    if (ipa < RAM || ipa - RAM > RAM_SIZE - size)
        return NULL;
    piece = malloc(size);
    memset(piece, (int)(ipa & 0xff), size);
    if (size == 4 && !((ipa ^ RAM) & ~UINT64_C(0xfff)))
        memcpy(piece, &word, 4);
    return piece;
}

static void attach_decoder(bool across)
{
    static struct avc_decoder decoder;
    static struct avc_decoder_cpu cpus[2];

    memset(cpus, 0, sizeof cpus);
    must(avc_decoder_attach(
        &decoder, &world.vm,
        &(struct avc_decoder_config){ .memory = memory, .cpus = cpus, .max_vcpus = 2, .across_pages = across }));
    decodes = true;
}

/* Makes the abort one that an instruction of A64 can have caused, if the input's word is one. Returns whether the
   decoder may handle it. */
static bool instruction(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    struct avc_access a;

    if (!decodes || trap->kind != FAKE_SYNC || ESR_EC(trap->esr) != AVC_EC_DABT_LOWER || trap->spsr & SPSR_NRW)
        return false;
    word = ((uint32_t)take_bytes(4) & ~UINT32_C(0x0a000000)) | UINT32_C(0x08000000);
    trap->esr |= ESR_IL;
    if (!avc_decode_a64(word, &a) || a.base > 30 || (a.index < 31 && a.index == a.base))
        return true;
    if (a.index < 31)
        vcpu->x[a.index] = 0;
    vcpu->x[a.base] = trap->far - (a.post ? 0 : avc_access_distance(&a, 0, false));
    trap->esr &= ~(ISS_ISV | ISS_CM | ISS_S1PTW | ISS_WNR);
    trap->esr |= a.what == AVC_ACCESS_LOAD ? 0 : ISS_WNR;
    return true;
}

static void map_something(void)
{
    static const uint32_t attrs[4] = { AVC_RWX, AVC_R, AVC_RW | AVC_DEVICE, 0 };
    uint64_t at = address() & ~UINT64_C(0xfff);
    uint8_t what = byte();

    if (at >= DIST && at < DIST + 0x01000000)
        return; /* an embedder maps no memory over an emulated device */
    if (what & 1)
        may(avc_stage2_map(&world.stage2, at, UINT64_C(0x180000000) + at, 0x1000, attrs[what >> 1 & 3]));
    else if (what & 2)
        may(avc_stage2_unmap(&world.stage2, at, 0x1000));
    else
        may(avc_stage2_protect(&world.stage2, at, 0x1000, attrs[what >> 2 & 3]));
}

/* Observers must not change what the guest sees. */
static struct avc_histogram histograms[AVC_NR_HISTOGRAMS];

static void trace(void *context, struct avc_vcpu *vcpu, const struct avc_trace *t)
{
    (void)context, (void)vcpu;
    if (t->trap >= AVC_NR_TRAPS || t->kind > AVC_NR_KINDS || (unsigned)t->outcome >= AVC_NR_OUTCOMES)
        abort();
}

static const struct avc_observer observer = { histograms, trace, NULL };

/* Takes an exception, with all that belongs to it, from the input. */
static bool guest(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    uint8_t what;
    uint64_t ipa;
    bool decoded;

    oracle_check(vcpu, trap->elr, trap->spsr);
    if (!input_left || !traps_left)
        return false;
    if (--traps_left % 8 == 0)
        must(avc_vcpu_observe(vcpu, traps_left & 8 ? &observer : NULL));
    what = byte();
    trap->kind = (what & 7) < 5 ? FAKE_SYNC : (what & 7) - 4;
    if (what & 8) {
        unsigned n = byte() % 31;

        vcpu->x[n] = take_bytes(8);
    }
    if (what & 16)
        vcpu->x[0] = function_id();
    if (what & 32) {
        trap->elr = RAM + take_bytes(2) * 4;
        trap->spsr = any_pstate();
    }
    if (what & 64)
        avc_vcpu_kick(vcpu);
    if (what & 128)
        map_something();
    trap->esr = any_esr();
    ipa = address();
    trap->far = 0xffff000000340000 | (ipa & 0xfff);
    trap->hpfar = ipa >> 12 << 4;
    decoded = instruction(vcpu, trap);
    if (trap->kind == FAKE_IRQ) {
        world.irq = (ipa & 0x3ff) == 0x3ff ? AVC_IRQ_SPURIOUS : (avc_irq_t)(ipa & 0x3ff);
        world.irq_answer = ipa & 0x400 ? AVC_EXIT : AVC_DONE;
    }
    oracle_begin(vcpu, trap, ipa);
    now.decoded = decoded;
    return true;
}

/* ---- the VMM ---- */

static void restart(struct avc_vcpu *vcpu)
{
    must(avc_vcpu_put(vcpu));
    oracle_check_host(true);
    must(avc_vcpu_start(vcpu, START, 0));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    oracle_forget();
}

static void vmm(struct avc_vcpu *vcpu)
{
    static const enum avc_answer answers[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_EXIT, AVC_PASS };

    for (unsigned n = 0; n < 2 * MAX_TRAPS && input_left && traps_left; n++) {
        struct avc_exit *e = world_run(vcpu);
        uint8_t what;

        oracle_check_host(false);
        if (e->kind == AVC_KICKED)
            continue;
        what = byte();
        if (e->kind == AVC_CPU_OFF || (e->kind == AVC_SYSTEM_RESET && what & 1)) {
            restart(vcpu);
            continue;
        }
        if (what & 8) /* otherwise the VMM leaves the preset answer */
            e->answer = answers[what % 5];
        if (what & 16)
            e->value = take_bytes(8);
        oracle_exit(vcpu, e);
        if (what & 32) { /* puts and loads the vCPU while the answer is due */
            must(avc_vcpu_put(vcpu));
            oracle_check_host(true);
            must(avc_vcpu_load(vcpu, &world.pcpu));
        }
        if (what & 64)
            may(avc_vcpu_set_irq(vcpu, what & 128 ? 27 : 0, what & 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t model, host, with;
    struct avc_vcpu *vcpu;

    input_is(data, size);
    traps_left = MAX_TRAPS;
    model = byte();
    host = byte();
    with = byte();
    world_model = fake_models[model % FAKE_NR_MODELS];
    world_e2h = host & 1 && (world_model == &fake_n1 || world_model == &fake_max);
    world_make_flags((host & 2 ? AVC_VM_TRAP_WFE : 0) | (host & 4 ? AVC_VM_NO_WFI : 0));
    if (host & 8)
        world.hal.irq_fetch = NULL;
    world.hal.uses = (host & 16 ? AVC_HOST_NO_FP : 0) |
                     (host & 32 ? AVC_HOST_SP_EL0 | AVC_HOST_TPIDR | AVC_HOST_PAUTH : 0) |
                     (model & 0x40 ? AVC_HOST_NO_EL1 : 0);
    world.hal.eoi_split = model & 0x80;
    claims(with);
    decodes = false;
    if (model & 0x20)
        attach_decoder(model & 0x10);
    if (host & 64)
        must(avc_psci_attach(&world.vm));
    if (host & 128) {
        memset(&vgic, 0, sizeof vgic);
        memset(spis, 0, sizeof spis);
        memset(gic_cpus, 0, sizeof gic_cpus);
        must(avc_vgic_attach(&vgic, &world.vm,
                             &(struct avc_vgic_config){ .dist_base = DIST,
                                                        .redist_base = REDIST,
                                                        .nr_spis = 64,
                                                        .max_vcpus = 2,
                                                        .spis = spis,
                                                        .cpus = gic_cpus }));
    }
    oracle_host();
    vcpu = world_load();
    fake_on_op = at_hook;
    fake_guest = guest;
    oracle_forget();
    vmm(vcpu);
    traps_left = 0;
    (void)world_run(vcpu); /* completes the last answer */
    must(avc_vcpu_put(vcpu));
    oracle_check_host(true);
    free(piece);
    piece = NULL;
    return 0;
}
