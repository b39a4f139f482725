/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One event on its way: begun by a decoder, offered to the claim on its key, then acted on at once or handed to the VMM.
 * The event lives in the vCPU, so that nothing has to be copied when it leaves.
 */
#include "esr.h"

struct avc_exit *avc_exit_begin(struct avc_vcpu *v, enum avc_kind kind, uint64_t key, uint64_t esr)
{
    v->exit = (struct avc_exit){
        .kind = kind,
        .answer = AVC_FAULT,
        .key = key,
        .esr = esr,
        .pc = avc_hw_read_ELR_EL2(),
        .reg = 31,
        .reg2 = 31,
        .il = esr & ESR_IL,
    };
    return &v->exit;
}

enum avc_answer avc_claim_offer(struct avc_vcpu *v, struct avc_exit *e)
{
    const struct avc_claim *claim;
    enum avc_answer preset = e->answer, answer;
    enum avc_kind kind = e->kind;

    if (e->kind >= AVC_NR_CLAIM_KINDS)
        return AVC_PASS;
    claim = avc_claim_find(v->vm, e->kind, e->key);
    if (!claim)
        return AVC_PASS;
    answer = claim->fn(v, e, claim->ctx);
    /* The event may go on to a built-in or to the VMM: it finds the architecture's answer there, not the claim's. A claim
       that made another event of it (PSCI) has set that one's. */
    if (e->kind == kind)
        e->answer = preset;
    return (unsigned)answer <= AVC_PASS ? answer : AVC_FAULT;
}

uint64_t avc_exit_settle(struct avc_vcpu *v, struct avc_exit *e, enum avc_answer answer)
{
    if (answer == AVC_EXIT)
        return HW_EXIT;
    e->answer = answer;
    return avc_act_live(v, e);
}

uint64_t avc_exit_finish(struct avc_vcpu *v, struct avc_exit *e, enum avc_answer unclaimed)
{
    enum avc_answer answer = avc_claim_offer(v, e);

    return avc_exit_settle(v, e, answer == AVC_PASS ? unclaimed : answer);
}
