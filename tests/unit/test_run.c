/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Kicks and interrupts against all that run does. A life of load, run, WFI, block and put accesses the machine some
 * hundred times. After the n-th access another CPU kicks the vCPU, or raises an interrupt line, for every n. Nothing
 * may be lost: a kick ends in AVC_KICKED, the guest sees an interrupt, and no vCPU stays blocked with either
 * outstanding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "world.h"
#include "core/object/request.h"
#include "core/policy/sysreg.h"

#define ESR_HVC UINT64_C(0x5a000000)
#define ESR_SMC UINT64_C(0x5e000000)
#define ESR_WFI UINT64_C(0x07e00000)

static struct avc_vcpu *target; /* of the kicks and interrupts */
static unsigned seam_calls, inject_at;
static bool injecting, injected;
static void (*inject)(void);

/* The other CPU's wake() interrupts the CPU that runs, and unblocks the vCPU. */
static bool doorbell, blocked;

static void on_wake(void *ctx, struct avc_vcpu *vcpu)
{
    doorbell = true;
    blocked = false;
}

static void seam(void)
{
    if (injecting || injected || ++seam_calls != inject_at)
        return;
    injecting = injected = true;
    fake_use_cpu(1);
    inject();
    fake_use_cpu(0);
    injecting = false;
}

static void on_read(enum fake_reg reg, uint64_t *value)
{
    seam();
}
static void on_write(enum fake_reg reg, uint64_t value)
{
    seam();
}
static void on_op(enum fake_op op, uint64_t value)
{
    seam();
}

static void kick(void)
{
    avc_vcpu_kick(target);
}

static void raise_line(void)
{
    must(avc_vcpu_set_irq(target, 0, true));
}

/*
 * The guest makes a call and executes WFI, again and again. Its interrupt handler sets "seen". A pending SGI comes
 * first.
 */
static unsigned phase, entries_since;
static bool seen;

static bool life(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    if (injected)
        entries_since++;
    if (fake_cpu->reg[FAKE_HCR_EL2] & AVC_BIT(7))
        seen = true;
    if (seen) /* its handler would clear the device; here the life ends */
        return false;
    if (doorbell) {
        doorbell = false;
        world.irq = 1;
        trap->kind = FAKE_IRQ;
        return true;
    }
    *trap = (struct fake_trap){ .esr = phase++ % 2 ? ESR_WFI : ESR_HVC, .elr = START, .spsr = EL1H };
    return true;
}

/* A VMM's thread for one vCPU, with up to `turns` loads. Returns whether a kick was delivered. */
static bool vmm(unsigned turns)
{
    bool kicked = false;

    blocked = false;
    while (turns-- && !blocked) {
        must(avc_vcpu_load(target, &world.pcpu));
        for (unsigned runs = 0; runs < 3 && !blocked; runs++) {
            struct avc_exit *e = world_run(target);

            kicked |= e->kind == AVC_KICKED;
            if (e->kind == AVC_WFI) {
                blocked = true; /* it must say so before it looks again */
                seam();
                if (avc_vcpu_has_work(target))
                    blocked = false;
                seam();
            }
        }
        must(avc_vcpu_put(target));
    }
    return kicked;
}

static void start_life(void (*what)(void), unsigned at)
{
    world_make();
    world.hal.wake = on_wake;
    target = &world.vcpu[0];
    for (unsigned n = 0; n < 2; n++)
        must(avc_vcpu_init(&world.vcpu[n], &world.vm, &(struct avc_vcpu_config){ .mpidr = n }));
    must(avc_vcpu_start(target, START, 0));
    fake_guest = life;
    phase = 0;
    seam_calls = 0;
    inject_at = at;
    inject = what;
    injected = false;
    doorbell = false;
    seen = false;
    entries_since = 0;
    fake_on_read = on_read;
    fake_on_write = on_write;
    fake_on_op = on_op;
}

