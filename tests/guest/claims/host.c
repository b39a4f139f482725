/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Claims on exception classes, system registers and calls. Each does something that an embedder might want. */
#include <avc/sysreg.h>

#include "testvm.h"

#include "../claims/calls.h"

static struct test_vm vm;
static uint64_t counts[NR_COUNTS];
static uint64_t traps;

#define EC(e) ((unsigned)((e)->esr >> 26 & 0x3f))

/* ---- exception classes ---- */

static enum avc_answer on_brk(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    counts[COUNT_BRK]++;
    switch (e->imm) {
    case BRK_VALUE:
        avc_vcpu_set_gpr(vcpu, 0, VALUE);
        return AVC_DONE;
    case BRK_FAULT:
        return AVC_FAULT;
    case BRK_AGAIN:
        return counts[COUNT_BRK] % 2 ? AVC_RETRY : AVC_DONE;
    case BRK_TO_VMM:
        return AVC_EXIT;
    default: /* a BRK of the guest's own: a debugger's, or an assertion's */
        return AVC_PASS;
    }
}

/* Counts in *ctx, and passes the event on. */
static enum avc_answer watch(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    ++*(uint64_t *)ctx;
    return AVC_PASS;
}

static enum avc_answer veto(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    ++*(uint64_t *)ctx;
    return AVC_DONE;
}

static enum avc_answer on_instruction(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    if (EC(e) == 0x16 && e->imm == HVC_TO_VMM)
        return AVC_EXIT;
    if ((EC(e) == 0x16 && e->imm == HVC_FAULT) || (EC(e) == 0x17 && e->imm == SMC_FAULT))
        return AVC_FAULT;
    counts[COUNT_WATCHED]++;
    return AVC_PASS;
}

/* ---- system registers ---- */

struct actlr {
    uint64_t value;
};

/* Emulates ACTLR_EL1 with a value of its own, as on another CPU model. */
static enum avc_answer on_actlr(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct actlr *actlr = ctx;

    counts[e->write ? COUNT_ACTLR_WRITES : COUNT_ACTLR_READS]++;
    if (!e->write)
        return avc_done(e, actlr->value);
    actlr->value = e->value;
    return AVC_DONE;
}

/*
 * Emulates a register that reads as PV_VALUE plus what was written last, and two instructions that write and read it.
 */
static enum avc_answer on_paravirtual(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t *written = ctx;

    counts[COUNT_PV]++;
    if (!e->write)
        return avc_done(e, PV_VALUE + *written);
    *written = e->value;
    return AVC_DONE;
}

static enum avc_answer on_id(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    counts[COUNT_ID]++;
    if (e->key == AVC_REG_ID_AA64ISAR1_EL1 && !e->write)
        return avc_done(e, ID_VALUE);
    return AVC_PASS;
}

/* ---- calls ---- */

static enum avc_answer on_call(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t x1 = avc_vcpu_gpr(vcpu, 1);

    switch (e->key) {
    case CALL_PUTC:
        host_putc((char)x1);
        return avc_done(e, 0);
    case CALL_COUNT:
        if (x1 == COUNT_UNDEFINED)
            return avc_done(e, vcpu->nr_undef);
        return x1 < NR_COUNTS ? avc_done(e, counts[x1]) : AVC_FAULT;
    case CALL_IMM:
        return avc_done(e, e->imm);
    case CALL_RESULTS:
        for (unsigned n = 1; n < 4; n++)
            avc_vcpu_set_gpr(vcpu, n, x1 + n + 1);
        return avc_done(e, x1 + 1);
    case CALL_TRAPS:
        return avc_done(e, traps);
    case CALL_LATE:
        return AVC_EXIT;
    default:
        return AVC_FAULT;
    }
}

static uint64_t custom(struct avc_vcpu *vcpu)
{
    return avc_vcpu_gpr(vcpu, 1) + 2 * avc_vcpu_gpr(vcpu, 2) + 3 * avc_vcpu_gpr(vcpu, 3);
}

static enum avc_answer on_custom(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    if (avc_vcpu_gpr(vcpu, 4) == 1)
        return AVC_EXIT;
    avc_vcpu_set_return_value(vcpu, custom(vcpu));
    return AVC_DONE;
}

/* ---- the VMM's loop ---- */

