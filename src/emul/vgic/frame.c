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

uint64_t avc_vgic_read_ctlr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    const struct avc_vgic *vgic = self->vgic;

    (void)b, (void)offset, (void)size;
    return avc_load_relaxed(&vgic->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS |
           (avc_load_relaxed(&vgic->folds) ? GICD_CTLR_RWP : 0);
}

void avc_vgic_write_ctlr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                         uint64_t value)
{
    uint32_t ctlr = (uint32_t)value & (GICD_CTLR_ENABLEGRP0 | GICD_CTLR_ENABLEGRP1);
    struct avc_vgic_op op;

    (void)b, (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    if (ctlr != op.vgic->ctlr) {
        avc_vgic_kick_all(&op);
        avc_store_relaxed(&op.vgic->ctlr, ctlr);
    }
    avc_vgic_end(&op);
}

uint64_t avc_vgic_read_typer(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)b, (void)offset, (void)size;
    return self->vgic->typer;
}

uint64_t avc_vgic_read_iidr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)b, (void)offset, (void)size;
    return IIDR;
}

/* Component IDs as for any such component (IHI 0069, and CoreSight). */
uint64_t avc_vgic_read_pidr2(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)b, (void)offset, (void)size;
    return PIDR2;
}

uint64_t avc_vgic_read_cidr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)b, (void)size;
    return UINT32_C(0xb105f00d) >> 2 * (offset & 0xc) & 0xff;
}

/* ---- routes: 8 bytes each, by words or whole ---- */

uint16_t avc_vgic_route_target(const struct avc_vgic *vgic, uint64_t route)
{
    return route & GICD_IROUTER_IRM ? NONE /* chosen when the interrupt is pending */
                                    : avc_vgic_cpu_named(vgic, avc_vgic_name(route));
}

uint64_t avc_vgic_read_route(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    uint64_t route = avc_load_relaxed(&avc_vgic_spis_of(b)->route[offset / 8 % 32]) >> (offset & 4 ? 32 : 0);

    (void)self;
    return size == 8 ? route : (uint32_t)route;
}

static __attribute__((noinline)) void route_stirred(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, unsigned n,
                                                    uint64_t route)
{
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);
    struct avc_vgic_op op;

    avc_vgic_go_on(&op, self->vgic, self);
    if (route & GICD_IROUTER_IRM && !op.vgic->any)
        avc_vgic_any_begins(&op);
    avc_vgic_touch(&op, b, 1u << n);
    avc_store_relaxed(&spis->route[n], route);
    spis->target[n] = avc_vgic_route_target(op.vgic, route);
    avc_vgic_deliver(&op, b, 1u << n);
    avc_vgic_end(&op);
}

void avc_vgic_write_route(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                          uint64_t value)
{
    unsigned n = offset / 8 % 32, shift = offset & 4 ? 32 : 0;
    uint64_t mask = (size == 8 ? ~UINT64_C(0) : UINT64_C(0xffffffff) << shift) & IROUTER_FIELDS, route;
    struct avc_vgic_spis *spis = avc_vgic_spis_of(b);

    if (avc_unlikely(!(b->valid >> n & 1)))
        return;
    avc_lock(&self->vgic->lock);
    route = (spis->route[n] & ~mask) | (value << shift & mask);
    if (avc_unlikely((avc_vgic_stirred_bits(b) >> n & 1) || route & GICD_IROUTER_IRM) && route != spis->route[n]) {
        route_stirred(self, b, n, route);
        return;
    }
    if (route != spis->route[n]) {
        avc_store_relaxed(&spis->route[n], route);
        spis->target[n] = avc_vgic_route_target(self->vgic, route);
    }
    avc_unlock(&self->vgic->lock);
}

/* ---- redistributors ---- */

uint64_t avc_vgic_read_redist_ctlr(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->owner->fold_wanted) ? GICR_CTLR_RWP : 0;
}

