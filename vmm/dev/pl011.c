/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The PL011 as Linux, U-Boot, edk2 and bare-metal programs use it. It differs from the silicon:
 *
 * - Sending takes no time, so the transmit FIFO is always empty, and its interrupt rises with each byte written. A
 *   driver that waits for the interrupt after a write never waits in vain.
 * - Nothing received is ever lost. When the FIFO is full the bytes stay with the host, so there are no overruns and no
 *   line errors either.
 * - The receive time-out (a pause of 32 bit times) is over at once: bytes come from a stream that has no bit time.
 * - Transmission and reception do not need CR.UARTEN and CR.TXE: programs written for the emulated `virt` machine often
 *   never set them.
 */
#include "pl011.h"

enum { /* register offsets; DDI 0183, 3.2 */
       DR = 0x00,
       RSR = 0x04, /* written: ECR */
       FR = 0x18,
       ILPR = 0x20,
       IBRD = 0x24,
       FBRD = 0x28,
       LCR_H = 0x2C,
       CR = 0x30,
       IFLS = 0x34,
       IMSC = 0x38,
       RIS = 0x3C,
       MIS = 0x40,
       ICR = 0x44,
       DMACR = 0x48,
       ID = 0xFE0
};

#define FR_CTS  (1u << 0)
#define FR_DSR  (1u << 1)
#define FR_DCD  (1u << 2)
#define FR_RXFE (1u << 4)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)
#define FR_RI   (1u << 8)

#define LCR_FEN (1u << 4)

#define CR_LBE   (1u << 7)
#define CR_RXE   (1u << 9)
#define CR_DTR   (1u << 10)
#define CR_RTS   (1u << 11)
#define CR_OUT1  (1u << 12)
#define CR_OUT2  (1u << 13)
#define CR_RESET 0x300u /* TXE, RXE */

#define INT_RI  (1u << 0)
#define INT_CTS (1u << 1)
#define INT_DCD (1u << 2)
#define INT_DSR (1u << 3)
#define INT_RX  (1u << 4)
#define INT_TX  (1u << 5)
#define INT_RT  (1u << 6)
#define INT_ALL 0x7FFu

/* Bits that can be written and read back. */
#define CR_BITS    0xFF87u
#define LCR_BITS   0xFFu
#define IFLS_BITS  0x3Fu
#define IBRD_BITS  0xFFFFu
#define FBRD_BITS  0x3Fu
#define ILPR_BITS  0xFFu
#define DMACR_BITS 7u

#define IFLS_RESET 0x12u /* both at one half */

static const uint8_t ids[8] = { 0x11, 0x10, 0x14, 0x00, 0x0D, 0xF0, 0x05, 0xB1 };

static struct vmm_pl011 *from_mmio(struct vmm_mmio *dev)
{
    return (struct vmm_pl011 *)(void *)dev;
}

/* With FIFOs disabled they are one byte deep (3.3.7). */
static unsigned depth(const struct vmm_pl011 *u)
{
    return u->lcr_h & LCR_FEN ? VMM_PL011_FIFO : 1;
}

/* Returns the fill level at which the receive interrupt rises: IFLS[5:3], 1/8 to 7/8. Other values are reserved,
   and count as the last. */
static unsigned rx_trigger(const struct vmm_pl011 *u)
{
    static const uint8_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

    return u->lcr_h & LCR_FEN ? levels[u->ifls >> 3 & 7] : 1;
}

/* Returns the modem lines as FR shows them: a terminal is there and ready. In loopback they are the outputs. */
static uint32_t modem(const struct vmm_pl011 *u)
{
    if (!(u->cr & CR_LBE))
        return FR_CTS | FR_DSR | FR_DCD;
    return (u->cr & CR_RTS ? FR_CTS : 0) | (u->cr & CR_DTR ? FR_DSR : 0) | (u->cr & CR_OUT1 ? FR_DCD : 0) |
           (u->cr & CR_OUT2 ? FR_RI : 0);
}

