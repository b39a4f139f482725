/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest measures with the virtual counter. In the emulator's counting mode it goes up by one with each instruction,
 * at 1 GHz. The guest prints the frequency first, and bench.py scales the ticks by it.
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

/*
 * Prints "row<TAB>family/member<TAB>ticks<TAB>rounds" for bench.py, which takes the dearest member as the family's
 * figure. member is NULL for a row that is no family.
 */
static inline void print_row(const char *family, const char *member, uint64_t ticks, unsigned rounds)
{
    MARK(ROW);
    guest_printf("row\t%s%s%s\t%lu\t%u\n", family, member ? "/" : "", member ? member : "", ticks, rounds);
}

/* The parts of the bench, one in each file. */
void bench_traps(void);
void bench_devices(void);
void bench_gic(void);
void bench_interrupts(void);
void bench_memory(void);

/*
 * vectors.S: the first instruction of vCPU 1, for the row of CPU_ON; and the shortest vectors that a guest can have,
 * which call bench_irq().
 */
extern char bench_first_instruction[], bench_vectors[];
void bench_irq(void);

#endif