uint64_t avc_vgic_read_redist_typer(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    const struct avc_vgic_cpu *cpu = b->owner;
    uint64_t mpidr = cpu->vcpu->mpidr, affinity = AVC_FIELD(mpidr, 39, 32) << 24 | (mpidr & 0xffffff), typer;

    typer = GICR_TYPER_AFFINITY(affinity) | GICR_TYPER_NUMBER(cpu->index) |
            (cpu->index == self->vgic->vm->nr_vcpus - 1 ? GICR_TYPER_LAST : 0);
    return size == 8 ? typer : (uint32_t)(typer >> (offset & 4 ? 32 : 0));
}

/* The handshake works, and only SPIs that any vCPU may take depend on it. A guest that expects firmware to have woken
   the redistributor finds all others working as well. */
uint64_t avc_vgic_read_waker(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)offset, (void)size;
    return avc_load_relaxed(&b->owner->waker);
}

void avc_vgic_write_waker(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                          uint64_t value)
{
    struct avc_vgic_op op;

    (void)offset, (void)size;
    avc_vgic_begin(&op, self->vgic, self);
    avc_store_relaxed(&b->owner->waker, value & GICR_WAKER_SLEEP ? GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP : 0);
    avc_vgic_taker_changed(&op, b->owner, b->owner->groups);
    avc_vgic_end(&op);
}

/* ---- find a handler ---- */

/* Handles an offset that has no register. */
static uint64_t read_zero(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)
{
    (void)self, (void)b, (void)offset, (void)size;
    return 0;
}

static void write_ignored(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                          uint64_t value)
{
    (void)self, (void)b, (void)offset, (void)size, (void)value;
}

/* The index of a register. In the first and last 128 bytes each word has a cell. Up to 4 KiB, one name has all of
   128 bytes, and these have a cell. Above, 2 KiB have a cell. */
#define CELLS 128
#define CELL(offset)                                                                                                   \
    ((offset) < 0x80      ? (offset) >> 2                                                                              \
     : (offset) < 0x1000  ? 32 + ((offset) >> 7)                                                                       \
     : (offset) >= 0xff80 ? 64 + ((offset) >> 2 & 31)                                                                  \
                          : 96 + ((offset) >> 11))

