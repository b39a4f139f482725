/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Runs, and makes an exit now and then. The test is in the host, which handles interrupts. */
#include "guest.h"

int guest_main(unsigned cpu)
{
    for (;;) {
        for (volatile unsigned n = 0; n < 200; n++)
            ;
        guest_hvc(CALL_ADD, 0, 0, 0, NULL);
    }
}
