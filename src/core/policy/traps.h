/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What traps.c and trapclaims.c share: which trap makes a claim see its events. */
#ifndef AVC_TRAPS_H
#define AVC_TRAPS_H

#include "core/core.h"

/* Members of struct avc_traps. T_NONE: the event reaches EL2 without a bit. */
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

/* The bit (or bits) that makes events with these keys reach EL2. */
struct avc_trap_for {
    uint16_t first, last; /* keys */
    uint8_t kind, reg;
    uint8_t has, lacks; /* the feature it needs; the one with which another row is better; NONE: no condition */
    bool clear;         /* the bits trap at 0 */
    uint64_t bits;
};

/* Returns the next row, from *at on, that any key of the range needs, or NULL when there are no more. */
const struct avc_trap_for *avc_trap_for(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last,
                                        unsigned *at);

/* Does any key of the range reach EL2 even without a claim? */
bool avc_trap_always(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last);

void avc_traps_make(struct avc_vm *vm);                                                              /* vm->traps */
bool avc_traps_can(const struct avc_features *f, enum avc_kind kind, uint64_t first, uint64_t last); /* or ENOTRAP */

#endif
