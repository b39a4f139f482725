/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The virtual CPU interface: list registers.
 *
 * fold() moves the state of everything in this CPU's list registers back into memory, refill() chooses what goes in. Both
 * are for the CPU that has the vCPU loaded, so that no guest instruction changes a list register in between. Registers not
 * in lr_used hold 0, but for those in lr_dirty between fold and refill.
 *
 * No barriers here: a list register is used when the guest runs, and the exception return synchronises (IHI 0069, 8.1.6
 * "Observability of the effects of accesses to the GIC registers"; Arm ARM, "Context synchronization event").
 */
#include "emul/vgic/vgic.h"

unsigned avc_vgic_lr_of(const struct avc_vgic_cpu *cpu, uint32_t intid)
{
    for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
        unsigned n = (unsigned)__builtin_ctz(used);

        if (LR_VINTID(cpu->lr[n]) == intid)
            return n;
    }
    return AVC_VGIC_MAX_LRS; /* not reached: in_lr says it is there. Reads as 0, writes nothing */
}

/* What the guest has made of it, from the list register into memory. `lr` is its value, `was` what was written. */
static void take_back(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit, uint64_t lr, uint64_t was)
{
    struct avc_vgic_cpu *self = op->self;
    struct avc_vgic_bank *b = ref->bank;
    bool active = lr & LR_ACTIVE;

    b->in_lr &= ~bit;
    if (self->lr[0] == was)
        self->vtimer_lr = 0;
    if (b->edge & bit) {
        if ((lr & LR_PENDING) && !(b->drop_pending & bit))
            b->latch |= bit;
    } else if ((was & LR_PENDING) && !(lr & LR_PENDING)) {
        b->latch &= ~bit; /* acknowledged: what ISPENDR had made of a level is over (IHI 0069, 4.1.2) */
    }
    if (active && !(b->drop_active & bit))
        b->active |= bit;
    if (lr & LR_HW) {
        if (!(lr & LR_STATE))
            self->linked &= ~bit; /* the guest's end of interrupt has ended the physical one */
        else if (active && (b->drop_active & bit))
            avc_vgic_timer_deactivate(self, bit);
    }
    b->drop_pending &= ~bit;
    b->drop_active &= ~bit;
    if (ref->spis) {
        unsigned n = (unsigned)__builtin_ctz(bit);

        if (!(b->active & bit))
            ref->spis->holder[n] = NONE;
        if ((ref->spis->route[n] & ROUTE_IRM) && !(lr & LR_PENDING))
            ref->spis->target[n] = NONE; /* taken: the next one goes to the next in turn */
        if ((b->active | b->latch | b->line) & bit)
            op->vgic->busy |= 1u << (ref->base / 32 - 1);
    }
}

bool avc_vgic_retire(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit)
{
    struct avc_vgic_cpu *self = op->self;
    unsigned n = avc_vgic_lr_of(self, ref->base + (uint32_t)__builtin_ctz(bit));
    uint64_t lr = avc_hw_lr_read(n);

    if ((lr & LR_STATE) || self->spilled)
        return false;
    take_back(op, ref, bit, lr, self->lr[n]);
    self->lr_used &= ~(1u << n);
    if (self->lr[n] & LR_EOI) { /* or its maintenance interrupt stays (IHI 0069, ICH_EISR_EL2) */
        avc_hw_lr_write(n, 0);
        self->lr_dirty &= ~(1u << n);
    }
    self->lr[n] = 0;
    return true;
}

/* ---- ends of interrupt that found no list register ---- */

