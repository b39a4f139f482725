/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Two VMM loops: one answers every kind of exit, one looks at none. The same guest runs in the first, then in the
 * second. In the first it says how each exit is to be answered. In the second each exit gets the architecture's answer.
 *
 * Two vCPUs take turns on one CPU, an exit each. Two kinds of exit cannot be had in the emulator: AVC_WFE, which never
 * traps there, and AVC_SERROR.
 */
#include "testvm.h"

#include "plan.h"

#define VCPUS 2
#define RUNS  100000 /* far more than either guest needs */

static struct test_vm vms[2];
static uint64_t run_flags, tests;

static struct {
    uint64_t answer, value, work;
    uint64_t exits, kicks, irqs;
    struct avc_exit last;
} seen[VCPUS];

/* ---- the guest's side ---- */

static enum avc_answer on_call(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t x1 = avc_vcpu_gpr(vcpu, 1), before = tests;
    const struct avc_exit *last = &seen[vcpu->index].last;
    const uint64_t answers[] = {
        [SEEN_EXITS] = seen[vcpu->index].exits,
        [SEEN_KIND] = last->kind,
        [SEEN_HOW] = last->size | (last->write ? HOW_WRITE : 0) | (last->fetch ? HOW_FETCH : 0),
        [SEEN_VALUE] = last->value,
        [SEEN_KEY] = last->key,
        [SEEN_ANSWER] = last->answer,
        [SEEN_KICKS] = seen[vcpu->index].kicks,
        [SEEN_IRQS] = seen[vcpu->index].irqs,
    };

    switch (e->key) {
    case CALL_PUTC:
        host_putc((char)x1);
        return avc_done(e, 0);
    case CALL_RUN:
        return avc_done(e, run_flags);
    case CALL_TESTS:
        tests = x1;
        return avc_done(e, before);
    case CALL_PLAN:
        seen[vcpu->index].answer = x1;
        seen[vcpu->index].value = avc_vcpu_gpr(vcpu, 2);
        seen[vcpu->index].work = avc_vcpu_gpr(vcpu, 3);
        seen[vcpu->index].exits = seen[vcpu->index].kicks = seen[vcpu->index].irqs = 0;
        return avc_done(e, 0);
    case CALL_SEEN:
        return x1 <= SEEN_IRQS ? avc_done(e, answers[x1]) : AVC_FAULT;
    case CALL_KICK:
        avc_vcpu_kick(vcpu);
        return avc_done(e, 1);
    case CALL_TICK:
        host_timer_set(host_ticks());
        return avc_done(e, 1);
    default:
        return AVC_FAULT;
    }
}

/* Looks at an exit, as every VMM may, and notes it for the guest. */
static void look(struct avc_vcpu *vcpu, const struct avc_exit *e)
{
    if (e->kind == AVC_KICKED) {
        seen[vcpu->index].kicks++;
    } else if (e->kind == AVC_IRQ) {
        seen[vcpu->index].irqs++;
    } else if (e->kind != AVC_CALL || e->key != CALL_YIELD) {
        seen[vcpu->index].exits++;
        seen[vcpu->index].last = *e;
    }
}

/* ---- the VMM that answers ---- */

static uint8_t *new_page(struct test_vm *t, uint64_t at, uint32_t attrs)
{
    avc_pa_t pa;
    uint8_t *page = host_mem.get(host_mem.ctx, 4096, &pa);

    host_must(page ? AVC_OK : AVC_ENOMEM);
    host_must(avc_stage2_map(&t->stage2, at & ~UINT64_C(0xfff), pa, 4096, attrs));
    return page;
}

/* Maps memory where the guest has just missed it. The page has its contents before any vCPU can see it. */
static void provide(struct test_vm *t, uint64_t work, uint64_t at)
{
    static const uint32_t code[] = { 0xd2800000 | CODE_RETURNS << 5, 0xd65f03c0 }; /* mov x0, #CODE_RETURNS; ret */
    static const uint64_t table[] = { GUEST_RAM | 0x701 };                         /* level 2: a block of 2 MiB */
    static uint64_t data[512];
    avc_pa_t pa;
    uint8_t *page;

    if (work == WORK_PERMIT) {
        host_must(avc_stage2_protect(&t->stage2, at & ~UINT64_C(0xfff), 4096, AVC_RWX));
        return;
    }
    page = host_mem.get(host_mem.ctx, 4096, &pa);
    host_must(page ? AVC_OK : AVC_ENOMEM);
    for (unsigned n = 0; n < 512; n++)
        data[n] = DATA_PATTERN + n;
    if (work == WORK_CODE)
        host_copy_code(page, code, sizeof code);
    else if (work == WORK_TABLE)
        host_copy_code(page, table, sizeof table);
    else
        host_copy_code(page, data, sizeof data);
    host_must(avc_stage2_map(&t->stage2, at & ~UINT64_C(0xfff), pa, 4096, AVC_RWX));
}

