/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Runs two VMs, one after the other. In the first all fast calls are claimed for firmware, with an audit. In the second
 * none is. The guest checks the answers. Under TF-A firmware is at EL3. Otherwise the emulator answers SMCs.
 */
#include "firmware/calls.h"
#include "testvm.h"

static struct audited seen;
static uint64_t exits, last_exit, about, tests;

static bool on_call(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    for (unsigned n = 0; n < NR_REGS; n++)
        seen.call[n] = x[n];
    seen.ec = e->esr >> 26 & 0x3f;
    seen.pc = e->pc;
    if (x[2] == REFUSE) {
        seen.refused++;
        return false;
    }
    seen.calls++;
    return true;
}

static void on_answer(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    for (unsigned n = 0; n < NR_REGS; n++)
        seen.answer[n] = x[n];
    seen.answers++;
}

static const struct avc_firmware_audit audit = { .call = on_call, .answer = on_answer };

static const struct avc_claim ask = { AVC_CALL, CALL_FIRST, CALL_LAST, avc_to_vmm, NULL };
static const struct avc_claim ask_and_forward[] = {
    { AVC_CALL, CALL_FIRST, CALL_LAST, avc_to_vmm, NULL },
    { AVC_CALL, 0x80000000, UINT32_MAX, avc_to_firmware, (void *)(uintptr_t)&audit },
};

/* The guest's buffer at the host's address. */
static void *buffer(struct avc_vcpu *vcpu, size_t size)
{
    struct test_vm *t = avc_vm_user(avc_vcpu_vm(vcpu));
    uint64_t ipa = avc_vcpu_gpr(vcpu, 1);

    if (ipa < GUEST_RAM || ipa + size > GUEST_RAM + TEST_RAM)
        host_panic(NULL, "the guest's buffer is not in its memory");
    return t->ram + (ipa - GUEST_RAM);
}

static void serve(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    uint64_t value = 0;

    switch (e->key) {
    case CALL_ABOUT:
        value = about;
        break;
    case CALL_DIRECT:
        avc_smc(buffer(vcpu, sizeof(uint64_t[NR_REGS])));
        break;
    case CALL_AUDIT:
        *(struct audited *)buffer(vcpu, sizeof seen) = seen;
        seen = (struct audited){ 0 };
        break;
    case CALL_EXITS:
        value = exits;
        avc_vcpu_set_gpr(vcpu, 1, last_exit);
        exits = last_exit = 0;
        break;
    case CALL_TESTS:
        value = tests;
        tests = avc_vcpu_gpr(vcpu, 1);
        break;
    default:
        break;
    }
    avc_done(e, value);
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    struct test_vm *t = avc_vm_user(avc_vcpu_vm(vcpu));

    if (e->kind == AVC_CALL && e->key >= CALL_FIRST && e->key <= CALL_LAST) {
        serve(vcpu, e);
        return true;
    }
    if (e->kind == AVC_CPU_SUSPEND) { /* the VMM wakes it at once */
        exits++;
        last_exit = EXIT_SUSPEND;
        return true;
    }
    if (e->kind == AVC_SYSTEM_RESET) {
        exits++;
        last_exit = EXIT_RESET;
        host_must(avc_vcpu_put(vcpu));
        /* Cleans the caches, because the guest goes on with what it has written, with its caches off. */
        host_copy_code(t->ram, t->ram, 1 << 20);
        host_must(avc_vcpu_start(vcpu, GUEST_RAM, 0));
        host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
        return true;
    }
    return false;
}

const struct test_config test_config = {
    .claims = ask_and_forward,
    .nr_claims = 2,
    .on_exit = on_exit,
};
static const struct test_config own_firmware = {
    .claims = &ask,
    .nr_claims = 1,
    .on_exit = on_exit,
};

static void run(struct test_vm *t, const struct test_config *config)
{
    test_vm_init(t, config);
    host_must(avc_vcpu_load(&t->vcpu[0], &test_pcpu[0]));
    while (!t->off)
        test_vcpu_step(t, 0, config);
    host_must(avc_vcpu_put(&t->vcpu[0]));
}

int host_main(void)
{
    static struct test_vm first, second;
    uint64_t pfr0, isar0;

    __asm__("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
    __asm__("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
    about = ((pfr0 >> 12 & 0xf) ? ABOUT_TFA : 0) | ((isar0 >> 60) ? ABOUT_RNG : 0);
    test_cpu_init(about & ABOUT_TFA ? 0 : AVC_HOST_SMC);
    about |= ABOUT_FORWARDS;
    run(&first, &test_config);
    about &= ~(uint64_t)ABOUT_FORWARDS;
    run(&second, &own_firmware);
    return 0;
}
