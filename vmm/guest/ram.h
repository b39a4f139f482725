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
#define VMM_RAM_MAX    (UINT64_C(64) << 30) /* bytes; bounded by the bits below */

struct vmm_ram {
    avc_ipa_t base;
    uint64_t size;
    struct {
        uint8_t *at; /* which is its physical address, too */
        uint64_t size;
    } piece[VMM_RAM_PIECES]; /* in order of guest addresses */
    unsigned nr;
    struct avc_stage2 *stage2;
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

/** Makes all of it as if never touched. No vCPU is loaded. */
void vmm_ram_reset(struct vmm_ram *ram);

#endif
