/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Bits and fields of a register. The headers beside this one name them as the Arm ARM does. Each line has one, in the
 * order of positions: name, bits, meaning. Assembly may include the headers that define nothing but masks.
 */
#ifndef AVC_BITS_H
#define AVC_BITS_H

#ifdef __ASSEMBLER__
#define AVC_BIT(n)       (1 << (n))
#define AVC_BITS(hi, lo) (((1 << ((hi) - (lo) + 1)) - 1) << (lo))
#else
#include <stdint.h>

#define AVC_BIT(n)           (UINT64_C(1) << (n))
#define AVC_BITS(hi, lo)     (~UINT64_C(0) >> (63 - (hi)) >> (lo) << (lo))                      /* all of a field */
#define AVC_FIELD(v, hi, lo) (((uint64_t)(v) >> (lo)) & (~UINT64_C(0) >> (63 - ((hi) - (lo))))) /* its value in v */
#define AVC_PUT(v, lo)       ((uint64_t)(v) << (lo)) /* a value in its place */
#endif

#endif
