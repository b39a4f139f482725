/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The command line, the monitor, and what it reports. A word of the command line is
 *
 *   attack=NAME  seed=N  rounds=N  cpus=N  patience=N  wild=N  vm=N
 *
 * with N in decimal. Attacks may write to the console whatever they like, so each line of a report begins with "@@",
 * ends with a checksum, and is printed three times.
 */
#include "attack.h"

#define PSCI_CPU_ON        UINT64_C(0xc4000003)
#define PSCI_ALREADY_ON    (-4)
#define PSCI_ON_PENDING    (-5)
#define PSCI_CPU_OFF       UINT64_C(0x84000002)
#define PSCI_AFFINITY_INFO UINT64_C(0xc4000004)

union padded_cell cells[MAX_CPUS] __attribute__((aligned(1024)));
struct options options = { .attack = "", .rounds = 1, .cpus = 2, .patience = 1000 };

static const struct attack *const attacks[] = { &attack_insn, &attack_gic, &attack_psci, &attack_tables,
                                                &attack_flood };
static const struct attack *chosen;

/* ---- random numbers and time ---- */

uint64_t rnd(struct cell *cell)
{
    uint64_t z = cell->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t now(void)
{
    return READ("cntvct_el0");
}

void timer_in(uint64_t us)
{
    WRITE("cntv_cval_el0", now() + us * READ("cntfrq_el0") / 1000000);
    WRITE("cntv_ctl_el0", 1);
}

/* ---- the command line ---- */

static bool word_is(const char *at, const char *name)
{
    while (*name && *at == *name)
        at++, name++;
    return !*name;
}

static void number(const char *at, const char *name, uint64_t *value)
{
    if (!word_is(at, name))
        return;
    while (*name)
        at++, name++;
    for (*value = 0; *at >= '0' && *at <= '9'; at++)
        *value = *value * 10 + (uint64_t)(*at - '0');
}

/* The command line is a string of the device tree, which is at the start of memory. No other string of it has these
   words. A host without a device tree puts the string there. */
static void options_read(void)
{
    const char *begin = (const char *)GUEST_RAM, *at = begin;

    while (at < begin + 0x10000 && !word_is(at, "attack="))
        at++;
    at += 7;
    for (unsigned i = 0; i < sizeof(options.attack) - 1 && at[i] > ' '; i++)
        options.attack[i] = at[i];
    for (; *at; at++) {
        number(at, "seed=", &options.seed);
        number(at, "rounds=", &options.rounds);
        number(at, "cpus=", &options.cpus);
        number(at, "patience=", &options.patience);
        number(at, "wild=", &options.wild);
        number(at, "vm=", &options.vm);
    }
}

/* ---- reports ---- */

static char line[200];
static unsigned line_length;

static void line_putc(char c)
{
    if (line_length < sizeof(line))
        line[line_length++] = c;
}

void guest_putc(char c)
{
    line_putc(c);
}

static void line_end(void)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < line_length; i++)
        sum = sum * 31 + (unsigned char)line[i];
    guest_printf(" #%08x\n", sum);
    mmio_write(UART + 0x30, 0x301); /* CR: an attack may have looped it back */
    mmio_write(UART + 0x38, 0);
    for (unsigned times = 0; times < 3; times++) {
        mmio_write(UART, '\n');
        for (unsigned i = 0; i < line_length; i++)
            mmio_write(UART, (unsigned char)line[i]);
    }
    line_length = 0;
}

_Noreturn void fail(const char *what, uint64_t got, uint64_t wanted)
{
    static volatile uint32_t reporting;

    guest_irq_mask();
    if (!reporting) {
        reporting = 1;
        line_length = 0;
        guest_printf("@@ fail ");
        if (options.vm)
            guest_printf("VM %lu, ", options.vm);
        guest_printf("vCPU %u: %s: got %lx, wanted %lx", guest_cpu(), what, got, wanted);
        line_end();
        guest_off(0);
    }
    for (;;)
        ;
}

