/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * An emulated device. Where no memory is mapped a guest's loads and stores are events: an MMIO claim answers them at
 * EL2, at once, or they go to the VMM's loop, which costs more and may block. The device need not know which.
 */
#include <avc/avc.h>

#include "host_vm.h"

#define UART0 0x09000000ul /* answered at EL2 */
#define UART1 0x09001000ul /* by the VMM */
#define FRAME 0x1000

HOST_GUEST(guest, "    mov x19, #0x09000000        \n"
                  "    adr x20, 3f                 \n"
                  "    bl 1f                       \n"
                  "    add x19, x19, #0x1000       \n"
                  "    adr x20, 4f                 \n"
                  "    bl 1f                       \n"
                  "    off                         \n"
                  "1:  ldrb w0, [x20], #1          \n" /* each byte of the text ... */
                  "    cbz w0, 2f                  \n"
                  "    strb w0, [x19]              \n" /* ... goes to the device */
                  "    b 1b                        \n"
                  "2:  ldr w1, [x19, #4]           \n"
                  "    print \"guest: %d bytes\"   \n"
                  "    ret                         \n"
                  "3:  .asciz \"by a claim\\n\"    \n"
                  "4:  .asciz \"by the VMM\\n\"    \n");

/* The device: a data register at 0, and at 4 how many bytes it has got. */
struct uart {
    avc_ipa_t base;
    void (*out)(char c);
    uint32_t count;
};

static enum avc_answer uart_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    struct uart *uart = ctx;

    switch (e->key - uart->base) {
    case 0:
        if (!e->write)
            return avc_done(e, 0);
        uart->out((char)e->value);
        uart->count++;
        return AVC_DONE;
    case 4:
        return e->write ? AVC_DONE : avc_done(e, uart->count);
    default:
        return AVC_FAULT; /* no register there: an external abort */
    }
}

int host_main(void)
{
    static struct host_vm vm;
    struct uart uart0 = { .base = UART0, .out = host_putc }, uart1 = { .base = UART1, .out = host_putc };
    const struct avc_claim at_el2 = { AVC_MMIO, UART0, UART0 + FRAME - 1, uart_access, &uart0 };
    const struct avc_claim by_vmm = { AVC_MMIO, UART1, UART1 + FRAME - 1, NULL, NULL };
    const struct avc_claim overlap = { AVC_MMIO, UART0 + 4, UART0 + 7, uart_access, &uart0 };
    const struct avc_claim beyond = { AVC_MMIO, 1ul << 32, (1ul << 32) + FRAME - 1, uart_access, &uart0 };
    unsigned exits = 0;
    struct avc_exit *e;

    host_vm_cpu(&host_hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_must(avc_vm_claim(&vm.vm, &at_el2));
    host_must(avc_vm_claim(&vm.vm, &by_vmm)); /* says so; unclaimed addresses go to the VMM, too */
    host_printf("host: a claim that overlaps: %s\n", avc_status_name(avc_vm_claim(&vm.vm, &overlap)));
    host_printf("host: beyond the guest's addresses: %s\n", avc_status_name(avc_vm_claim(&vm.vm, &beyond)));
    host_vm_start(&vm);

    while ((e = host_vm_run(&vm)))
        if (e->kind == AVC_MMIO) {
            e->answer = uart_access(&vm.vcpu, e, &uart1);
            exits++;
        }
    host_printf("host: %u exits to the VMM\n", exits);
    return 0;
}
