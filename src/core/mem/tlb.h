/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* TLB maintenance for guests: see tlb.c. */
#ifndef AVC_TLB_H
#define AVC_TLB_H

#include "core/mem/s2.h"

/*
 * Collects valid entries that were made invalid or changed, until the TLBs have forgotten them. Then the second halves
 * of break-before-make sequences are written.
 */
#define AVC_TLB_IPAS  16
#define AVC_TLB_MAKES 8

struct avc_tlb_batch {
    uint32_t nr; /* entries changed; if more than AVC_TLB_IPAS, only first and end are known */
    uint32_t nr_makes;
    bool tables; /* pointers to tables too, so cached walks must go */
    avc_ipa_t first, end;
    avc_ipa_t ipa[AVC_TLB_IPAS];
    struct {
        uint64_t *entry;
        uint64_t desc;
    } make[AVC_TLB_MAKES];
};

void avc_tlb_add(struct avc_tlb_batch *batch, avc_ipa_t ipa, uint64_t size); /* the entry has been written */
/* avc_tlb_break() is to break the entry, and avc_tlb_make() to make it. The batch must have room. */
void avc_tlb_replace(struct avc_tlb_batch *batch, uint64_t *entry, uint64_t desc, avc_ipa_t ipa, uint64_t size);
static inline bool avc_tlb_is_full(const struct avc_tlb_batch *batch)
{
    return batch->nr_makes == AVC_TLB_MAKES;
}

/* The regime that TLB maintenance by IPA or VMID is for: VTCR_EL2 has the width of a VMID, VTTBR_EL2 the VMID. */
struct avc_tlb_regime {
    uint64_t vtcr, vttbr;
};
void avc_tlb_break(const struct avc_tlb_batch *batch);
/* Makes all CPUs forget the entries of a batch. The caller has the lock of the tables, and has ended the store to
   them with a DSB. */
void avc_tlb_forget(const struct avc_tlb_batch *batch, const struct avc_tlb_regime *regime,
                    const struct avc_features *f);
void avc_tlb_make(struct avc_tlb_batch *batch); /* writes the second halves, and empties the batch */

/* Flush all that was cached of a VM, stages 1 and 2, by all CPUs; stage 1 of a VM by this CPU, and its instruction
   cache; all that was cached of any guest by this CPU, and its instruction cache. */
void avc_tlb_flush_vm(const struct avc_tlb_regime *regime, const struct avc_features *f);
void avc_tlb_flush_local(const struct avc_tlb_regime *regime);
void avc_tlb_flush_cpu(void);

#endif
