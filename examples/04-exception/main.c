/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Exception hooks: a CLASS claim sees each exception of a class (ESR_EL2.EC) before the library decodes it. It may
 * finish it, fault it, repeat it, send it to the VMM, or pass. The claim also switches on the trap that the class
 * needs.
 */
#include <avc/avc.h>

#include "host_vm.h"

#define EC_WFX  0x01 /* Arm ARM D24.2.40, "EC, bits [31:26]" */
#define EC_IABT 0x20
#define EC_BRK  0x3c

#define BRK_TRACE 0x100 /* a trace point: x1 is reported, x0 becomes how many there were */

HOST_GUEST(guest, "    adr x0, 3f                                         \n"
                  "    msr vbar_el1, x0                                   \n"
                  "    mov x1, #11                                        \n"
                  "    brk #0x100                                         \n"
                  "    mov x1, #22                                        \n"
                  "    brk #0x100                                         \n"
                  "    mov x1, x0                                         \n"
                  "    print \"guest: %d trace points\"                   \n"
                  "    adr x30, 1f                                        \n"
                  "    brk #7                                             \n" /* its own, comes to its vector */
                  "1:  wfi                                                \n" /* nothing would ever wake it */
                  "    print \"guest: awake\"                             \n"
                  "    adr x30, 2f                                        \n"
                  "    mov x0, #0x1000                                    \n" /* where no memory is */
                  "    br x0                                              \n"
                  "2:  off                                                \n"
                  "    .balign 2048                                       \n" /* vectors, and in them */
                  "3:  .skip 0x200                                        \n" /* synchronous, from EL1 itself */
                  "    mrs x1, esr_el1                                    \n"
                  "    print \"guest: exception, ESR_EL1 %x\"             \n"
                  "    msr elr_el1, x30                                   \n"
                  "    eret                                               \n");

/* One immediate of BRK gets a meaning. All others stay what they were: the guest's own exception. */
static enum avc_answer on_brk(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    unsigned *points = ctx;

    if (e->imm != BRK_TRACE)
        return AVC_PASS;
    host_printf("host: trace point at %lx: %lu\n", e->pc, avc_vcpu_gpr(vcpu, 1));
    avc_vcpu_set_gpr(vcpu, 0, ++*points);
    return AVC_DONE; /* on behind it */
}

/* A guest that may not wait: WFI and WFE are done as soon as they are met. */
static enum avc_answer on_wfx(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    host_printf("host: no waiting here\n");
    return AVC_DONE;
}

/* Looks on: the library goes on as if this were not there. */
static enum avc_answer on_iabt(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    unsigned *aborts = ctx;

    ++*aborts;
    return AVC_PASS;
}

int host_main(void)
{
    static struct host_vm vm;
    unsigned points = 0, aborts = 0;
    const struct avc_claim claims[] = {
        { AVC_CLASS, EC_BRK, EC_BRK, on_brk, &points },
        { AVC_CLASS, EC_WFX, EC_WFX, on_wfx, NULL },
        { AVC_CLASS, EC_IABT, EC_IABT, on_iabt, &aborts },
    };
    struct avc_exit *e;

    host_vm_cpu(&host_hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    for (unsigned n = 0; n < sizeof claims / sizeof claims[0]; n++)
        host_must(avc_vm_claim(&vm.vm, &claims[n]));
    host_vm_start(&vm);

    while ((e = host_vm_run(&vm))) /* its answer is preset: an abort for the guest */
        host_printf("vmm: %s, no memory at %lx\n", avc_kind_name(e->kind), e->key);
    host_printf("host: instruction aborts: %u\n", aborts);
    return 0;
}
