/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Details of some classes: system registers, interrupts, WFI and WFE, FP; and the dump. */
#include "world.h"

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/pstate.h"
#include "core/exit/dump.h"
#include "core/object/request.h"

/* ---- system registers ---- */

static struct avc_exit seen;
static uint64_t reg_value;

static enum avc_answer reg_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    (void)vcpu, (void)context;
    seen = *e;
    return avc_done(e, reg_value);
}

static uint64_t sysreg_iss(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2, unsigned rt, bool read)
{
    return (uint64_t)op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read;
}

static void test_sysreg_decode(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    for (unsigned n = 0; n < 2 * 32; n++) { /* answered by a claim, or by the VMM after the claim's EXIT */
        unsigned rt = n % 32;
        bool to_vmm = n / 32;
        uint64_t x;

        world_make();
        world.machine.features.has = ~UINT64_C(0);
        world_claim(AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 1, 0, 1), AVC_SYSREG_KEY(3, 0, 1, 0, 1),
                    to_vmm ? avc_to_vmm : reg_claim, NULL);
        vcpu = world_load();
        x = avc_vcpu_gpr(vcpu, rt);
        reg_value = 0xfeed0000feed0000 + rt;
        for (unsigned read = 0; read < 2; read++) {
            struct avc_exit *e = take_sync(vcpu, ESR_MAKE(0x18, true, sysreg_iss(3, 0, 1, 0, 1, rt, read)), EL1H);

            assert_int_equal(e->kind, to_vmm ? AVC_SYSREG : AVC_KICKED);
            if (to_vmm) {
                assert_int_equal(e->answer, AVC_FAULT);
                reg_claim(vcpu, e, NULL);
                go_on(vcpu);
            }
            assert_int_equal(seen.key, AVC_SYSREG_KEY(3, 0, 1, 0, 1));
            assert_int_equal(seen.pc, START);
            assert_int_equal(seen.size, 8);
            assert_int_equal(seen.write, !read);
            assert_int_equal(seen.value, read ? 0 : x);
            assert_int_equal(avc_vcpu_gpr(vcpu, rt), rt == 31 ? 0 : read ? reg_value : x);
            assert_int_equal(world.trap.elr, START + 4);
        }
    }
}

/* Each AArch32 EL0 register has the name of its AArch64 register, whether the access has 32 or 64 bits. */
static void test_cp15(void **state)
{
    static const struct {
        uint64_t iss;
        bool two;
        uint32_t key;
    } rows[] = {
        { 14 << 10 | 0 << 1 | 0 << 17, false, AVC_SYSREG_KEY(3, 3, 14, 0, 0) }, /* CNTFRQ */
        { 14 << 10 | 2 << 1 | 1 << 17, false, AVC_SYSREG_KEY(3, 3, 14, 2, 1) }, /* CNTP_CTL */
        { 14 << 10 | 3 << 1 | 0 << 17, false, AVC_SYSREG_KEY(3, 3, 14, 3, 0) }, /* CNTV_TVAL */
        { 9 << 10 | 13 << 1 | 0 << 17, false, AVC_SYSREG_KEY(3, 3, 9, 13, 0) }, /* PMCCNTR */
        { 13 << 10 | 0 << 1 | 2 << 17, false, AVC_SYSREG_KEY(3, 3, 13, 0, 2) }, /* TPIDRURW */
        { 14 << 1 | 0 << 16, true, AVC_SYSREG_KEY(3, 3, 14, 0, 1) },            /* CNTPCT */
        { 14 << 1 | 1 << 16, true, AVC_SYSREG_KEY(3, 3, 14, 0, 2) },            /* CNTVCT */
        { 14 << 1 | 2 << 16, true, AVC_SYSREG_KEY(3, 3, 14, 2, 2) },            /* CNTP_CVAL */
        { 14 << 1 | 3 << 16, true, AVC_SYSREG_KEY(3, 3, 14, 3, 2) },            /* CNTV_CVAL */
        { 9 << 1 | 0 << 16, true, AVC_SYSREG_KEY(3, 3, 9, 13, 0) },             /* PMCCNTR, 64 bits */
    };
    const uint64_t always = ISS_CV | 14 << 20;

    (void)state;
    for (unsigned i = 0; i < AVC_ARRAY_SIZE(rows); i++) {
        uint64_t iss = always | rows[i].iss | 3 << 5 | (rows[i].two ? 4 << 10 : 0);
        unsigned ec = rows[i].two ? 0x04 : 0x03;
        struct avc_vcpu *vcpu;

        world_make();
        world.machine.features.has = ~UINT64_C(0);
        if (avc_vm_claim(&world.vm, &(struct avc_claim){ AVC_SYSREG, rows[i].key, rows[i].key, reg_claim, NULL }))
            continue;
        vcpu = world_load();
        vcpu->x[3] = 0xaaaaaaaa33333333;
        vcpu->x[4] = 0xbbbbbbbb44444444;
        take_sync(vcpu, ESR_MAKE(ec, true, iss), USR);
        assert_int_equal(seen.key, rows[i].key);
        assert_true(seen.write);
        assert_int_equal(seen.value, rows[i].two ? 0x4444444433333333 : 0x33333333);
        reg_value = 0x0123456789abcdef;
        take_sync(vcpu, ESR_MAKE(ec, true, iss | 1), USR);
        assert_int_equal(vcpu->x[3], 0x89abcdef);
        assert_int_equal(vcpu->x[4], rows[i].two ? 0x01234567 : 0xbbbbbbbb44444444);
        assert_int_equal(world.trap.elr, START + 4);
        /* The register may not be R15. */
        take_sync(vcpu, ESR_MAKE(ec, true, (iss & ~UINT64_C(0x3e0)) | 15 << 5 | 1), USR);
        assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
    }
}

