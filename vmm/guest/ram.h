/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's memory: one range of its addresses, in as few pieces of the host's memory as possible. The host's memory
 * is taken at once, so a guest never finds less than it was told of. Each 2 MiB are cleared and mapped when they are
 * first touched, so a start does not wait for memory that nobody uses.
 */
#ifndef VMM_GUEST_RAM_H
#define VMM_GUEST_RAM_H

#include <avc/avc.h>
#include <avc/stage2.h>

#include "kern/lock.h"

#define VMM_RAM_PIECES 64
#define VMM_RAM_BLOCK  (UINT64_C(2) << 20)
#define VMM_RAM_MAX    (UINT64_C(512) << 30) /* bytes; bounded by the bits below, and by 40 bits of IPA */

struct vmm_ram {
    avc_ipa_t base;
    uint64_t size;
    struct {
        uint8_t *at; /* which is its physical address, too */
        uint64_t size;
    } piece[VMM_RAM_PIECES]; /* in order of guest addresses */
    unsigned nr;
    struct avc_stage2 *stage2;
    /* Whoever keeps a copy of the memory, a log of dirty pages for example, is told of what devices have written there,
       before the guest is. It may be called on any CPU. NULL, the default: nobody does. Set before the first pin. */
    void (*written)(void *ctx, avc_ipa_t from, uint32_t bytes);
    void *written_ctx;
    _Atomic uint32_t pinned;                            /* how often ranges are pinned, all together */
    struct vmm_lock lock;                               /* guards the two maps, which have a bit for each block: */
    uint64_t there[VMM_RAM_MAX / VMM_RAM_BLOCK / 64];   /* it is mapped */
    uint64_t filling[VMM_RAM_MAX / VMM_RAM_BLOCK / 64]; /* a CPU clears it just now */
};

/** Takes `size` bytes (whole pages, at most VMM_RAM_MAX) for the guest addresses from `base` on (2 MiB aligned).
    They will be mapped in `stage2`. Returns false, and takes nothing, if there is not so much memory. */
bool vmm_ram_init(struct vmm_ram *ram, avc_ipa_t base, uint64_t size, struct avc_stage2 *stage2);

/** Is an address in the memory? If so, its block is mapped afterwards: Normal memory, read, write and execute. Or
    another CPU is at it. It is called for a guest's fault, outside of run, on any CPU. The guest then tries the access
    again. To clear a block takes long, so `look` is called each few thousand instructions: it looks for interrupts, and
    may be NULL. */
bool vmm_ram_touch(struct vmm_ram *ram, avc_ipa_t at, void (*look)(void));

/** Touches every block, so that no guest's access will fault. That takes as long as clearing all of the memory. */
void vmm_ram_touch_all(struct vmm_ram *ram, void (*look)(void));

/** Copy into guest addresses, and out of them. A guest with its caches off may read or execute what was written.
    Return false if not all of the addresses are in the memory, or, for a read, if not all were touched. For a write no
    vCPU is loaded; look: as above. */
bool vmm_ram_write(struct vmm_ram *ram, avc_ipa_t to, const void *from, uint64_t bytes, void (*look)(void));
bool vmm_ram_read(struct vmm_ram *ram, void *to, avc_ipa_t from, uint64_t bytes);

/** Returns where EL2 sees guest addresses that lie in one page; NULL if they are not in the memory, or not touched. */
void *vmm_ram_at(struct vmm_ram *ram, avc_ipa_t at, uint64_t bytes);

/** Makes all of it as if never touched. No vCPU is loaded, and nobody pins meanwhile. Returns false, and does nothing,
    while a range is pinned. */
bool vmm_ram_reset(struct vmm_ram *ram);

/* ---- memory for devices ---- */

/** A range of guest addresses that a device is to read, or to write. */
struct vmm_pin {
    avc_ipa_t from;
    uint32_t bytes;
    bool write;
};

/** A piece of it in physical memory. */
struct vmm_piece {
    avc_pa_t pa;
    uint32_t bytes;
};

