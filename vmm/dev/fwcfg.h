/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * QEMU's firmware configuration device, as the `virt` machine has it (QEMU, docs/specs/fw_cfg): firmware finds there
 * what it is to boot. Items are read byte by byte, or by DMA. No item can be written.
 *
 * The claim does what is short. A DMA transfer it leaves to the VMM (AVC_EXIT), which calls vmm_fwcfg_exit(): the
 * guest's store ends when the transfer has.
 */
#ifndef VMM_DEV_FWCFG_H
#define VMM_DEV_FWCFG_H

#include <avc/state.h>

#include "mmio.h"

#define VMM_FWCFG_SIZE  0x18
#define VMM_FWCFG_ITEMS 16
#define VMM_FWCFG_FILES 8
#define VMM_FWCFG_NAME  56 /* bytes of a file's name, with its end */

/** Keys of items. */
enum {
    VMM_FWCFG_SIGNATURE = 0x00,
    VMM_FWCFG_ID = 0x01,
    VMM_FWCFG_UUID = 0x02,
    VMM_FWCFG_RAM_SIZE = 0x03,
    VMM_FWCFG_NOGRAPHIC = 0x04,
    VMM_FWCFG_NB_CPUS = 0x05,
    VMM_FWCFG_KERNEL_SIZE = 0x08,
    VMM_FWCFG_INITRD_SIZE = 0x0B,
    VMM_FWCFG_BOOT_MENU = 0x0E,
    VMM_FWCFG_KERNEL_DATA = 0x11,
    VMM_FWCFG_INITRD_DATA = 0x12,
    VMM_FWCFG_CMDLINE_SIZE = 0x14,
    VMM_FWCFG_CMDLINE_DATA = 0x15,
    VMM_FWCFG_FILE_DIR = 0x19,
    VMM_FWCFG_FIRST_FILE = 0x20
};

/** The guest's memory, for DMA. Called without the lock. They return false if not all of the range is memory. */
struct vmm_fwcfg_host {
    bool (*load)(void *ctx, uint64_t from, void *to, uint32_t bytes, void (*look)(void));
    /* from NULL: zeros */
    bool (*store)(void *ctx, uint64_t to, const void *from, uint32_t bytes, void (*look)(void));
    void *ctx;
};

struct vmm_fwcfg_item {
    uint16_t key;
    uint32_t bytes;
    const void *data; /* NULL: it is `value` */
    uint64_t value;   /* little-endian */
    const char *name; /* of a file; otherwise NULL */
};

struct vmm_fwcfg {
    struct vmm_mmio mmio; /* first, because the claim's ctx is this struct; read and write are not used */
    const struct vmm_fwcfg_host *host;
    struct vmm_fwcfg_item item[VMM_FWCFG_ITEMS + VMM_FWCFG_FILES];
    unsigned nr, nr_files;
    uint8_t dir[4 + VMM_FWCFG_FILES * 64];
    uint16_t key;      /* that is selected */
    uint32_t offset;   /* in its item */
    uint32_t dma_high; /* half of the address of the next transfer */
};

/** Its state as values; vmm_fwcfg_state says which records they are. The items are how the machine was made. */
struct vmm_fwcfg_values {
    uint64_t base;
    uint16_t key;
    uint32_t offset, dma_high;
};

/** The model's table for avc/state.h. */
extern const struct avc_state_model vmm_fwcfg_state;

/** The claim's function. ctx is the struct vmm_fwcfg. */
avc_claim_fn vmm_fwcfg_access;

/** Prepares the device, with the items that say what it is. `host` is borrowed. */
void vmm_fwcfg_init(struct vmm_fwcfg *cfg, uint64_t base, const struct vmm_fwcfg_host *host);

/** Add an item, before the guest runs. `data` is borrowed. A number is little-endian and has 2, 4 or 8 bytes. There is
    room for 13 items of the caller's, and for VMM_FWCFG_FILES files; what has no room is left out, and false is
    returned. The name of a file has less than VMM_FWCFG_NAME bytes, and is borrowed. */
bool vmm_fwcfg_add(struct vmm_fwcfg *cfg, uint16_t key, const void *data, uint32_t bytes);
bool vmm_fwcfg_add_number(struct vmm_fwcfg *cfg, uint16_t key, uint64_t value, unsigned bytes);
bool vmm_fwcfg_add_file(struct vmm_fwcfg *cfg, const char *name, const void *data, uint32_t bytes);

/** Is an address in the device? */
static inline bool vmm_fwcfg_has(const struct vmm_fwcfg *cfg, uint64_t address)
{
    return address - cfg->mmio.base < cfg->mmio.size;
}

/** Answers an exit that the claim has left: a DMA transfer. Returns false for any other. look: looks for interrupts,
    each few thousand instructions. */
bool vmm_fwcfg_exit(struct vmm_fwcfg *cfg, struct avc_exit *e, void (*look)(void));

/** Resets it to its power-on state. */
void vmm_fwcfg_reset(struct vmm_fwcfg *cfg);

/** Tell its state, and take one over. The latter returns false, and changes nothing, if it is another device's. */
void vmm_fwcfg_get(struct vmm_fwcfg *cfg, struct vmm_fwcfg_values *values);
bool vmm_fwcfg_set(struct vmm_fwcfg *cfg, const struct vmm_fwcfg_values *values);

#endif
