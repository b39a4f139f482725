/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* avc/syscall.h: the SVCs and ERETs of a kernel with threads, signals, exec and exit. And avc_vm_trap_svc(). */
#include <avc/syscall.h>

#include "arch/esr.h"
#include "arch/hfgtr.h"
#include "arch/pstate.h"
#include "world.h"

#include <cmocka.h>
#include "core/policy/sysreg.h"

#define HFGITR_CALLS (HFGITR_ERET | HFGITR_SVC_EL0)
#define KERNEL       UINT64_C(0xffff800008012345) /* the address of the kernel's ERET */
#define CNP          AVC_BIT(0)

struct thread {
    uint64_t stack, table, sp, pc; /* pc: of the thread's next SVC */
};

/* a and b are threads of one process, c of another. */
static const struct thread a = { UINT64_C(0xffff800009000000), 0x45000000, 0xfff000, 0x401000 };
static const struct thread b = { UINT64_C(0xffff800009008000), 0x45000000, 0xeff000, 0x402000 };
static const struct thread c = { UINT64_C(0xffff800009010000), 0x46000000, 0xfff000, 0x401000 };

/* ---- the tracer ---- */

#define MAX_SEEN 64
static struct avc_syscall_event seen[MAX_SEEN];
static unsigned nr_seen, taken;
static struct avc_vcpu *seen_on;
static bool wanted;

static bool trace(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *context)
{
    assert_ptr_equal(context, &wanted);
    seen_on = vcpu;
    seen[nr_seen++ % MAX_SEEN] = *event;
    return wanted;
}

static const struct avc_syscall_event *next(enum avc_syscall_what what)
{
    const struct avc_syscall_event *e = &seen[taken % MAX_SEEN];

    if (taken == nr_seen)
        fail_msg("no event; wanted %s", avc_syscall_what_name(what));
    if (e->what != what)
        fail_msg("event %u is %s, wanted %s", taken, avc_syscall_what_name(e->what), avc_syscall_what_name(what));
    taken++;
    return e;
}

static void no_more(void)
{
    if (taken != nr_seen)
        fail_msg("unexpected: %s", avc_syscall_what_name(seen[taken % MAX_SEEN].what));
}

/* ---- the guest ---- */

static struct avc_syscalls syscalls;
static struct avc_syscall_call calls[32 * AVC_SYSCALL_SET];

static void make(void)
{
    world_model = &fake_max;
    world_make();
    nr_seen = taken = 0;
    wanted = true;
    memset(&syscalls, 0xa5, sizeof syscalls);
    memset(calls, 0xa5, sizeof calls);
}

static enum avc_status attach(const struct avc_syscall_range *ranges, uint32_t nr, uint32_t max_calls)
{
    const struct avc_syscalls_config config = { trace, &wanted, ranges, nr, calls, max_calls };

    return avc_syscalls_attach(&syscalls, &world.vm, &config);
}

static struct avc_vcpu *begin(void)
{
    make();
    must(attach(NULL, 0, AVC_ARRAY_SIZE(calls)));
    return world_load();
}

static void become(struct avc_vcpu *vcpu, const struct thread *t)
{
    avc_ctx_set(vcpu, AVC_CTX_SP_EL1, t->stack);
    avc_ctx_set(vcpu, AVC_CTX_SP_EL0, t->sp);
    avc_ctx_set(vcpu, AVC_CTX_TTBR0_EL1, t->table | CNP | UINT64_C(77) << 48);
    avc_ctx_set(vcpu, AVC_CTX_VBAR_EL1, VBAR);
}

static void svc_as(struct avc_vcpu *vcpu, const struct thread *t, uint64_t esr, uint64_t pstate)
{
    become(vcpu, t);
    assert_int_equal(take(vcpu, (struct fake_trap){ .esr = esr, .elr = t->pc, .spsr = pstate })->kind, AVC_KICKED);
    /* The guest's kernel must get the SVC. */
    assert_int_equal(world.trap.elr, VBAR + (pstate & SPSR_NRW ? 0x600 : 0x400));
    assert_int_equal(avc_ctx_get(vcpu, AVC_CTX_ELR_EL1), t->pc + (esr & ESR_IL ? 4 : 2));
}

