/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* List registers: see lr.h. */
#include "emul/vgic/lr.h"

#include "emul/vgic/timer.h"

/* ---- into a list register ---- */

/* Returns state, EOI and link of an interrupt that is active, or whose link is the physical interrupt's. */
static __attribute__((noinline)) uint64_t active_state(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n)
{
    uint32_t bit = 1u << n, active = b->active & bit;
    bool pending = (b->latch | (b->line & ~b->edge)) & b->enable & bit, elsewhere;

    b->active &= ~bit;
    /* A linked interrupt must not be pending and active. If it is also pending on its own, it loses the link. It does
       so as well if it is not active yet: when it comes again, nothing would tell that what was latched is over. */
    if (b->linked & bit && (active ? pending : b->latch & bit))
        avc_vgic_timer_unlink(self, bit);
    if (b->linked & bit)
        return ICH_LR_HW | ICH_LR_PINTID(avc_vgic_timer_phys(self, bit == avc_vgic_timer_bit(1))) |
               (active ? ICH_LR_ACTIVE : ICH_LR_PENDING);
    if (!active)
        return ICH_LR_PENDING | ICH_LR_EOI; /* the line is high */
    /* A level is looked at again at the end of interrupt. An interrupt that is pending for another vCPU, or for any,
       goes there then. If there are more interrupts than list registers, others may come first then, and NPIE would not
       say so. */
    elsewhere = !b->owner &&
                (avc_vgic_spis_of(b)->target[n] != self->index || avc_vgic_spis_of(b)->route[n] & GICD_IROUTER_IRM);
    if (!pending)
        return ICH_LR_ACTIVE;
    elsewhere |= !(avc_vgic_enabled_bits(self->vgic, b) & bit); /* its group is off: it comes back, and waits */
    return ICH_LR_ACTIVE | ((b->edge & bit) && !elsewhere && !self->spilled ? ICH_LR_PENDING : ICH_LR_EOI);
}

static inline void put(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, unsigned r, uint64_t state)
{
    uint32_t bit = 1u << n;

    if (state & ICH_LR_PENDING) {
        b->moved |= b->latch & bit;
        b->latch &= ~bit;
    }
    if (!b->owner)
        avc_vgic_spis_of(b)->holder[n] = (uint16_t)self->index;
    avc_vgic_lr_write(self, b, n, r, state | (b->base + n));
}

static __attribute__((noinline)) void put_active(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n,
                                                 unsigned r)
{
    put(self, b, n, r, active_state(self, b, n));
}

void avc_vgic_lr_put(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n, unsigned r)
{
    if (avc_unlikely((b->active | b->linked) >> n & 1))
        put_active(self, b, n, r);
    else
        put(self, b, n, r, ICH_LR_PENDING | (b->line & ~b->edge & 1u << n ? ICH_LR_EOI : 0));
}

/* ---- back into memory ---- */

/* Takes the interrupt's state from the list register. It is called if there is some state, or if another CPU has
   asked for something. */
static __attribute__((noinline)) void take_state(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t bit,
                                                 uint64_t lr)
{
    /* When an interrupt is acknowledged, its edge is over, and so is what ISPENDR made of a level (IHI 0069,
       4.1.2). A level's line is in memory. */
    if (lr & ICH_LR_PENDING)
        b->latch |= b->moved & bit & ~b->drop_pending;
    if (lr & ICH_LR_ACTIVE) {
        b->active |= bit & ~b->drop_active;
        if (lr & ICH_LR_HW && b->drop_active & bit)
            avc_vgic_timer_deactivate(self, bit);
    }
    b->drop_pending &= ~bit;
    b->drop_active &= ~bit;
}

