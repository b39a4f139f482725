/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One vCPU has more interrupts pending than list registers, in each state of its two groups; the other one wants to
 * run. QEMU's maintenance interrupt stays up in one of the states. It must not keep the CPU.
 */
#include "guest.h"

#define GICD         ((volatile uint32_t *)GUEST_DIST)
#define GICR(cpu)    ((volatile uint32_t *)(GUEST_RD + 0x20000ul * (cpu)))
#define SGI_FRAME(r) ((0x10000 + (r)) / 4)
#define IGROUPR      0x80
#define ISENABLER    0x100
#define ISPENDR      0x200
#define ICPENDR      0x280
#define ICC_IGRPEN0  "s3_0_c12_c12_6"
#define ICC_IGRPEN1  "s3_0_c12_c12_7"

/* Bits 1..0: groups of the CPU interface; bit 2: group of the interrupts. */
static volatile unsigned state, done;
static volatile uint64_t beats;

static void other(void)
{
    volatile uint32_t *r = GICR(1);

    r[0x14 / 4] = 0;
    r[SGI_FRAME(ISENABLER)] = 0xffff;
    WRITE("s3_0_c4_c6_0", 0xff); /* ICC_PMR_EL1 */
    for (;;) {
        unsigned now = state;

        if (now != done) {
            WRITE(ICC_IGRPEN0, now & 1);
            WRITE(ICC_IGRPEN1, now >> 1 & 1);
            r[SGI_FRAME(IGROUPR)] = now & 4 ? 0xffff : 0;
            r[SGI_FRAME(ISPENDR)] = 0xff;
            WRITE(ICC_IGRPEN0, ~now & 1); /* and with the groups the other way round */
            WRITE(ICC_IGRPEN1, ~now >> 1 & 1);
            WRITE(ICC_IGRPEN0, now & 1);
            WRITE(ICC_IGRPEN1, now >> 1 & 1);
            done = now;
        }
        beats++;
    }
}

/* Does the other vCPU run, by itself? Ten seconds are some thousand of its slices. */
static bool beats_on(void)
{
    uint64_t end = READ("cntvct_el0") + 10 * READ("cntfrq_el0"), first = beats;

    while (beats == first && READ("cntvct_el0") < end)
        ;
    return beats != first;
}

int guest_main(unsigned cpu)
{
    if (cpu)
        other();
    GICD[0] = 0x13;
    guest_cpu_on(1);
    while (!beats)
        guest_hvc(CALL_ADD, 0, 0, 0, NULL); /* our slice has no end while the other one is off */
    for (unsigned n = 8; n < 16; n++) {
        uint64_t end = READ("cntvct_el0") + 10 * READ("cntfrq_el0");

        state = n;
        while (done != n && READ("cntvct_el0") < end)
            ;
        guest_ok(done == n && beats_on() && beats_on(), "eight of group %u, groups on: %u%u", n >> 2 & 1, n >> 1 & 1,
                 n & 1);
        GICR(1)[SGI_FRAME(ICPENDR)] = 0xffff;
    }
    guest_plan();
    return 0;
}