static void svc(struct avc_vcpu *vcpu, const struct thread *t, uint64_t number)
{
    vcpu->x[8] = number;
    svc_as(vcpu, t, ESR_MAKE(AVC_EC_SVC64, true, 0), EL0T);
}

static void eret_as(struct avc_vcpu *vcpu, const struct thread *t, uint64_t to, uint64_t spsr)
{
    become(vcpu, t);
    avc_ctx_set(vcpu, AVC_CTX_ELR_EL1, to);
    avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, spsr);
    take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x1a, true, 0), .elr = KERNEL, .spsr = EL1H });
    assert_int_equal(world.trap.elr, to); /* as if nobody had traced it */
    assert_int_equal(world.trap.spsr, spsr);
}

static void eret(struct avc_vcpu *vcpu, const struct thread *t, uint64_t to, uint64_t x0)
{
    vcpu->x[0] = x0;
    eret_as(vcpu, t, to, EL0T);
    assert_int_equal(vcpu->x[0], x0);
}

/* ---- tests ---- */

static void test_pair(void **state)
{
    (void)state;
    for (int e2h = 0; e2h < 2; e2h++) {
        const struct avc_syscall_event *e;
        struct avc_vcpu *vcpu;

        world_e2h = e2h;
        vcpu = begin();
        for (unsigned n = 0; n < 6; n++)
            vcpu->x[n] = 0x100 + n;
        svc(vcpu, &a, 56);
        e = next(AVC_SYSCALL_ENTRY);
        assert_ptr_equal(seen_on, vcpu);
        assert_int_equal(e->number, 56);
        for (unsigned n = 0; n < 6; n++)
            assert_int_equal(e->args[n], 0x100 + n);
        assert_int_equal(e->pc, a.pc);
        assert_int_equal(e->sp, a.sp);
        assert_int_equal(e->table, a.table);
        assert_int_equal(e->stack, a.stack);
        assert_int_equal(e->asid, 77);
        assert_false(e->aarch32);
        assert_int_equal(e->to, 0);

        vcpu->x[1] = 4711; /* the kernel may leave anything in the other registers */
        vcpu->x[8] = 4712;
        eret(vcpu, &a, a.pc + 4, (uint64_t)-2);
        e = next(AVC_SYSCALL_RETURN);
        assert_int_equal(e->number, 56);
        assert_int_equal(e->args[1], 0x101);
        assert_int_equal(e->result, (uint64_t)-2);
        assert_int_equal(e->to, a.pc + 4);
        assert_int_equal(e->to_table, a.table);
        eret(vcpu, &a, a.pc + 4, 0); /* a later return from an interrupt */
        no_more();
        assert_int_equal(syscalls.count[AVC_SYSCALL_ENTRY], 1);
        assert_int_equal(syscalls.count[AVC_SYSCALL_RETURN], 1);
    }
    world_e2h = false;
}

/* TCR_EL1.A1 says which register has the ASID. */
static void test_asid(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    avc_ctx_set(vcpu, AVC_CTX_TTBR1_EL1, UINT64_C(0x1234) << 48 | 0x41000000);
    avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, AVC_BIT(22));
    svc(vcpu, &a, 1);
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->asid, 0x1234);
}

/* Interrupts inside of the kernel, and other threads, come between a call and its return. */
static void test_between(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    eret_as(vcpu, &a, KERNEL + 64, EL1H);
    eret(vcpu, &b, b.pc + 40, 1); /* an interrupt had preempted this thread earlier */
    svc(vcpu, &b, 64);
    next(AVC_SYSCALL_ENTRY);
    svc(vcpu, &c, 65);
    next(AVC_SYSCALL_ENTRY);
    no_more();
    eret(vcpu, &c, c.pc + 4, 33); /* the addresses are those of a, but in another process */
    assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 65);
    eret(vcpu, &a, a.pc + 4, 11);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 63);
    eret(vcpu, &b, b.pc + 4, 22);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->result, 22);
    no_more();
}