/* The debug registers of AArch32 that EL0 reaches where MDSCR_EL1.TDCC lets it (DDI 0487, G8.3). */
static void test_cp14(void **state)
{
    static const struct {
        const char *name;
        uint64_t iss;
        bool two, writable;
        uint32_t key;
        uint32_t value; /* of a Cortex-A72 without EL3 */
    } rows[] = {
        { "DBGDIDR", 0, false, false, AVC_SYSREG_KEY(2, 0, 0, 0, 0), 0x35168000 },
        { "DBGDSCRint", 1 << 1, false, false, AVC_SYSREG_KEY(2, 3, 0, 1, 0), 0 },
        { "DBGDTRRXint, TXint", 5 << 1, false, true, AVC_SYSREG_KEY(2, 3, 0, 5, 0), 0 },
        { "DBGDRAR", 1 << 10, false, false, AVC_SYSREG_KEY(2, 0, 1, 0, 0), 0 },
        { "DBGDSAR", 2 << 10, false, false, AVC_SYSREG_KEY(2, 0, 2, 0, 0), 0 },
        { "DBGDRAR, 64 bits", 1 << 1, true, false, AVC_SYSREG_KEY(2, 0, 1, 0, 0), 0 },
        { "DBGDSAR, 64 bits", 2 << 1, true, false, AVC_SYSREG_KEY(2, 0, 2, 0, 0), 0 },
    };
    const uint64_t always = ISS_CV | 14 << 20;

    (void)state;
    for (unsigned n = 0; n < 2 * AVC_ARRAY_SIZE(rows); n++) {
        unsigned i = n / 2, ec = rows[i].two ? 0x0c : 0x05;
        uint64_t iss = always | rows[i].iss | 3 << 5 | (rows[i].two ? 4 << 10 : 0);
        bool claimed = n % 2;
        struct avc_vcpu *vcpu;
        uint64_t want = rows[i].value;

        world_make();
        if (claimed) {
            reg_value = 0x0123456789abcdef;
            want = 0x89abcdef;
            world_claim(AVC_SYSREG, rows[i].key, rows[i].key, reg_claim, NULL);
        }
        vcpu = world_load();
        vcpu->x[3] = 0xaaaaaaaa33333333;
        vcpu->x[4] = 0xbbbbbbbb44444444;
        take_sync(vcpu, ESR_MAKE(ec, true, iss | 1), USR);
        if (vcpu->x[3] != want || world.trap.elr != START + 4 ||
            vcpu->x[4] != (!rows[i].two ? 0xbbbbbbbb44444444
                           : claimed    ? 0x01234567
                                        : 0))
            fail_msg("%s: %lx, %lx, PC %lx", rows[i].name, (unsigned long)vcpu->x[3], (unsigned long)vcpu->x[4],
                     (unsigned long)world.trap.elr);
        if (claimed) {
            assert_int_equal(seen.key, rows[i].key);
            assert_false(seen.write);
            continue;
        }
        take_sync(vcpu, ESR_MAKE(ec, true, iss), USR);
        if ((world.trap.elr == START + 4) != rows[i].writable)
            fail_msg("%s: a write goes on at %lx", rows[i].name, (unsigned long)world.trap.elr);
        /* R15, and what is not there */
        take_sync(vcpu, ESR_MAKE(ec, true, (iss & ~UINT64_C(0x3e0)) | 15 << 5 | 1), USR);
        assert_int_equal(world.trap.elr, VBAR + 0x600);
        take_sync(vcpu, ESR_MAKE(ec, true, iss | 7 << 1 | 1), USR);
        assert_int_equal(world.trap.elr, VBAR + 0x600);
        take_sync(vcpu, ESR_MAKE(ec, true, iss | (rows[i].two ? 3 << 16 : 7 << 14) | 1), USR);
        assert_int_equal(world.trap.elr, VBAR + 0x600);
    }
}

