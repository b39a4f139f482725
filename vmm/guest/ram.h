/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* The guest's memory: one range of its addresses, in as few pieces of the host's as can be had. */
#ifndef VMM_GUEST_RAM_H
#define VMM_GUEST_RAM_H

#include <avc/avc.h>
#include <avc/stage2.h>

#define VMM_RAM_PIECES 64

struct vmm_ram {
    avc_ipa_t base;
    uint64_t size;
    struct {
        uint8_t *at; /* its physical address, too */
        uint64_t size;
    } piece[VMM_RAM_PIECES]; /* in order of guest addresses */
    unsigned nr;
};

/** Takes `size` bytes (whole pages) for the guest addresses from `base` on (2 MiB aligned). False:
    there is not so much, and none is taken. */
bool vmm_ram_init(struct vmm_ram *ram, avc_ipa_t base, uint64_t size);

/** Maps all of it: Normal memory, read, write and execute. */
enum avc_status vmm_ram_map(const struct vmm_ram *ram, struct avc_stage2 *stage2);

/** Clears it, as far as EL2 sees it; vmm_ram_sync() is to follow. */
void vmm_ram_clear(const struct vmm_ram *ram);

/** Copies into and out of guest addresses. False: not all of them are in it. */
bool vmm_ram_write(const struct vmm_ram *ram, avc_ipa_t to, const void *from, uint64_t bytes);
bool vmm_ram_read(const struct vmm_ram *ram, void *to, avc_ipa_t from, uint64_t bytes);

static inline bool vmm_ram_has(const struct vmm_ram *ram, avc_ipa_t at, uint64_t bytes)
{
    return at >= ram->base && bytes <= ram->size && at - ram->base <= ram->size - bytes;
}

/** What EL2 wrote is what a guest finds whose caches are off; `bytes` of it, from `code` on, it is about to execute. */
void vmm_ram_sync(const struct vmm_ram *ram, avc_ipa_t code, uint64_t bytes);

#endif