static void no_kick_is_lost(void **state)
{
    unsigned n;

    for (n = 1;; n++) {
        bool kicked;

        start_life(kick, n);
        kicked = vmm(4);
        if (!injected)
            break;
        if (!kicked && !blocked) /* the kick came after the last run, so the next one delivers it */
            kicked = vmm(1);
        if (!kicked || (blocked && avc_vcpu_has_work(target)))
            fail_msg("kick after access %u of the life: delivered %d, blocked %d", n, kicked, blocked);
    }
    assert_true(n > 60); /* otherwise this was no life */
}

static void no_interrupt_is_lost(void **state)
{
    unsigned n;

    for (n = 1;; n++) {
        start_life(raise_line, n);
        vmm(4);
        if (!injected)
            break;
        if (!seen && !blocked)
            vmm(1);
        if (!seen)
            fail_msg("interrupt after access %u of the life: not seen, blocked %d", n, blocked);
    }
    assert_true(n > 60);
}

/* A kick before run is delivered by that run at once, and only once. */
static void a_kick_waits(void **state)
{
    struct avc_vcpu *vcpu;

    world_make();
    vcpu = world_load();
    avc_vcpu_kick(vcpu);
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
    fake_enters = 0;
    world.taken = true;
    (void)take_sync(vcpu, ESR_HVC, EL1H);
    assert_int_equal(fake_enters, 1);
}

static void run_needs_a_load(void **state)
{
    struct avc_vcpu *vcpu = &world.vcpu[0];

    world_make();
    vcpu = world_load();
    must(avc_vcpu_put(vcpu));
    assert_int_equal(world_run(vcpu)->kind, AVC_FAIL);
    assert_int_equal(world_run(vcpu)->status, AVC_ESTATE);
    must(avc_vcpu_load(vcpu, &world.pcpu));
    fake_use_cpu(1);
    assert_int_equal(world_run(vcpu)->kind, AVC_FAIL);
    assert_int_equal(world_run(vcpu)->status, AVC_EBUSY);
    assert_int_equal(avc_vcpu_put(vcpu), AVC_EBUSY);
    fake_use_cpu(0);
}

/* The VMM answers a call. An SMC leaves the PC at the instruction, an HVC behind it. */
static void calls_of_the_vmm(void **state)
{
    const uint64_t esrs[] = { ESR_HVC, ESR_SMC };

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct avc_vcpu *vcpu;
        struct avc_exit *e;

        world_make();
        world_claim(AVC_CALL, 0x86000000, 0x86000000, avc_to_vmm, NULL);
        vcpu = world_load();
        vcpu->x[0] = 0x86000000;
        e = take_sync(vcpu, esrs[n], EL1H);
        assert_int_equal(e->kind, AVC_CALL);
        e->value = 7;
        e->answer = AVC_DONE;
        go_on(vcpu);
        assert_int_equal(vcpu->x[0], 7);
        assert_int_equal(vcpu->pc, START + 4 * n);
    }
}

/* TWI and TWE of HCR_EL2 in the guest's next run. */
static uint64_t hcr;

static bool note_hcr(struct avc_vcpu *vcpu, struct fake_trap *trap)
{
    hcr = fake_cpu->reg[FAKE_HCR_EL2] & (HCR_TWI | HCR_TWE);
    return false;
}

static uint64_t waits_that_trap(struct avc_vcpu *vcpu)
{
    hcr = ~UINT64_C(0);
    world_run(vcpu);
    return hcr;
}

