/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The PL011s (Arm DDI 0183). The log uses output by polling. The guest's console uses output by polling and input by
 * interrupt. Baud rate and word length stay as firmware has set them.
 */
#include <stdatomic.h>

#include "board/board.h"
#include "board/mmio.h"
#include "boot/boot.h"
#include "boot/cpu.h"
#include "kern/lock.h"
#include "vmm.h"

#define DR   0x000
#define FR   0x018
#define LCRH 0x02c
#define CR   0x030
#define IFLS 0x034
#define IMSC 0x038
#define ICR  0x044

#define FR_BUSY (1u << 3)
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)

#define LCRH_FEN   (1u << 4)
#define LCRH_WLEN8 (3u << 5)

#define CR_UARTEN (1u << 0)
#define CR_TXE    (1u << 8)
#define CR_RXE    (1u << 9)

#define INT_RX (1u << 4)
#define INT_RT (1u << 6) /* bytes wait, and no more have come for a while */

static uint64_t log_base = VMM_EARLY_UART; /* for panics before the device tree was read */

static void (*rx_ready)(void *ctx);
static void *rx_ctx;

static void set_up(uint64_t base)
{
    mmio_write32(base + IMSC, 0);
    mmio_write32(base + ICR, 0x7ff);
    /* A write of LCRH makes IBRD and FBRD take effect, as they are. FIFOs are on, 8 bits, no parity. */
    mmio_write32(base + LCRH, LCRH_FEN | LCRH_WLEN8);
    mmio_write32(base + CR, CR_UARTEN | CR_TXE | CR_RXE);
}

static void put(uint64_t base, uint8_t c)
{
    while (mmio_read32(base + FR) & FR_TXFF)
        vmm_cpu_relax();
    mmio_write32(base + DR, c);
}

static void drain(uint64_t base)
{
    while (base && mmio_read32(base + FR) & FR_BUSY)
        vmm_cpu_relax();
}

void vmm_log_uart_init(const struct vmm_uart *uart)
{
    set_up(uart->base);
    log_base = uart->base;
}

void vmm_log_uart_write(const char *s, size_t n)
{
    while (n--)
        put(log_base, (uint8_t)*s++);
}

void vmm_log_uart_drain(void)
{
    drain(log_base);
}

/* The interrupt is a level that lasts while bytes wait. Bytes that `ready` leaves behind would raise it again at
   once. So it stays masked until the device model wants more. It is masked first: when `ready` has just found no
   room, another CPU may resume, and that must not be undone. */
static void rx_interrupt(void *ctx)
{
    uint64_t base = vmm_board.guest_uart.base;

    (void)ctx;
    mmio_write32(base + IMSC, 0);
    mmio_write32(base + ICR, INT_RX | INT_RT);
    rx_ready(rx_ctx);
    if (mmio_read32(base + FR) & FR_RXFE)
        vmm_console_rx_resume();
}

void vmm_console_init(void (*ready)(void *ctx), void *ctx)
{
    uint64_t base = vmm_board.guest_uart.base;

    rx_ready = ready;
    rx_ctx = ctx;
    if (base != log_base)
        set_up(base);
    mmio_write32(base + IFLS, 0); /* interrupt at 1/8 full; the time-out reports fewer bytes */
    vmm_irq_register(vmm_board.guest_uart.intid, rx_interrupt, NULL);
    mmio_write32(base + IMSC, INT_RX | INT_RT);
}

void vmm_console_putc(uint8_t c)
{
    put(vmm_board.guest_uart.base, c);
}

int vmm_console_getc(void)
{
    uint64_t base = vmm_board.guest_uart.base;

    return mmio_read32(base + FR) & FR_RXFE ? -1 : (int)(mmio_read32(base + DR) & 0xff);
}

void vmm_console_rx_resume(void)
{
    mmio_write32(vmm_board.guest_uart.base + IMSC, INT_RX | INT_RT);
}

void vmm_console_drain(void)
{
    drain(vmm_board.guest_uart.base);
}
