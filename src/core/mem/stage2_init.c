/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Makes and destroys stage 2 tables that the library builds. stage2_map.c changes them in between. */
#include "core/mem/s2.h"

/* NOLINTNEXTLINE(misc-no-recursion): once a level, of which there are four */
static void free_tables(struct avc_stage2 *s2, uint64_t *table, unsigned level, size_t entries)
{
    for (size_t i = 0; i < entries; i++) {
        uint64_t desc = s2_read(&table[i]);
        uint64_t *child;

        if (!s2_is_table(desc, level))
            continue;
        child = s2_table(s2, desc);
        free_tables(s2, child, level + 1, 512);
        s2->mem.put(s2->mem.ctx, child, AVC_PAGE_SIZE);
    }
}

/* avc_stage2_destroy() has flushed the TLBs. It calls this by a pointer, and so does not link this file. */
static void give_back(struct avc_stage2 *s2)
{
    free_tables(s2, s2->root, s2->start_level, AVC_BIT(s2->ipa_bits - s2_shift(s2->start_level)));
    s2->mem.put(s2->mem.ctx, s2->root, s2->root_pages * AVC_PAGE_SIZE);
}

enum avc_status avc_stage2_init(struct avc_stage2 *s2, struct avc_machine *machine, const struct avc_mem *mem,
                                unsigned ipa_bits)
{
    enum avc_status status;
    avc_pa_t pa = 0;
    uint64_t *root;
    size_t bytes;

    if (!mem || !mem->get || !mem->put || !mem->at)
        return AVC_EINVAL;
    status = avc_stage2_prepare(s2, machine, ipa_bits, &bytes);
    if (status)
        return status;
    root = mem->get(mem->ctx, bytes, &pa);
    if (!root)
        return AVC_ENOMEM;
    status = (uintptr_t)root & (bytes - 1) ? AVC_EALIGN : avc_stage2_check_root(s2, pa, bytes);
    if (status) {
        mem->put(mem->ctx, root, bytes);
        return status;
    }
    for (size_t i = 0; i < bytes / sizeof *root; i++)
        s2_write(&root[i], 0);
    avc_hw_dsb_ishst(); /* before any CPU can be told of it */
    s2->mem = *mem;
    s2->give_back = give_back;
    s2->root = root;
    s2->root_pa = s2->reach = pa;
    s2->magic = AVC_MAGIC_STAGE2;
    return AVC_OK;
}
