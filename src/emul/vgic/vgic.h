/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * What the files of the vGIC share.
 *
 *     vgic.c    attach, reset, and the controller's interface to the core
 *     dist.c    the distributor's frame         redist.c  the redistributors' frames
 *     bank.c    registers that hold a bit or a byte per interrupt, the same in both
 *     pend.c    from "pending" to a vCPU: who is to be told, lines, routes
 *     gicv.c    list registers: fold them back, fill them
 *     choose.c  what goes in, and whether it would be signalled
 *     sgi.c     the CPU interface's registers that trap
 *     light.c   what of all that is settled on the light way
 *     vtimer.c  the timers' PPIs
 *
 * Everything happens inside of an operation: avc_vgic_begin() takes the VM's lock, avc_vgic_end() refills the list
 * registers if that is due, drops the lock, and only then calls back: wakes, masks PPIs. While an interrupt is in a list
 * register its state is there, so that an operation first "touches" the interrupts it is about: those in list registers of
 * this CPU come back into memory, and for those of another CPU a fold is asked for.
 */
#ifndef AVC_EMUL_VGIC_H
#define AVC_EMUL_VGIC_H

#include <avc/vgic.h>

#include "core/core.h"
#include "hw/hw.h"
#include "hw/ich.h"

/* ICH_LR<n>_EL2 (IHI 0069, 12.4) */
#define LR_PENDING     AVC_BIT(62)
#define LR_ACTIVE      AVC_BIT(63)
#define LR_STATE       (LR_PENDING | LR_ACTIVE)
#define LR_HW          AVC_BIT(61)
#define LR_GROUP       AVC_BIT(60)
#define LR_PRIORITY(p) ((uint64_t)(p) << 48)
#define LR_PINTID(p)   ((uint64_t)(p) << 32)
#define LR_EOI         AVC_BIT(41) /* HW=0: maintenance interrupt when it becomes inactive */
#define LR_VINTID(lr)  ((uint32_t)(lr))

/* ICH_HCR_EL2 */
#define HCR_EN          AVC_BIT(0)
#define HCR_LRENPIE     AVC_BIT(2) /* maintenance: an EOI found no list register */
#define HCR_NPIE        AVC_BIT(3) /* maintenance: nothing pending in the list registers */
#define HCR_GRP0E       AVC_BIT(4) /* maintenance: while VENG0 is 1 */
#define HCR_GRP0D       AVC_BIT(5) /* ... is 0 */
#define HCR_GRP1E       AVC_BIT(6)
#define HCR_GRP1D       AVC_BIT(7)
#define HCR_TC          AVC_BIT(10) /* traps registers common to both groups */
#define HCR_TDIR        AVC_BIT(14) /* traps ICC_DIR_EL1 */
#define HCR_EOICOUNT(h) AVC_FIELD(h, 31, 27)

/* ICH_VMCR_EL2 */
#define VMCR_ENG0    AVC_BIT(0)
#define VMCR_ENG1    AVC_BIT(1)
#define VMCR_FIQEN   AVC_BIT(3) /* RES1 with system registers */
#define VMCR_CBPR    AVC_BIT(4)
#define VMCR_EOIM    AVC_BIT(9)
#define VMCR_BPR1(v) AVC_FIELD(v, 20, 18)
#define VMCR_BPR0(v) AVC_FIELD(v, 23, 21)
#define VMCR_PMR(v)  AVC_FIELD(v, 31, 24)

/* ICH_VTR_EL2 */
#define VTR_LRS(v)     (AVC_FIELD(v, 4, 0) + 1)
#define VTR_TDS        AVC_BIT(19) /* HCR_TDIR is there */
#define VTR_PREBITS(v) (AVC_FIELD(v, 28, 26) + 1)

#define GICD_CTLR_GRP0 (1u << 0)
#define GICD_CTLR_GRP1 (1u << 1)
#define GICD_CTLR_ARE  (1u << 4)
#define GICD_CTLR_DS   (1u << 6)
#define GICD_CTLR_RWP  (1u << 31)
#define ROUTE_IRM      AVC_BIT(31) /* GICD_IROUTER: any vCPU */