static void provide_code(uint64_t at)
{
    static const uint32_t code[] = { 0xd2800000 | VALUE << 5, 0xd65f03c0 }; /* mov x0, #VALUE; ret */
    avc_pa_t pa;
    void *page = host_mem.get(host_mem.ctx, 4096, &pa);

    host_must(page ? AVC_OK : AVC_ENOMEM);
    host_copy_code(page, code, sizeof code);
    host_must(avc_stage2_map(&vm.stage2, at & ~UINT64_C(0xfff), pa, 4096, AVC_RWX));
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    static const struct avc_claim late = { AVC_CALL, 0xc7000000, 0xc7000000, avc_deny, NULL };

    if (e->kind == AVC_CLASS) {
        avc_vcpu_set_gpr(vcpu, 0, EC(e) == 0x3c ? VALUE + 1 : VALUE + 2);
        e->answer = AVC_DONE;
    } else if (e->kind == AVC_CALL && e->key == CALL_LATE) {
        avc_vcpu_set_return_value(vcpu, avc_vm_claim(&vm.vm, &late));
    } else if (e->kind == AVC_CALL && e->key == CALL_CUSTOM) {
        avc_vcpu_set_return_value(vcpu, custom(vcpu));
    } else if (e->kind == AVC_STAGE2 && e->fetch && e->key == LATE_MEMORY) {
        provide_code(e->key);
        e->answer = AVC_RETRY;
    } else if (e->kind == AVC_WFI) {
        counts[COUNT_WAITS]++;
    } else {
        return false;
    }
    return true;
}

/* Makes a claim for which not every CPU has the trap. If this CPU has it not, AVC_ENOTRAP is the right answer. */
static void maybe(enum avc_kind kind, uint64_t first, avc_claim_fn *fn, void *ctx, bool can, uint64_t bit)
{
    const struct avc_claim claim = { kind, first, first, fn, ctx };
    enum avc_status status = avc_vm_claim(&vm.vm, &claim);

    if (status != (can ? AVC_OK : AVC_ENOTRAP))
        traps |= TRAP_WRONG;
    else if (can)
        traps |= bit;
}

int host_main(void)
{
    static struct actlr actlr = { 0x1234 };
    static uint64_t written;
    static const struct avc_claim claims[] = {
        { AVC_CLASS, 0x3c, 0x3c, on_brk, NULL },
        { AVC_CLASS, 0x20, 0x20, watch, &counts[COUNT_FETCH] },
        { AVC_CLASS, 0x01, 0x01, veto, &counts[COUNT_WFI] },
        { AVC_CLASS, 0x16, 0x18, on_instruction, NULL }, /* HVC, SMC, MSR and MRS */
        { AVC_SYSREG, AVC_REG_ACTLR_EL1, AVC_REG_ACTLR_EL1, on_actlr, &actlr },
        { AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 15, 0, 0), AVC_SYSREG_KEY(3, 0, 15, 0, 0), on_paravirtual, &written },
        { AVC_SYSREG, AVC_SYSREG_KEY(1, 3, 15, 0, 1), AVC_SYSREG_KEY(1, 3, 15, 0, 1), on_paravirtual, &written },
        { AVC_SYSREG, AVC_REG_ID_AA64ISAR0_EL1, AVC_REG_ID_AA64ISAR1_EL1, on_id, NULL },
        { AVC_CALL, AVC_PSCI_VERSION, AVC_PSCI_LAST, watch, &counts[COUNT_PSCI] },
        { AVC_CALL, CALL_COUNT, CALL_COUNT, on_call, NULL },
        { AVC_CALL, CALL_DENIED, CALL_DENIED, avc_deny, NULL },
        { AVC_CALL, CALL_IMM, CALL_TRAPS, on_call, NULL },
        { AVC_CALL, CALL_CUSTOM, CALL_CUSTOM, on_custom, NULL },
    };
    const struct test_config config = {
        .claims = claims, .nr_claims = sizeof claims / sizeof claims[0], .putc = on_call, .on_exit = on_exit
    };
    bool fgt;

    test_cpu_init(0);
    test_vm_init(&vm, &config);
    fgt = test_machine.features.has >> AVC_FEAT_FGT & 1;
    maybe(AVC_CLASS, 0x15, watch, &counts[COUNT_SVC], fgt, TRAP_SVC);
    maybe(AVC_CLASS, 0x1a, watch, &counts[COUNT_ERET], fgt, TRAP_ERET);
    maybe(AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 13, 0, 4), watch, &counts[COUNT_ID], fgt, TRAP_TPIDR); /* TPIDR_EL1 */
    maybe(AVC_SYSREG, AVC_SYSREG_KEY(3, 3, 4, 2, 0), watch, NULL, false, 0);                      /* NZCV */
    maybe(AVC_CLASS, 0x3f, watch, NULL, false, 0);
    host_must(avc_vcpu_load(&vm.vcpu[0], &test_pcpu[0]));
    while (!vm.off)
        test_vcpu_step(&vm, 0, &config);
    return 0;
}
