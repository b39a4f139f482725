/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What a fuzz target takes from its input. When it is used up, everything is 0. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_left;

static inline void input_is(const uint8_t *data, size_t size)
{
    input = data;
    input_left = size;
}

static inline uint64_t take_bytes(unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n && input_left; i++, input_left--)
        value |= (uint64_t)*input++ << 8 * i;
    return value;
}

static inline uint8_t byte(void)
{
    return (uint8_t)take_bytes(1);
}

/* One of n numbers. */
static inline uint32_t one_of(uint32_t n)
{
    return (uint32_t)take_bytes(n <= 256 ? 1 : n <= 65536 ? 2 : 4) % n;
}

#endif