static void waits_trap_as_asked(void **state)
{
    static const struct {
        const char *name;
        uint32_t flags;
        uint64_t by_default, trapped;
    } vms[] = {
        { "no flag", 0, HCR_TWI, HCR_TWI },
        { "NO_WFI", AVC_VM_NO_WFI, 0, HCR_TWI },
        { "TRAP_WFE", AVC_VM_TRAP_WFE, HCR_TWI | HCR_TWE, HCR_TWI | HCR_TWE },
        { "both", AVC_VM_NO_WFI | AVC_VM_TRAP_WFE, HCR_TWE, HCR_TWI | HCR_TWE },
    };

    for (unsigned n = 0; n < AVC_ARRAY_SIZE(vms); n++) {
        struct avc_vcpu *vcpu = &world.vcpu[0];
        bool got[7];

        world_make_flags(vms[n].flags);
        vcpu = world_load();
        fake_guest = note_hcr;
        got[0] = waits_that_trap(vcpu) == vms[n].by_default;
        avc_vcpu_trap_wfx(vcpu, false); /* loaded: it takes effect at the next run */
        got[1] = waits_that_trap(vcpu) == 0;
        avc_vcpu_trap_wfx(vcpu, true);
        avc_vcpu_trap_wfx(vcpu, true); /* twice is once */
        got[2] = waits_that_trap(vcpu) == vms[n].trapped;
        avc_vcpu_trap_wfx(vcpu, false);
        must(avc_vcpu_put(vcpu));
        must(avc_vcpu_load(vcpu, &world.pcpu)); /* it stays over put and load */
        got[3] = waits_that_trap(vcpu) == 0;
        avc_vcpu_request(vcpu, AVC_REQUEST_TRAPS); /* writes the trap registers anew */
        got[4] = waits_that_trap(vcpu) == 0;
        must(avc_vcpu_put(vcpu));
        avc_vcpu_trap_wfx(vcpu, true); /* not loaded: it takes effect with the next load */
        must(avc_vcpu_load(vcpu, &world.pcpu));
        got[5] = waits_that_trap(vcpu) == vms[n].trapped;
        must(avc_vcpu_put(vcpu));
        avc_vcpu_trap_wfx(vcpu, false);
        must(avc_vcpu_start(vcpu, START, 0)); /* a reset does not change it */
        must(avc_vcpu_load(vcpu, &world.pcpu));
        got[6] = waits_that_trap(vcpu) == 0;
        for (unsigned i = 0; i < 7; i++)
            if (!got[i])
                fail_msg("%s: step %u", vms[n].name, i);
    }
}

/* CPU_ON for a vCPU that is off: one caller wins. The vCPU starts with reset values at that caller's entry point. */
static void power(void **state)
{
    struct avc_vcpu *vcpu, *second = &world.vcpu[1];

    world_make();
    vcpu = world_load();
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_load(second, &world.pcpu));
    assert_int_equal(world_run(second)->kind, AVC_CPU_OFF);
    assert_int_equal(world_run(second)->kind, AVC_CPU_OFF);
    assert_false(avc_vcpu_has_work(second));
    second->x[7] = 7;
    avc_ctx_set(second, AVC_CTX_TPIDR_EL1, 1234);
    assert_true(avc_vcpu_power_on(second, START + 64, 99));
    assert_false(avc_vcpu_power_on(second, START, 1));
    assert_true(avc_vcpu_has_work(second));
    fake_guest = NULL;
    assert_int_equal(world_run(second)->kind, AVC_KICKED);
    assert_int_equal(second->pc, START + 64);
    assert_int_equal(second->x[0], 99);
    assert_int_equal(second->x[7], 0);
    assert_int_equal(second->pstate, EL1H);
    assert_false(avc_vcpu_power_on(second, START, 1));
}

/* A sibling switches the vCPU on, again and again, while its owner resets, starts and destroys it. Each of the owner's
   calls has its own result in the end. */
static bool stop;

static void *sibling(void *context)
{
    struct avc_vcpu *vcpu = context;

    while (!avc_load_acquire(&stop))
        (void)avc_vcpu_power_on(vcpu, START + 64, 99);
    return NULL;
}

