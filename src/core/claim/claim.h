/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Claims: see claim.c. */
#ifndef AVC_CLAIM_H
#define AVC_CLAIM_H

#include "core/core.h"

/* Sorts the claims, removes from the library's own what the embedder's cover, and builds the indexes. */
enum avc_status avc_claim_seal(struct avc_vm *vm);
static inline enum avc_kind avc_claim_kind(const struct avc_claim *claim)
{
    return (enum avc_kind)(claim->kind & AVC_CLAIM_KIND);
}
/* Return the claim that is asked first about a key, and the library's own claim on it. NULL if there is none. */
const struct avc_claim *avc_claim_find(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);
const struct avc_claim *avc_claim_find_builtin(const struct avc_vm *vm, enum avc_kind kind, uint64_t key);

#endif