/* The active interrupt of self with the highest priority that is in no list register: NONE if there is none. */
static uint32_t highest_spilled(struct avc_vgic_op *op)
{
    uint32_t best = ~0u;

    for (uint32_t k = 0; k <= op->vgic->nr_banks; k++) {
        struct avc_vgic_ref ref = avc_vgic_ref_of(op->self, 32 * k);

        for (uint32_t bits = ref.bank->active & ~ref.bank->in_lr; bits; bits &= bits - 1) {
            unsigned n = (unsigned)__builtin_ctz(bits);
            uint32_t key = KEY(0, ref.bank->priority[n], ref.base + n);

            if ((!ref.spis || ref.spis->holder[n] == op->self->index) && key < best)
                best = key;
        }
    }
    return best == ~0u ? NONE : KEY_INTID(best);
}

static void end_spilled(struct avc_vgic_op *op)
{
    uint32_t count = HCR_EOICOUNT(avc_hw_read_ICH_HCR_EL2());

    for (; count; count--) { /* at most 31 */
        uint32_t intid = highest_spilled(op);
        struct avc_vgic_ref ref;

        if (intid == NONE)
            break;
        ref = avc_vgic_ref_of(op->self, intid);
        avc_vgic_make_inactive(op, &ref, 1u << intid % 32);
    }
    op->self->hcr = ~UINT64_C(0); /* writing it clears EOIcount */
}

void avc_vgic_fold(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    if (op->folded)
        return;
    op->folded = true;
    if (self->hcr & HCR_LRENPIE)
        end_spilled(op);
    for (; self->lr_used; self->lr_used &= self->lr_used - 1) {
        unsigned n = (unsigned)__builtin_ctz(self->lr_used);
        struct avc_vgic_ref ref = avc_vgic_ref_of(self, LR_VINTID(self->lr[n]));
        uint32_t bit = 1u << LR_VINTID(self->lr[n]) % 32;

        uint64_t lr = avc_hw_lr_read(n);

        take_back(op, &ref, bit, lr, self->lr[n]);
        self->lr[n] = lr; /* what is still in the register, for refill() */
        if (ref.spis)     /* it may be another's turn */
            avc_vgic_deliver(op, &ref, bit);
    }
    /* A timer whose active physical interrupt was to be dropped while its own was in memory here. */
    for (uint32_t bits = self->bank.drop_active & TIMER_BITS; bits; bits &= bits - 1)
        if (self->linked & bits & -bits)
            avc_vgic_timer_deactivate(self, bits & -bits);
    self->bank.drop_active = 0;
    if (self->fold_wanted) {
        self->fold_wanted = false;
        avc_store_relaxed(&op->vgic->folds, op->vgic->folds - 1);
    }
}

/* ---- filling ---- */

/* What a list register has of an interrupt's configuration. */
static inline uint64_t configured(const struct avc_vgic_bank *b, unsigned b32)
{
    return LR_PRIORITY(b->priority[b32]) | (b->group >> b32 & 1 ? LR_GROUP : 0);
}

/* A list register that was free, in memory and in the CPU. */
static inline void write_new(struct avc_vgic_cpu *self, unsigned n, uint64_t lr)
{
    self->lr[n] = lr;
    self->lr_used |= 1u << n;
    self->lr_dirty |= 1u << n;
    if (n == 0)
        self->vtimer_lr = lr & LR_HW && lr & LR_PENDING && LR_VINTID(lr) == AVC_VGIC_VTIMER_INTID ? lr : 0;
    avc_hw_lr_write(n, lr);
}

