/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* See guest.h. */
#include "guest.h"

#include "format.h"

#define PSCI_CPU_ON     UINT64_C(0xc4000003)
#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)

void (*guest_on_sync)(struct guest_regs *regs, uint64_t esr, uint64_t far);
void (*guest_on_irq)(struct guest_regs *regs);
void (*guest_on_serror)(struct guest_regs *regs, uint64_t esr);

unsigned guest_tests;
static unsigned failures;

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = (char)c;
    return to;
}

#define CONDUIT(name, instruction)                                                                                     \
    uint64_t name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t r[4])                                   \
    {                                                                                                                  \
        register uint64_t x0 __asm__("x0") = a0;                                                                       \
        register uint64_t x1 __asm__("x1") = a1;                                                                       \
        register uint64_t x2 __asm__("x2") = a2;                                                                       \
        register uint64_t x3 __asm__("x3") = a3;                                                                       \
                                                                                                                       \
        __asm__ volatile(instruction : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");                              \
        if (r) {                                                                                                       \
            r[0] = x0;                                                                                                 \
            r[1] = x1;                                                                                                 \
            r[2] = x2;                                                                                                 \
            r[3] = x3;                                                                                                 \
        }                                                                                                              \
        return x0;                                                                                                     \
    }
CONDUIT(guest_hvc, "hvc #0")
CONDUIT(guest_smc, "smc #0")

/* A guest of another host may define its own. */
__attribute__((weak)) void guest_putc(char c)
{
    guest_hvc(CALL_PUTC, (unsigned char)c, 0, 0, NULL);
}

void guest_printf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format(guest_putc, fmt, args);
    va_end(args);
}

void guest_ok(bool ok, const char *fmt, ...)
{
    va_list args;

    guest_printf("%sok %u - ", ok ? "" : "not ", ++guest_tests);
    failures += !ok;
    va_start(args, fmt);
    format(guest_putc, fmt, args);
    va_end(args);
    guest_putc('\n');
}

void guest_plan(void)
{
    guest_printf("1..%u\n", guest_tests);
}

unsigned guest_cpu(void)
{
    return READ("mpidr_el1") & 0xff;
}

extern char _start[];

int64_t guest_cpu_on(unsigned n)
{
    return (int64_t)guest_hvc(PSCI_CPU_ON, n, (uintptr_t)_start, 0, NULL);
}

_Noreturn void guest_off(int status)
{
    if (status)
        guest_printf("Bail out! guest_main returned %d\n", status);
    guest_hvc(PSCI_SYSTEM_OFF, 0, 0, 0, NULL);
    for (;;)
        ;
}

static void dump(const char *what, const struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    guest_printf("Bail out! %s on vCPU %u: esr %lx elr %lx far %lx spsr %lx\n", what, guest_cpu(), esr, regs->elr, far,
                 regs->spsr);
    guest_off(1);
}

void guest_sync(struct guest_regs *regs, uint64_t esr, uint64_t far);
void guest_irq(struct guest_regs *regs, uint64_t esr, uint64_t far);
void guest_serror(struct guest_regs *regs, uint64_t esr, uint64_t far);

void guest_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (guest_on_sync)
        guest_on_sync(regs, esr, far);
    else
        dump("exception", regs, esr, far);
}

void guest_irq(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (guest_on_irq)
        guest_on_irq(regs);
    else
        dump("interrupt", regs, esr, far);
}

void guest_serror(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (guest_on_serror)
        guest_on_serror(regs, esr);
    else
        dump("SError", regs, esr, far);
}

/* ---- interrupts ---- */

#define GICD ((volatile uint32_t *)GUEST_DIST)
#define GICR ((volatile uint32_t *)(GUEST_RD + 0x20000ul * guest_cpu()))

void guest_gic_init(void)
{
    GICD[0] = 0x37; /* GICD_CTLR: ARE, both groups */
    GICR[0x14 / 4] &= ~2u;
    while (GICR[0x14 / 4] & 4)
        ;
    GICR[(0x10000 + 0x80) / 4] = ~0u; /* GICR_IGROUPR0 */
    WRITE("s3_0_c12_c12_5", 7);       /* ICC_SRE_EL1 */
    WRITE("s3_0_c4_c6_0", 0xff);      /* ICC_PMR_EL1 */
    WRITE("s3_0_c12_c12_7", 1);       /* ICC_IGRPEN1_EL1 */
}

uint32_t guest_gic_ack(void)
{
    return (uint32_t)READ("s3_0_c12_c12_0");
}

void guest_gic_eoi(uint32_t intid)
{
    WRITE("s3_0_c12_c12_1", intid);
}

void guest_gic_enable(uint32_t intid)
{
    if (intid < 32) {
        GICR[(0x10000 + 0x100) / 4] = 1u << intid;
    } else {
        GICD[0x80 / 4 + intid / 32] |= 1u << intid % 32; /* GICD_IGROUPR */
        GICD[0x100 / 4 + intid / 32] = 1u << intid % 32;
    }
}

void guest_sgi(uint64_t value)
{
    __asm__ volatile("dsb ishst" ::: "memory");
    WRITE("s3_0_c12_c11_5", value);
}
