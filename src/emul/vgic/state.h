/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The vGIC's layers. Each one knows those above it in this list:
 *
 *     state    banks of interrupts, and each vCPU's queues of those that wait for a list register
 *     timer    the levels of the timers' PPIs
 *     lr       list registers: an interrupt goes in, comes back
 *     deliver  what an operation does with an interrupt: touch, change, deliver; which vCPUs are to be kicked
 *     op       the beginning and the end of an operation, filling of list registers, whether a vCPU has work
 *     bank     registers with a bit, two bits or a byte for each interrupt
 *     frame    the distributor's and the redistributors' frames, from gicreg.def
 *     cpuif    the CPU interface's registers that trap
 *     ppi      physical interrupts: the timers', and the maintenance interrupt
 *     vgic     attach, reset, and the controller's interface to the core
 *
 * Where an interrupt is. Either it is pending or active in memory (struct avc_vgic_bank). Or its active and
 * edge-pending state is in a list register of one vCPU (in_lr), and memory has what came in addition since. An
 * interrupt that is active in memory, or pending and enabled, is in a queue (queued) of the vCPU that handles it or is
 * to take it. A queue has a circular list for each priority, in the order of arrival. A bitmap says which priorities
 * have one. So the first candidate is found without a look at any other interrupt, and a change of one interrupt looks
 * only at its neighbours in the list. GICD_CTLR's group enables decide what may leave a queue, not what is in it.
 *
 * The VM's lock guards all of it, unless a comment says otherwise.
 */
#ifndef AVC_VGIC_STATE_H
#define AVC_VGIC_STATE_H

#include <avc/vgic.h>

#include "arch/gic.h"
#include "core/core.h"

#define NONE       AVC_VGIC_NONE
#define TIMER_BITS (1u << AVC_VGIC_VTIMER_INTID | 1u << AVC_VGIC_PTIMER_INTID)

/* Queues: `at` of an interrupt that is queued, and the bits of avc_vgic_queue.level[]. */
enum { AVC_VGIC_GROUP0, AVC_VGIC_GROUP1, AVC_VGIC_ACTIVE };

static inline struct avc_vgic *avc_vgic_of(const struct avc_vcpu *vcpu)
{
    return vcpu->vm->irqc_data;
}

static inline struct avc_vgic_cpu *avc_vgic_cpu_of(const struct avc_vcpu *vcpu)
{
    return vcpu->irqc_data;
}

/* Return the physical INTID of timer t (0: virtual, 1: physical), and of the maintenance interrupt, on the CPU where
   cpu is loaded. */
static inline uint32_t avc_vgic_timer_phys(const struct avc_vgic_cpu *cpu, unsigned t)
{
    uint32_t intid = t ? cpu->hal->ptimer_ppi : cpu->hal->vtimer_ppi;

    return intid ? intid : t ? AVC_VGIC_PTIMER_INTID : AVC_VGIC_VTIMER_INTID;
}

static inline uint32_t avc_vgic_maintenance_phys(const struct avc_vgic_cpu *cpu)
{
    return cpu->hal->maintenance_ppi ? cpu->hal->maintenance_ppi : 25;
}

/* Returns the rest of a bank of SPIs. */
static inline struct avc_vgic_spis *avc_vgic_spis_of(struct avc_vgic_bank *b)
{
    return (struct avc_vgic_spis *)b; /* the bank is its first member */
}

/* k: 1..vgic->nr_banks */
static inline struct avc_vgic_bank *avc_vgic_spi_bank(const struct avc_vgic *vgic, uint32_t k)
{
    return &vgic->spis[k - 1].bank;
}

static inline struct avc_vgic_bank *avc_vgic_bank_of(struct avc_vgic_cpu *cpu, uint32_t intid)
{
    return intid < GIC_NR_PRIVATE ? &cpu->bank : avc_vgic_spi_bank(cpu->vgic, intid / 32);
}

/* Returns the interrupts that are pending on their own: by an edge, by ISPENDR, by the level of a level-sensitive
   one, or by a linked timer. */
static inline uint32_t avc_vgic_pending_bits(const struct avc_vgic_bank *b)
{
    return b->latch | (b->line & ~b->edge) | (b->linked & ~b->active);
}

/* The timers' interrupts of a vCPU that is not loaded. Nobody looks at its timers until it is, and a host that has
   blocked it went by their state then. So who makes one of them deliverable kicks it. */
static inline uint32_t avc_vgic_sleeping_timers(const struct avc_vgic_bank *b)
{
    return b->owner && !b->owner->loaded ? TIMER_BITS : 0;
}

/* Returns the interrupts that a change of their configuration could concern. The others are in no queue and no list
   register, and neither pending nor active. */
static inline uint32_t avc_vgic_stirred_bits(const struct avc_vgic_bank *b)
{
    return b->latch | b->line | (b->active | b->in_lr) | b->linked;
}

/* Returns the interrupts that may be signalled: they are enabled, and so is their group. */
static inline uint32_t avc_vgic_enabled_bits(const struct avc_vgic *vgic, const struct avc_vgic_bank *b)
{
    return b->enable &
           ((vgic->ctlr & GICD_CTLR_ENABLEGRP1 ? b->group : 0) | (vgic->ctlr & GICD_CTLR_ENABLEGRP0 ? ~b->group : 0));
}

