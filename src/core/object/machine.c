/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* What CPUs and VMs share: the features common to all CPUs, and VMIDs (in vmid.c). */
#include "core/core.h"

enum avc_status avc_machine_init(struct avc_machine *m)
{
    if (!m)
        return AVC_EINVAL;
    if ((uintptr_t)m % _Alignof(struct avc_machine))
        return AVC_EALIGN;
    if (m->magic == AVC_MAGIC_MACHINE)
        return AVC_EEXIST;
    *m = (struct avc_machine){ .magic = AVC_MAGIC_MACHINE };
    return AVC_OK;
}

enum avc_status avc_machine_destroy(struct avc_machine *m)
{
    if (!m)
        return AVC_EINVAL;
    if (m->magic != AVC_MAGIC_MACHINE)
        return AVC_ENOENT;
    if (m->enabled)
        return AVC_EBUSY;
    m->magic = 0;
    return AVC_OK;
}

enum avc_status avc_has_hardware_support(void)
{
    return avc_hw_supported();
}

void avc_smc(uint64_t x[18])
{
    avc_hw_smc(x);
}
