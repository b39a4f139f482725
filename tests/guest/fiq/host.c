/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Physical FIQs. The board's GIC has one security state, where interrupts of Group 0 are FIQs (IHI 0069, 4.6). The
 * host's timer is made one. The library takes no FIQ itself: run returns, the FIQ stays pending, and the host
 * acknowledges it.
 */
#include "testvm.h"

#define EL2_TIMER 26
#define GICR_SGI  0x080b0000ul /* of CPU 0 */
#define GICD_CTLR (*(volatile uint32_t *)0x08000000ul)
#define IGROUPR0  (*(volatile uint32_t *)(GICR_SGI + 0x80))
#define ROUNDS    100

static struct test_vm t;

static uint64_t read_iar0(void)
{
    uint64_t intid;

    __asm__ volatile("mrs %0, S3_0_C12_C8_0; dsb sy" : "=r"(intid)::"memory");
    return intid;
}

/* And ICC_DIR_EL1: EOImode is 1. */
static void write_eoir0(uint64_t intid)
{
    __asm__ volatile("msr S3_0_C12_C8_1, %0; isb; msr S3_0_C12_C11_1, %0; isb" ::"r"(intid) : "memory");
}

int host_main(void)
{
    static const struct test_config config = { .vcpus = 1 };
    struct avc_vcpu *vcpu = &t.vcpu[0];
    unsigned wrong = 0, not_acked = 0, lost = 0, still = 0;
    uint64_t last = 0;

    test_cpu_init(0);
    test_vm_init(&t, &config);
    GICD_CTLR |= 1; /* EnableGrp0 */
    IGROUPR0 &= ~(1u << EL2_TIMER);
    __asm__ volatile("dsb sy; msr S3_0_C12_C12_6, %0; isb" ::"r"(1ul) : "memory"); /* ICC_IGRPEN0_EL1 */
    host_must(avc_vcpu_load(vcpu, &test_pcpu[0]));
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct avc_exit *e;
        uint64_t intid;

        host_timer_set(host_ticks() + 200000 + n % 16);
        e = avc_vcpu_run(vcpu);
        intid = read_iar0();
        host_timer_set(~UINT64_C(0));
        wrong += e->kind != AVC_IRQ || e->handled;
        not_acked += intid != EL2_TIMER;
        if (intid == EL2_TIMER)
            write_eoir0(intid);
        still += avc_vcpu_gpr(vcpu, 19) <= last;
        last = avc_vcpu_gpr(vcpu, 19);
        lost += avc_vcpu_gpr(vcpu, 0) != 0x100 || avc_vcpu_gpr(vcpu, 17) != 0x117 || avc_vcpu_gpr(vcpu, 18) != 0x118 ||
                avc_vcpu_gpr(vcpu, 29) != 0x129 || avc_vcpu_gpr(vcpu, 30) != 0x130;
    }
    host_printf("%sok 1 - each of %u FIQs is an exit that nobody has handled\n", wrong ? "not " : "", ROUNDS);
    host_printf("%sok 2 - and is left for the host to acknowledge\n", not_acked ? "not " : "");
    host_printf("%sok 3 - the guest's registers are kept\n", lost ? "not " : "");
    host_printf("%sok 4 - the guest goes on in between\n", still ? "not " : "");
    host_printf("%sok 5 - they are counted\n", vcpu->nr_traps[AVC_TRAP_FIQ] == ROUNDS ? "" : "not ");
    host_puts("1..5\n");
    return 0;
}
