/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that attacks its hypervisor. One image has all attacks. Words of its command line choose one, see main.c.
 *
 * vCPU 0 is the monitor. It checks all of its own state, counts its own timer interrupts, sends SGIs to vCPU 1 and
 * waits for each, and watches whether the others go on. vCPU 1 sleeps and wakes, and checks its own state too. All
 * others attack.
 *
 * The addresses are those of QEMU's `virt` board and of vmm/guest/map.h.
 */
#ifndef ATTACK_H
#define ATTACK_H

#ifndef __ASSEMBLER__
#include "guest.h"
#endif

#define MAX_CPUS      8
#define FIRST_HOSTILE 2

#define GICD    0x08000000ul
#define GICR(n) (0x080a0000ul + 0x20000ul * (n))
#define UART    0x09000000ul
#define RTC     0x09010000ul
#define HOLE    0x0b000000ul /* nothing is there */
#define BEYOND  0x70000000ul /* behind the guest's memory */
#define SLOTS   0x40800000ul /* 64 KiB for each vCPU: instructions to be executed */
#define SCRATCH 0x41000000ul /* 1 MiB for each vCPU: what they load and store */
#define ALIAS   0x80000000ul /* add it for the address by which EL0 sees slots and scratch */

#define VTIMER   27
#define SGI_PING 9 /* the monitor's to vCPU 1, and nobody else's */

/* A struct cell, for run.S. */
#define CELL_SHIFT    10
#define SLOT_SP       248
#define SLOT_PC       256
#define SLOT_PSTATE   264
#define SLOT_SCTLR    272
#define SLOT_ESR      280
#define SLOT_ELR      288
#define SLOT_FAR      296
#define SLOT_FRAME    304
#define SLOT_FRAME_SP 400
#define TABLES_SHIFT  15 /* bytes of a vCPU's tables: 32 KiB */
#define SLOT_TABLE    4  /* the first of those that a slot has */

#define SCTLR_GOOD 0x30d01805 /* RES1, M, C, I */
#define SCTLR_OFF  0x30d00800 /* RES1 */

#ifndef __ASSEMBLER__

/** What a vCPU executes next, and what came of it. */
struct slot {
    uint64_t x[31], sp, pc, pstate;
    uint64_t sctlr; /* 0: as it is, MMU on */
    uint64_t esr, elr, far;
    uint64_t frame[13];
};

/** One of each vCPU. It outlives a CPU_OFF and the CPU_ON after it. */
struct cell {
    struct slot slot;
    uint64_t random;          /* state of its generator; 0: not seeded */
    volatile uint64_t beats;  /* moves while the vCPU goes on */
    volatile uint64_t done;   /* it has attacked as often as it was told */
    volatile uint64_t round;  /* attacks so far */
    volatile uint64_t ticks;  /* timer interrupts taken */
    volatile uint64_t others; /* other interrupts taken */
    volatile uint64_t pings;  /* SGI_PING taken */
    volatile uint64_t faults; /* exceptions taken, of whatever kind */
    volatile uint64_t last;   /* the last interrupt, or the last exception's syndrome */
    volatile uint64_t checks; /* of its own state */
    volatile uint64_t starts;
};

union padded_cell {
    struct cell cell;
    uint8_t bytes[1 << CELL_SHIFT];
};
extern union padded_cell cells[MAX_CPUS];

static inline struct cell *cell_of(unsigned cpu)
{
    return &cells[cpu].cell;
}

/** The command line: attack=NAME, and numbers. */
struct options {
    char attack[16];
    uint64_t seed, rounds, cpus;
    uint64_t patience; /* how long to wait for another vCPU, in turns of a loop */
    uint64_t wild;     /* 1: fetches from outside of memory, too */
    uint64_t vm;       /* which of several VMs this is, for the report; 0: there is one */
};
extern struct options options;

/** One attack. A round's function is called with IRQs masked. */
struct attack {
    const char *name;
    void (*begin)(unsigned cpu); /* on each hostile vCPU, each time it starts; may be NULL */
    void (*round)(unsigned cpu, struct cell *cell);
    bool may_be_lost; /* what it does may hang the vCPU that does it */
};
extern const struct attack attack_insn, attack_gic, attack_psci, attack_tables, attack_flood;

/** splitmix64: the next number of the vCPU's own sequence. */
uint64_t rnd(struct cell *cell);
static inline uint64_t below(struct cell *cell, uint64_t n)
{
    return rnd(cell) % n;
}
static inline bool once_in(struct cell *cell, uint64_t n)
{
    return below(cell, n) == 0;
}

/** The monitor's own memory, and what is in it. Nothing that attacks of this VM do may reach it. */
#define OWN       ((volatile uint64_t *)0x41800000)
#define OWN_WORDS 0x20000ul
uint64_t own_word(uint64_t i);

/** Ends the run: something that must not happen has happened. */
_Noreturn void fail(const char *what, uint64_t got, uint64_t wanted);

/** A timer interrupt in about so many microseconds. */
void timer_in(uint64_t us);
uint64_t now(void);

/** Fills all registers, traps a while, and compares. */
void check_state(unsigned cpu, struct cell *cell, bool irqs);

/** run.S: executes the slot of this vCPU until any exception is taken to EL1. All of EL1's state is as before then. */
void slot_run(struct slot *slot);

/** The tables of a hostile vCPU, which insn.c makes: devices and memory, for EL1 and EL0. Those of a slot are at
    SLOT_TABLE. */
void tables_make(unsigned cpu);
extern uint64_t tables[MAX_CPUS][8][512];

/* One instruction without write-back, which has a syndrome. */
static inline uint32_t mmio_read(uint64_t address)
{
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static inline void mmio_write(uint64_t address, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

#endif
#endif
