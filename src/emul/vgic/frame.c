/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The distributor's frame (IHI 0069, 12.9), and the redistributors' (12.10 and 12.11): each vCPU has an RD frame and an
 * SGI frame of 64 KiB each. Any vCPU may access all of them. gicreg.def has the registers. This file finds their
 * handlers, and has the handlers of registers without a field for each interrupt.
 */
#include "emul/vgic/frame.h"

#include "core/claim/index.h"
#include "core/exit/complete.h"
#include "emul/vgic/op.h"
#include "emul/vgic/reg.h"

#define IIDR           0x61000000u /* ProductID 'a', no JEP106 code */
#define PIDR2          0x30        /* architecture revision 3 */
#define IROUTER_FIELDS (MPIDR_AFFINITY | GICD_IROUTER_IRM)

/* ---- the distributor ---- */

AVC_VGIC_READ(ctlr)
{
    const struct avc_vgic *vgic = self->vgic;

    (void)b, (void)offset, (void)size;
    return avc_load_relaxed(&vgic->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS |
           (avc_load_relaxed(&vgic->folds) ? GICD_CTLR_RWP : 0);
}

enum avc_result avc_vgic_write_ctlr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                                    uint64_t value)
{
    uint32_t ctlr = (uint32_t)value & (GICD_CTLR_ENABLEGRP0 | GICD_CTLR_ENABLEGRP1);
    struct avc_vgic_op op;

    (void)b, (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    if (ctlr != op.vgic->ctlr) {
        avc_store_relaxed(&op.vgic->ctlr, ctlr);
        avc_store_relaxed(&op.vgic->folds, op.vgic->folds + 1); /* until all are asked */
        avc_vgic_fold(&op);
        avc_vgic_work(&op, &(struct avc_vgic_work){ avc_vgic_ask_step, .left = op.vgic->max_vcpus });
    }
    avc_vgic_end(&op);
    return AVC_RESUME;
}

AVC_VGIC_READ(typer)
{
    (void)b, (void)offset, (void)size;
    return self->vgic->typer;
}

AVC_VGIC_READ(iidr)
{
    (void)self, (void)b, (void)offset, (void)size;
    return IIDR;
}

/* Component IDs as for any such component (IHI 0069, and CoreSight). */
AVC_VGIC_READ(pidr2)
{
    (void)self, (void)b, (void)offset, (void)size;
    return PIDR2;
}

AVC_VGIC_READ(cidr)
{
    (void)self, (void)b, (void)size;
    return UINT32_C(0xb105f00d) >> 2 * (offset & 0xc) & 0xff;
}

/* ---- routes: 8 bytes each, by words or whole ---- */

AVC_VGIC_READ(route)
{
    unsigned n = offset / 8 % 32;
    uint64_t route = (avc_load_relaxed(&avc_vgic_spis_of(b)->route[n]) & IROUTER_FIELDS) >> (offset & 4 ? 32 : 0);

    (void)self;
    if (avc_unlikely(!(b->valid >> n & 1))) /* 1020 to 1023 */
        return 0;
    return size == 8 ? route : (uint32_t)route;
}

/* The SPI is pending or active, or any vCPU may take it from now on. */
static __attribute__((noinline)) enum avc_result route_stirred(struct avc_vgic_cpu *self, struct avc_vgic_bank *b,
                                                               uint64_t n, uint64_t route)
{
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    struct avc_vgic_op op;

    avc_vgic_go_on(&op, self->vgic, self);
    if (route != spis->route[n]) {
        if (route & GICD_IROUTER_IRM && !op.vgic->any)
            avc_vgic_any_begins(&op);
        avc_vgic_touch(&op, b, 1u << n);
        avc_store_relaxed(&spis->route[n], route);
        spis->target[n] = NONE;
        avc_vgic_target(op.vgic, spis, (unsigned)n);
        avc_vgic_deliver(&op, b, 1u << n);
    }
    avc_vgic_end(&op);
    return AVC_RESUME;
}

enum avc_result avc_vgic_write_route(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                                     uint64_t value)
{
    uint64_t n = offset / 8 % 32;
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    struct avc_vgic *vgic = self->vgic;

