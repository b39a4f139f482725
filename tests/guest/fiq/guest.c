/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Counts in x19, for ever, with its other registers filled. */
#include "guest.h"

int guest_main(unsigned cpu)
{
    __asm__ volatile("mov x0, #0x100\n"
                     "mov x1, #0x101\n"
                     "mov x17, #0x117\n"
                     "mov x18, #0x118\n"
                     "mov x29, #0x129\n"
                     "mov x30, #0x130\n"
                     "mov x19, #0\n"
                     "1: add x19, x19, #1\n"
                     "b 1b" ::
                         : "x0", "x1", "x17", "x18", "x19", "x30", "memory");
    return 0;
}
