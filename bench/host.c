/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL2 half of the bench: the VMM's loop, which does with an exit what a VMM has to do and nothing else. One CPU;
 * vCPU 0 measures, vCPU 1 is there to be switched to, the others stay off.
 */
#include "bench_host.h"

#include "rows.h"

/* ---- two vCPUs on one CPU ---- */

static struct test_vm t;
static bool waits[2] = { false, true }; /* in WFI, or off */

static struct avc_vcpu *other(const struct avc_vcpu *v)
{
    return &t.vcpu[!v->index];
}

/* A vCPU stays loaded until another one takes its place. */
static struct avc_vcpu *switch_from(struct avc_vcpu *v)
{
    host_must(avc_vcpu_put(v));
    host_timer_set(waits[v->index] ? avc_vcpu_deadline(v) : ~UINT64_C(0));
    v = other(v);
    waits[v->index] = false;
    host_must(avc_vcpu_load(v, &test_pcpu[0]));
    return v;
}

static bool can_run(struct avc_vcpu *v)
{
    return !waits[v->index] || avc_vcpu_has_work(v) || avc_vcpu_deadline(v) == 0;
}

/*
 * Who runs next, now that this one waits. It is still loaded while the CPU sleeps, and whatever wakes the CPU is taken
 * on the way into its guest, without a look at whose it is: WFI may complete early (Arm ARM D1.6.2), and a guest that
 * has nothing to do comes back.
 */
static struct avc_vcpu *block(struct avc_vcpu *v)
{
    waits[v->index] = true;
    if (!can_run(v)) {
        if (can_run(other(v)))
            return switch_from(v);
        host_wait();
    }
    waits[v->index] = false;
    return v;
}

/* ---- the loop ---- */

/* Who runs next. */
static struct avc_vcpu *hypercall(struct avc_vcpu *v, struct avc_exit *e)
{
    static uint64_t told;
    uint32_t intid = (uint32_t)avc_vcpu_gpr(v, 1);

    avc_done(e, 0);
    switch (e->key) {
    case CALL_PUTC:
        host_putc((char)avc_vcpu_gpr(v, 1));
        break;
    case BENCH_SWITCH:
        host_must(avc_vcpu_put(v));
        host_must(avc_vcpu_load(v, &test_pcpu[0]));
        break;
    case BENCH_PUT_LOAD:
        avc_vcpu_set_return_value(v, host_put_load(v));
        break;
    case BENCH_YIELD:
        return can_run(other(v)) ? switch_from(v) : v;
    case BENCH_TELL:
        told = avc_vcpu_gpr(v, 1);
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
    return v;
}

/* Memory that comes on first touch, or the device that the loop answers for. */
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
    struct avc_vcpu *v = &t.vcpu[0];

    test_cpu_init(0);
    bench_vm_init(&t, 0);
    host_rows(&t);
    host_must(avc_vcpu_load(v, &test_pcpu[0]));
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(v);

        if (e->kind == AVC_CALL && BENCH_IS_ADD(e->key)) { /* the rows */
            avc_done(e, avc_vcpu_gpr(v, 1) + avc_vcpu_gpr(v, 2));
            continue;
        }
        switch (e->kind) {
        case AVC_CALL:
            v = hypercall(v, e);
            break;
        case AVC_MMIO:
        case AVC_STAGE2:
            access(e);
            break;
        case AVC_WFI:
        case AVC_CPU_OFF:
            v = block(v);
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
