/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Claims on exception classes, system registers and calls, seen from the guest. */
#include "guest.h"

#include "../claims/calls.h"

#define STR_(x) #x
#define STR(x)  STR_(x)

static volatile unsigned taken;
static volatile uint64_t at_esr, at_elr;

static void on_sync(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    taken++;
    at_esr = esr;
    at_elr = regs->elr;
    if (esr >> 26 != 0x15)
        regs->elr += 4;
}

static uint64_t count(unsigned what)
{
    return guest_hvc(CALL_COUNT, what, 0, 0, NULL);
}

/*
 * Executes an instruction with x0 = 1 and returns x0 afterwards. at_esr and at_elr have the exception, if it took one.
 */
#define X0_OF(instruction, pc)                                                                                         \
    ({                                                                                                                 \
        register uint64_t x0_ __asm__("x0") = 1;                                                                       \
        taken = 0;                                                                                                     \
        __asm__ volatile("adr %1, 1f\n1: " instruction : "+r"(x0_), "=&r"(pc)::"memory");                              \
        x0_;                                                                                                           \
    })

static bool undefined(uint64_t pc)
{
    return taken == 1 && at_esr == 1ul << 25 && at_elr == pc;
}

/* ---- exception classes ---- */

static void breakpoints(void)
{
    uint64_t pc, before = count(COUNT_BRK);

    guest_ok(X0_OF("brk #" STR(BRK_VALUE), pc) == VALUE && !taken, "a BRK with a meaning: a value in x0");
    guest_ok(X0_OF("brk #" STR(BRK_FAULT), pc) == 1 && undefined(pc), "one that is UNDEFINED");
    guest_ok(X0_OF("brk #" STR(BRK_AGAIN), pc) == 1 && !taken && count(COUNT_BRK) == before + 4,
             "one that is tried twice");
    guest_ok(X0_OF("brk #" STR(BRK_TO_VMM), pc) == VALUE + 1 && !taken, "one that the VMM answers");
    guest_ok(X0_OF("brk #0x42", pc) == 1 && taken == 1 && at_esr == (0x3cul << 26 | 1ul << 25 | 0x42) && at_elr == pc,
             "all others are the guest's own");
}

static void fetches(void)
{
    uint64_t before = count(COUNT_FETCH);

    guest_ok(((uint64_t(*)(void))LATE_MEMORY)() == VALUE && count(COUNT_FETCH) == before + 1,
             "a first fetch is counted, and the page is there then");
    guest_ok(((uint64_t(*)(void))LATE_MEMORY)() == VALUE && count(COUNT_FETCH) == before + 1, "a second one is not");
}

static void waits(void)
{
    uint64_t before = count(COUNT_WFI);

    __asm__ volatile("wfi; wfi" ::: "memory");
    guest_ok(count(COUNT_WFI) == before + 2 && count(COUNT_WAITS) == 0, "a vetoed WFI does not wait");
}

/* A claim that passes HVC, SMC, MSR and MRS on must not change what they do. */
static void watched(void)
{
    uint64_t pc, r[4], before = count(COUNT_WATCHED), psci = count(COUNT_PSCI);

    guest_ok(guest_hvc(0x84000000, 1, 2, 3, r) == 0x10001 && r[1] == 1 && r[2] == 2 && r[3] == 3, "HVC PSCI_VERSION");
    guest_ok(guest_smc(0x84000000, 1, 2, 3, r) == 0x10001 && r[1] == 1 && r[2] == 2 && r[3] == 3, "SMC PSCI_VERSION");
    guest_ok(guest_hvc(0x8400001f, 0, 0, 0, NULL) == ~0ul && guest_smc(0x84000013, 0, 0, 0, NULL) == ~0ul,
             "functions that PSCI does not have");
    guest_ok(guest_hvc(0x84000000 + 0xa, 0xc4000003, 0, 0, NULL) == 0, "PSCI_FEATURES knows CPU_ON");
    guest_ok(guest_hvc(0xc4000004, 0, 0, 0, NULL) == 0, "this vCPU is on");
    guest_ok(count(COUNT_PSCI) == psci + 5, "what passed on to PSCI was seen (%lu)", count(COUNT_PSCI) - psci);
    guest_ok(READ("mpidr_el1") == (1ul << 31) && (READ("id_aa64pfr0_el1") & 0xf0) == 0x10, "MRS of ID registers");
    WRITE("oslar_el1", 1);
    guest_ok(READ("oslsr_el1") & 2, "MSR of a register that the library keeps");
    WRITE("oslar_el1", 0);
    guest_ok(count(COUNT_WATCHED) > before + 12, "all of them were seen");

    guest_ok(X0_OF("hvc #" STR(HVC_FAULT), pc) == 1 && undefined(pc), "an HVC that is UNDEFINED");
    guest_ok(X0_OF("smc #" STR(SMC_FAULT), pc) == 1 && undefined(pc), "an SMC that is UNDEFINED");
    guest_ok(X0_OF("hvc #" STR(HVC_TO_VMM), pc) == VALUE + 2 && !taken, "an HVC whose class the VMM answers");
}