enum vmm_pinned {
    VMM_PIN_DONE,
    VMM_PIN_OUTSIDE,   /* it is not memory all along, or it has no bytes, or it wraps */
    VMM_PIN_ABSENT,    /* a block was never touched, and the caller cannot wait */
    VMM_PIN_SCATTERED, /* it is in more pieces than the caller has room for */
};

/**
 * Pins a range: says where it is, and keeps it there until vmm_ram_unpin(). All DMA to guest memory goes through this
 * function. It maps blocks that are not there yet. A page that the VM shares with others would be copied first if
 * `pin` says write; none is shared today.
 *
 * piece, *nr: room for pieces; then *nr is how many there are, in order, as few as possible. *at: the first address
 * that is outside or absent. Unless the result is DONE nothing is pinned.
 *
 * look: as for vmm_ram_touch(), on any CPU, in a task. With NULL the caller cannot wait, and is told ABSENT: then it
 * may be a claim. That takes some 60 instructions, and a few more for each GiB and each piece of the memory.
 *
 * The pieces are memory that EL2 sees at its physical address. They are clean with respect to what was there before the
 * guest had them. What the guest has in its caches of them, a coherent device sees; for another one the caller cleans
 * and invalidates.
 */
enum vmm_pinned vmm_ram_pin(struct vmm_ram *ram, const struct vmm_pin *pin, void (*look)(void), struct vmm_piece *piece,
                            unsigned *nr, avc_ipa_t *at);

/** The usual case of vmm_ram_pin(), without a call: the range lies in one block that is there. *pa: where. Otherwise it
    returns false: vmm_ram_pin() says why. The pin does not count yet: the caller does that for several at once, by
    vmm_ram_count_pins(), before a device is told of the range. Until then nobody may call vmm_ram_reset(). */
static inline bool vmm_ram_pin_block(const struct vmm_ram *ram, const struct vmm_pin *pin, avc_pa_t *pa)
{
    uint64_t offset = pin->from - ram->base, last = offset + pin->bytes - 1, block = offset / VMM_RAM_BLOCK;
    unsigned i = 0;

    /* A range that begins below the memory, or wraps, has its ends in two blocks. */
    if (last >= ram->size || !pin->bytes || last / VMM_RAM_BLOCK != block ||
        !(__atomic_load_n(&ram->there[block / 64], __ATOMIC_ACQUIRE) >> block % 64 & 1))
        return false;
    for (; offset >= ram->piece[i].size; i++)
        offset -= ram->piece[i].size;
    *pa = (uintptr_t)ram->piece[i].at + offset;
    return true;
}

static inline void vmm_ram_count_pins(struct vmm_ram *ram, uint32_t nr)
{
    atomic_fetch_add_explicit(&ram->pinned, nr, memory_order_relaxed);
}

/** EL2 itself has written to a range that stays pinned: a ring, for example. Who keeps a copy is told. */
static inline void vmm_ram_wrote(const struct vmm_ram *ram, const struct vmm_pin *pin)
{
    if (ram->written)
        ram->written(ram->written_ctx, pin->from, pin->bytes);
}

/** Releases ranges of which vmm_ram_wrote() was told, where a device could write: many at once. */
static inline void vmm_ram_count_unpins(struct vmm_ram *ram, uint32_t nr)
{
    /* What was written is told of before the memory may become another's, hence the release. */
    atomic_fetch_sub_explicit(&ram->pinned, nr, memory_order_release);
}

/** Releases a range, once for each time it was pinned. The device is done with it. If it was to write, all of the range
    counts as written: a device may write more than it says (virtio 1.2, 2.7.8.2). Any CPU, claims too. */
static inline void vmm_ram_unpin(struct vmm_ram *ram, const struct vmm_pin *pin)
{
    if (pin->write)
        vmm_ram_wrote(ram, pin);
    vmm_ram_count_unpins(ram, 1);
}

#endif
