/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* Guest memory from the page allocator; see ram.h. */
#include "ram.h"

#include "vmm.h"

#define MIB2 (UINT64_C(2) << 20)
#define GIB  (UINT64_C(1) << 30)

static void give_back(struct vmm_ram *ram)
{
    while (ram->nr) {
        ram->nr--;
        vmm_pages_free(ram->piece[ram->nr].at, ram->piece[ram->nr].size);
    }
}

/*
 * The largest pieces first, halved until one can be had. 2 MiB alignment makes stage 2 use 2 MiB
 * blocks; a piece of a GiB and more is first asked for at an address that allows 1 GiB blocks. All
 * pieces but the last are whole multiples of 2 MiB, so that their guest addresses stay aligned.
 */
bool vmm_ram_init(struct vmm_ram *ram, avc_ipa_t base, uint64_t size)
{
    uint64_t left = size, want = size;

    *ram = (struct vmm_ram){ .base = base, .size = size };
    while (left) {
        uint8_t *at = want >= GIB ? vmm_pages_alloc(want, GIB) : NULL;

        if (!at)
            at = vmm_pages_alloc(want, MIB2);
        if (at && ram->nr < VMM_RAM_PIECES) {
            ram->piece[ram->nr].at = at;
            ram->piece[ram->nr++].size = want;
            left -= want;
            want = want < left ? want : left;
        } else if (want > MIB2 && ram->nr < VMM_RAM_PIECES) {
            want = (want / 2 + MIB2 - 1) & ~(MIB2 - 1);
        } else {
            if (at)
                vmm_pages_free(at, want);
            give_back(ram);
            return false;
        }
    }
    return true;
}

enum avc_status vmm_ram_map(const struct vmm_ram *ram, struct avc_stage2 *stage2)
{
    avc_ipa_t ipa = ram->base;

    for (unsigned i = 0; i < ram->nr; i++) {
        enum avc_status status =
            avc_stage2_map(stage2, ipa, (uintptr_t)ram->piece[i].at, ram->piece[i].size, AVC_RWX | AVC_NORMAL);

        if (status)
            return status;
        ipa += ram->piece[i].size;
    }
    return AVC_OK;
}

void vmm_ram_clear(const struct vmm_ram *ram)
{
    for (unsigned i = 0; i < ram->nr; i++)
        vmm_zero(ram->piece[i].at, ram->piece[i].size);
}

/* The piece that holds an address, and how many bytes are left in it from there on. */
static uint8_t *find(const struct vmm_ram *ram, avc_ipa_t at, uint64_t *left)
{
    uint64_t offset = at - ram->base;

    for (unsigned i = 0; i < ram->nr; i++) {
        if (offset < ram->piece[i].size) {
            *left = ram->piece[i].size - offset;
            return ram->piece[i].at + offset;
        }
        offset -= ram->piece[i].size;
    }
    vmm_panic("guest address 0x%llx is in no piece", (unsigned long long)at);
}

bool vmm_ram_write(const struct vmm_ram *ram, avc_ipa_t to, const void *from, uint64_t bytes)
{
    const uint8_t *p = from;

    if (!vmm_ram_has(ram, to, bytes))
        return false;
    while (bytes) {
        uint64_t n;
        uint8_t *at = find(ram, to, &n);

        n = n < bytes ? n : bytes;
        memcpy(at, p, n);
        to += n;
        p += n;
        bytes -= n;
    }
    return true;
}

bool vmm_ram_read(const struct vmm_ram *ram, void *to, avc_ipa_t from, uint64_t bytes)
{
    uint8_t *p = to;

    if (!vmm_ram_has(ram, from, bytes))
        return false;
    while (bytes) {
        uint64_t n;
        const uint8_t *at = find(ram, from, &n);

        n = n < bytes ? n : bytes;
        memcpy(p, at, n);
        from += n;
        p += n;
        bytes -= n;
    }
    return true;
}

/*
 * Cleaned, because a guest starts with its caches off and reads memory itself; all of it, for a line that is dirty with
 * something older would some day be written over the guest's data. And invalidated, because what the guest writes past
 * the caches it must find when it has switched them on (Arm ARM D7.5, mismatched attributes: the guest's duty for its own
 * accesses only). Instruction caches for what a guest executes first; code that it writes itself is its own affair.
 */
void vmm_ram_sync(const struct vmm_ram *ram, avc_ipa_t code, uint64_t bytes)
{
    for (unsigned i = 0; i < ram->nr; i++)
        vmm_dcache_clean_invalidate(ram->piece[i].at, ram->piece[i].size);
    while (bytes) {
        uint64_t n;
        uint8_t *at = find(ram, code, &n);

        n = n < bytes ? n : bytes;
        vmm_code_sync(at, n);
        code += n;
        bytes -= n;
    }
}
