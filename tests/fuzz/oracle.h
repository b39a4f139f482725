/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What must hold after each exception of fuzz_trap.c. A violation prints what happened and aborts.
 *
 * The guest goes on at the same instruction, behind it, or in a handler of its own. Who answered, and what, decides
 * which of the three. No general register changes except the instruction's result. After run the host finds EL2's
 * registers as they were, except those that stay set while the vCPU is loaded. After put it finds all of them.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "../unit/world.h"

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/policy/sysreg.h"

#define HCR_VM AVC_BIT(0) /* stays set from load to put, for an erratum; it has no effect on EL2 itself */

enum {
    SAME = 1,   /* at the PC of the exception: the instruction again, or behind an HVC */
    STEP = 2,   /* behind the instruction */
    BACK = 4,   /* at the HVC again */
    RAISED = 8, /* in the guest's own handler */
    ERET = 16,
    RESET = 32, /* at the entry address, after PSCI CPU_SUSPEND with power-down */
};

static struct {
    bool valid;
    struct fake_trap trap;
    uint64_t ipa, x[31], vbar, elr_el1;
    uint32_t may_change;
    bool decoded;  /* an access of several parts, each with an answer of its own, and of any register */
    bool answered; /* a claim or the VMM has answered: answer */
    enum avc_answer answer;
    struct avc_exit e;
} now;

static struct {
    struct fake_cpu cpu;
    struct avc_fp fp;
} found; /* what the host had before the library ran */

static void wrong(const struct avc_vcpu *vcpu, const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr,
            "oracle: %s: %#llx, %#llx\n  trap kind %d esr %#llx elr %#llx spsr %#llx far %#llx ipa %#llx\n"
            "  answer %d kind %s key %#llx vbar %#llx\n  exit %s answer %d\n",
            what, (unsigned long long)a, (unsigned long long)b, (int)now.trap.kind, (unsigned long long)now.trap.esr,
            (unsigned long long)now.trap.elr, (unsigned long long)now.trap.spsr, (unsigned long long)now.trap.far,
            (unsigned long long)now.ipa, now.answered ? (int)now.answer : -1, avc_kind_name(now.e.kind),
            (unsigned long long)now.e.key, (unsigned long long)now.vbar, avc_kind_name(vcpu->exit.kind),
            (int)vcpu->exit.answer);
    abort();
}

/* ---- the host ---- */

static bool is_fixed(unsigned reg) /* says what the machine is, or moves by itself */
{
    switch (reg) {
    case FAKE_MIDR_EL1:
    case FAKE_MPIDR_EL1:
    case FAKE_ISR_EL1:
    case FAKE_CTR_EL0:
    case FAKE_DCZID_EL0:
    case FAKE_CLIDR_EL1:
    case FAKE_REVIDR_EL1:
    case FAKE_CURRENTEL:
    case FAKE_DAIF:
    case FAKE_HCR_EL2:
    case FAKE_CPTR_EL2:
    case FAKE_SCTLR_EL2:
    case FAKE_CNTFRQ_EL0:
    case FAKE_CNTPCT_EL0:
    case FAKE_CNTVCT_EL0:
    case FAKE_ICC_SRE_EL2:
    case FAKE_ICH_VTR_EL2:
    case FAKE_ICH_MISR_EL2:
    case FAKE_ICH_EISR_EL2:
    case FAKE_ICH_ELRSR_EL2:
        return true;
    default:
        return false;
    }
}

/* Each exception writes these, so no host can rely on their values. */
static bool is_syndrome(unsigned reg)
{
    return reg == FAKE_ESR_EL2 || reg == FAKE_ELR_EL2 || reg == FAKE_SPSR_EL2 || reg == FAKE_FAR_EL2 ||
           reg == FAKE_HPFAR_EL2;
}

/* Only guests use the virtual CPU interface, so its registers may hold anything between two guests. */
static bool is_interface(unsigned reg)
{
    return (reg >= FAKE_ICH_HCR_EL2 && reg <= FAKE_ICH_LR15_EL2) || reg == FAKE_ICC_SRE_EL1 ||
           reg == FAKE_ICC_DIR_EL1 || reg == FAKE_OSLAR_EL1; /* the last two are write-only */
}