/* ---- interrupts ---- */

static bool irqc_takes;
static bool irqc_irq(struct avc_vcpu *vcpu, avc_irq_t irq)
{
    (void)vcpu, (void)irq;
    if (irq != AVC_IRQ_SPURIOUS) { /* between the acknowledge and the vector's look at `requests` */
        assert_int_equal(fake_log[fake_log_len - 1].what, FAKE_OP);
        assert_int_equal(fake_log[fake_log_len - 1].which, FAKE_OP_isb);
    }
    return irqc_takes;
}
static void irqc_none(struct avc_vcpu *vcpu)
{
    (void)vcpu;
}
static bool irqc_level;
static bool irqc_pending(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return irqc_level;
}
static uint64_t irqc_when;
static uint64_t irqc_deadline(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    return irqc_when;
}
static enum avc_status irqc_set(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    (void)vm, (void)vcpu, (void)intid, (void)level;
    return AVC_OK;
}
static const struct avc_irqc_ops irqc = { .load = irqc_none,
                                          .put = irqc_none,
                                          .enter = irqc_none,
                                          .reset = irqc_none,
                                          .irq = irqc_irq,
                                          .pending = irqc_pending,
                                          .deadline = irqc_deadline,
                                          .set_irq = irqc_set };

static struct avc_exit *take_irq(struct avc_vcpu *vcpu, int kind)
{
    return take(vcpu, (struct fake_trap){ .kind = kind, .elr = START, .spsr = EL1H });
}

static void test_irq(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    must(avc_vm_set_irqc(&world.vm, &irqc, NULL));
    vcpu = world_load();

    irqc_takes = false;
    assert_int_equal(take_irq(vcpu, FAKE_IRQ)->kind, AVC_KICKED); /* spurious */
    assert_int_equal(world.fetches, 1);
    world.irq = 27;
    irqc_takes = true;
    assert_int_equal(take_irq(vcpu, FAKE_IRQ)->kind, AVC_KICKED); /* the controller's */
    irqc_takes = false;
    world.irq = 33;
    assert_int_equal(take_irq(vcpu, FAKE_IRQ)->kind, AVC_KICKED); /* the handler's */
    world.irq = 34;
    world.irq_answer = AVC_EXIT;
    e = take_irq(vcpu, FAKE_IRQ);
    assert_int_equal(e->kind, AVC_IRQ);
    assert_int_equal(e->key, 34);
    assert_true(e->handled);
    go_on(vcpu);
    assert_int_equal(world.trap.elr, START);
    assert_int_equal(vcpu->nr_traps[AVC_TRAP_IRQ], 4);
    assert_int_equal(world.fetches, 4);
    assert_int_equal(world.handled, 2); /* once each, never for a spurious one */
    assert_int_equal(world.ends, 0);    /* only an interrupt's owner ends it */

    world.hal.irq_fetch = NULL; /* it stays pending for the host's own vector */
    e = take_irq(vcpu, FAKE_IRQ);
    assert_int_equal(e->kind, AVC_IRQ);
    assert_false(e->handled);
    e = take_irq(vcpu, FAKE_FIQ);
    assert_int_equal(e->kind, AVC_IRQ);
    assert_false(e->handled);
}

