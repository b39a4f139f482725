/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Which interrupts a vCPU has, in order, and whether one of them would be signalled.
 *
 * Choosing, when there is more than fits: what is active comes first, since the guest's end of interrupt must find it; but
 * one list register is kept for the highest pending one, which may preempt. Active ones that are left out are ended by
 * EOIcount (LRENPIE) and trapped ICC_DIR_EL1 writes (TDIR). While pending ones are left out, the maintenance interrupt
 * says when the ones inside are taken (NPIE), or when a group is switched on or off.
 */
#include "emul/vgic/vgic.h"

/* ---- choosing ---- */

static void insert(uint32_t *list, uint32_t *nr, uint32_t max, uint32_t key)
{
    uint32_t n = *nr < max ? *nr : max;

    (*nr)++;
    if (n == max) {
        if (key > list[max - 1])
            return;
        n--;
    }
    for (; n && list[n - 1] > key; n--)
        list[n] = list[n - 1];
    list[n] = key;
}

/* All that is active on cpu, or pending for it and deliverable. At most 1020 insertions, each of at most 16 steps. */
struct avc_vgic_choice *avc_vgic_choose(struct avc_vgic *vgic, struct avc_vgic_cpu *cpu, uint32_t max, uint64_t vmcr)
{
    struct avc_vgic_choice *c = &vgic->choice;
    uint32_t todo = 1 | vgic->busy << 1;

    c->nr_active = c->nr_pending = 0;
    for (; todo; todo &= todo - 1) {
        uint32_t k = (uint32_t)__builtin_ctz(todo);
        struct avc_vgic_ref ref = avc_vgic_ref_of(cpu, 32 * k);
        struct avc_vgic_bank *b = ref.bank;
        uint32_t pending = avc_vgic_pending_bits(b) | (k ? 0 : cpu->linked);
        uint32_t bits;

        if (k && !(b->latch | b->line | b->active)) {
            vgic->busy &= ~(1u << (k - 1));
            continue;
        }
        pending &= avc_vgic_enabled_bits(vgic, b) & ~b->active & ~b->in_lr;
        for (bits = pending | b->active; bits; bits &= bits - 1) {
            unsigned n = (unsigned)__builtin_ctz(bits);
            bool active = b->active >> n & 1;
            bool group = b->group >> n & 1;

            if (k && cpu->index != (active ? ref.spis->holder[n] : ref.spis->target[n]))
                continue;
            if (active)
                insert(c->active, &c->nr_active, max, KEY(0, b->priority[n], ref.base + n));
            else
                insert(c->pending, &c->nr_pending, max,
                       KEY(!(vmcr & (group ? VMCR_ENG1 : VMCR_ENG0)), b->priority[n], ref.base + n));
        }
    }
    return c;
}

/* ---- does it signal? ---- */

uint32_t avc_vgic_running(const uint64_t ap0[4], const uint64_t ap1[4], unsigned pre_bits)
{
    for (unsigned n = 0; n < 4; n++)
        if ((uint32_t)(ap0[n] | ap1[n]))
            return (32 * n + (unsigned)__builtin_ctz((uint32_t)(ap0[n] | ap1[n]))) << (8 - pre_bits) & 0xff;
    return 0xff;
}

/* IHI 0069, 4.8: above the mask, and in a higher preemption group than what runs. */
static bool preempts(uint32_t priority, bool group1, uint64_t vmcr, uint32_t running)
{
    uint32_t bpr = (uint32_t)(group1 && !(vmcr & VMCR_CBPR) ? VMCR_BPR1(vmcr) : VMCR_BPR0(vmcr) + 1);

    return priority < VMCR_PMR(vmcr) && (running == 0xff || (priority & (0xffu << bpr)) < running);
}

bool avc_vgic_signals(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool live)
{
    uint64_t ap0[4] = { 0 }, ap1[4] = { 0 }, vmcr = cpu->vmcr;
    uint32_t running;
    struct avc_vgic_choice *c;

    if (live) {
        vmcr = avc_hw_read_ICH_VMCR_EL2();
        avc_hw_apr_read(ap0, ap1, cpu->nr_apr);
        running = avc_vgic_running(ap0, ap1, cpu->pre_bits);
    } else if (cpu->loaded) { /* elsewhere: its registers cannot be seen; a yes too many costs a wake-up */
        for (uint32_t used = cpu->lr_used; used; used &= used - 1)
            if (cpu->lr[__builtin_ctz(used)] & LR_PENDING)
                return true;
        vmcr = VMCR_ENG0 | VMCR_ENG1 | UINT64_C(0xff) << 24;
        running = 0xff;
    } else {
        running = avc_vgic_running(cpu->ap0, cpu->ap1, cpu->pre_bits);
    }
    c = avc_vgic_choose(op->vgic, cpu, 1, vmcr);
    if (!c->nr_pending || c->pending[0] >> 24)
        return false;
    {
        struct avc_vgic_ref ref = avc_vgic_ref_of(cpu, KEY_INTID(c->pending[0]));

        return preempts(KEY_PRIORITY(c->pending[0]), ref.bank->group >> KEY_INTID(c->pending[0]) % 32 & 1, vmcr,
                        running);
    }
}
