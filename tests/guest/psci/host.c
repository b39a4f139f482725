/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Four vCPUs on two CPUs. The host checks of each PSCI exit what only the VMM sees. */
#include "testvm.h"

static bool check(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    if (e->kind == AVC_CPU_SUSPEND && avc_vcpu_deadline(vcpu) == ~UINT64_C(0)) {
        host_puts("Bail out! CPU_SUSPEND with nothing to wake it\n");
        host_off(1);
    }
    return false;
}

const struct test_config test_config = { .vcpus = 4, .cpus = 2, .on_exit = check };
