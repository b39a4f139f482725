/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The step of a vCPU in the reference hypervisor: what it does with each exit, and how long the vCPU sleeps afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/cpu.h" /* the fake one */

#include "guest/loop.c"

#define RAM      UINT64_C(0x40000000)
#define RAM_SIZE UINT64_C(0x10000000)

/* ---- the functions and objects that the step uses ---- */

struct vmm_guest vmm_guest;
struct vmm_options vmm_options;

static struct vmm_vcpu *const vv = &vmm_guest.vcpu[0];
static struct vmm_cpu cpu0;
static _Atomic unsigned due;
static bool loaded, alone, work, traps, woken;
static enum vmm_wait waited; /* what vmm_sched_wait() returns */
static uint64_t now, timers;
static unsigned loads, windows, touched, refused, waits, asked;
static jmp_buf ended;

/* The exits that run returns one after another, and how the step has answered them. */
static struct script {
    struct avc_exit exit;
    void (*then)(void); /* run calls it before it returns this exit */
} script[8];
static unsigned nr_script, at;

static struct avc_exit *returned(unsigned n)
{
    return &script[n].exit;
}

static struct script *add(enum avc_kind kind)
{
    struct script *s = &script[nr_script++];

    *s = (struct script){ .exit = { .kind = kind,
                                    .answer = kind == AVC_STAGE2 || kind == AVC_MMIO ? AVC_FAULT : AVC_DONE } };
    return s;
}

enum avc_status avc_vcpu_load(struct avc_vcpu *vcpu, struct avc_pcpu *pcpu)
{
    assert_ptr_equal(vcpu, &vv->vcpu);
    assert_false(loaded);
    (void)pcpu;
    loaded = true;
    loads++;
    return AVC_OK;
}

enum avc_status avc_vcpu_put(struct avc_vcpu *vcpu)
{
    assert_ptr_equal(vcpu, &vv->vcpu);
    assert_true(loaded);
    loaded = false;
    return AVC_OK;
}

struct avc_exit *avc_vcpu_run(struct avc_vcpu *vcpu)
{
    assert_ptr_equal(vcpu, &vv->vcpu);
    assert_true(loaded);
    if (at == nr_script)
        fail_msg("it runs the vCPU once more");
    if (script[at].then)
        script[at].then();
    return returned(at++);
}

void avc_vcpu_trap_wfx(struct avc_vcpu *vcpu, bool trap)
{
    (void)vcpu;
    traps = trap;
}

/* A vCPU that is put is asked in any case, one that is loaded only if its task was woken. */
bool avc_vcpu_has_work(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    assert_true(!loaded || asked);
    return work;
}

uint64_t avc_vcpu_deadline(struct avc_vcpu *vcpu)
{
    (void)vcpu;
    assert_false(loaded);
    return timers;
}

const char *avc_status_text(enum avc_status status)
{
    (void)status;
    return "status";
}

uint64_t vmm_time_now(void)
{
    return now;
}

const _Atomic unsigned *vmm_sched_due(unsigned self)
{
    assert_int_equal(self, 0);
    return &due;
}

bool vmm_sched_alone(unsigned self)
{
    assert_int_equal(self, 0);
    return alone;
}

bool vmm_sched_woken(struct vmm_task *task)
{
    bool was = woken;

    assert_ptr_equal(task, &vv->task);
    assert_true(loaded);
    asked++;
    woken = false;
    return was;
}

enum vmm_wait vmm_sched_wait(unsigned self, struct vmm_task *task)
{
    assert_int_equal(self, 0);
    assert_ptr_equal(task, &vv->task);
    assert_true(loaded);
    assert_ptr_equal(cpu0.loaded, vv); /* vmm_sched_leave() finds it */
    waits++;
    if (waited == VMM_WAIT_IN_GUEST)
        due &= ~VMM_DUE_ASK;
    return alone ? waited : VMM_WAIT_BLOCK;
}

bool vmm_sched_stop(void)
{
    return true;
}

void vmm_irq_window(void)
{
    windows++;
}

void vmm_strace_show(struct avc_vcpu *vcpu)
{
    (void)vcpu;
}

void vmm_stat_loaded(unsigned vcpu)
{
    (void)vcpu;
}

void vmm_stat_put(unsigned vcpu)
{
    (void)vcpu;
}

void vmm_stat_print(void)
{
}

bool vmm_ram_touch(struct vmm_ram *ram, avc_ipa_t ipa, void (*look)(void))
{
    assert_ptr_equal(ram, &vmm_guest.ram);
    if (ipa < RAM || ipa - RAM >= RAM_SIZE)
        return false;
    touched++;
    return true;
}

