/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A model of the CPUs' TLBs. It caches as much as the Arm ARM lets it: stage 2 entries of whole blocks, pointers to
 * tables, and entries of both stages combined, on each CPU. It forgets only what a completed TLBI tells it to.
 *
 * It listens to the operations that the library makes (fake_on_op, fake_on_write). A TLBI has its effect at a DSB that
 * covers it. Several of them may take effect in any order. The VMID is VTTBR_EL2's as of the last ISB.
 */
#ifndef FAKE_TLB_H
#define FAKE_TLB_H

#include "fake.h"

/* A translation of stage 2. */
struct fake_leaf {
    uint64_t ipa, pa, size; /* of the whole block or page */
    uint64_t attrs;         /* descriptor without its address and type */
};

/* A guest's own translation of one page. */
struct fake_s1 {
    uint64_t va, ipa;
    uint16_t asid;
    bool global;
};

/* Walks as the architecture does, from register values. Returns false at a fault. */
bool fake_stage2_walk(uint64_t vtcr, uint64_t vttbr, uint64_t ipa, struct fake_leaf *leaf);

/* Empties all TLBs and sets the hooks. It is called after fake_reset(). */
void fake_tlb_reset(uint64_t seed);
/* Makes a guest's access on a CPU, with that CPU's VTTBR_EL2 and VTCR_EL2. It uses the TLB if anything fits,
   otherwise a walk that may leave entries. Returns false at a fault, which leaves none. */
bool fake_tlb_access(unsigned cpu, const struct fake_s1 *s1, struct fake_leaf *leaf);
/* Makes a guest's TLBI VMALLE1 with HCR_EL2.FB set: on all CPUs, for its VMID. */
void fake_tlb_guest_flush(unsigned cpu);
/* Counts the valid entries of a VMID on a CPU. */
unsigned fake_tlb_count(unsigned cpu, uint64_t vmid);

/* Called between operations of the library, where other CPUs may do something. */
extern void (*fake_tlb_on_gap)(void);
/* The VMID of the guest that each CPU has loaded, for the model of speculation with another VMID. */
extern uint64_t fake_tlb_home[FAKE_MAX_CPUS];
/* The first rule that was broken, or NULL. */
extern const char *fake_tlb_error;
extern uint64_t fake_tlb_hits, fake_tlb_walks;

uint64_t fake_random(void);

#endif
