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

static uint64_t read_bytes(const uint8_t *p)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)vmm_ring_read8(p + i) << 8 * i;
    return word;
}

/* The ring's descriptors are aligned. An indirect table need not be. */
static inline struct desc read_desc(const uint8_t *p)
{
    bool aligned = (uintptr_t)p % 8 == 0;
    uint64_t addr = aligned ? vmm_ring_read64(p) : read_bytes(p);
    uint64_t word = aligned ? vmm_ring_read64(p + 8) : read_bytes(p + 8);

    return (struct desc){ addr, (uint32_t)word, (uint16_t)(word >> 32), (uint16_t)(word >> 48) };
}

/* The chain that is being put into free descriptors. */
struct chain {
    uint16_t first, at, last; /* the next one to fill; the last one that was filled */
    unsigned nr, room;        /* filled; how many it may have */
    unsigned left;            /* of the guest's descriptors: how many may still come */
    uint64_t word;            /* of the last one: bytes, and flags without a successor */
    uint64_t bytes;
    uint16_t pins, counted; /* buffers; those that count as pinned already */
    bool tells;             /* somebody is to be told of what is written */
    bool writes;            /* there was a buffer to be written */
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

/* Writes a descriptor's second word. */
static inline void fill_rest(struct vmm_shadow *q, const struct chain *c, uint64_t successor)
{
    vmm_ring_write64(q->device.desc + DESC_SIZE * c->last + 8, successor | c->word);
}

/* Writes a descriptor of the device's, but for its second word: that is written when its successor is known. */
static inline void fill(struct vmm_shadow *q, struct chain *c, const struct vmm_pin *pin, const struct vmm_piece *piece)
{
    struct vmm_slot *s = &q->slot[c->at];

    if (c->nr)
        fill_rest(q, c, (uint64_t)c->at << 48 | (uint64_t)DESC_F_NEXT << 32);
    c->word = (pin->write ? (uint64_t)DESC_F_WRITE << 32 : 0) | piece->bytes;
    vmm_ring_write64(q->device.desc + DESC_SIZE * c->at, piece->pa);
    if (c->tells)
        s->pin = *pin;
    c->last = c->at;
    c->at = s->next;
    c->nr++;
}

/* A buffer that vmm_ram_pin_block() does not pin, or for which there is no descriptor left. Rare. */
static __attribute__((noinline)) enum vmm_taken add_pieces(struct vmm_shadow *q, struct chain *c, struct vmm_pin pin)
{
    struct vmm_piece piece[VMM_RAM_PIECES];
    unsigned nr = VMM_RAM_PIECES;
    avc_ipa_t at;
    enum vmm_pinned pinned = vmm_ram_pin(q->ram, &pin, NULL, piece, &nr, &at);

    if (pinned)
        return not_pinned(q, pinned, at, VMM_SHADOW_MEMORY);
    if (nr > c->room - c->nr) {
        vmm_ram_unpin(q->ram, &(struct vmm_pin){ pin.from, pin.bytes, false });
        return c->nr + nr > q->nr_free ? VMM_NO_ROOM : VMM_TOO_BIG;
    }
    for (unsigned i = 0; i < nr; i++) {
        fill(q, c, &pin, &piece[i]);
        pin.bytes = 0; /* the pin is the first descriptor's */
    }
    c->pins++;
    c->counted++;
    return VMM_TAKEN;
}

/* A buffer: at least one descriptor of the device's for it. */
static inline enum vmm_taken add_buffer(struct vmm_shadow *q, struct chain *c, const struct desc *d)
{
    struct vmm_pin pin = { d->addr, d->len, d->flags & DESC_F_WRITE };
    struct vmm_piece piece = { 0, d->len };

    if (!d->len)
        return fault(q, VMM_SHADOW_ZERO);
    if (c->writes && !pin.write)
        return fault(q, VMM_SHADOW_ORDER);
    c->writes = pin.write;
    c->bytes += d->len;
    if (c->bytes > CHAIN_BYTES_MAX)
        return fault(q, VMM_SHADOW_LENGTH);
    if (c->nr == c->room || !vmm_ram_pin_block(q->ram, &pin, &piece.pa)) {
        struct chain copy = *c; /* whose address a call gets: `c` may stay in registers */
        enum vmm_taken taken = add_pieces(q, &copy, pin);

        *c = copy;
        return taken;
    }
    c->pins++;
    fill(q, c, &pin, &piece);
    return VMM_TAKEN;
}

/* One table for each chain, at its end, and none in a table (2.7.5.3.1). Its own WRITE flag means nothing. */
static __attribute__((noinline)) enum vmm_taken enter_table(struct vmm_shadow *q, struct vmm_pin *indirect,
                                                            const struct desc *d, struct table *t)
{
    struct vmm_pin pin = { d->addr, d->len, false };
    struct vmm_piece piece;
    unsigned nr = 1;
    enum vmm_pinned pinned;
    avc_ipa_t at;

    if (!q->indirect || indirect->bytes || d->flags & DESC_F_NEXT || !d->len || d->len % DESC_SIZE ||
        d->len / DESC_SIZE > TABLE_ENTRIES_MAX)
        return fault(q, VMM_SHADOW_INDIRECT);
    pinned = vmm_ram_pin(q->ram, &pin, NULL, &piece, &nr, &at);
    if (pinned)
        return not_pinned(q, pinned, at, VMM_SHADOW_TABLE);
    *indirect = pin;
    *t = (struct table){ (const uint8_t *)(uintptr_t)piece.pa, d->len / DESC_SIZE };
    return VMM_TAKEN;
}

/* Bounded: each step but one, which enters the table, takes one of `left`. */
static inline enum vmm_taken walk(struct vmm_shadow *q, struct chain *c, struct vmm_pin *indirect, uint32_t index)
{
    struct table t = { q->guest.desc, q->guest.mask + 1u };

    for (;;) {
        enum vmm_taken taken;
        struct desc d;

        if (index >= t.entries)
            return fault(q, VMM_SHADOW_INDEX);
        d = read_desc(t.at + DESC_SIZE * index);
        if (d.flags & DESC_F_INDIRECT) {
            struct desc to = d; /* as above */
            struct table there = t;

            taken = enter_table(q, indirect, &to, &there);
            t = there;
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

enum vmm_taken vmm_chain_take(struct vmm_shadow *q, uint16_t head, unsigned *budget)
{
    struct chain c;                            /* set member by member: an initialiser is a call of memset() */
    struct vmm_pin indirect = { 0, 0, false }; /* the table, if it has bytes */
    enum vmm_taken taken;

    if (!q->nr_free)
        return VMM_NO_ROOM;
    c.first = c.at = q->free;
    c.nr = 0;
    c.left = q->guest.mask + 1u;
    c.bytes = 0;
    c.pins = c.counted = 0;
    c.tells = q->ram->written;
    c.writes = false;
    c.room = q->nr_free < *budget ? q->nr_free : *budget;
    taken = walk(q, &c, &indirect, head);
    if (indirect.bytes)
        vmm_ram_unpin(q->ram, &indirect);
    /* With the whole ring free there will never be more room. */
    if (taken == VMM_NO_ROOM && q->nr_free == q->device.mask + 1u)
        taken = fault(q, VMM_SHADOW_PIECES);
    q->pins += (uint32_t)(c.pins - c.counted);
    if (taken != VMM_TAKEN) {
        q->unpins += c.pins; /* nothing was written */
        return taken;
    }
    fill_rest(q, &c, 0);
    q->slot[c.first].last = c.last;
    q->slot[c.first].head = head;
    q->slot[c.first].nr = (uint16_t)c.nr;
    q->slot[c.first].pins = c.pins;
    q->free = c.at;
    q->nr_free -= (uint16_t)c.nr;
    *budget -= c.nr;
    vmm_ring_write16(avail_entry(&q->device, q->given), c.first);
    q->given++;
    return VMM_TAKEN;
}

static __attribute__((noinline)) void tell(struct vmm_shadow *q, uint16_t at, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++, at = q->slot[at].next)
        if (q->slot[at].pin.bytes && q->slot[at].pin.write)
            vmm_ram_wrote(q->ram, &q->slot[at].pin);
}

void vmm_chain_release(struct vmm_shadow *q, uint16_t first)
{
    struct vmm_slot *head = &q->slot[first];

    if (q->ram->written)
        tell(q, first, head->nr);
    q->unpins += head->pins;
    q->slot[head->last].next = q->free;
    q->free = first;
    q->nr_free += head->nr;
    head->nr = 0;
}
