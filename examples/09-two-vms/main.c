/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Two VMs on one CPU, by turns. `put` takes one vCPU off the CPU and `load` brings the other: EL1's registers change
 * hands, and with the stage 2 tables all of memory does. The EL2 timer ends each turn: guests need not be asked.
 */
#include <avc/avc.h>

#include "host_vm.h"

#define CALL_REPORT 0xfff0 /* x1: what the guest has read */
#define SLICE       100000 /* ticks of the counter */
#define TURNS       6

/* Both run this: count in memory from the number in x0, report, and keep the CPU until x20 says that it was taken away.
 */
HOST_GUEST(guest, "    mov x19, #0x40100000        \n"
                  "    str x0, [x19]               \n"
                  "1:  ldr x1, [x19]               \n"
                  "    mov x0, #0xfff0             \n"
                  "    hvc #0                      \n"
                  "    add x1, x1, #1              \n"
                  "    str x1, [x19]               \n"
                  "2:  cbz x20, 2b                 \n"
                  "    mov x20, #0                 \n"
                  "    b 1b                        \n");

/* The host's own vectors take interrupts. For that its HAL fetches none: one that comes while a guest runs stays
   pending, and run returns. */
static bool slice_over;

static void on_irq(void)
{
    avc_irq_t irq = host_irq_fetch(NULL);

    if (irq == AVC_IRQ_SPURIOUS)
        return;
    host_timer_set(~UINT64_C(0)); /* first, since its line is a level */
    host_irq_end(NULL, irq, true);
    slice_over = true;
}

static void turn(struct host_vm *vm, const char *name)
{
    host_must(avc_vcpu_load(&vm->vcpu, &host_pcpu));
    for (slice_over = false; !slice_over;) {
        struct avc_exit *e = avc_vcpu_run(&vm->vcpu);

        switch (e->kind) {
        case AVC_CALL: /* the slice begins here, so that each turn has one report on any machine */
            host_printf("%s: %lu at 0x40100000\n", name, avc_vcpu_gpr(&vm->vcpu, 1));
            avc_done(e, 0);
            host_timer_set(host_ticks() + SLICE);
            break;
        case AVC_IRQ:
            host_irq_unmask(); /* to the vector, and back */
            host_irq_mask();
            break;
        default:
            host_printf("%s: %s at %lx\n", name, avc_kind_name(e->kind), e->pc);
            host_off(1);
        }
    }
    avc_vcpu_set_gpr(&vm->vcpu, 20, 1);
    host_must(avc_vcpu_put(&vm->vcpu));
}

int host_main(void)
{
    static struct host_vm vms[2];
    static const char *const names[2] = { "red", "blue" };
    const struct avc_claim report = { AVC_CALL, CALL_REPORT, CALL_REPORT, avc_to_vmm, NULL };

    host_gic_init();
    host_on_irq = on_irq;
    host_vm_cpu(&host_hal);
    for (unsigned n = 0; n < 2; n++) {
        host_vm_make(&vms[n], guest, HOST_GUEST_SIZE(guest));
        host_must(avc_vm_claim(&vms[n].vm, &report));
        host_must(avc_vcpu_start(&vms[n].vcpu, HOST_VM_RAM, (n + 1) * 100));
    }
    for (unsigned n = 0; n < TURNS; n++)
        turn(&vms[n % 2], names[n % 2]);
    return 0;
}
