/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A device of the guest machine: a claim on a range of addresses, in front of 32-bit registers.
 *
 * The claim emulates the device, at EL2. So every function here is bounded, and takes no lock except the device's own.
 * The models know nothing of the machine around them. Interrupts leave through a callback, so that the models also run,
 * and are tested, on the build host.
 */
#ifndef VMM_DEV_MMIO_H
#define VMM_DEV_MMIO_H

#include <avc/avc.h>
#include <stdbool.h>
#include <stdint.h>

#include "kern/lock.h"

struct vmm_mmio {
    uint64_t base, size;
    /* The caller holds the lock. offset is a multiple of 4. A narrow store comes zero-extended. */
    uint32_t (*read)(struct vmm_mmio *dev, uint32_t offset);
    void (*write)(struct vmm_mmio *dev, uint32_t offset, uint32_t value);
    /* The device's interrupt line. It is called with the lock held, so that levels arrive in the order in which
       they arose. NULL: not connected. */
    void (*irq)(void *ctx, bool level);
    void *irq_ctx;
    bool line; /* what irq() was told last */
    struct vmm_lock lock;
};

/** Numbers of the models in saved states (avc/state.h, docs/state.md). A number is never given to another model. */
enum vmm_state_model {
    VMM_STATE_PL011 = 1,
    VMM_STATE_PL031 = 2,
    VMM_STATE_SHADOW = 3,
    VMM_STATE_RELAY = 4,
    VMM_STATE_CFI = 5,
    VMM_STATE_FWCFG = 6,
    VMM_STATE_PL061 = 7,
    VMM_STATE_PVTIME = 8
};

/** A mask of 1 to 4 bytes. */
static inline uint32_t vmm_mmio_mask(unsigned bytes)
{
    return UINT32_MAX >> (32 - 8 * bytes);
}

/** Is it the usual access: one register, or the low bytes of one? */
static inline bool vmm_mmio_is_one(uint64_t offset, unsigned size)
{
    return offset % 4 == 0 && size <= 4;
}

/** The claim's function. ctx is the struct vmm_mmio. */
avc_claim_fn vmm_mmio_access;

/** Makes the line follow a level. The caller holds the device's lock. */
void vmm_mmio_drive(struct vmm_mmio *dev, bool level);

/** Returns a byte of the PrimeCell identification, offsets 0xFE0 to 0xFFC. */
static inline uint32_t vmm_primecell_id(const uint8_t id[8], uint32_t offset)
{
    return id[(offset - 0xFE0) / 4];
}

#endif
