/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL2 half of the bench: a VMM's loop that does what a VMM must do for an exit, and nothing else. It uses one CPU.
 * vCPU 0 measures, the loop switches to vCPU 1 and back, and the other vCPUs stay off.
 */
#include "bench_host.h"

#include "rows.h"

/* ---- two vCPUs on one CPU ---- */

static struct test_vm t;
static bool waits[2] = { false, true }; /* in WFI, or off */

static struct avc_vcpu *other(const struct avc_vcpu *vcpu)
{
    return &t.vcpu[!vcpu->index];
}

/* A vCPU stays loaded until the other one is loaded. */
static struct avc_vcpu *switch_from(struct avc_vcpu *vcpu)
{
    host_must(avc_vcpu_put(vcpu));
    host_timer_set(waits[vcpu->index] ? avc_vcpu_deadline(vcpu) : ~UINT64_C(0));
    vcpu = other(vcpu);
    waits[vcpu->index] = false;
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    return vcpu;
}

static bool can_run(struct avc_vcpu *vcpu)
{
    return !waits[vcpu->index] || avc_vcpu_has_work(vcpu) || avc_vcpu_deadline(vcpu) == 0;
}

/*
 * Chooses who runs next, now that this vCPU waits. If neither can run, the CPU sleeps, and this vCPU stays loaded.
 * Whatever wakes the CPU, this vCPU runs again, and the interrupt is taken on the way into its guest. That is allowed:
 * WFI may complete early (Arm ARM D1.6.2), and a guest with nothing to do executes it again.
 */
static struct avc_vcpu *block(struct avc_vcpu *vcpu)
{
    waits[vcpu->index] = true;
    if (!can_run(vcpu)) {
        if (can_run(other(vcpu)))
            return switch_from(vcpu);
        host_wait();
    }
    waits[vcpu->index] = false;
    return vcpu;
}

/* ---- the loop ---- */

/* Takes other vectors than those that this CPU needs: see src/core/object/harden.c. */
static void harden(struct avc_vcpu *vcpu, uint64_t how, uint64_t rounds)
{
    extern const char avc_vectors[], avc_vectors_loop[], avc_vectors_clrbhb[];
    static const char *const tables[] = {
        [BENCH_PLAIN] = avc_vectors,
        [BENCH_LOOP] = avc_vectors_loop,
        [BENCH_CLRBHB] = avc_vectors_clrbhb,
    };

    host_must(avc_vcpu_put(vcpu));
    test_pcpu[0].guest_vbar = (uintptr_t)tables[how];
    test_pcpu[0].harden = (uint16_t)rounds;
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
}

/* Answers a call of the guest, and returns the vCPU that runs next. */
static struct avc_vcpu *hypercall(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    static uint64_t told;
    uint32_t intid = (uint32_t)avc_vcpu_gpr(vcpu, 1);

    avc_done(e, 0);
    switch (e->key) {
    case CALL_PUTC:
        host_putc((char)avc_vcpu_gpr(vcpu, 1));
        break;
    case BENCH_SWITCH:
        host_must(avc_vcpu_put(vcpu));
        host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
        break;
    case BENCH_PUT_LOAD:
        avc_vcpu_set_return_value(vcpu, host_put_load(vcpu));
        break;
    case BENCH_HARDEN:
        harden(vcpu, avc_vcpu_gpr(vcpu, 1), avc_vcpu_gpr(vcpu, 2));
        break;
    case BENCH_YIELD:
        return can_run(other(vcpu)) ? switch_from(vcpu) : vcpu;
    case BENCH_TELL:
        told = avc_vcpu_gpr(vcpu, 1);
        break;
    case BENCH_TOLD:
        avc_done(e, told);
        break;
    case BENCH_PULSE:
        host_must(avc_vm_set_irq(&t.vm, intid, true));
        host_must(avc_vm_set_irq(&t.vm, intid, false));
        break;
    case BENCH_RAISE:
    case BENCH_LOWER:
        host_must(avc_vm_set_irq(&t.vm, intid, e->key == BENCH_RAISE));
        break;
    }
    return vcpu;
}

/* Maps memory on first touch, or answers for the loop's device. */
static void access(struct avc_exit *e)
{
    uint64_t offset = (e->key - BENCH_LAZY) & ~(AVC_PAGE_SIZE - 1);

    if (offset < BENCH_LAZY_SIZE) {
        host_must(avc_stage2_map(&t.stage2, BENCH_LAZY + offset, (uintptr_t)t.ram + offset, AVC_PAGE_SIZE, AVC_RW));
        e->answer = AVC_RETRY;
    } else if (e->kind == AVC_MMIO) {
        avc_done(e, 0x90);
    }
}

int host_main(void)
{
    struct avc_vcpu *vcpu = &t.vcpu[0];

    test_trusts_guests = true;
    test_cpu_init(AVC_HOST_NO_EL1);
    bench_vm_init(&t, 0);
    host_rows(&t);
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(vcpu);

        if (e->kind == AVC_CALL && BENCH_IS_ADD(e->key)) { /* the measured calls come first */
            avc_done(e, avc_vcpu_gpr(vcpu, 1) + avc_vcpu_gpr(vcpu, 2));
            continue;
        }
        switch (e->kind) {
        case AVC_CALL:
            vcpu = hypercall(vcpu, e);
            break;
        case AVC_MMIO:
        case AVC_STAGE2:
            access(e);
            break;
        case AVC_WFI:
        case AVC_CPU_OFF:
            vcpu = block(vcpu);
            break;
        case AVC_SYSTEM_OFF:
            return 0;
        case AVC_FAIL:
            host_must(e->status);
            break;
        default:
            break;
        }
    }
}
