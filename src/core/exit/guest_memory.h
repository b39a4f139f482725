/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The memory of a guest that has a decoder, through the guest's own stage 1: see guest_memory.c. */
#ifndef AVC_GUEST_MEMORY_H
#define AVC_GUEST_MEMORY_H

#include "core/core.h"
#include "core/mem/stage2_copy.h"

/* Translates by the guest's stage 1, as it is for a load or store with these rights. Returns PAR_EL1. */
uint64_t avc_guest_translate(const struct avc_vcpu *vcpu, uint64_t va, bool el0, bool write);

/* Do the guest's accesses by this translation go through the caches as the host's do: Write-Back? If not, what the
   caches have of the memory may be older than what the guest has written, or it may never read what they have. */
bool avc_guest_is_cached(const struct avc_vcpu *vcpu, uint64_t par);

/* Copies what lies in one page. The host's function says where it has that memory: c->host is not the caller's. */
enum avc_copied avc_guest_copy(const struct avc_vcpu *vcpu, struct avc_copy c);

/* After a translation that stage 2 has ended, on a walk: finds the descriptor that it does not give to the walk now.
   COPIED: it gives all. REFUSED: the VMM may mind. NEVER: it cannot. */
enum avc_copied avc_guest_find_table(const struct avc_vcpu *vcpu, uint64_t va, avc_ipa_t *table, unsigned *level);

#endif