/* A thread sleeps in its call, and wakes up on another vCPU. */
static void test_migration(void **state)
{
    struct avc_vcpu *vcpu = begin(), *other = &world.vcpu[1];

    (void)state;
    svc(vcpu, &a, 101);
    next(AVC_SYSCALL_ENTRY);
    must(avc_vcpu_put(vcpu));
    must(avc_vcpu_start(other, START, 0));
    must(avc_vcpu_load(other, &world.pcpu));
    go_on(other); /* powers up */
    eret(other, &a, a.pc + 4, 5);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->result, 5);
    assert_ptr_equal(seen_on, other);
    no_more();
}

static void test_signal(void **state)
{
    struct avc_vcpu *vcpu = begin();
    struct thread handler = a;

    (void)state;
    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    handler.sp = a.sp - 0x1000;
    eret(vcpu, &handler, 0x403000, 10); /* SIGUSR1 */
    assert_int_equal(next(AVC_SYSCALL_ELSEWHERE)->to, 0x403000);
    handler.pc = 0x404000;
    wanted = false;
    svc(vcpu, &handler, 139); /* rt_sigreturn */
    next(AVC_SYSCALL_ENTRY);
    wanted = true;
    eret(vcpu, &a, a.pc + 4, (uint64_t)-4); /* where the interrupted call would have returned */
    no_more();

    /* A handler's return by a call that is traced. */
    svc(vcpu, &handler, 139);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc + 4, (uint64_t)-4);
    next(AVC_SYSCALL_ELSEWHERE);

    /* The address behind the SVC with another stack is no return: the handler lies there. */
    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &handler, a.pc + 4, 10);
    next(AVC_SYSCALL_ELSEWHERE);
    no_more();
}

static void test_restart(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    vcpu->x[0] = 7;
    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc, 7);
    next(AVC_SYSCALL_RESTART);
    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc + 4, 100);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->result, 100);
    no_more();
}

/* exec: the same thread in a new address space. It may even go on at the same address. */
static void test_exec(void **state)
{
    struct avc_vcpu *vcpu = begin();
    struct thread new = a;

    (void)state;
    new.table = 0x47000000;
    svc(vcpu, &a, 221);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &new, a.pc + 4, 0);
    assert_int_equal(next(AVC_SYSCALL_REPLACED)->to_table, new.table);
    svc(vcpu, &a, 221); /* an exec that failed */
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc + 4, (uint64_t)-2);
    next(AVC_SYSCALL_RETURN);
    no_more();
}

/* A call never returns, and another thread gets its stack. */
static void test_exit(void **state)
{
    struct avc_vcpu *vcpu = begin();
    struct thread new = b;

    (void)state;
    wanted = false;
    svc(vcpu, &a, 93);
    next(AVC_SYSCALL_ENTRY);
    new.stack = a.stack;
    eret(vcpu, &new, new.pc + 4, 0); /* a new child begins */
    no_more();

    wanted = true;
    svc(vcpu, &a, 63); /* the thread is killed in this call */
    next(AVC_SYSCALL_ENTRY);
    svc(vcpu, &new, 64);
    assert_int_equal(next(AVC_SYSCALL_LOST)->number, 63);
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, 64);
    eret(vcpu, &new, new.pc + 4, 1);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 64);

    svc(vcpu, &a, 63);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &new, a.pc + 4, 0); /* a new child begins at the same address, with its own stack */
    next(AVC_SYSCALL_ELSEWHERE);
    no_more();
}

