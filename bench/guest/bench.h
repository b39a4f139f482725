/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * How the guest measures: with the virtual counter, which in the emulator's counting mode goes up by one with each
 * instruction (at 1 GHz; bench.py scales by the frequency that is printed first).
 */
#ifndef BENCH_H
#define BENCH_H

#include "guest.h"

#include "mark.h"
#include "rows.h"

#define ROUNDS 1000

static inline uint64_t now(void)
{
    return READ("cntvct_el0");
}

/* "row<TAB>name<TAB>ticks<TAB>rounds", for bench.py. GROUP/MEMBER: the worst member is the group's figure. */
static inline void print_row(const char *name, uint64_t ticks, unsigned rounds)
{
    MARK(ROW);
    guest_printf("row\t%s\t%lu\t%u\n", name, ticks, rounds);
}

/* A loop of one operation, less the same loop without it: what the guest pays for it. The operation stands in the loop
   itself, with a and b in registers (%0, %1) and x0..x3 to use: no call around it. */
#define ROW(name, setup, operation, a, b)                                                                              \
    do {                                                                                                               \
        uint64_t a_ = (a), b_ = (b), before_, empty_, full_;                                                           \
        register uint64_t n_ __asm__("x20");                                                                           \
                                                                                                                       \
        before_ = now();                                                                                               \
        for (n_ = 0; n_ < ROUNDS; n_++)                                                                                \
            __asm__ volatile(setup ::"r"(a_), "r"(b_) : "x0", "x1", "x2", "x3", "memory");                             \
        empty_ = now() - before_;                                                                                      \
        MARK(COUNT);                                                                                                   \
        before_ = now();                                                                                               \
        for (n_ = 0; n_ < ROUNDS; n_++)                                                                                \
            __asm__ volatile(setup operation ::"r"(a_), "r"(b_) : "x0", "x1", "x2", "x3", "memory");                   \
        full_ = now() - before_;                                                                                       \
        MARK(PAUSE);                                                                                                   \
        print_row(name, full_ - empty_, ROUNDS);                                                                       \
    } while (0)

/* The parts, in files of their own. */
void bench_traps(void);
void bench_devices(void);
void bench_interrupts(void);

/* vectors.S: where vCPU 1 begins for the row of CPU_ON; the least vectors of a guest, which call bench_irq(). */
extern char bench_first_instruction[], bench_vectors[];
void bench_irq(void);

#endif