static void test_serror(void **state)
{
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make();
    vcpu = world_load();
    e = take(vcpu,
             (struct fake_trap){ .kind = FAKE_SERROR, .esr = ESR_MAKE(0x2f, true, 5), .elr = START, .spsr = EL1H });
    assert_int_equal(e->kind, AVC_SERROR);
    assert_int_equal(e->answer, AVC_FAULT);
    assert_int_equal(e->esr, ESR_MAKE(0x2f, true, 5));
    go_on(vcpu);
    assert_true(vcpu->vserror);
    assert_true(vcpu->hcr & AVC_BIT(8));
    assert_int_equal(world.trap.elr, START);

    /* An SError is pending when the guest is left. A VMM must hear of it before it lets the vCPU wait. */
    world_make_flags(AVC_VM_TRAP_WFE);
    vcpu = world_load();
    fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
    e = take_sync(vcpu, ESR_MAKE(0x01, true, 0), EL1H);
    assert_int_equal(e->kind, AVC_SERROR);
    assert_int_equal(e->pc, START); /* the WFI will be executed anew */
    e->answer = AVC_DONE;
    fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
    e = take_sync(vcpu, ESR_MAKE(0x01, true, 1), EL1H);
    assert_int_equal(e->kind, AVC_WFE);
    assert_true(avc_vcpu_has_work(vcpu)); /* otherwise a VMM would let it wait */
    e = world_run(vcpu);
    assert_int_equal(e->kind, AVC_SERROR);
    assert_false(avc_vcpu_has_work(vcpu));
    e->answer = AVC_DONE;

    /*
     * The guest powers itself off. The SError that it left behind is reported first, because a reset would forget it.
     */
    fake_cpu->reg[FAKE_ISR_EL1] = AVC_BIT(8);
    (void)take_sync(vcpu, ESR_MAKE(0x01, true, 1), EL1H);
    avc_vcpu_power_off(vcpu);
    assert_true(avc_vcpu_power_on(vcpu, START, 0));
    assert_int_equal(world_run(vcpu)->kind, AVC_SERROR);
    (void)world_run(vcpu);
    assert_false(vcpu->vserror);
}

/* ---- WFI, WFE ---- */