/* If the table is full, the oldest call is dropped. */
static void test_full(void **state)
{
    struct avc_vcpu *vcpu;
    struct thread t = a;

    (void)state;
    make();
    must(attach(NULL, 0, AVC_SYSCALL_SET));
    vcpu = world_load();
    for (unsigned n = 0; n < AVC_SYSCALL_SET + 2; n++) {
        t.stack = a.stack + 0x4000 * n;
        svc(vcpu, &t, 200 + n);
        assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, 200 + n);
        if (n >= AVC_SYSCALL_SET)
            assert_int_equal(next(AVC_SYSCALL_LOST)->number, 200 + n - AVC_SYSCALL_SET);
    }
    for (unsigned n = 0; n < AVC_SYSCALL_SET + 2; n++) {
        t.stack = a.stack + 0x4000 * n;
        eret(vcpu, &t, t.pc + 4, n);
        if (n >= 2)
            assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 200 + n);
        no_more();
    }
    assert_int_equal(syscalls.count[AVC_SYSCALL_LOST], 2);

    svc(vcpu, &a, 1);
    next(AVC_SYSCALL_ENTRY);
    must(avc_syscalls_reset(&syscalls)); /* the VM starts anew, with the same stacks */
    svc(vcpu, &a, 2);
    next(AVC_SYSCALL_ENTRY);
    no_more();
}

static void test_filter(void **state)
{
    static const struct avc_syscall_range ranges[] = { { 56, 57 }, { 93, 93 }, { 1000, UINT64_MAX } };
    static const struct {
        uint64_t number;
        bool told;
    } rows[] = { { 0, false }, { 55, false }, { 56, true },   { 57, true },   { 58, false },       { 92, false },
                 { 93, true }, { 94, false }, { 999, false }, { 1000, true }, { UINT64_MAX, true } };
    struct avc_vcpu *vcpu;

    (void)state;
    make();
    must(attach(ranges, 3, AVC_ARRAY_SIZE(calls)));
    vcpu = world_load();
    for (unsigned n = 0; n < AVC_ARRAY_SIZE(rows); n++) {
        svc(vcpu, &a, rows[n].number);
        if (rows[n].told)
            assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, rows[n].number);
        no_more();
        eret(vcpu, &a, a.pc + 4, n);
        if (rows[n].told)
            assert_int_equal(next(AVC_SYSCALL_RETURN)->result, n);
        no_more();
    }
}

/* AArch32 programs: the number is in R7, registers have 32 bits, an SVC has 2 or 4 bytes, SP is R13. */
static void test_aarch32(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    for (int t32 = 0; t32 < 2; t32++) {
        uint64_t junk = UINT64_C(0xdead) << 48, mode = USR | (t32 ? SPSR_T32 : 0);
        const struct avc_syscall_event *e;

        vcpu->x[0] = junk | 10;
        vcpu->x[5] = junk | 15;
        vcpu->x[7] = junk | 322;
        vcpu->x[13] = junk | 0xbe000000;
        svc_as(vcpu, &a, ESR_MAKE(AVC_EC_SVC32, !t32, 0), mode);
        e = next(AVC_SYSCALL_ENTRY);
        assert_true(e->aarch32);
        assert_int_equal(e->number, 322);
        assert_int_equal(e->args[0], 10);
        assert_int_equal(e->args[5], 15);
        assert_int_equal(e->sp, 0xbe000000);
        vcpu->x[0] = junk | 0xfffffffe;
        eret_as(vcpu, &a, a.pc + (t32 ? 2 : 4), mode);
        assert_int_equal(next(AVC_SYSCALL_RETURN)->result, 0xfffffffe);
    }
    no_more();
}

/* ---- avc_vm_trap_svc() ---- */

static uint64_t bits(void)
{
    return fake_cpu->reg[FAKE_HFGITR_EL2] & HFGITR_CALLS;
}

static void test_switch(void **state)
{
    struct avc_vcpu *vcpu = begin();
    unsigned wakes;

    (void)state;
    assert_int_equal(bits(), HFGITR_CALLS);
    svc(vcpu, &a, 1);
    next(AVC_SYSCALL_ENTRY);
    wakes = world.wakes;
    must(avc_vm_trap_svc(&world.vm, false));
    assert_int_equal(world.wakes, wakes + 2); /* the vCPU that runs, and the one that is not loaded */
    go_on(vcpu);
    assert_int_equal(bits(), 0);
    must(avc_vm_trap_svc(&world.vm, false)); /* nothing changes */
    assert_int_equal(world.wakes, wakes + 2);
    must(avc_vm_trap_svc(&world.vm, true));
    go_on(vcpu);
    assert_int_equal(bits(), HFGITR_CALLS);
    eret(vcpu, &a, a.pc + 4, 9); /* the return of the call before, or of a call that was not traced */
    no_more();
    svc(vcpu, &a, 2);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc + 4, 9);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 2);

    /* A vCPU that moves to another CPU finds the present state there. */
    must(avc_vcpu_put(vcpu));
    must(avc_vm_trap_svc(&world.vm, false));
    must(avc_vcpu_load(vcpu, &world.pcpu));
    assert_int_equal(bits(), 0);
    must(avc_vcpu_put(vcpu));
    assert_int_equal(bits(), 0); /* the host's own value */
    no_more();
}

