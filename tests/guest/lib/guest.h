/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * For programs that run in a VM, at EL1: guest_main() is called on every vCPU that starts, with caches and an identity
 * map on, FP enabled, interrupts masked. Results are TAP lines, printed by hypercall.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"

/* Yours. What the first vCPU returns ends the VM: 0 is well. */
int guest_main(unsigned cpu);

struct guest_regs {
    uint64_t x[31], sp, elr, spsr;
};

/* Exceptions: NULL means a dump and the end. sync may change regs (step with elr += 4). */
extern void (*guest_on_sync)(struct guest_regs *regs, uint64_t esr, uint64_t far);
extern void (*guest_on_irq)(struct guest_regs *regs);
extern void (*guest_on_serror)(struct guest_regs *regs, uint64_t esr);

void guest_putc(char c);
void guest_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* TAP. guest_plan() last or first; guest_ok counts, in guest_tests: a guest that goes on for another one sets it. */
extern unsigned guest_tests;
void guest_ok(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void guest_plan(void);
extern unsigned guest_tests; /* results so far; a guest that goes on with another's numbers sets it first */

/* The SMCCC conduits: x0..x3 in, x0..x3 out in r when not NULL. */
uint64_t guest_hvc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t r[4]);
uint64_t guest_smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t r[4]);

/* Starts vCPU n, which then calls guest_main(n). PSCI's answer. */
int64_t guest_cpu_on(unsigned n);
unsigned guest_cpu(void);
_Noreturn void guest_off(int status);

/* GICv3 of the VM at its usual place, EOImode 0; timers. */
void guest_gic_init(void);
uint32_t guest_gic_ack(void);
void guest_gic_eoi(uint32_t intid);
void guest_gic_enable(uint32_t intid);
void guest_sgi(uint64_t value); /* ICC_SGI1R_EL1 */
static inline void guest_irq_unmask(void)
{
    __asm__ volatile("msr daifclr, #2; isb" ::: "memory");
}
static inline void guest_irq_mask(void)
{
    __asm__ volatile("msr daifset, #2; isb" ::: "memory");
}

#define READ(reg)                                                                                                      \
    ({                                                                                                                 \
        uint64_t v_;                                                                                                   \
        __asm__ volatile("mrs %0, " reg : "=r"(v_)::"memory");                                                         \
        v_;                                                                                                            \
    })
#define WRITE(reg, value) __asm__ volatile("msr " reg ", %0; isb" ::"r"((uint64_t)(value)) : "memory")

#endif
