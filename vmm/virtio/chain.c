/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * One chain of descriptors of the guest's, checked, translated, and put into the device's ring. The guest may change
 * its descriptors at any moment. So each is read once, into a copy, and never again after it was checked.
 *
 * The chain is put into descriptors that are free. They become the device's when the chain is whole: until then nothing
 * has to be undone but pins.
 */
#include "virtio/chain.h"

#define CHAIN_BYTES_MAX   (UINT64_C(1) << 32) /* virtio 1.2, 2.7.5 */
#define TABLE_ENTRIES_MAX 65536u              /* more have no index */

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

/* A table of descriptors: the ring's, or an indirect one. */
struct table {
    const uint8_t *at;
    uint32_t entries;
};

/* The ring's descriptors are aligned. An indirect table need not be. */
static struct desc read_desc(const uint8_t *p)
{
    uint64_t word[2] = { 0, 0 };

    if ((uintptr_t)p % 8 == 0) {
        word[0] = vmm_ring_read64(p);
        word[1] = vmm_ring_read64(p + 8);
    } else {
        for (unsigned i = 0; i < DESC_SIZE; i++)
            word[i / 8] |= (uint64_t)vmm_ring_read8(p + i) << 8 * (i % 8);
    }
    return (struct desc){ word[0], (uint32_t)word[1], (uint16_t)(word[1] >> 32), (uint16_t)(word[1] >> 48) };
}

/* The chain that is being put into free descriptors. */
struct chain {
    uint16_t first, at, last; /* the next one to fill; the last one that was filled */
    unsigned nr, room;        /* filled; how many it may have */
    unsigned left;            /* of the guest's descriptors: how many may still come */
    uint64_t word;            /* of the last one: bytes, and flags without a successor */
    uint64_t bytes;
    bool writes;             /* there was a buffer to be written */
    struct vmm_pin indirect; /* the table, if it has bytes */
};

static enum vmm_taken fault(struct vmm_shadow *q, enum vmm_shadow_fault what)
{
    vmm_shadow_break(q, what);
    return VMM_BROKEN;
}

/* Says why a pin failed: outside is `outside`, and too many pieces is `scattered`. */
static enum vmm_taken not_pinned(struct vmm_shadow *q, enum vmm_pinned why, avc_ipa_t at, enum vmm_shadow_fault outside)
{
    if (why != VMM_PIN_ABSENT)
        return fault(q, outside);
    q->absent = at;
    return VMM_ABSENT;
}

/* Writes a descriptor of the device's. That it has a successor is added when there is one. */
static void fill(struct vmm_shadow *q, struct chain *c, const struct vmm_piece *piece, uint64_t flags)
{
    uint8_t *p = q->device.desc + DESC_SIZE * c->at;

    if (c->nr)
        vmm_ring_write64(q->device.desc + DESC_SIZE * c->last + 8,
                         (uint64_t)c->at << 48 | (uint64_t)DESC_F_NEXT << 32 | c->word);
    c->word = flags << 32 | piece->bytes;
    vmm_ring_write64(p, piece->pa);
    vmm_ring_write64(p + 8, c->word);
    c->last = c->at;
    c->at = q->slot[c->at].next;
    c->nr++;
}

/* A buffer: at least one descriptor of the device's for it. The pin belongs to the first. */
static enum vmm_taken add_buffer(struct vmm_shadow *q, struct chain *c, const struct desc *d)
{
    struct vmm_pin pin = { d->addr, d->len, d->flags & DESC_F_WRITE };
    struct vmm_piece piece[VMM_RAM_PIECES];
    unsigned nr = VMM_RAM_PIECES;
    enum vmm_pinned pinned;
    avc_ipa_t at;

    if (!d->len)
        return fault(q, VMM_SHADOW_ZERO);
    if (c->writes && !pin.write)
        return fault(q, VMM_SHADOW_ORDER);
    c->writes = pin.write;
    c->bytes += d->len;
    if (c->bytes > CHAIN_BYTES_MAX)
        return fault(q, VMM_SHADOW_LENGTH);
    pinned = vmm_ram_pin(q->ram, &pin, NULL, piece, &nr, &at);
    if (pinned)
        return not_pinned(q, pinned, at, VMM_SHADOW_MEMORY);
    if (nr > c->room - c->nr) {
        vmm_ram_unpin(q->ram, &(struct vmm_pin){ pin.from, pin.bytes, false });
        return c->nr + nr > q->nr_free ? VMM_NO_ROOM : VMM_TOO_BIG;
    }
    for (unsigned i = 0; i < nr; i++) {
        q->slot[c->at].pin = pin;
        pin.bytes = 0;
        fill(q, c, &piece[i], pin.write ? DESC_F_WRITE : 0);
    }
    return VMM_TAKEN;
}

