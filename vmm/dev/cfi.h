/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * A bank of NOR flash: two x16 chips side by side on a bus of 32 bits, with the Common Flash Interface (JEDEC JESD68)
 * and Intel's command set 1 (its extended query is "PRI" 1.0). It is what QEMU's `virt` machine has.
 *
 * While the bank reads as an array the guest has it mapped, read-only, and its loads do not trap. A store traps, since
 * it is a command. While the bank shows status, identification or query data nothing is mapped, so loads trap as well.
 *
 * The claim does what is short. What changes the guest's map, or the array, it leaves to the VMM (AVC_EXIT), which
 * calls vmm_cfi_exit(). Meanwhile the bank is busy, and says so in its status as silicon does.
 */
#ifndef VMM_DEV_CFI_H
#define VMM_DEV_CFI_H

#include <avc/state.h>

#include "mmio.h"

#define VMM_CFI_BLOCK  UINT32_C(0x40000) /* bytes of an erase block, of both chips together */
#define VMM_CFI_BUFFER UINT32_C(0x1000)  /* bytes of the write buffer */

enum vmm_cfi_result { VMM_CFI_DONE, VMM_CFI_BUSY, VMM_CFI_FAILED };

/** Where the array is. The bank calls program and erase for one operation at a time. */
struct vmm_cfi_host {
    /* Returns the array's word at an offset, a multiple of 4. No operation is in progress. */
    uint32_t (*read)(void *ctx, uint32_t offset);
    /* Store into the array, or begin to; called by vmm_cfi_exit(), without the lock. `data` stays until the operation
       has ended. Offset and size are multiples of 4; bits are only ever cleared. The block is to read as ones. */
    enum vmm_cfi_result (*program)(void *ctx, uint32_t offset, const uint32_t *data, uint32_t bytes,
                                   void (*look)(void));
    enum vmm_cfi_result (*erase)(void *ctx, uint32_t offset, void (*look)(void));
    /* Asks an operation that was BUSY. Called with the lock held, in claims too. */
    enum vmm_cfi_result (*poll)(void *ctx);
    /* Give the guest the place with this offset to read, or take all of the bank from it. Called with the lock held, by
       vmm_cfi_exit(). A place that it has may be given again. map() returns false for a fetch that cannot be. */
    bool (*map)(void *ctx, uint32_t offset, bool fetch);
    void (*unmap)(void *ctx);
    void *ctx;
};

enum vmm_cfi_mode { VMM_CFI_ARRAY, VMM_CFI_STATUS, VMM_CFI_ID, VMM_CFI_QUERY, VMM_CFI_NR_MODES };

/** What the next store is. */
enum vmm_cfi_phase {
    VMM_CFI_COMMAND,
    VMM_CFI_DATA,        /* of a word to program */
    VMM_CFI_ERASE,       /* confirms an erasure */
    VMM_CFI_LOCK,        /* which lock operation */
    VMM_CFI_COUNT,       /* words of a buffer to program, less one */
    VMM_CFI_BUFFER_DATA, /* a word of the buffer */
    VMM_CFI_BUFFER_GO,   /* confirms the buffer */
    VMM_CFI_NR_PHASES
};

struct vmm_cfi {
    struct vmm_mmio mmio; /* first, because the claim's ctx is this struct; read and write are not used */
    const struct vmm_cfi_host *host;
    bool mapped;  /* the guest may have a part of the array */
    bool busy;    /* an operation is in progress, */
    bool polled;  /* and its end is asked for */
    bool erasing; /* what it is or was busy with */
    uint8_t mode, phase, status;
    uint32_t left;      /* words of the buffer that are to come */
    uint32_t low, high; /* offsets in the bank of what the buffer has; high: the byte behind it; equal: nothing yet */
    uint32_t buffer[VMM_CFI_BUFFER / 4];
};

/** Its state as values; vmm_cfi_state says which records they are. What is in the array is memory, and not among
    them. */
struct vmm_cfi_values {
    uint64_t base, size;
    uint8_t mode, phase, status;
    uint32_t left, low, high;
    uint32_t buffer[VMM_CFI_BUFFER / 4];
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_cfi_state;

/** The claim's function. ctx is the struct vmm_cfi. */
avc_claim_fn vmm_cfi_access;

/** Prepares the bank, reset. size: a power of two of erase blocks, at most 256 of them. `host` is borrowed. */
void vmm_cfi_init(struct vmm_cfi *cfi, uint64_t base, uint32_t size, const struct vmm_cfi_host *host);

/** Is an address in the bank? */
static inline bool vmm_cfi_has(const struct vmm_cfi *cfi, uint64_t address)
{
    return address - cfi->mmio.base < cfi->mmio.size;
}

/** Answers an exit of kind MMIO or STAGE2 for an address in the bank, and sets its answer. Returns false if nothing can
    be done: a fetch or a table walk where the bank does not read as an array, for example. look: looks for interrupts,
    each few thousand instructions. The vCPU is loaded on this CPU. */
bool vmm_cfi_exit(struct vmm_cfi *cfi, struct avc_exit *e, void (*look)(void));

/** Resets it to its power-on state. The array stays. No vCPU is loaded. */
void vmm_cfi_reset(struct vmm_cfi *cfi, void (*look)(void));

/** Waits for the end of an operation, and tells the state. No vCPU is loaded. */
void vmm_cfi_get(struct vmm_cfi *cfi, struct vmm_cfi_values *values, void (*look)(void));

/** Takes a state over. Returns false, and changes nothing, if no bank can be in that state, or if it is another bank's.
    No vCPU is loaded. */
bool vmm_cfi_set(struct vmm_cfi *cfi, const struct vmm_cfi_values *values, void (*look)(void));

#endif
