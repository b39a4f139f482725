/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Queues of interrupts that wait for a list register, and vCPUs by affinity. */
#include "emul/vgic/state.h"

/* ---- queues ---- */

/* Private interrupts and SPIs are in the same queues. */
static inline struct avc_vgic_link *link_of(struct avc_vgic_cpu *cpu, uint32_t intid)
{
    return &avc_vgic_bank_of(cpu, intid)->link[intid % 32];
}

void avc_vgic_queue(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n)
{
    unsigned at = avc_vgic_queue_of(b, n);
    uint32_t *level = &cpu->queue.level[at / GIC_PRIO_LEVELS], bit = 1u << at % GIC_PRIO_LEVELS;
    uint16_t *first = &cpu->queue.first[at], intid = (uint16_t)(b->base + n);
    struct avc_vgic_link *link = &b->link[n], *next;

    b->at[n] = (uint8_t)at;
    b->queued |= 1u << n;
    if (!b->owner)
        avc_vgic_spis_of(b)->holder[n] = (uint16_t)cpu->index;
    if (!(*level & bit)) {
        *level |= bit;
        *first = link->next = link->prev = intid;
        return;
    }
    next = link_of(cpu, *first);
    link->next = *first;
    link->prev = next->prev;
    link_of(cpu, next->prev)->next = intid;
    next->prev = intid;
}

void avc_vgic_unqueue(const struct avc_vgic *vgic, struct avc_vgic_bank *b, unsigned n)
{
    struct avc_vgic_cpu *cpu = avc_vgic_holder(vgic, b, n);
    unsigned at = b->at[n];
    uint16_t *first = &cpu->queue.first[at];
    const struct avc_vgic_link *link = &b->link[n];

    b->queued &= ~(1u << n);
    if (!b->owner && !(b->active >> n & 1))
        avc_vgic_spis_of(b)->holder[n] = NONE;
    if (link->next == b->base + n) {
        cpu->queue.level[at / GIC_PRIO_LEVELS] &= ~(1u << at % GIC_PRIO_LEVELS);
        return;
    }
    link_of(cpu, link->next)->prev = link->prev;
    link_of(cpu, link->prev)->next = link->next;
    if (*first == b->base + n)
        *first = link->next;
}

void avc_vgic_list_of(struct avc_vgic_list *list, struct avc_vgic_cpu *cpu, unsigned at)
{
    uint32_t *level = &cpu->queue.level[at / GIC_PRIO_LEVELS], bit = 1u << at % GIC_PRIO_LEVELS;

    list->cpu = cpu;
    list->at = at;
    list->first = NULL;
    if (*level & bit) {
        list->first = link_of(cpu, cpu->queue.first[at]);
        list->last = link_of(cpu, list->first->prev);
    }
    *level |= bit;
}

static uint32_t first(const struct avc_vgic_cpu *cpu, unsigned kind)
{
    return cpu->queue.first[kind * GIC_PRIO_LEVELS + (unsigned)__builtin_ctz(cpu->queue.level[kind])];
}

uint32_t avc_vgic_first_pending(const struct avc_vgic *vgic, const struct avc_vgic_cpu *cpu, uint64_t vmcr)
{
    uint32_t level[2];

    for (unsigned g = 0; g < 2; g++)
        level[g] = avc_vgic_waiting(vgic, cpu, g);
    if (level[0] && level[1]) { /* a group that is off waits; the lowest bit is the highest priority */
        if ((vmcr ^ vmcr >> 1) & 1)
            return first(cpu, vmcr & ICH_VMCR_VENG1 ? 1 : 0);
        return first(cpu, (level[1] & -level[1]) < (level[0] & -level[0]) ? 1 : 0);
    }
    if (!(level[0] | level[1]))
        return NONE;
    return first(cpu, level[1] ? 1 : 0);
}

uint32_t avc_vgic_first_active(const struct avc_vgic_cpu *cpu)
{
    return cpu->queue.level[AVC_VGIC_ACTIVE] ? first(cpu, AVC_VGIC_ACTIVE) : NONE;
}

void avc_vgic_reset_bank(struct avc_vgic_bank *b, uint32_t edge)
{
    *b = (struct avc_vgic_bank){ .owner = b->owner, .base = b->base, .valid = b->valid, .line = b->line, .edge = edge };
}

/* ---- vCPUs by affinity ---- */

uint64_t avc_vgic_name(uint64_t mpidr)
{
    return (mpidr & UINT64_C(0xff00ff0000)) << 16 | (mpidr & 0xff00) << 8 | (mpidr & 0xf0) << 40 | (mpidr & 0xf);
}

void avc_vgic_cpus_index(struct avc_vgic *vgic)
{
    for (uint32_t n = 0; n < AVC_ARRAY_SIZE(vgic->near); n++)
        vgic->near[n] = NONE;
    for (uint32_t n = (uint32_t)vgic->vm->nr_vcpus; n-- > 0;) {
        uint16_t *near = &vgic->near[avc_vgic_near(vgic->cpus[n].name)];

        vgic->cpus[n].next_near = *near;
        *near = (uint16_t)n;
    }
}

uint16_t avc_vgic_target_slow(const struct avc_vgic *vgic, struct avc_vgic_spis *spis, unsigned n)
{
    if (!(spis->route[n] & GICD_IROUTER_IRM))
        spis->target[n] = avc_vgic_cpu_named(vgic, avc_vgic_name(spis->route[n]));
    return spis->target[n];
}