static void oracle_host(void)
{
    for (unsigned n = 0; n < FAKE_NR_REGS; n++)
        if (!is_fixed(n) && !is_interface(n))
            fake_cpu->reg[n] = UINT64_C(0x105700) + n;
    for (unsigned n = 0; n < AVC_NR_CTX; n++)
        fake_cpu->ctx[n] = UINT64_C(0x1057000000) + n;
    fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] = 2; /* CNTV_CTL has two writable bits */
    fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0] = 3;
    for (unsigned n = 0; n < 32; n++)
        fake_fp->v[n][0] = fake_fp->v[n][1] = 0x105700 + n;
    fake_fp->fpcr = 0x105700;
    fake_fp->fpsr = 0x105701;
    fake_cpu->reg[FAKE_CPTR_EL2] = world_e2h ? 0 : 0x37ff; /* a host that does not use FP traps it */
    found.cpu = *fake_cpu;
    found.fp = *fake_fp;
}

static void check_fp(const struct avc_vcpu *vcpu)
{
    for (unsigned n = 8; n < 16; n++)
        if (fake_fp->v[n][0] != found.fp.v[n][0])
            wrong(vcpu, "V register of the host", n, fake_fp->v[n][0]);
    if (fake_fp->fpcr != found.fp.fpcr || fake_fp->fpsr != found.fp.fpsr)
        wrong(vcpu, "FPCR or FPSR of the host", fake_fp->fpcr, fake_fp->fpsr);
}

static void check_ctx(const struct avc_vcpu *vcpu, unsigned n)
{
    if (fake_cpu->ctx[n] != found.cpu.ctx[n])
        wrong(vcpu, "EL1 register of the host", n, fake_cpu->ctx[n]);
}

/* What a host does without that executes nothing at EL1. */
static bool is_el1_control(unsigned reg)
{
    switch (reg) {
    case FAKE_VTTBR_EL2:
    case FAKE_VTCR_EL2:
    case FAKE_VPIDR_EL2:
    case FAKE_VMPIDR_EL2:
    case FAKE_HSTR_EL2:
    case FAKE_HCRX_EL2:
    case FAKE_HFGRTR_EL2:
    case FAKE_HFGWTR_EL2:
    case FAKE_HFGITR_EL2:
    case FAKE_HDFGRTR_EL2:
    case FAKE_HDFGWTR_EL2:
    case FAKE_HAFGRTR_EL2:
    case FAKE_HFGRTR2_EL2:
    case FAKE_HFGWTR2_EL2:
    case FAKE_HFGITR2_EL2:
    case FAKE_HDFGRTR2_EL2:
    case FAKE_HDFGWTR2_EL2:
    case FAKE_MPAM2_EL2:
    case FAKE_MPAMHCR_EL2:
        return true;
    default:
        return false;
    }
}

static void check_timers_off(const struct avc_vcpu *vcpu)
{
    if ((fake_cpu->ctx[AVC_CTX_CNTV_CTL_EL0] | fake_cpu->ctx[AVC_CTX_CNTP_CTL_EL0]) & 1)
        wrong(vcpu, "a timer is on after put", 0, 1);
}

static void oracle_check_host(bool put)
{
    static const unsigned always[] = { FAKE_VBAR_EL2, FAKE_HCR_EL2, FAKE_CPTR_EL2, FAKE_SCTLR_EL2, FAKE_TPIDR_EL2 };
    const struct avc_vcpu *vcpu = &world.vcpu[0];
    bool keeps = !(world.hal.uses & AVC_HOST_NO_EL1);

    if (fake_cpu->masked)
        wrong(vcpu, "DAIF", 1, 0);
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(always); n++)
        if ((fake_cpu->reg[always[n]] ^ found.cpu.reg[always[n]]) & ~(always[n] == FAKE_HCR_EL2 && !put ? HCR_VM : 0))
            wrong(vcpu, "EL2 register after run", n, fake_cpu->reg[always[n]]);
    if (put || !(world.hal.uses & AVC_HOST_NO_FP))
        check_fp(vcpu);
    if (put) {
        for (unsigned n = 0; n < FAKE_NR_REGS; n++)
            if (!is_fixed(n) && !is_syndrome(n) && !is_interface(n) && (keeps || !is_el1_control(n)) &&
                fake_cpu->reg[n] != found.cpu.reg[n])
                wrong(vcpu, "EL2 register after put", n, fake_cpu->reg[n]);
        for (unsigned n = 0; keeps && n < AVC_NR_CTX; n++)
            check_ctx(vcpu, n);
        if (!keeps)
            check_timers_off(vcpu);
    }
    if (!put || !keeps) {
        if (world.hal.uses & AVC_HOST_SP_EL0)
            check_ctx(vcpu, AVC_CTX_SP_EL0);
        if (world.hal.uses & AVC_HOST_TPIDR)
            check_ctx(vcpu, AVC_CTX_TPIDR_EL0);
        if (world.hal.uses & AVC_HOST_PAUTH && avc_has(&world.vm.features, AVC_FEAT_PAUTH))
            check_ctx(vcpu, AVC_CTX_APIAKeyLo_EL1);
    }
}

