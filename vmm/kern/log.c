/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Log lines: whole lines, from any CPU, in one order.
 *
 * A line may be logged in a guest's trap, with interrupts masked, and a device takes long for it. So a line goes into a
 * ring. An interrupt of the lowest priority, which the CPU sends to itself, takes a few bytes at a time from the ring
 * to the device. When the device is full, its own interrupt does, or else the CPU's loop.
 *
 * A guest that makes more lines than the device takes loses some, and the log says how many. At the end, whatever it
 * is, the rest is written with interrupts masked, and so is each line after that: a panic finds no ring full. At boot
 * each line is, too.
 */
#include <stdatomic.h>
#include <string.h>

#include "board/board.h"
#include "boot/cpu.h"
#include "kern/lock.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "vmm.h"

#define RING     32768u
#define LINE     400u
#define AT_ONCE  32u /* bytes that an interrupt writes */
#define PATIENCE 100 /* ms without a byte, after which nobody waits for room */

static struct {
    struct vmm_lock lock;
    _Atomic bool started;
    _Atomic bool sending;      /* an interrupt will come, and write more */
    _Atomic uint64_t in, gone; /* bytes that have ever come, and gone; multiples of 8 come */
    unsigned lost;             /* lines for which there was no room */
    char ring[RING] __attribute__((aligned(8)));
} out;

static _Atomic int max_level = VMM_INFO;
static _Atomic(const struct vmm_cpu *) stopping; /* the CPU that stops the machine */

void vmm_log_set_level(enum vmm_log_level level)
{
    atomic_store(&max_level, level);
}

void vmm_log_stopping(void)
{
    atomic_store(&stopping, vmm_cpu_self());
}

static bool is_stopping(void)
{
    return atomic_load(&stopping) == vmm_cpu_self();
}

/* Takes the lock. When a CPU stops the machine, the lock's holder may never come back: it may be the one that crashed.
   Then a torn line is better than none. All other CPUs wait: the one that stops the machine keeps the lock for as long
   as the device takes, and two that take bytes from the ring would lose count. */
void vmm_log_take(void)
{
    for (unsigned long tries = 0; !vmm_trylock(&out.lock); tries++) {
        if (tries > 1000000 && is_stopping())
            return;
        vmm_cpu_relax();
    }
}

/* ---- the ring. Who calls these holds the lock. ---- */

static uint64_t get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void add(_Atomic uint64_t *count, size_t n)
{
    atomic_store_explicit(count, get(count) + n, memory_order_relaxed);
}

static uint64_t waiting(void)
{
    return get(&out.in) - get(&out.gone);
}

/* `line` has room for zeros up to a multiple of 8: memcpy() then moves doublewords. They are never written. */
static bool put(char *line, size_t length)
{
    size_t at = get(&out.in) % RING, whole = (length + 7) & ~(size_t)7, first = RING - at;

    if (whole > RING - waiting())
        return false;
    memset(line + length, 0, whole - length);
    first = first < whole ? first : whole;
    memcpy(out.ring + at, line, first);
    memcpy(out.ring, line + first, whole - first);
    add(&out.in, whole);
    return true;
}

#define NOTE 64u

static size_t make_note(char note[NOTE])
{
    return (size_t)vmm_snprintf(note, NOTE - 8, "vmm: %u lines of the log were lost here\n", out.lost);
}

static void put_line(char *line, size_t length)
{
    char note[NOTE] __attribute__((aligned(8)));

    if (out.lost) {
        if (!put(note, make_note(note))) {
            out.lost++;
            return;
        }
        out.lost = 0;
    }
    if (!put(line, length))
        out.lost++;
}

/* Writes what the device takes. Returns false if it is full. */
static bool write_some(void)
{
    size_t at = get(&out.gone) % RING, n = RING - at, done;

    n = n < waiting() ? n : (size_t)waiting();
    n = n < AT_ONCE ? n : AT_ONCE;
    done = vmm_log_out_try(out.ring + at, n);
    add(&out.gone, done);
    return done == n;
}

/* ---- */

static void send_later(void)
{
    vmm_gic_send_sgi(vmm_cpu_self(), VMM_SGI_LOG);
}

static bool is_sending(void)
{
    return atomic_load_explicit(&out.sending, memory_order_relaxed);
}

static void set_sending(bool sending)
{
    atomic_store_explicit(&out.sending, sending, memory_order_relaxed);
}

void vmm_log_send(void)
{
    bool more;

    vmm_log_take();
    more = write_some() ? waiting() : false;
    set_sending(more || (waiting() && vmm_log_out_notify()));
    vmm_unlock(&out.lock);
    if (more)
        send_later();
}

void vmm_log_look(void)
{
    if (!is_sending() && waiting())
        vmm_log_send();
}

void vmm_log_start(void)
{
    vmm_log_out_start();
    atomic_store(&out.started, true);
}

/* Each window takes the interrupt that writes more, if there is one. */
void vmm_log_wait(void)
{
    uint64_t gone = get(&out.gone), end = vmm_time_now() + vmm_time_from_ms(PATIENCE);

    while (waiting() > RING / 2 && vmm_time_now() < end) {
        vmm_log_look();
        vmm_irq_window();
        if (gone != get(&out.gone)) {
            gone = get(&out.gone);
            end = vmm_time_now() + vmm_time_from_ms(PATIENCE);
        }
    }
}

/* Writes all that is in the ring, and says how many lines found no room there. The device takes no byte for ever: see
   log_out.c. The caller holds the lock. */
void vmm_log_finish(void)
{
    char note[NOTE];

    while (waiting()) {
        size_t at = get(&out.gone) % RING, n = RING - at;

        n = n < waiting() ? n : (size_t)waiting();
        for (size_t i = 0, length; i < n; i += length) {
            length = 1;
            if (!out.ring[at + i])
                continue;
            while (i + length < n && out.ring[at + i + length])
                length++;
            vmm_log_out_write(out.ring + at + i, length);
        }
        add(&out.gone, n);
    }
    if (out.lost)
        vmm_log_out_write(note, make_note(note));
    out.lost = 0;
}

void vmm_vlog(enum vmm_log_level level, const char *fmt, va_list args)
{
    static const char tag[] = "vmm: ";
    char line[LINE] __attribute__((aligned(8)));
    size_t room = sizeof(line) - sizeof(tag) - 8, length;
    bool send = false;

    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    memcpy(line, tag, sizeof(tag));
    length = (size_t)vmm_vsnprintf(line + sizeof(tag) - 1, room, fmt, args);
    length = sizeof(tag) - 1 + (length < room ? length : room - 1);
    line[length++] = '\n';
    vmm_log_take();
    if (!atomic_load_explicit(&out.started, memory_order_relaxed)) {
        vmm_log_out_write(line, length);
    } else if (is_stopping()) {
        vmm_log_finish();
        vmm_log_out_write(line, length);
    } else {
        put_line(line, length);
        send = !is_sending() && !atomic_load_explicit(&stopping, memory_order_relaxed);
        if (send)
            set_sending(true);
    }
    vmm_unlock(&out.lock);
    if (send)
        send_later();
}

void vmm_log(enum vmm_log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vmm_vlog(level, fmt, args);
    va_end(args);
}