struct gic_reg {
    uint16_t zero;  /* bits of the offset that are 0 in the register's part of its cell */
    uint8_t widths; /* sizes that reach it, or'ed */
    uint8_t shift;  /* bits shift + 4..shift of the offset choose a bank of 32 interrupts; 0: no field for each */
    avc_vgic_read_fn *read;
    avc_vgic_write_fn *write;
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
#define RO(r)              avc_vgic_read_##r, write_ignored
#define WO(w)              read_zero, avc_vgic_write_##w
#define RW(r, w)           avc_vgic_read_##r, avc_vgic_write_##w
#define LAST(first, bytes) ((first) + (bytes)-1)
#define ZERO(first, bytes) ((first) >= 0x80 && (first) < 0x1000 ? 0x7f & ~((bytes)-1) : 0)
#define SHIFT(bits)        ((bits) == 1 ? 2 : (bits) == 2 ? 3 : (bits) == 8 ? 5 : (bits) == 64 ? 8 : 0)

#define IN(name, offset, bytes) [CELL(offset)... CELL(LAST(offset, bytes))] = ROW_##name,
#define OUT(name, offset, bytes)

static const struct {
    struct gic_reg regs[ROW_GICR_ICFGR + 1];
    uint8_t dist[CELLS], rd[CELLS], sgi[CELLS];
} map = {
    .regs = {
        { 0, 0, 0, read_zero, write_ignored },
#define GIC_REG(frame, name, offset, bytes, bits, widths, access) { ZERO(offset, bytes), widths, SHIFT(bits), access },
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
#define DIST OUT
#define RD   IN
    .rd = {
#include "emul/vgic/gicreg.def"
    },
#undef RD
#undef SGI
#define RD  OUT
#define SGI IN
    .sgi = {
#include "emul/vgic/gicreg.def"
    },
#undef GIC_REG
};

/* Finds the register at this offset, which is a word's. Sets *b to the bank of its interrupts. Before, *b is the
   bank of the redistributor's vCPU, or NULL in the distributor. */
static inline const struct gic_reg *find_word(const struct avc_vgic *vgic, const uint8_t cells[CELLS],
                                              struct avc_vgic_bank **b, uint32_t offset)
{
    size_t row = cells[CELL(offset)];
    const struct gic_reg *reg = &map.regs[row];
    uint32_t k;

    if (*b && avc_unlikely(offset & reg->zero)) /* the distributor's registers fill their cells */
        return &map.regs[NOTHING];
    if (*b || !reg->shift)
        return reg;
    k = offset >> reg->shift & 31;
    if (avc_unlikely(k - 1 >= vgic->nr_banks))
        return &map.regs[NOTHING];
    *b = avc_vgic_spi_bank(vgic, k);
    return reg;
}

/* Handles an access as an event, and any access that is not a word. */
static enum avc_answer access(struct avc_vgic_cpu *self, const uint8_t cells[CELLS], struct avc_vgic_bank *b,
                              uint32_t offset, unsigned size, bool write, uint64_t *value)
{
    const struct gic_reg *reg = find_word(self->vgic, cells, &b, offset & ~3u);

    if (offset & (size - 1) || !(reg->widths & size))
        reg = &map.regs[NOTHING];
    if (write)
        reg->write(self, b, offset, size, *value);
    else
        *value = reg->read(self, b, offset, size);
    return *value == AVC_VGIC_RETRY && !write ? AVC_RETRY : AVC_DONE;
}

/* Handle a trapped load, and a store. All registers can be accessed by words. */
static __attribute__((noinline)) enum avc_result
load_odd(struct avc_vcpu *vcpu, uint64_t esr, const uint8_t cells[CELLS], struct avc_vgic_bank *b, uint32_t offset)
{
    uint64_t value;

    if (access(avc_vgic_cpu_of(vcpu), cells, b, offset, 1u << ISS_SAS(esr), false, &value) == AVC_RETRY)
        return AVC_RESUME;
    return avc_complete_load(vcpu, esr, value);
}

static inline enum avc_result load(struct avc_vcpu *vcpu, uint64_t esr, const uint8_t cells[CELLS],
                                   struct avc_vgic_bank *b, uint32_t offset)
{
    struct avc_vgic_cpu *self = avc_vgic_cpu_of(vcpu);
    const struct gic_reg *reg;
    uint64_t value;

    if (avc_unlikely(!avc_mmio_is_word(esr)) || avc_unlikely(offset & 3))
        return load_odd(vcpu, esr, cells, b, offset);
    reg = find_word(self->vgic, cells, &b, offset);
    value = reg->read(self, b, offset, 4);
    return avc_unlikely(value == AVC_VGIC_RETRY) ? AVC_RESUME : avc_complete_load(vcpu, esr, value);
}

static __attribute__((noinline)) enum avc_result
store_odd(struct avc_vcpu *vcpu, uint64_t esr, const uint8_t cells[CELLS], struct avc_vgic_bank *b, uint32_t offset)
{
    uint64_t value = avc_mmio_stored(vcpu, esr);

    (void)access(avc_vgic_cpu_of(vcpu), cells, b, offset, 1u << ISS_SAS(esr), true, &value);
    return avc_complete_store(esr);
}

static inline enum avc_result store(struct avc_vcpu *vcpu, uint64_t esr, const uint8_t cells[CELLS],
                                    struct avc_vgic_bank *b, uint32_t offset)
{
    struct avc_vgic_cpu *self;
    const struct gic_reg *reg;
    uint64_t value;

    if (avc_unlikely(!avc_mmio_is_word(esr)) || avc_unlikely(offset & 3))
        return store_odd(vcpu, esr, cells, b, offset);
    value = avc_mmio_stored(vcpu, esr);
    self = avc_vgic_cpu_of(vcpu);
    reg = find_word(self->vgic, cells, &b, offset);
    reg->write(self, b, offset, 4, value);
    return avc_complete_store(esr);
}

/* ---- claims ---- */

static enum avc_answer answer(struct avc_vcpu *vcpu, struct avc_exit *e, const uint8_t cells[CELLS],
                              struct avc_vgic_bank *b, uint32_t offset)
{
    uint64_t value = e->value;
    enum avc_answer answer = access(avc_vgic_cpu_of(vcpu), cells, b, offset, e->size, e->write, &value);

    return answer == AVC_DONE ? avc_done(e, value) : answer;
}

static inline uint32_t dist_offset(const struct avc_mmio_entry *entry)
{
    return (uint32_t)avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) & (AVC_VGIC_DIST_SIZE - 1);
}

static __attribute__((noinline)) enum avc_result dist_store(struct avc_vcpu *vcpu, uint64_t esr,
                                                            const struct avc_mmio_entry *entry)
{
    return store(vcpu, esr, map.dist, NULL, dist_offset(entry));
}

static enum avc_result dist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    if (esr & ISS_WNR)
        return dist_store(vcpu, esr, entry);
    return load(vcpu, esr, map.dist, NULL, dist_offset(entry));
}

