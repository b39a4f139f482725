/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The EL2 half of the bench: a VM of four vCPUs with 32 claims and two devices, one settled at EL2 and one by the loop. */
#include "testvm.h"

#include "rows.h"

static enum avc_answer status_register(struct avc_vcpu *v, struct avc_exit *e, void *ctx)
{
    return e->write ? AVC_DONE : avc_done(e, 0x90);
}

static bool on_exit(struct avc_vcpu *v, struct avc_exit *e)
{
    if (e->kind != AVC_MMIO || e->key != BENCH_LOOP_DEVICE)
        return false;
    avc_done(e, 0x90);
    return true;
}

static const struct avc_claim claims[] = {
    { AVC_MMIO, BENCH_DEVICE, BENCH_DEVICE + 0xfff, status_register, NULL },
    { AVC_MMIO, 0x0c000000, 0x0c000fff, status_register, NULL },
    { AVC_MMIO, 0x0c010000, 0x0c010fff, status_register, NULL },
    { AVC_MMIO, 0x0c020000, 0x0c020fff, status_register, NULL },
    { AVC_MMIO, 0x0d000000, 0x0d000fff, status_register, NULL },
    { AVC_CALL, 0x86000010, 0x8600001f, avc_deny, NULL },
    { AVC_CALL, 0x86000030, 0x8600003f, avc_deny, NULL },
    { AVC_CALL, 0xc6000010, 0xc600001f, avc_deny, NULL },
};

const struct test_config test_config = {
    .vcpus = 4,
    .claims = claims,
    .nr_claims = sizeof claims / sizeof claims[0],
    .on_exit = on_exit,
};
