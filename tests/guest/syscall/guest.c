/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A kernel with two threads at EL0, each with a kernel stack. System calls return at once, after the other thread has
 * run, by way of a signal handler, and after a restart. The kernel logs what a trace must say. At the end it compares
 * the log with the host's events, field by field. In the middle it switches the trap off and on. If the CPU has pointer
 * authentication, one thread returns by ERETAA.
 */
#include <avc/syscall.h>

#include "guest.h"
#include "trace.h"

#define EL0_BASE  0xc0000000ul /* lib/start.S maps the RAM there for EL0 */
#define AT_EL0(p) (EL0_BASE + ((uintptr_t)(p)-GUEST_RAM))

#define SIGRETURN 997
#define EXIT      998
#define PER_ROUND 560 /* the calls of a thread in a round, from number 0 on */

#define NR_THREADS 2
static struct thread {
    uint64_t ksp;                   /* kernel stack while it does not run; first_entry knows these five */
    uint64_t sp, id, last, results; /* for EL0: SP, X19, X21, X22 */
    bool done, in, restarted;
    uint64_t number;             /* of the call that the trace has begun */
    struct guest_regs signalled; /* where the thread goes on after the handler */
    uint64_t signalled_sp;
    uint64_t result[PER_ROUND];
    uint8_t user_stack[256] __attribute__((aligned(16)));
    uint8_t stack[8192] __attribute__((aligned(16)));
} threads[NR_THREADS];
static struct thread *running;
static uint64_t main_ksp;
static bool has_pauth;
static unsigned eretaas;

/* ---- what the trace must say ---- */

static struct event {
    uint64_t field[FIELD_COUNT];
} wanted[4096];
static unsigned nr_wanted;
static struct event open_call[NR_THREADS];
static bool traced;

static void say(const struct event *e)
{
    if (nr_wanted < sizeof(wanted) / sizeof(wanted[0]))
        wanted[nr_wanted++] = *e;
}

static void say_entry(const struct thread *t, const struct guest_regs *regs)
{
    struct event *e = &open_call[t - threads];
    uint64_t number = regs->x[8];

    if (!traced || (number >= UNSEEN_FIRST && number <= UNSEEN_LAST))
        return;
    for (unsigned n = 0; n < FIELD_COUNT; n++)
        e->field[n] = 0;
    e->field[FIELD_WHAT] = AVC_SYSCALL_ENTRY;
    e->field[FIELD_NUMBER] = number;
    for (unsigned n = 0; n < 6; n++)
        e->field[FIELD_ARGS + n] = regs->x[n];
    e->field[FIELD_PC] = regs->elr - 4;
    e->field[FIELD_SP] = READ("sp_el0");
    e->field[FIELD_TABLE] = READ("ttbr0_el1");
    e->field[FIELD_STACK] = (uintptr_t)t->stack + sizeof(t->stack);
    say(e);
    threads[t - threads].in = true;
}

/* The thread returns to EL0 with these registers. */
static void say_end(struct thread *t, const struct guest_regs *regs, enum avc_syscall_what what)
{
    struct event *e = &open_call[t - threads];

    if (!t->in)
        return;
    t->in = false;
    e->field[FIELD_WHAT] = what;
    e->field[FIELD_TO] = regs->elr;
    e->field[FIELD_RESULT] = regs->x[0];
    say(e);
}

static void switch_trap(bool on)
{
    guest_hvc(CALL_SWITCH, on, 0, 0, NULL);
    traced = on;
    for (unsigned n = 0; n < NR_THREADS; n++) /* nobody sees how the calls in progress end */
        threads[n].in = false;
}

/* ---- the kernel ---- */