enum avc_answer avc_vgic_dist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    (void)ctx;
    return answer(vcpu, e, map.dist, NULL, (uint32_t)e->key & (AVC_VGIC_DIST_SIZE - 1));
}

/* Returns the redistributor at this place in their claim. NULL: the place is for a vCPU that was not made. */
static inline struct avc_vgic_cpu *redist_of(const struct avc_vgic *vgic, uint64_t at)
{
    uint64_t index = at / AVC_VGIC_REDIST_SIZE;

    return index < vgic->vm->nr_vcpus ? &vgic->cpus[index] : NULL;
}

/* Returns the cells of the RD frame or of the SGI frame. */
static inline const uint8_t *redist_cells(uint64_t at)
{
    return at & (AVC_VGIC_REDIST_SIZE / 2) ? map.sgi : map.rd;
}

static __attribute__((noinline)) enum avc_result redist_store(struct avc_vcpu *vcpu, uint64_t esr,
                                                              const struct avc_mmio_entry *entry)
{
    const struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint64_t at = avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) - vgic->redist_base;
    struct avc_vgic_cpu *cpu = redist_of(vgic, at);

    return avc_likely(cpu) ? store(vcpu, esr, redist_cells(at), &cpu->bank, at & 0xffff) : AVC_SLOW;
}

static enum avc_result redist(struct avc_vcpu *vcpu, uint64_t esr, const struct avc_mmio_entry *entry)
{
    const struct avc_vgic *vgic = avc_vgic_of(vcpu);
    struct avc_vgic_cpu *cpu;
    uint64_t at;

    if (esr & ISS_WNR)
        return redist_store(vcpu, esr, entry);
    at = avc_mmio_ipa(entry, avc_hw_read_FAR_EL2()) - vgic->redist_base;
    cpu = redist_of(vgic, at);
    return avc_likely(cpu) ? load(vcpu, esr, redist_cells(at), &cpu->bank, at & 0xffff) : AVC_SLOW;
}

enum avc_answer avc_vgic_redist_access(struct avc_vcpu *vcpu, struct avc_exit *e, void *ctx)
{
    const struct avc_vgic *vgic = avc_vgic_of(vcpu);
    uint64_t at = e->key - vgic->redist_base;
    struct avc_vgic_cpu *cpu = redist_of(vgic, at);

    (void)ctx;
    return cpu ? answer(vcpu, e, redist_cells(at), &cpu->bank, at & 0xffff) : AVC_PASS;
}

const union avc_fast avc_vgic_dist_fast = { .mmio = dist }, avc_vgic_redist_fast = { .mmio = redist };
