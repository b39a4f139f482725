/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Bits and fields of a register. The headers beside this one name them as the Arm ARM does, one a line, in order. */
#ifndef AVC_BITS_H
#define AVC_BITS_H

#include <stdint.h>

#define AVC_BIT(n)           (UINT64_C(1) << (n))
#define AVC_BITS(hi, lo)     (~UINT64_C(0) >> (63 - (hi)) >> (lo) << (lo))                      /* all of a field */
#define AVC_FIELD(v, hi, lo) (((uint64_t)(v) >> (lo)) & (~UINT64_C(0) >> (63 - ((hi) - (lo))))) /* its value in v */

#endif