static void report(unsigned lost)
{
    uint64_t rounds = 0, faults = 0, interrupts = 0, restarts = 0;

    for (unsigned n = FIRST_HOSTILE; n < options.cpus; n++) {
        rounds += cell_of(n)->round;
        faults += cell_of(n)->faults;
        interrupts += cell_of(n)->ticks + cell_of(n)->others;
        restarts += cell_of(n)->starts - 1;
    }
    line_length = 0;
    guest_printf("@@ done rounds=%lu faults=%lu interrupts=%lu restarts=%lu lost=%u checks=%lu beats=%lu pings=%lu",
                 rounds, faults, interrupts, restarts, lost, cell_of(0)->checks + cell_of(1)->checks, cell_of(0)->ticks,
                 cell_of(1)->pings);
    line_end();
}

/* ---- interrupts and exceptions ---- */

/* Hostile vCPUs do with an interrupt what their attack says. The other two are careful: a line that stays up, because
   an attack has programmed it so, is disabled. */
static void on_irq(struct guest_regs *regs)
{
    unsigned cpu = guest_cpu();
    struct cell *cell = cell_of(cpu);
    uint32_t intid = guest_gic_ack();

    cell->last = intid;
    if (intid == VTIMER) {
        cell->ticks++;
        WRITE("cntv_ctl_el0", 0);
    } else if (intid == SGI_PING) {
        cell->pings++;
    } else {
        cell->others++;
    }
    if (intid >= 1020)
        return;
    if (intid >= 32)
        mmio_write(GICD + 0x180 + intid / 32 * 4, 1u << intid % 32);
    else if (intid >= 16)
        WRITE("cntp_ctl_el0", 0);
    guest_gic_eoi(intid);
}

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    unsigned cpu = guest_cpu();

    if (cpu < FIRST_HOSTILE)
        fail("an exception on a vCPU that did not cause it", esr, regs->elr);
    cell_of(cpu)->faults++;
    cell_of(cpu)->last = esr;
    regs->elr += 4;
}

static void on_serror(struct guest_regs *regs, uint64_t esr)
{
    if (guest_cpu() < FIRST_HOSTILE)
        fail("an SError", esr, 0);
}

/* ---- a vCPU's interrupts, made good again ---- */

/* Attacks may switch the distributor off for all. They leave the redistributors of vCPUs 0 and 1 alone. */
static void interrupts_on(void)
{
    guest_gic_init();
    guest_gic_enable(VTIMER);
    guest_gic_enable(SGI_PING);
}

/* ---- the monitor ---- */

static bool wait_for(const volatile uint64_t *counter, uint64_t before)
{
    for (uint64_t turn = 0; turn < options.patience * 4000; turn++) {
        if (*counter != before)
            return true;
        if (turn % 4096 == 4095) {
            guest_irq_mask();
            mmio_write(GICD, 0x37);
            guest_irq_unmask();
        }
    }
    return false;
}

static void heartbeat(struct cell *self)
{
    uint64_t before = self->ticks, pings = cell_of(1)->pings;

    timer_in(20);
    guest_irq_unmask();
    if (!wait_for(&self->ticks, before))
        fail("no timer interrupt", self->ticks, before + 1);
    if (self->ticks % 8) { /* an SGI's way takes long: vCPU 1 may have to wait for its turn */
        guest_irq_mask();
        return;
    }
    guest_sgi(UINT64_C(1) << 1 | (uint64_t)SGI_PING << 24);
    if (!wait_for(&cell_of(1)->pings, pings))
        fail("an SGI was lost", cell_of(1)->pings, pings + 1);
    if (cell_of(1)->pings != pings + 1)
        fail("an SGI came twice", cell_of(1)->pings, pings + 1);
    guest_irq_mask();
}

static _Noreturn void stands_still(unsigned n, const struct cell *cell)
{
    line_length = 0;
    guest_printf("@@ note vCPU %u: round %lu, interrupts %lu, faults %lu, the last %lx", n, cell->round,
                 cell->ticks + cell->others, cell->faults, cell->last);
    line_end();
    fail("a vCPU stands still", n, cell->round);
}

/* A vCPU that has switched itself off is switched on again. Returns whether all have done what they were told, or will
   never do it. One that may be lost is waited for less: it may spin with no interrupt to end it, and execute more
   instructions meanwhile than all others need. */
