/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * PSCI as a kernel uses it, by HVC and by SMC: vCPUs are switched on, off and on again, sleep in standby and in
 * power-down; and the results for wrong arguments. vCPU 0 drives. The others do what their context id says.
 */
#include "guest.h"

#define SMC64          0x40000000ul
#define PSCI_SUSPEND   0x84000001ul
#define PSCI_OFF       0x84000002ul
#define PSCI_ON        0x84000003ul
#define PSCI_AFFINITY  0x84000004ul
#define PSCI_FEATURES  0x8400000aul
#define SMCCC_VERSION  0x80000000ul
#define SMCCC_FEATURES 0x80000001ul
#define TRNG_VERSION   0x84000050ul
#define TRNG_RND64     0xc4000053ul

#define JUNK      0xdeadbeef00000000ul
#define POWERDOWN 0x10000ul
#define VTIMER    27

/* The context ids, which say what a vCPU does. */
enum job { JOB_OFF = 0x1234, JOB_STAY, JOB_STANDBY, JOB_POWERDOWN, JOB_RESUMED };

typedef uint64_t conduit(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t r[4]);

/* One vCPU writes a word, another reads it, so it is volatile. Each word has one writer. */
static volatile struct {
    unsigned starts;
    uint64_t context, sctlr;
    int64_t result; /* the result of a suspend that returned */
    bool release;   /* vCPU 0 writes it: JOB_STAY may end */
} cpus[4];
static conduit *volatile way;

/* Where vCPUs start. The context id and SCTLR_EL1 are kept in registers that lib/start.S does not write. */
extern char entry[];
__asm__(".pushsection .text\n"
        ".balign 4\n"
        "entry:\n"
        "msr tpidr_el1, x0\n"
        "mrs x1, sctlr_el1\n"
        "msr contextidr_el1, x1\n"
        "b _start\n"
        ".popsection\n");

static int64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c)
{
    return (int64_t)way(fid, a, b, c, NULL);
}

static void timer_in(uint64_t ticks)
{
    guest_gic_enable(VTIMER);
    WRITE("cntv_cval_el0", READ("cntvct_el0") + ticks);
    WRITE("cntv_ctl_el0", 1);
}

/* Waits until the vCPU has this state. The VMM can run other vCPUs meanwhile. Returns false after a time-out. */
static bool wait_for_state(unsigned cpu, int64_t state)
{
    uint64_t end = READ("cntvct_el0") + 10 * READ("cntfrq_el0");

    while (call(PSCI_AFFINITY, cpu, 0, 0) != state) {
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
        if (READ("cntvct_el0") > end)
            return false;
    }
    return true;
}

static void work(unsigned cpu, enum job job)
{
    uint64_t ms = READ("cntfrq_el0") / 1000;

    guest_gic_init();
    switch (job) {
    case JOB_STAY:
        while (!cpus[cpu].release)
            guest_hvc(CALL_ADD, 0, 0, 0, NULL);
        break;
    case JOB_STANDBY:
        timer_in(5 * ms);
        cpus[cpu].result = call(PSCI_SUSPEND | SMC64, 0, 0, 0);
        if (READ("cntvct_el0") < READ("cntv_cval_el0"))
            cpus[cpu].result = -100; /* nothing has woken it */
        break;
    case JOB_POWERDOWN:
        timer_in(5 * ms);
        cpus[cpu].result = call(PSCI_SUSPEND | SMC64, POWERDOWN, (uintptr_t)entry, JOB_RESUMED);
        break;
    default:
        break;
    }
    WRITE("cntv_ctl_el0", 0);
    call(PSCI_OFF, 0, 0, 0);
    cpus[cpu].result = -200; /* CPU_OFF has returned, which it must not */
    for (;;)
        ;
}

static int64_t start(unsigned cpu, enum job job)
{
    cpus[cpu].result = 77;
    cpus[cpu].release = false;
    __asm__ volatile("dmb ish" ::: "memory");
    return call(PSCI_ON | SMC64, cpu, (uintptr_t)entry, job);
}