/* Claims for which the CPU needs FEAT_FGT. */
static void fine_grained(uint64_t traps)
{
    uint64_t pc, svc = count(COUNT_SVC), eret = count(COUNT_ERET), other = count(COUNT_ID);

    guest_ok(!(traps & TRAP_WRONG), "a claim is refused if and only if the CPU has no trap for it");
    guest_ok(X0_OF("svc #5", pc) == 1 && taken == 1 && at_esr == (0x15ul << 26 | 1ul << 25 | 5) && at_elr == pc + 4,
             "SVC is the guest's own");
    WRITE("tpidr_el1", 0x77);
    guest_ok(READ("tpidr_el1") == 0x77, "TPIDR_EL1 is kept");
    guest_ok(count(COUNT_SVC) - svc == (traps & TRAP_SVC ? 1 : 0), "the SVC was seen where it can be");
    guest_ok(count(COUNT_ERET) - eret == (traps & TRAP_ERET ? 1 : 0), "so was the return from it");
    guest_ok(count(COUNT_ID) - other == (traps & TRAP_TPIDR ? 2 : 0), "so was TPIDR_EL1");
}

/* ---- system registers ---- */

static void registers(void)
{
    uint64_t x, pc, reads = count(COUNT_ACTLR_READS), writes = count(COUNT_ACTLR_WRITES);

    guest_ok(READ("actlr_el1") == 0x1234, "a virtual ACTLR_EL1 has a value");
    WRITE("actlr_el1", 0xfedcba9876543210);
    guest_ok(READ("actlr_el1") == 0xfedcba9876543210, "which can be written");
    __asm__ volatile("mov x30, #0x30; msr actlr_el1, x30; mov x30, #0; mrs x30, actlr_el1; mov %0, x30"
                     : "=r"(x)::"x30", "memory");
    guest_ok(x == 0x30, "from and to x30");
    __asm__ volatile("msr actlr_el1, xzr; mrs xzr, actlr_el1" ::: "memory");
    guest_ok(READ("actlr_el1") == 0, "and from XZR");
    guest_ok(count(COUNT_ACTLR_READS) == reads + 5 && count(COUNT_ACTLR_WRITES) == writes + 3, "the claim saw each");

    x = count(COUNT_ID);
    guest_ok(READ("id_aa64isar1_el1") == ID_VALUE && READ("id_aa64isar0_el1") != ID_VALUE && count(COUNT_ID) == x + 2,
             "an ID register has another value; the one beside it is passed, and has its own");
    taken = 0;
    /* ID_AA64ISAR0_EL1, by number, because clang assembles no write to it by name. */
    __asm__ volatile("adr %0, 1f\n1: msr s3_0_c0_c6_0, xzr" : "=r"(pc)::"memory");
    guest_ok(undefined(pc), "and is no more to be written than without a claim");
}