    avc_lock(&vgic->lock);
    if (size == 4) /* the other half stays */
        value = offset & 4 ? value << 32 | (uint32_t)spis->route[n]
                           : (spis->route[n] & ~UINT64_C(0xffffffff)) | (uint32_t)value;
    if (avc_unlikely((b->latch | b->line | b->active | b->in_lr) >> n & 1) || /* no SPI is linked */
        avc_unlikely(value & GICD_IROUTER_IRM))
        return route_stirred(self, b, n, value);
    avc_store_relaxed(&spis->route[n], value);
    spis->target[n] = NONE; /* found when it is needed */
    avc_unlock(&vgic->lock);
    return AVC_RESUME;
}

/* ---- redistributors ---- */

AVC_VGIC_READ(redist_ctlr)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->owner->fold_wanted) ? GICR_CTLR_RWP : 0;
}

AVC_VGIC_READ(redist_typer)
{
    uint64_t typer = b->owner->typer;

    return size == 8 ? typer : (uint32_t)(typer >> (offset & 4 ? 32 : 0));
}

/* The handshake works, and only SPIs that any vCPU may take depend on it. A guest that expects firmware to have woken
   the redistributor finds all others working as well. */
AVC_VGIC_READ(waker)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->owner->waker);
}

static __attribute__((noinline)) enum avc_result woken(struct avc_vgic_cpu *self, struct avc_vgic_cpu *cpu)
{
    struct avc_vgic_op op;

    avc_vgic_go_on(&op, self->vgic, self);
    avc_vgic_taker_changed(&op, cpu, cpu->groups);
    avc_vgic_end(&op);
    return AVC_RESUME;
}

enum avc_result avc_vgic_write_waker(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                                     uint64_t value)
{
    (void)offset, (void)size;
    avc_lock(&self->vgic->lock);
    avc_store_relaxed(&b->owner->waker, value & GICR_WAKER_SLEEP ? GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP : 0);
    if (avc_unlikely(self->vgic->any))
        return woken(self, b->owner);
    avc_unlock(&self->vgic->lock);
    return AVC_RESUME;
}

/* ---- find a handler ---- */

/* Handle an offset that has no register, and the direction that a register does not have. */
AVC_VGIC_READ(zero)
{
    (void)self, (void)b, (void)offset, (void)size;
    return 0;
}

enum avc_result avc_vgic_write_ignored(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                       unsigned size, uint64_t value)
{
    (void)self, (void)b, (void)offset, (void)size, (void)value;
    return AVC_RESUME;
}

/* The index of a register. In the first 4 KiB, and in the last 128 bytes, each word has a cell. In between, 2 KiB have
   one. The last 32 words have bit 5 set of their number, which keeps them apart. */
#define CELLS (1024 + 32 + 32)
#define CELL(offset)                                                                                                   \
    ((offset) < 0x1000 ? (offset) >> 2 : 1024 | ((offset) >= 0xff80 ? (offset) >> 2 & 63 : (offset) >> 11))

struct gic_reg {
    avc_vgic_load_fn *load;
    avc_vgic_read_fn *read;
    avc_vgic_write_fn *write;
    uint8_t widths; /* sizes that reach it, or'ed */
    uint8_t shift;  /* bits shift + 4..shift of the offset choose a bank of 32 interrupts; 0: no field for each */
} __attribute__((aligned(32))); /* a power of two */

/* Row 0 is for offsets that have no register. */
enum {
    NOTHING,
#define GIC_REG(frame, name, offset, bytes, bits, widths, access) ROW_##name,
#include "emul/vgic/gicreg.def"
#undef GIC_REG
};

