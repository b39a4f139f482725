/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Four vCPUs on two CPUs, and a hypercall with which the guest drives its own interrupt lines. */
#include "testvm.h"

#include "../gic/line.h"

static enum avc_answer set_line(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint32_t intid = (uint32_t)avc_vcpu_gpr(vcpu, 1);
    bool level = avc_vcpu_gpr(vcpu, 2);

    return avc_done(e, intid < 32 ? avc_vcpu_set_irq(vcpu, intid, level)
                                  : avc_vm_set_irq(avc_vcpu_vm(vcpu), intid, level));
}

static const struct avc_claim claims[] = { { AVC_CALL, CALL_LINE, CALL_LINE, set_line, NULL } };

const struct test_config test_config = { .vcpus = 4, .cpus = 2, .claims = claims, .nr_claims = 1 };
