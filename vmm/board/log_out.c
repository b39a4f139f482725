/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Where the log goes: to the board's second PL011, or to a 16550 on its PCI bus, or to memory, for a debugger. It never
 * goes to the first PL011 while a guest runs. That one is the guest's, byte for byte.
 */
#include "board/board.h"
#include "boot/boot.h"

/* Before vmm_log_out_init() this is the early UART, for panics about the device tree. */
static enum { TO_PL011, TO_PCI_SERIAL, TO_MEMORY } sink = TO_PL011;

/* The latest bytes, in a ring. No code reads them. Without `used` the compiler would leave them out. */
static char kept[16384] __attribute__((used));
static size_t kept_end __attribute__((used)); /* of all bytes */

static void keep(const char *s, size_t n)
{
    for (; n--; s++)
        if (*s)
            kept[kept_end++ % sizeof(kept)] = *s;
}

void vmm_log_out_init(void)
{
    if (vmm_board.log_uart.base) {
        vmm_log_uart_init(&vmm_board.log_uart);
    } else if (vmm_pci_serial_init()) {
        sink = TO_PCI_SERIAL;
    } else {
        vmm_log_uart_init(&vmm_board.guest_uart); /* for vmm_log_out_last() */
        sink = TO_MEMORY;
    }
}

void vmm_log_out_write(const char *s, size_t n)
{
    if (sink == TO_PL011)
        vmm_log_uart_write(s, n);
    else if (sink == TO_PCI_SERIAL)
        vmm_pci_serial_write(s, n);
    else
        keep(s, n);
}

void vmm_log_out_start(void)
{
    if (sink == TO_PL011)
        vmm_log_uart_start(&vmm_board.log_uart);
}

size_t vmm_log_out_try(const char *s, size_t n)
{
    if (sink == TO_PL011)
        return vmm_log_uart_try(s, n);
    if (sink == TO_PCI_SERIAL)
        return vmm_pci_serial_try(s, n);
    keep(s, n);
    return n;
}

bool vmm_log_out_notify(void)
{
    return sink == TO_PL011 && vmm_log_uart_notify();
}

void vmm_log_out_last(const char *s, size_t n)
{
    vmm_log_out_write(s, n);
    if (sink == TO_PCI_SERIAL) {
        vmm_pci_serial_drain();
        return;
    }
    /* A log that nobody sees is bad. But the user who started the guest must learn how it ended. The guest will say
       nothing more, though it may not have ended its line. */
    if (sink == TO_MEMORY) {
        vmm_log_uart_write("\n", 1);
        vmm_log_uart_write(s, n);
    }
    vmm_log_uart_drain();
}
