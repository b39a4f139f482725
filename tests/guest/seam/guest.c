/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Counts in x19 until the host sets x20. From then on it makes exits of every kind that EL2 handles, for ever. */
#include "guest.h"

int guest_main(unsigned cpu)
{
    __asm__ volatile("mov x19, #0\n"
                     "mov x20, #0\n"
                     "mov x21, #0x08000000\n" /* GICD */
                     "1: add x19, x19, #1\n"
                     "cbz x20, 1b\n"
                     "2: mov x0, #0x84000000\n"
                     "hvc #0\n"
                     "mov x0, #0x84000000\n"
                     "smc #0\n"
                     "mrs x1, id_aa64pfr0_el1\n"
                     "ldr w1, [x21, #4]\n"
                     "mov x0, #0x84000000\n"
                     "orr x0, x0, #0xff00\n"
                     "hvc #0\n"
                     "add x19, x19, #1\n"
                     "b 2b" ::
                         : "x0", "x1", "x2", "x3", "x19", "x20", "x21", "memory");
    return 0;
}
