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

static inline uint64_t now(void)
{
    return READ("cntvct_el0");
}

/* "row<TAB>family/member<TAB>ticks<TAB>rounds", for bench.py: the dearest member is the family's figure. member: NULL
   for a row that is no family. */
static inline void print_row(const char *family, const char *member, uint64_t ticks, unsigned rounds)
{
    MARK(ROW);
    guest_printf("row\t%s%s%s\t%lu\t%u\n", family, member ? "/" : "", member ? member : "", ticks, rounds);
}

/* The parts, in files of their own. */
void bench_traps(void);
void bench_devices(void);
void bench_gic(void);
void bench_interrupts(void);
void bench_memory(void);

/* vectors.S: where vCPU 1 begins for the row of CPU_ON; the least vectors of a guest, which call bench_irq(). */
extern char bench_first_instruction[], bench_vectors[];
void bench_irq(void);

#endif