#define B                  1
#define W                  4
#define D                  8
#define RW(r, w)           avc_vgic_load_##r, avc_vgic_read_##r, avc_vgic_write_##w
#define RO(r)              RW(r, ignored)
#define LAST(first, bytes) ((first) + (bytes)-1)
#define SHIFT(bits)        ((bits) == 1 ? 2 : (bits) == 2 ? 3 : (bits) == 8 ? 5 : (bits) == 64 ? 8 : 0)

#define IN(name, offset, bytes)     [CELL(offset)... CELL(LAST(offset, bytes))] = ROW_##name,
#define IN_SGI(name, offset, bytes) [CELLS + CELL(offset)... CELLS + CELL(LAST(offset, bytes))] = ROW_##name,
#define OUT(name, offset, bytes)

static const struct {
    struct gic_reg regs[ROW_GICR_ICFGR + 1];
    uint8_t dist[CELLS], redist[2 * CELLS]; /* the RD frame's, and the SGI frame's */
} map = {
    .regs = {
        { RW(zero, ignored), B | W | D, 0 },
#define GIC_REG(frame, name, offset, bytes, bits, widths, access) { access, widths, SHIFT(bits) },
#include "emul/vgic/gicreg.def"
#undef GIC_REG
    },
#define GIC_REG(frame, name, offset, bytes, bits, widths, access) frame(name, offset, bytes)
#define DIST                                                      IN
#define RD                                                        OUT
#define SGI                                                       OUT
    .dist = {
#include "emul/vgic/gicreg.def"
    },
#undef DIST
#undef RD
#undef SGI
#define DIST OUT
#define RD   IN
#define SGI  IN_SGI
    .redist = {
#include "emul/vgic/gicreg.def"
    },
#undef GIC_REG
};

/* Returns the register of this cell, if an access of this size reaches it. */
static inline const struct gic_reg *find(uint32_t row, uint32_t offset, unsigned size)
{
    if (offset & (size - 1) || (size != 4 && !(map.regs[row].widths & size))) /* all take words */
        row = NOTHING;
    return &map.regs[row];
}

/* The same in the distributor. Sets *b to the bank of the register's interrupts. */
static inline const struct gic_reg *find_dist(const struct avc_vgic *vgic, struct avc_vgic_bank **b, uint32_t offset,
                                              unsigned size)
{
    const struct gic_reg *reg = find(map.dist[CELL(offset)], offset, size);
    uint32_t k;

    *b = NULL;
    if (!reg->shift)
        return reg;
    k = offset >> reg->shift & 31;
    if (avc_unlikely(k - 1 >= vgic->nr_banks))
        return &map.regs[NOTHING];
    *b = avc_vgic_spi_bank(vgic, k);
    return reg;
}

/* The same in the frames of a redistributor. */
static inline const struct gic_reg *find_redist(uint64_t at, unsigned size)
{
    uint32_t offset = at & 0xffff;

    return find(map.redist[(at & AVC_VGIC_REDIST_SIZE / 2 ? CELLS : 0) + CELL(offset)], offset, size);
}

/* ---- trapped loads and stores ---- */

/* Handles a store of a guest that steps, or that is in AArch32. */
static __attribute__((noinline)) enum avc_result
store_odd(struct avc_vcpu *vcpu, uint64_t esr, const struct gic_reg *reg, struct avc_vgic_bank *b, uint32_t offset)
{
    reg->write(avc_vgic_cpu_of(vcpu), b, offset, 1u << ISS_SAS(esr), avc_mmio_stored(vcpu, esr));
    return avc_complete_store(esr);
}

static inline __attribute__((always_inline)) enum avc_result handle(struct avc_vcpu *vcpu, uint64_t esr,
                                                                    const struct gic_reg *reg, struct avc_vgic_bank *b,
                                                                    uint32_t offset, unsigned size)
{
    uint64_t value;

    if (!(esr & ISS_WNR))
        return AVC_LAST(reg->load, vcpu, esr, b, offset);
    if (avc_unlikely(!avc_complete_store_of(vcpu, esr, size, &value)))
        return store_odd(vcpu, esr, reg, b, offset);
    return AVC_LAST(reg->write, avc_vgic_cpu_of(vcpu), b, offset, size, value);
}