/* Moves one interrupt from memory into list register n. */
static void put_in(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, unsigned b32, unsigned n)
{
    struct avc_vgic_cpu *self = op->self;
    struct avc_vgic_bank *b = ref->bank;
    uint32_t bit = 1u << b32;
    uint64_t lr = ref->base + b32;
    bool level = !(b->edge & bit), active = b->active & bit;
    bool pending = avc_vgic_pending_bits(b) & avc_vgic_enabled_bits(op->vgic, b) & bit;

    lr |= configured(b, b32);
    /* Pending and active is not for linked ones (IHI 0069, ICH_LR<n>_EL2.State): should it also be pending on its own,
       the link is given up. */
    if (ref->owner && (self->linked & bit) && active && pending)
        avc_vgic_timer_unlink(op, bit);
    if (ref->owner && (self->linked & bit)) {
        lr |= LR_HW | LR_PINTID(self->phys[b32 == AVC_VGIC_PTIMER_INTID]) | (active ? LR_ACTIVE : LR_PENDING);
    } else if (active) {
        /* A level is looked at again at the end of interrupt; and what is pending for another vCPU goes there then. */
        bool elsewhere = ref->spis && ref->spis->target[b32] != self->index;

        lr |= LR_ACTIVE;
        if (pending && !level && !elsewhere)
            lr |= LR_PENDING;
        else if (pending)
            lr |= LR_EOI;
    } else {
        lr |= LR_PENDING | (level && (b->line & bit) ? LR_EOI : 0);
    }
    if (!level && (lr & LR_PENDING))
        b->latch &= ~bit;
    b->active &= ~bit;
    b->in_lr |= bit;
    if (ref->spis)
        ref->spis->holder[b32] = (uint16_t)self->index;
    write_new(self, n, lr);
}

/* What timer_fired() and put_in() come to when nothing else is to be looked at. */
bool avc_vgic_vtimer_first(struct avc_vgic_cpu *self)
{
    const uint32_t bit = 1u << AVC_VGIC_VTIMER_INTID;
    struct avc_vgic_bank *b = &self->bank;
    struct avc_vgic *vgic = self->vgic;
    bool simple;

    avc_lock(&vgic->lock);
    simple = self->split && !self->spilled && !(self->lr_used & 1) && (avc_vgic_enabled_bits(vgic, b) & bit) &&
             !((b->active | b->latch | b->in_lr | self->linked | self->mask_wanted) & bit);
    if (simple) {
        self->linked |= bit;
        b->in_lr |= bit;
        write_new(self, 0,
                  LR_HW | LR_PENDING | configured(b, AVC_VGIC_VTIMER_INTID) | LR_PINTID(self->phys[0]) |
                      AVC_VGIC_VTIMER_INTID);
    }
    avc_unlock(&vgic->lock);
    return simple;
}

bool avc_vgic_inject(struct avc_vgic_op *op, const struct avc_vgic_ref *ref, uint32_t bit)
{
    struct avc_vgic_cpu *self = op->self;
    uint32_t free = ~self->lr_used & ((1u << self->nr_lr) - 1);

    if (self->spilled || !free)
        return false;
    if (free & ~1u && !(ref->owner && bit == 1u << AVC_VGIC_VTIMER_INTID))
        free &= ~1u;
    put_in(op, ref, (unsigned)__builtin_ctz(bit), (unsigned)__builtin_ctz(free));
    return true;
}

