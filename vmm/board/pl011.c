/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The PL011s (Arm DDI 0183). The log uses interrupts, or polls at boot and at the end. Polling, it waits for each byte
 * for a bounded time. The guest's console works by interrupts: what finds no room in the FIFO waits in a queue, so no
 * claim of the guest's ever waits. Baud rate and word length stay as firmware has set them.
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
#define RIS  0x03c
#define ICR  0x044

#define FR_BUSY (1u << 3)
#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)

#define FIFO_DEPTH 32u /* of r1p5; 16 of those before it */

#define LCRH_FEN   (1u << 4)
#define LCRH_WLEN8 (3u << 5)

#define CR_UARTEN (1u << 0)
#define CR_TXE    (1u << 8)
#define CR_RXE    (1u << 9)

#define INT_RX (1u << 4)
#define INT_TX (1u << 5) /* the transmit FIFO has drained to its trigger level */
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

/* The longest wait for a byte of the log: more than one takes on the wire at 9600 baud. The device is broken, or
   something holds it up, if there is no room by then. */
#define PATIENCE_MS 2
#define DRAIN_MS    1000 /* at the end, for all that is in a FIFO */

/* Waits while a flag is set, for a bounded time. Returns false if it still is. */
static bool wait_clear(uint64_t base, uint32_t flag, uint64_t ms)
{
    uint64_t end;

    if (!(mmio_read32(base + FR) & flag))
        return true;
    end = vmm_time_now() + vmm_time_from_ms(ms);
    while (mmio_read32(base + FR) & flag) {
        if (vmm_time_now() >= end)
            return false;
        vmm_cpu_relax();
    }
    return true;
}

void vmm_log_uart_init(const struct vmm_uart *uart)
{
    set_up(uart->base);
    log_base = uart->base;
}

/* What finds no room is lost. A device that has once not made room in time is not waited for until it has. */
void vmm_log_uart_write(const char *s, size_t n)
{
    static bool stuck;

    while (n--) {
        if (!wait_clear(log_base, FR_TXFF, stuck ? 0 : PATIENCE_MS)) {
            stuck = true;
            return;
        }
        stuck = false;
        mmio_write32(log_base + DR, (uint8_t)*s++);
    }
}

/* Interrupts only come where the board's description has their number. */
static uint32_t log_intid;

static void log_interrupt(void *ctx)
{
    (void)ctx;
    mmio_write32(log_base + IMSC, 0);
    vmm_log_send();
}

void vmm_log_uart_start(const struct vmm_uart *uart)
{
    log_intid = uart->intid;
    if (log_intid)
        vmm_irq_register(log_intid, log_interrupt, NULL);
}

size_t vmm_log_uart_try(const char *s, size_t n)
{
    uint64_t base = log_base;
    size_t done = 0;

    for (; done < n; done++) {
        if (!s[done])
            continue;
        if (mmio_read32(base + FR) & FR_TXFF)
            break;
        mmio_write32(base + DR, (uint8_t)s[done]);
    }
    return done;
}

/* The FIFO was full, so it will drain to its trigger level, and interrupt then. */
bool vmm_log_uart_notify(void)
{
    if (log_intid)
        mmio_write32(log_base + IMSC, INT_TX);
    return log_intid;
}

void vmm_log_uart_drain(void)
{
    if (log_base)
        wait_clear(log_base, FR_BUSY, DRAIN_MS);
}

/* ---- the guest's console ---- */

/* Bytes that the FIFO has no room for, and the mask of the UART's interrupts. */
#define QUEUE 65536u

static struct {
    _Atomic uint32_t nr; /* of bytes from `first` on; read without the lock, too */
    struct vmm_lock lock;
    uint64_t base; /* the UART's */
    uint32_t first;
    uint32_t imsc;
    uint32_t lost;
    uint8_t byte[QUEUE];
} out;

/* The caller holds the lock. */
static void set_imsc(uint32_t imsc)
{
    out.imsc = imsc;
    mmio_write32(vmm_board.guest_uart.base + IMSC, imsc);
}

/* Moves bytes from the queue to the FIFO as long as it has room: one FIFO's worth at most, since the interrupt comes
   again. The caller holds the lock. */
static void send_queued(void)
{
    uint64_t base = vmm_board.guest_uart.base;

    for (unsigned i = 0; i < FIFO_DEPTH && out.nr && !(mmio_read32(base + FR) & FR_TXFF); i++) {
        mmio_write32(base + DR, out.byte[out.first]);
        out.first = (out.first + 1) % QUEUE;
        out.nr--;
    }
}

/* The FIFO was full when the interrupt was enabled, so it will drain to its trigger level, and interrupt then. */
static void tx_interrupt(void)
{
    vmm_lock(&out.lock);
    send_queued();
    if (!out.nr)
        set_imsc(out.imsc & ~INT_TX);
    vmm_unlock(&out.lock);
}

/* The interrupt is a level that lasts while bytes wait. Bytes that `ready` leaves behind would raise it again at
   once. So it stays masked until the device model wants more. It is masked first: when `ready` has just found no
   room, another CPU may resume, and that must not be undone. */
static void interrupt(void *ctx)
{
    uint64_t base = vmm_board.guest_uart.base;

    (void)ctx;
    if (out.imsc & INT_TX)
        tx_interrupt();
    if (!(mmio_read32(base + RIS) & out.imsc & (INT_RX | INT_RT)))
        return;
    vmm_lock(&out.lock);
    set_imsc(out.imsc & INT_TX);
    vmm_unlock(&out.lock);
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
    out.base = base;
    if (base != log_base)
        set_up(base);
    mmio_write32(base + IFLS, 0); /* interrupt at 1/8 full; the time-out reports fewer bytes */
    vmm_irq_register(vmm_board.guest_uart.intid, interrupt, NULL);
    vmm_console_rx_resume();
}

static __attribute__((noinline)) void put_queued(uint8_t c)
{
    vmm_lock(&out.lock);
    if (out.nr < QUEUE) {
        out.byte[(out.first + out.nr) % QUEUE] = c;
        out.nr++;
        if (!(out.imsc & INT_TX))
            set_imsc(out.imsc | INT_TX);
    } else {
        out.lost++;
    }
    vmm_unlock(&out.lock);
}

/* The caller is the only one who adds bytes. So an empty queue stays empty, and the interrupt's last byte has gone to
   the device before the queue was seen empty. */
void vmm_console_putc(uint8_t c)
{
    if (atomic_load_explicit(&out.nr, memory_order_acquire) || mmio_read32(out.base + FR) & FR_TXFF)
        put_queued(c);
    else
        mmio_write32(out.base + DR, c);
}

int vmm_console_getc(void)
{
    uint64_t base = vmm_board.guest_uart.base;

    return mmio_read32(base + FR) & FR_RXFE ? -1 : (int)(mmio_read32(base + DR) & 0xff);
}

void vmm_console_rx_resume(void)
{
    vmm_lock(&out.lock);
    set_imsc(out.imsc | INT_RX | INT_RT);
    vmm_unlock(&out.lock);
}

/* The machine stops: nobody else uses the queue, and its lock may be a stopped CPU's. */
void vmm_console_drain(void)
{
    uint64_t base = vmm_board.guest_uart.base;

    while (base && out.nr && wait_clear(base, FR_TXFF, PATIENCE_MS))
        send_queued();
    if (base)
        wait_clear(base, FR_BUSY, DRAIN_MS);
}