static inline __attribute__((always_inline)) enum avc_result dist_size(struct avc_vcpu *vcpu, uint64_t esr,
                                                                       uint32_t offset, unsigned size)
{
    struct avc_vgic_bank *b;
    const struct gic_reg *reg = find_dist(avc_vgic_of(vcpu), &b, offset, size);

    return handle(vcpu, esr, reg, b, offset, size);
}

static inline __attribute__((always_inline)) enum avc_result redist_size(struct avc_vcpu *vcpu, uint64_t esr,
                                                                         uint64_t at, unsigned size)
{
    const struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint64_t n = at / AVC_VGIC_REDIST_SIZE;

    if (avc_unlikely(n >= vgic->nr_vcpus)) /* the place is for a vCPU that was not made */
        return AVC_SLOW;
    return handle(vcpu, esr, find_redist(at, size), &vgic->cpus[n].bank, at & 0xffff, size);
}

/* Accesses of other sizes than a word. Each size has code of its own. */
static __attribute__((noinline)) enum avc_result dist_other(struct avc_vcpu *vcpu, uint64_t esr, uint32_t offset)
{
    if (ISS_SAS(esr) == 3)
        return dist_size(vcpu, esr, offset, 8);
    return ISS_SAS(esr) == 0 ? dist_size(vcpu, esr, offset, 1) : dist_size(vcpu, esr, offset, 2);
}

static __attribute__((noinline)) enum avc_result redist_other(struct avc_vcpu *vcpu, uint64_t esr, uint64_t at)
{
    if (ISS_SAS(esr) == 0)
        return redist_size(vcpu, esr, at, 1);
    return ISS_SAS(esr) == 1 ? redist_size(vcpu, esr, at, 2) : redist_size(vcpu, esr, at, 8);
}

static enum avc_result dist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    uint32_t offset = (uint32_t)avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) & (AVC_VGIC_DIST_SIZE - 1);

    return avc_likely((esr & ISS_SAS_MASK) == ISS_SAS_WORD) ? dist_size(vcpu, esr, offset, 4)
                                                            : dist_other(vcpu, esr, offset);
}

static enum avc_result redist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    uint64_t at = avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) - avc_vgic_of(vcpu)->redist_base;

    return avc_likely((esr & ISS_SAS_MASK) == ISS_SAS_WORD) ? redist_size(vcpu, esr, at, 4)
                                                            : redist_other(vcpu, esr, at);
}

const union avc_fast avc_vgic_dist_fast = { .mmio = dist }, avc_vgic_redist_fast = { .mmio = redist };

/* ---- accesses as events ---- */

static enum avc_answer access(struct avc_vcpu *vcpu, struct avc_exit *e, const struct gic_reg *reg,
                              struct avc_vgic_bank *b, uint64_t offset)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    uint64_t value;

    if (avc_unlikely(self->work.left)) /* of another part of the same instruction */
        avc_vgic_finish(self);
    if (e->write) {
        reg->write(self, b, (uint32_t)offset, e->size, e->value);
        return AVC_DONE;
    }
    value = reg->read(self, b, (uint32_t)offset, e->size);
    return value == AVC_VGIC_RETRY ? AVC_RETRY : avc_done(e, value);
}

enum avc_answer avc_vgic_dist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    uint32_t offset = (uint32_t)e->key & (AVC_VGIC_DIST_SIZE - 1);
    struct avc_vgic_bank *b;
    const struct gic_reg *reg = find_dist(avc_vgic_of(vcpu), &b, offset, e->size);

    (void)ctx;
    return access(vcpu, e, reg, b, offset);
}

enum avc_answer avc_vgic_redist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint64_t at = e->key - vgic->redist_base;
    uint64_t n = at / AVC_VGIC_REDIST_SIZE;

    (void)ctx;
    if (n >= vgic->nr_vcpus)
        return AVC_PASS;
    return access(vcpu, e, find_redist(at, e->size), &vgic->cpus[n].bank, at & 0xffff);
}
