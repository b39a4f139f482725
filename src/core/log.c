/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Writes log lines through the host's sink (struct avc_hal.log), and ends in hal->panic. */
#include "core/log.h"

#include <stdarg.h>

/* A line being written. What does not fit is cut off. The guest waits for it, with interrupts masked, so that each
   character counts: `to` and `end` are pointers. */
struct line {
    char *to, *end;
};

static inline void put(struct line *line, char c)
{
    if (line->to < line->end)
        *line->to++ = c;
}

/* Writes up to the end of the string, or up to `stop`, and returns where that is. */
static const char *put_until(struct line *line, const char *s, char stop)
{
    char *to = line->to, *end = line->end;

    for (; *s && *s != stop; s++)
        if (to < end)
            *to++ = *s;
    line->to = to;
    return s;
}

static void put_number(struct line *line, uint64_t value, unsigned base, unsigned width, char pad)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > n; width--)
        put(line, pad);
    while (n)
        put(line, digits[--n]);
}

/* Knows %s %u %x with l, ll, a width and 0. */
static void format(struct line *line, const char *fmt, va_list args)
{
    while (*(fmt = put_until(line, fmt, '%'))) {
        unsigned longs = 0, width = 0;
        char pad = ' ';

        if (*++fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (unsigned)(*fmt - '0');
        for (; *fmt == 'l'; fmt++)
            longs++;
        switch (*fmt) {
        case 's':
            put_until(line, va_arg(args, const char *), '\0');
            break;
        case 'x':
        case 'u':
            put_number(line, longs ? va_arg(args, unsigned long) : va_arg(args, unsigned), *fmt == 'x' ? 16 : 10, width,
                       pad);
            break;
        case '\0':
            return;
        default:
            put(line, *fmt);
        }
        fmt++;
    }
}

void avc_log(const struct avc_hal *hal, enum avc_log_level level, const char *fmt, ...)
{
    char text[160];
    struct line line = { text, text + sizeof text - 1 };
    va_list args;

    if (!hal || !hal->log)
        return;
    va_start(args, fmt);
    format(&line, fmt, args);
    va_end(args);
    *line.to = '\0';
    hal->log(hal->ctx, level, text);
}

_Noreturn void avc_panic(const struct avc_hal *hal, const char *why)
{
    if (hal && hal->panic)
        hal->panic(hal->ctx, why);
    for (;;) /* a panic that returns breaks its contract: the CPU stays here, masked, because its state is broken */
        avc_hw_relax();
}
