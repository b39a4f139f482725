/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A model of the CPUs' TLBs. It caches as much as the Arm ARM lets it: stage 2 entries of whole blocks, pointers to
 * tables, and entries of both stages combined, on each CPU, and forgets only what a completed TLBI tells it to.
 *
 * It listens to the operations the library makes (fake_on_op, fake_on_write): a TLBI has its effect at a DSB that
 * covers it, several of them in any order; the VMID is VTTBR_EL2's as of the last ISB.
 */
#ifndef FAKE_TLB_H
#define FAKE_TLB_H

#include "fake.h"

/* A translation of stage 2. */
struct fake_leaf {
    uint64_t ipa, pa, size; /* of the whole block or page */
    uint64_t attrs;         /* descriptor, without its address and type */
};

/* A guest's own translation of one page. */
struct fake_s1 {
    uint64_t va, ipa;
    uint16_t asid;
    bool global;
};

/* The architecture's walk, from register values; false: a fault. */
bool fake_stage2_walk(uint64_t vtcr, uint64_t vttbr, uint64_t ipa, struct fake_leaf *leaf);

/* All TLBs empty, hooks set; after fake_reset(). */
void fake_tlb_reset(uint64_t seed);
/* A guest's access on a CPU, with the VTTBR_EL2 and VTCR_EL2 of that CPU: from the TLB if anything fits, else by a walk
   that may leave entries. False: a fault, which leaves none. */
bool fake_tlb_access(unsigned cpu, const struct fake_s1 *s1, struct fake_leaf *leaf);
/* A guest's TLBI VMALLE1 with HCR_EL2.FB set: on all CPUs, for its VMID. */
void fake_tlb_guest_flush(unsigned cpu);
/* Valid entries on a CPU with a VMID. */
unsigned fake_tlb_count(unsigned cpu, uint64_t vmid);

/* Called between operations of the library: where other CPUs may do something. */
extern void (*fake_tlb_on_gap)(void);
/* VMID of the guest that each CPU has loaded, for the model of speculation with a foreign one. */
extern uint64_t fake_tlb_home[FAKE_MAX_CPUS];
/* The first broken rule, or NULL. */
extern const char *fake_tlb_error;
extern uint64_t fake_tlb_hits, fake_tlb_walks;

uint64_t fake_random(void);

#endif
