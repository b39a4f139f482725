/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The least printf: %s %c %d %u %x with l, a width and 0. The host and the test guests share it. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

static void format_number(void (*out)(char), uint64_t value, unsigned base, unsigned width, char pad)
{
    char digits[20];
    unsigned n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while ((value /= base));
    for (; width > n; width--)
        out(pad);
    while (n)
        out(digits[--n]);
}

static void format(void (*out)(char), const char *fmt, va_list args)
{
    for (; *fmt; fmt++) {
        unsigned width = 0;
        bool is_long = false;
        char pad = ' ';

        if (*fmt != '%') {
            out(*fmt);
            continue;
        }
        if (*++fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (unsigned)(*fmt - '0');
        for (; *fmt == 'l'; fmt++)
            is_long = true;
        if (*fmt == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++)
                out(*s);
        } else if (*fmt == 'c') {
            out((char)va_arg(args, int));
        } else if (*fmt == 'd') {
            int64_t value = is_long ? va_arg(args, long) : va_arg(args, int);

            if (value < 0)
                out('-');
            format_number(out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width, pad);
        } else {
            format_number(out, is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned), *fmt == 'x' ? 16 : 10,
                          width, pad);
        }
    }
}

#endif
