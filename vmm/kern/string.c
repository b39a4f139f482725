/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Memory and string functions that the compiler and libfdt expect. They use no FP registers, and are safe with the MMU
 * off if source and destination are aligned alike.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Without this, memcpy's own loop would become a call of memcpy: see docs/compilers.md. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef uint64_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    return memmove(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (d == s)
        return to;
    if ((uintptr_t)d - (uintptr_t)s >= n) { /* upwards, nothing that is still to be read is overwritten */
        if (!(((uintptr_t)d ^ (uintptr_t)s) & 7)) {
            for (; n && (uintptr_t)d & 7; n--)
                *d++ = *s++;
            for (; n >= 8; n -= 8, d += 8, s += 8)
                *(word *)(void *)d = *(const word *)(const void *)s;
        }
        while (n--)
            *d++ = *s++;
    } else {
        while (n--)
            d[n] = s[n];
    }
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned char *d = to;
    word pattern = (unsigned char)c * 0x0101010101010101ull;

    for (; n && (uintptr_t)d & 7; n--)
        *d++ = (unsigned char)c;
    for (; n >= 8; n -= 8, d += 8)
        *(word *)(void *)d = pattern;
    while (n--)
        *d++ = (unsigned char)c;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;

    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;

    for (; n; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end)
        end++;
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t n)
{
    size_t length = 0;

    while (length < n && s[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--)
        a++, b++;
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (!*s)
            return (char *)(uintptr_t)last;
    }
}

/* Takes digits only, as unit addresses and the options have them: no white space, no sign. It saturates. */
unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
    unsigned long value = 0;

    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x')
        s += 2, base = 16;
    if (base == 0)
        base = 10;
    for (;; s++) {
        int digit = *s >= '0' && *s <= '9'                 ? *s - '0'
                    : (*s | 32) >= 'a' && (*s | 32) <= 'z' ? (*s | 32) - 'a' + 10
                                                           : 99;

        if (digit >= base)
            break;
        if (__builtin_mul_overflow(value, (unsigned long)base, &value) ||
            __builtin_add_overflow(value, (unsigned long)digit, &value))
            value = ~0ul;
    }
    if (end)
        *end = (char *)(uintptr_t)s;
    return value;
}