static void owners_calls_against_cpu_on(void **state)
{
    struct avc_vcpu *vcpu;
    pthread_t thread;

    world_make();
    vcpu = world_load();
    must(avc_vcpu_put(vcpu));
    stop = false;
    assert_int_equal(pthread_create(&thread, NULL, sibling, vcpu), 0);
    for (unsigned n = 0; n < 200000; n++) {
        uint32_t power;

        must(avc_vcpu_start(vcpu, START, 7));
        power = avc_load_seq(&vcpu->power);
        if (power != AVC_POWER_PENDING || vcpu->start_pc != START || vcpu->start_x0 != 7)
            fail_msg("round %u: started, and power is %u, PC %lx", n, power, (unsigned long)vcpu->start_pc);
        must(avc_vcpu_reset(vcpu));
        power = avc_load_seq(&vcpu->power);
        assert_true(power == AVC_POWER_OFF || power == AVC_POWER_CLAIMED || power == AVC_POWER_PENDING);
        if (n % 16)
            continue;
        must(avc_vcpu_destroy(vcpu));
        for (unsigned i = 0; i < 100; i++)
            if (avc_load_seq(&vcpu->power) != AVC_POWER_GONE)
                fail_msg("round %u: destroyed, and power is %u", n, avc_load_seq(&vcpu->power));
        vcpu->magic = AVC_MAGIC_VCPU; /* and made again */
        vcpu->affinity = 0;
    }
    avc_store_release(&stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* CPU_ON stores PENDING before it sets the request. A request of before, CPU_OFF's own, may have been served in
   between; then the vCPU is on when the new one comes. */
static void power_request_comes_late(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    world_make();
    vcpu = world_load();
    vcpu->x[5] = 0x5555;
    avc_vcpu_request(vcpu, AVC_REQUEST_POWER);
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED); /* the script is over */
    assert_int_equal(vcpu->requests & AVC_REQUEST_POWER, 0);
    assert_int_equal(vcpu->x[5], 0x5555); /* no second reset */
}

/*
 * A request that the library does not know, or that comes again as soon as it is served. Run must return, and not stay
 * in a loop with interrupts masked.
 */
static void enter_again(struct avc_vcpu *vcpu)
{
    avc_vcpu_request(vcpu, AVC_REQUEST_IRQC);
}
static void nothing(struct avc_vcpu *vcpu)
{
}
static bool never(struct avc_vcpu *vcpu)
{
    return false;
}

static uint64_t no_deadline(struct avc_vcpu *vcpu)
{
    return ~UINT64_C(0);
}
static enum avc_status no_line(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level)
{
    return AVC_ERANGE;
}

static void run_does_not_spin(void **state)
{
    static const struct avc_irqc_ops ops = {
        .load = nothing,
        .put = nothing,
        .enter = enter_again,
        .reset = nothing,
        .pending = never,
        .deadline = no_deadline,
        .set_irq = no_line,
    };
    struct avc_irqc_ops half = ops;
    struct avc_vcpu *vcpu;

    world_make();
    vcpu = world_load();
    avc_vcpu_request(vcpu, ~UINT64_C(0) << 4);
    fake_enters = 0;
    world.taken = true;
    (void)take_sync(vcpu, ESR_HVC, EL1H);
    assert_int_equal(fake_enters, 1);

    world_make();
    half.set_irq = NULL;
    assert_int_equal(avc_vm_set_irqc(&world.vm, &half, NULL), AVC_EINVAL);
    must(avc_vm_set_irqc(&world.vm, &ops, NULL));
    vcpu = world_load();
    avc_vcpu_request(vcpu, AVC_REQUEST_IRQC);
    fake_enters = 0;
    assert_int_equal(world_run(vcpu)->kind, AVC_KICKED);
    assert_int_equal(fake_enters, 0);

    /* The host's vector also works with a controller that has no irq(). */
    world.irq = 33;
    assert_int_equal(avc_pcpu_irq(&world.pcpu), AVC_DONE);
    assert_int_equal(world.handled, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_calls_against_cpu_on),
        cmocka_unit_test(power_request_comes_late),
        cmocka_unit_test(no_kick_is_lost),
        cmocka_unit_test(no_interrupt_is_lost),
        cmocka_unit_test(a_kick_waits),
        cmocka_unit_test(run_needs_a_load),
        cmocka_unit_test(power),
        cmocka_unit_test(waits_trap_as_asked),
        cmocka_unit_test(calls_of_the_vmm),
        cmocka_unit_test(run_does_not_spin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
