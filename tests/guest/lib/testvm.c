/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See testvm.h. */
#include "testvm.h"

struct avc_machine test_machine;
struct avc_pcpu test_pcpu[8];

extern const char test_guest[], test_guest_end[]; /* image.S */

static struct avc_hal hal;
static unsigned kicks[8];

#define SGI_KICK  1
#define EL2_TIMER 26

static enum avc_answer on_irq(void *ctx, avc_irq_t irq)
{
    if (irq == EL2_TIMER)
        host_timer_set(~UINT64_C(0));
    else if (irq == SGI_KICK)
        kicks[host_cpu()]++;
    host_irq_end(ctx, irq, true);
    return AVC_EXIT;
}

static void log_line(void *ctx, enum avc_log_level level, const char *line)
{
    host_printf("# avc: %s\n", line); /* among TAP */
}

unsigned test_nr_cpus = 1;
bool test_trusts_guests;

static void wake(void *ctx, struct avc_vcpu *vcpu)
{
    unsigned cpu = vcpu->index % test_nr_cpus;

    if (cpu != host_cpu())
        host_sgi(cpu, SGI_KICK);
}

static void idle_irq(void)
{
    avc_pcpu_irq(&test_pcpu[host_cpu()]);
}

void test_cpu_init(uint32_t uses)
{
    struct avc_pcpu *p = &test_pcpu[host_cpu()];

    host_gic_init();
    if (!hal.panic) {
        hal = (struct avc_hal){
            .panic = host_panic,
            .wake = wake,
            .irq_fetch = host_irq_fetch,
            .irq_end = host_irq_end,
            .irq_mask = host_irq_mask_ppi,
            .irq_handler = on_irq,
            .log = log_line,
            .eoi_split = true,
            .uses = uses,
        };
        host_on_irq = idle_irq;
        host_must(avc_machine_init(&test_machine));
    }
    host_must(avc_pcpu_init(p, &test_machine, &hal));
    host_must(avc_pcpu_enable(p));
    if (!test_trusts_guests)
        host_must(avc_pcpu_harden(p));
}

void test_uses(uint32_t uses)
{
    hal.uses = uses;
}

static void *guest_memory(void *ctx, avc_ipa_t ipa, size_t size)
{
    struct test_vm *t = ctx;

    return ipa >= GUEST_RAM && ipa - GUEST_RAM <= TEST_RAM - size ? t->ram + (ipa - GUEST_RAM) : NULL;
}

void test_vm_init(struct test_vm *t, const struct test_config *config)
{
    struct avc_claim calls = { AVC_CALL, CALL_PUTC, CALL_ADD, NULL, NULL };
    unsigned vcpus = config->vcpus ? config->vcpus : 1;
    const struct avc_vm_config vm_config = {
        .stage2 = &t->stage2,
        .vcpus = t->vcpus,
        .max_vcpus = vcpus,
        .claims = t->claims,
        .max_claims = AVC_CLAIM_SLOTS(TEST_MAX_CLAIMS),
        .flags = config->flags,
        .user = t,
    };
    const struct avc_vgic_config gic_config = {
        .dist_base = GUEST_DIST,
        .redist_base = GUEST_RD,
        .nr_spis = 64,
        .max_vcpus = vcpus,
        .spis = t->spis,
        .cpus = t->gic_cpus,
    };

    const struct avc_decoder_config decoder_config = {
        .memory = guest_memory, .ctx = t, .cpus = t->decoder_cpus, .max_vcpus = vcpus, .across_pages = true
    };

    t->ram = host_guest_ram(TEST_RAM);
    host_copy_code(t->ram, test_guest, (size_t)(test_guest_end - test_guest));
    host_must(avc_stage2_init(&t->stage2, &test_machine, &host_mem, 0));
    host_must(avc_stage2_map(&t->stage2, GUEST_RAM, (uintptr_t)t->ram, TEST_RAM, AVC_RWX));
    host_must(avc_vm_init(&t->vm, &test_machine, &vm_config));
    host_must(avc_psci_attach(&t->vm));
    if (!config->no_vgic)
        host_must(avc_vgic_attach(&t->vgic, &t->vm, &gic_config));
    if (config->decoder)
        host_must(avc_decoder_attach(&t->decoder, &t->vm, &decoder_config));
    if (config->putc) {
        calls.last = CALL_PUTC;
        calls.fn = config->putc;
    }
    host_must(avc_vm_claim(&t->vm, &calls));
    for (unsigned n = 0; n < config->nr_claims; n++)
        host_must(avc_vm_claim(&t->vm, &config->claims[n]));
    for (unsigned n = 0; n < vcpus; n++) {
        const struct avc_vcpu_config vcpu_config = { .mpidr = n };

        host_must(avc_vcpu_init(&t->vcpu[n], &t->vm, &vcpu_config));
    }
    host_must(avc_vcpu_start(&t->vcpu[0], GUEST_RAM, 0));
}

bool test_vcpu_step(struct test_vm *t, unsigned n, const struct test_config *config)
{
    struct avc_vcpu *vcpu = &t->vcpu[n];
    struct avc_exit *e;

    if (config->before_run)
        config->before_run(vcpu);
    e = avc_vcpu_run(vcpu);
    if (config->after_run)
        config->after_run(vcpu);
    if (config->on_exit && config->on_exit(vcpu, e))
        return true;
    switch (e->kind) {
    case AVC_CALL:
        if (e->key == CALL_PUTC) {
            host_putc((char)avc_vcpu_gpr(vcpu, 1));
            avc_done(e, 0);
        } else {
            avc_done(e, avc_vcpu_gpr(vcpu, 1) + avc_vcpu_gpr(vcpu, 2));
        }
        return true;
    case AVC_SYSTEM_OFF:
        t->off = true;
        return false;
    case AVC_WFI:
    case AVC_CPU_SUSPEND:
    case AVC_CPU_OFF:
        return false;
    case AVC_FAIL:
        host_must(e->status);
        return false;
    case AVC_IRQ:
        return e->key != EL2_TIMER; /* the end of its slice */
    case AVC_KICKED:
        return true;
    default:
        host_printf("# vCPU %u: %s key %lx esr %lx pc %lx va %lx\n", n, avc_kind_name(e->kind), e->key, e->esr, e->pc,
                    e->va);
        if (e->kind == AVC_STAGE2 && e->fetch) {
            host_puts("Bail out! the guest runs outside of its memory\n");
            host_off(1);
        }
        return true;
    }
}
