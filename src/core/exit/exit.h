/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The slow path of an event: see exit.c. All registers are saved. */
#ifndef AVC_EXIT_H
#define AVC_EXIT_H

#include "core/exit/complete.h"

/* Fills in what all events share, and the architecture's answer to most: AVC_FAULT. */
struct avc_exit *avc_exit_begin(struct avc_vcpu *vcpu, enum avc_kind kind, uint64_t key, uint64_t esr);

/* Offers e (kind, key, preset answer filled in) to the claim on its key: the embedder's, and if there is none or it passes,
   the library's own. Returns the answer; AVC_PASS when nobody took it. */
enum avc_answer avc_claim_offer(struct avc_vcpu *vcpu, struct avc_exit *e);

/* The second half of it: what becomes of the answer that the claim on an event of this kind has given. */
enum avc_answer avc_claim_after(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind, enum avc_answer preset,
                                enum avc_answer answer);

/* Completes as this answer says, or leaves to the VMM: AVC_EXIT. */
enum avc_result avc_exit_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

/* Offers, and ends as answered. `unclaimed` is the answer if nobody has a claim. */
enum avc_result avc_exit_offer(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer unclaimed);

/* The answer to what is not there: UNDEFINED. In AArch32 an instruction whose condition fails is stepped over. */
avc_trap_fn avc_exit_undefined;

#endif
