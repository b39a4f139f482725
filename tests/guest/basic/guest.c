/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The first steps: calls and the registers that they keep, an undefined instruction, a fault at an address without
 * memory, FP.
 */
#include "guest.h"

static volatile unsigned taken;
static volatile uint64_t last_esr, last_far;

static void count(struct guest_regs *regs, uint64_t esr, uint64_t far)
{
    taken++;
    last_esr = esr;
    last_far = far;
    regs->elr += 4;
}

/* Makes a hypercall with a value in every register. Returns how many registers besides x0 have changed. */
static unsigned registers_lost(uint64_t function)
{
    static uint64_t before[31], after[31];

    for (unsigned n = 0; n < 31; n++)
        before[n] = 0x0123456789abcd00 + n;
    before[0] = function;
    before[1] = 5;
    before[2] = 6;
    __asm__ volatile("stp x29, x30, [sp, #-32]!\n"
                     "stp x18, x19, [sp, #16]\n"
                     "stp %0, %1, [sp, #-16]!\n" /* either may be any register */
                     "ldr x30, [sp]\n"
                     "ldp x0, x1, [x30, #0]\n"
                     "ldp x2, x3, [x30, #16]\n"
                     "ldp x4, x5, [x30, #32]\n"
                     "ldp x6, x7, [x30, #48]\n"
                     "ldp x8, x9, [x30, #64]\n"
                     "ldp x10, x11, [x30, #80]\n"
                     "ldp x12, x13, [x30, #96]\n"
                     "ldp x14, x15, [x30, #112]\n"
                     "ldp x16, x17, [x30, #128]\n"
                     "ldp x18, x19, [x30, #144]\n"
                     "ldp x20, x21, [x30, #160]\n"
                     "ldp x22, x23, [x30, #176]\n"
                     "ldp x24, x25, [x30, #192]\n"
                     "ldp x26, x27, [x30, #208]\n"
                     "ldp x28, x29, [x30, #224]\n"
                     "ldr x30, [x30, #240]\n"
                     "hvc #0\n"
                     "str x30, [sp, #-16]!\n"
                     "ldr x30, [sp, #24]\n"
                     "stp x0, x1, [x30, #0]\n"
                     "stp x2, x3, [x30, #16]\n"
                     "stp x4, x5, [x30, #32]\n"
                     "stp x6, x7, [x30, #48]\n"
                     "stp x8, x9, [x30, #64]\n"
                     "stp x10, x11, [x30, #80]\n"
                     "stp x12, x13, [x30, #96]\n"
                     "stp x14, x15, [x30, #112]\n"
                     "stp x16, x17, [x30, #128]\n"
                     "stp x18, x19, [x30, #144]\n"
                     "stp x20, x21, [x30, #160]\n"
                     "stp x22, x23, [x30, #176]\n"
                     "stp x24, x25, [x30, #192]\n"
                     "stp x26, x27, [x30, #208]\n"
                     "stp x28, x29, [x30, #224]\n"
                     "ldr x0, [sp], #32\n"
                     "str x0, [x30, #240]\n"
                     "ldp x18, x19, [sp, #16]\n"
                     "ldp x29, x30, [sp], #32\n"
                     :
                     : "r"(before), "r"(after)
                     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                       "x15", "x16", "x17", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "memory");

    unsigned lost = 0;

    for (unsigned n = 1; n < 31; n++)
        lost += before[n] != after[n];
    return lost;
}

int guest_main(unsigned cpu)
{
    guest_ok(guest_hvc(CALL_ADD, 40, 2, 0, NULL) == 42, "the VMM's loop adds");
    guest_ok(registers_lost(CALL_ADD) == 0, "a call through the VMM keeps x1..x30");
    guest_ok(registers_lost(0x84000000) == 0, "a call that the library handles keeps x1..x30");
    guest_ok(registers_lost(0x8400ff00) == 0, "an unknown call keeps x1..x30");
    guest_ok(guest_hvc(0x84000000, 0, 0, 0, NULL) == 0x10001, "PSCI_VERSION by HVC is 1.1");
    guest_ok(guest_smc(0x84000000, 0, 0, 0, NULL) == 0x10001, "PSCI_VERSION by SMC is 1.1");
    guest_ok((int32_t)guest_smc(0x8400ff00, 0, 0, 0, NULL) == -1, "an unknown SMC is NOT_SUPPORTED");

    guest_on_sync = count;
    __asm__ volatile(".inst 0x00000000" ::: "memory");
    guest_ok(taken == 1 && last_esr >> 26 == 0, "an undefined instruction is the guest's own exception");

    *(volatile uint32_t *)0x20000000;
    guest_ok(taken == 2 && last_esr >> 26 == 0x25 && (last_esr & 0x3f) == 0x10 && last_far == 0x20000000,
             "a load from nowhere is a synchronous external abort (%u: esr %lx far %lx)", taken, last_esr, last_far);
    __asm__ volatile("stp xzr, xzr, [%0]" ::"r"(0x20000000ul) : "memory");
    guest_ok(taken == 3 && last_esr >> 26 == 0x25 && (last_esr & 0x3f) == 0x10, "so is a store of a pair");
    __asm__ volatile("mrs x0, s3_0_c15_c7_7" ::: "x0");
    guest_ok(taken == 4 && last_esr >> 26 == 0, "an IMPLEMENTATION DEFINED register is undefined");
    guest_on_sync = NULL;

    uint64_t low, high;

    __asm__ volatile(".arch armv8-a+fp+simd\n"
                     "fmov d5, %2\n"
                     "mov v5.d[1], %3\n"
                     "hvc #0\n" /* through the VMM, which writes x0 */
                     "fmov %0, d5\n"
                     "mov %1, v5.d[1]\n"
                     ".arch armv8-a"
                     : "=r"(low), "=r"(high)
                     : "r"(0x1122334455667788ul), "r"(0x99aabbccddeeff00ul)
                     : "x0", "x1", "x2", "x3", "memory");
    guest_ok(low == 0x1122334455667788 && high == 0x99aabbccddeeff00, "V5 is kept");
    guest_plan();
    return 0;
}