/* Returns the vCPU that has interrupt n of the bank in a list register or a queue, or that handles it. NULL: none. */
static inline struct avc_vgic_cpu *avc_vgic_holder(const struct avc_vgic *vgic, struct avc_vgic_bank *b, unsigned n)
{
    uint16_t holder;

    if (b->owner)
        return b->owner;
    holder = avc_vgic_spis_of(b)->holder[n];
    return holder == NONE ? NULL : &vgic->cpus[holder];
}

/* Puts n, active or pending, at the end of its queue. It is in no queue and no list register. */
void avc_vgic_queue(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n);
/* Takes it out of the queue of its holder. It is in that queue. */
void avc_vgic_unqueue(const struct avc_vgic *vgic, struct avc_vgic_bank *b, unsigned n);

/*
 * The same for many of a bank. Those that come together most often go to one list. It is looked up once:
 * avc_vgic_list_of() does it, and then avc_vgic_list_add() adds one after the other. It is good for as long as nothing
 * else happens to the queues.
 */
struct avc_vgic_list {
    struct avc_vgic_cpu *cpu; /* NULL: none */
    unsigned at;
    struct avc_vgic_link *first, *last; /* NULL: it is empty */
};

/* Returns the list where n, active or pending, would be queued. */
static inline unsigned avc_vgic_queue_of(const struct avc_vgic_bank *b, unsigned n)
{
    unsigned kind = b->active >> n & 1 ? (unsigned)AVC_VGIC_ACTIVE : b->group >> n & 1;

    return kind * GIC_PRIO_LEVELS + (b->priority[n] >> GIC_PRIO_SHIFT);
}

void avc_vgic_list_of(struct avc_vgic_list *list, struct avc_vgic_cpu *cpu, unsigned at);
static inline void avc_vgic_list_add(struct avc_vgic_list *list, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_link *link = &b->link[n];
    uint16_t intid = (uint16_t)(b->base + n);

    b->at[n] = (uint8_t)list->at;
    if (!list->first) {
        list->cpu->queue.first[list->at] = intid;
        list->first = list->last = link;
        link->next = link->prev = intid;
        return;
    }
    link->next = list->last->next;
    link->prev = list->first->prev;
    list->last->next = list->first->prev = intid;
    list->last = link;
}

/* Returns the candidates for a list register, one bit a priority, if GICD_CTLR has their group on. */
static inline uint32_t avc_vgic_waiting(const struct avc_vgic *vgic, const struct avc_vgic_cpu *cpu, unsigned group)
{
    return vgic->ctlr >> group & 1 ? cpu->queue.level[group] : 0; /* EnableGrp0, EnableGrp1 */
}

/* Is anything in its queues? */
static inline bool avc_vgic_queues(const struct avc_vgic_cpu *cpu)
{
    return cpu->queue.level[0] | cpu->queue.level[1] | cpu->queue.level[2];
}

/* Returns the INTID of the first pending candidate, or NONE: the highest priority, and groups that ICH_VMCR_EL2 has
   on first. */
uint32_t avc_vgic_first_pending(const struct avc_vgic *vgic, const struct avc_vgic_cpu *cpu, uint64_t vmcr);
/* Returns the INTID of the active interrupt with the highest priority that is in a queue, or NONE. */
uint32_t avc_vgic_first_active(const struct avc_vgic_cpu *cpu);

/*
 * vCPUs by affinity. `name`: Aff3.2.1 and RS as in ICC_SGI1R_EL1, and the lower four bits of Aff0 in bits 3..0.
 * Neighbours have different places in the index, whether they are numbered by Aff0 alone or by 16 and Aff1.
 */
static inline uint32_t avc_vgic_near(uint64_t name)
{
    return (uint32_t)((name >> 12 ^ name >> 40) & 0x30) | (name & 0xf);
}

static inline uint16_t avc_vgic_cpu_named(const struct avc_vgic *vgic, uint64_t name)
{
    uint16_t n = vgic->near[avc_vgic_near(name)];

    while (avc_likely(n != NONE) && avc_unlikely(vgic->cpus[n].name != name))
        n = vgic->cpus[n].next_near;
    return n;
}

uint64_t avc_vgic_name(uint64_t mpidr);
void avc_vgic_cpus_index(struct avc_vgic *vgic);

/* Returns the index of the vCPU that SPI n goes to, or NONE. If its route leads to one vCPU, that is looked up the
   first time. If any may take it (GICD_IROUTER.IRM), deliver() chooses one. */
uint16_t avc_vgic_target_slow(const struct avc_vgic *vgic, struct avc_vgic_spis *spis, unsigned n);
static inline uint16_t avc_vgic_target(const struct avc_vgic *vgic, struct avc_vgic_spis *spis, unsigned n)
{
    return avc_likely(spis->target[n] != NONE) ? spis->target[n] : avc_vgic_target_slow(vgic, spis, n);
}

/* Resets a bank, except for the lines, which are the devices'. None of its interrupts is in a list register or a
   queue. */
void avc_vgic_reset_bank(struct avc_vgic_bank *b, uint32_t edge);

#endif
