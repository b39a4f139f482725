/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The smallest embedder: one VM, one vCPU, a guest that prints by hypercall and powers off. */
#include <avc/avc.h>
#include <avc/psci.h>
#include <avc/stage2.h>

#include "host.h" /* boot, MMU, console, memory: the kernel you already have */

#define RAM  0x40000000
#define SIZE (2 << 20)

static struct avc_machine machine;
static struct avc_pcpu cpu;
static struct avc_stage2 stage2;
static struct avc_vm vm;
static struct avc_vcpu vcpu, *vcpus[1];
static struct avc_claim claims[AVC_CLAIM_SLOTS(1)];

static const struct avc_hal hal = { .panic = host_panic, .wake = host_wake };

HOST_GUEST(guest, "    adr x19, 3f                 \n"
                  "1:  ldrb w1, [x19], #1          \n"
                  "    cbz w1, 2f                  \n"
                  "    mov x0, #0xffff             \n" /* print the byte in x1 */
                  "    hvc #0                      \n"
                  "    b 1b                        \n"
                  "2:  mov x0, #8                  \n"
                  "    movk x0, #0x8400, lsl #16   \n" /* PSCI SYSTEM_OFF */
                  "    hvc #0                      \n"
                  "3:  .asciz \"hello\\n\"          \n");

int host_main(void)
{
    static const struct avc_claim print = { AVC_CALL, 0xffff, 0xffff, NULL, NULL };
    const struct avc_vm_config vm_config = {
        .stage2 = &stage2,
        .vcpus = vcpus,
        .max_vcpus = 1,
        .claims = claims,
        .max_claims = AVC_CLAIM_SLOTS(1),
    };
    const struct avc_vcpu_config vcpu_config = { .mpidr = 0 };
    void *ram = host_guest_ram(SIZE);

    host_must(avc_machine_init(&machine));
    host_must(avc_pcpu_init(&cpu, &machine, &hal));
    host_must(avc_pcpu_enable(&cpu));
    host_must(avc_stage2_init(&stage2, &machine, &host_mem, 32));
    host_must(avc_stage2_map(&stage2, RAM, (uintptr_t)ram, SIZE, AVC_RWX));
    host_must(avc_vm_init(&vm, &machine, &vm_config));
    host_must(avc_psci_attach(&vm));
    host_must(avc_vm_claim(&vm, &print)); /* unclaimed calls read NOT_SUPPORTED and never get here */
    host_must(avc_vcpu_init(&vcpu, &vm, &vcpu_config));
    host_copy_code(ram, guest, HOST_GUEST_SIZE(guest));
    host_must(avc_vcpu_start(&vcpu, RAM, 0));
    host_must(avc_vcpu_load(&vcpu, &cpu));

    for (;;) {
        struct avc_exit *e = avc_vcpu_run(&vcpu);

        switch (e->kind) {
        case AVC_CALL:
            host_putc((char)avc_vcpu_gpr(&vcpu, 1));
            avc_done(e, 0);
            break;
        case AVC_SYSTEM_OFF:
            host_must(avc_vcpu_put(&vcpu));
            host_must(avc_pcpu_disable(&cpu));
            return 0;
        case AVC_FAIL:
            host_must(e->status);
            break;
        default: /* and the architecture's answer */
            host_printf("%s at %lx, esr %lx\n", avc_kind_name(e->kind), e->pc, e->esr);
        }
    }
}