void switch_to(uint64_t *save, uint64_t sp);
_Noreturn void return_eretaa(const struct guest_regs *regs);
extern char first_entry[], el0_code[], el0_handler[];
__asm__(".text\n"
        "return_eretaa:\n" /* as in lib/start.S; the frame is at the top of the stack; the modifier is SP behind it */
        "mov sp, x0\n"
        "ldp x1, x2, [sp, #256]\n"
        "add x3, sp, #272\n"
        ".inst 0xdac10061\n" /* pacia x1, x3 */
        "msr elr_el1, x1\n"
        "msr spsr_el1, x2\n"
        "ldr x30, [sp, #240]\n"
        "ldp x28, x29, [sp, #224]\n"
        "ldp x26, x27, [sp, #208]\n"
        "ldp x24, x25, [sp, #192]\n"
        "ldp x22, x23, [sp, #176]\n"
        "ldp x20, x21, [sp, #160]\n"
        "ldp x18, x19, [sp, #144]\n"
        "ldp x16, x17, [sp, #128]\n"
        "ldp x14, x15, [sp, #112]\n"
        "ldp x12, x13, [sp, #96]\n"
        "ldp x10, x11, [sp, #80]\n"
        "ldp x8, x9, [sp, #64]\n"
        "ldp x6, x7, [sp, #48]\n"
        "ldp x4, x5, [sp, #32]\n"
        "ldp x2, x3, [sp, #16]\n"
        "ldp x0, x1, [sp], #272\n"
        ".inst 0xd69f0bff\n" /* eretaa */
        "switch_to:\n"
        "stp x29, x30, [sp, #-96]!\n"
        "stp x19, x20, [sp, #16]\n"
        "stp x21, x22, [sp, #32]\n"
        "stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\n"
        "stp x27, x28, [sp, #80]\n"
        "mov x2, sp\n"
        "str x2, [x0]\n"
        "mov sp, x1\n"
        "ldp x27, x28, [sp, #80]\n"
        "ldp x25, x26, [sp, #64]\n"
        "ldp x23, x24, [sp, #48]\n"
        "ldp x21, x22, [sp, #32]\n"
        "ldp x19, x20, [sp, #16]\n"
        "ldp x29, x30, [sp], #96\n"
        "ret\n"
        "first_entry:\n" /* x19: the thread; x20: its address at EL0 */
        "msr elr_el1, x20\n"
        "msr spsr_el1, xzr\n"
        "ldp x0, x1, [x19, #8]\n"
        "ldp x21, x22, [x19, #24]\n"
        "msr sp_el0, x0\n"
        "mov x19, x1\n"
        "mov x20, #0\n"
        "eret\n"

        "el0_code:\n" /* x19: the thread, x20: number, x21: last, x22: results */
        "mov x8, x20\n"
        "add x0, x20, #7\n"
        "mov x1, x19\n"
        "lsl x2, x20, #40\n"
        "mvn x3, x20\n"
        "mov x4, sp\n"
        "mov x5, #-1\n"
        "svc #0\n"
        "str x0, [x22], #8\n"
        "add x20, x20, #1\n"
        "cmp x20, x21\n"
        "b.lo el0_code\n"
        "mov x8, #998\n"
        "svc #1\n"
        "b .\n"
        "el0_handler:\n" /* x0: signal */
        "mov x8, #997\n"
        "svc #2\n"
        "b .\n");

/* Runs the other thread if it has something to do, or main if no thread has. */
static void yield(struct thread *t)
{
    struct thread *other = &threads[1 - t->id];
    uint64_t sp = READ("sp_el0");

    if (!other->done) {
        running = other;
        switch_to(&t->ksp, other->ksp);
    } else if (t->done) {
        switch_to(&t->ksp, main_ksp);
    }
    WRITE("sp_el0", sp);
}

static uint64_t result_of(uint64_t thread, uint64_t number)
{
    return number % 3 ? number * 1000 + thread : -(number + 1);
}

static void do_call(struct thread *t, struct guest_regs *regs)
{
    uint64_t number = regs->x[8];

    if (number % 11 == 5)
        __asm__ volatile("brk #0" ::: "memory"); /* an exception inside of the kernel, and its ERET */
    if (number == 200 && t->id == 0)
        switch_trap(false); /* both threads are in a call */
    if (number == 300 && t->id == 0)
        switch_trap(true);
    if (number % 4 == 1)
        yield(t);
    if (number % 10 == 3 && !t->restarted) {
        t->restarted = true;
        regs->elr -= 4;
        say_end(t, regs, AVC_SYSCALL_RESTART);
        return;
    }
    t->restarted = false;
    regs->x[0] = result_of(t->id, number);
    for (unsigned n = 1; n < 6; n++)
        regs->x[n] = 0xdead;
    if (number % 10 == 7) {
        t->signalled = *regs;
        t->signalled_sp = READ("sp_el0");
        regs->elr = AT_EL0(el0_handler);
        regs->x[0] = 10;
        WRITE("sp_el0", t->signalled_sp - 64);
        say_end(t, regs, AVC_SYSCALL_ELSEWHERE);
    } else {
        say_end(t, regs, AVC_SYSCALL_RETURN);
    }
}

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    struct thread *t = running;

    if (esr >> 26 == 0x3c) {
        regs->elr += 4;
        return;
    }
    if (esr >> 26 != 0x15) {
        guest_printf("Bail out! esr %lx elr %lx far %lx\n", esr, regs->elr, far);
        guest_off(1);
    }
    say_entry(t, regs);
    switch (regs->x[8]) {
    case SIGRETURN:
        *regs = t->signalled;
        WRITE("sp_el0", t->signalled_sp);
        say_end(t, regs, AVC_SYSCALL_ELSEWHERE);
        break;
    case EXIT:
        t->done = true;
        yield(t);
        break;
    default:
        do_call(t, regs);
    }
    if (has_pauth && t->id == 1) {
        eretaas++;
        return_eretaa(regs);
    }
}