#define NONE       AVC_VGIC_NONE
#define TIMER_BITS (1u << AVC_VGIC_VTIMER_INTID | 1u << AVC_VGIC_PTIMER_INTID)

/* One operation on the controller; on the stack. */
struct avc_vgic_op {
    struct avc_vgic *vgic;
    struct avc_vgic_cpu *self; /* loaded on this CPU, its list registers are live; or NULL */
    uint64_t daif;
    bool restore;               /* daif */
    bool folded;                /* self's list registers are all in memory */
    bool refill;                /* self's list registers are due */
    bool wake;                  /* self may be blocked */
    struct avc_vgic_cpu *kicks; /* others that are to be kicked afterwards: a list, or NULL */
};

/* 32 interrupts with what is needed to find their vCPUs. */
struct avc_vgic_ref {
    struct avc_vgic_bank *bank;
    struct avc_vgic_cpu *owner; /* private ones, else NULL */
    struct avc_vgic_spis *spis; /* SPIs, else NULL */
    uint32_t base;              /* first INTID */
    uint32_t valid;             /* bits that are interrupts */
};

static inline struct avc_vgic_ref avc_vgic_ref_private(struct avc_vgic_cpu *cpu)
{
    return (struct avc_vgic_ref){ &cpu->bank, cpu, NULL, 0, ~0u };
}

/* k: 0 .. vgic->nr_banks - 1. INTIDs 1020..1023 are not interrupts. */
static inline uint32_t avc_vgic_valid(const struct avc_vgic *vgic, uint32_t k)
{
    uint32_t left = vgic->nr_spis - 32 * k;

    return left < 32 ? (1u << left) - 1 : ~0u;
}

static inline struct avc_vgic_ref avc_vgic_ref_spis(struct avc_vgic *vgic, uint32_t k)
{
    return (struct avc_vgic_ref){ &vgic->spis[k].bank, NULL, &vgic->spis[k], 32 * k + 32, avc_vgic_valid(vgic, k) };
}

static inline struct avc_vgic_ref avc_vgic_ref_of(struct avc_vgic_cpu *cpu, uint32_t intid)
{
    return intid < 32 ? avc_vgic_ref_private(cpu) : avc_vgic_ref_spis(cpu->vgic, intid / 32 - 1);
}

static inline struct avc_vgic *avc_vgic_of(const struct avc_vcpu *vcpu)
{
    return vcpu->vm->irqc_data;
}

static inline struct avc_vgic_cpu *avc_vgic_cpu_of(const struct avc_vcpu *vcpu)
{
    return vcpu->irqc_data;
}

/* Pending by itself: edge or soft latch, level of a level-triggered line. Without timers linked to hardware. */
static inline uint32_t avc_vgic_pending_bits(const struct avc_vgic_bank *b)
{
    return b->latch | (b->line & ~b->edge);
}

/* Those that may be signalled: enabled, and so is their group. */
static inline uint32_t avc_vgic_enabled_bits(const struct avc_vgic *vgic, const struct avc_vgic_bank *b)
{
    return b->enable & ((vgic->ctlr & GICD_CTLR_GRP1 ? b->group : 0) | (vgic->ctlr & GICD_CTLR_GRP0 ? ~b->group : 0));
}