/* ---- one exception ---- */

static void oracle_forget(void)
{
    now.valid = false;
}

static void oracle_begin(struct avc_vcpu *vcpu, const struct fake_trap *trap, uint64_t ipa)
{
    /* While the library steps over an ERETAA, PSTATE.SS is the library's. test_eret.c checks what follows. */
    now.valid = !(vcpu->work & AVC_WORK_STEP);
    now.trap = *trap;
    now.ipa = ipa;
    now.may_change = 0;
    now.answered = now.decoded = false;
    now.e = (struct avc_exit){ .kind = AVC_CLASS };
    memcpy(now.x, vcpu->x, sizeof now.x);
    now.vbar = avc_ctx_get(vcpu, AVC_CTX_VBAR_EL1);
    now.elr_el1 = avc_ctx_get(vcpu, AVC_CTX_ELR_EL1);
}

static uint64_t oracle_ipa(void)
{
    return now.ipa;
}

static void oracle_claim(struct avc_vcpu *vcpu, const struct avc_exit *e, enum avc_answer answer)
{
    (void)vcpu;
    now.e = *e;
    now.answered = answer != AVC_PASS && answer != AVC_EXIT;
    now.answer = (unsigned)answer <= AVC_PASS ? answer : AVC_FAULT;
}

static void oracle_may_change(uint32_t mask)
{
    now.may_change |= mask;
}

static void oracle_exit(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    (void)vcpu;
    now.e = *e;
    now.answered = true;
    now.answer = e->answer;
}

/* The classes whose exception leaves the PC at an instruction, which a claim may complete. */
#define STEPS                                                                                                          \
    (AVC_BIT(0x00) | AVC_BIT(0x01) | AVC_BIT(0x03) | AVC_BIT(0x04) | AVC_BIT(0x05) | AVC_BIT(0x06) | AVC_BIT(0x07) |   \
     AVC_BIT(0x08) | AVC_BIT(0x09) | AVC_BIT(0x0a) | AVC_BIT(0x0c) | AVC_BIT(0x11) | AVC_BIT(0x13) | AVC_BIT(0x14) |   \
     AVC_BIT(0x15) | AVC_BIT(0x17) | AVC_BIT(0x18) | AVC_BIT(0x19) | AVC_BIT(0x1b) | AVC_BIT(0x1d) | AVC_BIT(0x24) |   \
     AVC_BIT(0x28) | AVC_BIT(0x2c) | AVC_BIT(0x34) | AVC_BIT(0x38) | AVC_BIT(0x3c))

/* What the library may do by itself, when neither a claim of the embedder's nor the VMM has answered. */
static unsigned builtin(unsigned ec)
{
    if (!avc_condition_passed(now.trap.esr, now.trap.spsr) && ec != 0x13)
        return ec == 0x07 ? SAME | STEP : STEP; /* FP: the first trap may only load the registers */
    switch (ec) {
    case 0x01:
        return STEP;
    case 0x03:
    case 0x04:
    case 0x18:
        return STEP | RAISED;
    case 0x07:
    case 0x09:
    case 0x20:
        return SAME | RAISED;
    case 0x13:
        return STEP | RAISED;
    case 0x16:
        return SAME;
    case 0x17:
        return STEP;
    case 0x1a:
        return ERET | RAISED;
    case 0x24: /* STEP is for cache maintenance, and for the library's own devices */
        return SAME | RAISED |
               (now.trap.esr & (ISS_CM | ISS_ISV) && !(now.trap.esr & ISS_S1PTW && !(now.trap.esr & ISS_CM)) ? STEP
                                                                                                             : 0);
    default:
        return RAISED;
    }
}

static unsigned answered(unsigned ec)
{
    bool call = ec == 0x16 || ec == 0x17;

    switch (now.e.kind) {
    case AVC_CALL:
        return now.answer == AVC_RETRY                             ? (ec == 0x16 ? BACK : SAME)
               : now.answer == AVC_DONE || now.answer == AVC_FAULT ? (ec == 0x16 ? SAME : STEP)
                                                                   : SAME;
    case AVC_CLASS:
    case AVC_SVC:
        switch (now.answer) {
        case AVC_DONE:
            return STEPS >> ec & 1 ? STEP : SAME;
        case AVC_RETRY:
            return ec == 0x16 ? BACK : SAME;
        case AVC_EXIT:
            return SAME;
        case AVC_PASS:
            return ec == 0x01 ? STEP : ec == 0x1a ? ERET | RAISED : RAISED;
        default:
            return RAISED;
        }
    case AVC_MMIO:
    case AVC_SYSREG:
    case AVC_STAGE2:
        if (now.answer == AVC_DONE)
            return now.e.kind == AVC_STAGE2 && !now.e.size ? SAME : STEP;
        return now.answer == AVC_FAULT ? RAISED : SAME;
    case AVC_WFI:
    case AVC_WFE:
        return now.answer == AVC_DONE ? STEP : now.answer == AVC_FAULT ? RAISED : SAME;
    case AVC_IRQ:
    case AVC_SERROR:
        return SAME;
    default:
        return call ? SAME | STEP | RESET : SAME;
    }
}

