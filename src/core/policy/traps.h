/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Between traps.c and trapclaims.c: which trap makes a claim see something. */
#ifndef AVC_TRAPS_H
#define AVC_TRAPS_H

#include "core/core.h"

/* Members of struct avc_traps. T_NONE: traps without doing anything. */
enum {
    T_HCR,
    T_CPTR,
    T_CPTR_VHE,
    T_MDCR,
    T_HSTR,
    T_CNTHCTL,
    T_CNTHCTL_VHE,
    T_HCRX,
    T_HFGRTR,
    T_HFGWTR,
    T_HFGITR,
    T_HDFGRTR,
    T_HDFGWTR,
    T_HAFGRTR,
    T_COUNT
};

/* One bit (or more) that makes events with these keys reach EL2. */
struct avc_trap_for {
    uint16_t first, last; /* keys */
    uint8_t kind, reg;
    uint8_t has, lacks; /* features it takes, and in whose presence another row is better; NONE: no condition */
    bool clear;         /* the bits trap at 0 */
    uint64_t bits;
};

/* The next row, from *at on, that any key of the range needs; NULL: no more. */
const struct avc_trap_for *avc_trap_for(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last,
                                        unsigned *at);

/* Whether some key of the range reaches EL2 whatever claims there are. */
bool avc_trap_always(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last);

void avc_traps_make(struct avc_vm *vm);                                                              /* vm->traps */
bool avc_traps_can(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last); /* or ENOTRAP */

#endif
