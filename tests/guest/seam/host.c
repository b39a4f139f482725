/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * An interrupt becomes pending at each single instruction of the entry into a guest, and then of the exits that EL2
 * handles. In the emulator's counting mode a tick is an instruction, so a timer that is set d ticks ahead expires at
 * the d-th instruction from here. d takes all values. Each timer must end in exactly one AVC_IRQ.
 */
#include "testvm.h"

#define EL2_TIMER 26
#define ENTRY     700  /* more instructions than from here into the guest */
#define LOOP      4000 /* more instructions than a round of the guest's loop of exits */

static struct test_vm t;

/*
 * Lets the timer expire d ticks from now. Returns the guest's progress. Sets *wrong if run returned anything else than
 * AVC_IRQ.
 */
static uint64_t one(struct avc_vcpu *vcpu, unsigned d, unsigned *wrong)
{
    uint64_t before = avc_vcpu_gpr(vcpu, 19);
    struct avc_exit *e;

    host_timer_set(host_ticks() + d);
    e = avc_vcpu_run(vcpu);
    *wrong += e->kind != AVC_IRQ || !e->handled || e->key != EL2_TIMER;
    return avc_vcpu_gpr(vcpu, 19) - before;
}

int host_main(void)
{
    static const struct test_config config = { .vcpus = 1 };
    struct avc_vcpu *vcpu = &t.vcpu[0];
    unsigned wrong = 0, still = 0, moved = 0, back = 0;

    test_cpu_init(0);
    test_vm_init(&t, &config);
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    one(vcpu, 20000, &wrong); /* brings the guest to its loop */

    for (unsigned d = 0; d < ENTRY; d++) {
        uint64_t progress = one(vcpu, d, &wrong);

        if (progress)
            moved++;
        else
            still++;
        if (moved && !progress)
            back++;
    }
    host_printf("# expired before the guest's first instruction: %u of %u\n", still, ENTRY);
    host_printf("%sok 1 - an interrupt at any of %u instructions of the way in is one exit\n", wrong ? "not " : "",
                still);
    host_printf("%sok 2 - the sweep began before the way in and ended in the guest\n",
                still > 50 && moved > 50 && back == 0 ? "" : "not ");

    wrong = 0;
    moved = 0;
    avc_vcpu_set_gpr(vcpu, 20, 1);
    for (unsigned d = 0; d < LOOP; d++)
        moved += one(vcpu, d, &wrong) > 1;
    host_printf("%sok 3 - so is one at any of %u instructions of the guest's exits\n", wrong ? "not " : "", LOOP);
    host_printf("%sok 4 - the sweep went round its loop\n", moved > 100 ? "" : "not ");
    host_puts("1..4\n");
    return 0;
}