static inline void take(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n, uint64_t lr, bool state)
{
    unsigned r = b->at[n];
    uint32_t bit = 1u << n;

    cpu->lr_used &= ~(1u << r);
    cpu->lr_look &= ~(1u << r);
    cpu->lr_pend &= ~(1u << r);
    b->in_lr &= ~bit;
    if ((lr & (ICH_LR_HW | ICH_LR_STATE)) == ICH_LR_HW)
        b->linked &= ~bit; /* the guest's end of interrupt has ended the physical one */
    if (state)
        take_state(cpu, b, bit, lr);
    b->moved &= ~bit;
    if (!b->owner) {
        struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

        if (!(b->active & bit))
            spis->holder[n] = NONE;
        if ((spis->route[n] & GICD_IROUTER_IRM) && !(lr & ICH_LR_PENDING))
            spis->target[n] = NONE; /* taken: the next one goes to the next vCPU in turn */
    }
    /* No interrupt may be in two list registers, and a register in which EOI stays keeps its maintenance interrupt
       (IHI 0069, ICH_LR<n>_EL2, ICH_EISR_EL2). A register without state and EOI has no effect. */
    if (lr & (ICH_LR_STATE | ICH_LR_EOI))
        avc_vgic_lr_set(cpu, r, 0);
}

static __attribute__((noinline)) void take_all(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n,
                                               uint64_t lr)
{
    take(cpu, b, n, lr, true);
}

void avc_vgic_lr_take(struct avc_vgic_cpu *cpu, struct avc_vgic_bank *b, unsigned n)
{
    uint64_t lr = avc_vgic_lr_read(cpu, b->at[n]);

    if (avc_unlikely(lr & ICH_LR_STATE || (b->drop_pending | b->drop_active) >> n & 1))
        take_all(cpu, b, n, lr);
    else
        take(cpu, b, n, lr, false);
}

uint32_t avc_vgic_lr_take_at(struct avc_vgic_cpu *cpu, unsigned r)
{
    uint32_t intid = ICH_LR_VINTID(cpu->lr[r]);

    avc_vgic_lr_take(cpu, avc_vgic_bank_of(cpu, intid), intid % 32);
    return intid;
}

/* ---- the rest of the interface ---- */

/* What ICH_HCR_EL2 was just written to asks for comes later: there is a pending interrupt, no end of interrupt was
   counted, and the groups are as ICH_VMCR_EL2 says. If a cause is there already, it does not follow the specification,
   and nothing that we do would make it go away: its interrupt would keep this CPU from anything else. (QEMU up to 10
   takes VGrp0D from VENG1.) */
static __attribute__((noinline)) void silence(struct avc_vgic_cpu *self)
{
    uint64_t up;

    avc_hw_isb(); /* the list registers and ICH_HCR_EL2 count */
    up = avc_hw_read_ICH_MISR_EL2() & self->hcr & ICH_HCR_CAUSES;
    if (avc_likely(!up))
        return;
    avc_count(&self->baseless);
    self->hcr &= ~up;
    avc_hw_write_ICH_HCR_EL2(self->hcr);
}

/* Returns ICH_HCR_EL2 for what did not get a list register. */
static inline uint64_t control(const struct avc_vgic_cpu *self, uint64_t vmcr, bool more_pending, bool more_active)
{
    uint64_t hcr = ICH_HCR_EN;

    if (more_pending)
        hcr |= ICH_HCR_NPIE;
    if (more_pending || self->vgic->any)
        hcr |= (vmcr & ICH_VMCR_VENG0 ? ICH_HCR_VGRP0DIE : ICH_HCR_VGRP0EIE) |
               (vmcr & ICH_VMCR_VENG1 ? ICH_HCR_VGRP1DIE : ICH_HCR_VGRP1EIE);
    if (more_active)
        hcr |= ICH_HCR_LRENPIE;
    /* Traps ICC_DIR_EL1 of an interrupt that is in no list register here: it was spilled, or is an SPI that another
       vCPU took. With EOImode 0 no guest writes it, so the trap may be on before the guest has chosen. TC would
       trap more than that. */
    if (more_active || self->vgic->vm->nr_vcpus > 1) {
        if (self->tds)
            hcr |= ICH_HCR_TDIR;
        else if (more_active || (vmcr & ICH_VMCR_VEOIM))
            hcr |= ICH_HCR_TC;
    }
    return hcr;
}

