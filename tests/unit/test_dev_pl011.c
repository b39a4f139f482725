/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The model of the serial port, used as guests use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/pl011.h"

#define BASE 0x09000000u

/* The host's side: a stream of input, and a record of the output. */
static struct {
    uint8_t in[4096], out[4096];
    size_t in_at, in_end, out_len;
    bool muted; /* it has said "ready", and waits for resume() */
    unsigned readies, resumes, edges;
    bool line;
} host;
static struct vmm_pl011 uart;

static void put(void *ctx, uint8_t byte)
{
    (void)ctx;
    host.out[host.out_len++ % sizeof(host.out)] = byte;
}

static int get(void *ctx)
{
    (void)ctx;
    return host.in_at < host.in_end ? host.in[host.in_at++] : -1;
}

static void resume(void *ctx)
{
    (void)ctx;
    host.muted = false;
    host.resumes++;
}

static void irq(void *ctx, bool level)
{
    (void)ctx;
    assert_int_not_equal(level, host.line); /* the model reports changes only */
    host.line = level;
    host.edges++;
}

static const struct vmm_pl011_host ops = { .put = put, .get = get, .resume = resume };

/* Bytes arrive. The host interrupts, unless it was told not to. */
static void type(const char *s, size_t n)
{
    memcpy(host.in + host.in_end, s, n);
    host.in_end += n;
    if (!host.muted) {
        host.muted = true;
        host.readies++;
        vmm_pl011_ready(&uart);
    }
}

static uint64_t load(uint64_t offset, unsigned size)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = BASE + offset, .size = (uint8_t)size };

    assert_int_equal(vmm_pl011_access(NULL, &e, &uart), AVC_DONE);
    assert_int_equal(e.answer, AVC_DONE);
    return e.value;
}

static void store(uint64_t offset, unsigned size, uint64_t value)
{
    struct avc_exit e = {
        .kind = AVC_MMIO, .key = BASE + offset, .size = (uint8_t)size, .write = true, .value = value
    };

    assert_int_equal(vmm_pl011_access(NULL, &e, &uart), AVC_DONE);
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof(host));
    vmm_pl011_init(&uart, BASE, &ops);
    uart.mmio.irq = irq;
    return 0;
}