/*
 * While one vCPU has not yet followed the switch, a thread could run there untraced and come back. So no open call is
 * kept.
 */
static void test_switch_two_cpus(void **state)
{
    static struct avc_pcpu second;
    struct avc_vcpu *vcpu, *other = &world.vcpu[1];

    (void)state;
    make();
    fake_become(1, world_model);
    fake_use_cpu(1);
    memset(&second, 0, sizeof second);
    must(avc_pcpu_init(&second, &world.machine, &world.hal));
    must(avc_pcpu_enable(&second));
    fake_use_cpu(0);
    must(attach(NULL, 0, AVC_ARRAY_SIZE(calls)));
    vcpu = world_load();
    must(avc_vcpu_start(other, START, 0));
    fake_use_cpu(1);
    must(avc_vcpu_load(other, &second));
    fake_use_cpu(0);

    must(avc_vm_trap_svc(&world.vm, false));
    must(avc_vm_trap_svc(&world.vm, true));
    go_on(vcpu);
    svc(vcpu, &a, 1);
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, 1);
    eret(vcpu, &a, a.pc + 4, 9);
    no_more();
    fake_use_cpu(1);
    go_on(other);
    fake_use_cpu(0);
    svc(vcpu, &a, 2);
    next(AVC_SYSCALL_ENTRY);
    eret(vcpu, &a, a.pc + 4, 9);
    assert_int_equal(next(AVC_SYSCALL_RETURN)->number, 2);
    no_more();
}

/* A claim may switch the trap. Its own vCPU follows before the guest goes on. */
static enum avc_answer switch_off(struct avc_vcpu *vcpu, struct avc_exit *e, void *context)
{
    must(avc_vm_trap_svc(avc_vcpu_vm(vcpu), false));
    (void)context;
    return avc_done(e, 0);
}

static void test_switch_claim(void **state)
{
    struct avc_vcpu *vcpu;

    (void)state;
    make();
    must(attach(NULL, 0, AVC_ARRAY_SIZE(calls)));
    world_claim(AVC_CALL, 0xc6000000, 0xc6000000, switch_off, NULL);
    vcpu = world_load();
    vcpu->x[0] = 0xc6000000;
    assert_int_equal(take_sync(vcpu, ESR_MAKE(AVC_EC_HVC64, true, 0), EL1H)->kind, AVC_KICKED);
    assert_int_equal(vcpu->x[0], 0);
    assert_int_equal(bits(), 0);
}

static void test_switch_errors(void **state)
{
    (void)state;
    assert_int_equal(avc_vm_trap_svc(NULL, true), AVC_EINVAL);
    assert_int_equal(avc_vm_trap_svc(&(struct avc_vm){ .magic = 1 }, true), AVC_ENOENT);

    make(); /* switched off before the first load */
    must(attach(NULL, 0, AVC_ARRAY_SIZE(calls)));
    must(avc_vm_trap_svc(&world.vm, false));
    (void)world_load();
    assert_int_equal(bits(), 0);
    must(avc_vm_trap_svc(&world.vm, true));
    go_on(&world.vcpu[0]);
    assert_int_equal(bits(), HFGITR_CALLS);

    make(); /* there are no claims */
    must(avc_vm_trap_svc(&world.vm, true));
    (void)world_load();
    assert_int_equal(avc_vm_trap_svc(&world.vm, true), AVC_ENOTRAP);
    assert_int_equal(avc_vm_trap_svc(&world.vm, false), AVC_ENOTRAP);

    world_model = &fake_a72;
    world_make();
    assert_int_equal(avc_vm_trap_svc(&world.vm, false), AVC_ENOTRAP);
    (void)world_load();
    assert_int_equal(avc_vm_trap_svc(&world.vm, true), AVC_ENOTRAP);
}

