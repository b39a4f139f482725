/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The runtime of programs that run in a VM, at EL1. It calls guest_main() on every vCPU that starts, with caches and an
 * identity map on, FP enabled, and interrupts masked. The program prints results as TAP, by hypercall.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"

/* The program defines it. What it returns on the first vCPU ends the VM: 0 means success. */
int guest_main(unsigned cpu);

struct guest_regs {
    uint64_t x[31], sp, elr, spsr;
};

/*
 * Handlers of exceptions. If one is NULL, such an exception prints the registers and ends the VM. sync may change regs,
 * for example elr += 4 to skip the instruction.
 */
extern void (*guest_on_sync)(struct guest_regs *regs, uint64_t esr, uint64_t far);
extern void (*guest_on_irq)(struct guest_regs *regs);
extern void (*guest_on_serror)(struct guest_regs *regs, uint64_t esr);

void guest_putc(char c);
void guest_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* TAP. Call guest_plan() once, before or after all results. guest_ok() counts results in guest_tests. */
extern unsigned guest_tests;
void guest_ok(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void guest_plan(void);
extern unsigned guest_tests; /* results so far; a guest that goes on with another guest's numbers sets it first */

/* SMCCC calls with x0..x3. If r is not NULL, it gets x0..x3 of the result. */
uint64_t guest_hvc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t r[4]);
uint64_t guest_smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t r[4]);

/* Starts vCPU n, which then calls guest_main(n). Returns PSCI's result. */
int64_t guest_cpu_on(unsigned n);
unsigned guest_cpu(void);
_Noreturn void guest_off(int status);

/* The VM's GICv3 at its usual addresses, with EOImode 0. */
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
