/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of struct avc_stage2. */
#ifndef AVC_PRIV_STAGE2_H
#define AVC_PRIV_STAGE2_H

#include <avc/priv/lock.h>
#include <avc/stage2.h>

struct avc_stage2 {
    uint64_t magic;
    struct avc_lock lock;     /* for readers; held with interrupts masked */
    struct avc_lock changing; /* for map, unmap and protect; held for long, with interrupts as the caller has them */
    struct avc_machine *machine;
    struct avc_mem mem;
    struct avc_vm *vm;                        /* who uses it; set and cleared by avc_vm_init() and avc_vm_destroy() */
    void (*give_back)(struct avc_stage2 *s2); /* returns the tables to mem.put(); NULL: adopted */
    uint64_t *root;                           /* NULL: adopted without mem */
    avc_pa_t root_pa;
    avc_pa_t reach;      /* all bits set in any PA it uses or maps */
    uint64_t vmid;       /* generation << 16 | VMID, 0: none yet; machine's lock. See vmid.c */
    uint32_t tables;     /* table pages in use, without the root */
    uint32_t root_pages; /* tables that are concatenated at the start level */
    uint8_t ipa_bits;
    uint8_t pa_bits;
    uint8_t start_level;
    bool adopted;
};

#endif
