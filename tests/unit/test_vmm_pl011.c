/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The board's UARTs: no byte of a guest's waits for the wire, and one of the log's for a bounded time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/cpu.h" /* the fake */

#include "board/pl011.c"

#define GUEST UINT64_C(0x9000000)
#define LOG   UINT64_C(0x9040000)
#define DEPTH 16u /* of the FIFO of an older PL011 */

struct vmm_board vmm_board = { .guest_uart = { .base = GUEST, .intid = 33 } };

/* The device that is looked at. Its FIFO drains when a test says so, or with each look if `wire` is set. */
static unsigned fifo, looks, most_looks;
static uint32_t imsc, ris;
static bool wire;
static unsigned sent;
static uint8_t bytes[2 * QUEUE];
static uint64_t now;
static void (*handler)(void *ctx);
static unsigned readies, incoming;

static void drain_one(void)
{
    if (fifo && !--fifo)
        ris |= INT_TX;
}

uint32_t mmio_read32(uint64_t address)
{
    switch (address & 0xfff) {
    case FR:
        assert_true(++looks < most_looks);
        now++;
        if (wire)
            drain_one();
        return (fifo == DEPTH ? FR_TXFF : 0) | (fifo ? FR_BUSY : 0) | (incoming ? 0 : FR_RXFE);
    case RIS:
        return ris | (incoming ? INT_RX : 0);
    case DR:
        assert_true(incoming);
        incoming--;
        return 'i';
    default:
        fail_msg("a read of 0x%llx", (unsigned long long)address);
        return 0;
    }
}

void mmio_write32(uint64_t address, uint32_t value)
{
    switch (address & 0xfff) {
    case DR:
        assert_true(fifo < DEPTH);
        fifo++;
        ris &= ~INT_TX;
        bytes[sent++] = (uint8_t)value;
        break;
    case IMSC:
        imsc = value;
        break;
    case ICR:
        ris &= ~value;
        break;
    default:
        break;
    }
}

void vmm_cpu_relax(void)
{
}

uint64_t vmm_time_now(void)
{
    return now;
}

uint64_t vmm_time_from_ms(uint64_t ms)
{
    return 10 * ms;
}

void vmm_irq_register(uint32_t intid, void (*fn)(void *ctx), void *ctx)
{
    assert_true(intid == 33 || intid == 40);
    (void)ctx;
    handler = fn;
}

static unsigned log_sends;

void vmm_log_send(void)
{
    log_sends++;
}

static void ready(void *ctx)
{
    (void)ctx;
    readies++;
    while (vmm_console_getc() >= 0)
        ;
}

static int begin(void **state)
{
    (void)state;
    memset(&out, 0, sizeof(out));
    fifo = sent = looks = readies = incoming = 0;
    ris = 0;
    wire = false;
    most_looks = 20000;
    vmm_console_init(ready, NULL);
    assert_int_equal(imsc, INT_RX | INT_RT);
    return 0;
}

/* More than the FIFO holds: nobody waits, the rest goes out by interrupts, in order, and no interrupt is left on. */
static void test_console_queue(void **state)
{
    const unsigned nr = 1000;

    (void)state;
    for (unsigned i = 0; i < nr; i++) {
        looks = 0;
        vmm_console_putc((uint8_t)(i * 7));
        assert_true(looks <= 1);
    }
    assert_int_equal(sent, DEPTH);
    assert_int_equal(imsc, INT_RX | INT_RT | INT_TX);
    for (unsigned irqs = 0; sent < nr; irqs++) {
        assert_true(irqs < nr / DEPTH + 2);
        while (fifo)
            drain_one();
        looks = 0;
        handler(NULL);
        assert_true(looks <= FIFO_DEPTH + 1);
    }
    for (unsigned i = 0; i < nr; i++)
        assert_int_equal(bytes[i], (uint8_t)(i * 7));
    assert_int_equal(imsc, INT_RX | INT_RT);
    assert_int_equal(readies, 0);
    /* Empty again: a byte goes out at once. */
    fifo = 0;
    vmm_console_putc('x');
    assert_int_equal(sent, nr + 1);
}

