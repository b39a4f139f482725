/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The EL2 half of the latency rows. The host's timer interrupts time and again, while a guest does what takes EL2 long.
 * The host's handler knows when the timer has expired, and keeps the longest time since then. The loop looks for
 * interrupts after each exit, as a VMM does.
 *
 * It runs in the emulator's counting mode, where the timer expires after a number of instructions. The distance from
 * one interrupt to the next changes each time. So the timer expires at every point of what the guest does in turn.
 */
#include "bench_host.h"

#include "rows.h"

#define EL2_TIMER 26
#define SHORTEST  8000 /* instructions from an interrupt to the next one; more than any operation takes */
#define DIFFERENT 4093 /* a prime: so many distances */

static struct test_vm t;
static uint64_t expires, longest;
static unsigned taken;

static void arm(void)
{
    expires = host_ticks() + SHORTEST + taken * 61 % DIFFERENT;
    host_timer_set(expires);
}

static enum avc_answer on_irq(void *ctx, avc_irq_t irq)
{
    uint64_t late = host_ticks() - expires;

    if (irq == EL2_TIMER) {
        longest = late > longest ? late : longest;
        taken++;
        arm();
    }
    host_irq_end(ctx, irq, true);
    return AVC_DONE;
}

static const struct avc_irq_handler handler = { .fn = on_irq };

/* Runs vCPU 1 from CPU_ON to CPU_OFF, in the place of vCPU 0. */
static void run_other(void)
{
    struct avc_vcpu *other = &t.vcpu[1];
    struct avc_exit *e;

    host_must(avc_vcpu_put(&t.vcpu[0]));
    host_must(avc_vcpu_load(other, &test_pcpu[0]));
    do {
        e = avc_vcpu_run(other);
        host_irq_unmask();
        host_irq_mask();
    } while (e->kind != AVC_CPU_OFF);
    host_must(avc_vcpu_put(other));
    host_must(avc_vcpu_load(&t.vcpu[0], &test_pcpu[0]));
}

static void answer(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    switch (e->key) {
    case CALL_PUTC:
        host_putc((char)avc_vcpu_gpr(vcpu, 1));
        avc_done(e, 0);
        break;
    case BENCH_LATENCY_BEGIN:
        longest = taken = 0;
        arm();
        avc_done(e, 0);
        break;
    case BENCH_LATENCY_TAKEN:
        avc_done(e, taken);
        break;
    case BENCH_LATENCY_END:
        host_timer_set(~UINT64_C(0));
        avc_done(e, longest);
        break;
    case BENCH_LATENCY_OTHER:
        avc_done(e, 0);
        run_other();
        break;
    default:
        break;
    }
}

int host_main(void)
{
    struct avc_vcpu *vcpu = &t.vcpu[0];

    test_trusts_guests = true;
    test_cpu_init(0);
    bench_vm_init(&t, 0);
    host_must(avc_pcpu_set_irq_handler(&test_pcpu[0], &handler));
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(vcpu);

        host_irq_unmask(); /* a VMM looks for interrupts here */
        host_irq_mask();
        if (e->kind == AVC_CALL)
            answer(vcpu, e);
        else if (e->kind == AVC_SYSTEM_OFF)
            host_off(0);
        else if (e->kind == AVC_FAIL)
            host_must(e->status);
    }
}
