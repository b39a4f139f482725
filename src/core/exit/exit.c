/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The slow path of an event. It begins the event, offers it to the claim on its key, and then completes it or leaves it
 * to the VMM. The event lives in the vCPU, so nothing has to be copied when run returns it.
 */
#include "core/exit/exit.h"
#include "core/claim/claim.h"

struct avc_exit *avc_exit_begin(struct avc_vcpu *vcpu, enum avc_kind kind, uint64_t key, uint64_t esr)
{
    vcpu->exit = (struct avc_exit){
        .kind = kind,
        .answer = AVC_FAULT,
        .key = key,
        .esr = esr,
        .pc = avc_hw_read_ELR_EL2(),
    };
    return &vcpu->exit;
}

/* Restores the answer that was preset before the claim was asked. The event may go on to the library or to the VMM.
   They must find the architecture's answer, not the claim's. A claim that made another event of it (PSCI) has set
   that event's answer. */
static inline void tidy(struct avc_exit *e, enum avc_kind kind, enum avc_answer preset)
{
    if (avc_likely(e->kind == kind))
        e->answer = preset;
}

/* A claim has passed. If it is an embedder's, the library's own claim on the same key is asked next. */
static enum avc_answer passed(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind, enum avc_answer preset)
{
    const struct avc_claim *first = avc_claim_find(vcpu->vm, kind, e->key), *own;
    enum avc_answer answer;

    e->kind = kind; /* a claim that passes has made no other event of it */
    e->answer = preset;
    own = avc_claim_find_builtin(vcpu->vm, kind, e->key);
    if (!own || !first || first->kind & AVC_CLAIM_BUILTIN)
        return AVC_PASS;
    answer = own->fn(vcpu, e, own->ctx);
    tidy(e, kind, preset);
    return (unsigned)answer <= AVC_PASS ? answer : AVC_FAULT;
}

enum avc_answer avc_claim_after(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_kind kind, enum avc_answer preset,
                                enum avc_answer answer)
{
    tidy(e, kind, preset);
    if (avc_unlikely((unsigned)answer >= AVC_PASS))
        return answer == AVC_PASS ? passed(vcpu, e, kind, preset) : AVC_FAULT;
    return answer;
}

enum avc_answer avc_claim_offer(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    enum avc_answer preset = e->answer;
    enum avc_kind kind = e->kind;
    const struct avc_claim *claim = avc_claim_find(vcpu->vm, kind, e->key);

    if (claim && !claim->fn)
        return AVC_EXIT;
    return claim ? avc_claim_after(vcpu, e, kind, preset, claim->fn(vcpu, e, claim->ctx)) : AVC_PASS;
}

enum avc_result avc_exit_end(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer answer)
{
    if (answer == AVC_EXIT)
        return AVC_LEAVE;
    e->answer = answer;
    return avc_complete_live(vcpu, e);
}

enum avc_result avc_exit_offer(struct avc_vcpu *vcpu, struct avc_exit *e, enum avc_answer unclaimed)
{
    enum avc_answer answer = avc_claim_offer(vcpu, e);

    return avc_exit_end(vcpu, e, answer == AVC_PASS ? unclaimed : answer);
}

enum avc_result avc_exit_undefined(struct avc_vcpu *vcpu, uint64_t esr)
{
    struct avc_exit *e = avc_exit_begin(vcpu, AVC_CLASS, ESR_EC(esr), esr);

    e->step = true;
    return avc_exit_end(vcpu, e, avc_condition_passed(esr, avc_hw_read_SPSR_EL2()) ? AVC_FAULT : AVC_DONE);
}
