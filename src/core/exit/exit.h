/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The slow path of an event: see exit.c. All registers are saved. */
#ifndef AVC_EXIT_H
#define AVC_EXIT_H

#include "core/exit/complete.h"

/* Fills in what all events share. Presets AVC_FAULT, the architecture's answer to most events. */
struct avc_exit *avc_exit_begin(struct avc_vcpu *vcpu, enum avc_kind kind, uint64_t key, uint64_t esr);

/* Offers e to the claim on its key. The caller has filled in kind, key and the preset answer. The embedder's claim
   comes first. If there is none, or if it passes, the library's own is asked. Returns the answer, or AVC_PASS when
   no claim took the event. */
enum avc_answer avc_claim_offer(struct avc_vcpu *vcpu, struct avc_exit *e);

/* The second half of avc_claim_offer(): handles the answer that the claim on an event of this kind has given. */
enum avc_answer avc_claim_after(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind, enum avc_answer preset,
                                enum avc_answer answer);

/* Completes the event as the answer says. AVC_EXIT leaves it to the VMM. */
enum avc_result avc_exit_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer);

/* Offers the event, and ends it as answered. `unclaimed` is the answer if nobody has a claim. */
enum avc_result avc_exit_offer(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer unclaimed);

/* Answers UNDEFINED for an instruction that is not there. In AArch32 an instruction whose condition fails is stepped
   over. */
avc_trap_fn avc_exit_undefined;

#endif