/* ---- pend.c ---- */
/* Claims run masked and pass restore=false; everybody else masks here. */
static inline void avc_vgic_begin(struct avc_vgic_op *op, struct avc_vgic *vgic, struct avc_vgic_cpu *self,
                                  bool restore)
{
    op->vgic = vgic;
    op->self = self;
    op->restore = restore;
    op->folded = op->refill = op->wake = false;
    op->kicks = NULL;
    if (restore)
        op->daif = avc_hw_irq_save();
    avc_lock(&vgic->lock);
}
void avc_vgic_end_slow(struct avc_vgic_op *op);
static inline void avc_vgic_end(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    if (op->folded || op->refill || op->wake || op->kicks || op->restore || (self && self->masked != self->mask_wanted))
        avc_vgic_end_slow(op);
    else
        avc_unlock(&op->vgic->lock);
}
/* The one of the VM's vCPUs that is loaded on this CPU, if it is `cpu`. Masked, under the lock. */
bool avc_vgic_here(const struct avc_vgic_cpu *cpu);
/* Brings the state of these interrupts into memory, or asks their CPUs to do so. Before anything about them changes. */
void avc_vgic_touch_slow(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask);
static inline void avc_vgic_touch(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask)
{
    if (ref->bank->in_lr & mask)
        avc_vgic_touch_slow(op, ref, ref->bank->in_lr & mask);
}
/* Tells the vCPUs of those of these interrupts that have become deliverable. After something about them changed. */
void avc_vgic_deliver(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t mask);
/* enter() wanted on that vCPU; `fold`: and somebody waits until it has looked at its list registers. */
void avc_vgic_kick(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool fold);
/* Everything may have changed: all vCPUs look again. */
void avc_vgic_kick_all(struct avc_vgic_op *op);
/* The vCPU that a route leads to, or NONE. */
uint16_t avc_vgic_target(const struct avc_vgic *vgic, uint64_t route);
void avc_vgic_set_line(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit, bool level);
enum avc_status avc_vgic_set_irq(struct avc_vm *vm, struct avc_vcpu *vcpu, uint32_t intid, bool level);

/* ---- gicv.c ---- */
void avc_vgic_fold(struct avc_vgic_op *op);   /* self: list registers to memory; refill is then due */
void avc_vgic_refill(struct avc_vgic_op *op); /* self: folded already; chooses and writes them */
/* self: an interrupt in a list register; true when the guest is through with it, and it is out. */
bool avc_vgic_retire(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit);
/* self: one deliverable interrupt that is in no list register goes into a free one; false: refill instead. The first is
   left to the virtual timer as long as there are others. */
bool avc_vgic_inject(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit);
/* self: the virtual timer's interrupt, just acknowledged, into list register 0 and linked; false: the long way. */
bool avc_vgic_vtimer_first(struct avc_vgic_cpu *self);
/* self: list register that holds it. It is in one. */
unsigned avc_vgic_lr_of(const struct avc_vgic_cpu *cpu, uint32_t intid);
void avc_vgic_gicv_load(struct avc_vgic_op *op);
void avc_vgic_gicv_put(struct avc_vgic_op *op);

/* ---- choose.c ---- */
/* One candidate, in order: group switched on, priority, INTID. */
#define KEY(off, priority, intid) ((uint32_t)(off) << 24 | (uint32_t)(priority) << 16 | (intid))
#define KEY_INTID(key)            ((key)&0xffff)
#define KEY_PRIORITY(key)         ((key) >> 16 & 0xff)

/* All that is active on cpu, or pending for it and deliverable: the first `max` of each. Good until the next one. */
struct avc_vgic_choice *avc_vgic_choose(struct avc_vgic *vgic, struct avc_vgic_cpu *cpu, uint32_t max, uint64_t vmcr);
/* Would it signal an interrupt to its guest now? Any CPU; `live`: self, folded. */
bool avc_vgic_signals(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu, bool live);
/* Priority of what the guest is handling, 0xff: nothing. */
uint32_t avc_vgic_running(const uint64_t ap0[4], const uint64_t ap1[4], unsigned pre_bits);

/* ---- bank.c ---- */
/* Blocks 1..7 (offset >> 7): group, set/clear enable, pending, active. */
enum avc_answer avc_vgic_bank_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, unsigned block,
                                     struct avc_exit *e);
enum avc_answer avc_vgic_priority_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, struct avc_exit *e);
enum avc_answer avc_vgic_config_access(struct avc_vgic_cpu *self, const struct avc_vgic_ref *ref, struct avc_exit *e);
/* Makes interrupts inactive, wherever they are. */
void avc_vgic_deactivate(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bits);
/* The second half of it: none of them is in a list register of self. */
void avc_vgic_make_inactive(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bits);

