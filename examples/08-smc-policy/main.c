/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest's SMC is trapped, and reaches the firmware of the host only by claim. Here the range of standard services
 * goes there, before the eyes of an audit that may refuse; PSCI, which is in that range, the library keeps to itself.
 */
#include <avc/avc.h>

#include "host_vm.h"

#define STANDARD  0x84000000 /* SMCCC (DEN0028), 6: PSCI, TRNG and others, up to STANDARD + 0xffff */
#define OEM       0x83000000
#define TRNG_RND  0x84000053
#define RANGE(id) (id), (id) + 0xffff

HOST_GUEST(guest, "    cbnz x0, 1f                                            \n" /* not the first start */
                  "    ldr w0, =0x84000000                                    \n" /* PSCI_VERSION */
                  "    smc #0                                                 \n"
                  "    mov x1, x0                                             \n"
                  "    print \"guest: PSCI is version %x\"                    \n"
                  "    ldr w0, =0x84000050                                    \n" /* TRNG_VERSION */
                  "    smc #0                                                 \n"
                  "    mov x1, x0                                             \n"
                  "    print \"guest: TRNG_VERSION answers %d\"               \n"
                  "    ldr w0, =0x84000053                                    \n" /* TRNG_RND */
                  "    mov x1, #32                                            \n" /* bits */
                  "    smc #0                                                 \n"
                  "    mov x1, x0                                             \n"
                  "    print \"guest: TRNG_RND answers %d\"                   \n"
                  "    ldr w0, =0x83000001                                    \n" /* something of the board's maker */
                  "    smc #0                                                 \n"
                  "    mov x1, x0                                             \n"
                  "    print \"guest: the OEM's call answers %d\"             \n"
                  "    ldr w0, =0x84000009                                    \n" /* PSCI SYSTEM_RESET */
                  "    smc #0                                                 \n"
                  "1:  print \"guest: started again\"                         \n"
                  "    off                                                    \n");

/* Sees each call before it goes ... */
static bool on_call(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    bool allowed = x[0] != TRNG_RND;

    host_printf("audit: call %lx, %s\n", x[0], allowed ? "goes to firmware" : "refused");
    return allowed;
}

/* ... and each answer. */
static void on_answer(void *ctx, struct avc_vcpu *vcpu, const struct avc_exit *e, const uint64_t x[18])
{
    host_printf("audit: firmware answers %ld\n", (long)x[0]);
}

static const struct avc_firmware_audit audit = { .call = on_call, .answer = on_answer };

int host_main(void)
{
    static const struct avc_hal hal = {
        .panic = host_panic,
        .wake = host_wake,
        .uses = AVC_HOST_SMC, /* QEMU's CPUs show no EL3 here, but its SMC has an answer: -1 to what it does not know */
    };
    static const struct avc_claim claims[] = {
        { AVC_CALL, RANGE(STANDARD), avc_to_firmware, (void *)&audit },
        { AVC_CALL, RANGE(OEM), avc_deny, NULL }, /* as without any claim */
    };
    static struct host_vm vm;
    struct avc_exit *e;

    host_vm_cpu(&hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_must(avc_vm_claim(&vm.vm, &claims[0]));
    host_must(avc_vm_claim(&vm.vm, &claims[1]));
    host_vm_start(&vm);

    while ((e = host_vm_run(&vm)))
        if (e->kind == AVC_SYSTEM_RESET) { /* of the VM: its memory is here as it has to be */
            host_puts("vmm: resets the VM\n");
            host_must(avc_vcpu_put(&vm.vcpu));
            host_must(avc_vcpu_start(&vm.vcpu, HOST_VM_RAM, 1));
            host_must(avc_vcpu_load(&vm.vcpu, &host_pcpu));
        }
    return 0;
}