/* A wire that stands still: what has no room is lost, and nobody waits. */
static void test_console_stuck(void **state)
{
    (void)state;
    for (unsigned i = 0; i < QUEUE + DEPTH + 5; i++) {
        looks = 0;
        vmm_console_putc((uint8_t)i);
        assert_true(looks <= 1);
    }
    assert_int_equal(out.lost, 5);
    assert_int_equal(out.nr, QUEUE);
    looks = 0;
    vmm_console_drain(); /* gives up */
    assert_int_equal(sent, DEPTH);
    wire = true;
    most_looks = 4 * QUEUE;
    vmm_console_drain();
    assert_int_equal(sent, DEPTH + QUEUE);
}

/* Input and output share the interrupt: neither switches the other's off. */
static void test_console_both(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DEPTH + 2; i++)
        vmm_console_putc('o');
    incoming = 3;
    handler(NULL);
    assert_int_equal(readies, 1);
    assert_int_equal(incoming, 0);
    assert_int_equal(imsc, INT_RX | INT_RT | INT_TX);
    /* The model has no room: reception is masked, and an interrupt of the transmitter's asks nobody. */
    set_imsc(INT_TX);
    incoming = 1;
    handler(NULL);
    assert_int_equal(readies, 1);
    vmm_console_rx_resume();
    handler(NULL);
    assert_int_equal(readies, 2);
}

/* The log waits for the wire, but not for ever, and only once for a device that does not move. */
static void test_log(void **state)
{
    static const struct vmm_uart uart = { .base = LOG };
    static const char line[] = "0123456789012345678901234567890123456789";

    (void)state;
    vmm_log_uart_init(&uart);
    wire = true;
    vmm_log_uart_write(line, 40);
    assert_int_equal(sent, 40);
    assert_memory_equal(bytes, line, 40);
    wire = false;
    looks = 0;
    vmm_log_uart_write(line, 40);
    assert_true(sent < 40 + DEPTH + 1);
    assert_true(looks < 40);
    looks = 0;
    vmm_log_uart_write(line, 40);
    assert_true(looks <= 3);
    looks = 0;
    vmm_log_uart_drain();
    fifo = sent = 0;
    looks = 0;
    vmm_log_uart_write(line, 10);
    assert_int_equal(sent, 10);
}

/* By interrupts: nobody waits for a full FIFO, and it interrupts when it has room again. */
static void test_log_interrupts(void **state)
{
    static const struct vmm_uart uart = { .base = LOG, .intid = 40 }, without = { .base = LOG };
    static const char line[] = "01234\0\0\0"
                               "567890123456789";

    (void)state;
    vmm_log_uart_init(&uart);
    vmm_log_uart_start(&uart);
    assert_int_equal(vmm_log_uart_try(line, 23), 19); /* zeros are no bytes */
    assert_int_equal(sent, DEPTH);
    assert_memory_equal(bytes, "0123456789012345", DEPTH);
    assert_true(looks <= DEPTH + 1);
    assert_true(vmm_log_uart_notify());
    assert_int_equal(imsc, INT_TX);
    log_sends = 0;
    handler(NULL);
    assert_int_equal(log_sends, 1);
    assert_int_equal(imsc, 0);
    fifo = 0;
    assert_int_equal(vmm_log_uart_try(line + 19, 4), 4);
    assert_int_equal(sent, DEPTH + 4);
    vmm_log_uart_start(&without);
    assert_false(vmm_log_uart_notify());
    assert_int_equal(imsc, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_console_queue, begin),  cmocka_unit_test_setup(test_console_stuck, begin),
        cmocka_unit_test_setup(test_console_both, begin),   cmocka_unit_test_setup(test_log, begin),
        cmocka_unit_test_setup(test_log_interrupts, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
