/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A small printf. The C library's would bring FP registers into EL2. */
#include <stdint.h>
#include <string.h>

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

static void put_run(struct out *out, const char *text, size_t n)
{
    size_t room = out->length + 1 < out->size ? out->size - 1 - out->length : 0;

    if (room)
        memcpy(out->buf + out->length, text, n < room ? n : room);
    out->length += n;
}

static void pad(struct out *out, char c, int n)
{
    while (n-- > 0)
        put(out, c);
}

/* What stands between '%' and the letter of the conversion. */
struct spec {
    bool left, zero, is_long;
    int width, precision; /* -1: none */
};

/* Returns the place of the conversion's letter. */
static const char *read_spec(struct spec *spec, const char *fmt, va_list *args)
{
    *spec = (struct spec){ .precision = -1 };
    for (; *fmt == '-' || *fmt == '0'; fmt++) {
        spec->left |= *fmt == '-';
        spec->zero |= *fmt == '0';
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        spec->width = spec->width * 10 + *fmt - '0';
    if (*fmt == '*') {
        spec->width = va_arg(*args, int);
        fmt++;
    }
    if (*fmt == '.') {
        spec->precision = 0;
        if (fmt[1] == '*') {
            spec->precision = va_arg(*args, int);
            fmt++;
        }
        for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
            spec->precision = spec->precision * 10 + *fmt - '0';
    }
    for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
        spec->is_long |= *fmt != 'h';
    return fmt;
}

/* Writes `prefix` and `n` characters of `text` into a field. */
static void put_field(struct out *out, const struct spec *spec, const char *prefix, const char *text, int n)
{
    int length = n;

    for (const char *p = prefix; *p; p++)
        length++;
    if (!spec->left && !spec->zero)
        pad(out, ' ', spec->width - length);
    for (const char *p = prefix; *p; p++)
        put(out, *p);
    if (!spec->left && spec->zero)
        pad(out, '0', spec->width - length);
    put_run(out, text, (size_t)n);
    if (spec->left)
        pad(out, ' ', spec->width - length);
}

static void put_text(struct out *out, const struct spec *spec, const char *text)
{
    int n = 0;

    if (!text)
        text = "(null)";
    while (text[n] && n != spec->precision)
        n++;
    put_field(out, spec, "", text, n);
}

static void put_number(struct out *out, const struct spec *spec, const char *prefix, uint64_t value, unsigned base,
                       const char *digits)
{
    char text[20];
    int n = 0;

    do
        text[sizeof(text) - 1 - n++] = digits[value % base];
    while (value /= base);
    put_field(out, spec, prefix, text + sizeof(text) - n, n);
}

static void convert(struct out *out, char letter, struct spec *spec, va_list *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    int64_t number;

    switch (letter) {
    case 'c':
        spec->zero = false;
        put_field(out, spec, "", (char[]){ (char)va_arg(*args, int) }, 1);
        break;
    case 's':
        spec->zero = false;
        put_text(out, spec, va_arg(*args, const char *));
        break;
    case 'd':
    case 'i':
        number = spec->is_long ? va_arg(*args, long) : va_arg(*args, int);
        put_number(out, spec, number < 0 ? "-" : "", number < 0 ? -(uint64_t)number : (uint64_t)number, 10, lower);
        break;
    case 'u':
    case 'x':
    case 'X':
        put_number(out, spec, "", spec->is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned),
                   letter == 'u' ? 10 : 16, letter == 'X' ? upper : lower);
        break;
    case 'p':
        spec->zero = false;
        put_number(out, spec, "0x", (uintptr_t)va_arg(*args, void *), 16, lower);
        break;
    case '%':
        put(out, '%');
        break;
    default: /* the reader sees it; the arguments are no longer to be trusted */
        put(out, '%');
        put(out, letter);
    }
}

int vmm_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out out = { buf, size, 0 };
    struct spec spec;
    va_list rest;

    va_copy(rest, args); /* a va_list that is a parameter may be a pointer, and has no address of its own type */
    for (; *fmt; fmt++) {
        size_t n = 0;

        while (fmt[n] && fmt[n] != '%')
            n++;
        put_run(&out, fmt, n);
        fmt += n;
        if (!*fmt)
            break;
        fmt = read_spec(&spec, fmt + 1, &rest);
        if (!*fmt)
            break;
        convert(&out, *fmt, &spec, &rest);
    }
    va_end(rest);
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
