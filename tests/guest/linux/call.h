/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A system call of arm64 Linux, for static programs without a C library. */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>

static inline int64_t raw(uint64_t number, const uint64_t args[6])
{
    register uint64_t x0 __asm__("x0") = args[0];
    register uint64_t x1 __asm__("x1") = args[1];
    register uint64_t x2 __asm__("x2") = args[2];
    register uint64_t x3 __asm__("x3") = args[3];
    register uint64_t x4 __asm__("x4") = args[4];
    register uint64_t x5 __asm__("x5") = args[5];
    register uint64_t x8 __asm__("x8") = number;

    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory");
    return (int64_t)x0;
}
#define ARGS(...) ((const uint64_t[6]){ __VA_ARGS__ })

#endif