static uint32_t flags(const struct vmm_pl011 *u)
{
    return FR_TXFE | modem(u) | (u->count == 0 ? FR_RXFE : 0) | (u->count >= depth(u) ? FR_RXFF : 0);
}

static void update_line(struct vmm_pl011 *u)
{
    vmm_mmio_drive(&u->mmio, u->ris & u->imsc);
}

/* The flags come first: a CPU that takes the interrupt reads them. */
static void update(struct vmm_pl011 *u)
{
    atomic_store_explicit(&u->fr, flags(u), memory_order_relaxed);
    update_line(u);
}

static bool has_room(const struct vmm_pl011 *u)
{
    return u->count < depth(u);
}

static void receive(struct vmm_pl011 *u, uint8_t byte)
{
    u->fifo[(u->first + u->count++) % VMM_PL011_FIFO] = byte;
    u->ris |= INT_RT;
    if (u->count >= rx_trigger(u))
        u->ris |= INT_RX;
}

/* While the receiver is off, or looped back, the host keeps its bytes. Once all are taken, the host is told that it
   may report bytes again. The lock is held meanwhile, so that this cannot overtake the next byte's "ready" on
   another CPU. */
static void pull(struct vmm_pl011 *u)
{
    int byte = 0;

    if ((u->cr & (CR_RXE | CR_LBE)) == CR_RXE) {
        while (has_room(u) && (byte = u->host->get(u->host->ctx)) >= 0)
            receive(u, (uint8_t)byte);
    }
    u->held = byte >= 0;
    if (!u->held)
        u->host->resume(u->host->ctx);
}

/* Called when there is room, or when the receiver was switched on. */
static void pull_held(struct vmm_pl011 *u)
{
    if (u->held)
        pull(u);
}

static uint32_t read_data(struct vmm_pl011 *u)
{
    uint32_t byte = u->fifo[u->first];

    if (u->count == 0)
        return 0;
    u->first = (u->first + 1) % VMM_PL011_FIFO;
    u->count--;
    if (u->count == 0)
        u->ris &= ~INT_RT;
    if (u->count < rx_trigger(u))
        u->ris &= ~INT_RX;
    pull_held(u);
    return byte;
}

static void write_data(struct vmm_pl011 *u, uint8_t byte)
{
    u->ris |= INT_TX;
    if (!(u->cr & CR_LBE)) {
        u->host->put(u->host->ctx, byte);
        update_line(u); /* no flag of FR changes */
        return;
    }
    if (has_room(u)) /* otherwise the byte is lost: an overrun */
        receive(u, byte);
    update(u);
}

static void write_cr(struct vmm_pl011 *u, uint32_t value)
{
    uint32_t before = modem(u), changed;

    u->cr = value & CR_BITS;
    changed = before ^ modem(u);
    u->ris |= (changed & FR_CTS ? INT_CTS : 0) | (changed & FR_DSR ? INT_DSR : 0) | (changed & FR_DCD ? INT_DCD : 0) |
              (before & FR_RI && changed & FR_RI ? INT_RI : 0); /* its trailing edge (3.3.11) */
    pull_held(u);
}

static uint32_t read(struct vmm_mmio *dev, uint32_t offset)
{
    struct vmm_pl011 *u = from_mmio(dev);
    uint32_t value = 0;

    switch (offset) {
    case DR:
        value = read_data(u);
        update(u);
        break;
    case FR:
        value = u->fr;
        break;
    case ILPR:
        value = u->ilpr;
        break;
    case IBRD:
        value = u->ibrd;
        break;
    case FBRD:
        value = u->fbrd;
        break;
    case LCR_H:
        value = u->lcr_h;
        break;
    case CR:
        value = u->cr;
        break;
    case IFLS:
        value = u->ifls;
        break;
    case IMSC:
        value = u->imsc;
        break;
    case RIS:
        value = u->ris;
        break;
    case MIS:
        value = u->ris & u->imsc;
        break;
    case DMACR:
        value = u->dmacr;
        break;
    default: /* RSR: no errors; ICR is write-only; the rest is reserved */
        if (offset >= ID)
            value = vmm_primecell_id(ids, offset);
        break;
    }
    return value;
}