/* Answers as the guest has asked. If RETRY alone would lead to the same exit again, answers so the second time. */
static void answer_as_planned(struct test_vm *t, struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint64_t answer = seen[vcpu->index].answer, value = seen[vcpu->index].value, work = seen[vcpu->index].work;

    if (work)
        provide(t, work, e->key);
    else if (answer == AVC_RETRY)
        seen[vcpu->index].answer = AVC_DONE;
    if (answer == KEEP)
        return;
    if (answer == AVC_DONE && e->kind == AVC_CALL)
        avc_vcpu_set_return_value(vcpu, value);
    else if (answer == AVC_DONE && !e->write)
        avc_done(e, value);
    if (answer == AVC_DONE && (e->kind == AVC_CLASS || e->kind == AVC_SVC))
        avc_vcpu_set_gpr(vcpu, 0, value);
    e->answer = (enum avc_answer)answer;
}

/* Returns false when the guest has powered off. */
static bool answer(struct test_vm *t, struct avc_vcpu *vcpu, struct avc_exit *e)
{
    static unsigned any;

    switch (e->kind) {
    case AVC_CLASS:
    case AVC_CALL:
    case AVC_SYSREG:
    case AVC_MMIO:
    case AVC_SVC:
    case AVC_STAGE2:
    case AVC_WFI:
        if (e->key == CALL_YIELD)
            avc_done(e, 0);
        else
            answer_as_planned(t, vcpu, e);
        return true;
    case AVC_IRQ:
    case AVC_KICKED:
    case AVC_CPU_OFF:
    case AVC_CPU_SUSPEND: /* nothing is left to answer, so any answer will do */
        e->answer = (enum avc_answer)(any++ % (AVC_PASS + 1));
        return true;
    case AVC_SYSTEM_RESET:
        for (unsigned n = 0; n < VCPUS; n++)
            host_must(avc_vcpu_reset(&t->vcpu[n]));
        host_must(avc_vcpu_start(&t->vcpu[0], GUEST_RAM, 0));
        return true;
    case AVC_SYSTEM_OFF:
        return false;
    default:
        host_printf("Bail out! an exit of kind %s\n", avc_kind_name(e->kind));
        host_off(1);
    }
}

/* ---- both loops ---- */

/* Runs a vCPU once. Nothing happens between run and put, so the answer waits for the next run, on whatever CPU. */
static struct avc_exit *run(struct avc_vcpu *vcpu)
{
    struct avc_exit *e = avc_vcpu_run(vcpu);

    if (e->kind != AVC_FAIL || e->status != AVC_ESTATE) { /* a vCPU that is not loaded must be refused */
        host_puts("Bail out! run of a vCPU that is not loaded\n");
        host_off(1);
    }
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    e = avc_vcpu_run(vcpu);
    host_must(avc_vcpu_put(vcpu));
    look(vcpu, e);
    return e;
}

static void make(struct test_vm *t)
{
    static const struct avc_claim claims[] = {
        { AVC_CALL, CALL_RUN, CALL_TICK, on_call, NULL },
        { AVC_CALL, CALL_VMM, CALL_YIELD, avc_to_vmm, NULL },
        { AVC_SYSREG, AVC_SYSREG_KEY(3, 0, 1, 0, 1), AVC_SYSREG_KEY(3, 0, 1, 0, 1), avc_to_vmm, NULL }, /* ACTLR_EL1 */
        { AVC_CLASS, 0x3c, 0x3c, avc_to_vmm, NULL },                                                    /* BRK */
    };
    static const struct avc_claim svc = { AVC_SVC, 0, 99, avc_to_vmm, NULL };
    const struct test_config config = {
        .vcpus = VCPUS, .claims = claims, .nr_claims = sizeof claims / sizeof claims[0], .putc = on_call
    };
    enum avc_status status;

    test_vm_init(t, &config);
    status = avc_vm_claim(&t->vm, &svc);
    if (status == AVC_OK)
        run_flags |= RUN_SVC;
    else if (status != AVC_ENOTRAP)
        host_must(status);
    for (unsigned n = 0; n < PLACE_PAGES; n++) {
        new_page(t, PLACE_RO + 4096 * n, AVC_R | AVC_X);
        new_page(t, PLACE_NX + 4096 * n, AVC_RW);
    }
}

static void run_answering(struct test_vm *t)
{
    for (unsigned n = 0; n < RUNS; n++) {
        struct avc_vcpu *vcpu = &t->vcpu[n % VCPUS];

        if (!answer(t, vcpu, run(vcpu)))
            return;
    }
    host_puts("Bail out! the guest came to no end\n");
    host_off(1);
}

/* Looks at exits only to see that the guest has powered off. Then runs it for a while more. */
static void run_ignoring(struct test_vm *t)
{
    unsigned off = 0;

    for (unsigned n = 0; n < RUNS && off < 50; n++)
        off = run(&t->vcpu[n % VCPUS])->kind == AVC_CPU_OFF ? off + 1 : 0;
    if (off < 50) {
        host_puts("Bail out! the guest came to no end\n");
        host_off(1);
    }
}

int host_main(void)
{
    test_cpu_init(0);
    make(&vms[0]);
    run_answering(&vms[0]);
    run_flags |= RUN_IGNORES;
    make(&vms[1]);
    run_ignoring(&vms[1]);
    return 0;
}