static void errors(void)
{
    guest_ok(call(PSCI_ON | SMC64, 4, (uintptr_t)entry, 0) == -2, "CPU_ON of a CPU that is not there");
    guest_ok(call(PSCI_ON | SMC64, 1 | JUNK, (uintptr_t)entry, 0) == -2, "CPU_ON with reserved bits");
    guest_ok(call(PSCI_ON | SMC64, 1, 0x10000000, 0) == -9, "CPU_ON at no memory");
    guest_ok(call(PSCI_ON | SMC64, 1, (uintptr_t)entry + 2, 0) == -9, "CPU_ON between instructions");
    guest_ok(call(PSCI_ON | SMC64, 0, (uintptr_t)entry, 0) == -4, "CPU_ON of the caller");
    guest_ok(call(PSCI_AFFINITY, 0, 1, 0) == -2, "AFFINITY_INFO of level 1");
    guest_ok(call(PSCI_AFFINITY, 0, 0, 0) == 0 && call(PSCI_AFFINITY, 3, 0, 0) == 1, "AFFINITY_INFO");
    guest_ok(call(PSCI_SUSPEND, 0x80000000, 0, 0) == -2, "CPU_SUSPEND with reserved bits");
    guest_ok(call(PSCI_SUSPEND, POWERDOWN, 0x10000000, 0) == -9, "CPU_SUSPEND to no memory");
    guest_ok(call(PSCI_FEATURES | JUNK, PSCI_ON | SMC64 | JUNK, 0, 0) == 0 &&
                 call(PSCI_FEATURES, 0x8400000e, 0, 0) == -1,
             "FEATURES");
    guest_ok(call(PSCI_FEATURES, SMCCC_VERSION, 0, 0) == 0 && call(SMCCC_VERSION, 0, 0, 0) == 0x10002, "SMCCC 1.2");
    guest_ok(call(SMCCC_FEATURES, 0x80000002, 0, 0) == -1, "no ARCH_SOC_ID");
}

static void random_numbers(void)
{
    bool has = READ("id_aa64isar0_el1") >> 60;
    uint64_t a[4], b[4];
    int64_t version = call(TRNG_VERSION, 0, 0, 0);

    way(TRNG_RND64, 192, 0, 0, a);
    way(TRNG_RND64, 65, 0, 0, b);
    if (has)
        guest_ok(version == 0x10000 && a[0] == 0 && a[1] && a[2] && a[3] && b[0] == 0 && b[1] == 0 && b[2] <= 1 &&
                     a[3] != b[3],
                 "TRNG: 192 bits, and 65");
    else
        guest_ok(version == -1 && a[0] == ~0ul && a[1] == 192, "no TRNG without FEAT_RNG");
}

static void power(void)
{
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        unsigned starts = cpus[cpu].starts;
        int64_t before, again; /* ON_PENDING until the vCPU is on, which may be between two calls; then ALREADY_ON */

        guest_ok(start(cpu, JOB_STAY) == 0, "CPU_ON %u", cpu);
        before = call(PSCI_AFFINITY, cpu, 0, 0);
        again = start(cpu, JOB_STAY);
        guest_ok((again == -5 && before != 0) || (again == -4 && call(PSCI_AFFINITY, cpu, 0, 0) == 0),
                 "CPU_ON %u again is refused: %ld", cpu, again);
        guest_ok(wait_for_state(cpu, 0), "vCPU %u is on", cpu);
        guest_ok(start(cpu, JOB_STAY) == -4, "CPU_ON %u is ALREADY_ON", cpu);
        cpus[cpu].release = true;
        guest_ok(wait_for_state(cpu, 1), "vCPU %u switched itself off", cpu);
        guest_ok(cpus[cpu].starts == starts + 1 && cpus[cpu].context == JOB_STAY && !(cpus[cpu].sctlr & 0x1005),
                 "vCPU %u began once, with its context and the MMU off", cpu);
    }
    for (unsigned n = 0; n < 20; n++)
        if (start(1 + n % 3, JOB_OFF) != 0 || !wait_for_state(1 + n % 3, 1)) {
            guest_ok(false, "on and off, round %u", n);
            return;
        }
    guest_ok(cpus[1].starts + cpus[2].starts + cpus[3].starts >= 23, "on and off twenty times");
}

static void sleep(void)
{
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        unsigned starts;

        start(cpu, JOB_STANDBY);
        guest_ok(wait_for_state(cpu, 1) && cpus[cpu].result == 0, "vCPU %u: standby, woken by its timer (%ld)", cpu,
                 cpus[cpu].result);
        starts = cpus[cpu].starts;
        start(cpu, JOB_POWERDOWN);
        guest_ok(wait_for_state(cpu, 1), "vCPU %u: power-down, woken by its timer", cpu);
        guest_ok((cpus[cpu].result == 77 && cpus[cpu].starts == starts + 2 && cpus[cpu].context == JOB_RESUMED &&
                  !(cpus[cpu].sctlr & 0x1005)) ||
                     cpus[cpu].result == 0, /* the timer came before the call */
                 "vCPU %u: went on at its entry point, MMU off (%ld)", cpu, cpus[cpu].result);
    }
}

int guest_main(unsigned cpu)
{
    if (cpu) {
        cpus[cpu].context = READ("tpidr_el1");
        cpus[cpu].sctlr = READ("contextidr_el1");
        cpus[cpu].starts++;
        work(cpu, (enum job)cpus[cpu].context);
    }
    for (unsigned n = 0; n < 2; n++) {
        way = n ? guest_smc : guest_hvc;
        guest_printf("# by %s\n", n ? "SMC" : "HVC");
        errors();
        random_numbers();
        power();
        sleep();
    }
    guest_plan();
    return 0;
}
