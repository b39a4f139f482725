/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* A device that only the decoder reaches, and memory whose permissions the guest chooses. */
#include "testvm.h"

#include "../fetch/fetch.h"

static enum avc_answer on_device(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, DEVICE_MARK | e->key);
}

static bool on_exit(struct avc_vcpu *vcpu, struct avc_exit *e)
{
    struct test_vm *t = avc_vm_user(avc_vcpu_vm(vcpu));

    if (e->kind != AVC_CALL || e->key != CALL_PROTECT)
        return false;
    host_must(avc_stage2_protect(&t->stage2, CODE, 0x10000, (uint32_t)avc_vcpu_gpr(vcpu, 1)));
    avc_done(e, 0);
    return true;
}

static enum avc_answer on_ask(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, vcpu->nr_isv0);
}

static const struct avc_claim claims[] = {
    { AVC_MMIO, DEVICE, DEVICE + 0xfff, on_device, NULL },
    { AVC_CALL, CALL_PROTECT, CALL_PROTECT, NULL, NULL },
    { AVC_CALL, CALL_ASK, CALL_ASK, on_ask, NULL },
};

const struct test_config test_config = { .vcpus = 2,
                                         .cpus = 2,
                                         .claims = claims,
                                         .nr_claims = sizeof claims / sizeof claims[0],
                                         .on_exit = on_exit,
                                         .decoder = true };
