/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Data and instruction aborts that stage 2 sends to EL2: see abort.c. */
#ifndef AVC_ABORT_H
#define AVC_ABORT_H

#include "core/claim/index.h"
#include "core/exit/exit.h"
#include "core/exit/inject.h"
#include "core/policy/errata.h"

avc_trap_fn avc_trap_dabt, avc_trap_abort;

/* PAR_EL1, with the barriers of an erratum (docs/errata.md). */
static inline uint64_t avc_read_par_by(bool erratum)
{
    uint64_t par;

    if (erratum)
        avc_hw_dmb_sy();
    par = avc_hw_read_PAR_EL1();
    if (erratum)
        avc_hw_dmb_sy();
    return par;
}

/* Translates by an AT instruction with the rights of EL1 or EL0. Returns what PAR_EL1 says, and gives the guest its own
   value back. */
static inline uint64_t avc_translate(const struct avc_vcpu *vcpu, uint64_t va, bool el0, bool write)
{
    bool erratum = vcpu->pcpu->features.errata & AVC_ERRATUM_PAR;
    uint64_t saved = avc_read_par_by(erratum), par;

    if (el0 && write)
        avc_hw_at_s1e0w(va);
    else if (el0)
        avc_hw_at_s1e0r(va);
    else if (write)
        avc_hw_at_s1e1w(va);
    else
        avc_hw_at_s1e1r(va);
    avc_hw_isb(); /* PAR_EL1 is written indirectly (D8.15) */
    par = avc_read_par_by(erratum);
    avc_hw_write_PAR_EL1(saved);
    return par;
}

/*
 * Was nothing mapped? 1 or 0, and no bool, which clang wants to be joined by `&&`. The fast path asks this behind ISV
 * and the search for the page, and joins the conditions by `&`: see docs/compilers.md. It does not look at S1PTW, since
 * ISV is 0 for a fault on a table walk (Arm ARM D24.2.40, and J1.1.2, AArch64.FaultSyndrome).
 */
static inline unsigned avc_is_translation(uint64_t esr)
{
    return (esr & FSC_KIND) == FSC_TRANSLATION;
}

/*
 * Was this a fault of stage 1? Only CPUs with AVC_ERRATUM_STAGE1 report one as a fault of stage 2. The guest then does
 * the instruction again: the CPU reports it rightly some time. The erratum is about accesses that cross a page: not
 * about fetches, and not about cache maintenance, whose WnR is 1 though it may only need the right to read.
 */
bool avc_stage1_faults(const struct avc_vcpu *vcpu, uint64_t esr);
static inline bool avc_is_stage1(const struct avc_vcpu *vcpu, uint64_t esr)
{
    return avc_unlikely(vcpu->pcpu->features.errata & AVC_ERRATUM_STAGE1) && avc_stage1_faults(vcpu, esr);
}

/* Ends an access to a device as its claim has answered. AVC_PASS ends it as an access to where nothing is. */
enum avc_result avc_mmio_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

#endif
