/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * See dma.h. Firmware may have its caches off, and then reads and writes memory itself. So what is stored goes to
 * memory, and no line of ours that is older than what the guest has written is loaded.
 */
#include "dma.h"

#include "vmm.h"

#define STEP UINT32_C(0x1000)

/* Pins what is left up to the end of a page, which is one piece. */
static uint8_t *pin(struct vmm_ram *ram, struct vmm_pin *p, void (*look)(void))
{
    struct vmm_piece piece;
    unsigned nr = 1;
    avc_ipa_t at;

    if (vmm_ram_pin(ram, p, look, &piece, &nr, &at) != VMM_PIN_DONE)
        return NULL;
    return (uint8_t *)(uintptr_t)piece.pa;
}

static uint32_t step_of(avc_ipa_t at, uint32_t left)
{
    uint32_t room = STEP - (uint32_t)(at % STEP);

    return room < left ? room : left;
}

bool vmm_dma_store(struct vmm_ram *ram, avc_ipa_t to, const void *from, uint32_t bytes, void (*look)(void))
{
    for (uint32_t done = 0, n; done < bytes; done += n) {
        struct vmm_pin p = { .from = to + done, .write = true };
        uint8_t *at;

        p.bytes = n = step_of(p.from, bytes - done);
        at = pin(ram, &p, look);
        if (!at)
            return false;
        if (from)
            memcpy(at, (const uint8_t *)from + done, n);
        else
            memset(at, 0, n);
        vmm_dcache_clean_invalidate(at, n);
        vmm_icache_invalidate(at, n);
        vmm_ram_unpin(ram, &p);
        look();
    }
    return true;
}

bool vmm_dma_load(struct vmm_ram *ram, avc_ipa_t from, void *to, uint32_t bytes, void (*look)(void))
{
    for (uint32_t done = 0, n; done < bytes; done += n) {
        struct vmm_pin p = { .from = from + done };
        uint8_t *at;

        p.bytes = n = step_of(p.from, bytes - done);
        at = pin(ram, &p, look);
        if (!at)
            return false;
        vmm_dcache_clean_invalidate(at, n);
        memcpy((uint8_t *)to + done, at, n);
        vmm_ram_unpin(ram, &p);
        look();
    }
    return true;
}