static void test_wfx(void **state)
{
    const uint64_t wfi = ESR_MAKE(1, true, 0), wfe = ESR_MAKE(1, true, 1);
    const uint64_t wfit = ESR_MAKE(1, true, 2 | 1 << 2 | 7 << 5), wfet = wfit | 1;
    struct avc_vcpu *vcpu;
    struct avc_exit *e;

    (void)state;
    world_make_flags(AVC_VM_TRAP_WFE);
    must(avc_vm_set_irqc(&world.vm, &irqc, NULL));
    must(avc_vm_set_counter_offset(&world.vm, 1000));
    vcpu = world_load();
    irqc_level = true; /* EL1H has it masked, and it wakes WFI all the same */
    assert_int_equal(take_sync(vcpu, wfi, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    assert_int_equal(take_sync(vcpu, wfe, EL1H)->kind, AVC_WFE);
    assert_int_equal(take_sync(vcpu, wfe, EL1H & ~SPSR_I)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    irqc_level = false;
    irqc_when = 777777;
    fake_cpu->reg[FAKE_CNTPCT_EL0] = 5000;
    e = take_sync(vcpu, wfi, EL1H);
    assert_int_equal(e->kind, AVC_WFI);
    assert_int_equal(e->value, 777777);
    assert_int_equal(e->answer, AVC_DONE);
    assert_int_equal(e->key, 0);
    e = take_sync(vcpu, wfe, EL1H);
    assert_int_equal(e->kind, AVC_WFE);
    assert_int_equal(e->key, 0);

    vcpu->x[7] = 4000; /* CNTVCT_EL0 is 4000 */
    assert_int_equal(take_sync(vcpu, wfit, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    vcpu->x[7] = 4001;
    e = take_sync(vcpu, wfit, EL1H);
    assert_int_equal(e->kind, AVC_WFI);
    assert_int_equal(e->key, 1); /* it has a time-out */
    assert_int_equal(e->value, 5001);
    vcpu->x[7] = ~UINT64_C(0); /* CNTPCT_EL0 never gets there */
    e = take_sync(vcpu, wfet, EL1H);
    assert_int_equal(e->kind, AVC_WFE);
    assert_int_equal(e->value, 777777);

    /* A virtual SError counts until the guest has taken it. The CPU then clears VSE, perhaps without an exit since. */
    vcpu->vserror = true;
    vcpu->hcr |= AVC_BIT(8);
    assert_int_equal(take_sync(vcpu, wfi, EL1H)->kind, AVC_KICKED);
    vcpu->vserror = true;
    vcpu->hcr &= ~AVC_BIT(8);
    assert_int_equal(take_sync(vcpu, wfi, EL1H)->kind, AVC_WFI);

    world_make(); /* without a controller the vCPU has two lines; WFE is not trapped */
    vcpu = world_load();
    assert_int_equal(take_sync(vcpu, wfe, EL1H)->kind, AVC_KICKED);
    assert_int_equal(world.trap.elr, START + 4);
    must(avc_vcpu_set_irq(vcpu, 0, true));
    assert_int_equal(take_sync(vcpu, wfi, EL1H)->kind, AVC_KICKED);
    must(avc_vcpu_set_irq(vcpu, 0, false));
    e = take_sync(vcpu, wfi, EL1H);
    assert_int_equal(e->kind, AVC_WFI);
    assert_int_equal(e->value, ~UINT64_C(0));
}

/* ---- FP ---- */

/* CPTR_EL2 at the times at which V registers are moved. */
static void test_fp(void **state)
{
    (void)state;
    for (unsigned no_fp = 0; no_fp < 2; no_fp++) {
        struct avc_vcpu *vcpu;
        uint64_t host;
        long open;

        world_make();
        world.hal.uses = no_fp ? AVC_HOST_NO_FP : 0;
        fake_cpu->reg[FAKE_CPTR_EL2] = host = 0x37ff; /* a host that never uses FP traps it */
        vcpu = world_load();
        fake_log_clear();
        assert_int_equal(take_sync(vcpu, ESR_MAKE(7, true, 0), EL1H)->kind, AVC_KICKED);
        assert_int_equal(world.trap.elr, START);
        assert_int_equal(vcpu->fp_live, no_fp);
        assert_int_equal(vcpu->cptr >> 10 & 1, !no_fp); /* not in the CPU: it traps again */
        assert_int_equal(fake_cpu->reg[FAKE_CPTR_EL2], host);
        open = fake_log_find(1 + (size_t)fake_log_find(0, FAKE_WRITE, FAKE_CPTR_EL2), FAKE_WRITE, FAKE_CPTR_EL2);
        assert_true(open > 0);
        assert_int_equal(fake_log[open].value & AVC_BIT(10), 0);
        assert_int_equal(fake_log[open + 1].what, FAKE_OP);
        assert_int_equal(fake_log[open + 1].which, FAKE_OP_isb);
        if (no_fp) { /* the CPU cannot trap it again; if it did, that must not loop */
            take_sync(vcpu, ESR_MAKE(7, true, 0), EL1H);
            assert_int_equal(ctx(AVC_CTX_ESR_EL1), ESR_IL);
        }
        must(avc_vcpu_put(vcpu));
        assert_false(vcpu->fp_live);
        assert_int_equal(fake_cpu->reg[FAKE_CPTR_EL2], host);
    }
}

/* The guest must see its own registers and never the host's. The host must get its own back. */
static bool guest_uses_fp(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    (void)vcpu;
    switch (fake_resumes) {
    case 0: /* the first use traps */
        trap->esr = ESR_MAKE(7, true, 0);
        return true;
    case 1:
        assert_int_equal(fake_fp->v[8][0], 0x60e58);
        fake_fp->v[8][0]++;
        fake_fp->fpcr = 0x1234;
        trap->esr = ESR_MAKE(1, true, 0);
        return true;
    default:
        return false;
    }
}

static void test_fp_values(void **state)
{
    struct avc_vcpu *vcpu;
    uint64_t value[2] = { 0x60e58, 0 };

    (void)state;
    world_make();
    vcpu = world_load();
    fake_fp->v[8][0] = 0x4057;
    must(avc_vcpu_set_fp(vcpu, 8, value));
    fake_guest = guest_uses_fp;
    assert_int_equal(world_run(vcpu)->kind, AVC_WFI);
    assert_int_equal(fake_fp->v[8][0], 0x4057);
    assert_int_equal(fake_fp->fpcr, 0);
    must(avc_vcpu_get_fp(vcpu, 8, value));
    assert_int_equal(value[0], 0x60e59);
    must(avc_vcpu_get(vcpu, AVC_REG_FPCR, value));
    assert_int_equal(value[0], 0x1234);
    must(avc_vcpu_set(vcpu, AVC_REG_FPSR, 0x10));
    must(avc_vcpu_get(vcpu, AVC_REG_FPSR, value));
    assert_int_equal(value[0], 0x10);
    assert_int_equal(vcpu->fp->fpsr, 0x10);
}

/* If the host does not use FP, the guest's registers stay in the CPU between runs. Get and set must use them there. */
static void test_fp_by_id(void **state)
{
    struct avc_vcpu *vcpu;
    uint64_t value;

    (void)state;
    world_make();
    world.hal.uses = AVC_HOST_NO_FP;
    vcpu = world_load();
    must(avc_vcpu_set_fp(vcpu, 8, (uint64_t[2]){ 0x60e58, 0 }));
    fake_fp->fpcr = 0x4057;
    fake_guest = guest_uses_fp;
    fake_resumes = 0;
    assert_int_equal(world_run(vcpu)->kind, AVC_WFI);
    assert_true(vcpu->fp_live);
    must(avc_vcpu_get(vcpu, AVC_REG_FPCR, &value));
    assert_int_equal(value, 0x1234);
    assert_int_equal(fake_fp->fpcr, 0x4057);
    must(avc_vcpu_set(vcpu, AVC_REG_FPCR, 0x60e58));
    must(avc_vcpu_get(vcpu, AVC_REG_FPCR, &value));
    assert_int_equal(value, 0x60e58);
}

/* A claim that reads V8 saves the registers. The guest's next use must load them again. */
static enum avc_answer fp_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    uint64_t value[2];

    (void)context;
    assert_true(vcpu->fp_live);
    must(avc_vcpu_get_fp(vcpu, 8, value));
    assert_false(vcpu->fp_live);
    assert_int_equal(fake_fp->v[8][0], 0x4057);
    return avc_done(e, value[0]);
}

static bool guest_calls_with_fp(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    (void)vcpu;
    if (fake_resumes > 1)
        return false; /* the fake has checked CPTR_EL2 */
    trap->esr = fake_resumes == 0 ? ESR_MAKE(7, true, 0) : ESR_MAKE(0x16, true, 0);
    return true;
}

static void test_fp_claim(void **state)
{
    struct avc_vcpu *vcpu;
    uint64_t value[2] = { 0x60e58, 0 };

    (void)state;
    world_make();
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, fp_claim, NULL);
    vcpu = world_load();
    fake_fp->v[8][0] = 0x4057;
    must(avc_vcpu_set_fp(vcpu, 8, value));
    vcpu->x[0] = 0xc6000000;
    fake_resumes = 0;
    fake_guest = guest_calls_with_fp;
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 0x60e58);
}

/* ---- the dump finds the vCPU on the stack ---- */

static void test_dump(void **state)
{
    static uint64_t stack[2048 + 64] __attribute__((aligned(16)));
    static struct avc_vcpu vcpu = { .x = { 1 } };

    (void)state;
    vcpu.self = &vcpu;
    vcpu.self_at = (uintptr_t)&vcpu.self - FRAME_VCPU;
    stack[20] = (uintptr_t)&vcpu; /* a copy of the pair, which does not point to itself */
    stack[21] = (uintptr_t)&stack[38];
    stack[30] = (uintptr_t)&vcpu + 8;
    stack[31] = (uintptr_t)&stack[28]; /* points to itself, but the other word is no vCPU */
    stack[40] = (uintptr_t)&vcpu;
    stack[41] = (uintptr_t)&stack[38];
    assert_ptr_equal(avc_dump_find_vcpu((uintptr_t)&stack[2]), &vcpu);
    assert_null(avc_dump_find_vcpu((uintptr_t)&stack[42]));
    assert_ptr_equal(avc_dump_find_vcpu((uintptr_t)&vcpu), &vcpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sysreg_decode),
        cmocka_unit_test(test_cp15),
        cmocka_unit_test(test_cp14),
        cmocka_unit_test(test_irq),
        cmocka_unit_test(test_serror),
        cmocka_unit_test(test_wfx),
        cmocka_unit_test(test_fp),
        cmocka_unit_test(test_fp_values),
        cmocka_unit_test(test_fp_claim),
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_fp_by_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
