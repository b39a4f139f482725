/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * The guest's memory: one range of its addresses, in as few pieces of the host's as can be had. The host's memory is
 * taken at once, so that a guest never finds less than it was told of; each 2 MiB of it are cleared and mapped when they
 * are first touched, so that a start does not wait for memory that nobody uses.
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
        uint8_t *at; /* its physical address, too */
        uint64_t size;
    } piece[VMM_RAM_PIECES]; /* in order of guest addresses */
    unsigned nr;
    struct avc_stage2 *stage2;
    struct vmm_lock lock;
    uint64_t there[VMM_RAM_MAX / VMM_RAM_BLOCK / 64]; /* a bit for each block that is mapped */
};

/** Takes `size` bytes (whole pages, at most VMM_RAM_MAX) for the guest addresses from `base` on (2 MiB aligned), to be
    mapped in `stage2`. False: there is not so much, and none is taken. */
bool vmm_ram_init(struct vmm_ram *ram, avc_ipa_t base, uint64_t size, struct avc_stage2 *stage2);

/** Whether an address is in it. If so, its block is there afterwards: Normal memory, read, write and execute. To be
    called for a guest's fault, which is then to be tried again, on any CPU, outside of run. */
bool vmm_ram_touch(struct vmm_ram *ram, avc_ipa_t at);

/** Touches every block, so that no guest's access will fault any more. It takes as long as clearing all of the memory. */
void vmm_ram_touch_all(struct vmm_ram *ram);

/** Copies into guest addresses what a guest reads or executes that has its caches off; and out of them. False: not all
    of them are in it, or, for read, were touched. */
bool vmm_ram_write(struct vmm_ram *ram, avc_ipa_t to, const void *from, uint64_t bytes);
bool vmm_ram_read(struct vmm_ram *ram, void *to, avc_ipa_t from, uint64_t bytes);

/** All of it as if never touched. No vCPU is loaded. */
void vmm_ram_reset(struct vmm_ram *ram);

#endif
