/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * System registers: a SYSREG claim answers the guest's MRS and MSR of registers, by their names in avc/sysreg.h or by
 * encoding. One that nobody claims and no table knows is UNDEFINED, and the log gets a line to make a claim from.
 */
#include <avc/avc.h>
#include <avc/sysreg.h>

#include "host_vm.h"

/* S3_0_C15_C2_0, IMPLEMENTATION DEFINED: a paravirtual one. Write: percent done; read: how many writes there were. */
#define PV_PROGRESS AVC_SYSREG_KEY(3, 0, 15, 2, 0)

HOST_GUEST(guest, "    adr x0, 1f                                \n"
                  "    msr vbar_el1, x0                          \n"
                  "    mov x1, #0xff                             \n"
                  "    msr actlr_el1, x1                         \n"
                  "    mrs x1, actlr_el1                         \n"
                  "    print \"guest: ACTLR_EL1 is %x\"          \n"
                  "    mov x1, #50                               \n"
                  "    msr s3_0_c15_c2_0, x1                     \n"
                  "    mov x1, #100                              \n"
                  "    msr s3_0_c15_c2_0, x1                     \n"
                  "    mrs x1, s3_0_c15_c2_0                     \n"
                  "    print \"guest: said it %d times\"         \n"
                  "    mrs x1, s3_0_c15_c2_1                     \n" /* nobody's */
                  "    off                                       \n"
                  "    .balign 2048                              \n" /* vectors, and in them: */
                  "1:  .skip 0x200                               \n" /* synchronous, from EL1 itself */
                  "    mrs x1, esr_el1                           \n"
                  "    print \"guest: UNDEFINED, ESR_EL1 %x\"    \n"
                  "    mrs x0, elr_el1                           \n"
                  "    add x0, x0, #4                            \n"
                  "    msr elr_el1, x0                           \n"
                  "    eret                                      \n");

/* A register with bits that the guest may change, and bits that are as they are. */
struct bits {
    uint64_t value, writable;
};

static enum avc_answer access_bits(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct bits *reg = ctx;

    if (!e->write)
        return avc_done(e, reg->value);
    reg->value = (reg->value & ~reg->writable) | (e->value & reg->writable);
    return AVC_DONE;
}

static enum avc_answer access_progress(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    unsigned *writes = ctx;

    if (!e->write)
        return avc_done(e, *writes);
    ++*writes;
    host_printf("host: the guest is at %lu of 100\n", e->value);
    return AVC_DONE;
}

int host_main(void)
{
    static struct host_vm vm;
    struct bits actlr = { .value = 0x40000000, .writable = 0x0f };
    unsigned writes = 0;
    const struct avc_claim by_name = { AVC_SYSREG, AVC_REG_ACTLR_EL1, AVC_REG_ACTLR_EL1, access_bits, &actlr };
    const struct avc_claim by_encoding = { AVC_SYSREG, PV_PROGRESS, PV_PROGRESS, access_progress, &writes };
    struct avc_exit *e;

    host_vm_cpu(&host_hal); /* its log prints the library's lines as "avc: ..." */
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_must(avc_vm_claim(&vm.vm, &by_name));
    host_must(avc_vm_claim(&vm.vm, &by_encoding));
    host_vm_start(&vm);

    while ((e = host_vm_run(&vm)))
        host_printf("vmm: %s\n", avc_kind_name(e->kind)); /* none: EL2 has emulated all */
    return 0;
}