static void paravirtual(void)
{
    uint64_t x, pc, seen = count(COUNT_UNDEFINED);

    taken = 0;
    __asm__ volatile("adr %0, 1f\n1: mrs x0, s3_0_c15_c7_7" : "=&r"(pc)::"x0", "memory");
    guest_ok(undefined(pc), "nobody's IMPLEMENTATION DEFINED register is UNDEFINED");
    if (count(COUNT_UNDEFINED) == seen) { /* an emulator without HCR_EL2.TIDCP: no such access reaches EL2 */
        guest_ok(true, "a register of the hypervisor's own # SKIP IMPLEMENTATION DEFINED registers do not trap");
        return;
    }
    taken = 0;
    guest_ok(READ("s3_0_c15_c0_0") == PV_VALUE, "a register of the hypervisor's own");
    WRITE("s3_0_c15_c0_0", 1);
    guest_ok(READ("s3_0_c15_c0_0") == PV_VALUE + 1, "can be written");
    __asm__ volatile("sys #3, c15, c0, #1, %0" ::"r"(7ul) : "memory");
    guest_ok(READ("s3_0_c15_c0_0") == PV_VALUE + 7, "an instruction writes it, too");
    __asm__ volatile("sys #3, c15, c0, #1; sysl %0, #3, c15, c0, #1" : "=r"(x)::"memory"); /* XZR */
    guest_ok(x == PV_VALUE && !taken, "or reads it");
    guest_ok(count(COUNT_PV) == 7, "the claims saw each (%lu)", count(COUNT_PV));
    __asm__ volatile("adr %0, 1f\n1: sys #3, c15, c0, #2" : "=&r"(pc)::"memory");
    guest_ok(undefined(pc), "the instruction beside it is UNDEFINED");
}

/* ---- calls ---- */

static uint64_t hvc_imm(uint64_t fid)
{
    register uint64_t x0 __asm__("x0") = fid;

    __asm__ volatile("hvc #0x1234" : "+r"(x0)::"x1", "x2", "x3", "memory");
    return x0;
}

static uint64_t smc_imm(uint64_t fid)
{
    register uint64_t x0 __asm__("x0") = fid;

    __asm__ volatile("smc #0x4321" : "+r"(x0)::"x1", "x2", "x3", "memory");
    return x0;
}

/* Makes CALL_CUSTOM with x4, by HVC or SMC. All other registers must be kept. */
static uint64_t custom(bool smc, uint64_t fid, uint64_t to_vmm)
{
    register uint64_t x0 __asm__("x0") = fid;
    register uint64_t x1 __asm__("x1") = 100;
    register uint64_t x2 __asm__("x2") = 20;
    register uint64_t x3 __asm__("x3") = 3;
    register uint64_t x4 __asm__("x4") = to_vmm;

    if (smc)
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4)::"memory");
    else
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4)::"memory");
    return x1 == 100 && x2 == 20 && x3 == 3 && x4 == to_vmm ? x0 : 0;
}

static void calls(void)
{
    for (unsigned smc = 0; smc < 2; smc++) {
        const char *how = smc ? "SMC" : "HVC";
        uint64_t (*call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t *) = smc ? guest_smc : guest_hvc;
        uint64_t r[4];

        guest_ok(custom(smc, CALL_CUSTOM, 0) == 149, "%s 0xffff with arguments, by a claim", how);
        guest_ok(custom(smc, CALL_CUSTOM, 1) == 149, "%s 0xffff with arguments, by the VMM", how);
        guest_ok(custom(smc, CALL_CUSTOM | 0xabcdul << 32, 0) == 149, "%s: the number is W0", how);
        guest_ok(call(CALL_CUSTOM - 2, 0, 0, 0, NULL) == ~0ul && call(CALL_CUSTOM + 1, 0, 0, 0, NULL) == ~0ul,
                 "%s: numbers beside it are NOT_SUPPORTED", how);
        guest_ok(call(CALL_DENIED, 0, 0, 0, NULL) == ~0ul, "%s: one that is denied", how);
        call(CALL_RESULTS, 40, 0, 0, r);
        guest_ok(r[0] == 41 && r[1] == 42 && r[2] == 43 && r[3] == 44, "%s: x0 to x3 as results", how);
        guest_ok((smc ? smc_imm(CALL_IMM) : hvc_imm(CALL_IMM)) == (smc ? 0x4321 : 0x1234), "%s: the immediate", how);
    }
    guest_ok(guest_hvc(CALL_LATE, 0, 0, 0, NULL) == 9, "a claim made while the VM runs is refused: AVC_ESEALED");
}

int guest_main(unsigned cpu)
{
    uint64_t traps = guest_hvc(CALL_TRAPS, 0, 0, 0, NULL);

    guest_on_sync = on_sync;
    breakpoints();
    fetches();
    waits();
    watched();
    fine_grained(traps);
    registers();
    paravirtual();
    calls();
    guest_plan();
    return 0;
}