static void reset_values(void **state)
{
    static const struct {
        uint16_t offset, value;
    } regs[] = {
        { 0x00, 0 },     { 0x04, 0 },     { 0x08, 0 },     { 0x18, 0x97 },  { 0x20, 0 },
        { 0x24, 0 },     { 0x28, 0 },     { 0x2C, 0 },     { 0x30, 0x300 }, { 0x34, 0x12 },
        { 0x38, 0 },     { 0x3C, 0 },     { 0x40, 0 },     { 0x44, 0 },     { 0x48, 0 },
        { 0x4C, 0 },     { 0xFDC, 0 },    { 0xFE0, 0x11 }, { 0xFE4, 0x10 }, { 0xFE8, 0x14 },
        { 0xFEC, 0x00 }, { 0xFF0, 0x0D }, { 0xFF4, 0xF0 }, { 0xFF8, 0x05 }, { 0xFFC, 0xB1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
        assert_int_equal(load(regs[i].offset, 4), regs[i].value);
}

static void writable_bits(void **state)
{
    static const struct {
        uint16_t offset, mask;
    } regs[] = { { 0x20, 0xFF },  { 0x24, 0xFFFF }, { 0x28, 0x3F }, { 0x2C, 0xFF }, { 0x30, 0xFF87 }, { 0x34, 0x3F },
                 { 0x38, 0x7FF }, { 0x48, 7 },      { 0x04, 0 },    { 0x3C, 0 },    { 0x40, 0 },      { 0x100, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        setup(NULL);
        store(regs[i].offset, 4, 0xFFFFFFFF);
        assert_int_equal(load(regs[i].offset, 4), regs[i].mask);
        store(regs[i].offset, 4, 0);
        assert_int_equal(load(regs[i].offset, 4), 0);
    }
    store(0x18, 4, 0); /* FR is read-only */
    store(0xFE0, 4, 0);
    assert_int_equal(load(0xFE0, 4), 0x11);
}

static void every_width(void **state)
{
    (void)state;
    store(0x24, 4, 0x1234);
    store(0x28, 4, 0x3F);
    assert_int_equal(load(0x24, 1), 0x34);
    assert_int_equal(load(0x25, 1), 0x12);
    assert_int_equal(load(0x24, 2), 0x1234);
    assert_int_equal(load(0x26, 2), 0);
    assert_int_equal(load(0x24, 8), UINT64_C(0x3F00001234));
    assert_int_equal(load(0x26, 4), 0x3F0000); /* a read across two registers */
    store(0x24, 8, UINT64_C(0xFFFFFFF500005678));
    assert_int_equal(load(0x24, 4), 0x5678);
    assert_int_equal(load(0x28, 4), 0x35);
    store(0x24, 1, 0xFFFFFFFFFFFFFF9A); /* only the lowest byte counts, zero-extended */
    assert_int_equal(load(0x24, 4), 0x9A);
    store(0x25, 1, 0x77); /* no register has this address, which is not a register's first byte */
    assert_int_equal(load(0x24, 4), 0x9A);
    store(0x30, 4, 0x380 | 0x2000); /* loop back, so that FR has a bit above the lowest byte */
    assert_int_equal(load(0x18, 1), 0x90);
    assert_int_equal(load(0x18, 2), 0x190);
    assert_int_equal(load(0x18, 8), 0x190);
    assert_int_equal(load(0x19, 1), 1);
    store(0x30, 4, 0x300);
    assert_int_equal(load(0xFFC, 8), 0xB1); /* the last bytes of the device */
    store(0xFFC, 8, ~UINT64_C(0));
    for (unsigned size = 1; size <= 8; size *= 2)
        store(0x00, size, 'a' | UINT64_C(0x1122334400000000));
    assert_memory_equal(host.out, "aaaa", 4);
    assert_int_equal(host.out_len, 4);
}

static void output_interrupts(void **state)
{
    (void)state;
    store(0x38, 4, 0x20); /* TXIM; nothing was sent, so there is no interrupt yet */
    assert_false(host.line);
    store(0x00, 1, 'x');
    assert_true(host.line);
    assert_int_equal(load(0x3C, 4), 0x20);
    assert_int_equal(load(0x40, 4), 0x20);
    store(0x44, 4, 0x20);
    assert_false(host.line);
    store(0x00, 1, 'y');
    assert_true(host.line);
    store(0x38, 4, 0);
    assert_false(host.line);
    assert_int_equal(load(0x3C, 4), 0x20);
    assert_int_equal(load(0x18, 4) & 0x28, 0); /* never busy, never full */
}

/* As Linux does: FIFOs on, RXIM and RTIM set, read until empty. */
static void input_by_interrupt(void **state)
{
    (void)state;
    store(0x30, 4, 0xB01);
    store(0x2C, 4, 0x70);
    store(0x38, 4, 0x50);
    type("h", 1);
    assert_true(host.line);
    assert_int_equal(load(0x40, 4), 0x40); /* only the time-out, because the level is below the trigger */
    assert_int_equal(load(0x18, 4) & 0x50, 0);
    assert_int_equal(load(0x00, 2), 'h');
    assert_false(host.line);
    assert_int_equal(load(0x18, 4) & 0x50, 0x10);
    assert_int_equal(load(0x00, 2), 0); /* empty */
    type("12345678", 8);
    assert_int_equal(load(0x40, 4), 0x50);
    assert_int_equal(load(0x00, 2), '1'); /* seven bytes are left, below the trigger level */
    assert_int_equal(load(0x40, 4), 0x40);
    store(0x44, 4, 0x40); /* cleared by software; the next byte raises it again */
    assert_false(host.line);
    type("9", 1);
    assert_true(host.line);
    for (const char *s = "23456789"; *s; s++)
        assert_int_equal(load(0x00, 1), *s);
    assert_false(host.line);
}

static void trigger_levels(void **state)
{
    static const uint8_t levels[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        setup(NULL);
        store(0x2C, 4, 0x10);
        store(0x34, 4, i << 3);
        for (unsigned n = 1; n <= 16; n++) {
            type("z", 1);
            assert_int_equal(load(0x3C, 4) & 0x10, n >= levels[i] ? 0x10 : 0);
            assert_int_equal(load(0x18, 4) & 0x40, n == 16 ? 0x40 : 0);
        }
        for (unsigned n = 15; n < 16; n--) {
            load(0x00, 4);
            assert_int_equal(load(0x3C, 4) & 0x10, n >= levels[i] ? 0x10 : 0);
        }
        assert_int_equal(load(0x3C, 4), 0);
    }
}

static void one_byte_without_fifo(void **state)
{
    (void)state;
    type("abc", 3);
    assert_int_equal(load(0x18, 4) & 0x50, 0x40);
    assert_int_equal(load(0x3C, 4), 0x50);
    assert_int_equal(host.in_at, 1); /* the host keeps the others */
    assert_true(host.muted);
    assert_int_equal(load(0, 4), 'a');
    assert_int_equal(load(0x18, 4) & 0x50, 0x40);
    assert_int_equal(load(0, 4), 'b');
    assert_int_equal(load(0, 4), 'c');
    assert_int_equal(load(0x18, 4) & 0x50, 0x10);
    assert_false(host.muted);
    /* The FIFOs are filled and then switched off. No byte may be lost. */
    store(0x2C, 4, 0x10);
    type("0123456789", 10);
    store(0x2C, 4, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(load(0, 4), '0' + i);
}

/* A guest reads late and in bursts, and switches the FIFOs and the receiver. Each byte must arrive once, in order. */
static void nothing_is_lost(void **state)
{
    size_t sent = 0, got = 0;
    char bytes[64];

    (void)state;
    srand(1);
    while (got < 2048) {
        size_t n = (size_t)rand() % 40;

        if (sent + n <= 2048 && rand() % 2) {
            for (size_t i = 0; i < n; i++)
                bytes[i] = (char)((sent + i) * 7);
            type(bytes, n);
            sent += n;
        } else if (sent + n > 2048 && sent < 2048) {
            bytes[0] = (char)(sent++ * 7);
            type(bytes, 1);
        }
        if (rand() % 8 == 0)
            store(0x2C, 4, rand() % 2 ? 0x10 : 0);
        if (rand() % 8 == 0)
            store(0x30, 4, rand() % 2 ? 0x301 : 0x101);
        if (rand() % 16 == 0)
            vmm_pl011_reset(&uart);
        for (n = (size_t)rand() % 40; n > 0 && !(load(0x18, 4) & 0x10); n--)
            assert_int_equal(load(0, 4), (uint8_t)(got++ * 7));
        /*
         * If the host has bytes, the model must either hold a byte or be told of new ones. Otherwise they would never
         * arrive.
         */
        assert_true(host.in_at == host.in_end || uart.held);
        assert_true(host.muted == uart.held);
        if (sent == 2048)
            store(0x30, 4, 0x301);
    }
    assert_int_equal(host.in_at, 2048);
    assert_int_equal(load(0x3C, 4) & 0x50, 0);
}

static void loopback(void **state)
{
    (void)state;
    type("k", 1);
    assert_int_equal(load(0, 4), 'k');
    store(0x2C, 4, 0x10);
    store(0x30, 4, 0x381);
    assert_int_equal(load(0x18, 4) & 0x107, 0); /* all modem outputs are off */
    assert_int_equal(load(0x3C, 4) & 0xF, 0xE);
    store(0x44, 4, 0x7FF);
    store(0x30, 4, 0x381 | 0x800);
    assert_int_equal(load(0x18, 4) & 0x107, 1); /* RTS comes back as CTS */
    assert_int_equal(load(0x3C, 4), 2);
    store(0x30, 4, 0x381 | 0x2000);
    assert_int_equal(load(0x18, 4) & 0x107, 0x100);
    store(0x44, 4, 0x7FF);
    store(0x30, 4, 0x381);
    assert_int_equal(load(0x3C, 4), 1); /* RI has a trailing edge */
    for (unsigned i = 0; i < 20; i++)
        store(0, 4, 'A' + i);
    type("host", 4); /* must not arrive while looped back */
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(load(0, 4), 'A' + i);
    assert_int_equal(load(0x18, 4) & 0x10, 0x10);
    assert_int_equal(host.out_len, 0);
    store(0x30, 4, 0x301);
    assert_int_equal(load(0, 4), 'h');
}

static void reset_lowers_the_line(void **state)
{
    (void)state;
    store(0x38, 4, 0x7FF);
    store(0x2C, 4, 0x10);
    type("xy", 2);
    assert_true(host.line);
    assert_int_equal(load(0, 4), 'x');
    vmm_pl011_reset(&uart);
    assert_false(host.line);
    assert_int_equal(load(0x38, 4), 0);
    assert_int_equal(load(0x30, 4), 0x300);
    assert_int_equal(load(0, 4), 'y');
}

static uint32_t flags(void)
{
    uint32_t modem = 7;

    if (uart.cr & 0x80) /* RTS to CTS, DTR to DSR, OUT1 to DCD, OUT2 to RI */
        modem = (uart.cr >> 11 & 1) | (uart.cr >> 10 & 1) << 1 | (uart.cr >> 12 & 1) << 2 | (uart.cr >> 13 & 1) << 8;
    return 0x80 | modem | (uart.count == 0 ? 0x10 : 0) |
           (uart.count >= (uart.lcr_h & 0x10 ? VMM_PL011_FIFO : 1) ? 0x40 : 0);
}

/* Random accesses anywhere are answered. The line and the flags must always agree with the registers. */
static void random_accesses(void **state)
{
    (void)state;
    srand(2);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t offset = rand() % 2 ? (uint64_t)rand() % 0x50 : (uint64_t)rand() % 0x1000;
        unsigned size = 1u << rand() % 4;

        if (rand() % 2)
            store(offset, size, (uint64_t)rand() * (uint64_t)rand());
        else
            load(offset, size);
        if (host.in_end - host.in_at < 8 && host.in_end < sizeof(host.in))
            type("q", 1);
        assert_int_equal(host.line, (uart.ris & uart.imsc) != 0);
        assert_true(uart.count <= VMM_PL011_FIFO);
        assert_int_equal(load(0x18, 4), flags());
    }
}

/* The state goes through a stream into a device that was used otherwise before. */
static void restore_over_stream(const struct vmm_pl011_values *there, struct vmm_pl011_values *here)
{
    struct vmm_pl011_values copy = *there;
    struct avc_state_object from = { &vmm_pl011_state, 3, &copy }, to = { &vmm_pl011_state, 3, here };
    uint8_t stream[512];
    size_t bytes;

    assert_int_equal(avc_state_write(stream, sizeof(stream), &from, 1, &bytes), AVC_OK);
    assert_int_equal(avc_state_read(stream, bytes, &to, 1, NULL), AVC_OK);
}

/* Each register, each byte of the FIFO and the line are as they were, whatever the device was before. */
static void is_restored(void **state)
{
    static const uint16_t regs[] = { 0x04, 0x18, 0x20, 0x24, 0x28, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x48 };
    static const uint16_t writable[] = { 0x20, 0x24, 0x28, 0x2C, 0x34, 0x38, 0x44, 0x48 };

    (void)state;
    srand(2);
    for (unsigned round = 0; round < 500; round++) {
        struct vmm_pl011_values there, here;
        uint64_t value[sizeof(regs) / sizeof(regs[0])];
        unsigned waiting = (unsigned)rand() % 20, in_fifo;
        uint8_t byte[VMM_PL011_FIFO];
        bool line;

        setup(NULL);
        store(0x2C, 4, rand() % 4 ? 0x10 : 0);
        for (unsigned i = 0; i < waiting; i++) /* so that the FIFO's first byte is anywhere in it */
            type(&(char){ (char)i }, 1);
        for (unsigned i = (unsigned)rand() % 20; i > 0; i--)
            load(0, 4);
        for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
            if (rand() % 2)
                store(writable[i], 4, (uint64_t)rand());
        store(0x30, 4, (uint64_t)rand());
        for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
            value[i] = load(regs[i], 4);
        line = host.line;
        vmm_pl011_get(&uart, &there);
        in_fifo = there.count;
        memcpy(byte, there.fifo, sizeof(byte));

        setup(NULL);
        store(0x2C, 4, 0x10);
        store(0x38, 4, 0x7FF);
        type("old bytes", 1 + (size_t)rand() % 9);
        vmm_pl011_get(&uart, &here);
        restore_over_stream(&there, &here);
        assert_true(vmm_pl011_set(&uart, &here));
        assert_int_equal(host.line, line);
        for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
            if (load(regs[i], 4) != value[i])
                fail_msg("register 0x%x: 0x%llx, was 0x%llx", regs[i], (unsigned long long)load(regs[i], 4),
                         (unsigned long long)value[i]);
        for (unsigned i = 0; i < in_fifo; i++)
            assert_int_equal(load(0, 4), byte[i]);
        assert_int_equal(load(0x18, 4) & 0x10, 0x10);
    }
}

/* Bytes that waited at this host for room in the FIFO arrive behind the restored ones. */
static void restored_in_front_of_what_waits(void **state)
{
    struct vmm_pl011_values v;

    (void)state;
    store(0x2C, 4, 0x10);
    type("0123456789abcdefgh", 18);
    vmm_pl011_get(&uart, &v);
    v.count = 1;
    v.fifo[0] = 'R';
    assert_true(vmm_pl011_set(&uart, &v));
    assert_int_equal(load(0, 4), 'R');
    assert_int_equal(load(0, 4), 'g');
    assert_int_equal(load(0, 4), 'h');
    assert_int_equal(load(0x18, 4) & 0x10, 0x10);
    assert_false(host.muted);
}

static void impossible_states(void **state)
{
    struct vmm_pl011_values good, now;

    (void)state;
    vmm_pl011_get(&uart, &good);
#define REFUSED(what)                                                                                                  \
    do {                                                                                                               \
        struct vmm_pl011_values v = good;                                                                              \
                                                                                                                       \
        v.ibrd = 99;                                                                                                   \
        v.what;                                                                                                        \
        assert_false(vmm_pl011_set(&uart, &v));                                                                        \
        vmm_pl011_get(&uart, &now);                                                                                    \
        assert_memory_equal(&now, &good, sizeof(now));                                                                 \
    } while (0)
    REFUSED(base = BASE + 1);
    REFUSED(count = VMM_PL011_FIFO + 1);
    REFUSED(cr = 0x08);
    REFUSED(ris = 0x800);
    REFUSED(imsc = 0x800);
    REFUSED(ifls = 0x40);
    REFUSED(fbrd = 0x40);
    REFUSED(dmacr = 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reset_values, setup),
        cmocka_unit_test_setup(writable_bits, setup),
        cmocka_unit_test_setup(every_width, setup),
        cmocka_unit_test_setup(output_interrupts, setup),
        cmocka_unit_test_setup(input_by_interrupt, setup),
        cmocka_unit_test_setup(trigger_levels, setup),
        cmocka_unit_test_setup(one_byte_without_fifo, setup),
        cmocka_unit_test_setup(nothing_is_lost, setup),
        cmocka_unit_test_setup(loopback, setup),
        cmocka_unit_test_setup(reset_lowers_the_line, setup),
        cmocka_unit_test_setup(is_restored, setup),
        cmocka_unit_test_setup(restored_in_front_of_what_waits, setup),
        cmocka_unit_test_setup(impossible_states, setup),
        cmocka_unit_test_setup(random_accesses, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