static void run_threads(void)
{
    for (unsigned n = 0; n < NR_THREADS; n++) {
        struct thread *t = &threads[n];
        uint64_t *frame = (uint64_t *)(t->stack + sizeof(t->stack) - 96);

        t->sp = AT_EL0(t->user_stack + sizeof(t->user_stack));
        t->id = n;
        t->last = PER_ROUND;
        t->results = AT_EL0(t->result);
        frame[1] = (uintptr_t)first_entry; /* x30 */
        frame[2] = (uintptr_t)t;           /* x19 */
        frame[3] = AT_EL0(el0_code);       /* x20 */
        t->ksp = (uintptr_t)frame;
    }
    running = &threads[0];
    switch_to(&main_ksp, threads[0].ksp);
}

/* ---- the comparison ---- */

static void compare(void)
{
    uint64_t got = guest_hvc(CALL_EVENT, 0, FIELD_COUNT, 0, NULL);
    unsigned kinds[AVC_NR_SYSCALL_WHATS] = { 0 }, wrong = 0, n;

    for (n = 0; n < nr_wanted && n < got && !wrong; n++) {
        kinds[wanted[n].field[FIELD_WHAT] % AVC_NR_SYSCALL_WHATS]++;
        for (unsigned f = 0; f < FIELD_COUNT; f++) {
            uint64_t value = guest_hvc(CALL_EVENT, n, f, 0, NULL);

            if (value == wanted[n].field[f])
                continue;
            guest_printf("# event %u, field %u: got %lx, wanted %lx\n", n, f, value, wanted[n].field[f]);
            wrong++;
        }
    }
    guest_ok(!wrong && got == nr_wanted, "%u events, got %u: each call, its arguments, its end", nr_wanted,
             (unsigned)got);
    guest_ok(kinds[AVC_SYSCALL_RETURN] > 500, "%u returns", kinds[AVC_SYSCALL_RETURN]);
    guest_ok(kinds[AVC_SYSCALL_RESTART] > 50, "%u restarts", kinds[AVC_SYSCALL_RESTART]);
    guest_ok(kinds[AVC_SYSCALL_ELSEWHERE] > 100, "%u signals, and returns from them", kinds[AVC_SYSCALL_ELSEWHERE]);
}

int guest_main(unsigned cpu)
{
    uint64_t status = guest_hvc(CALL_STATUS, 0, 0, 0, NULL);
    unsigned wrong = 0;

    /* Address authentication exists if an algorithm does: ID_AA64ISAR1_EL1.APA or API, ID_AA64ISAR2_EL1.APA3. */
    has_pauth = READ("id_aa64isar1_el1") & 0xff0 || READ("s3_0_c0_c6_2") & 0xf000;
    if (has_pauth)
        WRITE("sctlr_el1", READ("sctlr_el1") | 1ul << 31); /* EnIA */
    guest_on_sync = on_sync;
    traced = guest_hvc(CALL_STATUS, 1, 0, 0, NULL);
    if (traced) {
        guest_ok(status == AVC_OK, "attached");
        run_threads();
        compare();
    } else {
        guest_ok(status == AVC_ENOTRAP, "without FEAT_FGT: refused (%u)", (unsigned)status);
        guest_ok(guest_hvc(CALL_SWITCH, 1, 0, 0, NULL) == AVC_ENOTRAP, "and so is the switch");
        run_threads();
        guest_ok(guest_hvc(CALL_EVENT, 0, FIELD_COUNT, 0, NULL) == 0, "nothing is seen");
    }
    for (uint64_t n = 0; n < NR_THREADS; n++)
        for (uint64_t i = 0; i < PER_ROUND; i++)
            wrong += threads[n].result[i] != result_of(n, i);
    guest_ok(wrong == 0, "EL0 got the results that its kernel gave");
    guest_ok(has_pauth ? eretaas > PER_ROUND : eretaas == 0, "%u returns by ERETAA", eretaas);
    guest_plan();
    return 0;
}
