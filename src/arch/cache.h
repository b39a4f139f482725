/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Which caches a CPU has (Arm ARM DDI 0487, D24.2: CLIDR_EL1, CSSELR_EL1, CCSIDR_EL1). */
#ifndef AVC_CACHE_H
#define AVC_CACHE_H

#include "arch/bits.h"

/* clang-format off */
#define CACHE_LEVELS 7

/* CLIDR_EL1. A level of 0 is L1. Above a level without caches the fields mean nothing. */
#define CLIDR_CTYPE(v, level) ((unsigned)((v) >> 3 * (level)) & 7)
#define CTYPE_NONE            0
#define CTYPE_DATA            2                    /* from here on there is a data cache, or a unified one */
#define CLIDR_LOC(v)          AVC_FIELD(v, 26, 24) /* levels above the point of coherency */
#define CLIDR_LOUU(v)         AVC_FIELD(v, 29, 27) /* levels above this CPU's point of unification */

/* CSSELR_EL1: the data or unified cache of a level */
#define CSSELR_DATA(level) AVC_PUT(level, 1)

/* CCSIDR_EL1, without and with FEAT_CCIDX */
#define CCSIDR_LINE_SHIFT(v) ((unsigned)AVC_FIELD(v, 2, 0) + 4)
#define CCSIDR_WAYS(v)       ((uint32_t)AVC_FIELD(v, 12, 3) + 1)
#define CCSIDR_SETS(v)       ((uint32_t)AVC_FIELD(v, 27, 13) + 1)
#define CCIDX_WAYS(v)        ((uint32_t)AVC_FIELD(v, 23, 3) + 1)
#define CCIDX_SETS(v)        ((uint32_t)AVC_FIELD(v, 55, 32) + 1)

/* The operand of DC ISW, CSW and CISW. Way and set stand above the level. */
#define SETWAY_LEVEL(v) ((unsigned)AVC_FIELD(v, 3, 1))
/* clang-format on */

#endif
