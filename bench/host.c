/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The EL2 half of the bench: a VM of four vCPUs with 32 claims and two devices, one settled at EL2 and one by the loop. */
#include "testvm.h"

#include "rows.h"

static enum avc_answer status_register(struct avc_vcpu *v, struct avc_exit *e, void *ctx)
{
    return e->write ? AVC_DONE : avc_done(e, 0x90);
}

static const struct avc_claim claims[] = {
    { AVC_MMIO, BENCH_DEVICE, BENCH_DEVICE + 0xfff, status_register, NULL },
    { AVC_MMIO, BENCH_LOOP_DEVICE, BENCH_LOOP_DEVICE + 0xfff, avc_to_vmm, NULL },
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
};

/* What a VMM's loop does with an exit, and nothing else. */
int host_main(void)
{
    static struct test_vm t;
    struct avc_vcpu *v = &t.vcpu[0];

    test_cpu_init(0);
    test_vm_init(&t, &test_config);
    host_must(avc_vcpu_load(v, &test_pcpu[0]));
    for (;;) {
        struct avc_exit *e = avc_vcpu_run(v);

        switch (e->kind) {
        case AVC_CALL:
            if (e->key == CALL_PUTC)
                host_putc((char)avc_vcpu_gpr(v, 1));
            avc_done(e, avc_vcpu_gpr(v, 1) + avc_vcpu_gpr(v, 2));
            break;
        case AVC_MMIO: /* its status */
            avc_done(e, 0x90);
            break;
        case AVC_SYSTEM_OFF:
            return 0;
        case AVC_FAIL:
            host_must(e->status);
            break;
        default:
            break;
        }
    }
}
