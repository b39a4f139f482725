/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest that checks after each kind of trap that its registers are unchanged. tests/system/lto.py builds it with
 * link-time optimisation. If the compiler then forgets with which options a file of the library must be compiled, that
 * file changes a register of the guest's.
 */
#include <avc/sysreg.h>
#include <avc/vgic.h>

#include "host_vm.h"

/* x0 is the operation's, x1 is the distributor's address, and x2..x30 hold 0x500 + their number. */
HOST_GUEST(guest, "    .macro keeps number, op                             \n"
                  "    mov x1, #0x08000000                                 \n"
                  "    .irp r, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
                  "    mov x\\r, #0x500 + \\r                              \n"
                  "    .endr                                               \n"
                  "    \\op                                                \n"
                  "    lsr x0, x1, #24                                     \n"
                  "    cmp x0, #8                                          \n"
                  "    mov x0, #1                                          \n"
                  "    b.ne 7f                                             \n"
                  "    .irp r, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
                  "    mov x0, #\\r                                        \n"
                  "    cmp x\\r, #0x500 + \\r                              \n"
                  "    b.ne 7f                                             \n"
                  "    .endr                                               \n"
                  "    b 6f                                                \n"
                  "7:  mov x2, x0                                          \n"
                  "    mov x1, #\\number                                   \n"
                  "    print \"operation %d changed x%d\"                  \n"
                  "6:                                                      \n"
                  "    .endm                                               \n"
                  "    keeps 1, \"mov w0, #0x84000000; hvc #0\"            \n" /* PSCI_VERSION */
                  "    keeps 2, \"mov w0, #0x84000000; smc #0\"            \n"
                  "    keeps 3, \"mrs x0, id_aa64mmfr0_el1\"               \n"
                  "    keeps 4, \"ldr w0, [x1, #4]\"                       \n" /* GICD_TYPER */
                  "    keeps 5, \"mov w0, #0; str w0, [x1, #0x84]\"        \n" /* GICD_IGROUPR1 */
                  "    keeps 6, \"mov x0, #1; msr s3_0_c12_c11_5, x0\"     \n" /* ICC_SGI1R_EL1: itself */
                  "    keeps 7, \"movz w0, #0x8700, lsl #16; hvc #0\"      \n" /* from here on: claimed calls */
                  "    keeps 8, \"mrs x0, actlr_el1\"                      \n"
                  "    keeps 9, \"msr actlr_el1, x0\"                      \n"
                  "    keeps 10, \"mov x0, #0x09000000; ldr w0, [x0]\"     \n"
                  "    keeps 11, \"mov x0, #0x09000000; str x0, [x0]\"     \n"
                  "    keeps 12, \"mov x0, #0x0a000000; ldr w0, [x0]\"     \n" /* an exit to the VMM */
                  "    mov x0, #1                                          \n"
                  "    msr cntv_tval_el0, xzr                              \n"
                  "    msr cntv_ctl_el0, x0                                \n"
                  "    keeps 13, \"mov x0, #0x4000; 5: subs x0, x0, #1; b.ne 5b\"\n" /* the timer's interrupt */
                  "    msr cntv_ctl_el0, xzr                               \n"
                  "    print \"13 operations\"                             \n"
                  "    off                                                 \n");

static enum avc_answer zero(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    return avc_done(e, 0);
}

static enum avc_answer irq(void *ctx, avc_irq_t irq)
{
    host_irq_end(ctx, irq, true);
    return AVC_DONE;
}

int host_main(void)
{
    static const struct avc_hal hal = {
        .panic = host_panic,
        .wake = host_wake,
        .irq_fetch = host_irq_fetch,
        .irq_end = host_irq_end,
        .irq_mask = host_irq_mask_ppi,
        .irq_handler = irq,
        .log = host_log,
        .eoi_split = true,
    };
    static const struct avc_claim claims[] = {
        { AVC_CALL, 0x87000000, 0x87000000, zero, NULL },
        { AVC_SYSREG, AVC_REG_ACTLR_EL1, AVC_REG_ACTLR_EL1, zero, NULL },
        { AVC_MMIO, 0x09000000, 0x09000fff, zero, NULL },
        { AVC_MMIO, 0x0a000000, 0x0a000fff, avc_to_vmm, NULL },
    };
    static struct avc_vgic vgic;
    static struct avc_vgic_cpu cpus[1];
    static struct avc_vgic_spis spis[1];
    const struct avc_vgic_config config = {
        .dist_base = 0x08000000,
        .redist_base = 0x080a0000,
        .nr_spis = 32,
        .max_vcpus = 1,
        .spis = spis,
        .cpus = cpus,
    };
    static struct host_vm vm;
    struct avc_exit *e;

    host_gic_init();
    host_vm_cpu(&hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    for (unsigned n = 0; n < sizeof claims / sizeof claims[0]; n++)
        host_must(avc_vm_claim(&vm.vm, &claims[n]));
    host_must(avc_vgic_attach(&vgic, &vm.vm, &config));
    host_vm_start(&vm);
    while ((e = host_vm_run(&vm))) {
        if (e->kind != AVC_MMIO) {
            host_printf("vmm: %s at %lx, pc %lx\n", avc_kind_name(e->kind), e->key, e->pc);
            return 1;
        }
        avc_done(e, 0);
    }
    return 0;
}
