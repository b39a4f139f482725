/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The context of a HAL of this test, with a state for each interrupt of its CPU. By the states the test checks the
 * contract of acknowledging (struct avc_hal in avc/avc.h). Only host.c includes this file.
 */
#ifndef SIDE_H
#define SIDE_H

#include "testvm.h"

#define SGI_KICK    0
#define MAINTENANCE 25
#define EL2_TIMER   26
#define VTIMER      27
#define NONE        ~0u

#define MRS(reg)                                                                                                       \
    ({                                                                                                                 \
        uint64_t v_;                                                                                                   \
        __asm__ volatile("mrs %0, " reg : "=r"(v_)::"memory");                                                         \
        v_;                                                                                                            \
    })
#define MSR(reg, value) __asm__ volatile("msr " reg ", %0; isb" ::"r"((uint64_t)(value)) : "memory")
#define ICC_CTLR_EL1    "s3_0_c12_c12_4"
#define ICC_EOIR1_EL1   "s3_0_c12_c12_1"
#define ICC_DIR_EL1     "s3_0_c12_c11_1"
#define ICC_RPR_EL1     "s3_0_c12_c11_3"
#define ISACTIVER(cpu)  (*(volatile uint32_t *)(0x080b0300 + 0x20000ul * (cpu)))

enum kind { SPLIT, JOINED, PENDING, KINDS };
static const char *const kinds[KINDS] = { "EOImode 1", "EOImode 0", "left pending" };

/* LINKED: dropped in priority, but not deactivated, because the guest will do that. */
enum state { IDLE, ACTIVE, LINKED };

struct side { /* one CPU in one round: its HAL's context */
    struct avc_pcpu pcpu;
    unsigned cpu;
    enum kind kind;
    bool good; /* the library's vectors stay installed */
    enum state state[32];
    unsigned running;
    bool armed, full, drained;
    uint64_t handled, kicks, acks, linked, library, masks, at_el2, in_guest;
};

static struct side *now[2]; /* now[cpu]: the context of the current round */
static unsigned round_nr, errors;

static void broken(const struct side *s, unsigned irq, const char *rule)
{
    if (__atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED) < 10)
        host_printf("# round %u, CPU %u, %s, interrupt %u: %s\n", round_nr, s->cpu, kinds[s->kind], irq, rule);
}

/* Checks that a HAL's function gets its own context, on its own CPU. */
static struct side *check(void *ctx, enum kind kind)
{
    struct side *s = ctx;

    if (s->kind != kind || s != now[host_cpu()])
        broken(s, 0, "a HAL's function with another one's context, or on another CPU");
    if (!(MRS("daif") & 0x80))
        broken(s, 0, "called with IRQs unmasked");
    return s;
}

/* ---- the states ---- */

static void acknowledged(struct side *s, avc_irq_t irq)
{
    s->acks++;
    if (s->running != NONE)
        broken(s, irq, "acknowledged before the last one was ended");
    if (irq >= 32 || s->state[irq] == ACTIVE) {
        broken(s, irq, "acknowledged twice");
        return;
    }
    s->running = irq;
    s->state[irq] = ACTIVE;
}

static void ended(struct side *s, avc_irq_t irq, bool deactivate)
{
    if (irq >= 32 || s->running != irq || s->state[irq] != ACTIVE) {
        broken(s, irq, "ended twice, or never acknowledged");
        return;
    }
    if (!deactivate && (s->kind != SPLIT || irq != VTIMER))
        broken(s, irq, "not to be deactivated");
    s->running = NONE;
    s->state[irq] = deactivate ? IDLE : LINKED;
    s->linked += !deactivate;
}

static avc_irq_t fetch(struct side *s)
{
    avc_irq_t irq = host_irq_fetch(NULL);

    if (irq != AVC_IRQ_SPURIOUS)
        acknowledged(s, irq);
    return irq;
}

#endif