void avc_vgic_lr_control(struct avc_vgic_cpu *self, uint64_t vmcr, bool more_pending, bool more_active)
{
    uint64_t hcr = control(self, vmcr, more_pending, more_active);

    self->spilled = more_pending || more_active;
    if (hcr != self->hcr) {
        self->hcr = hcr;
        avc_hw_write_ICH_HCR_EL2(hcr);
    }
    if (avc_unlikely(hcr & ICH_HCR_CAUSES))
        silence(self);
}

void avc_vgic_lr_quiet(struct avc_vgic_cpu *self)
{
    self->spilled = true; /* fill() is to look at all */
    if (self->hcr == ICH_HCR_EN)
        return;
    self->hcr = ICH_HCR_EN;
    avc_hw_write_ICH_HCR_EL2(self->hcr);
    avc_hw_isb();
}

uint32_t avc_vgic_lr_moved(struct avc_vgic_cpu *cpu)
{
    uint64_t vtr = avc_hw_read_ICH_VTR_EL2();

    cpu->lr_all = 0xffffu >> (AVC_VGIC_MAX_LRS - ICH_VTR_LISTREGS(vtr));
    cpu->pre_bits = (uint8_t)ICH_VTR_PREBITS(vtr);
    cpu->nr_apr = (uint8_t)(cpu->pre_bits > 5 ? 1 << (cpu->pre_bits - 5) : 1);
    cpu->tds = vtr & ICH_VTR_TDS;
    return cpu->lr_used & ~cpu->lr_all;
}

void avc_vgic_lr_load(struct avc_vgic_cpu *self)
{
    /* After a reset a list register has an unknown value, so one that would have an effect is cleared. save() leaves
       none. */
    for (uint32_t bits = (uint32_t)~avc_hw_read_ICH_ELRSR_EL2() & self->lr_all; bits; bits &= bits - 1)
        avc_hw_lr_write((unsigned)__builtin_ctz(bits), 0);
    for (uint32_t bits = self->lr_used; bits; bits &= bits - 1) {
        unsigned r = (unsigned)__builtin_ctz(bits);

        if (self->lr[r] & ICH_LR_STATE)
            avc_hw_lr_write(r, self->lr[r]);
    }
    /* The guest may have cleared SRE on a CPU that lets it, and VFIQEn depends on SRE. So this comes first, and an
       ISB follows (IHI 0069, "ICC_SRE_EL1", "ICH_VMCR_EL2"). */
    avc_hw_write_ICC_SRE_EL1(ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB);
    avc_hw_isb();
    avc_hw_write_ICH_VMCR_EL2(self->vmcr);
    avc_hw_apr_write(self->ap0, self->ap1, self->nr_apr);
    self->spilled = false;
    self->hcr = control(self, self->vmcr, false, false);
    avc_hw_write_ICH_HCR_EL2(self->hcr);
    if (avc_unlikely(self->hcr & ICH_HCR_CAUSES))
        silence(self);
}

void avc_vgic_lr_save(struct avc_vgic_cpu *self)
{
    for (uint32_t bits = self->lr_used; bits; bits &= bits - 1) {
        unsigned r = (unsigned)__builtin_ctz(bits);
        uint64_t lr = avc_hw_lr_read(r);

        if (lr & (ICH_LR_STATE | ICH_LR_EOI)) /* a register without both has no effect */
            avc_hw_lr_write(r, 0);
        self->lr[r] = (self->lr[r] & ~ICH_LR_STATE) | (lr & ICH_LR_STATE);
    }
    self->vmcr = avc_hw_read_ICH_VMCR_EL2();
    avc_hw_apr_read(self->ap0, self->ap1, self->nr_apr);
    avc_hw_write_ICH_HCR_EL2(0);
    self->hcr = 0;
    self->spilled = false;
}
