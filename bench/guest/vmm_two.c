/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A guest of the reference hypervisor: two vCPUs on two CPUs. One sends an SGI to the other, which waits in WFI.
 *
 * In the counting mode the emulator runs one CPU until it sleeps or executes WFE, and then the other. So the row has
 * the sender's instructions for the write, and those between its WFE and the receiver's handler.
 */
#include "vmm.h"

#include "code.h"

#define TO(cpu, intid) ((uint64_t)(intid) << 24 | 1ul << (cpu)) /* ICC_SGI1R_EL1, by Aff0 */

static void receive(void)
{
    for (;;) {
        __asm__ volatile("wfi");
        guest_irq_unmask();
        guest_irq_mask();
    }
}

static void give_way(void)
{
    __asm__ volatile("wfe" ::: "memory");
}

static void measure_sgi(const char *member, unsigned intids)
{
    uint64_t ticks = 0;

    for (unsigned n = 0; n < WARM + ROUNDS; n++) {
        uint64_t sgi = TO(1, 1 + n % intids), before, after, gone;

        for (unsigned i = 0; i < 8; i++) /* the receiver is asleep then */
            give_way();
        vmm_handled_at[1] = 0;
        if (n >= WARM)
            MARK(COUNT);
        before = now();
        WRITE("s3_0_c12_c11_5", sgi);
        after = now();
        gone = now();
        do
            give_way();
        while (!vmm_handled_at[1]);
        MARK(PAUSE);
        if (n >= WARM)
            ticks += after - before + vmm_handled_at[1] - gone;
    }
    print_row("vmm_sgi_other", member, ticks, ROUNDS);
}

int guest_main(unsigned cpu)
{
    vmm_guest_init();
    if (cpu)
        receive();
    guest_cpu_on(1);
    measure_sgi("1 INTID", 1);
    measure_sgi("2 INTIDs in turn", 2);
    measure_sgi("4 INTIDs in turn", 4);
    return 0;
}