/* One table for each chain, at its end, and none in a table (2.7.5.3.1). Its own WRITE flag means nothing. */
static enum vmm_taken enter_table(struct vmm_shadow *q, struct chain *c, const struct desc *d, struct table *t)
{
    struct vmm_pin pin = { d->addr, d->len, false };
    struct vmm_piece piece;
    unsigned nr = 1;
    enum vmm_pinned pinned;
    avc_ipa_t at;

    if (!q->indirect || c->indirect.bytes || d->flags & DESC_F_NEXT || !d->len || d->len % DESC_SIZE ||
        d->len / DESC_SIZE > TABLE_ENTRIES_MAX)
        return fault(q, VMM_SHADOW_INDIRECT);
    pinned = vmm_ram_pin(q->ram, &pin, NULL, &piece, &nr, &at);
    if (pinned)
        return not_pinned(q, pinned, at, VMM_SHADOW_TABLE);
    c->indirect = pin;
    *t = (struct table){ (const uint8_t *)(uintptr_t)piece.pa, d->len / DESC_SIZE };
    return VMM_TAKEN;
}

/* Bounded: each step but one, which enters the table, takes one of `left`. */
static enum vmm_taken walk(struct vmm_shadow *q, struct chain *c, uint32_t index)
{
    struct table t = { q->guest.desc, q->guest.mask + 1u };

    for (;;) {
        enum vmm_taken taken;
        struct desc d;

        if (index >= t.entries)
            return fault(q, VMM_SHADOW_INDEX);
        d = read_desc(t.at + DESC_SIZE * index);
        if (d.flags & DESC_F_INDIRECT) {
            taken = enter_table(q, c, &d, &t);
            index = 0;
        } else if (!c->left--) {
            return fault(q, VMM_SHADOW_CHAIN);
        } else {
            taken = add_buffer(q, c, &d);
            if (taken == VMM_TAKEN && !(d.flags & DESC_F_NEXT))
                return VMM_TAKEN;
            index = d.next;
        }
        if (taken != VMM_TAKEN)
            return taken;
    }
}

/* Nothing was written: the chain is not the device's. */
static void undo(struct vmm_shadow *q, const struct chain *c)
{
    uint16_t at = c->first;

    for (unsigned i = 0; i < c->nr; i++, at = q->slot[at].next) {
        struct vmm_pin pin = q->slot[at].pin;

        pin.write = false;
        if (pin.bytes)
            vmm_ram_unpin(q->ram, &pin);
    }
}

enum vmm_taken vmm_chain_take(struct vmm_shadow *q, uint16_t head, unsigned *budget)
{
    struct chain c = { .first = q->free, .at = q->free, .left = q->guest.mask + 1u };
    enum vmm_taken taken;

    if (!q->nr_free)
        return VMM_NO_ROOM;
    c.room = q->nr_free < *budget ? q->nr_free : *budget;
    taken = walk(q, &c, head);
    if (c.indirect.bytes)
        vmm_ram_unpin(q->ram, &c.indirect);
    /* With the whole ring free there will never be more room. */
    if (taken == VMM_NO_ROOM && q->nr_free == q->device.mask + 1u)
        taken = fault(q, VMM_SHADOW_PIECES);
    if (taken != VMM_TAKEN) {
        undo(q, &c);
        return taken;
    }
    q->slot[c.first].last = c.last;
    q->slot[c.first].head = head;
    q->slot[c.first].nr = (uint16_t)c.nr;
    q->free = c.at;
    q->nr_free -= (uint16_t)c.nr;
    *budget -= c.nr;
    vmm_ring_write16(avail_entry(&q->device, q->given), c.first);
    q->given++;
    return VMM_TAKEN;
}

void vmm_chain_release(struct vmm_shadow *q, uint16_t first)
{
    struct vmm_slot *head = &q->slot[first];
    uint16_t at = first;

    for (unsigned i = 0; i < head->nr; i++, at = q->slot[at].next)
        if (q->slot[at].pin.bytes)
            vmm_ram_unpin(q->ram, &q->slot[at].pin);
    q->slot[head->last].next = q->free;
    q->free = first;
    q->nr_free += head->nr;
    head->nr = 0;
}
