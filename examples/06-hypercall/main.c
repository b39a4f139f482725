/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Hypercalls: numbers of your own. A CALL claim says who answers one: a function at EL2, at once, or the VMM's loop.
 * HVC and SMC are both calls, and the number is in W0; SMCCC (DEN0028) has ranges for everybody who wants one.
 */
#include <avc/avc.h>

#include "host_vm.h"

#define CALL_DIVIDE 0xffff /* x1 / x2; results: x0 status, x1 quotient, x2 remainder, x3 the immediate of the HVC */
#define CALL_ASK    0xfffe /* asks the VMM; result: x0 */

HOST_GUEST(guest, "    mov x0, #0xffff                                            \n" /* divide */
                  "    mov x1, #100                                               \n"
                  "    mov x2, #7                                                 \n"
                  "    hvc #42                                                    \n"
                  "    print \"guest: quotient %d, remainder %d, immediate %d\"   \n"
                  "    mov x0, #0xffff                                            \n" /* and again, by zero */
                  "    mov x2, #0                                                 \n"
                  "    hvc #42                                                    \n"
                  "    mov x1, x0                                                 \n"
                  "    print \"guest: divided by zero: %d\"                       \n"
                  "    mov x0, #0xfffe                                            \n" /* ask */
                  "    mov x1, #20                                                \n"
                  "    mov x2, #22                                                \n"
                  "    smc #0                                                     \n"
                  "    mov x1, x0                                                 \n"
                  "    print \"guest: the VMM says %d\"                           \n"
                  "    mov x0, #0x1234                                            \n" /* nobody's */
                  "    hvc #0                                                     \n"
                  "    mov x1, x0                                                 \n"
                  "    print \"guest: call 0x1234 answers %d\"                    \n"
                  "    off                                                        \n");

/* Answered here. The exit's value becomes x0; other results go straight to the vCPU's registers. */
static enum avc_answer divide(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint64_t x1 = avc_vcpu_gpr(vcpu, 1), x2 = avc_vcpu_gpr(vcpu, 2);
    unsigned *calls = ctx;

    ++*calls;
    if (x2 == 0)
        return avc_done(e, (uint64_t)AVC_PSCI_INVALID_PARAMETERS);
    avc_vcpu_set_gpr(vcpu, 1, x1 / x2);
    avc_vcpu_set_gpr(vcpu, 2, x1 % x2);
    avc_vcpu_set_gpr(vcpu, 3, e->imm);
    return avc_done(e, 0);
}

int host_main(void)
{
    static struct host_vm vm;
    unsigned calls = 0;
    const struct avc_claim claims[] = {
        { AVC_CALL, CALL_DIVIDE, CALL_DIVIDE, divide, &calls },
        { AVC_CALL, CALL_ASK, CALL_ASK, NULL, NULL },
    };
    struct avc_exit *e;

    host_vm_cpu(&host_hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_must(avc_vm_claim(&vm.vm, &claims[0]));
    host_must(avc_vm_claim(&vm.vm, &claims[1]));
    host_vm_start(&vm);
    host_printf("host: a claim after that: %s\n", avc_status_name(avc_vm_claim(&vm.vm, &claims[0])));

    while ((e = host_vm_run(&vm))) {
        uint64_t x1 = avc_vcpu_gpr(&vm.vcpu, 1), x2 = avc_vcpu_gpr(&vm.vcpu, 2);

        if (e->kind == AVC_CALL && e->key == CALL_ASK) {
            host_printf("vmm: asked about %lu and %lu\n", x1, x2);
            avc_vcpu_set_return_value(&vm.vcpu, x1 + x2);
        } /* else: preset is what the architecture would do */
    }
    host_printf("host: divided %u times\n", calls);
    return 0;
}
