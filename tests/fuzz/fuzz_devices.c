/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's PL011 and PL031 under any accesses of any width, a host that sends bytes and lets time pass. What must
 * hold after each: no byte of either stream is lost, changed or out of order; the interrupt lines are what MIS says;
 * the clock is the host's, moved by what was written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pl011.h"
#include "dev/pl031.h"
#include "input.h"

#define UART UINT64_C(0x09000000)
#define RTC  UINT64_C(0x09010000)
#define NOW  1700000000u

enum { DR = 0x00, FR = 0x18, CR = 0x30, IMSC = 0x38, RIS = 0x3c, MIS = 0x40 };
enum { RTC_DR = 0x00, RTC_LR = 0x08, RTC_IMSC = 0x10, RTC_RIS = 0x14, RTC_MIS = 0x18 };

static void wrong(const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "devices: %s: %#llx, %#llx\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

static void must(int ok, const char *what, uint64_t a, uint64_t b)
{
    if (!ok)
        wrong(what, a, b);
}

/* ---- the host ---- */

/* Byte n that the host sends is n * 7: its place shows if one is lost. */
static struct {
    unsigned sent, taken; /* to the device */
    unsigned got, wanted; /* from the guest; what it should be next */
    uint8_t last;         /* that the guest has written */
    bool muted, line, rtc_line;
} host;
static uint64_t time_now;
static struct vmm_pl011 uart;
static struct vmm_pl031 rtc;

static void put(void *ctx, uint8_t c)
{
    (void)ctx;
    must(c == host.last, "a byte of the guest's", c, host.last);
    host.got++;
}

static int get(void *ctx)
{
    (void)ctx;
    return host.taken < host.sent ? (uint8_t)(7 * host.taken++) : -1;
}

static void resume(void *ctx)
{
    (void)ctx;
    must(host.muted, "resume() without ready()", 0, 0);
    must(host.taken == host.sent, "resume() with bytes waiting", host.taken, host.sent);
    host.muted = false;
}

static void line(void *ctx, bool level)
{
    bool *is = ctx;

    must(*is != level, "a line that does not change is told", level, 0);
    *is = level;
}

static uint64_t seconds(void *ctx)
{
    (void)ctx;
    return time_now;
}

/* ---- the guest ---- */

static uint64_t access(uint64_t at, unsigned size, bool write, uint64_t value)
{
    struct avc_exit e = { .kind = AVC_MMIO, .key = at, .size = (uint8_t)size, .write = write, .value = value };
    enum avc_answer answer = at >= RTC ? vmm_mmio_access(NULL, &e, &rtc) : vmm_pl011_access(NULL, &e, &uart);

    must(answer == AVC_DONE && e.answer == AVC_DONE, "the answer", at, answer);
    return e.value;
}

static uint32_t load(uint64_t at)
{
    return (uint32_t)access(at, 4, false, 0);
}

static unsigned read_next; /* of the stream */
static bool looped;        /* CR.LBE was on: what is read may be the guest's own */

/* A byte that is read is the next one of the stream. */
static void read_byte(void)
{
    bool empty = load(UART + FR) & 0x10;
    uint32_t c = load(UART + DR);

    if (looped)
        return;
    must(!empty || c == 0, "a byte out of an empty FIFO", c, 0);
    if (!empty) {
        must(c == (uint8_t)(7 * read_next), "a byte out of order", c, (uint8_t)(7 * read_next));
        read_next++;
    }
}

/* DR or its neighbours in one access: bytes may be taken or given that nobody looks at. */
static bool touches_data(uint64_t at, unsigned size)
{
    return at < UART + 4 && at + size > UART;
}

static void any_access(void)
{
    uint8_t what = byte();
    unsigned size = 1u << (what & 3);
    uint64_t base = what & 4 ? RTC : UART, at = base + (what & 8 ? (take_bytes(2) & 0xfff) : (byte() & 0x4c));
    uint64_t value = what & 16 ? take_bytes(size) : 0;
    bool is_cr = at < UART + CR + 4 && at + size > UART + CR;

    if (what & 32) { /* aligned, as drivers do it */
        at &= ~UINT64_C(3);
        size = 4;
    }
    if (touches_data(at, size))
        looped = true; /* from here on the order of bytes is not looked at */
    if (what & 16 && is_cr)
        looped |= value >> 7 & 1 || size != 4 || at != UART + CR;
    host.last = (uint8_t)value;
    if (touches_data(at, size) && what & 16 && (size == 8 || at != UART))
        return; /* which byte goes out is the bus's business: test_dev_pl011.c */
    (void)access(at, size, what & 16, value);
}

/* ---- what must hold ---- */

static uint32_t offset; /* of the clock, beyond the host's */

static void check(void)
{
    uint32_t ris = load(UART + RIS), imsc = load(UART + IMSC), mis = load(UART + MIS), fr = load(UART + FR);

    must(mis == (ris & imsc), "MIS", mis, ris & imsc);
    must(host.line == (mis != 0), "the UART's line", host.line, mis);
    must(imsc < 0x800 && ris < 0x800, "bits that are not there", imsc, ris);
    must(fr & 0x80 && !(fr & 0x28), "FR: sending takes no time", fr, 0);
    must(!(fr & 0x10) || !(fr & 0x40), "FR: empty and full", fr, 0);
    must(uart.count <= VMM_PL011_FIFO, "the FIFO", uart.count, 0);
    if (!looped)
        must(host.taken - read_next == uart.count, "bytes in the FIFO", host.taken - read_next, uart.count);
    mis = load(RTC + RTC_MIS);
    must(mis == (load(RTC + RTC_RIS) & load(RTC + RTC_IMSC)), "the clock's MIS", mis, 0);
    must(host.rtc_line == (mis != 0), "the clock's line", host.rtc_line, mis);
    must(load(RTC + RTC_DR) == (uint32_t)(time_now + rtc.offset), "the time", load(RTC + RTC_DR), time_now);
}

static void set_clock(void)
{
    uint32_t to = (uint32_t)take_bytes(4);

    (void)access(RTC + RTC_LR, 4, true, to);
    must(load(RTC + RTC_DR) == to, "the time that was set", load(RTC + RTC_DR), to);
    offset = to - (uint32_t)time_now;
    must(offset == rtc.offset, "the offset", offset, rtc.offset);
}

/* The host's timer comes when it was told, and not before. */
static void pass_time(void)
{
    uint64_t next = vmm_pl031_poll(&rtc), step = byte();

    must(next > time_now, "an alarm of the past", next, time_now);
    time_now += step;
    if (next != UINT64_MAX && next <= time_now) {
        must(rtc.imsc, "an alarm that nobody hears", next, time_now);
        (void)vmm_pl031_poll(&rtc);
        must(host.rtc_line, "an alarm that did not ring", next, time_now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vmm_pl011_host ops = { put, get, resume, NULL };

    input_is(data, size);
    memset(&host, 0, sizeof host);
    time_now = 1000;
    read_next = 0;
    looped = false;
    vmm_pl011_init(&uart, UART, &ops);
    uart.mmio.irq = line;
    uart.mmio.irq_ctx = &host.line;
    vmm_pl031_init(&rtc, RTC, NOW, seconds, NULL);
    rtc.mmio.irq = line;
    rtc.mmio.irq_ctx = &host.rtc_line;
    for (unsigned n = 0; n < 400 && input_left; n++) {
        uint8_t what = byte();

        switch (what & 7) {
        case 0:
            host.sent += what >> 3;
            if (!host.muted && what >> 3) {
                host.muted = true;
                vmm_pl011_ready(&uart);
            }
            break;
        case 1:
            read_byte();
            break;
        case 2:
            host.wanted = host.got + (load(UART + CR) & 0x80 ? 0 : 1);
            host.last = what;
            (void)access(UART + DR, 1u << (what >> 6), true, what);
            looped |= load(UART + CR) & 0x80;
            if (what >> 6 < 3)
                must(host.got == host.wanted, "a byte that was written", host.got, host.wanted);
            break;
        case 3:
            pass_time();
            break;
        case 4:
            set_clock();
            break;
        default:
            any_access();
        }
        check();
        if (what == 0xff) {
            vmm_pl011_reset(&uart);
            vmm_pl031_reset(&rtc);
            check();
        }
    }
    return 0;
}