static uint64_t vector_of(uint64_t spsr)
{
    return spsr & SPSR_NRW ? 0x600 : (spsr & 0xc) == 0 ? 0x400 : spsr & 1 ? 0x200 : 0;
}

static unsigned outcome(const struct avc_vcpu *vcpu, unsigned ec, uint64_t elr, uint64_t spsr)
{
    const struct fake_trap *t = &now.trap;
    uint64_t pc = t->elr, pstate = t->spsr;
    unsigned is = 0;

    if (elr == pc && spsr == pstate)
        is |= SAME;
    if (elr == pc - 4 && spsr == pstate && ec == 0x16)
        is |= BACK;
    avc_pstate_step(&pc, &pstate, t->esr & ESR_IL);
    if (elr == pc && spsr == pstate)
        is |= STEP;
    if (elr == now.vbar + vector_of(t->spsr) && (spsr & 0x3df) == EL1H) {
        uint64_t from = avc_ctx_get(vcpu, AVC_CTX_ELR_EL1), saved = avc_ctx_get(vcpu, AVC_CTX_SPSR_EL1);

        if ((ec != 0x16 && from == t->elr && saved == t->spsr) ||
            (ec == 0x16 && from == t->elr - 4 && saved == t->spsr) ||
            ((ec == 0x11 || ec == 0x15) && from == pc && saved == pstate))
            is |= RAISED;
    }
    if (ec == 0x1a && ((elr ^ now.elr_el1) & 0xfffffffc) == 0)
        is |= ERET;
    if (ec == 0x1a && t->esr & 2 && elr == t->elr &&
        !((spsr ^ t->spsr) & ~SPSR_SS)) /* ERETAA: stepped over, or not emulated */
        is |= ERET;
    if (spsr == EL1H && elr == now.x[2])
        is |= RESET;
    return is;
}

static uint32_t results(unsigned ec, unsigned is)
{
    uint64_t esr = now.trap.esr;

    if (is & RESET)
        return ~UINT32_C(0);
    if (ec == 0x16 || ec == 0x17)
        return 0xf; /* SMCCC: the results are in x0 to x3 */
    if (!(is & STEP))
        return 0;
    if (ec == 0x24)
        return esr & ISS_WNR ? 0 : UINT32_C(1) << ISS_SRT(esr);
    if (ec == 0x18 || ec == 0x03)
        return esr & 1 ? UINT32_C(1) << AVC_FIELD(esr, 9, 5) : 0;
    if (ec == 0x04)
        return esr & 1 ? UINT32_C(1) << AVC_FIELD(esr, 9, 5) | UINT32_C(1) << AVC_FIELD(esr, 14, 10) : 0;
    return 0;
}

static void oracle_check(struct avc_vcpu *vcpu, uint64_t elr, uint64_t spsr)
{
    unsigned ec = now.trap.kind == FAKE_SYNC ? ESR_EC(now.trap.esr) : 0x40, may, is;
    uint32_t mask;

    if (!now.valid)
        return;
    now.valid = false;
    may = now.trap.kind != FAKE_SYNC ? SAME
          : now.decoded              ? SAME | STEP | RAISED
          : now.answered             ? answered(ec)
                                     : builtin(ec);
    is = outcome(vcpu, ec, elr, spsr);
    if (!(is & may)) {
        fprintf(stderr, "oracle: PC %#llx PSTATE %#llx: is %#x, may be %#x\n", (unsigned long long)elr,
                (unsigned long long)spsr, is, may);
        wrong(vcpu, "the PC", elr, spsr);
    }
    mask = now.may_change | (now.decoded && is & STEP ? ~UINT32_C(0) : results(ec, is & may));
    for (unsigned n = 0; n < 31; n++)
        if (!(mask >> n & 1) && vcpu->x[n] != now.x[n])
            wrong(vcpu, "general register", n, vcpu->x[n]);
}

#endif