/* ---- attaching ---- */

static void test_attach_errors(void **state)
{
    static const struct avc_syscall_range backwards = { 2, 1 }, twice[] = { { 1, 5 }, { 5, 6 } };
    struct avc_syscalls_config config = { trace, &wanted, NULL, 0, calls, AVC_SYSCALL_SET };
    struct avc_vm *vm = &world.vm;
    uint32_t max;

    (void)state;
    make();
    assert_int_equal(avc_syscalls_attach(NULL, vm, &config), AVC_EINVAL);
    assert_int_equal(avc_syscalls_attach(&syscalls, NULL, &config), AVC_EINVAL);
    assert_int_equal(avc_syscalls_attach(&syscalls, vm, NULL), AVC_EINVAL);
    assert_int_equal(attach(NULL, 0, 0), AVC_EINVAL);
    assert_int_equal(attach(NULL, 0, AVC_SYSCALL_SET + 1), AVC_EINVAL);
    assert_int_equal(attach(NULL, 1, AVC_SYSCALL_SET), AVC_EINVAL);
    config.fn = NULL;
    assert_int_equal(avc_syscalls_attach(&syscalls, vm, &config), AVC_EINVAL);
    assert_int_equal(avc_syscalls_attach(&syscalls, &(struct avc_vm){ .magic = 1 },
                                         &(struct avc_syscalls_config){ trace, NULL, NULL, 0, calls, 8 }),
                     AVC_ENOENT);
    assert_int_equal(avc_syscalls_reset(NULL), AVC_EINVAL);
    assert_int_equal(attach(&backwards, 1, AVC_SYSCALL_SET), AVC_ERANGE);
    assert_int_equal(attach(twice, 2, AVC_SYSCALL_SET), AVC_EEXIST);
    max = vm->max_claims;
    vm->max_claims = 1;
    assert_int_equal(attach(NULL, 0, AVC_SYSCALL_SET), AVC_ENOMEM);
    vm->max_claims = max;
    assert_int_equal(vm->nr_claims, 0); /* nothing of the failed calls is left */
    must(attach(NULL, 0, AVC_SYSCALL_SET));
    assert_int_equal(attach(NULL, 0, AVC_SYSCALL_SET), AVC_EEXIST);
    (void)world_load();
    assert_int_equal(attach(NULL, 0, AVC_SYSCALL_SET), AVC_ESEALED);

    world_model = &fake_a72;
    world_make();
    assert_int_equal(attach(NULL, 0, AVC_SYSCALL_SET), AVC_ENOTRAP);
    assert_int_equal(vm->nr_claims, 0);
}

/* ERETAA: the address is signed above the bits that TCR_EL1.T0SZ leaves. */
static void test_signed(void **state)
{
    struct avc_vcpu *vcpu = begin();

    (void)state;
    avc_ctx_set(vcpu, AVC_CTX_TCR_EL1, 25);
    svc(vcpu, &a, 1);
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, 1);
    become(vcpu, &a);
    avc_ctx_set(vcpu, AVC_CTX_ELR_EL1, (a.pc + 4) | UINT64_C(0x5a) << 56);
    avc_ctx_set(vcpu, AVC_CTX_SPSR_EL1, EL0T);
    vcpu->x[0] = 77;
    (void)take(vcpu, (struct fake_trap){ .esr = ESR_MAKE(0x1a, true, 2), .elr = KERNEL, .spsr = EL1H });
    assert_int_equal(next(AVC_SYSCALL_RETURN)->to, a.pc + 4);
    no_more();
}

