/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Every kind of exit, each with every answer that makes sense: completed, executed again after memory was mapped,
 * faulted, left alone. The same program also runs under a VMM that ignores exits. There each exit gets the
 * architecture's answer.
 */
#include <avc/avc.h>

#include "guest.h"

#include "plan.h"

#define CPU_OFF      0x84000002
#define CPU_SUSPEND  0xc4000001
#define AFFINITY     0xc4000004
#define SYSTEM_RESET 0x84000009
#define POWERDOWN    0x10000 /* power_state */

#define EC_DABT 0x25
#define EC_IABT 0x21

static bool ignored; /* whether this VMM ignores exits */

/* The guest's exceptions since the last plan, and the last of them. */
static volatile unsigned taken;
static volatile uint64_t at_esr, at_far, at_elr;

extern char el0_back[];

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (esr >> 26 == 0x15 && (esr & 0xffff) == 0x99) { /* EL0 has ended */
        regs->elr = (uintptr_t)el0_back;
        regs->spsr = 0x3c5;
        return;
    }
    taken++;
    at_esr = esr;
    at_far = far;
    at_elr = regs->elr;
    if (esr >> 26 == EC_IABT) {
        regs->elr = regs->x[30]; /* the guest called the address, so it returns to the caller */
    } else if (esr >> 26 != 0x15) {
        regs->elr += 4;
    }
}

static uint64_t ask(unsigned what)
{
    return guest_hvc(CALL_SEEN, what, 0, 0, NULL);
}

static void plan(uint64_t answer, uint64_t value, unsigned work)
{
    guest_hvc(CALL_PLAN, answer, value, work, NULL);
    taken = 0;
    at_esr = at_far = at_elr = 0;
}

/* Checks that one exit of this kind was seen, or two if the answer was RETRY and the VMM did nothing else. */
static bool exits(enum avc_kind kind, uint64_t answer, unsigned work)
{
    unsigned times = !ignored && answer == AVC_RETRY && !work ? 2 : 1;

    return ask(SEEN_EXITS) == times && ask(SEEN_KIND) == kind;
}

static bool no_exception(void)
{
    return taken == 0;
}

static bool undefined(const void *pc)
{
    return taken == 1 && at_esr == 1ul << 25 && at_elr == (uintptr_t)pc;
}

/* Checks for a synchronous external abort that is not on a table walk. */
static bool abort_at(unsigned ec, uint64_t va, bool write)
{
    return taken == 1 && at_esr >> 26 == ec && (at_esr & 0x3f) == 0x10 && (at_esr >> 6 & 1) == write && at_far == va;
}

static const char *name_of(uint64_t answer)
{
    static const char *const names[] = { "DONE", "RETRY", "FAULT", "EXIT", "PASS" };

    return ignored ? "ignored" : answer == KEEP ? "as preset" : names[answer];
}

/* The answer that takes effect: the preset one if the VMM gives none. */
static uint64_t effective(uint64_t answer, uint64_t preset)
{
    return ignored || answer == KEEP ? preset : answer;
}

