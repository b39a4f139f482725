/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Output of a guest of the reference hypervisor: its UART. */
#include "guest.h"

void guest_putc(char c)
{
    *(volatile uint32_t *)0x09000000 = (unsigned char)c;
}
