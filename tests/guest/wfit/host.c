/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
#include "testvm.h"

#define CALL_HAS_WFXT 0xc6000000

static enum avc_answer on_ask(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, test_machine.features.has >> AVC_FEAT_WFXT & 1);
}

static const struct avc_claim claims[] = { { AVC_CALL, CALL_HAS_WFXT, CALL_HAS_WFXT, on_ask, NULL } };

const struct test_config test_config = { .vcpus = 1, .flags = AVC_VM_NO_WFI, .claims = claims, .nr_claims = 1 };