static const uint64_t answers[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, KEEP };
#define FOR_EACH_ANSWER(a)                                                                                             \
    for (unsigned i_##a = 0; i_##a < 4; i_##a++)                                                                       \
        for (uint64_t a = answers[i_##a], once = 1; once; once = 0)

/* ---- events that can be claimed ---- */

static void calls(void)
{
    for (unsigned smc = 0; smc < 2; smc++)
        FOR_EACH_ANSWER(a)
        {
            uint64_t r[4], want = effective(a, AVC_FAULT) == AVC_FAULT ? ~0ul : 4711;

            plan(a, 4711, 0);
            (smc ? guest_smc : guest_hvc)(CALL_VMM, 1, 2, 3, r);
            guest_ok(r[0] == want && r[1] == 1 && r[2] == 2 && r[3] == 3 && exits(AVC_CALL, a, 0) && no_exception(),
                     "%s, %s: x0 %lx", smc ? "SMC" : "HVC", name_of(a), r[0]);
        }
}

static void registers(void)
{
    FOR_EACH_ANSWER(a)
    {
        uint64_t x, pc;
        bool fault = effective(a, AVC_FAULT) == AVC_FAULT;

        plan(a, 0x5a5a, 0);
        __asm__ volatile("mov %0, #1; adr %1, 1f\n1: mrs %0, actlr_el1" : "=&r"(x), "=&r"(pc)::"memory");
        guest_ok((fault ? x == 1 && undefined((void *)pc) : x == 0x5a5a && no_exception()) && exits(AVC_SYSREG, a, 0) &&
                     ask(SEEN_HOW) == 8,
                 "MRS, %s", name_of(a));
        plan(a, 0, 0);
        __asm__ volatile("adr %0, 1f\n1: msr actlr_el1, %1" : "=&r"(pc) : "r"(0xa5a5ul) : "memory");
        guest_ok((fault ? undefined((void *)pc) : no_exception()) && exits(AVC_SYSREG, a, 0) &&
                     ask(SEEN_HOW) == (8 | HOW_WRITE) && ask(SEEN_VALUE) == 0xa5a5,
                 "MSR, %s", name_of(a));
    }
}

static void devices(void)
{
    uint64_t va = PLACE_DEVICE;

    for (unsigned work = WORK_NONE; work <= WORK_DATA; work += WORK_DATA)
        FOR_EACH_ANSWER(a)
        {
            uint64_t how = effective(a, AVC_FAULT), x;

            if (work && a != AVC_RETRY)
                continue;
            va += 0x1000;
            plan(a, 0x89abcdef, work);
            __asm__ volatile("mov %0, #1; ldrsw %0, [%1]" : "=&r"(x) : "r"(va + 8) : "memory");
            if (how == AVC_FAULT)
                guest_ok(x == 1 && abort_at(EC_DABT, va + 8, false) && exits(AVC_MMIO, a, work), "load, %s",
                         name_of(a));
            else
                guest_ok(x == (work ? (uint32_t)(DATA_PATTERN + 1) : 0xffffffff89abcdef) && no_exception() &&
                             exits(AVC_MMIO, a, work) && ask(SEEN_HOW) == 4 && ask(SEEN_KEY) == va + 8,
                         "load, %s%s: %lx", name_of(a), work ? " with memory there" : "", x);
            va += 0x1000;
            plan(a, 0, work);
            __asm__ volatile("strh %w0, [%1]" ::"r"(0x12345678), "r"(va + 2) : "memory");
            if (how == AVC_FAULT)
                guest_ok(abort_at(EC_DABT, va + 2, true) && exits(AVC_MMIO, a, work), "store, %s", name_of(a));
            else
                guest_ok(no_exception() && exits(AVC_MMIO, a, work) && ask(SEEN_HOW) == (2 | HOW_WRITE) &&
                             ask(SEEN_VALUE) == 0x5678 && (!work || *(volatile uint16_t *)(va + 2) == 0x5678),
                         "store, %s%s", name_of(a), work ? " with memory there" : "");
        }
}

/* BRK, which is claimed. If nobody answers it, the guest itself gets the exception, unlike with the others. */
static void breakpoints(void)
{
    static const uint64_t all[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_PASS, KEEP };

    for (unsigned i = 0; i < 5; i++) {
        uint64_t a = all[i], how = effective(a, AVC_PASS), pc;
        register uint64_t x0 __asm__("x0") = 1;

        plan(a, 31, 0);
        __asm__ volatile("mov x0, #1; adr %1, 1f\n1: brk #0x123" : "=&r"(x0), "=&r"(pc)::"memory");
        if (how == AVC_PASS)
            guest_ok(taken == 1 && at_esr == (0x3cul << 26 | 1ul << 25 | 0x123) && at_elr == pc &&
                         exits(AVC_CLASS, a, 0),
                     "BRK, %s", name_of(a));
        else
            guest_ok((how == AVC_FAULT ? undefined((void *)pc) : no_exception() && x0 == 31) && exits(AVC_CLASS, a, 0),
                     "BRK, %s", name_of(a));
    }
}

/*
 * Runs el0_code at EL0 with x0 = 1, and returns its x0. Nobody has claimed the number of the last SVC, so EL1 gets it.
 */
uint64_t el0_svc(uint64_t pc, uint64_t pstate);
__asm__(".text\n"
        "el0_svc:\n"
        "str x30, [sp, #-16]!\n"
        "msr elr_el1, x0\n"
        "msr spsr_el1, x1\n"
        "mov x0, #1\n"
        "eret\n"
        "el0_back:\n"
        "ldr x30, [sp], #16\n"
        "ret\n"
        "el0_code:\n"
        "mov x8, #42\n"
        "svc #7\n"
        "mov x8, #1000\n"
        "svc #0x99\n");
extern char el0_code[];

static void system_calls(void)
{
    uint64_t va = 0xc0000000 + ((uintptr_t)el0_code - GUEST_RAM); /* lib/start.S maps the RAM there for EL0 */
    static const uint64_t all[] = { AVC_DONE, AVC_RETRY, AVC_FAULT, AVC_PASS, KEEP };

    for (unsigned i = 0; i < 5; i++) {
        uint64_t a = all[i], how = effective(a, AVC_PASS), x0;

        plan(a, 31, 0);
        x0 = el0_svc(va, 0x3c0);
        if (how == AVC_PASS)
            guest_ok(taken == 1 && at_esr == (0x15ul << 26 | 1ul << 25 | 7) && at_elr == va + 8 && x0 == 1 &&
                         exits(AVC_SVC, a, 0) && ask(SEEN_KEY) == 42,
                     "SVC, %s", name_of(a));
        else if (how == AVC_FAULT)
            guest_ok(undefined((void *)(va + 4)) && exits(AVC_SVC, a, 0), "SVC, %s", name_of(a));
        else
            guest_ok(no_exception() && x0 == 31 && exits(AVC_SVC, a, 0), "SVC, %s", name_of(a));
    }
}

/* ---- memory ---- */

static uint64_t page_of(uint64_t place)
{
    static uint64_t used;

    return place + 0x1000 * (used++ % PLACE_PAGES);
}

/* Each function returns what it has loaded, or a value that shows whether its store was done. */
static uint64_t fetch(uint64_t va)
{
    return ((uint64_t(*)(void))va)();
}

static uint64_t load_pair(uint64_t va)
{
    uint64_t a = 1, b = 1;

    __asm__ volatile("ldp %0, %1, [%2]" : "+&r"(a), "+&r"(b) : "r"(va) : "memory");
    return b - a == 1 ? a : 0;
}

static uint64_t exclusive(uint64_t va)
{
    uint64_t a = 1;

    __asm__ volatile("ldxr %0, [%1]; clrex" : "+&r"(a) : "r"(va) : "memory");
    return a;
}

static uint64_t atomic(uint64_t va)
{
    uint64_t a = 1;

    __asm__ volatile(".arch_extension lse\nldadd %1, %0, [%2]\n.arch_extension nolse"
                     : "+&r"(a)
                     : "r"(3ul), "r"(va)
                     : "memory");
    return a;
}

static uint64_t store(uint64_t va)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(0xcafe), "r"(va) : "memory");
    return *(volatile uint32_t *)va;
}

static uint64_t store_pair(uint64_t va)
{
    __asm__ volatile("stp %0, %0, [%1]" ::"r"(0xcafeul), "r"(va) : "memory");
    return *(volatile uint64_t *)(va + 8);
}

/* Makes entry n of the first table point to a page without memory, and accesses an address that uses it. */
static uint64_t walk(uint64_t table)
{
    static unsigned n = 4;
    uint64_t a = 1;

    ((volatile uint64_t *)READ("ttbr0_el1"))[n] = table | 3;
    __asm__ volatile("dsb ishst; isb" ::: "memory");
    __asm__ volatile("ldr %0, [%1]" : "+&r"(a) : "r"((uint64_t)n++ << 30) : "memory");
    return a;
}

struct access {
    const char *name;
    uint64_t (*fn)(uint64_t va);
    uint64_t place;
    unsigned work;
    uint64_t value, how, key; /* value: if the access succeeds; how and key: what the VMM sees */
    unsigned ec;
    bool write, emulated; /* write: a store; emulated: DONE is possible without mapping anything */
};

static const struct access accesses[] = {
    { "fetch", fetch, PLACE_NOTHING, WORK_CODE, CODE_RETURNS, HOW_FETCH, 0, EC_IABT, false, false },
    { "load of a pair", load_pair, PLACE_NOTHING, WORK_DATA, DATA_PATTERN, 0, 0, EC_DABT, false, false },
    { "exclusive load", exclusive, PLACE_NOTHING, WORK_DATA, DATA_PATTERN, 0, 0, EC_DABT, false, false },
    { "store to read-only memory", store, PLACE_RO, WORK_PERMIT, 0xcafe, 4 | HOW_WRITE, 0, EC_DABT, true, true },
    { "store of a pair there", store_pair, PLACE_RO, WORK_PERMIT, 0xcafe, HOW_WRITE, 0, EC_DABT, true, false },
    { "table walk", walk, PLACE_TABLES, WORK_TABLE, 0, 0, 0, EC_DABT, false, false },
    { "atomic", atomic, PLACE_NOTHING, WORK_DATA, DATA_PATTERN, HOW_WRITE, 0, EC_DABT, true, false },
};

static bool atomics(void)
{
    return READ("id_aa64isar0_el1") >> 20 & 0xf;
}

static void memory_access(const struct access *m, uint64_t a)
{
    uint64_t va = page_of(m->place), how = effective(a, AVC_FAULT), want = m->value, x;
    bool done = a == AVC_DONE && m->emulated, walks = m->fn == walk;
    /* Nobody can complete an access that was not decoded, so DONE has the effect of RETRY. */
    unsigned work = a == AVC_RETRY || (a == AVC_DONE && !m->emulated) ? m->work : WORK_NONE;

    if (walks)
        want = *(volatile uint64_t *)GUEST_RAM;
    plan(a, 0, work);
    x = m->fn(va);
    if (how == AVC_FAULT && walks)
        guest_ok(x == 1 && taken == 1 && at_esr >> 26 == EC_DABT && (at_esr & 0x3c) == 0x14 &&
                     exits(AVC_STAGE2, a, work),
                 "%s, %s: esr %lx", m->name, name_of(a), at_esr);
    else if (how == AVC_FAULT)
        guest_ok(abort_at(m->ec, va, at_esr >> 6 & 1) && exits(AVC_STAGE2, a, work) && ask(SEEN_KEY) == va, "%s, %s",
                 m->name, name_of(a));
    else
        guest_ok(x == (done ? 0 : want) && no_exception() && exits(AVC_STAGE2, a, work) && ask(SEEN_KEY) == va,
                 "%s, %s: %lx", m->name, name_of(a), x);
    if (m->fn != atomic) /* FEAT_LSE leaves open whether the syndrome of an atomic says read or write */
        guest_ok((ask(SEEN_HOW) == m->how || walks) && (how != AVC_FAULT || (at_esr >> 6 & 1) == m->write || walks),
                 "%s: the VMM and the guest are told how it was accessed (%lx)", m->name, ask(SEEN_HOW));
}

static void memory(void)
{
    for (unsigned n = 0; n < sizeof accesses / sizeof accesses[0]; n++) {
        if (accesses[n].fn == atomic && !atomics())
            continue;
        FOR_EACH_ANSWER(a)
        {
            if (a != KEEP)
                memory_access(&accesses[n], a);
        }
    }
}

/* ---- exits that wait, exits that end, and interrupts ---- */

static void waits(void)
{
    FOR_EACH_ANSWER(a)
    {
        uint64_t pc;

        plan(a, 0, 0);
        __asm__ volatile("adr %0, 1f\n1: wfi" : "=&r"(pc)::"memory");
        guest_ok((effective(a, AVC_DONE) == AVC_FAULT ? undefined((void *)pc) : no_exception()) && exits(AVC_WFI, a, 0),
                 "WFI, %s", name_of(a));
    }
}

/* Whatever the answer, these change nothing of the guest's. */
static void outside(void)
{
    for (unsigned n = 0; n < 5; n++) {
        plan(KEEP, 0, 0);
        guest_ok(guest_hvc(CALL_KICK, 0, 0, 0, NULL) == 1 && ask(SEEN_KICKS) == 1 && no_exception(), "kick %u", n);
        plan(KEEP, 0, 0);
        guest_hvc(CALL_TICK, 0, 0, 0, NULL);
        while (!ask(SEEN_IRQS))
            ;
        guest_ok(ask(SEEN_IRQS) == 1 && no_exception(), "interrupt %u of the host's", n);
    }
}

/* ---- the second vCPU, which sleeps and powers down ---- */

static volatile unsigned second_phase, slept, slept_well;

static void second(void)
{
    extern char _start[];

    if (second_phase == 0) {
        second_phase = 1;
        for (unsigned n = 0; n < 6; n++) {
            guest_hvc(CALL_PLAN, KEEP, 0, 0, NULL);
            slept_well += guest_hvc(CPU_SUSPEND, 0, 0, 0, NULL) == 0 && ask(SEEN_KIND) == AVC_CPU_SUSPEND;
            slept++;
        }
        guest_hvc(CPU_SUSPEND, POWERDOWN, (uintptr_t)_start, 0, NULL); /* goes on at _start, so not here */
        second_phase = 99;
    }
    second_phase++;
    guest_hvc(CPU_OFF, 0, 0, 0, NULL);
    second_phase = 99;
}

static bool second_goes_off(void)
{
    for (unsigned n = 0; n < 1000; n++) {
        if (guest_hvc(AFFINITY, 1, 0, 0, NULL) == 1)
            return true;
        guest_hvc(CALL_YIELD, 0, 0, 0, NULL);
    }
    return false;
}

static void power(void)
{
    guest_ok(guest_hvc(AFFINITY, 1, 0, 0, NULL) == 1, "the second vCPU is off");
    guest_ok(guest_cpu_on(1) == 0 && second_goes_off(), "it comes, and is off again");
    guest_ok(slept == 6 && slept_well == 6, "CPU_SUSPEND returns, whatever the answer (%u of %u)", slept_well, slept);
    guest_ok(second_phase == 2, "and with power-down goes on where it said");
    guest_ok(guest_cpu_on(1) == 0 && second_goes_off() && second_phase == 3, "the second vCPU comes and goes again");
}

int guest_main(unsigned cpu)
{
    static volatile unsigned boots;
    uint64_t flags = guest_hvc(CALL_RUN, 0, 0, 0, NULL);

    if (cpu == 1)
        second();
    if (cpu == 1 || ++boots > 2)
        return 1;
    if (boots == 2) {
        guest_ok(!ignored, "SYSTEM_RESET, answered: here again");
        guest_hvc(CALL_TESTS, guest_tests, 0, 0, NULL);
        return 0;
    }
    ignored = flags & RUN_IGNORES;
    guest_tests = (unsigned)guest_hvc(CALL_TESTS, 0, 0, 0, NULL);
    guest_on_sync = on_sync;
    calls();
    registers();
    devices();
    breakpoints();
    if (flags & RUN_SVC)
        system_calls();
    memory();
    waits();
    outside();
    power();
    if (ignored)
        guest_plan();
    guest_hvc(SYSTEM_RESET, 0, 0, 0, NULL);
    return 1; /* it must not return */
}