void avc_vgic_refill(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint64_t vmcr = avc_hw_read_ICH_VMCR_EL2(), hcr = HCR_EN;
    uint32_t nr_active, nr_pending;
    struct avc_vgic_choice *c;

    avc_vgic_timer_sample(op);
    c = avc_vgic_choose(op->vgic, self, self->nr_lr, vmcr);
    nr_active = c->nr_active;
    if (nr_active > self->nr_lr - (c->nr_pending ? 1u : 0u))
        nr_active = self->nr_lr - (c->nr_pending ? 1u : 0u);
    nr_pending = c->nr_pending;
    if (nr_pending > self->nr_lr - nr_active)
        nr_pending = self->nr_lr - nr_active;

    for (uint32_t i = 0; i < nr_pending; i++)
        c->active[nr_active + i] = c->pending[i];
    /* No interrupt may ever be in two list registers (IHI 0069, ICH_LR<n>_EL2): out with what is to go elsewhere. */
    for (uint32_t bits = self->lr_dirty; bits; bits &= bits - 1) {
        uint32_t m = (uint32_t)__builtin_ctz(bits);

        if (m >= nr_active + nr_pending ||
            ((self->lr[m] & LR_STATE) && LR_VINTID(self->lr[m]) != KEY_INTID(c->active[m])))
            avc_hw_lr_write(m, 0);
    }
    self->lr_dirty = 0;
    for (uint32_t n = 0; n < nr_active + nr_pending; n++) {
        uint32_t intid = KEY_INTID(c->active[n]);
        struct avc_vgic_ref ref = avc_vgic_ref_of(self, intid);

        put_in(op, &ref, intid % 32, n);
    }

    if (c->nr_pending > nr_pending)
        hcr |= HCR_NPIE | (vmcr & VMCR_ENG0 ? HCR_GRP0D : HCR_GRP0E) | (vmcr & VMCR_ENG1 ? HCR_GRP1D : HCR_GRP1E);
    if (c->nr_active > nr_active)
        hcr |= HCR_LRENPIE;
    /* ICC_DIR_EL1 of one that is not in a list register here: spilled, or an SPI that another vCPU took. With EOImode 0
       nobody writes it, so that the trap may be on before the guest has chosen; TC would trap more than that. */
    if (c->nr_active > nr_active || op->vgic->vm->nr_vcpus > 1) {
        if (self->tds)
            hcr |= HCR_TDIR;
        else if (c->nr_active > nr_active || (vmcr & VMCR_EOIM))
            hcr |= HCR_TC;
    }
    self->spilled = c->nr_pending > nr_pending || c->nr_active > nr_active;
    if (self->spilled)
        self->vtimer_lr = 0;
    if (hcr != self->hcr) {
        self->hcr = hcr;
        avc_hw_write_ICH_HCR_EL2(hcr);
    }
}

/* ---- load and put ---- */

void avc_vgic_gicv_load(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;
    uint64_t vtr = avc_hw_read_ICH_VTR_EL2();

    self->nr_lr = (uint8_t)(VTR_LRS(vtr) > AVC_VGIC_MAX_LRS ? AVC_VGIC_MAX_LRS : VTR_LRS(vtr));
    self->pre_bits = (uint8_t)VTR_PREBITS(vtr);
    self->nr_apr = (uint8_t)(self->pre_bits > 5 ? 1 << (self->pre_bits - 5) : 1);
    self->tds = vtr & VTR_TDS;
    /* What a list register holds after reset is unknown; empty ones are harmless. put() leaves zeros. */
    self->lr_used = 0;
    self->lr_dirty = (uint32_t)~avc_hw_read_ICH_ELRSR_EL2() & ((1u << self->nr_lr) - 1);
    for (uint32_t bits = self->lr_dirty; bits; bits &= bits - 1)
        self->lr[__builtin_ctz(bits)] = ~UINT64_C(0);
    /* The guest may have cleared it where that is possible, and VFIQEn depends on it: first, and synchronised (IHI 0069,
       "ICC_SRE_EL1", "ICH_VMCR_EL2"). */
    avc_hw_write_ICC_SRE_EL1(7);
    avc_hw_isb();
    avc_hw_write_ICH_VMCR_EL2(self->vmcr);
    avc_hw_apr_write(self->ap0, self->ap1, self->nr_apr);
    self->hcr = ~UINT64_C(0); /* to be written */
    op->folded = true;        /* nothing to fold: end() fills */
}

void avc_vgic_gicv_put(struct avc_vgic_op *op)
{
    struct avc_vgic_cpu *self = op->self;

    avc_vgic_fold(op);
    self->vmcr = avc_hw_read_ICH_VMCR_EL2();
    avc_hw_apr_read(self->ap0, self->ap1, self->nr_apr);
    for (; self->lr_dirty; self->lr_dirty &= self->lr_dirty - 1)
        avc_hw_lr_write((unsigned)__builtin_ctz(self->lr_dirty), 0);
    avc_hw_write_ICH_HCR_EL2(0);
    self->hcr = 0;
    self->spilled = false;
    op->folded = op->refill = false; /* end() must not fill them again */
}
