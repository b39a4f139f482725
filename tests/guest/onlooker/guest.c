/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Takes traps of all kinds, those that EL2 handles and those that exit, until the other CPU has seen enough. */
#include "guest.h"

#include "phases.h"

int guest_main(unsigned cpu)
{
    uint64_t sums = 0, rounds = 0;

    guest_hvc(CALL_BEGIN, 0, 0, 0, NULL);
    do {
        for (unsigned n = 0; n < 100; n++) {
            guest_hvc(0x84000000, 0, 0, 0, NULL);
            guest_smc(0x84000000, 0, 0, 0, NULL);
            (void)READ("id_aa64pfr0_el1");
            (void)*(volatile uint32_t *)(GUEST_DIST + 4);
        }
        sums += guest_hvc(CALL_ADD, 20, 22, 0, NULL);
        rounds++;
    } while (guest_hvc(CALL_MORE, 0, 0, 0, NULL));
    guest_ok(!guest_hvc(CALL_END, 0, 0, 0, NULL), "what another CPU sees of the traps is what they were");
    guest_ok(sums == 42 * rounds, "and the guest did not notice");
    guest_plan();
    return 0;
}
