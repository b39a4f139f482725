/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Output of a guest of the reference hypervisor: its UART. */
#include "guest.h"

extern volatile uint32_t *guest_uart;
volatile uint32_t *guest_uart = (volatile uint32_t *)0x09000000;

void guest_putc(char c)
{
    *guest_uart = (unsigned char)c;
}
