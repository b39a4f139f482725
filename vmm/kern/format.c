/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A small printf. The C library's would bring FP registers into EL2.
 */
#include <stdint.h>

#include "kern/log.h"

struct out {
    char *buf;
    size_t size, length;
};

static void put(struct out *out, char c)
{
    if (out->length + 1 < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static void pad(struct out *out, char c, int n)
{
    while (n-- > 0)
        put(out, c);
}

/* `digits` of `n` characters behind `prefix`, in a field. */
static void put_field(struct out *out, const char *prefix, const char *text, int n, int width, bool left, bool zero)
{
    int length = n;

    for (const char *p = prefix; *p; p++)
        length++;
    if (!left && !zero)
        pad(out, ' ', width - length);
    for (const char *p = prefix; *p; p++)
        put(out, *p);
    if (!left && zero)
        pad(out, '0', width - length);
    for (int i = 0; i < n; i++)
        put(out, text[i]);
    if (left)
        pad(out, ' ', width - length);
}

static void put_number(struct out *out, uint64_t value, unsigned base, bool upper, const char *prefix, int width,
                       bool left, bool zero)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20];
    int n = 0;

    do
        text[sizeof(text) - 1 - n++] = digits[value % base];
    while (value /= base);
    put_field(out, prefix, text + sizeof(text) - n, n, width, left, zero);
}

int vmm_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out out = { buf, size, 0 };

    for (; *fmt; fmt++) {
        bool left = false, zero = false;
        int width = 0, precision = -1, longs = 0;
        int64_t number;
        const char *s;

        if (*fmt != '%') {
            put(&out, *fmt);
            continue;
        }
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
            left |= *fmt == '-';
            zero |= *fmt == '0';
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + *fmt - '0';
        if (*fmt == '*') {
            width = va_arg(args, int);
            fmt++;
        }
        if (*fmt == '.') {
            precision = 0;
            if (fmt[1] == '*') {
                precision = va_arg(args, int);
                fmt++;
            }
            for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
                precision = precision * 10 + *fmt - '0';
        }
        for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
            longs += *fmt == 'h' ? 0 : 1;
        switch (*fmt) {
        case 'c':
            put_field(&out, "", (char[]){ (char)va_arg(args, int) }, 1, width, left, false);
            break;
        case 's': {
            int n = 0;

            s = va_arg(args, const char *);
            if (!s)
                s = "(null)";
            while (s[n] && n != precision)
                n++;
            put_field(&out, "", s, n, width, left, false);
            break;
        }
        case 'd':
        case 'i':
            number = longs ? va_arg(args, long) : va_arg(args, int);
            put_number(&out, number < 0 ? -(uint64_t)number : (uint64_t)number, 10, false, number < 0 ? "-" : "", width,
                       left, zero);
            break;
        case 'u':
        case 'x':
        case 'X':
            put_number(&out, longs ? va_arg(args, unsigned long) : va_arg(args, unsigned), *fmt == 'u' ? 10 : 16,
                       *fmt == 'X', "", width, left, zero);
            break;
        case 'p':
            put_number(&out, (uintptr_t)va_arg(args, void *), 16, false, "0x", width, left, false);
            break;
        case '%':
            put(&out, '%');
            break;
        case '\0':
            fmt--; /* the loop's ++ finds the end again */
            break;
        default: /* visible, and the arguments are no longer to be trusted */
            put(&out, '%');
            put(&out, *fmt);
        }
    }
    if (size)
        buf[out.length < size ? out.length : size - 1] = '\0';
    return (int)out.length;
}

int vmm_snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vmm_vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}
