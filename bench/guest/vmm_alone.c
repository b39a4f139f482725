/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A guest of the reference hypervisor: one vCPU on one CPU. */
#include "vmm.h"

#include "code.h"

static const unsigned some[] = { 0, 9, 24, ZR };

/* Measures the access with the first nr of these registers. */
static void measure_access(const char *family, enum access access, unsigned nr, uint64_t address)
{
    for (unsigned n = 0; n < nr; n++) {
        const struct op op = op_access(access, some[n], address, '\n');

        measure(family, reg_name('w', some[n]), &op);
    }
}

static void measure_mrs(void)
{
    for (unsigned n = 0; n < sizeof some / sizeof some[0]; n++) {
        const struct op op = { .insn = { MRS(SYSREG(0, 0, 4, 0), some[n]) }, .rt = some[n] };

        measure("vmm_mrs", reg_name('x', some[n]), &op);
    }
}

static unsigned in_turn;

static uint64_t sgi_of(unsigned n)
{
    return (uint64_t)(1 + n % in_turn) << 24 | 1;
}

static void measure_sgi(const char *member, unsigned rt, unsigned intids)
{
    struct op op = { .insn = { MSR(ICC_SGI1R_EL1, rt), ISB }, .nr = 1, .rt = rt, .mode = AT_EL1_IRQ, .vary = sgi_of };

    op.set[0].reg = rt;
    in_turn = intids;
    measure_irq("vmm_sgi_self", member, &op);
}

int guest_main(unsigned cpu)
{
    const struct op hypercall = op_call(HVC, CALL_ADD, 1);

    vmm_guest_init();
    measure("vmm_hypercall", NULL, &hypercall);
    measure_mrs();
    measure_access("vmm_gicd_typer", LDR_W, 4, GUEST_DIST + 4);
    measure_access("vmm_uart_status", LDR_W, 4, UART_FLAGS);
    measure_access("vmm_uart_out", STR_W, 3, UART_DATA);
    measure_sgi("x0", 0, 1);
    measure_sgi("x24", 24, 1);
    measure_sgi("4 INTIDs in turn", 0, 4);
    measure_sgi("4 INTIDs in turn, x24", 24, 4);
    measure_wfi("vmm_wfi_alone", ROUNDS);
    return 0;
}
