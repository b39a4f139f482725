/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Two vCPUs with a CPU each: one that is off or waits stays loaded. */
#include "testvm.h"

#include "../gic/line.h"

static enum avc_answer set_line(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint32_t intid = (uint32_t)avc_vcpu_gpr(vcpu, 1);

    return avc_done(e, avc_vm_set_irq(avc_vcpu_vm(vcpu), intid, avc_vcpu_gpr(vcpu, 2)));
}

static const struct avc_claim claims[] = { { AVC_CALL, CALL_LINE, CALL_LINE, set_line, NULL } };

const struct test_config test_config = { .vcpus = 2, .cpus = 2, .claims = claims, .nr_claims = 1 };