/* ---- dist.c, redist.c, sgi.c: claims ---- */
avc_claim_fn avc_vgic_dist_access, avc_vgic_redist_access, avc_vgic_sgi;
enum avc_status avc_vgic_sgi_attach(struct avc_vgic *vgic);
uint64_t avc_vgic_sgi_to(uint64_t mpidr);  /* ICC_SGI1R_EL1 for one vCPU, without INTID */
uint32_t avc_vgic_id_reg(uint32_t offset); /* 0xffd0 .. 0xfffc, of either frame */
#define AVC_VGIC_IIDR     0x61000000u      /* ProductID 'a', no JEP106 code */
#define GICR_WAKER_SLEEP  (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)

#define SGI_INTID(v)    ((uint32_t)AVC_FIELD(v, 27, 24)) /* ICC_SGI1R_EL1.INTID */
#define SGI_INTID_FIELD (UINT64_C(15) << 24)

/* ---- light.c ---- */
extern const union avc_fast avc_vgic_dist_fast, avc_vgic_sgi1r_fast;

/* Distributor, 0x000 .. 0x07f. GICD_STATUSR is not implemented (optional). */
static inline uint32_t avc_vgic_dist_control(const struct avc_vgic *vgic, uint32_t offset)
{
    if (offset == 0x4)
        return vgic->typer;
    if (offset == 0x0)
        return avc_load_relaxed(&vgic->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS |
               (avc_load_relaxed(&vgic->folds) ? GICD_CTLR_RWP : 0);
    return offset == 0x8 ? AVC_VGIC_IIDR : 0;
}

/*
 * self, without the lock: the virtual timer's interrupt comes again, the guest being through with the last one. It has list
 * register 0: vtimer_lr is what that was written as, while the interrupt is in_lr there, linked, and nothing is spilled;
 * else 0. Written once more. False: the long way.
 *
 * What makes it safe: list registers, lr[], lr_used and in_lr of private interrupts change on this CPU only; and whatever
 * else would make a new list register differ (enable, group, priority, GICD_CTLR) has touched the interrupt, so that it is
 * no longer in_lr, or has set fold_wanted from another CPU.
 */
static inline bool avc_vgic_vtimer_again(struct avc_vgic_cpu *self)
{
    uint64_t lr = self->vtimer_lr;

    if (!lr || avc_load_relaxed(&self->fold_wanted) || avc_hw_read_ICH_LR0_EL2() >> 62) /* LR_STATE */
        return false;
    avc_hw_write_ICH_LR0_EL2(lr);
    return true;
}

/* ---- vtimer.c ---- */
void avc_vgic_timer_load(struct avc_vgic_op *op);
void avc_vgic_timer_put(struct avc_vgic_op *op);
/* self: what software tracks of the timers' lines is looked at again. Their state is in memory, or in a list register and
   left alone. */
void avc_vgic_timer_sample(struct avc_vgic_op *op);
/* self: the link of a timer's interrupt to the physical one is given up; software tracks it from now. */
void avc_vgic_timer_unlink(struct avc_vgic_op *op, uint32_t bit);
/* The guest can no longer end the physical interrupt, or need not: done here. */
void avc_vgic_timer_deactivate(struct avc_vgic_cpu *cpu, uint32_t bit);
bool avc_vgic_timer_irq(struct avc_vcpu *vcpu, avc_irq_t irq);
enum avc_result avc_vgic_timer_taken(struct avc_vcpu *vcpu, avc_irq_t irq);
bool avc_vgic_timer_pending(struct avc_vgic_op *op, struct avc_vgic_cpu *cpu);
uint64_t avc_vgic_deadline(struct avc_vcpu *vcpu);

/* ---- vgic.c ---- */
void avc_vgic_reset_cpu(struct avc_vgic *vgic, struct avc_vgic_cpu *cpu);

#endif