/* The tracer switches itself off while it is told of a call: the call is not remembered. */
static bool trace_once(struct avc_vcpu *vcpu, const struct avc_syscall_event *event, void *context)
{
    (void)trace(vcpu, event, context);
    must(avc_vm_trap_svc(avc_vcpu_vm(vcpu), false));
    return true;
}

static void test_off_from_inside(void **state)
{
    const struct avc_syscalls_config config = { trace_once, &wanted, NULL, 0, calls, AVC_SYSCALL_SET };
    struct avc_vcpu *vcpu;

    (void)state;
    make();
    must(avc_syscalls_attach(&syscalls, &world.vm, &config));
    vcpu = world_load();
    svc(vcpu, &a, 5);
    assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, 5);
    for (unsigned n = 0; n < AVC_SYSCALL_SET; n++)
        assert_int_equal(calls[n].age, 0);
    no_more();
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(avc_syscall_what_name(AVC_SYSCALL_ENTRY), "entry");
    assert_string_equal(avc_syscall_what_name(AVC_SYSCALL_LOST), "lost");
    for (unsigned n = 0; n < AVC_NR_SYSCALL_WHATS; n++)
        for (unsigned k = 0; k < n; k++)
            assert_string_not_equal(avc_syscall_what_name(n), avc_syscall_what_name(k));
    assert_string_equal(avc_syscall_what_name(AVC_NR_SYSCALL_WHATS), "?");
    assert_int_equal(avc_syscalls_reset(NULL), AVC_EINVAL);
    assert_int_equal(avc_syscalls_reset(&(struct avc_syscalls){ 0 }), AVC_EINVAL);
}

/* ---- random calls, against a model ---- */

#define NR_THREADS 40

static uint32_t rnd(void)
{
    static uint64_t x = 88172645463325252;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)(x >> 16);
}

static void test_random(void **state)
{
    static struct model {
        struct thread t;
        bool in;
        uint64_t number;
    } threads[NR_THREADS];
    struct avc_vcpu *vcpu = begin();
    uint64_t lost = 0;

    (void)state;
    for (unsigned n = 0; n < NR_THREADS; n++)
        threads[n] =
            (struct model){ { a.stack + 0x8000 * n, 0x45000000 + 0x1000 * (n / 4), 0x7000 * n, 0x401000 }, false, 0 };
    for (unsigned i = 0; i < 20000; i++) {
        struct model *m = &threads[rnd() % NR_THREADS];
        uint32_t how = rnd() % 16;

        if (!m->in) {
            m->number = i;
            m->in = true;
            svc(vcpu, &m->t, i);
            assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, i);
        } else if (how == 0) { /* killed; the next thread gets its stack */
            svc(vcpu, &m->t, i);
            assert_int_equal(next(AVC_SYSCALL_LOST)->number, m->number);
            assert_int_equal(next(AVC_SYSCALL_ENTRY)->number, i);
            m->number = i;
            lost++;
        } else {
            enum avc_syscall_what what = how < 3   ? AVC_SYSCALL_RESTART
                                         : how < 6 ? AVC_SYSCALL_ELSEWHERE
                                                   : AVC_SYSCALL_RETURN;
            uint64_t to = m->t.pc + (what == AVC_SYSCALL_RETURN ? 4 : what == AVC_SYSCALL_RESTART ? 0 : 8);

            eret(vcpu, &m->t, to, i);
            assert_int_equal(next(what)->number, m->number);
            m->in = false;
        }
        no_more();
    }
    assert_int_equal(syscalls.count[AVC_SYSCALL_LOST], lost); /* the table of 256 has room for 40 threads */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair),          cmocka_unit_test(test_asid),
        cmocka_unit_test(test_between),       cmocka_unit_test(test_migration),
        cmocka_unit_test(test_signal),        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_exec),          cmocka_unit_test(test_exit),
        cmocka_unit_test(test_full),          cmocka_unit_test(test_filter),
        cmocka_unit_test(test_aarch32),       cmocka_unit_test(test_switch),
        cmocka_unit_test(test_switch_claim),  cmocka_unit_test(test_switch_two_cpus),
        cmocka_unit_test(test_switch_errors), cmocka_unit_test(test_attach_errors),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_off_from_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
