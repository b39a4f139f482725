/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Makes one hypercall, whose claim never comes back. */
#include "guest.h"

int guest_main(unsigned cpu)
{
    guest_putc('x');
    return 0;
}