static bool watch(unsigned *lost)
{
    static uint64_t seen[MAX_CPUS], stalled[MAX_CPUS];
    uint64_t enough = chosen->may_be_lost ? 250 + options.patience / 50 : options.patience / 5;
    bool all = true;

    *lost = 0;
    for (unsigned n = FIRST_HOSTILE; n < options.cpus; n++) {
        struct cell *cell = cell_of(n);

        if (cell->done)
            continue;
        if (cell->beats != seen[n]) {
            seen[n] = cell->beats;
            stalled[n] = 0;
        } else if (++stalled[n] < enough) {
            if (stalled[n] % 16 == 0) {
                guest_sgi(UINT64_C(1) << n | UINT64_C(3) << 24);
                if (guest_hvc(PSCI_AFFINITY_INFO, n, 0, 0, NULL) == 1)
                    guest_cpu_on(n);
            }
        } else {
            ++*lost;
            if (!chosen->may_be_lost)
                stands_still(n, cell);
            continue;
        }
        all = false;
    }
    return all;
}

uint64_t own_word(uint64_t i)
{
    return i * UINT64_C(0x9e3779b97f4a7c15) + options.seed;
}

static void own_fill(void)
{
    for (uint64_t i = 0; i < OWN_WORDS; i++)
        OWN[i] = own_word(i);
}

static void own_check(uint64_t first, uint64_t words)
{
    for (uint64_t i = first; i < first + words; i++)
        if (OWN[i] != own_word(i))
            fail("memory of the VM's own", OWN[i], i);
}

static int monitor(void)
{
    struct cell *self = cell_of(0);
    unsigned lost = 0;
    uint64_t turns = options.cpus == FIRST_HOSTILE ? options.rounds : 0; /* nobody is hostile here */

    own_fill();

    for (unsigned n = 1; n < options.cpus; n++) {
        int64_t got = guest_cpu_on(n);
        bool other = got == PSCI_ALREADY_ON || got == PSCI_ON_PENDING; /* the first hostile one has been faster */

        if (got && !(other && n > FIRST_HOSTILE))
            fail("CPU_ON", n, (uint64_t)got);
        while (n == 1 && !cell_of(1)->starts) /* it is on before a hostile one may call CPU_ON for it */
            ;
    }
    interrupts_on();
    do {
        check_state(0, self, true);
        check_state(0, self, false);
        own_check(below(self, OWN_WORDS / 512) * 512, 512);
        heartbeat(self);
        turns -= turns > 0;
    } while (!watch(&lost) || turns);
    own_check(0, OWN_WORDS);
    report(lost);
    return 0;
}

/* ---- the others ---- */

static _Noreturn void sleeper(struct cell *self)
{
    guest_gic_init();
    guest_gic_enable(VTIMER);
    guest_gic_enable(SGI_PING);
    self->starts++;
    for (;;) {
        timer_in(1 + below(self, 200));
        guest_irq_unmask();
        __asm__ volatile("wfi");
        guest_irq_mask();
        check_state(1, self, self->beats++ & 1);
    }
}

static _Noreturn void hostile(unsigned cpu)
{
    struct cell *self = cell_of(cpu);

    self->starts++;
    guest_gic_init();
    guest_gic_enable(VTIMER);
    if (chosen->begin)
        chosen->begin(cpu);
    while (self->round < options.rounds) {
        self->round++;
        self->beats++;
        chosen->round(cpu, self);
    }
    self->done = 1;
    for (;;)
        guest_hvc(PSCI_CPU_OFF, 0, 0, 0, NULL);
}

static void first_start(void)
{
    options_read();
    for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        if (word_is(options.attack, attacks[i]->name))
            chosen = attacks[i];
    if (options.cpus < FIRST_HOSTILE || options.cpus > MAX_CPUS || !chosen)
        fail("options", options.cpus, (uintptr_t)chosen);
    for (unsigned n = 0; n < MAX_CPUS; n++)
        cell_of(n)->random = options.seed * MAX_CPUS + n;
    guest_on_irq = on_irq;
    guest_on_sync = on_sync;
    guest_on_serror = on_serror;
}

int guest_main(unsigned cpu)
{
    if (cpu == 0) {
        first_start();
        return monitor();
    }
    if (cpu == 1)
        sleeper(cell_of(1));
    hostile(cpu);
}
