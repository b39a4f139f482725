/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * AArch32 at EL0: instructions that trap to EL2 inside and outside of IT blocks, and registers that must survive an
 * exit to the VMM. EL0 ends with an SVC, at which EL1 reads the last of its registers and its PSTATE.
 */
#include "guest.h"

#define EL0_BASE 0xc0000000ul /* lib/start.S maps the RAM there for EL0 */
#define USR_T32  0xb0         /* M = User, T, I */
#define USR_A32  0x90

static struct guest_regs at_svc;
static volatile uint64_t svc_esr;
static volatile unsigned undefined;

extern char el0_back[];

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    if (esr >> 26 == 0) { /* UNDEFINED: counts it, and skips the A32 instruction */
        undefined++;
        regs->elr += 4;
        return;
    }
    at_svc = *regs;
    svc_esr = esr;
    regs->elr = (uintptr_t)el0_back;
    regs->spsr = 0x3c5;
}

/* Runs code at EL0 until it executes SVC. */
void el0_run(uint64_t pc, uint64_t pstate);
__asm__(".text\n"
        "el0_run:\n"
        "stp x29, x30, [sp, #-96]!\n"
        "stp x19, x20, [sp, #16]\n"
        "stp x21, x22, [sp, #32]\n"
        "stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\n"
        "stp x27, x28, [sp, #80]\n"
        "msr elr_el1, x0\n"
        "msr spsr_el1, x1\n"
        "mov x3, #3\n"
        "mov x13, #0x1d00\n"
        "mov x14, #0x1e00\n"
        "eret\n"
        "el0_back:\n"
        "ldp x27, x28, [sp, #80]\n"
        "ldp x25, x26, [sp, #64]\n"
        "ldp x23, x24, [sp, #48]\n"
        "ldp x21, x22, [sp, #32]\n"
        "ldp x19, x20, [sp, #16]\n"
        "ldp x29, x30, [sp], #96\n"
        "ret\n");

static void run(const void *code, uint64_t pstate)
{
    el0_run(EL0_BASE + ((uintptr_t)code - GUEST_RAM), pstate);
}

static const uint16_t it_blocks[] __attribute__((aligned(4))) = {
    0x2001, /*      movs r0, #1             */
    0x2802, /*      cmp r0, #2              */
    0xbf08, /*      it eq                   */
    0xbf30, /*      wfieq: not executed     */
    0xbf18, /*      it ne                   */
    0xbf30, /*      wfine: traps            */
    0x2105, /*      movs r1, #5             */
    0x2802, /*      cmp r0, #2              */
    0xbf1c, /*      itt ne                  */
    0xbf30, /*      wfine: traps            */
    0x2207, /*      movne r2, #7            */
    0xbf14, /*      ite ne                  */
    0xbf30, /*      wfine: traps            */
    0x2309, /*      moveq r3, #9: not executed */
    0xdf21, /*      svc #0x21               */
    0xe7fe, /*      b .                     */
};

static const uint32_t a32[] = {
    0xe3a0002a, /* mov r0, #42                       */
    0xe3500000, /* cmp r0, #0                        */
    0x0320f003, /* wfieq: not executed               */
    0x1320f003, /* wfine: traps                      */
    0xe3a01005, /* mov r1, #5                        */
    0xf2802050, /* vmov.i32 q1, #0: FP, first use     */
    0xee1e0e10, /* mrc p14, 0, r0, c14, c0, 0: debug: UNDEFINED */
    0xee103e10, /* mrc p14, 0, r3, c0, c0, 0: DBGDIDR */
    0xee114e10, /* mrc p14, 0, r4, c1, c0, 0: DBGDRAR */
    0xee125e10, /* mrc p14, 0, r5, c2, c0, 0: DBGDSAR */
    0xec576e01, /* mrrc p14, 0, r6, r7, c1: DBGDRAR   */
    0xec598e02, /* mrrc p14, 0, r8, r9, c2: DBGDSAR   */
    0xe3a0201d, /* mov r2, #29                       */
    0xef000022, /* svc #0x22                         */
    0xeafffffe, /* b .                               */
};

/* Watchpoints and breakpoints; bit 15 is RES1. */
static uint64_t dbgdidr(void)
{
    uint64_t dfr0 = READ("id_aa64dfr0_el1");

    return (dfr0 >> 20 & 15) << 28 | (dfr0 >> 12 & 15) << 24 | 1 << 15;
}

int guest_main(unsigned cpu)
{
    if ((READ("id_aa64pfr0_el1") & 0xf) != 2) {
        guest_printf("1..0 # SKIP no AArch32 at EL0\n");
        return 0;
    }
    WRITE("sctlr_el1", READ("sctlr_el1") | 1ul << 16 | 1ul << 18 | 1ul << 5); /* nTWI, nTWE; CP15BEN */
    guest_gic_init();
    guest_gic_enable(27);
    WRITE("cntv_cval_el0", 0); /* it is pending at once, and masked, so that WFI completes at once */
    WRITE("cntv_ctl_el0", 1);
    guest_on_sync = on_sync;

    run(it_blocks, USR_T32);
    guest_ok(svc_esr == (0x11ul << 26 | 0x21), "T32: the SVC is reached (esr %lx)", svc_esr);
    guest_ok(at_svc.x[0] == 1 && at_svc.x[1] == 5, "behind a trapped WFI in an IT block goes on without it");
    guest_ok(at_svc.x[2] == 7, "the rest of the block is executed");
    guest_ok(at_svc.x[3] == 3, "or not, as its condition says");
    guest_ok((at_svc.spsr & 0x0600fc3f) == 0x30, "no IT state is left (spsr %lx)", at_svc.spsr);
    guest_ok(at_svc.x[13] == 0x1d00 && at_svc.x[14] == 0x1e00, "SP and LR are kept");

    run(a32, USR_A32);
    guest_ok(svc_esr == (0x11ul << 26 | 1ul << 25 | 0x22), "A32: the SVC is reached (esr %lx)", svc_esr);
    guest_ok(at_svc.x[0] == 42 && at_svc.x[1] == 5 && at_svc.x[2] == 29, "registers are what the program made them");
    /* Where EL1 has no AArch32, DBGDIDR is optional, and the CPU may take it as UNDEFINED itself. X3 is 3 then. */
    guest_ok(undefined == (at_svc.x[3] == 3 ? 2 : 1), "a debug register that EL0 does not have is UNDEFINED (%u)",
             undefined);
    guest_ok(at_svc.x[3] == 3 || (at_svc.x[3] & 0xff00ffff) == dbgdidr(),
             "DBGDIDR says what ID_AA64DFR0_EL1 does (%lx)", at_svc.x[3]);
    guest_ok(!(at_svc.x[4] | at_svc.x[5] | at_svc.x[6] | at_svc.x[7] | at_svc.x[8] | at_svc.x[9]),
             "there is no debug ROM for EL0");
    guest_plan();
    return 0;
}