static void write(struct vmm_mmio *dev, uint32_t offset, uint32_t value)
{
    struct vmm_pl011 *u = from_mmio(dev);

    switch (offset) {
    case DR:
        write_data(u, (uint8_t)value);
        return;
    case ILPR:
        u->ilpr = value & ILPR_BITS;
        break;
    case IBRD:
        u->ibrd = value & IBRD_BITS;
        break;
    case FBRD:
        u->fbrd = value & FBRD_BITS;
        break;
    case LCR_H:
        /* Bytes in the FIFO stay readable when it becomes one byte deep. */
        u->lcr_h = value & LCR_BITS;
        pull_held(u);
        break;
    case CR:
        write_cr(u, value);
        break;
    case IFLS:
        u->ifls = value & IFLS_BITS;
        break;
    case IMSC:
        u->imsc = value & INT_ALL;
        break;
    case ICR:
        u->ris &= ~value;
        break;
    case DMACR: /* kept; there is no DMA controller for the requests */
        u->dmacr = value & DMACR_BITS;
        break;
    default: /* ECR has no errors to clear; the others are read-only or reserved */
        break;
    }
    update(u);
}

/* Not inlined: see docs/compilers.md. */
static __attribute__((noinline)) enum avc_answer send(struct vmm_pl011 *u, struct avc_exit *e)
{
    vmm_lock(&u->mmio.lock);
    write_data(u, (uint8_t)e->value);
    vmm_unlock(&u->mmio.lock);
    return avc_done(e, e->value);
}

/* Nearly all accesses of a guest that prints are these two, and each is a trap. So they have a fast path. */
enum avc_answer vmm_pl011_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct vmm_pl011 *u = ctx;
    uint64_t offset = e->key - u->mmio.base;

    if (vmm_mmio_is_one(offset, e->size)) {
        if (offset == FR && !e->write)
            return avc_done(e, atomic_load_explicit(&u->fr, memory_order_relaxed) & vmm_mmio_mask(e->size));
        if (offset == DR && e->write)
            return send(u, e);
    }
    return vmm_mmio_access(vcpu, e, ctx);
}

void vmm_pl011_init(struct vmm_pl011 *uart, uint64_t base, const struct vmm_pl011_host *host)
{
    *uart = (struct vmm_pl011){
        .mmio = { .base = base, .size = VMM_PL011_SIZE, .read = read, .write = write },
        .host = host,
    };
    vmm_pl011_reset(uart);
}

void vmm_pl011_reset(struct vmm_pl011 *uart)
{
    vmm_lock(&uart->mmio.lock);
    uart->ris = uart->count ? INT_RT : 0;
    uart->imsc = uart->lcr_h = uart->ibrd = uart->fbrd = uart->ilpr = uart->dmacr = 0;
    uart->cr = CR_RESET;
    uart->ifls = IFLS_RESET;
    update(uart);
    vmm_unlock(&uart->mmio.lock);
}

void vmm_pl011_ready(struct vmm_pl011 *uart)
{
    vmm_lock(&uart->mmio.lock);
    pull(uart);
    update(uart);
    vmm_unlock(&uart->mmio.lock);
}

