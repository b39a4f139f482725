/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * This CPU's interrupt handler, replaced at run time. It is one pointer to a constant pair {fn, ctx}, swapped at once:
 * no interrupt is lost, and none finds the function of one handler with the context of the other. NULL brings the HAL's
 * back.
 */
#include <avc/avc.h>

#include "host_vm.h"

HOST_GUEST(guest, "1:  cbz x19, 1b                           \n" /* busy until the VMM sets x19 */
                  "    print \"guest: was I interrupted?\"   \n"
                  "    off                                   \n");

/* A handler owns the interrupt to its end, and says whether the guest goes on or the VMM gets to know. */
static enum avc_answer on_irq(void *ctx, avc_irq_t irq)
{
    unsigned *count = ctx;

    ++*count;
    host_timer_set(~UINT64_C(0)); /* first, since its line is a level */
    host_irq_end(NULL, irq, true);
    return AVC_EXIT;
}

static unsigned by_hal, by_mine;

static const struct avc_hal hal = {
    .ctx = &by_hal,
    .panic = host_panic,
    .wake = host_wake,
    .irq_fetch = host_irq_fetch,
    .irq_end = host_irq_end,
    .irq_handler = on_irq, /* this CPU's until another one is set */
    .eoi_split = true,
};

static const struct avc_irq_handler mine = { on_irq, &by_mine };

/* The old pair must stay until nobody uses it. For this CPU that is so at once; for another one, whose interrupt may
   have gone to the old handler just before, when that has returned. */
static void replace(const struct avc_irq_handler *old, const struct avc_irq_handler *handler)
{
    host_must(avc_pcpu_set_irq_handler(&host_pcpu, handler));
    while (avc_pcpu_irq_handler_in_use(&host_pcpu, old))
        ;
    host_puts(handler ? "host: my handler is in place\n" : "host: the HAL's is back; nobody uses mine\n");
}

int host_main(void)
{
    static struct host_vm vm;
    struct avc_exit *e;

    host_gic_init();
    host_vm_cpu(&hal);
    host_vm_make(&vm, guest, HOST_GUEST_SIZE(guest));
    host_vm_start(&vm);
    host_timer_set(0); /* interrupts at once */

    for (unsigned n = 1; (e = host_vm_run(&vm)); n++) {
        host_printf("vmm: interrupt %u; the HAL's handler has had %u, mine %u\n", n, by_hal, by_mine);
        if (n == 3)
            replace(NULL, &mine);
        if (n == 7)
            replace(&mine, NULL);
        if (n < 10)
            host_timer_set(0);
        else
            avc_vcpu_set_gpr(&vm.vcpu, 19, 1);
    }
    return 0;
}
