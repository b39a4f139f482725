/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's firmware: what its files share. avc/psci.def has a row for each function. psci.c, smccc.c and trng.c have
 * the handlers, and firmware.c finds them. A handler completes the call with its value, or begins an exit for the VMM.
 * It does not know who called it: the vector, or an embedder's claim on the id that has passed.
 */
#ifndef AVC_FIRMWARE_H
#define AVC_FIRMWARE_H

#include <avc/psci.h>

#include "core/exit/call.h"

#define AVC_FUNCTION(family, name, id, widths, offered, path, handler) avc_call_fn avc_##handler;
#include <avc/psci.def>
#undef AVC_FUNCTION

/* Returns argument n of a call, in the width of its convention. The upper half of an SMC32 argument is not part of
   it (DEN0028, 3.1). */
static inline uint64_t call_arg(const struct avc_vcpu *vcpu, uint64_t fid, unsigned n)
{
    return fid & AVC_SMC64 ? vcpu->x[n] : (uint32_t)vcpu->x[n];
}

/* ---- what is offered ---- */

/*
 * WORKAROUND_2 switches a mitigation on and off. Firmware starts a CPU with it on, and guests cannot switch it off.
 * That would cost a call to firmware at each exit, and leave EL2 open if an exit forgot it. The answer 1 says that it
 * is always on, and that this CPU needs no call (DEN0028, 7.6).
 */
static inline int64_t offer_workaround(const struct avc_vm *vm, unsigned n)
{
    static const int8_t second[] = {
        [AVC_WORKAROUND_UNKNOWN] = AVC_SMCCC_NOT_SUPPORTED,
        [AVC_WORKAROUND_CALL] = 1,
        [AVC_WORKAROUND_NOT_HERE] = 1,
        [AVC_WORKAROUND_NOT_REQUIRED] = AVC_SMCCC_NOT_REQUIRED,
    };
    enum avc_workaround is = avc_workaround_of(vm->features.workarounds, n);

    _Static_assert(AVC_WORKAROUND_UNKNOWN - 1 == AVC_SMCCC_NOT_SUPPORTED && AVC_WORKAROUND_CALL - 1 == 0 &&
                       AVC_WORKAROUND_NOT_HERE - 1 == 1,
                   "answers of the others");
    return n == 2 ? second[is] : (int64_t)is - 1;
}

/* What the family's FEATURES answers, by the column `offered`. 0: the call has a handler. Above 0: the call is
   harmless, and does nothing. */
#define OFFER_ALWAYS(vm)       INT64_C(0)
#define OFFER_NEVER(vm)        AVC_SMCCC_NOT_SUPPORTED
#define OFFER_RNDR(vm)         (avc_has(&(vm)->features, AVC_FEAT_RNDR) ? INT64_C(0) : AVC_SMCCC_NOT_SUPPORTED)
#define OFFER_WORKAROUND_1(vm) offer_workaround(vm, 1)
#define OFFER_WORKAROUND_2(vm) offer_workaround(vm, 2)
#define OFFER_WORKAROUND_3(vm) offer_workaround(vm, 3)

/*
 * A family that offers the same in each VM answers from a table. It has 1 or 0 for each of the `nr` 32-bit ids, then
 * for each of the 64-bit ones. These make the entries of the n-th id, by the columns `widths` and `offered`:
 */
#define FORMS_SMC32(n, nr, is) [n] = (is)
#define FORMS_SMC64(n, nr, is) [(nr) + (n)] = (is)
#define FORMS_BOTH(n, nr, is)  [n] = (is), [(nr) + (n)] = (is)
#define IS_ALWAYS              1
#define IS_NEVER               0
#define IS_RNDR                1 /* a VM without it has no FEATURES to ask */

/* Returns 0 or NOT_SUPPORTED for an id. n is its number in the family, which the caller has compared with nr. */
static inline int64_t offer_by_forms(const uint8_t *forms, uint32_t n, uint32_t nr, uint64_t fid)
{
    return (int64_t)forms[(fid & AVC_SMC64 ? nr : 0) + n] - 1;
}

static inline uint32_t number_in_family(uint64_t fid, uint32_t first)
{
    return ((uint32_t)fid & ~AVC_SMC64) - first;
}

#endif