static const struct avc_state_field fields[] = {
    AVC_STATE_ROW(0, AVC_STATE_FIXED, struct vmm_pl011_values, base, 1),
    AVC_STATE_ROW(1, AVC_STATE_NEEDED, struct vmm_pl011_values, cr, 1),
    AVC_STATE_ROW(2, AVC_STATE_NEEDED, struct vmm_pl011_values, lcr_h, 1),
    AVC_STATE_ROW(3, AVC_STATE_NEEDED, struct vmm_pl011_values, ifls, 1),
    AVC_STATE_ROW(4, AVC_STATE_NEEDED, struct vmm_pl011_values, imsc, 1),
    AVC_STATE_ROW(5, AVC_STATE_NEEDED, struct vmm_pl011_values, ris, 1),
    AVC_STATE_ROW(6, AVC_STATE_NEEDED, struct vmm_pl011_values, ibrd, 1),
    AVC_STATE_ROW(7, AVC_STATE_NEEDED, struct vmm_pl011_values, fbrd, 1),
    AVC_STATE_ROW(8, AVC_STATE_NEEDED, struct vmm_pl011_values, ilpr, 1),
    AVC_STATE_ROW(9, AVC_STATE_NEEDED, struct vmm_pl011_values, dmacr, 1),
    AVC_STATE_ROW(10, AVC_STATE_NEEDED, struct vmm_pl011_values, count, 1),
    AVC_STATE_ROW(11, AVC_STATE_NEEDED, struct vmm_pl011_values, fifo, VMM_PL011_FIFO),
};

const struct avc_state_model vmm_pl011_state = { .id = VMM_STATE_PL011,
                                                 .nr = sizeof(fields) / sizeof(fields[0]),
                                                 .field = fields };

void vmm_pl011_get(struct vmm_pl011 *uart, struct vmm_pl011_values *values)
{
    vmm_lock(&uart->mmio.lock);
    *values = (struct vmm_pl011_values){
        .base = uart->mmio.base,
        .cr = (uint16_t)uart->cr,
        .ris = (uint16_t)uart->ris,
        .imsc = (uint16_t)uart->imsc,
        .ibrd = (uint16_t)uart->ibrd,
        .lcr_h = (uint8_t)uart->lcr_h,
        .ifls = (uint8_t)uart->ifls,
        .fbrd = (uint8_t)uart->fbrd,
        .ilpr = (uint8_t)uart->ilpr,
        .dmacr = (uint8_t)uart->dmacr,
        .count = (uint8_t)uart->count,
    };
    for (unsigned i = 0; i < uart->count; i++)
        values->fifo[i] = uart->fifo[(uart->first + i) % VMM_PL011_FIFO];
    vmm_unlock(&uart->mmio.lock);
}

/* The guest can clear any bit of RIS, and bytes stay when the FIFO becomes one byte deep. So RIS and the FIFO allow no
   more to be said than these bounds. */
static bool is_possible(const struct vmm_pl011 *u, const struct vmm_pl011_values *v)
{
    return v->base == u->mmio.base && v->count <= VMM_PL011_FIFO && !(v->cr & ~CR_BITS) && !(v->ris & ~INT_ALL) &&
           !(v->imsc & ~INT_ALL) && !(v->ifls & ~IFLS_BITS) && !(v->fbrd & ~FBRD_BITS) && !(v->dmacr & ~DMACR_BITS);
}

/* `held` is this host's own, and stays. */
bool vmm_pl011_set(struct vmm_pl011 *uart, const struct vmm_pl011_values *values)
{
    if (!is_possible(uart, values))
        return false;
    vmm_lock(&uart->mmio.lock);
    uart->cr = values->cr;
    uart->ris = values->ris;
    uart->imsc = values->imsc;
    uart->ibrd = values->ibrd;
    uart->lcr_h = values->lcr_h;
    uart->ifls = values->ifls;
    uart->fbrd = values->fbrd;
    uart->ilpr = values->ilpr;
    uart->dmacr = values->dmacr;
    uart->first = 0;
    uart->count = values->count;
    for (unsigned i = 0; i < VMM_PL011_FIFO; i++)
        uart->fifo[i] = values->fifo[i];
    pull_held(uart);
    update(uart);
    vmm_unlock(&uart->mmio.lock);
    return true;
}