/* A device that has everything in a page answers. */
#define DEVICE UINT64_C(0x9000000)

bool vmm_guest_device_exit(struct avc_exit *e)
{
    if (e->key / VMM_PAGE_SIZE != DEVICE / VMM_PAGE_SIZE)
        return false;
    e->answer = AVC_DONE;
    return true;
}

static uint64_t stolen;

void vmm_pvtime_add(struct vmm_pvtime *pv, unsigned vcpu, uint64_t ticks)
{
    assert_ptr_equal(pv, &vmm_guest.pvtime);
    assert_int_equal(vcpu, vv->vcpu.index);
    assert_false(loaded); /* the guest finds it when it runs */
    stolen += ticks;
}

bool vmm_guest_reset(void)
{
    return true;
}

void vmm_log(enum vmm_log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

_Noreturn void vmm_exit(int status, const char *fmt, ...)
{
    (void)fmt;
    longjmp(ended, 1 + status);
}

_Noreturn void vmm_panic(const char *fmt, ...)
{
    (void)fmt;
    fail_msg("panic");
    abort();
}

void vmm_nothing_there(struct vmm_vcpu *which, struct avc_exit *e)
{
    assert_ptr_equal(which, vv);
    assert_ptr_equal(e, returned(at - 1));
    assert_true(loaded);
    refused++;
}

static int begin(void **state)
{
    (void)state;
    memset(script, 0, sizeof(script));
    nr_script = at = loads = windows = touched = refused = waits = asked = 0;
    loaded = work = woken = false;
    due = 0;
    alone = true;
    waited = VMM_WAIT_IN_GUEST;
    now = 1000;
    timers = VMM_NEVER;
    vv->until = 0;
    vv->ready = VMM_NEVER;
    stolen = 0;
    return 0;
}

/*
 * Runs a step to its end. Returns VMM_STEP_..., or 100 + the status if it has ended the machine. Checks that it took
 * all exits.
 */
static int step(uint64_t *deadline)
{
    int status = setjmp(ended), how;

    if (status)
        return 99 + status;
    *deadline = 0;
    how = (int)vmm_vcpu_step(&cpu0, vv, deadline);
    assert_false(loaded);
    assert_null(cpu0.loaded);
    assert_int_equal(at, nr_script);
    return how;
}

/* ---- waiting ---- */

/* A vCPU that suspends itself waits until its timers' deadline or `value`, whichever comes first. */
static void test_suspend_deadline(void **state)
{
    static const struct {
        const char *name;
        uint64_t timers, value;
        bool work;
        int how;
        uint64_t deadline;
    } cases[] = {
        { "without a timer", VMM_NEVER, VMM_NEVER, false, VMM_STEP_BLOCK, VMM_NEVER },
        { "with a timer", 5000, 5000, false, VMM_STEP_BLOCK, 5000 },
        { "a value without a timer", VMM_NEVER, 3000, false, VMM_STEP_BLOCK, 3000 },
        { "a value before the timer", 5000, 3000, false, VMM_STEP_BLOCK, 3000 },
        { "a timer before the value", 2000, 3000, false, VMM_STEP_BLOCK, 2000 },
        { "a value in the past", VMM_NEVER, 900, false, VMM_STEP_YIELD, 0 },
        { "a value just now", VMM_NEVER, 1000, false, VMM_STEP_YIELD, 0 },
        { "a timer in the past", 10, VMM_NEVER, false, VMM_STEP_YIELD, 0 },
        { "an interrupt", VMM_NEVER, VMM_NEVER, true, VMM_STEP_YIELD, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t deadline;
        int how;

        begin(NULL);
        alone = false;
        due = VMM_DUE_SHARE;
        timers = cases[i].timers;
        work = cases[i].work;
        add(AVC_CPU_SUSPEND)->exit.value = cases[i].value;
        how = step(&deadline);
        if (how != cases[i].how || (how == VMM_STEP_BLOCK && deadline != cases[i].deadline))
            fail_msg("%s: %d, deadline %llu", cases[i].name, how, (unsigned long long)deadline);
    }
}

/* What becomes of a WFI. The exit after those that go on is a CPU_OFF, which ends the step. */
static void test_wfi(void **state)
{
    static const struct {
        const char *name;
        bool timeout, woken, work, alone;
        enum vmm_wait waited;
        unsigned waits; /* how often it has asked the scheduler to wait */
        bool goes_on;
        enum avc_answer answer;
    } cases[] = {
        { "others wait", false, false, false, false, VMM_WAIT_OVER, 1, false, AVC_DONE },
        { "others wait, woken for what is done", false, true, false, false, VMM_WAIT_OVER, 1, false, AVC_DONE },
        { "others wait, woken", false, true, true, false, VMM_WAIT_OVER, 0, true, AVC_DONE },
        { "waits loaded, and is woken", false, false, false, true, VMM_WAIT_OVER, 1, true, AVC_DONE },
        { "waits loaded, until others want the CPU", false, false, false, true, VMM_WAIT_BLOCK, 1, false, AVC_DONE },
        { "waits in the guest", false, false, false, true, VMM_WAIT_IN_GUEST, 1, true, AVC_RETRY },
        { "not woken, so that it need not look for work", false, false, true, false, VMM_WAIT_OVER, 1, false,
          AVC_DONE },
        { "WFIT: the time-out is the scheduler's", true, false, false, true, VMM_WAIT_OVER, 0, false, AVC_DONE },
        { "WFIT, woken", true, true, true, true, VMM_WAIT_OVER, 0, true, AVC_DONE },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t deadline;
        int how;

        begin(NULL);
        alone = cases[i].alone;
        due = alone ? VMM_DUE_ASK : VMM_DUE_SHARE | VMM_DUE_ASK;
        woken = cases[i].woken;
        work = cases[i].work;
        waited = cases[i].waited;
        add(AVC_WFI)->exit.value = 3000;
        script[0].exit.key = cases[i].timeout;
        if (cases[i].goes_on)
            add(AVC_SYSTEM_RESET);
        how = step(&deadline);
        if (how != VMM_STEP_BLOCK || deadline != (cases[i].goes_on ? VMM_NEVER : 3000) || waits != cases[i].waits ||
            returned(0)->answer != cases[i].answer || woken)
            fail_msg("%s: %d, deadline %llu, %u waits, answer %d", cases[i].name, how, (unsigned long long)deadline,
                     waits, returned(0)->answer);
        if (traps != (!cases[i].goes_on || waited != VMM_WAIT_IN_GUEST))
            fail_msg("%s: WFI %s", cases[i].name, traps ? "traps" : "does not trap");
    }
}

/* While the vCPU waits, another one enables its timer's interrupt. Nobody is told of that as long as the vCPU is
   loaded, because its timer would interrupt the CPU. Then it is put. */
static void test_wfi_timer_enabled(void **state)
{
    uint64_t deadline;

    (void)state;
    waited = VMM_WAIT_BLOCK;
    timers = 5000;
    add(AVC_WFI)->exit.value = VMM_NEVER;
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_int_equal(deadline, 5000);
}

/* The time-out of a WFIT that has ended must not end the next wait. */
static void test_until_is_forgotten(void **state)
{
    uint64_t deadline;

    (void)state;
    add(AVC_WFI)->exit.value = 3000;
    add(AVC_CPU_OFF);
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_true(deadline == VMM_NEVER);

    begin(NULL);
    add(AVC_WFI)->exit.value = 3000;
    add(AVC_CPU_SUSPEND)->exit.value = 4000;
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_int_equal(deadline, 4000);
}

static void share(void)
{
    due = VMM_DUE_SHARE;
    alone = false;
}

static void yield(void)
{
    due |= VMM_DUE_YIELD;
}

/* A vCPU that is alone on its CPU waits there: the instruction is executed again, and does not trap. */
static void test_wfi_alone(void **state)
{
    uint64_t deadline;

    (void)state;
    add(AVC_WFI)->exit.value = VMM_NEVER;
    add(AVC_IRQ)->then = share;
    script[1].exit.handled = true;
    add(AVC_WFI)->exit.value = 8000;
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_int_equal(deadline, 8000);
    assert_int_equal(returned(0)->answer, AVC_RETRY);
    assert_int_equal(returned(2)->answer, AVC_DONE);
    assert_true(traps);
    assert_int_equal(loads, 1);
    assert_int_equal(windows, 0);
}

static void test_wfe(void **state)
{
    uint64_t deadline;

    (void)state;
    add(AVC_WFE);
    add(AVC_WFE)->then = share;
    assert_int_equal(step(&deadline), VMM_STEP_YIELD);
    assert_int_equal(returned(0)->answer, AVC_RETRY);
    assert_int_equal(returned(1)->answer, AVC_DONE);
}

/* ---- other exits ---- */

static void test_yield(void **state)
{
    uint64_t deadline;

    (void)state;
    add(AVC_IRQ);
    add(AVC_KICKED)->then = yield;
    assert_int_equal(step(&deadline), VMM_STEP_YIELD);
    assert_int_equal(windows, 2); /* the interrupt had not been handled yet, and KICKED may be long work's pause */
}

static void test_call(void **state)
{
    uint64_t deadline;

    (void)state;
    vv->vcpu.x[1] = 40;
    vv->vcpu.x[2] = 2;
    add(AVC_CALL)->exit.key = VMM_CALL_ADD;
    add(AVC_CPU_OFF);
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_int_equal(returned(0)->value, 42);
}

/* Memory is mapped when it is touched. Where there is none, a device answers, or the guest gets an abort. */
static void test_memory(void **state)
{
    static const enum avc_kind kinds[] = { AVC_MMIO, AVC_STAGE2 };
    uint64_t deadline;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        begin(NULL);
        add(kinds[i])->exit.key = RAM + 0x123458;
        add(kinds[i])->exit.key = RAM + RAM_SIZE + i * VMM_PAGE_SIZE;
        add(kinds[i])->exit.key = DEVICE + 8;
        add(AVC_CPU_OFF);
        assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
        assert_int_equal(returned(0)->answer, AVC_RETRY);
        assert_int_equal(returned(1)->answer, AVC_FAULT);
        assert_int_equal(returned(2)->answer, AVC_DONE);
        assert_int_equal(touched, 1);
        assert_int_equal(refused, 1);
    }
}

/* What passes between two steps is stolen, as far as the vCPU could have run. */
static void test_stolen(void **state)
{
    static const struct {
        const char *name;
        enum avc_kind kind; /* of the exit that ends the first step */
        bool yields;
        uint64_t value, next, wanted; /* of the exit; when the second step begins; stolen then */
    } cases[] = {
        { "it gave its CPU away", AVC_IRQ, true, 0, 1500, 500 },
        { "it runs on at once", AVC_IRQ, true, 0, 1000, 0 },
        { "it waited, and is late", AVC_WFI, false, 3000, 3200, 200 },
        { "it waited, and was woken before", AVC_WFI, false, 3000, 2500, 0 },
        { "it waited until now", AVC_WFI, false, 3000, 3000, 0 },
        { "its time had come already", AVC_WFI, false, 400, 1700, 700 },
        { "it was off", AVC_CPU_OFF, false, 0, 90000, 0 },
        { "it was suspended, and is late", AVC_CPU_SUSPEND, false, 4000, 5000, 1000 },
        { "it was reset", AVC_SYSTEM_RESET, false, 0, 90000, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t deadline;

        begin(NULL);
        alone = false;
        waited = VMM_WAIT_BLOCK;
        add(cases[i].kind)->exit.value = cases[i].value;
        if (cases[i].yields)
            script[0].then = yield;
        (void)step(&deadline);
        if (stolen)
            fail_msg("%s: %llu before", cases[i].name, (unsigned long long)stolen);
        now = cases[i].next;
        due = 0;
        add(AVC_CPU_OFF);
        (void)step(&deadline);
        if (stolen != cases[i].wanted)
            fail_msg("%s: %llu stolen", cases[i].name, (unsigned long long)stolen);
    }
}

static void test_ends(void **state)
{
    uint64_t deadline;

    (void)state;
    add(AVC_SYSTEM_OFF);
    assert_int_equal(step(&deadline), 100 + VMM_EXIT_OFF);
    begin(NULL);
    add(AVC_SYSTEM_RESET);
    assert_int_equal(step(&deadline), VMM_STEP_BLOCK);
    assert_true(deadline == VMM_NEVER);
    begin(NULL);
    add(AVC_FAIL);
    assert_int_equal(step(&deadline), 100 + VMM_EXIT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_suspend_deadline, begin),
        cmocka_unit_test_setup(test_wfi, begin),
        cmocka_unit_test_setup(test_wfi_timer_enabled, begin),
        cmocka_unit_test_setup(test_until_is_forgotten, begin),
        cmocka_unit_test_setup(test_wfi_alone, begin),
        cmocka_unit_test_setup(test_wfe, begin),
        cmocka_unit_test_setup(test_yield, begin),
        cmocka_unit_test_setup(test_call, begin),
        cmocka_unit_test_setup(test_memory, begin),
        cmocka_unit_test_setup(test_stolen, begin),
        cmocka_unit_test_setup(test_ends, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
