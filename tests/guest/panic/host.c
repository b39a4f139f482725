/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Exceptions that EL2 must not have, through both tables of vectors: each ends in hal->panic, after a dump that says
 * which it was. Here panic does not end the machine, but raises the next exception. First the table that stands for
 * good, then the one that stands while a guest runs; its exceptions are raised in a claim.
 */
#include <avc/observe.h>

#include "testvm.h"

#define GICR_SGI  0x080b0000ul /* of CPU 0 */
#define GICD_CTLR (*(volatile uint32_t *)0x08000000ul)
#define IGROUPR0  (*(volatile uint32_t *)(GICR_SGI + 0x80))
#define ENABLE0   (*(volatile uint32_t *)(GICR_SGI + 0x100))
#define DISABLE0  (*(volatile uint32_t *)(GICR_SGI + 0x180))
#define SGIS      (1u << SGI_IRQ | 1u << SGI_FIQ)
#define SGI_IRQ   1
#define SGI_FIQ   2 /* in Group 0: on a board with one security state these are FIQs (IHI 0069, 4.6) */

static struct test_vm t;

enum what { SYNC, IRQ, FIQ };
static const struct stage {
    bool in_guest, sp_el0;
    enum what what;
    const char *line;
} stages[] = {
    { false, false, SYNC, "arm_vcpu: synchronous exception at EL2: unknown reason" },
    { false, false, FIQ, "arm_vcpu: FIQ at EL2" },
    { false, true, SYNC, "arm_vcpu: synchronous exception at EL2, on SP_EL0: unknown reason" },
    { false, true, IRQ, "arm_vcpu: IRQ at EL2, on SP_EL0" },
    { false, true, FIQ, "arm_vcpu: FIQ at EL2, on SP_EL0" },
    { true, false, SYNC, "arm_vcpu: synchronous exception at EL2: unknown reason" },
    { true, false, IRQ, "arm_vcpu: IRQ at EL2" },
    { true, false, FIQ, "arm_vcpu: FIQ at EL2" },
    { true, true, SYNC, "arm_vcpu: synchronous exception at EL2, on SP_EL0: unknown reason" },
    { true, true, IRQ, "arm_vcpu: IRQ at EL2, on SP_EL0" },
    { true, true, FIQ, "arm_vcpu: FIQ at EL2, on SP_EL0" },
};
#define NR_STAGES (sizeof(stages) / sizeof(stages[0]))

static unsigned at, lines, named;
static char first[100];

static void raise(const struct stage *s)
{
    lines = named = 0;
    DISABLE0 = SGIS; /* both are pending */
    ENABLE0 = s->what == FIQ ? 1u << SGI_FIQ : s->what == IRQ ? 1u << SGI_IRQ : 0;
    __asm__ volatile("dsb sy; isb" ::: "memory");
    if (s->sp_el0)
        __asm__ volatile("msr spsel, #0");
    switch (s->what) { /* what is inlined here uses no stack */
    case SYNC:
        __asm__ volatile(".inst 0" ::: "memory"); /* UDF #0 */
        break;
    case IRQ:
        __asm__ volatile("msr daifclr, #2; isb; nop; nop; nop; nop; msr daifset, #2" ::: "memory");
        break;
    case FIQ:
        __asm__ volatile("msr daifclr, #1; isb; nop; nop; nop; nop; msr daifset, #1" ::: "memory");
        break;
    }
    __asm__ volatile("msr spsel, #1" ::: "memory");
    host_printf("not ok %u - no exception\n", at + 1);
    host_off(1);
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static void log_line(void *ctx, enum avc_log_level level, const char *line)
{
    unsigned n = 0;

    for (; !lines && line[n] && n < sizeof(first) - 1; n++)
        first[n] = line[n];
    first[n] = lines ? first[n] : 0;
    lines++;
    for (const char *p = line; *p; p++)
        named += p[0] == 'v' && p[1] == 'C' && p[2] == 'P' && p[3] == 'U' && p[4] == ' ' && p[5] == '0';
}

static void run_guest(void)
{
    DISABLE0 = SGIS;
    __asm__ volatile("dsb sy" ::: "memory");
    host_must(avc_vcpu_load(&t.vcpu[0], &test_pcpu[0]));
    (void)avc_vcpu_run(&t.vcpu[0]);
    host_puts("not ok - run has returned\n");
    host_off(1);
}

static void on_panic(void *ctx, const char *why)
{
    const struct stage *s = &stages[at++];
    bool good = equal(first, s->line) && lines == (s->in_guest ? 3 : 2) && named == (s->in_guest ? 1 : 0);

    host_printf("%sok %u - %s%s\n", good ? "" : "not ", at, s->line, s->in_guest ? ", in a claim" : "");
    if (!good)
        host_printf("# %u lines, the first: %s\n", lines, first);
    test_pcpu[0].dumps = 0; /* the library gives up after two */
    if (at == NR_STAGES) {
        host_printf("1..%u\n", at);
        host_off(0);
    }
    if (s->in_guest == stages[at].in_guest)
        raise(&stages[at]);
    host_must(avc_pcpu_remove_vectors(&test_pcpu[0]));
    run_guest();
}

static enum avc_answer in_claim(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    raise(&stages[at]);
    return AVC_DONE;
}

int host_main(void)
{
    static const struct test_config config = { .vcpus = 1, .putc = in_claim };
    struct avc_hal *hal;

    test_trusts_guests = true; /* the usual table */
    test_cpu_init(0);
    test_vm_init(&t, &config);
    hal = (struct avc_hal *)(uintptr_t)test_pcpu[0].hal; /* it is no constant in testvm.c */
    hal->panic = on_panic;
    hal->log = log_line;
    GICD_CTLR |= 1; /* EnableGrp0 */
    IGROUPR0 &= ~(1u << SGI_FIQ);
    DISABLE0 = SGIS;
    __asm__ volatile("dsb sy; msr S3_0_C12_C12_6, %0; isb" ::"r"(1ul) : "memory");                 /* ICC_IGRPEN0_EL1 */
    __asm__ volatile("msr S3_0_C12_C11_7, %0; isb" ::"r"((uint64_t)SGI_FIQ << 24 | 1) : "memory"); /* ICC_SGI0R_EL1 */
    __asm__ volatile("mrs x9, hcr_el2; orr x9, x9, #8; msr hcr_el2, x9; isb" ::: "x9"); /* FMO: FIQs are EL2's */
    host_must(avc_pcpu_install_vectors(&test_pcpu[0]));
    host_sgi(0, SGI_IRQ);
    raise(&stages[0]);
    return 0;
}
